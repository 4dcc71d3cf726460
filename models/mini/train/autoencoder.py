# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Trains the video encoder and decoder on rendered clips.

    python3 autoencoder.py --clips DIR --held DIR --output autoencoder.pt \\
        --minutes 20
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import shipped
import workers
from network import Decoder, Encoder
from optimiser import Optimiser

CROP_FRAMES = 12
CROP_WIDTH = 96
BATCH = 4
LATENT_NOISE = 0.08
MATRIX_RATE = 0.01
OTHER_RATE = 2e-3


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
    values = torch.from_numpy(pixels.astype(np.float32))
    return (values / 127.5 - 1).movedim(-1, -3).contiguous()


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
        with torch.autocast("cpu", torch.bfloat16):
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


def make_optimiser(model: Autoencoder) -> Optimiser:
    """Muon for the convolutions between the first and the last of each half."""
    inner = [
        p
        for name, p in model.named_parameters()
        if p.dim() == 4 and name.split(".")[1] not in ("in", "out")
    ]
    chosen = {id(p) for p in inner}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return Optimiser(inner, others, MATRIX_RATE, OTHER_RATE)


def work(rank: int, arguments: argparse.Namespace) -> None:
    config = shipped.read_config(arguments.config)
    model = Autoencoder(config).to(memory_format=torch.channels_last)
    optimiser = make_optimiser(model)
    average = workers.Average(model, 0.998)
    step, spent_s = 0, 0.0
    if arguments.output.exists() and not arguments.anew:
        state = torch.load(arguments.output)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.values, average.updates = state["average"], state["updates"]
        step, spent_s = state["step"], state["spent_s"]
    elif arguments.init:
        shipped.load_part(model.encoder, arguments.init, "encoder.")
        shipped.load_part(model.decoder, arguments.init, "decoder.")
        average.reset(model)
    clips = Clips(arguments.clips)
    held = Clips([arguments.held])
    rng = np.random.default_rng(time.time_ns() + rank)
    log = workers.Log(arguments.output.with_suffix(".jsonl"))
    clock = workers.Clock(arguments.minutes, arguments.report, spent_s)
    recent = []

    def report() -> None:
        average.swap(model)
        scores = judge(model, held, arguments.judged)
        average.swap(model)
        crops = step * BATCH * arguments.processes
        log.write(
            minute=clock.spent_s() / 60,
            step=step,
            crops=crops,
            loss=float(np.mean(recent[-200:])),
            z_std=z.std().item(),
            **scores,
        )
        state = {
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "average": average.values,
            "updates": average.updates,
            "step": step,
            "spent_s": clock.spent_s(),
            "minutes": arguments.minutes,
            "crops": crops,
            "scores": scores,
        }
        workers.save_checkpoint(arguments.output, state)

    while (fraction := clock.fraction()) < 1:
        rgb = clips.batch(rng, BATCH)
        with torch.autocast("cpu", torch.bfloat16):
            shown, z = model(rgb, LATENT_NOISE)
        loss = reconstruction_loss(shown.float(), rgb) + 1e-3 * z.square().mean()
        optimiser.zero_grad()
        loss.backward()
        workers.average_gradients(model.parameters())
        optimiser.step(workers.cosine(fraction, 0.01))
        average.update(model)
        step += 1
        recent.append(loss.item())
        if clock.report_due() and rank == 0:
            report()
    if rank == 0 and recent:
        report()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=shipped.CONFIG)
    parser.add_argument("--clips", type=Path, nargs="+", required=True)
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--report", type=float, default=2.5, metavar="MINUTES")
    parser.add_argument("--judged", type=int, default=24, metavar="CLIPS")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--init", type=Path, help="continue from shipped weights")
    parser.add_argument("--anew", action="store_true", help="ignore the checkpoint")
    arguments = parser.parse_args()
    workers.run(work, arguments.processes, arguments)


if __name__ == "__main__":
    main()
