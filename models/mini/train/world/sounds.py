# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Sound shared by the families: float32 at SAMPLE_RATE, stereo [n, 2]."""

from functools import lru_cache

import numpy as np
from scipy.signal import butter, sosfilt

from .canvas import ASPECT, FRAME_RATE

SAMPLE_RATE = 24000


def sample_count(frames: int) -> int:
    """Samples that last as long as `frames` frames."""
    return frames * SAMPLE_RATE // FRAME_RATE


def seconds(count: int) -> np.ndarray:
    """The times of `count` samples, in seconds."""
    return (np.arange(count) / SAMPLE_RATE).astype(np.float32)


@lru_cache(maxsize=None)
def _sections(kind: str, edges: tuple[float, ...]) -> np.ndarray:
    return butter(2, edges if len(edges) > 1 else edges[0], kind,
                  fs=SAMPLE_RATE, output="sos")


def filtered(sound: np.ndarray, kind: str, *edges_hz: float) -> np.ndarray:
    """Second-order Butterworth filter along time.

    `kind` is "lowpass", "highpass" or "bandpass" (two edges).
    """
    return sosfilt(_sections(kind, edges_hz), sound, axis=0).astype(np.float32)


def noise(rng: np.random.Generator, count: int, channels: int = 2) -> np.ndarray:
    """White noise of unit deviation: [count, channels], or [count] for one."""
    shape = (count, channels) if channels > 1 else count
    return rng.standard_normal(shape, np.float32)


def pan(mono: np.ndarray, x: float | np.ndarray) -> np.ndarray:
    """Stereo [n, 2] of a sound at picture position x, or at positions x [n]
    of its samples, at constant power."""
    place = np.clip(x / ASPECT * 1.5, -1, 1)
    angle = (place + 1) * np.pi / 4
    gains = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * 1.2
    return mono[:, None].astype(np.float32) * gains.astype(np.float32)


def add_event(sound: np.ndarray, event: np.ndarray, time: float) -> None:
    """Add a stereo event that starts at `time`, cut at the sound's ends."""
    start = int(round(time * SAMPLE_RATE))
    skip = max(0, -start)
    start = max(0, start)
    count = min(len(event) - skip, len(sound) - start)
    if count > 0:
        sound[start:start + count] += event[skip:skip + count]


def schedule(rng: np.random.Generator, start: float, end: float, shortest: float,
             longest: float) -> list[float]:
    """Random event times between start and end with the given gaps."""
    times = []
    time = start + rng.uniform(0, longest)
    while time < end:
        times.append(time)
        time += rng.uniform(shortest, longest)
    return times


def event(time: float, x: float, kind: str) -> dict:
    """A ground-truth event: seconds, picture position, what happened."""
    return {"time": round(float(time), 4), "x": round(float(x), 3), "kind": kind}
