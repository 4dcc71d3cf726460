# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Trains the text encoder and the transformer by flow matching.

Each sequence is read once as context, nearly clean, and then every chunk is
predicted from noise given that context, as generation does it; COPIES noisy
versions of a chunk share one reading.

    python3 transformer.py --data DIR … --held DIR --sound basis.npz \\
        --output transformer.pt --minutes 45
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import device
import flow
import loop
import network
import shipped
import workers
from flow import Generator
from sequences import LENGTH, Batch, Sequences
from world import sound

COPIES = 2
BATCH = 6
AVERAGE_DECAY = 0.99
# Peak rates relative to flow.py's. Shipped weights are the end of a decline
# to nothing, and of a distillation that began at 0.33: more than that would
# undo them.
FRESH = 1.0
CONTINUED = 0.2
JUDGED_TIMES = (0.2, 0.5, 0.8, 0.98)


def draw_times(count: int, chunks: int) -> Tensor:
    """t [COPIES·count, chunks], logit-normal; the copies of a chunk lie in
    different parts of the distribution."""
    place = torch.rand(count, chunks)
    order = torch.rand(COPIES, count, chunks).argsort(dim=0)
    quantile = ((order + place) / COPIES).clamp(1e-4, 1 - 1e-4)
    return torch.sigmoid(1.2 * torch.special.ndtri(quantile) + 0.4).flatten(0, 1)


def batch_losses(
    generator: Generator, batch: Batch, t: Tensor, audio_weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Losses [copies·B, F] of the chunks that count; t of that shape."""
    copies = len(t) // len(batch.video)
    texts = [generator.text(prompts) for prompts in batch.prompts]
    context = generator.read_context(batch, texts)
    first = batch.layout.first
    video = batch.video[:, first:].repeat(copies, 1, 1, 1)
    audio = batch.audio[:, first:].repeat(copies, 1, 1, 1)
    video_noise, audio_noise = torch.randn_like(video), torch.randn_like(audio)
    video_v, audio_v = generator.predict(
        flow.mixed(video, video_noise, t),
        flow.mixed(audio, audio_noise, t),
        t,
        batch.layout,
        flow.repeated(texts, copies),
        flow.repeated_context(context, copies),
    )
    weight = batch.weight[:, first:].repeat(copies, 1, 1)
    return flow.losses(
        video_v,
        audio_v,
        video_noise - video,
        audio_noise - audio,
        weight,
        audio_weight,
    )


@torch.no_grad()
def judge(
    generator: Generator,
    held: Sequences,
    window: int,
    audio_weight: Tensor,
    rounds: int,
) -> dict[str, float]:
    """Losses on fixed batches of unseen clips at fixed times."""
    torch.manual_seed(5)
    rng = np.random.default_rng(5)
    scores: dict[str, float] = {}
    sums = {t: [0.0, 0.0] for t in JUDGED_TIMES}
    for _ in range(rounds):
        batch = held.batch(rng, 4, window)
        chunks = LENGTH - batch.layout.first
        for t in JUDGED_TIMES:
            times = torch.full((len(batch.video), chunks), t)
            with device.mixed_precision():
                video, audio = batch_losses(generator, batch, times, audio_weight)
            sums[t][0] += video.mean().item() / rounds
            sums[t][1] += audio.mean().item() / rounds
    for t, (video_sum, audio_sum) in sums.items():
        scores[f"video@{t}"] = video_sum
        scores[f"audio@{t}"] = audio_sum
    return scores


class Training(loop.Stage):
    decay = AVERAGE_DECAY

    def __init__(self, arguments: argparse.Namespace):
        config = shipped.read_config(arguments.config)
        self.window = config["context"]["window"]
        network.compile_parts()
        self.model = Generator(config)
        self.batch = arguments.batch
        self.judged = arguments.judged
        if arguments.init:
            shipped.load_text(self.model.text, arguments.init)
            shipped.load_part(self.model.transformer, arguments.init, "transformer.")
        self.optimiser = self.model.optimiser(
            arguments.rate or (CONTINUED if arguments.init else FRESH)
        )
        statistics = device.load(arguments.data[0] / "statistics.pt")
        self.kept = {"statistics": statistics}
        self.data = Sequences(arguments.data, **statistics)
        self.held = Sequences([arguments.held], **statistics)
        self.audio_weight = flow.audio_weights(arguments.sound, sound.KIND_DIMENSIONS)

    def rate(self, fraction: float) -> float:
        return workers.decline(fraction, 0.015, 0.45)

    def losses(self, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        batch = self.data.batch(rng, self.batch, self.window)
        t = draw_times(self.batch, LENGTH - batch.layout.first)
        with device.mixed_precision():
            losses = batch_losses(self.model, batch, t, self.audio_weight)
        return flow.total(*losses)

    def judge(self) -> dict[str, float]:
        return judge(
            self.model, self.held, self.window, self.audio_weight, self.judged
        )


def main() -> None:
    parser = loop.parser(__doc__, BATCH)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--sound", type=Path, required=True, help="the basis")
    parser.add_argument("--judged", type=int, default=4, metavar="BATCHES")
    parser.add_argument("--init", type=Path, help="continue from shipped weights")
    loop.run(Training, parser.parse_args())


if __name__ == "__main__":
    main()
