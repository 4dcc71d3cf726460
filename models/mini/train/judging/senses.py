# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""What is kept of a clip: small enough to hold thousands, enough to judge."""

from dataclasses import dataclass

import numpy as np

from world import sound
from world.canvas import FRAME_RATE
from world.sounds import SAMPLE_RATE

HOP = 250
BAND_RATE = SAMPLE_RATE // HOP
BANDS = sound.BANDS
SAMPLES_PER_FRAME = SAMPLE_RATE // FRAME_RATE
BLOCK = SAMPLE_RATE // 100


def _band_matrix() -> np.ndarray:
    """Shares of the bins of a window of 2·HOP samples in the bands."""
    width = SAMPLE_RATE / (2 * HOP)
    centres = np.arange(HOP + 1)[:, None] * width
    low = np.maximum(centres - width / 2, sound.EDGES[None, :-1])
    high = np.minimum(centres + width / 2, sound.EDGES[None, 1:])
    return (np.clip(high - low, 0, None) / width).astype(np.float32)


MATRIX = _band_matrix()
WINDOW = np.hanning(2 * HOP + 1)[:-1].astype(np.float32)


@dataclass
class Sensed:
    """small   uint8 [frames, 28, 48, 3]
    bands   float16 [96 a second, 2, BANDS], levels in dB of left and right around
            sample (i + ½)·HOP
    blocks  float32 [100 a second, 2], mean squares
    change  float32 [frames − 1], mean |difference| of pictures of 0…255
    jumps   float32 [2], mean |difference| of neighbouring samples at the borders
            of chunks and elsewhere
    look    float32 [4], mean luma, saturation and contrast, all of 0…255, and
            the rms of the sound"""

    small: np.ndarray
    bands: np.ndarray
    blocks: np.ndarray
    change: np.ndarray
    jumps: np.ndarray
    look: np.ndarray


def _quartered(pictures: np.ndarray) -> np.ndarray:
    """Means of 4 × 4 pixels."""
    rows = pictures[:, ::4].astype(np.uint16)
    for row in (1, 2, 3):
        rows += pictures[:, row::4]
    total = rows[:, :, ::4].copy()
    for column in (1, 2, 3):
        total += rows[:, :, column::4]
    return ((total + 8) // 16).astype(np.uint8)


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    return float((np.maximum(one, other) - np.minimum(one, other)).mean())


def levels(samples: np.ndarray) -> np.ndarray:
    """Stereo samples [n, 2], ±1, to levels [n / HOP, 2, BANDS] in dB."""
    padded = np.pad(samples.T.astype(np.float32), ((0, 0), (HOP // 2, HOP)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * HOP, axis=1)
    windows = windows[:, : len(samples) // HOP * HOP : HOP]
    spectrum = np.fft.rfft(windows * WINDOW, axis=2)
    scale = 2 / (2 * HOP * float((WINDOW**2).sum()))
    power = (spectrum.real**2 + spectrum.imag**2) * scale
    return 10 * np.log10(power.astype(np.float32) @ MATRIX + 1e-8).swapaxes(0, 1)


def _jumps(samples: np.ndarray, chunk_samples: int) -> np.ndarray:
    steps = np.abs(np.diff(samples, axis=0)).mean(axis=1)
    border = np.arange(1, len(samples)) % chunk_samples == 0
    return np.array([steps[border].mean(), steps[~border].mean()], np.float32)


def look(frames: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """See Sensed."""
    pictures = frames[::4].astype(np.float32)
    luma = pictures.mean(axis=3)
    saturation = pictures.max(axis=3) - pictures.min(axis=3)
    contrast = luma.std(axis=(1, 2)).mean()
    rms = np.sqrt((samples.astype(np.float64) ** 2).mean())
    return np.array([luma.mean(), saturation.mean(), contrast, rms], np.float32)


def sense(frames: np.ndarray, samples: np.ndarray, chunk_samples: int = 6000) -> Sensed:
    """frames uint8 [n, 112, 192, 3], samples float32 [n · 1500, 2] in ±1."""
    change = np.array(
        [_difference(a, b) for a, b in zip(frames, frames[1:])], np.float32
    )
    energy = samples[: len(samples) // BLOCK * BLOCK].astype(np.float32) ** 2
    return Sensed(
        small=_quartered(frames),
        bands=levels(samples).astype(np.float16),
        blocks=energy.reshape(-1, BLOCK, 2).mean(axis=1),
        change=change,
        jumps=_jumps(samples, chunk_samples),
        look=look(frames, samples),
    )
