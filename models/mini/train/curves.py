# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Draws what the stages of training logged, over their minutes, as a picture.

    python3 curves.py DIR --output curves.png

A row for every .jsonl in DIR, a column for every unit: what is smaller than
10 (losses, ratios) and what is not (decibels).
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT, MARGIN = 560, 260, 36
COUNTERS = ("minute", "step", "examples", "sequences", "crops")
LARGE = 10


def colour(index: int) -> tuple[int, int, int]:
    """Far from its neighbours' in hue."""
    hue = index * 0.618 % 1
    parts = [0.5 + 0.5 * np.cos(2 * np.pi * (hue - third / 3)) for third in range(3)]
    return tuple(int(30 + 170 * part) for part in parts)


def draw(title: str, minutes: list[float], series: dict[str, list]) -> Image.Image:
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen = ImageDraw.Draw(picture)
    known = [v for values in series.values() for v in values if v is not None]
    low, high = min(known), max(known)
    last = max(minutes[-1], 1e-6)
    span = max(high - low, 1e-6)
    pen.text((MARGIN, 4), f"{title}: {low:.3g} … {high:.3g}, {last:.1f} min", "black")
    right = WIDTH - 150

    def place(minute: float, value: float) -> tuple[float, float]:
        x = MARGIN + (right - MARGIN) * minute / last
        return x, HEIGHT - 14 - (HEIGHT - 40) * (value - low) / span

    for i, (name, values) in enumerate(series.items()):
        points = [place(m, v) for m, v in zip(minutes, values) if v is not None]
        pen.line(points, colour(i), 2)
        pen.text((right + 8, 20 + 12 * i), f"{name} {values[-1]:.3g}", colour(i))
    return picture


def row(path: Path) -> Image.Image | None:
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    if len(entries) < 2:
        return None
    minutes = [entry["minute"] for entry in entries]
    names = [name for name in entries[-1] if name not in COUNTERS]
    series = {name: [entry.get(name) for entry in entries] for name in names}
    groups = [
        {n: v for n, v in series.items() if (v[-1] >= LARGE) == large}
        for large in (False, True)
    ]
    drawn = [draw(path.stem, minutes, group) for group in groups if group]
    return beside(drawn, horizontal=True)


def beside(pictures: list[Image.Image], horizontal: bool) -> Image.Image:
    widths, heights = zip(*(picture.size for picture in pictures))
    size = (sum(widths), max(heights)) if horizontal else (max(widths), sum(heights))
    whole = Image.new("RGB", size, "white")
    offset = 0
    for picture in pictures:
        whole.paste(picture, (offset, 0) if horizontal else (0, offset))
        offset += picture.width if horizontal else picture.height
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    rows = [row(path) for path in sorted(arguments.folder.glob("*.jsonl"))]
    rows = [picture for picture in rows if picture]
    if rows:
        beside(rows, horizontal=False).save(arguments.output)


if __name__ == "__main__":
    main()
