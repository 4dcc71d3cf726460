# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Render a set of clips into a folder: video.npy, sound.npy, clips.json.

Each worker makes whole clips: sound on one CPU core, pictures there or on the
GPU, which all workers share.
"""

import argparse
import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch

import device

from . import canvas, clip, sounds
from .families import FAMILIES

# More than these would fill a small GPU, each with a context of its own.
GPU_WORKERS = 16

_arrays: tuple[np.ndarray, np.ndarray]
_frames: int


def _open(folder: Path, frames: int) -> None:
    global _arrays, _frames
    torch.set_num_threads(1)
    _frames = frames
    _arrays = (np.lib.format.open_memmap(folder / "video.npy", "r+"),
               np.lib.format.open_memmap(folder / "sound.npy", "r+"))


def _render(task: tuple[int, int, str]) -> dict:
    index, seed, family = task
    made = clip.render(seed, family, frames=_frames)
    _arrays[0][index] = made.frames
    _arrays[1][index] = made.samples
    return {"family": made.family, "attributes": made.attributes,
            "events": made.events, "caption": made.caption}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--families", nargs="+", choices=list(FAMILIES),
                        default=list(FAMILIES), help="which take turns")
    parser.add_argument("--frames", type=int, default=canvas.FRAMES)
    parser.add_argument("--scale", type=int, default=1,
                        help="of the pictures, times their native size")
    parser.add_argument("--device", choices=device.CHOICES, default="auto",
                        help="where the pictures are drawn")
    parser.add_argument("--workers", type=int, help="one a core by default, and "
                        f"at most {GPU_WORKERS} on a GPU")
    arguments = parser.parse_args()
    where = device.resolve(arguments.device)
    cores = os.cpu_count() or 1
    some = min(cores, GPU_WORKERS) if where == "cuda" else cores
    workers = arguments.workers or some
    arguments.out.mkdir(parents=True, exist_ok=True)
    count = arguments.count
    frames, scale = arguments.frames, arguments.scale
    picture = (frames, canvas.ROWS * scale, canvas.COLUMNS * scale, 3)
    sound = (sounds.sample_count(frames), 2)
    np.lib.format.open_memmap(arguments.out / "video.npy", "w+", np.uint8,
                              (count, *picture))
    np.lib.format.open_memmap(arguments.out / "sound.npy", "w+", np.int16,
                              (count, *sound))
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["VIDGEN_WORLD_SCALE"] = str(scale)
    os.environ["VIDGEN_WORLD_DEVICE"] = where
    names = arguments.families
    tasks = [(i, arguments.first_seed + i, names[i % len(names)])
             for i in range(count)]
    # Only a process that starts afresh takes the number of threads, the scale
    # and the device from the environment.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, fresh, _open,
                             (arguments.out, frames)) as pool:
        clips = list(pool.map(_render, tasks, chunksize=6))
    (arguments.out / "clips.json").write_text(json.dumps(clips, indent=0) + "\n")


if __name__ == "__main__":
    main()
