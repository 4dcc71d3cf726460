# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Pictures for people: contact sheets with spectrograms beside them."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .takes import Plugin, Request

FRAMES = 64
SIZE = (144, 84)
COLUMNS = 5
SOUND_WIDTH = 224
TITLE = 18
GAP = 4
COLOURS = 256
LOUDEST_DB = -20.0
RANGE_DB = 60.0
WINDOW = 512
HIGHEST_HZ = 8000
INK, PAPER = (40, 40, 40), (255, 255, 255)
# Quiet to loud.
SHADES = np.array(
    [(8, 6, 30), (70, 20, 110), (180, 50, 90), (250, 150, 50), (255, 250, 210)]
)


def spectrogram(samples: np.ndarray, width: int, height: int) -> Image.Image:
    """Of both channels together, HIGHEST_HZ at the top, time to the right."""
    mono = np.pad(samples.mean(axis=1), WINDOW // 2)
    starts = np.linspace(0, len(mono) - WINDOW, width).astype(int)
    windows = np.stack([mono[start : start + WINDOW] for start in starts])
    spectrum = np.abs(np.fft.rfft(windows * np.hanning(WINDOW))) / (WINDOW / 4)
    power = spectrum[:, : WINDOW * HIGHEST_HZ // 24000] ** 2
    rows = np.linspace(0, power.shape[1], height + 1).astype(int)
    bands = np.stack(
        [power[:, a : max(b, a + 1)].mean(1) for a, b in zip(rows, rows[1:])]
    )[::-1]
    level = (10 * np.log10(bands + 1e-12) - LOUDEST_DB) / RANGE_DB + 1
    place = np.clip(level, 0, 1) * (len(SHADES) - 1)
    shown = [np.interp(place, range(len(SHADES)), SHADES[:, c]) for c in range(3)]
    return Image.fromarray(np.stack(shown, axis=2).astype(np.uint8))


def row(prompt: str, frames: np.ndarray, samples: np.ndarray | None) -> Image.Image:
    """The prompt above, pictures in the order of time below, then the sound."""
    across, down = SIZE
    width = COLUMNS * (across + GAP) - GAP
    if samples is not None:
        width += GAP + SOUND_WIDTH
    image = Image.new("RGB", (width, TITLE + down + GAP), PAPER)
    font = ImageFont.load_default(12)
    ImageDraw.Draw(image).text((0, 1), f"“{prompt}”", INK, font)
    picked = np.linspace(4, len(frames) - 1, COLUMNS).astype(int)
    for column, index in enumerate(picked):
        shown = Image.fromarray(frames[index]).resize(SIZE, Image.Resampling.LANCZOS)
        image.paste(shown, (column * (across + GAP), TITLE))
    if samples is not None:
        heard = spectrogram(samples, SOUND_WIDTH, down)
        image.paste(heard, (width - SOUND_WIDTH, TITLE))
    return image


def stack(rows: list[Image.Image], columns: int = 1) -> Image.Image:
    """Rows below each other, in columns, left to right."""
    each = -(-len(rows) // columns)
    width, height = rows[0].size
    sheet = Image.new(
        "RGB", (columns * (width + 3 * GAP) - 3 * GAP, each * height), PAPER
    )
    for i, image in enumerate(rows):
        sheet.paste(image, (i // each * (width + 3 * GAP), i % each * height))
    return sheet


def save(image: Image.Image, path: Path) -> None:
    """With a palette, dithered: a third of the size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    palette = image.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=2)
    dither = Image.Dither.FLOYDSTEINBERG
    image.quantize(palette=palette, dither=dither).save(path, optimize=True)


def write(plugin: Plugin, prompts: list[str], shown: list[str], folder: Path) -> None:
    """folder/scenes.png, every prompt with its sound, and folder/glance.png,
    those of `shown` without."""
    requests = [Request(1, FRAMES, prompt) for prompt in prompts]
    whole, glance = [], []
    for request, take in zip(requests, plugin.play(requests)):
        frames, samples = take.all()
        whole.append(row(request.prompt, frames, samples))
        if request.prompt in shown:
            glance.append(row(request.prompt, frames, None))
    save(stack(whole), folder / "scenes.png")
    save(stack(glance), folder / "glance.png")
