# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Distils the transformer into a student of few steps without guidance.

The teacher goes from a step's noise to the data in several guided Euler steps;
the student learns to get there in one. Noise of later steps is put on the
student's own estimate, and for a share of the batches the context is what the
student generated chunk after chunk, so that it learns from what it will see.

    python3 distil.py --data DIR … --sound basis.npz --teacher transformer.pt \\
        --output student.pt --minutes 15
"""

import argparse
import copy
from dataclasses import replace
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
from network import Cache, Conditioning
from sequences import LENGTH, Batch, Layout, Sequences
from world import sound

GUIDANCE = 2.0
EULER_STEPS = 4
FIRST_STEP_SHARE = 0.6
OWN_CONTEXT_SHARE = 0.5
BATCH = 4
# Peak rate relative to flow.py's. A student always continues from its trained
# teacher, whatever that began from, so there is no other for a fresh one.
CONTINUED = 0.33
AVERAGE_DECAY = 0.98

Pair = tuple[Tensor, Tensor]


def load_generator(path: Path, config: dict) -> Generator:
    """The averaged weights of a checkpoint of transformer.py or distil.py."""
    generator = Generator(config)
    state = device.load(path)
    for parameter, value in zip(generator.parameters(), state["average"]):
        parameter.data.copy_(value)
    return generator


def add_difference(
    student: Generator, before: Path, teacher_before: Path, config: dict
) -> None:
    """What an earlier distillation changed in its teacher, done to this one: a
    start far nearer to the end than the teacher is."""
    pairs = zip(
        student.parameters(),
        load_generator(before, config).parameters(),
        load_generator(teacher_before, config).parameters(),
    )
    with torch.no_grad():
        for parameter, after, origin in pairs:
            parameter += after - origin


class Teacher:
    """The trained transformer under classifier-free guidance."""

    def __init__(self, generator: Generator, guidance: float):
        self.generator = generator.eval().requires_grad_(False)
        self.guidance = guidance

    def read(self, batch: Batch, context_t: Tensor) -> None:
        """Takes the prompts and the context of a batch, with and without."""
        empty = [[""] * len(row) for row in batch.prompts]
        self.texts = []
        self.contexts = []
        for prompts in (batch.prompts, empty):
            texts = [self.generator.text(row) for row in prompts]
            self.texts.append(texts)
            self.contexts.append(self.generator.read_context(batch, texts, context_t))

    def velocity(self, pair: Pair, t: Tensor, layout: Layout) -> Pair:
        told, free = (
            self.generator.predict(*pair, t, layout, texts, context)
            for texts, context in zip(self.texts, self.contexts)
        )
        video, audio = (f + self.guidance * (c - f) for c, f in zip(told, free))
        return video, audio

    def solve(self, pair: Pair, t: Tensor, layout: Layout) -> Pair:
        """From noise level t [B, F] to the data."""
        video, audio = pair
        for step in range(EULER_STEPS):
            now = t * (1 - step / EULER_STEPS)
            after = t * (1 - (step + 1) / EULER_STEPS)
            video_v, audio_v = self.velocity((video, audio), now, layout)
            change = (after - now)[:, :, None, None]
            video = video + change * video_v
            audio = audio + change * audio_v
        return video, audio


def estimate(
    student: Generator,
    pair: Pair,
    t: Tensor,
    layout: Layout,
    texts: list[Conditioning],
    context: list[Cache],
) -> Pair:
    """The student's x0."""
    video_v, audio_v = student.predict(*pair, t, layout, texts, context)
    scale = t[:, :, None, None]
    return pair[0] - scale * video_v, pair[1] - scale * audio_v


def noise_like(batch: Batch) -> Pair:
    first = batch.layout.first
    return (
        torch.randn_like(batch.video[:, first:]),
        torch.randn_like(batch.audio[:, first:]),
    )


def appended(context: list[Cache] | None, own: list[Cache]) -> list[Cache]:
    if context is None:
        return own
    return [
        (torch.cat([key, own_key], dim=2), torch.cat([value, own_value], dim=2))
        for (key, value), (own_key, own_value) in zip(context, own)
    ]


def own_chunk(
    student: Generator,
    noise: list[Pair],
    schedule: list[float],
    layout: Layout,
    texts: list[Conditioning],
    context: list[Cache] | None,
) -> Pair:
    """A chunk as generation makes it, from the noise of each step."""
    pair = noise[0]
    for step, level in enumerate(schedule):
        if step > 0:
            pair = tuple((1 - level) * x + level * n for x, n in zip(pair, noise[step]))
        t = torch.full(pair[0].shape[:2], level)
        pair = estimate(student, pair, t, layout, texts, context)
    return pair


