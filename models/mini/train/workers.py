# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Training in several processes of one thread each, which on a small CPU is
faster than threads, and what every stage does alike: checkpoints and a log."""

import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from torch import nn


# Large tensors come from the heap, in huge pages, and stay with the process:
# taking them from the system anew costs more than most kernels.
MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(4 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
    "THP_MEM_ALLOC_ENABLE": "1",
}


def run(work: Callable, processes: int, *arguments) -> None:
    """Calls work(rank, *arguments) in each process and waits for all."""
    os.environ.update(MEMORY)
    with tempfile.TemporaryDirectory() as folder:
        place = f"file://{folder}/meeting"
        inner = (work, processes, place, arguments)
        multiprocessing.spawn(_enter, inner, nprocs=processes)


def _enter(
    rank: int, work: Callable, processes: int, place: str, arguments: tuple
) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", place, rank=rank, world_size=processes)
    try:
        work(rank, *arguments)
    finally:
        dist.destroy_process_group()


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    count = dist.get_world_size()
    if count == 1:
        return
    present = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([grad.flatten() for grad in present])
    dist.all_reduce(flat)
    flat /= count
    offset = 0
    for grad in present:
        grad.copy_(flat[offset : offset + grad.numel()].view_as(grad))
        offset += grad.numel()


def agreed(value: float) -> float:
    """The value of the first process, in all."""
    shared = torch.tensor([value], dtype=torch.float64, device="cpu")
    dist.broadcast(shared, 0)
    return float(shared)


class Average:
    """An exponential moving average of the weights of a network."""

    def __init__(self, network: nn.Module, decay: float):
        self.decay = decay
        self.values = [p.detach().clone() for p in network.parameters()]
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 20))
        torch._foreach_lerp_(self.values, list(network.parameters()), 1 - decay)

    @torch.no_grad()
    def swap(self, network: nn.Module) -> None:
        """Exchanges the average with the weights; call twice to go back."""
        for value, parameter in zip(self.values, network.parameters()):
            kept = parameter.clone()
            parameter.copy_(value)
            value.copy_(kept)


class Clock:
    """Counts a budget of minutes, over interruptions, or one of steps, and
    says when to report, and when a leg of so many minutes is over."""

    def __init__(
        self,
        minutes: float | None,
        steps: int | None,
        spent_s: float = 0.0,
        leg: float | None = None,
    ):
        self.minutes = minutes
        self.steps = steps
        self.origin = time.monotonic() - spent_s
        self.leg_end = math.inf if leg is None else time.monotonic() + 60 * leg

    def spent_s(self) -> float:
        return time.monotonic() - self.origin

    def fraction(self, step: int) -> float:
        """Of the budget, the same in all processes."""
        if self.steps is not None:
            return step / self.steps
        return agreed(self.spent_s() / (self.minutes * 60))

    def leg_over(self) -> bool:
        return agreed(float(time.monotonic() >= self.leg_end)) > 0

    def report_every(self, minutes: float) -> None:
        self.report_s = minutes * 60
        self.next_report = self.spent_s() + self.report_s

    def report_due(self) -> bool:
        due = agreed(float(self.spent_s() >= self.next_report)) > 0
        if due:
            self.next_report = self.spent_s() + self.report_s
        return due


class Log:
    """Lines for people on standard output and for machines in a file."""

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, **entries: float | str) -> None:
        shown = (
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in entries.items()
        )
        print("  ".join(shown), flush=True)
        with open(self.path, "a") as file:
            file.write(json.dumps(entries) + "\n")


def save_checkpoint(path: Path, state: dict) -> None:
    """Never leaves half a file behind."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def decline(fraction: float, warm: float, start: float) -> float:
    """A factor of the learning rate: linear from 0 to 1 until `warm`, then
    1 until `start`, then linear to 0 at the end of the budget."""
    rise = min(1.0, fraction / warm) if warm > 0 else 1.0
    return max(1e-3, rise * min(1.0, (1 - fraction) / (1 - start)))


def cosine(fraction: float, warm: float) -> float:
    rise = min(1.0, fraction / warm)
    return rise * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * min(1.0, fraction))))
