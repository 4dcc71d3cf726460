# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Analysis of stereo sound into the parameters of FORMAT.md, section 5.

A clip becomes values [frames, 3, 2, BANDS]: level in dB, tonality and
tonality × offset of the left and the right channel. Levels come from a Hann
window of 2·HOP samples, so that onsets stay sharp; how that energy lies
within the window's 48 Hz bins, and what of it is a tone, comes from a window
four times as long, by frequency reassignment (Auger and Flandrin, "Improving
the readability of time-frequency and time-scale representations by the
reassignment method", 1995).

A token is FRAMES_PER_TOKEN frames. A Basis turns its values into TOKEN_SIZE
numbers of unit deviation by principal components, for each kind on its own.
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft

from .sounds import SAMPLE_RATE

HOP = 250
BANDS = 32
TONAL_BANDS = 24
FRAMES_PER_TOKEN = 6
TOKENS_PER_CHUNK = 4
KIND_DIMENSIONS = (24, 8, 16)
TOKEN_SIZE = sum(KIND_DIMENSIONS)
TONALITY_FLOOR = 0.12

LEVEL_FLOOR = 1e-8
SHORT = 2 * HOP
LONG = 4 * SHORT
SHORT_BIN_HZ = SAMPLE_RATE / SHORT
LONG_BIN_HZ = SAMPLE_RATE / LONG
TONE_HALFWIDTH_HZ = 9.0
TONE_SHARES = (0.62, 0.92)
AUDIBLE_DB = (-66.0, -54.0)
QUIETEST_DB = -70.0


def band_edges() -> np.ndarray:
    """BANDS + 1 edges in Hz, equally spaced in mel."""
    mel = 2595 * np.log10(1 + np.array([40.0, 12000.0]) / 700)
    return 700 * (10 ** (np.linspace(*mel, BANDS + 1) / 2595) - 1)


EDGES = band_edges()
CENTRES = (EDGES[1:] + EDGES[:-1]) / 2
HALFWIDTHS = (EDGES[1:] - EDGES[:-1]) / 2


def _hann(size: int) -> np.ndarray:
    return np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2


def _leakage() -> np.ndarray:
    """Share of a tone's energy, at each long bin, in each short bin."""
    sources = np.arange(LONG // 2 + 1) * LONG_BIN_HZ
    time = np.arange(SHORT) / SAMPLE_RATE
    tones = np.exp(2j * np.pi * sources[:, None] * time) * _hann(SHORT)
    spread = np.abs(fft.fft(tones, axis=1)[:, :SHORT // 2 + 1]) ** 2
    return (spread / spread.sum(1, keepdims=True)).astype(np.float32)


WINDOW_SHORT = _hann(SHORT).astype(np.float32)
WINDOW_LONG = _hann(LONG).astype(np.float32)
SLOPE_LONG = (np.gradient(_hann(LONG)) * SAMPLE_RATE).astype(np.float32)
LEAKAGE = _leakage()
LONG_HZ = (np.arange(LONG // 2 + 1) * LONG_BIN_HZ).astype(np.float32)


def _frames(channel: np.ndarray, size: int) -> np.ndarray:
    """Windows of `size` samples around sample (i + 1)·HOP for each frame i."""
    count = len(channel) // HOP
    before = size // 2 - HOP
    padded = np.pad(channel, (before, size // 2), "reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)
    return windows[:count * HOP:HOP]


def _power(spectrum: np.ndarray, window: np.ndarray) -> np.ndarray:
    scale = 2 / (len(window) * float((window ** 2).sum()))
    return (spectrum.real ** 2 + spectrum.imag ** 2) * scale


def _sum_bands(band: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sums weight [frames, bins] by band [frames, bins] into [frames, BANDS]."""
    frames = len(band)
    index = np.arange(frames, dtype=np.int32)[:, None] * BANDS + band
    total = np.bincount(index.ravel(), weight.ravel(), frames * BANDS)
    return total.reshape(frames, BANDS)


def analyse_channel(channel: np.ndarray) -> np.ndarray:
    """One channel, a multiple of HOP samples, to values [frames, 3, BANDS]."""
    channel = channel.astype(np.float32)
    short = _power(fft.rfft(_frames(channel, SHORT) * WINDOW_SHORT), WINDOW_SHORT)
    windows = _frames(channel, LONG)
    spectrum = fft.rfft(windows * WINDOW_LONG)
    slope = fft.rfft(windows * SLOPE_LONG)
    long = _power(spectrum, WINDOW_LONG) + 1e-14

    moved = (slope * spectrum.conj()).imag
    moved /= spectrum.real ** 2 + spectrum.imag ** 2 + 1e-12
    reach = 2.5 * LONG_BIN_HZ
    place = LONG_HZ - np.clip(moved / np.float32(2 * np.pi), -reach, reach)
    band = np.searchsorted(EDGES, place.ravel()).reshape(place.shape) - 1
    band = np.clip(band, 0, BANDS - 1).astype(np.int32)

    energy_at = long * ((short / (long @ LEAKAGE + 1e-14)) @ LEAKAGE.T)
    energy_at[:, LONG_HZ < EDGES[0] - LONG_BIN_HZ] = 0
    energy = _sum_bands(band, energy_at)
    level = 10 * np.log10(energy + LEVEL_FLOOR)

    emphasis = long * long
    centroid = _sum_bands(band, emphasis * place) / (_sum_bands(band, emphasis) + 1e-30)
    own = np.take_along_axis(centroid, band, axis=1)
    near = np.abs(place - own) < TONE_HALFWIDTH_HZ
    share = _sum_bands(band, long * near) / (_sum_bands(band, long) + 1e-20)
    low, high = TONE_SHARES
    tonality = np.clip((share - low) / (high - low), 0, 1)
    audible = np.clip((level - AUDIBLE_DB[0]) / (AUDIBLE_DB[1] - AUDIBLE_DB[0]), 0, 1)
    tonality *= audible
    tonality[tonality < TONALITY_FLOOR] = 0
    tonality[:, TONAL_BANDS:] = 0
    offset = np.clip((centroid - CENTRES) / HALFWIDTHS, -1.2, 1.2)
    level = np.clip(level, QUIETEST_DB, 0)
    return np.stack([level, tonality, tonality * offset], axis=1)


def analyse(samples: np.ndarray) -> np.ndarray:
    """Stereo samples [n, 2], ±1, to values [n / HOP, 3, 2, BANDS], float32."""
    values = [analyse_channel(samples[:, channel]) for channel in (0, 1)]
    return np.stack(values, axis=2).astype(np.float32)


@dataclass
class Basis:
    """Between token values and standardised tokens.

    weight [6·3·2·BANDS, TOKEN_SIZE] and bias [6·3·2·BANDS] decode, as
    FORMAT.md has it; projection [TOKEN_SIZE, 6·3·2·BANDS] encodes
    (values − mean). Where levels scatter about what the basis can tell, the
    mean of the dB lies below the dB of the mean; bias makes up for that.
    deviation [TOKEN_SIZE] is each token value's deviation before it was
    standardised, in the unit of its kind.
    """

    weight: np.ndarray
    bias: np.ndarray
    mean: np.ndarray
    projection: np.ndarray
    deviation: np.ndarray

    def encode(self, values: np.ndarray) -> np.ndarray:
        """values [frames, 3, 2, BANDS] to [chunks, TOKENS_PER_CHUNK, TOKEN_SIZE]."""
        rows = values.reshape(-1, len(self.mean)) - self.mean
        tokens = rows @ self.projection.T
        return tokens.reshape(-1, TOKENS_PER_CHUNK, TOKEN_SIZE).astype(np.float32)

    def decode(self, tokens: np.ndarray) -> np.ndarray:
        """Inverse of encode, as far as the basis carries."""
        rows = tokens.reshape(-1, TOKEN_SIZE) @ self.weight.T + self.bias
        return rows.reshape(-1, 3, 2, BANDS).astype(np.float32)

    def save(self, path) -> None:
        np.savez(path, **vars(self))

    @staticmethod
    def load(path) -> "Basis":
        stored = np.load(path)
        names = Basis.__dataclass_fields__
        return Basis(**{name: stored[name] for name in names})


def _scatter_db(lost: np.ndarray, level: np.ndarray) -> np.ndarray:
    """How far the mean energy lies above the energy of the mean level, in dB.

    It is ln 10 / 20 · variance if levels scatter normally; half of that is
    taken, as a few sharp impacts scatter more. Only audible levels count.
    """
    audible = level > AUDIBLE_DB[1]
    variance = (lost ** 2 * audible).sum(0) / np.maximum(audible.sum(0), 1)
    return 0.5 * np.log(10) / 20 * variance


def fit_basis(values: np.ndarray) -> Basis:
    """Basis of values [n, frames, 3, 2, BANDS], by principal components."""
    tokens = values.reshape(-1, FRAMES_PER_TOKEN, 3, 2, BANDS).astype(np.float64)
    size = FRAMES_PER_TOKEN * 3 * 2 * BANDS
    cells = np.arange(size).reshape(FRAMES_PER_TOKEN, 3, 2, BANDS)
    weight = np.zeros((size, TOKEN_SIZE))
    projection = np.zeros((TOKEN_SIZE, size))
    deviation = np.zeros(TOKEN_SIZE)
    mean = tokens.mean(0).ravel()
    bias = mean.copy()
    first = 0
    for kind, count in enumerate(KIND_DIMENSIONS):
        places = cells[:, kind].ravel()
        rows = tokens[:, :, kind].reshape(len(tokens), -1) - mean[places]
        variances, axes = np.linalg.eigh(rows.T @ rows / len(rows))
        axes = axes[:, ::-1][:, :count]
        deviations = np.sqrt(np.maximum(variances[::-1][:count], 1e-12))
        chosen = slice(first, first + count)
        weight[places, chosen] = axes * deviations
        projection[chosen, places] = (axes / deviations).T
        deviation[chosen] = deviations
        if kind == 0:
            lost = rows - rows @ axes @ axes.T
            bias[places] += _scatter_db(lost, rows + mean[places])
        first += count
    arrays = (weight, bias, mean, projection, deviation)
    return Basis(*(array.astype(np.float32) for array in arrays))