@torch.no_grad()
def own_batch(student: Generator, batch: Batch, schedule: list[float]) -> Batch:
    """The batch with the chunks that count as the student generates them one
    after the other, each after those it made before."""
    first = batch.layout.first
    texts = [student.text(prompts) for prompts in batch.prompts]
    context: list[Cache] | None = None
    chunks: list[Pair] = []
    for i in range(LENGTH):
        here = batch.layout.chunk(i)
        pair = batch.video[:, i : i + 1], batch.audio[:, i : i + 1]
        if i >= first:
            noise = [tuple(map(torch.randn_like, pair)) for _ in schedule]
            pair = own_chunk(student, noise, schedule, here, texts, context)
        chunks.append(pair)
        context = appended(context, student.read_chunk(pair, here, texts, context))
    video, audio = (torch.cat(column, dim=1) for column in zip(*chunks))
    return replace(batch, video=video, audio=audio)


def match_losses(
    student: Generator,
    teacher: Teacher,
    batch: Batch,
    schedule: list[float],
    audio_weight: Tensor,
) -> Pair:
    """Losses [B, F] of the student's estimates against the teacher's."""
    layout = batch.layout
    shape = (len(batch.video), LENGTH - layout.first)
    texts = [student.text(prompts) for prompts in batch.prompts]
    context_t = torch.rand(batch.video.shape[:2]) * flow.CONTEXT_NOISE
    context = student.read_context(batch, texts, context_t)
    t = torch.ones(shape)
    pair = noise_like(batch)
    with torch.no_grad():
        if len(schedule) > 1:
            later = torch.tensor(schedule[1:])[torch.randint(len(schedule) - 1, shape)]
            guess = estimate(student, pair, t, layout, texts, context)
            noise = noise_like(batch)
            is_first = torch.rand(shape) < FIRST_STEP_SHARE
            t = torch.where(is_first, t, later)
            choice = is_first[:, :, None, None]
            pair = tuple(
                torch.where(choice, x, flow.mixed(g, n, t))
                for x, g, n in zip(pair, guess, noise)
            )
        teacher.read(batch, context_t)
        truth = teacher.solve(pair, t, layout)
    video, audio = estimate(student, pair, t, layout, texts, context)
    weight = batch.weight[:, layout.first :]
    return flow.losses(video, audio, *truth, weight, audio_weight)


class Training(loop.Stage):
    decay = AVERAGE_DECAY

    def __init__(self, arguments: argparse.Namespace):
        config = shipped.read_config(arguments.config)
        self.window = config["context"]["window"]
        self.schedule = config["schedules"][str(config["steps"])]
        network.compile_parts()
        original = load_generator(arguments.teacher, config)
        self.model = copy.deepcopy(original)
        if arguments.head_start:
            add_difference(self.model, *arguments.head_start, config)
        self.teacher = Teacher(original, arguments.guidance)
        self.batch = arguments.batch
        self.optimiser = self.model.optimiser(arguments.rate or CONTINUED)
        statistics = device.load(arguments.data[0] / "statistics.pt")
        self.kept = {"statistics": statistics}
        self.data = Sequences(arguments.data, **statistics)
        self.audio_weight = flow.audio_weights(arguments.sound, sound.KIND_DIMENSIONS)

    def rate(self, fraction: float) -> float:
        return workers.decline(fraction, 0.03, 0.3)

    def losses(self, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        batch = self.data.batch(rng, self.batch, self.window)
        with device.mixed_precision():
            if rng.random() < OWN_CONTEXT_SHARE:
                batch = own_batch(self.model, batch, self.schedule)
            losses = match_losses(
                self.model, self.teacher, batch, self.schedule, self.audio_weight
            )
        return flow.total(*losses)


def main() -> None:
    parser = loop.parser(__doc__, BATCH)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--sound", type=Path, required=True, help="the basis")
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument(
        "--head-start",
        type=Path,
        nargs=2,
        metavar=("STUDENT", "TEACHER"),
        help="an earlier student, and the teacher that it had",
    )
    parser.add_argument("--guidance", type=float, default=GUIDANCE)
    loop.run(Training, parser.parse_args())


if __name__ == "__main__":
    main()
