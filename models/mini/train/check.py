# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Checks that training follows from its seed: two runs give the same
parameters, so does one that was killed and went on, and another seed does not;
that continuing from shipped weights keeps what they know; and that a rollout
remembers its chunks as they are read when they are all there.

    python3 check.py
    python3 check.py --work DIR    keeps the clips for the next time
    python3 check.py --eager       without torch.compile, which takes longer
                                   than these few updates
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import autoencoder
import distil
import export
import flow
import sequences
import shipped

HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parent / "mini.safetensors"
STEPS = 4
CONTINUED_STEPS = 16
ALLOWED_LOSS_DB = 0.5
ALLOWED_AWAY = 1e-4
NEVER = 1e6


class Check:
    def __init__(self, work: Path, processes: int):
        self.work = work
        self.processes = processes
        self.failed = False

    def result(self, passed: bool, what: str) -> None:
        print("PASS" if passed else "FAIL", what, flush=True)
        self.failed |= not passed

    def prepare(self) -> None:
        """Clips, sound and tokens of the smallest budget."""
        options = ["--work", self.work, "--budget", "rehearsal", "--steps", STEPS]
        for stage in ("render", "sound", "autoencoder", "encode", "transformer"):
            self.call([HERE / "train.py", stage, *options])

    def call(self, line: list[object]) -> None:
        words = [sys.executable, *map(str, line)]
        subprocess.run(words, cwd=HERE, check=True, stdout=subprocess.DEVNULL)

    def stage(self, name: str, output: Path, *options: object) -> list[object]:
        clips = ("--clips", self.work / "clips", "--held", self.work / "held")
        wide = ("--wide", self.work / "wide", "--held-wide", self.work / "held-wide")
        tokens = ("--data", self.work / "tokens", "--sound", self.work / "basis.npz")
        inputs = {
            "autoencoder": (*clips, *wide, "--judged", 6),
            "transformer": (
                *(*tokens, "--batch", 2, "--judged", 1),
                *("--held", self.work / "tokens-held"),
            ),
            "distil": (
                *(*tokens, "--batch", 2),
                *("--teacher", self.work / "transformer.pt"),
            ),
        }
        line = [HERE / f"{name}.py", "--output", output, *inputs[name]]
        return [*line, "--processes", self.processes, *options]

    def interrupt(self, line: list[object], output: Path) -> int:
        """Kills a run after its first checkpoint; the step of its last."""
        words = [sys.executable, *map(str, line)]
        process = subprocess.Popen(
            words, cwd=HERE, stdout=subprocess.DEVNULL, start_new_session=True
        )
        while process.poll() is None and not output.exists():
            time.sleep(0.01)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return torch.load(output)["step"]

    def determinism(self, name: str, scratch: Path) -> None:
        def run(label: str, *options: object) -> dict:
            output = scratch / f"{name}-{label}.pt"
            self.call(self.stage(name, output, "--steps", STEPS, *options))
            return torch.load(output)

        first = run("first", "--report", NEVER)
        second = run("second", "--report", NEVER)
        self.result(same(first, second), f"{name}: two runs are equal")
        output = scratch / f"{name}-resumed.pt"
        line = self.stage(name, output, "--steps", STEPS, "--report", 0)
        step = self.interrupt(line, output)
        resumed = run("resumed", "--report", NEVER)
        self.result(
            step < STEPS and same(first, resumed),
            f"{name}: one killed after step {step} of {STEPS} and resumed equals them",
        )
        other = run("other", "--report", NEVER, "--seed", 1)
        self.result(not same(first, other), f"{name}: another seed differs")

    def continued(self, scratch: Path) -> None:
        mini = export.load(SHIPPED)
        model = autoencoder.Autoencoder(mini.config)
        model.encoder, model.decoder = mini.encoder, mini.decoder
        held = autoencoder.Clips([self.work / "held"])
        before = autoencoder.judge(model, held, len(held.videos[0]))["mean"]
        output = scratch / "continued.pt"
        options = ("--steps", CONTINUED_STEPS, "--init", SHIPPED, "--report", NEVER)
        line = self.stage("autoencoder", output, *options)
        self.call([*line, "--judged", len(held.videos[0])])
        after = torch.load(output)["scores"]["mean"]
        self.result(
            after > before - ALLOWED_LOSS_DB,
            f"autoencoder: {before:.2f} dB shipped, {after:.2f} dB after "
            f"{CONTINUED_STEPS} steps of continued training",
        )


    @torch.no_grad()
    def rollout(self) -> None:
        config = shipped.read_config()
        generator = flow.Generator(config)
        shipped.load_text(generator.text, SHIPPED)
        shipped.load_part(generator.transformer, SHIPPED, "transformer.")
        statistics = torch.load(self.work / "tokens" / "statistics.pt")
        data = sequences.Sequences([self.work / "tokens"], **statistics)
        batch = data.batch(np.random.default_rng(0), 2, config["context"]["window"])
        texts = [generator.text(prompts) for prompts in batch.prompts]
        nothing = torch.zeros(batch.video.shape[:2])
        whole = generator.read_context(batch, texts, nothing)
        context = None
        for i in range(sequences.LENGTH):
            pair = batch.video[:, i : i + 1], batch.audio[:, i : i + 1]
            here = batch.layout.chunk(i)
            own = generator.read_chunk(pair, here, texts, context, nothing[:, :1])
            context = distil.appended(context, own)
        away = max(
            float((one - other).abs().max())
            for pairs in zip(whole, context)
            for one, other in zip(*pairs)
        )
        self.result(away < ALLOWED_AWAY, f"distil: a rollout's memory, {away:.1e} away")


def same(one: dict, other: dict) -> bool:
    """Whether two checkpoints hold the same weights and averages, bit by bit."""
    names = one["model"].keys()
    return (
        one["step"] == other["step"]
        and names == other["model"].keys()
        and all(torch.equal(one["model"][n], other["model"][n]) for n in names)
        and all(map(torch.equal, one["average"], other["average"]))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, help="keeps clips and tokens here")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--eager", action="store_true", help="compile nothing")
    parser.add_argument(
        "--stages",
        nargs="+",
        choices=("autoencoder", "transformer", "distil"),
        default=("autoencoder", "transformer", "distil"),
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        os.environ["TMPDIR"] = folder
        if arguments.eager:
            os.environ["TORCHDYNAMO_DISABLE"] = "1"
        work = (arguments.work or scratch / "work").resolve()
        check = Check(work, arguments.processes)
        check.prepare()
        for name in arguments.stages:
            check.determinism(name, scratch)
        check.continued(scratch)
        check.rollout()
    sys.exit(check.failed)


if __name__ == "__main__":
    main()
