# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""The trained classifier and detector, and the real clips that prove them."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from world import canvas, clip, sounds
from world.families import FAMILIES

from . import clips as clips_
from .classifier import FAMILY, Classifier
from .clips import Clips
from .codec import Codec
from .detector import Detector

CODED_SHARE = 0.2
HELD_PER_FAMILY = 16
TRAIN_SEED = 2_000_000
HELD_SEED = 3_000_000
ENOUGH = 5


@dataclass
class Instruments:
    classifier: Classifier
    detector: Detector
    held: Clips
    codec: str


def world_key(families: list[str]) -> str:
    """Of all that decides what the families look and sound like."""
    digest = hashlib.sha256()
    for module in (canvas, sounds, *(FAMILIES[family] for family in families)):
        digest.update(Path(sys.modules[module.__name__].__file__).read_bytes())
    return digest.hexdigest()[:12]


def _turns(families: list[str], count: int, seed: int) -> list[tuple[int, str, dict]]:
    return [(seed + i, families[i % len(families)], {}) for i in range(count)]


def _own_key() -> str:
    """Of how the instruments are made."""
    digest = hashlib.sha256()
    for name in ("classifier", "detector", "instruments"):
        digest.update((Path(__file__).with_name(f"{name}.py")).read_bytes())
    return digest.hexdigest()[:8]


def _part(rows: list, name: str) -> list:
    """All, or the first of them, or the last, which go through the codec."""
    border = round(len(rows) * (1 - CODED_SHARE))
    return {"all": rows, "first": rows[:border], "last": rows[border:]}[name]


class Workshop:
    """Makes instruments, and keeps all that takes long in a folder."""

    def __init__(self, work: Path, families: list[str], folders: list[Path],
                 held_folders: list[Path], per_family: int, seed: int, workers: int):
        self.work = work
        self.families = families
        self.folders = folders
        self.held_folders = held_folders
        self.per_family = per_family
        self.seed = seed
        self.workers = workers
        sources = [str(folder.resolve()) for folder in (*folders, *held_folders)]
        key = f"{world_key(families)} {families} {sources} {per_family} {seed}"
        self.key = hashlib.sha256(key.encode()).hexdigest()[:12]

    def _make(
        self, name: str, folders: list[Path], each: int, first_seed: int, part: str,
        codec: Codec | None = None,
    ) -> Clips:
        def make() -> Clips:
            print(f"judge: {name} clips for the instruments", flush=True)
            if folders:
                rng = np.random.default_rng(self.seed)
                chosen = clips_.of_folders(folders, self.families, each)
                return clips_.read(_part(chosen, part), rng, codec, self.workers)
            count = each * len(self.families)
            orders = _turns(self.families, count, first_seed + self.seed)
            return clips_.render(_part(orders, part), codec, self.workers)

        return clips_.cached(self.work / f"{name}-{self.key}.npz", make)

    def instruments(self, weights: Path) -> Instruments:
        """The weights' codec softens a part of the clips; it need not be that of
        the weights that are judged."""
        path = self.work / f"instruments-{self.key}-{_own_key()}.pt"
        held = self._make(
            "held", self.held_folders, HELD_PER_FAMILY, HELD_SEED, "all"
        )
        made = Instruments(Classifier(self.families), Detector(), held, "")
        nets = (made.classifier.net, made.detector.eye, made.detector.ear)
        if path.exists():
            state = torch.load(path)
            for net, values in zip(nets, state["nets"], strict=True):
                net.load_state_dict(values)
            made.detector.thresholds = state["thresholds"]
            made.codec = state["codec"]
            return made
        codec = Codec(weights)
        source = (self.folders, self.per_family, TRAIN_SEED)
        raw = self._make("plain", *source, "first")
        codec.fit(sounds_of(self.families))
        coded = self._make("coded", *source, "last", codec)
        both = clips_.concatenate(raw, coded)
        families = len(self.families)
        made.classifier.train(both, 300 + 60 * families, self.seed)
        made.detector.train(both, 100 + 20 * families, self.seed)
        made.detector.fit_thresholds(held)
        made.codec = codec.key
        state = {
            "nets": [net.state_dict() for net in nets],
            "thresholds": made.detector.thresholds,
            "codec": codec.key,
        }
        partial = path.with_suffix(".part")
        torch.save(state, partial)
        partial.rename(path)
        return made

    def coded(self, scenes: list, codec: Codec, name: str) -> Clips:
        """Real clips of scenes through a codec."""
        def make() -> Clips:
            print("judge: real clips through the codec", flush=True)
            codec.fit(sounds_of(self.families))
            return clips_.render(clips_.orders_of(scenes), codec, self.workers)

        path = self.work / f"real-{name}-{self.key}-{codec.key}.npz"
        return clips_.cached(path, make)

    def real(self, scenes: list, name: str) -> Clips:
        def make() -> Clips:
            print("judge: real clips of the prompts", flush=True)
            return clips_.render(clips_.orders_of(scenes), None, self.workers)

        return clips_.cached(self.work / f"real-{name}-{self.key}.npz", make)


def sounds_of(families: list[str]) -> list[np.ndarray]:
    """Two of each family, for the codec's mean level."""
    return [
        clip.render(seed, family, frames=48).samples / np.float32(32768)
        for family in families
        for seed in (11, 12)
    ]


def accuracies(
    classifier: Classifier, logits: dict[str, np.ndarray], clips: Clips
) -> dict[str, tuple[int, int]]:
    """Of each head: (right, of how many)."""
    counts = {}
    for head, wanted in classifier.labels(clips).items():
        there = wanted >= 0
        right = logits[head][there].argmax(1) == wanted[there]
        counts[head] = (int(right.sum()), int(there.sum()))
    return counts


def share(count: tuple[int, int]) -> float:
    return count[0] / count[1] if count[1] else float("nan")


def added(one: dict, other: dict) -> dict[str, tuple[int, int]]:
    return {h: (one[h][0] + other[h][0], one[h][1] + other[h][1]) for h in one}


def valid_heads(counts: dict[str, tuple[int, int]], least: float = 0.9) -> list[str]:
    """Attributes' heads that real clips prove to be right often enough."""
    return [
        head
        for head, count in counts.items()
        if head != FAMILY and count[1] >= ENOUGH and share(count) >= least
    ]
