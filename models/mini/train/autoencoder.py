# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Trains the video encoder and decoder on rendered clips.

    python3 autoencoder.py --clips DIR --held DIR --output autoencoder.pt \\
        --minutes 20
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import device
import loop
import shipped
import workers
from network import Decoder, Encoder
from optimiser import Optimiser

CROP_FRAMES = 12
CROP_WIDTH = 96
BATCH = 4
LATENT_NOISE = 0.08
AVERAGE_DECAY = 0.998
MATRIX_RATE = 0.01
OTHER_RATE = 2e-3
# Peak rates relative to these. At the full rates the first updates, taken while
# the optimiser's own averages are still empty, undo what a trained network
# knows: 33 dB become 26 in 16 of them, and 32 at a tenth.
FRESH = 1.0
CONTINUED = 0.04


class Autoencoder(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        with torch.no_grad():
            self.encoder.out.weight *= 0.5

    def forward(self, rgb: Tensor, noise: float) -> tuple[Tensor, Tensor]:
        """rgb [B, T, 3, H, W] to its reconstruction and z."""
        z = self.encoder(rgb)
        return self.decoder(z + noise * torch.randn_like(z))[0], z


class Clips:
    """Several folders of clips, each video.npy uint8 [n, T, H, W, 3] and
    clips.json."""

    def __init__(self, folders: list[Path]):
        self.videos = [np.load(f / "video.npy", mmap_mode="r") for f in folders]
        self.notes = [json.loads((f / "clips.json").read_text()) for f in folders]
        self.counts = np.array([len(video) for video in self.videos])

    def crop(self, rng: np.random.Generator) -> np.ndarray:
        folder = rng.choice(len(self.videos), p=self.counts / self.counts.sum())
        video = self.videos[folder]
        clip = rng.integers(len(video))
        start = rng.integers(video.shape[1] - CROP_FRAMES + 1)
        left = rng.integers(video.shape[3] - CROP_WIDTH + 1)
        shown = video[clip, start : start + CROP_FRAMES, :, left : left + CROP_WIDTH]
        return shown[:, :, ::-1] if rng.random() < 0.5 else shown

    def batch(self, rng: np.random.Generator, count: int) -> Tensor:
        return to_rgb(np.stack([self.crop(rng) for _ in range(count)]))


def to_rgb(pixels: np.ndarray) -> Tensor:
    """uint8 [..., H, W, 3] to float32 [..., 3, H, W] in −1…1."""
    return (device.put(pixels).float() / 127.5 - 1).movedim(-1, -3).contiguous()


def detail(x: Tensor) -> Tensor:
    """What a halved picture lacks."""
    small = F.avg_pool2d(x, 2)
    return x - F.interpolate(small, scale_factor=2.0, mode="nearest")


def reconstruction_loss(shown: Tensor, rgb: Tensor) -> Tensor:
    """Weights what stands out from its surroundings, so that small bright
    things do not vanish; compares changes in time, across chunks as well."""
    error = (shown - rgb).flatten(0, 1)
    truth = rgb.flatten(0, 1)
    around = F.interpolate(F.avg_pool2d(truth, 16), scale_factor=16.0)
    salient = 1 + 5 * (truth - around).abs().amax(1, keepdim=True)
    change = (shown - rgb).diff(dim=1)
    return (
        0.4 * (salient * error.abs()).mean()
        + 3.0 * (salient * error.square()).mean()
        + detail(error).abs().mean()
        + 4.0 * F.avg_pool2d(error, 4).square().mean()
        + 0.5 * change.abs().mean()
        + 1.5 * change.square().mean()
    )


@torch.no_grad()
def judge(model: Autoencoder, held: Clips, count: int) -> dict[str, float]:
    """Mean PSNR in dB of each family, the mean, and the seam ratio: how much
    more pictures change between chunks than inside, against the truth's."""
    psnr: dict[str, list[float]] = {}
    seams: list[float] = []
    frames = model.encoder.frames
    for clip in range(min(count, len(held.videos[0]))):
        rgb = to_rgb(held.videos[0][clip : clip + 1, :24])
        with device.mixed_precision():
            shown = model(rgb, 0.0)[0].float().clamp(-1, 1)
        error = (shown - rgb).square().mean().item() / 4
        family = held.notes[0][clip]["family"]
        psnr.setdefault(family, []).append(-10 * np.log10(error))
        ratios = []
        for video in (shown, rgb):
            change = video.diff(dim=1).abs().mean(dim=(0, 2, 3, 4))
            border = torch.arange(len(change)) % frames == frames - 1
            ratios.append((change[border].mean() / change[~border].mean()).item())
        seams.append(ratios[0] / ratios[1])
    scores = {family: float(np.mean(values)) for family, values in psnr.items()}
    scores["mean"] = float(np.mean(list(scores.values())))
    scores["seam"] = float(np.median(seams))
    return scores


def make_optimiser(model: Autoencoder, peak: float) -> Optimiser:
    """Muon for the convolutions between the first and the last of each half."""
    inner = [
        p
        for name, p in model.named_parameters()
        if p.dim() == 4 and name.split(".")[1] not in ("in", "out")
    ]
    chosen = {id(p) for p in inner}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return Optimiser(inner, others, peak * MATRIX_RATE, peak * OTHER_RATE)


class Training(loop.Stage):
    decay = AVERAGE_DECAY

    def __init__(self, arguments: argparse.Namespace):
        config = shipped.read_config(arguments.config)
        self.model = Autoencoder(config).to(memory_format=torch.channels_last)
        self.batch = arguments.batch
        self.judged = arguments.judged
        if arguments.init:
            shipped.load_part(self.model.encoder, arguments.init, "encoder.")
            shipped.load_part(self.model.decoder, arguments.init, "decoder.")
        peak = arguments.rate or (CONTINUED if arguments.init else FRESH)
        self.optimiser = make_optimiser(self.model, peak)
        self.clips = Clips(arguments.clips)
        self.held = Clips([arguments.held])

    def rate(self, fraction: float) -> float:
        return workers.cosine(fraction, 0.01)

    def losses(self, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        rgb = self.clips.batch(rng, self.batch)
        with device.mixed_precision():
            shown, z = self.model(rgb, LATENT_NOISE)
        loss = reconstruction_loss(shown.float(), rgb) + 1e-3 * z.square().mean()
        return loss, {"loss": loss.item(), "z_std": z.std().item()}

    def judge(self) -> dict[str, float]:
        return judge(self.model, self.held, self.judged)


def main() -> None:
    parser = loop.parser(__doc__, BATCH)
    parser.add_argument("--clips", type=Path, nargs="+", required=True)
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--judged", type=int, default=24, metavar="CLIPS")
    parser.add_argument("--init", type=Path, help="continue from shipped weights")
    loop.run(Training, parser.parse_args())


if __name__ == "__main__":
    main()
