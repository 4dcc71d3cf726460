# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Judges what the plugin makes of a weights file, from its pictures and samples.

    python3 judge.py --build BUILD --work DIR
    python3 judge.py --build BUILD --work DIR --weights FILE --quick
    python3 judge.py --build BUILD --work DIR --card
    python3 judge.py --build BUILD --work DIR --sheets

Prints a table in which what real clips reach, as they are and through the
model's encoders and decoders, and what chance gives stand beside every figure.
The instruments (a classifier, an eye and an ear for events) are trained on
rendered clips and proved on others; they and everything that is generated are
kept in DIR by content, so that more weights, or the same again, cost less.
"""

import argparse
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from judging import draft, report, sheets
from judging.codec import Codec
from judging.instruments import Workshop
from judging.takes import Plugin
from judging.trial import Trial
from judging.verdict import Judge, Verdict
from world.families import FAMILIES

HERE = Path(__file__).resolve().parent
EMBEDDED = HERE.parent / "mini.safetensors"
CARD = HERE.parent / "MODEL_CARD.md"
SHEETS = HERE.parent / "card"
ROOT = HERE.parents[2]


@dataclass(frozen=True)
class Size:
    """clips of 3 s, swapped words, changed prompts, (rollouts, seconds)."""

    clips: int
    swaps: int
    changes: int
    rollouts: tuple[tuple[int, int], ...]


WHOLE = Size(200, 40, 20, ((12, 60), (2, 600)))
QUICK = Size(60, 12, 6, ((4, 20),))
LOST_TARGETS = {60: "≤ 25", 600: "≤ 35"}


def key_of(plugin: Path, weights: Path, families: list[str]) -> str:
    """Of what decides the plugin's output."""
    digest = hashlib.sha256(repr(families).encode())
    for path in (plugin, weights):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def judge(arguments: argparse.Namespace) -> tuple[Verdict, str]:
    size = QUICK if arguments.quick else WHOLE
    weights = arguments.weights or EMBEDDED
    families = arguments.families
    workshop = Workshop(
        arguments.work, families, arguments.clips, arguments.held,
        arguments.per_family, arguments.seed, arguments.threads,
    )
    tools = workshop.instruments(weights)
    library = arguments.build / "gst-plugin" / "libgstvidgen.so"
    trial = Trial(
        Plugin(arguments.build, arguments.weights), arguments.work,
        key_of(library, weights, families),
    )
    codec = Codec(weights)
    scenes = scenes_of(arguments, size)
    name = f"{arguments.seed}-{size.clips}"
    real = workshop.real(scenes, name)
    coded = workshop.coded(scenes, codec, name)
    made = trial.clips(scenes)
    jury = Judge(tools, made, real, coded)
    jury.scenes()
    jury.stereo(jury.events(np.random.default_rng((arguments.seed, 2))))
    chunk = codec.config["chunk"]
    rate, per_second = codec.config["video"]["frame_rate"]
    jury.seams(chunk["frames"], chunk["frames"] * per_second / rate)
    jury.likeness()
    swap(jury, trial, scenes, size.swaps, np.random.default_rng((arguments.seed, 3)))
    jury.changes(trial.changes(changes_of(arguments, size)))
    for count, seconds in size.rollouts:
        rollouts = trial.rollouts(rollouts_of(arguments, count, seconds), seconds)
        label = f"{seconds // 60} min" if seconds > 60 else f"{seconds} s"
        jury.drift(rollouts, label, LOST_TARGETS.get(seconds, ""))
    return jury.verdict, title_of(weights, size, arguments)


def swap(jury: Judge, trial: Trial, scenes: list, count: int, rng) -> None:
    pairs = []
    for row in rng.permutation(len(scenes)):
        allowed = {h.split(".")[1] for h in jury.valid
                   if h.startswith(scenes[row].family + ".")}
        found = draft.swapped(scenes[row], rng, allowed)
        if found and len(pairs) < count:
            pairs.append((int(row), *found))
    rows = [row for row, _, _ in pairs]
    swapped = trial.clips([other for _, other, _ in pairs])
    heads = [f"{other.family}.{name}" for _, other, name in pairs]
    jury.swaps(jury.sets["made"].take(rows), swapped, heads)


def scenes_of(arguments: argparse.Namespace, size: Size) -> list[draft.Scene]:
    """Each prompt with two seeds; the second half are the other seeds."""
    rng = np.random.default_rng((arguments.seed, 1))
    scenes = draft.scenes(size.clips // 2, rng, arguments.families)
    return scenes + [draft.again(scene, rng) for scene in scenes]


def changes_of(
    arguments: argparse.Namespace, size: Size
) -> list[tuple[draft.Scene, draft.Scene]]:
    """From each family in turn to another."""
    rng = np.random.default_rng((arguments.seed, 4))
    families = arguments.families
    pairs = []
    for i in range(size.changes):
        one = families[i % len(families)]
        other = str(rng.choice([family for family in families if family != one]))
        pairs.append((draft.scene(one, rng), draft.scene(other, rng)))
    return pairs


def rollouts_of(
    arguments: argparse.Namespace, count: int, seconds: int
) -> list[draft.Scene]:
    """Of families in random order, with prompts that name much."""
    rng = np.random.default_rng((arguments.seed, 5, seconds))
    order = [str(family) for family in rng.permutation(arguments.families)]
    return draft.scenes(count, rng, order, tries=8)


def config_of(weights: Path) -> dict:
    with safe_open(weights, framework="np") as file:
        return json.loads(file.metadata()["config"])


def title_of(weights: Path, size: Size, arguments: argparse.Namespace) -> str:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:12]
    config = config_of(weights)
    minutes = " and ".join(
        f"{count} of {seconds} s" for count, seconds in size.rollouts
    )
    return (
        f"Weights {digest}, {config['steps']} steps, no guidance; "
        f"{len(arguments.families)} families; {size.clips} clips of 3 s and rollouts, "
        f"{minutes}; prompts and seeds drawn from {arguments.seed}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="Sound and picture come from gst-plugin/tools/vidgen-takes of BUILD.",
    )
    build = Path(os.environ.get("VIDGEN_BUILD_DIR", ROOT / "build"))
    parser.add_argument("--build", type=Path, default=build)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="default: the embedded ones")
    parser.add_argument("--families", nargs="+", choices=FAMILIES,
                        default=list(FAMILIES), metavar="FAMILY")
    parser.add_argument("--clips", type=Path, nargs="+", default=[], metavar="DIR",
                        help="rendered clips for the instruments; default: render")
    parser.add_argument("--held", type=Path, nargs="+", default=[], metavar="DIR",
                        help="others to prove them by; default: render")
    parser.add_argument("--per-family", type=int, default=96, metavar="CLIPS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--quick", action="store_true", help="a third of it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--card", action="store_true", help=f"into {CARD.name}")
    parser.add_argument("--sheets", action="store_true",
                        help="only contact sheets of the model's own prompts")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(arguments.threads)
    if arguments.sheets:
        prompts = config_of(arguments.weights or EMBEDDED)["prompts"]
        plugin = Plugin(arguments.build, arguments.weights)
        some = prompts[:: max(1, len(prompts) // 6)]
        sheets.write(plugin, prompts, some, SHEETS)
        return
    verdict, title = judge(arguments)
    text = report.markdown(verdict, title)
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)
    if arguments.json:
        arguments.json.write_text(report.as_json(verdict, title))
    if arguments.card:
        report.into_card(CARD, text)


if __name__ == "__main__":
    main()
