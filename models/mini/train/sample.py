# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Generates clips from a weights file: a contact sheet and sounds.

    python3 sample.py ../mini.safetensors --out DIR --chunks 12

writes DIR/sheet.png, a row of frames for each prompt, and DIR/{row}.wav.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.io import wavfile

import export
from stream import Stream


def to_pixels(frames: torch.Tensor) -> np.ndarray:
    """[n, 3, H, W] in −1…1 to uint8 [n, H, W, 3]."""
    values = ((frames + 1) * 127.5).round().clamp(0, 255)
    return values.movedim(1, -1).to(torch.uint8).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--prompts", nargs="+", help="default: the model's own")
    parser.add_argument("--chunks", type=int, default=12)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--columns", type=int, default=6)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    mini = export.load(arguments.weights)
    torch.set_num_threads(1)
    rows = []
    for row, prompt in enumerate(arguments.prompts or mini.config["prompts"]):
        stream = Stream(mini, arguments.seed + row, arguments.steps)
        stream.set_prompt(prompt)
        chunks = [stream.next_chunk() for _ in range(arguments.chunks)]
        pixels = to_pixels(torch.cat([chunk.frames for chunk in chunks]))
        shown = np.linspace(0, len(pixels) - 1, arguments.columns).astype(int)
        rows.append(np.concatenate(pixels[shown], axis=1))
        samples = np.concatenate([chunk.samples for chunk in chunks])
        rate = mini.config["audio"]["sample_rate"]
        wavfile.write(arguments.out / f"{row}.wav", rate, samples)
        change = np.abs(np.diff(pixels.astype(np.float32), axis=0)).mean()
        spread = torch.stack([chunk.video for chunk in chunks]).std(dim=(1, 2))
        print(
            f"{row} {prompt}: rms {samples.std():.4f}  change {change:.2f}  "
            f"latent {spread[0]:.2f} to {spread[-1]:.2f}",
            flush=True,
        )
    Image.fromarray(np.concatenate(rows)).save(arguments.out / "sheet.png")


if __name__ == "__main__":
    main()
