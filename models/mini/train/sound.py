# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""The streaming sound synthesiser of models/mini/FORMAT.md, section 5."""

from dataclasses import dataclass

import numpy as np

import philox


@dataclass
class Parameters:
    """What a frame says of each (channel, band): [..., 2, bands] each."""

    amplitude: np.ndarray
    frequency_hz: np.ndarray
    gain: np.ndarray


class Synthesiser:
    """One endless sound; call chunk() for chunks 0, 1, 2, … in order."""

    def __init__(self, config: dict, seed: int):
        sound = config["sound"]
        self.seed = seed
        self.rate = config["audio"]["sample_rate"]
        self.hop = sound["hop"]
        self.frames = config["chunk"]["samples"] // self.hop
        edges = np.array(sound["band_edges"])
        self.bands = len(edges) - 1
        self.tonal = sound["tonal_bands"]
        self.floor = sound["tonality_floor"]
        self.mid_side = sound.get("layout", "mid-side") == "mid-side"
        self.centre = (edges[1:] + edges[:-1]) / 2
        self.halfwidth = (edges[1:] - edges[:-1]) / 2
        bin_hz = self.rate / (2 * self.hop)
        self.bins = np.maximum((edges[1:] - edges[:-1]) / bin_hz, 0.3)
        self.bin_hz = (np.arange(self.hop) + 0.5) * bin_hz
        n = np.arange(2 * self.hop)[:, None] + 0.5
        k = np.arange(self.hop)[None] + 0.5
        window = np.sqrt(2 / self.hop) * np.sin(np.pi * n / (2 * self.hop))
        self.imdct = window * np.cos(np.pi / self.hop * (n + self.hop / 2) * k)
        self.tail = np.zeros((2, self.hop))
        self.phase = np.zeros((2, self.tonal))
        self.amplitude = np.zeros((2, self.tonal))
        self.frequency = np.zeros((2, self.tonal))

    def parameters(self, values: np.ndarray) -> Parameters:
        """values [frames, 3, 2, bands]."""
        level, tonality, moved = values[:, 0], values[:, 1], values[:, 2]
        energy = np.maximum(10 ** (np.minimum(level, 0) / 10) - 1e-8, 0)
        t = np.clip(tonality, 0, 1)
        t = np.where(t < self.floor, 0, t)
        t[..., self.tonal :] = 0
        offset = np.clip(moved / np.maximum(t, 0.1), -1.2, 1.2)
        return Parameters(
            amplitude=np.sqrt(2 * energy * t),
            frequency_hz=self.centre + self.halfwidth * offset,
            gain=np.sqrt(energy * (1 - t) / self.bins),
        )

    def noise(self, gain: np.ndarray, chunk: int) -> np.ndarray:
        """gain [frames, 2, bands] to samples [2, frames·hop]."""
        count = self.frames * 2 * self.hop
        gauss = philox.normal(self.seed, chunk, philox.SOUND, 0, count)
        gauss = gauss.reshape(self.frames, 2, self.hop)
        out = []
        for i in range(self.frames):
            gains = np.stack(
                [np.interp(self.bin_hz, self.centre, gain[i, c]) for c in range(2)]
            )
            wave = (gains * np.sqrt(self.hop) * gauss[i]) @ self.imdct.T
            out.append(self.tail + wave[:, : self.hop])
            self.tail = wave[:, self.hop :]
        return np.concatenate(out, axis=1)

    def tones(self, amplitude: np.ndarray, frequency: np.ndarray) -> np.ndarray:
        """amplitude, frequency [frames, 2, tonal] to samples [2, frames·hop]."""
        m = np.arange(self.hop)
        out = []
        for a1, f1 in zip(amplitude, frequency):
            a0, f0 = self.amplitude, self.frequency
            f0 = np.where(a0 == 0, f1, f0)
            f1_heard = np.where(a1 == 0, f0, f1)
            a = a0[..., None] + (a1 - a0)[..., None] * m / self.hop
            turned = f0[..., None] * m
            turned = turned + (f1_heard - f0)[..., None] * m**2 / (2 * self.hop)
            phase = self.phase[..., None] + turned / self.rate
            out.append((a * np.cos(2 * np.pi * phase)).sum(axis=1))
            moved = self.hop * (f0 + f1_heard) / 2 / self.rate
            heard = (a0 != 0) | (a1 != 0)
            self.phase = np.where(heard, (self.phase + moved) % 1, self.phase)
            self.amplitude, self.frequency = a1, f1
        return np.concatenate(out, axis=1)

    def chunk(self, values: np.ndarray, chunk: int) -> np.ndarray:
        """values [frames, 3, 2, bands] to stereo float32 [samples, 2]."""
        p = self.parameters(values.astype(np.float64))
        wave = self.noise(p.gain, chunk)
        wave += self.tones(
            p.amplitude[..., : self.tonal], p.frequency_hz[..., : self.tonal]
        )
        if self.mid_side:
            wave = np.stack([wave[0] + wave[1], wave[0] - wave[1]]) / np.sqrt(2)
        return np.clip(wave.T, -1, 1).astype(np.float32)
