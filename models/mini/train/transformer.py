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
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import flow
import network
import shipped
import workers
from flow import Generator
from sequences import LENGTH, Batch, Sequences
from world import sound

COPIES = 2
AVERAGE_DECAY = 0.99
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
    generator: Generator, held: Sequences, window: int, audio_weight: Tensor
) -> dict[str, float]:
    """Losses on fixed sequences of unseen clips at fixed times."""
    state = torch.random.get_rng_state()
    torch.manual_seed(5)
    rng = np.random.default_rng(5)
    scores: dict[str, float] = {}
    sums = {t: [0.0, 0.0] for t in JUDGED_TIMES}
    rounds = 4
    for _ in range(rounds):
        batch = held.batch(rng, 4, window)
        chunks = LENGTH - batch.layout.first
        for t in JUDGED_TIMES:
            times = torch.full((len(batch.video), chunks), t)
            with torch.autocast("cpu", torch.bfloat16):
                video, audio = batch_losses(generator, batch, times, audio_weight)
            sums[t][0] += video.mean().item() / rounds
            sums[t][1] += audio.mean().item() / rounds
    for t, (video_sum, audio_sum) in sums.items():
        scores[f"video@{t}"] = video_sum
        scores[f"audio@{t}"] = audio_sum
    torch.random.set_rng_state(state)
    return scores


def work(rank: int, arguments: argparse.Namespace) -> None:
    config = shipped.read_config(arguments.config)
    window = config["context"]["window"]
    network.compile_parts()
    torch.manual_seed(0)
    generator = Generator(config)
    torch.manual_seed(time.time_ns() % 2**31 + rank)
    optimiser = generator.optimiser()
    average = workers.Average(generator, AVERAGE_DECAY)
    step, spent_s, sequences = 0, 0.0, 0
    if arguments.output.exists() and not arguments.anew:
        state = torch.load(arguments.output)
        generator.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.values, average.updates = state["average"], state["updates"]
        step, spent_s = state["step"], state["spent_s"]
        sequences = state["sequences"]
    elif arguments.init:
        shipped.load_part(generator.text, arguments.init, "text.")
        shipped.load_part(generator.transformer, arguments.init, "transformer.")
        average.reset(generator)
    statistics = torch.load(arguments.data[0] / "statistics.pt")
    data = Sequences(arguments.data, **statistics)
    held = Sequences([arguments.held], **statistics)
    audio_weight = flow.audio_weights(arguments.sound, sound.KIND_DIMENSIONS)
    rng = np.random.default_rng(time.time_ns() + rank)
    log = workers.Log(arguments.output.with_suffix(".jsonl"))
    clock = workers.Clock(arguments.minutes, arguments.report, spent_s)
    recent: list[tuple[float, float]] = []

    def report() -> None:
        average.swap(generator)
        scores = judge(generator, held, window, audio_weight)
        average.swap(generator)
        video, audio = np.mean(recent[-50:], axis=0)
        log.write(
            minute=clock.spent_s() / 60,
            step=step,
            sequences=sequences,
            video=float(video),
            audio=float(audio),
            **scores,
        )
        state = {
            "model": generator.state_dict(),
            "optimiser": optimiser.state_dict(),
            "average": average.values,
            "updates": average.updates,
            "statistics": statistics,
            "step": step,
            "spent_s": clock.spent_s(),
            "sequences": sequences,
            "scores": scores,
        }
        workers.save_checkpoint(arguments.output, state)

    while (fraction := clock.fraction()) < 1:
        batch = data.batch(rng, arguments.batch, window)
        t = draw_times(arguments.batch, LENGTH - batch.layout.first)
        with torch.autocast("cpu", torch.bfloat16):
            video, audio = batch_losses(generator, batch, t, audio_weight)
        loss = video.mean() + flow.AUDIO_SHARE * audio.mean()
        optimiser.zero_grad()
        loss.backward()
        workers.average_gradients(generator.parameters())
        optimiser.step(workers.decline(fraction, 0.015, 0.45))
        average.update(generator)
        step += 1
        sequences += arguments.batch * arguments.processes
        recent.append((video.mean().item(), audio.mean().item()))
        if clock.report_due() and rank == 0:
            report()
    if rank == 0 and recent:
        report()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=shipped.CONFIG)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--sound", type=Path, required=True, help="the basis")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--report", type=float, default=2.5, metavar="MINUTES")
    parser.add_argument("--batch", type=int, default=6, metavar="SEQUENCES")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--init", type=Path, help="continue from shipped weights")
    parser.add_argument("--anew", action="store_true", help="ignore the checkpoint")
    arguments = parser.parse_args()
    workers.run(work, arguments.processes, arguments)


if __name__ == "__main__":
    main()
