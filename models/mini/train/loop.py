# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""The loop of every stage of training: updates, reports, checkpoints.

The weights that a run starts with, the order of its data and its noise follow
from the seed, the number of the step and of the process alone, so that a run
that was interrupted goes on as if it had not been. A budget in minutes decides
how many steps there are and so the learning rates; one in steps is exact.
"""

import argparse
import sys
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import device
import shipped
import workers
from optimiser import Optimiser

RECENT = 50
UNFINISHED = 75


class Stage(ABC):
    """A network in training. `batch` counts the examples of a step, `decay`
    is of its average, `kept` goes into every checkpoint."""

    model: nn.Module
    optimiser: Optimiser
    batch: int
    decay: float
    kept: dict = {}

    @abstractmethod
    def rate(self, fraction: float) -> float:
        """The factor of the peak learning rate at a fraction of the budget."""

    @abstractmethod
    def losses(self, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """The loss of new examples, and figures to report the means of."""

    def judge(self) -> dict[str, float]:
        """Scores of the averaged weights."""
        return {}


def seeded(seed: int, step: int, rank: int) -> np.random.Generator:
    """The generator of a step's data; seeds the noise that torch draws."""
    order, noise = np.random.SeedSequence([seed, step, rank]).spawn(2)
    torch.manual_seed(int(noise.generate_state(1, np.uint64)[0]))
    return np.random.default_rng(order)


def work(rank: int, make: type[Stage], arguments: argparse.Namespace) -> None:
    device.use(arguments.device)
    torch.manual_seed(arguments.seed)
    stage = make(arguments)
    model, optimiser = stage.model, stage.optimiser
    average = workers.Average(model, stage.decay)
    step, spent_s = 0, 0.0
    if arguments.output.exists() and not arguments.anew:
        state = device.load(arguments.output)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.values, average.updates = state["average"], state["updates"]
        step, spent_s = state["step"], state["spent_s"]
    log = workers.Log(arguments.output.with_suffix(".jsonl"))
    clock = workers.Clock(arguments.minutes, arguments.steps, spent_s, arguments.leg)
    clock.report_every(arguments.report)
    recent: list[dict[str, float]] = []

    def report(fraction: float) -> None:
        average.swap(model)
        scores = stage.judge()
        average.swap(model)
        log.write(
            minute=clock.spent_s() / 60,
            step=step,
            examples=step * stage.batch * arguments.processes,
            **{name: float(np.mean([r[name] for r in recent])) for name in recent[0]},
            **scores,
        )
        state = {
            **stage.kept,
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "average": average.values,
            "updates": average.updates,
            "step": step,
            "spent_s": clock.spent_s(),
            "scores": scores,
            "done": fraction >= 1,
        }
        workers.save_checkpoint(arguments.output, state)

    while (fraction := clock.fraction(step)) < 1 and not clock.leg_over():
        loss, figures = stage.losses(seeded(arguments.seed, step, rank))
        optimiser.zero_grad()
        loss.backward()
        workers.average_gradients(model.parameters())
        optimiser.step(stage.rate(fraction))
        average.update(model)
        step += 1
        recent = [*recent[1 - RECENT :], figures]
        if clock.report_due() and rank == 0:
            report(fraction)
    if rank == 0 and recent:
        report(fraction)


def parser(description: str, batch: int) -> argparse.ArgumentParser:
    """What all stages take."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--config", type=Path, default=shipped.CONFIG)
    parser.add_argument("--output", type=Path, required=True)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float)
    budget.add_argument("--steps", type=int)
    parser.add_argument("--report", type=float, default=2.5, metavar="MINUTES")
    parser.add_argument("--batch", type=int, default=batch, metavar="EXAMPLES")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--device", choices=device.CHOICES, default="auto")
    parser.add_argument(
        "--leg",
        type=float,
        metavar="MINUTES",
        help=f"then stop, to go on another time; exit with {UNFINISHED}",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, help="peak, relative to a fresh run's")
    parser.add_argument("--anew", action="store_true", help="ignore the checkpoint")
    return parser


def run(make: type[Stage], arguments: argparse.Namespace) -> None:
    workers.run(work, arguments.processes, make, arguments)
    if not torch.load(arguments.output, map_location="cpu")["done"]:
        sys.exit(UNFINISHED)
