# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Figures of sets of clips. Those that compare go by family, so that a family
with much motion does not drown the others."""

import numpy as np

from .clips import Clips
from .detector import TOLERANCE, inner
from .senses import BAND_RATE

EVENT_SECONDS = (-0.03, 0.12)
BALANCE_FLOOR = 1e-7


def frechet(one: np.ndarray, other: np.ndarray) -> float:
    """Fréchet distance of two sets of features [n, f], of diagonal Gaussians."""
    means = one.mean(0) - other.mean(0)
    deviations = one.std(0) - other.std(0)
    return float((means**2).sum() + (deviations**2).sum())


def offsets(seen: list[np.ndarray], heard: list[np.ndarray]) -> np.ndarray:
    """Time from each event that is seen to the nearest that is heard; infinite
    where nothing is."""
    away: list[float] = []
    for eye, ear in zip(seen, heard):
        for when in inner(eye):
            near = ear - when
            away.append(near[np.abs(near).argmin()] if len(near) else np.inf)
    return np.array(away)


def within(away: np.ndarray) -> float:
    """Share of offsets that are within TOLERANCE."""
    return float((np.abs(away) <= TOLERANCE).mean()) if len(away) else float("nan")


def median(away: np.ndarray) -> float:
    return float(np.median(np.abs(away))) if len(away) else float("nan")


def shuffled(
    seen: list[np.ndarray], heard: list[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Offsets against the sound of every other clip."""
    away = []
    for _ in range(4):
        turn = int(rng.integers(1, len(heard))) if len(heard) > 1 else 0
        away.append(offsets(seen, heard[turn:] + heard[:turn]))
    return np.concatenate(away)


def balance(energy: np.ndarray) -> float:
    """(right − left) / (right + left) of energies [n, 2]."""
    left, right = energy.sum(0)
    return float((right - left) / (right + left + BALANCE_FLOOR))


def event_balances(
    clips: Clips, seen: list[np.ndarray], where: list, heard: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Places of events that are seen and heard, and the balance of the sound
    then."""
    places, sides = [], []
    for row, (eye, x, ear) in enumerate(zip(seen, where, heard)):
        blocks = clips.arrays["blocks"][row]
        for when, place in zip(eye, x):
            if len(ear) and np.abs(ear - when).min() <= TOLERANCE:
                at = ear[np.abs(ear - when).argmin()]
                first, last = (int((at + part) * 100) for part in EVENT_SECONDS)
                places.append(place)
                sides.append(balance(blocks[max(first, 0) : last]))
    return np.array(places), np.array(sides)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    if len(one) < 3 or one.std() < 1e-9 or other.std() < 1e-9:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def _ratio(change: np.ndarray, period: int) -> np.ndarray:
    """Of change [n, steps]: at borders of chunks over elsewhere, each row."""
    border = np.arange(change.shape[1]) % period == period - 1
    return change[:, border].mean(1) / (change[:, ~border].mean(1) + 1e-6)


def picture_seams(clips: Clips, chunk_frames: int) -> np.ndarray:
    return _ratio(clips.arrays["change"], chunk_frames)


def sound_seams(clips: Clips, chunk_seconds: float) -> np.ndarray:
    bands = clips.arrays["bands"].astype(np.float32)
    change = np.abs(np.diff(bands, axis=1)).mean(axis=(2, 3))
    return _ratio(change, round(chunk_seconds * BAND_RATE))


def sample_jumps(clips: Clips) -> np.ndarray:
    border, elsewhere = clips.arrays["jumps"].T
    return border / (elsewhere + 1e-9)


def by_family(clips: Clips, values: np.ndarray) -> dict[str, float]:
    names = dict.fromkeys(clips.families)
    return {f: float(values[clips.families == f].mean()) for f in names}


def motion(clips: Clips) -> dict[str, float]:
    return by_family(clips, clips.arrays["change"].mean(axis=1))


def loudness_db(clips: Clips) -> dict[str, float]:
    power = clips.arrays["blocks"].mean(axis=(1, 2))
    return by_family(clips, 10 * np.log10(power + 1e-9))


def diversity(features: np.ndarray, pairs: list[tuple[int, int]]) -> float:
    """Mean distance of pairs of rows."""
    return float(
        np.mean([np.linalg.norm(features[i] - features[j]) for i, j in pairs])
    )


def slope_percent(times: np.ndarray, values: np.ndarray) -> float:
    """Change in a minute, of the mean."""
    mean = values.mean()
    if len(values) < 3 or abs(mean) < 1e-9:
        return 0.0
    return float(np.polyfit(times / 60, values, 1)[0] / mean * 100)


def is_grey(looks: np.ndarray) -> bool:
    """Whether looks [n, 4], see Sensed, lose nearly all contrast or colour that
    the first ten of them had."""
    start = np.maximum(looks[:10, 1:3].mean(0), 1e-3)
    faded = looks[10:, 1:3] < np.maximum(0.2 * start, 0.5)
    return bool(faded.any(axis=1).mean() > 0.05) if len(looks) > 10 else False
