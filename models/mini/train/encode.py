# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Encodes rendered clips to the tokens that the transformer learns.

    python3 encode.py --clips DIR --sound clips_sound.npz \\
        --autoencoder autoencoder.pt --output DIR

writes video.npy float16 [n, chunks, V, values] (not standardised), still.npy
[n, V, values], a chunk in which each clip's first frame stands still, audio.npy
float16 [n, chunks, A, token_size], clips.json and statistics.pt (mean and std
of the video values).
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
import torch

import device
import shipped
import workers
from autoencoder import Autoencoder, to_rgb
from network import patch


def load_autoencoder(path: Path, config: dict) -> Autoencoder:
    """The averaged weights of a checkpoint of autoencoder.py."""
    model = Autoencoder(config)
    state = device.load(path)
    for parameter, value in zip(model.parameters(), state["average"]):
        parameter.data.copy_(value)
    return model.eval().to(memory_format=torch.channels_last)


@torch.no_grad()
def work(rank: int, arguments: argparse.Namespace) -> None:
    device.use(arguments.device)
    config = shipped.read_config(arguments.config)
    model = load_autoencoder(arguments.autoencoder, config)
    video = np.load(arguments.clips / "video.npy", mmap_mode="r")
    output = np.lib.format.open_memmap(arguments.output / "video.npy", mode="r+")
    stills = np.lib.format.open_memmap(arguments.output / "still.npy", mode="r+")
    frames = config["chunk"]["frames"]

    def tokens(pixels: np.ndarray) -> np.ndarray:
        with device.mixed_precision():
            z = model.encoder(to_rgb(pixels)[None])[0]
        return patch(z, config["latent"]["patch"]).half().cpu().numpy()

    for clip in range(rank, len(video), arguments.processes):
        output[clip] = tokens(video[clip])
        stills[clip] = tokens(np.repeat(video[clip, :1], frames, axis=0))[0]
    output.flush()
    stills.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=shipped.CONFIG)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--sound", type=Path, required=True)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--device", choices=device.CHOICES, default="auto")
    arguments = parser.parse_args()
    config = shipped.read_config(arguments.config)
    arguments.output.mkdir(parents=True, exist_ok=True)
    video = np.load(arguments.clips / "video.npy", mmap_mode="r")
    latent = config["latent"]
    side = latent["downscale"] * latent["patch"]
    shape = (
        len(video),
        video.shape[1] // config["chunk"]["frames"],
        (video.shape[2] // side) * (video.shape[3] // side),
        latent["channels"] * latent["patch"] ** 2,
    )
    for name, extent in (("video", shape), ("still", (len(video), *shape[2:]))):
        np.lib.format.open_memmap(
            arguments.output / f"{name}.npy", "w+", np.float16, extent
        )
    workers.run(work, arguments.processes, arguments)
    shutil.copy(arguments.clips / "clips.json", arguments.output)
    tokens = np.load(arguments.sound)["tokens"]
    np.save(arguments.output / "audio.npy", tokens.astype(np.float16))
    values = np.load(arguments.output / "video.npy", mmap_mode="r")
    values = values.reshape(-1, shape[-1]).astype(np.float32)
    statistics = {
        "mean": torch.from_numpy(values.mean(axis=0)),
        "std": torch.from_numpy(values.std(axis=0)),
    }
    torch.save(statistics, arguments.output / "statistics.pt")


if __name__ == "__main__":
    main()
