# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Real clips: rendered and sensed, as they are or through a codec."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from world import clip

from .codec import Codec
from .draft import Scene, hidden
from .senses import SAMPLES_PER_FRAME, Sensed, sense

FRAMES = 48
SECONDS = FRAMES / 16


@dataclass
class Truth:
    """What a clip shows; the names of those attributes that can be perceived."""

    family: str
    attributes: dict[str, str]
    known: set[str]
    events: list[dict]


class Clips:
    """Sensed clips side by side: an array for each field of Sensed."""

    def __init__(self, arrays: dict[str, np.ndarray], truths: list[Truth]):
        self.arrays = arrays
        self.truths = truths
        self.families = np.array([truth.family for truth in truths])

    def __len__(self) -> int:
        return len(self.truths)

    def __getitem__(self, index: int) -> Sensed:
        return Sensed(**{name: rows[index] for name, rows in self.arrays.items()})

    def take(self, indices: Iterable[int]) -> "Clips":
        chosen = list(indices)
        arrays = {name: rows[chosen] for name, rows in self.arrays.items()}
        return Clips(arrays, [self.truths[i] for i in chosen])

    def save(self, path: Path) -> None:
        notes = [vars(t) | {"known": sorted(t.known)} for t in self.truths]
        partial = path.with_suffix(".part")
        with open(partial, "wb") as file:
            np.savez(file, notes=json.dumps(notes), **self.arrays)
        partial.rename(path)

    @staticmethod
    def load(path: Path) -> "Clips":
        with np.load(path) as stored:
            notes = json.loads(str(stored["notes"]))
            arrays = {field.name: stored[field.name] for field in fields(Sensed)}
        truths = [Truth(**note | {"known": set(note["known"])}) for note in notes]
        return Clips(arrays, truths)


def gather(sensed: Iterable[Sensed], truths: list[Truth]) -> Clips:
    rows = list(sensed)
    names = [field.name for field in fields(Sensed)]
    arrays = {n: np.stack([getattr(one, n) for one in rows]) for n in names}
    return Clips(arrays, truths)


def concatenate(one: Clips, other: Clips) -> Clips:
    arrays = {n: np.concatenate([one.arrays[n], other.arrays[n]]) for n in one.arrays}
    return Clips(arrays, one.truths + other.truths)


def cached(path: Path, make: Callable[[], Clips]) -> Clips:
    if path.exists():
        return Clips.load(path)
    made = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(path)
    return made


def truth_of(family: str, attributes: dict, events: list[dict], start: float) -> Truth:
    """Of SECONDS from `start` on."""
    within = [
        event | {"time": event["time"] - start}
        for event in events
        if 0 <= event["time"] - start < SECONDS
    ]
    known = attributes.keys() - hidden(family, attributes)
    return Truth(family, attributes, set(known), within)


class _Render:
    """One clip of (seed, family, attributes); in a process of its own."""

    def __init__(self, codec: Codec | None):
        self.codec = codec

    def __call__(self, order: tuple[int, str, dict]) -> tuple[Sensed, Truth]:
        seed, family, attributes = order
        made = clip.render(seed, family, attributes, FRAMES)
        samples = made.samples / np.float32(32768)
        sensed = through(self.codec, made.frames, samples, seed)
        return sensed, truth_of(family, made.attributes, made.events, 0)


def through(
    codec: Codec | None, frames: np.ndarray, samples: np.ndarray, seed: int
) -> Sensed:
    if codec:
        frames = codec.picture(frames)
        samples = codec.sound(samples, seed)
    return sense(frames, samples)


def render(
    orders: list[tuple[int, str, dict]], codec: Codec | None, workers: int
) -> Clips:
    """Clips of (seed, family, attributes); other attributes are left to
    chance."""
    with ProcessPoolExecutor(workers, initializer=_be_alone) as pool:
        pairs = list(pool.map(_Render(codec), orders, chunksize=4))
    return gather((sensed for sensed, _ in pairs), [truth for _, truth in pairs])


def _be_alone() -> None:
    import torch

    torch.set_num_threads(1)


def orders_of(scenes: list[Scene]) -> list[tuple[int, str, dict]]:
    """Of real clips that the prompts of scenes describe."""
    return [
        (s.seed, s.family, {name: s.attributes[name] for name in s.named})
        for s in scenes
    ]


class _Read:
    """One clip of a rendered folder, from a frame on."""

    def __init__(self, codec: Codec | None):
        self.codec = codec

    def __call__(self, order: tuple[Path, int, dict, int]) -> tuple[Sensed, Truth]:
        folder, index, note, first = order
        video = np.load(folder / "video.npy", mmap_mode="r")[index]
        sound = np.load(folder / "sound.npy", mmap_mode="r")[index]
        frames = np.array(video[first : first + FRAMES])
        heard = sound[first * SAMPLES_PER_FRAME :][: FRAMES * SAMPLES_PER_FRAME]
        truth = truth_of(note["family"], note["attributes"], note["events"], first / 16)
        samples = heard / np.float32(32768)
        return through(self.codec, frames, samples, index), truth


def of_folders(
    folders: list[Path], families: list[str], each: int
) -> list[tuple[Path, int, dict]]:
    """`each` clips of every family, or fewer, of all as many as there are of the
    rarest, in turn, out of folders that world.render made: (folder, index, what
    it tells of the clip)."""
    found: dict[str, list] = {family: [] for family in families}
    for folder in folders:
        notes = json.loads((folder / "clips.json").read_text())
        for index, note in enumerate(notes):
            rows = found.get(note["family"], [])
            if len(rows) < each:
                rows.append((folder, index, note))
    fewest = min(len(rows) for rows in found.values())
    if not fewest:
        raise ValueError(f"{folders} lack families")
    return [rows[i] for i in range(fewest) for rows in found.values()]


def read(
    chosen: list[tuple[Path, int, dict]],
    rng: np.random.Generator,
    codec: Codec | None,
    workers: int,
) -> Clips:
    """Clips of folders, each from a random chunk on."""
    orders = []
    for folder, index, note in chosen:
        length = np.load(folder / "video.npy", mmap_mode="r").shape[1]
        first = int(rng.integers((length - FRAMES) // 4 + 1)) * 4
        orders.append((folder, index, note, first))
    with ProcessPoolExecutor(workers, initializer=_be_alone) as pool:
        pairs = list(pool.map(_Read(codec), orders, chunksize=4))
    return gather((sensed for sensed, _ in pairs), [truth for _, truth in pairs])
