# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""What the plugin is asked for, and what is kept of its answers."""

import hashlib
import pickle
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .clips import FRAMES, Clips, Truth, gather
from .draft import Scene
from .senses import Sensed, look, sense
from .takes import Plugin, Request, Take

WINDOW_SECONDS = 3
CHANGE_FRAMES = 112
CHANGE_AT = 16
SPAN = 4
NEAR = 8


@dataclass
class Rollout:
    """windows: (first second, sensed) of 3 s each; looks [seconds, 4], see
    senses.Sensed; worst: the largest sample, infinite where one is not finite."""

    scene: Scene
    seconds: int
    windows: list[tuple[int, Sensed]]
    looks: np.ndarray
    worst: float


@dataclass
class Change:
    """Half seconds, (small, bands) as in senses.Sensed, of every chunk: first,
    those before a prompt took effect; then, those from there on."""

    before: Scene
    after: Scene
    first: list[tuple[np.ndarray, np.ndarray]]
    then: list[tuple[np.ndarray, np.ndarray]]


def truth_of(scene: Scene) -> Truth:
    return Truth(scene.family, scene.attributes, scene.named, [])


def starts_of(seconds: int) -> list[int]:
    """First seconds of the windows of a rollout: three in the first ten, three
    at the end, and some between."""
    first, last = [1, 4, 7], [seconds - 9, seconds - 6, seconds - 3]
    between = range(10, seconds - 12, 10 if seconds <= 120 else 30)
    return sorted({*first, *between, *last})


class Trial:
    """Everything is kept in a folder by its content, so that figures can be
    made anew without the plugin."""

    def __init__(self, plugin: Plugin, work: Path, key: str):
        self.plugin = plugin
        self.work = work
        self.key = key

    def _kept(self, what: str, make: Callable[[], list]) -> list:
        digest = hashlib.sha256(f"{self.key} {what}".encode()).hexdigest()[:12]
        path = self.work / f"trial-{digest}.pickle"
        if path.exists():
            return pickle.loads(path.read_bytes())
        made = make()
        partial = path.with_suffix(".part")
        partial.write_bytes(pickle.dumps(made))
        partial.rename(path)
        return made

    def clips(self, scenes: list[Scene]) -> Clips:
        requests = [Request(scene.seed, FRAMES, scene.prompt) for scene in scenes]

        def make() -> list[Sensed]:
            return [
                sense(*self._told(take, i, len(requests)).all())
                for i, take in enumerate(self.plugin.play(requests))
            ]

        sensed = self._kept(f"clips {requests}", make)
        return gather(sensed, [truth_of(scene) for scene in scenes])

    def _told(self, take: Take, i: int, count: int) -> Take:
        if i % 20 == 0:
            print(f"judge: take {i + 1} of {count}", flush=True)
        return take

    def rollouts(self, scenes: list[Scene], seconds: int) -> list[Rollout]:
        requests = [Request(s.seed, seconds * 16, s.prompt) for s in scenes]

        def make() -> list[Rollout]:
            made = []
            for scene, take in zip(scenes, self.plugin.play(requests)):
                print(f"judge: {seconds} s of “{scene.prompt}”", flush=True)
                made.append(watch(scene, take, seconds))
            return made

        return self._kept(f"rollouts {requests}", make)

    def changes(self, pairs: list[tuple[Scene, Scene]]) -> list[Change]:
        requests = [
            Request(one.seed, CHANGE_FRAMES, one.prompt, [(CHANGE_AT, other.prompt)])
            for one, other in pairs
        ]

        def make() -> list[Change]:
            made = []
            for (one, other), take in zip(pairs, self.plugin.play(requests)):
                frames, samples = take.all()
                if len(take.applied) != 1:
                    raise RuntimeError("the change of a prompt was not told")
                first = round(take.applied[0] * 16)
                parts = halves(frames, samples)
                made.append(
                    Change(
                        one,
                        other,
                        [part for at, part in parts if at + NEAR <= first],
                        [part for at, part in parts if at >= first],
                    )
                )
            return made

        return self._kept(f"changes {requests}", make)


def halves(
    frames: np.ndarray, samples: np.ndarray
) -> list[tuple[int, tuple[np.ndarray, np.ndarray]]]:
    """(first frame, (small, bands)) of half a second from each chunk on."""
    parts = []
    for first in range(0, len(frames) - NEAR + 1, SPAN):
        heard = samples[first * 1500 : (first + NEAR) * 1500]
        one = sense(frames[first : first + NEAR], heard)
        parts.append((first, (one.small, one.bands)))
    return parts


def watch(scene: Scene, take: Take, seconds: int) -> Rollout:
    """Holds three seconds of a take at a time."""
    starts = set(starts_of(seconds))
    held: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=WINDOW_SECONDS)
    windows, looks = [], []
    worst = 0.0
    for second, part in enumerate(take.parts(16)):
        held.append(part)
        looks.append(look(*part))
        peak = float(np.abs(part[1]).max())
        worst = max(worst, peak if np.isfinite(part[1]).all() else np.inf)
        first = second - WINDOW_SECONDS + 1
        if first in starts:
            frames, samples = (np.concatenate(parts) for parts in zip(*held))
            windows.append((first, sense(frames, samples)))
    return Rollout(scene, seconds, windows, np.stack(looks), worst)
