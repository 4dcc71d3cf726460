# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Makes mini.safetensors from nothing, stage by stage.

    python3 train.py all --work DIR --budget cpu-100min
    python3 train.py transformer --work DIR --budget cpu-100min
    python3 train.py all --work DIR --budget gpu-20min --leg 8

The stages in their order: render, sound, autoencoder, encode, transformer,
distil, curves, export. A stage that was interrupted goes on from its checkpoint
in DIR; one that is done returns at once. With --leg a call ends after so many
minutes, and the same call goes on from there. With --init FILE the networks
start from shipped weights, at lower rates. The budget `rehearsal` runs every
line in a few minutes and its result is worth nothing. Everything follows from --seed, but for
the number of updates that fit into the minutes: with --steps N every network
takes N instead.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import autoencoder
import device
import loop

HERE = Path(__file__).resolve().parent


@dataclass
class Budget:
    """Clips to render, to learn from, of these of twice the size, and to judge
    by, minutes to train, and examples of an update where they are not the
    stages' own."""

    clips: int
    wide: int
    held: int
    autoencoder: float
    transformer: float
    distil: float
    report: float
    batches: dict[str, int] = field(default_factory=dict)


# A batch of 64 crops or 96 sequences keeps a large GPU busy.
LARGE = {"autoencoder": 64, "transformer": 96, "distil": 48}
BUDGETS = {
    "rehearsal": Budget(32, 32, 16, 0.5, 1.0, 0.5, 0.5),
    "cpu-100min": Budget(4800, 960, 160, 20.0, 60.0, 15.0, 2.5),
    "gpu-20min": Budget(9600, 1920, 160, 5.0, 10.0, 3.0, 1.0, LARGE),
}
HELD_SEED = 1_000_000
WIDE_SEED = 2_000_000
# Of a clip of twice the size: the decoder sees half a second at a time.
WIDE_FRAMES = 24


class Pipeline:
    def __init__(
        self,
        work: Path,
        budget: Budget,
        init: Path | None,
        output: Path,
        seed: int,
        steps: int | None,
        device: str,
        leg: float | None,
    ):
        self.work = work
        self.budget = budget
        self.init = init
        self.output = output
        self.seed = seed
        self.steps = steps
        self.device = device
        self.leg_end = time.monotonic() + 60 * leg if leg else None

    def call(self, module: str, *options: object) -> None:
        line = [sys.executable, "-m", module, *map(str, options)]
        print(" ".join(line), flush=True)
        done = subprocess.run(line, cwd=HERE)
        if done.returncode == loop.UNFINISHED:
            sys.exit(f"{module} is not done yet: the same call goes on from here")
        done.check_returncode()

    def once(self, name: str, action: Callable[[], None]) -> None:
        """For stages that have no checkpoint of their own."""
        done = self.work / f"{name}.done"
        if not done.exists():
            action()
            done.touch()

    def start(self) -> list[object]:
        return ["--init", self.init] if self.init else []

    def where(self) -> list[object]:
        """One process drives a GPU."""
        processes = 1 if self.device == "cuda" else 2
        return ["--device", self.device, "--processes", processes]

    def amount(self, stage: str, minutes: float) -> list[object]:
        """Of training, and what it follows from."""
        limit = ["--steps", self.steps] if self.steps else ["--minutes", minutes]
        if self.leg_end is not None:
            left = max(0.0, (self.leg_end - time.monotonic()) / 60)
            limit += ["--leg", f"{left:.2f}"]
        if stage in self.budget.batches:
            limit += ["--batch", self.budget.batches[stage]]
        reports = ["--report", self.budget.report, "--seed", self.seed]
        return [*limit, *reports, *self.where()]

    def render(self) -> None:
        large = ("--scale", autoencoder.WIDE, "--frames", WIDE_FRAMES)
        budget = self.budget
        sets = (
            ("clips", budget.clips, 0, ()),
            ("held", budget.held, HELD_SEED, ()),
            ("wide", budget.wide, WIDE_SEED, large),
            ("held-wide", budget.held // 2, WIDE_SEED + HELD_SEED, large),
        )
        for name, count, seed, size in sets:
            options = ["--out", self.work / name, "--count", count]
            options += ["--first-seed", seed, "--device", self.device, *size]
            self.once(f"render-{name}", lambda: self.call("world.render", *options))

    def sound(self) -> None:
        def features(name: str, *options: object) -> None:
            where = ["--clips", self.work / name, "--out", self.work / f"{name}_sound"]
            self.call("world.features", *where, *options)

        basis = self.work / "basis.npz"
        self.once("sound-clips", lambda: features("clips", "--save-basis", basis))
        self.once("sound-held", lambda: features("held", "--basis", basis))

    def autoencoder(self) -> None:
        self.call(
            "autoencoder",
            *("--clips", self.work / "clips", "--held", self.work / "held"),
            *("--wide", self.work / "wide", "--held-wide", self.work / "held-wide"),
            *("--output", self.work / "autoencoder.pt"),
            *self.amount("autoencoder", self.budget.autoencoder),
            *self.start(),
        )

    def encode(self) -> None:
        def encode(name: str, clips: str) -> None:
            self.call(
                "encode",
                *("--clips", self.work / clips),
                *("--sound", self.work / f"{clips}_sound.npz"),
                *("--autoencoder", self.work / "autoencoder.pt"),
                *("--output", self.work / name),
                *self.where(),
            )

        self.once("encode-clips", lambda: encode("tokens", "clips"))
        self.once("encode-held", lambda: encode("tokens-held", "held"))

    def transformer(self) -> None:
        self.call(
            "transformer",
            *("--data", self.work / "tokens", "--held", self.work / "tokens-held"),
            *("--sound", self.work / "basis.npz"),
            *("--output", self.work / "transformer.pt"),
            *self.amount("transformer", self.budget.transformer),
            *self.start(),
        )

    def distil(self) -> None:
        self.call(
            "distil",
            *("--data", self.work / "tokens", "--sound", self.work / "basis.npz"),
            *("--teacher", self.work / "transformer.pt"),
            *("--output", self.work / "student.pt"),
            *self.amount("distil", self.budget.distil),
        )

    def curves(self) -> None:
        self.call("curves", self.work, "--output", self.work / "curves.png")

    def export(self) -> None:
        self.call(
            "export",
            *("--autoencoder", self.work / "autoencoder.pt"),
            *("--generator", self.work / "student.pt"),
            *("--sound", self.work / "basis.npz", "--output", self.output),
        )


STAGES = (
    "render",
    "sound",
    "autoencoder",
    "encode",
    "transformer",
    "distil",
    "curves",
    "export",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stage", choices=(*STAGES, "all"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--budget", choices=BUDGETS, default="cpu-100min")
    parser.add_argument("--init", type=Path, help="continue from shipped weights")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="instead of the budget's minutes")
    parser.add_argument("--device", choices=device.CHOICES, default="auto")
    parser.add_argument(
        "--leg", type=float, metavar="MINUTES", help="then stop, to be called again"
    )
    parser.add_argument(
        "--output", type=Path, default=HERE.parent / "mini.safetensors"
    )
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    init = arguments.init.resolve() if arguments.init else None
    output = arguments.output.resolve()
    budget = BUDGETS[arguments.budget]
    pipeline = Pipeline(
        work,
        budget,
        init,
        output,
        arguments.seed,
        arguments.steps,
        device.resolve(arguments.device),
        arguments.leg,
    )
    for stage in STAGES if arguments.stage == "all" else (arguments.stage,):
        getattr(pipeline, stage)()


if __name__ == "__main__":
    main()
