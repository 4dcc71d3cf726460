# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Trains the video encoder and decoder on rendered clips.

    python3 autoencoder.py --clips DIR --held DIR --output autoencoder.pt \\
        --minutes 20

Half of every batch is of clips of twice the size (--wide), from which the decoder
learns pictures of both sizes. With --keep-encoder the decoder alone learns, so
that what was encoded before and a transformer of it stay good.
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
WIDE = 2
BATCH = 4
LATENT_NOISE = 0.08
# What a transformer makes lies farther from what the encoder does, and differs
# from chunk to chunk.
DECODER_NOISE = (0.05, 0.25)
# Weight of changes between chunks against those inside.
BORDER = 4.0
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

    def forward(self, rgb: Tensor, noise: Tensor | float) -> tuple[Tensor, Tensor]:
        """rgb [B, T, 3, H, W] to its reconstruction and z; `noise` is its
        deviation, for all or [B, 1, 1, 1, 1]."""
        z = self.encoder(rgb)
        return self.decoder(z + noise * torch.randn_like(z))[0], z

    def forward_wide(
        self, rgb: Tensor, noise: Tensor | float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As forward(), and before z the reconstruction of twice the size."""
        z = self.encoder(rgb)
        x, _ = self.decoder.features(z + noise * torch.randn_like(z))
        decoder, shape = self.decoder, (len(z), -1)
        shown = decoder.picture(x).unflatten(0, shape)
        return shown, decoder.wide_picture(x).unflatten(0, shape), z


class Clips:
    """Several folders of clips, each video.npy uint8 [n, T, H, W, 3] and
    clips.json; `scale` is of their pictures."""

    def __init__(self, folders: list[Path], scale: int = 1):
        self.width = CROP_WIDTH * scale
        self.videos = [np.load(f / "video.npy", mmap_mode="r") for f in folders]
        self.notes = [json.loads((f / "clips.json").read_text()) for f in folders]
        self.counts = np.array([len(video) for video in self.videos])

    def crop(self, rng: np.random.Generator) -> np.ndarray:
        folder = rng.choice(len(self.videos), p=self.counts / self.counts.sum())
        video = self.videos[folder]
        clip = rng.integers(len(video))
        start = rng.integers(video.shape[1] - CROP_FRAMES + 1)
        left = rng.integers(video.shape[3] - self.width + 1)
        shown = video[clip, start : start + CROP_FRAMES, :, left : left + self.width]
        return shown[:, :, ::-1] if rng.random() < 0.5 else shown

    def batch(self, rng: np.random.Generator, count: int) -> Tensor:
        return to_rgb(np.stack([self.crop(rng) for _ in range(count)]))


def to_rgb(pixels: np.ndarray) -> Tensor:
    """uint8 [..., H, W, 3] to float32 [..., 3, H, W] in −1…1."""
    return (device.put(pixels).float() / 127.5 - 1).movedim(-1, -3).contiguous()


def halved(rgb: Tensor) -> Tensor:
    """rgb [..., 3, 2H, 2W] at half the size."""
    return F.avg_pool2d(rgb.flatten(0, -4), 2).unflatten(0, rgb.shape[:-3])


def detail(x: Tensor) -> Tensor:
    """What a halved picture lacks."""
    small = F.avg_pool2d(x, 2)
    return x - F.interpolate(small, scale_factor=2.0, mode="nearest")


def borders(count: int, frames: int) -> Tensor:
    """Which of the changes of `count` frames lie between chunks."""
    return torch.arange(count - 1) % frames == frames - 1


def reconstruction_loss(shown: Tensor, rgb: Tensor, chunk: int) -> Tensor:
    """Weights what stands out from its surroundings, so that small bright
    things do not vanish; compares changes in time, above all across the borders
    of chunks of so many frames."""
    error = (shown - rgb).flatten(0, 1)
    truth = rgb.flatten(0, 1)
    around = F.interpolate(F.avg_pool2d(truth, 16), scale_factor=16.0)
    salient = 1 + 5 * (truth - around).abs().amax(1, keepdim=True)
    weight = torch.where(borders(rgb.shape[1], chunk), BORDER, 1.0)
    weight = (weight / weight.mean())[:, None, None, None]
    change = (shown - rgb).diff(dim=1)
    return (
        0.4 * (salient * error.abs()).mean()
        + 3.0 * (salient * error.square()).mean()
        + detail(error).abs().mean()
        + 4.0 * F.avg_pool2d(error, 4).square().mean()
        + 0.5 * (weight * change.abs()).mean()
        + 1.5 * (weight * change.square()).mean()
    )


def decibels(shown: Tensor, rgb: Tensor) -> float:
    """The ratio of peak to noise."""
    return -10 * np.log10((shown - rgb).square().mean().item() / 4)


@torch.no_grad()
def judge_wide(model: Autoencoder, held: Clips, count: int) -> dict[str, float]:
    """Mean PSNR in dB at twice the size, and of the native picture enlarged
    there by a cubic filter."""
    learned: list[float] = []
    cubic: list[float] = []
    for clip in range(min(count, len(held.videos[0]))):
        wide = to_rgb(held.videos[0][clip : clip + 1, :24])
        with device.mixed_precision():
            native, shown, _ = model.forward_wide(halved(wide), 0.0)
        larger = F.interpolate(native[0].float(), scale_factor=2.0, mode="bicubic")
        learned.append(decibels(shown[0].float().clamp(-1, 1), wide[0]))
        cubic.append(decibels(larger.clamp(-1, 1), wide[0]))
    return {"wide": float(np.mean(learned)), "cubic": float(np.mean(cubic))}


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
        family = held.notes[0][clip]["family"]
        psnr.setdefault(family, []).append(decibels(shown, rgb))
        ratios = []
        for video in (shown, rgb):
            change = video.diff(dim=1).abs().mean(dim=(0, 2, 3, 4))
            border = borders(len(change) + 1, frames)
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
        if p.dim() == 4 and name.split(".")[1] not in ("in", "out", "wide")
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
        self.half = arguments.batch // 2
        self.judged = arguments.judged
        self.keeps_encoder = arguments.keep_encoder
        if arguments.init:
            shipped.load_part(self.model.encoder, arguments.init, "encoder.")
            shipped.load_grown(self.model.decoder, arguments.init, "decoder.")
        self.model.encoder.requires_grad_(not self.keeps_encoder)
        peak = arguments.rate or (CONTINUED if arguments.init else FRESH)
        self.optimiser = make_optimiser(self.model, peak)
        self.clips = Clips(arguments.clips)
        self.wide = Clips(arguments.wide, WIDE)
        self.held = Clips([arguments.held])
        self.held_wide = Clips([arguments.held_wide], WIDE)

    def rate(self, fraction: float) -> float:
        return workers.cosine(fraction, 0.01)

    def noise(self) -> Tensor | float:
        if not self.keeps_encoder:
            return LATENT_NOISE
        low, high = DECODER_NOISE
        return low + (high - low) * torch.rand(self.half, 1, 1, 1, 1)

    def losses(self, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        chunk = self.model.encoder.frames
        rgb = self.clips.batch(rng, self.half)
        wide = self.wide.batch(rng, self.half)
        native = halved(wide)
        with device.mixed_precision():
            shown, z = self.model(rgb, self.noise())
            halves, larger, z_wide = self.model.forward_wide(native, self.noise())
        loss = reconstruction_loss(shown.float(), rgb, chunk)
        loss = loss + reconstruction_loss(halves.float(), native, chunk)
        loss = loss + reconstruction_loss(larger.float(), wide, chunk)
        loss = loss + 1e-3 * torch.cat([z, z_wide]).square().mean()
        return loss, {"loss": loss.item(), "z_std": z.std().item()}

    def judge(self) -> dict[str, float]:
        scores = judge(self.model, self.held, self.judged)
        return scores | judge_wide(self.model, self.held_wide, self.judged)


def main() -> None:
    parser = loop.parser(__doc__, BATCH)
    parser.add_argument("--clips", type=Path, nargs="+", required=True)
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--wide", type=Path, nargs="+", required=True)
    parser.add_argument("--held-wide", type=Path, required=True)
    parser.add_argument("--judged", type=int, default=24, metavar="CLIPS")
    parser.add_argument("--init", type=Path, help="continue from shipped weights")
    parser.add_argument(
        "--keep-encoder", action="store_true", help="train the decoder alone"
    )
    arguments = parser.parse_args()
    if arguments.batch < 2 or arguments.batch % 2:
        parser.error("--batch takes an even number, for clips of both sizes")
    loop.run(Training, arguments)


if __name__ == "__main__":
    main()
