# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""The endless generation of models/mini/FORMAT.md, sections 3 to 5."""

from collections import deque
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

import philox
from network import Cache, Conditioning, Mini, Span, patch
from sound import Synthesiser

Trace = dict[str, Tensor]


class Chunk(NamedTuple):
    """Standardised tokens, frames [4, 3, H, W] in −1…1, stereo [samples, 2]."""

    video: Tensor
    audio: Tensor
    frames: Tensor
    samples: np.ndarray


class Stream:
    """Generates chunk after chunk; set_prompt() takes effect at the next one."""

    def __init__(self, mini: Mini, seed: int, steps: int | None = None):
        self.mini = mini
        self.seed = seed
        config = mini.config
        self.schedule = config["schedules"][str(steps or config["steps"])]
        self.context = config["context"]
        self.synthesiser = Synthesiser(config, seed)
        self.index = 0
        self.run_start = 0
        self.text: Conditioning | None = None
        self.window: deque[tuple[int, list[Cache]]] = deque(
            maxlen=self.context["window"]
        )
        self.sink: list[Cache] | None = None
        self.decoder_memory = None

    def set_prompt(self, prompt: str) -> None:
        with torch.no_grad():
            self.text = self.mini.text([prompt])
        self.run_start = self.index
        self.sink = None

    def draw(self, kind: int, step: int, shape: tuple[int, ...]) -> Tensor:
        count = int(np.prod(shape))
        values = philox.normal(self.seed, self.index, kind, step, count)
        return torch.from_numpy(values).view(1, 1, *shape)

    def seen(self) -> tuple[list[tuple[int, float]], list[Cache] | None]:
        """The (cached chunk, time) list of the next chunk and what is cached."""
        chunks = [(self.index - i, kv) for i, kv in self.window]
        past_window = self.run_start < self.index - self.context["window"]
        if self.sink is not None and past_window:
            chunks.insert(0, (self.context["window"] + 1, self.sink))
        if not chunks:
            return [], None
        layers = range(len(self.mini.transformer.layers))
        cached = [
            tuple(torch.cat([kv[i][j] for _, kv in chunks], dim=2) for j in range(2))
            for i in layers
        ]
        return [(n, -float(age)) for n, (age, _) in enumerate(chunks)], cached

    def token_shapes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        net = self.mini.transformer
        sounds = self.mini.config["sound"]["tokens"]
        video = (net.videos, net.video_in.in_features)
        return video, (sounds, net.audio_in.in_features)

    @torch.no_grad()
    def set_picture(self, rgb: np.ndarray, trace: Trace | None = None) -> None:
        """RGB bytes [H, W, 3], before the first chunk and after its prompt:
        the picture stands still in a chunk of its own, which becomes chunk 0."""
        config = self.mini.config
        pixels = torch.from_numpy(rgb).float() / 127.5 - 1
        frames = pixels.movedim(-1, 0).expand(1, config["chunk"]["frames"], -1, -1, -1)
        tokens = patch(self.mini.encoder(frames), config["latent"]["patch"])
        video = (tokens - self.mini.latent.mean) / self.mini.latent.std
        audio = torch.zeros(1, 1, *self.token_shapes()[1])
        if trace is not None:
            trace["video"] = video[0, 0].clone()
        self.remember(video, audio, Evaluation(self, trace))
        z = self.mini.latent_of(video[0, 0])
        _, self.decoder_memory = self.mini.decoder(z[None, None])

    def remember(self, video: Tensor, audio: Tensor, evaluate: "Evaluation") -> None:
        """Reads a chunk's tokens, made or given, as context of the next ones."""
        t = self.context["timestep"]
        shapes = self.token_shapes()
        video_noise = self.draw(philox.CONTEXT_VIDEO, 0, shapes[0])
        audio_noise = self.draw(philox.CONTEXT_AUDIO, 0, shapes[1])
        evaluate.note("context.noise.video", video_noise[0, 0])
        evaluate.note("context.noise.audio", audio_noise[0, 0])
        noisy_video = (1 - t) * video + t * video_noise
        noisy_audio = (1 - t) * audio + t * audio_noise
        _, _, own = evaluate(noisy_video, noisy_audio, t, "context")
        for i, (key, value) in enumerate(own):
            evaluate.note(f"context.key{i}", key[0, :, 0])
            evaluate.note(f"context.value{i}", value[0, :, 0])
        self.window.append((self.index, own))
        if self.index == self.run_start and self.context["sink"] > 0:
            self.sink = own
        self.index += 1

    @torch.no_grad()
    def next_tokens(self, trace: Trace | None = None) -> tuple[Tensor, Tensor]:
        """Standardised video [V, values] and audio [A, token_size] tokens."""
        evaluate = Evaluation(self, trace)
        video_shape, audio_shape = self.token_shapes()
        for step, t in enumerate(self.schedule):
            video_noise = self.draw(philox.VIDEO, step, video_shape)
            audio_noise = self.draw(philox.AUDIO, step, audio_shape)
            evaluate.note(f"step{step}.noise.video", video_noise[0, 0])
            evaluate.note(f"step{step}.noise.audio", audio_noise[0, 0])
            if step == 0:
                video, audio = video_noise, audio_noise
            else:
                video = (1 - t) * video + t * video_noise
                audio = (1 - t) * audio + t * audio_noise
            video_v, audio_v, _ = evaluate(video, audio, t, f"step{step}")
            evaluate.note(f"step{step}.v.video", video_v[0, 0])
            evaluate.note(f"step{step}.v.audio", audio_v[0, 0])
            video = video - t * video_v
            audio = audio - t * audio_v
            evaluate.note(f"step{step}.x0.video", video[0, 0])
            evaluate.note(f"step{step}.x0.audio", audio[0, 0])
        self.remember(video, audio, evaluate)
        return video[0, 0], audio[0, 0]

    @torch.no_grad()
    def next_chunk(self, trace: Trace | None = None) -> Chunk:
        chunk = self.index
        video, audio = self.next_tokens(trace)
        z = self.mini.latent_of(video)
        rgb, self.decoder_memory = self.mini.decoder(z[None, None], self.decoder_memory)
        frames = rgb[0].clamp(-1, 1)
        basis = self.mini.sound.basis
        values = audio @ basis.weight.T + basis.bias
        shape = (self.synthesiser.frames, 3, 2, self.synthesiser.bands)
        values = values.reshape(shape)
        samples = self.synthesiser.chunk(values.numpy(), chunk)
        if trace is not None:
            trace["latent"] = z.clone()
            trace["frames"] = frames
            trace["sound"] = values
            trace["samples"] = torch.from_numpy(samples)
        return Chunk(video, audio, frames, samples)


class Evaluation:
    """The network on the next chunk of a stream, as its context is now."""

    def __init__(self, stream: Stream, trace: Trace | None):
        self.stream = stream
        self.trace = trace
        keys, self.cached = stream.seen()
        self.spans = [Span(0.0, keys)]

    def note(self, name: str, value: Tensor) -> None:
        if self.trace is not None:
            self.trace[name] = value.clone()

    def __call__(self, video: Tensor, audio: Tensor, t: float, prefix: str):
        inner: Trace | None = None if self.trace is None else {}
        out = self.stream.mini.transformer(
            video,
            audio,
            torch.tensor([[t]]),
            [self.stream.text],
            [0],
            self.spans,
            self.cached,
            inner,
        )
        for name, value in (inner or {}).items():
            self.note(f"{prefix}.{name}", value[0, 0])
        return out
