# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Clips through the encoders and decoders of a weights file: the best that
its generator could do."""

import hashlib
from pathlib import Path

import numpy as np
import torch

import export
from autoencoder import to_rgb
from sample import to_pixels
from sound import Synthesiser
from world import sound as analysis


class Codec:
    def __init__(self, weights: Path):
        mini = export.load(weights)
        self.config = mini.config
        self.encoder = mini.encoder.to(memory_format=torch.channels_last)
        self.decoder = mini.decoder.to(memory_format=torch.channels_last)
        basis = mini.sound.basis
        self.basis = basis.weight.numpy()
        self.bias = basis.bias.numpy()
        self.project = np.linalg.pinv(self.basis)
        self.mean = self.bias
        self.mid_side = self.config["sound"].get("layout", "mid-side") == "mid-side"
        self.key = self._key()

    def _key(self) -> str:
        """Of the weights that are used here."""
        digest = hashlib.sha256()
        for module in (self.encoder, self.decoder):
            for value in module.state_dict().values():
                digest.update(value.numpy().tobytes())
        digest.update(self.basis.tobytes() + self.bias.tobytes())
        return digest.hexdigest()[:12]

    def _analyse(self, samples: np.ndarray) -> np.ndarray:
        if self.mid_side:
            left, right = samples.T
            samples = np.stack([left + right, left - right], axis=1) / np.sqrt(2)
        return analysis.analyse(samples).reshape(-1, len(self.bias))

    def fit(self, sounds: list[np.ndarray]) -> None:
        """Learns the mean level, which the file lacks: the bias lies above it,
        to make up for what the basis cannot tell."""
        values = np.concatenate([self._analyse(samples) for samples in sounds])
        self.mean = values.mean(axis=0)

    @torch.no_grad()
    def picture(self, frames: np.ndarray) -> np.ndarray:
        """uint8 [n, H, W, 3], n a multiple of a chunk."""
        with torch.autocast("cpu", torch.bfloat16):
            z = self.encoder(to_rgb(frames)[None])
            shown = self.decoder(z)[0][0]
        return to_pixels(shown.float())

    def sound(self, samples: np.ndarray, seed: int) -> np.ndarray:
        """float32 [n, 2] in ±1, n a multiple of a chunk."""
        tokens = (self._analyse(samples) - self.mean) @ self.project.T
        values = tokens @ self.basis.T + self.bias
        chunks = len(samples) // self.config["chunk"]["samples"]
        bands = len(self.config["sound"]["band_edges"]) - 1
        values = values.reshape(chunks, -1, 3, 2, bands)
        synthesiser = Synthesiser(self.config, seed)
        heard = [synthesiser.chunk(part, i) for i, part in enumerate(values)]
        return np.concatenate(heard)
