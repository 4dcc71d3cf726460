# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""What training and distilling the transformer share: the conditions under
which a chunk is generated, and the losses."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import device
from network import Cache, Conditioning, TextEncoder, Transformer
from optimiser import Optimiser
from sequences import Batch, Layout

MATRIX_RATE = 0.015
OTHER_RATE = 2e-3
CONTEXT_NOISE = 0.12
AUDIO_SHARE = 0.4


class Generator(nn.Module):
    """The text encoder and the transformer."""

    def __init__(self, config: dict):
        super().__init__()
        self.text = TextEncoder(config)
        self.transformer = Transformer(config)

    def optimiser(self, factor: float = 1.0) -> Optimiser:
        """Muon for the matrices of the layers."""
        inner = [
            p
            for name, p in self.named_parameters()
            if p.dim() == 2 and ".layers." in name and "modulation" not in name
        ]
        chosen = {id(p) for p in inner}
        others = [p for p in self.parameters() if id(p) not in chosen]
        return Optimiser(inner, others, factor * MATRIX_RATE, factor * OTHER_RATE)

    def read_context(
        self, batch: Batch, texts: list[Conditioning], t: Tensor | None = None
    ) -> list[Cache]:
        """Keys and values of all chunks at a small t [B, F], by default drawn
        below CONTEXT_NOISE."""
        if t is None:
            t = torch.rand(batch.video.shape[:2]) * CONTEXT_NOISE
        layout = batch.layout
        video = mixed(batch.video, torch.randn_like(batch.video), t)
        audio = mixed(batch.audio, torch.randn_like(batch.audio), t)
        out = self.transformer(
            video, audio, t, texts, layout.text_of, layout.spans()
        )
        return out[2]

    def read_chunk(
        self,
        pair: tuple[Tensor, Tensor],
        layout: Layout,
        texts: list[Conditioning],
        context: list[Cache] | None,
        t: Tensor | None = None,
    ) -> list[Cache]:
        """Keys and values of one chunk, layout's first, that comes after those
        of the context, at a t [B, 1] as in read_context()."""
        if t is None:
            t = torch.rand(pair[0].shape[:2]) * CONTEXT_NOISE
        video, audio = (mixed(x, torch.randn_like(x), t) for x in pair)
        here = slice(layout.first, layout.first + 1)
        text_of, spans = layout.text_of[here], layout.spans()[here]
        out = self.transformer(video, audio, t, texts, text_of, spans, context)
        return out[2]

    def predict(
        self,
        video: Tensor,
        audio: Tensor,
        t: Tensor,
        layout: Layout,
        texts: list[Conditioning],
        context: list[Cache],
    ) -> tuple[Tensor, Tensor]:
        """v of the chunks from layout.first on, each of which sees of the
        others the context alone."""
        out = self.transformer(
            video,
            audio,
            t,
            texts,
            layout.text_of[layout.first :],
            layout.spans()[layout.first :],
            context,
        )
        return out[0], out[1]


def mixed(data: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """data, noise [B, F, …], t [B, F]."""
    t = t[:, :, None, None]
    return (1 - t) * data + t * noise


def repeated(texts: list[Conditioning], count: int) -> list[Conditioning]:
    return [
        Conditioning(
            text.states.repeat(count, 1, 1),
            text.mask.repeat(count, 1),
            text.pooled.repeat(count, 1),
        )
        for text in texts
    ]


def repeated_context(context: list[Cache], count: int) -> list[Cache]:
    return [
        (key.repeat(count, 1, 1, 1, 1), value.repeat(count, 1, 1, 1, 1))
        for key, value in context
    ]


def audio_weights(sound: Path, kinds: tuple[int, ...]) -> Tensor:
    """Values of a token count by how much of the sound they carry: their
    deviation before they were standardised, relative within their kind."""
    deviation = device.put(np.load(sound)["deviation"]).float()
    parts = [part / part.mean() for part in deviation.split(kinds)]
    weights = torch.cat(parts).clamp(0.2, 4.0)
    return weights / weights.mean()


def losses(
    video: Tensor,
    audio: Tensor,
    video_truth: Tensor,
    audio_truth: Tensor,
    weight: Tensor,
    audio_weight: Tensor,
) -> tuple[Tensor, Tensor]:
    """Weighted mean squares of each chunk, [B, F] of video and of audio."""
    errors = (video - video_truth).square().mean(dim=-1)
    video_loss = (errors * weight).mean(dim=2)
    audio_loss = ((audio - audio_truth).square() * audio_weight).mean(dim=(2, 3))
    return video_loss, audio_loss


def total(video: Tensor, audio: Tensor) -> tuple[Tensor, dict[str, float]]:
    """The loss of a step, and its parts."""
    video, audio = video.mean(), audio.mean()
    parts = {"video": video.item(), "audio": audio.item()}
    return video + AUDIO_SHARE * audio, parts
