# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Which scene a piece of video and sound shows, by plain statistics.

A scene is a family with one of its attributes, as KEYS says. The check knows
nothing of the model: it is fitted to rendered clips, and a test in C computes
the same features. With frames of R, G, B in 0…1, and samples in ±1, 24 kHz,
left and right, the features are, in this order, of the picture:

27  mean colour: for each cell of a 3×3 grid, rows from the top, cells from the
    left, the mean of R, G and B over its pixels and all frames; pixel (y, x)
    is in cell (3·y div height, 3·x div width)
 9  motion: for each cell, log10(0.001 + mean of |luma − luma one frame
    earlier|), luma = (R + G + B) / 3
 1  flicker: log10(0.001 + standard deviation over frames of the mean luma)

and of the sound:

 8  spectrum, highest octave first: from x = (left + right) / 2 take
    high = (x[2i] − x[2i+1]) / √2 and low = (x[2i] + x[2i+1]) / √2; the feature
    is log10(1e-7 + mean of high²); go on with x = low (an odd last sample is
    dropped)
 2  envelope: with p = log10(1e-7 + mean of (left² + right²) / 2) of each
    1500 samples, the standard deviation of p, and its maximum less its mean

scenes.json lists `scenes`, each with a prompt for it, and for `picture` and
`sound`, each on its own, `mean` [n], `projection` [K][n], and a centroid [K]
(`centroids`) and a radius (`radii`) of each scene. The position is
projection · (features − mean). The scene seen, or heard, is that of the
nearest centroid, and the position is typical of it within the radius. Sound
tells families, but not every attribute. Picture and sound together belong to
the scene with the least sum of squared distances.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from .families import FAMILIES

SECONDS = 3
BLOCK = 1500
OCTAVES = 8
SHRINKAGE = 0.05
RADIUS_SLACK = 1.5
PARTS = {"picture": slice(0, 37), "sound": slice(37, 47)}

KEYS = {
    "ocean": "time",
    "campfire": "ground",
    "storm": "time",
    "fireworks": "colour",
    "ball": "floor",
    "aurora": "colour",
}
PROMPTS = {
    "ocean": "ocean waves at {}",
    "campfire": "a large campfire on {}",
    "storm": "heavy rain at {} with lightning and thunder",
    "fireworks": "huge {} fireworks over the city",
    "ball": "a red ball bouncing on a {} floor",
    "aurora": "{} northern lights over mountains",
}


def scene_list() -> list[dict]:
    """Every scene: family, attribute, value, prompt."""
    scenes = []
    for family, key in KEYS.items():
        for value in FAMILIES[family].ATTRIBUTES[key]:
            prompt = PROMPTS[family].format(value)
            prompt = prompt.replace("a grass floor", "grass")
            scenes.append({"family": family, "attribute": key, "value": value,
                           "prompt": prompt})
    return scenes


def _cells(pictures: np.ndarray) -> np.ndarray:
    """Means of [height, width, …] over the 3×3 grid: [9, …]."""
    height, width = pictures.shape[:2]
    rows = np.arange(height) * 3 // height
    columns = np.arange(width) * 3 // width
    return np.stack([pictures[rows == r][:, columns == c].mean(axis=(0, 1))
                     for r in range(3) for c in range(3)])


def features(frames: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """frames uint8 [n, height, width, 3], samples float [m, 2] in ±1."""
    colour = _cells(frames.mean(axis=0, dtype=np.float64) / 255)
    luma = frames.mean(axis=3, dtype=np.float32) / 255
    motion = _cells(np.abs(np.diff(luma, axis=0)).mean(axis=0))
    flicker = luma.mean(axis=(1, 2), dtype=np.float64).std()

    spectrum = []
    mono = samples.mean(axis=1, dtype=np.float64)
    for _ in range(OCTAVES):
        pairs = mono[:len(mono) // 2 * 2].reshape(-1, 2) / np.sqrt(2)
        spectrum.append(((pairs[:, 0] - pairs[:, 1]) ** 2).mean())
        mono = pairs.sum(axis=1)
    blocks = samples[:len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK * 2)
    power = np.log10(1e-7 + (blocks.astype(np.float64) ** 2).mean(axis=1))
    return np.concatenate([
        colour.ravel(),
        np.log10(1e-3 + motion),
        [np.log10(1e-3 + flicker)],
        np.log10(1e-7 + np.array(spectrum)),
        [power.std(), power.max() - power.mean()],
    ])


def _discriminants(table: np.ndarray, labels: np.ndarray, scenes: int) -> dict:
    """Linear discriminants of features [n, f] with the indices of scenes."""
    mean = table.mean(0)
    middles = np.stack([table[labels == i].mean(0) for i in range(scenes)])
    scatter = table - middles[labels]
    covariance = scatter.T @ scatter / len(scatter)
    covariance += SHRINKAGE * np.diag(np.diag(covariance)) + 1e-6 * np.eye(len(mean))
    variances, axes = np.linalg.eigh(covariance)
    whiten = axes / np.sqrt(variances)
    _, _, turn = np.linalg.svd((middles - mean) @ whiten, full_matrices=False)
    projection = (whiten @ turn[:scenes - 1].T).T
    centroids = (middles - mean) @ projection.T
    distances = np.linalg.norm(scatter @ projection.T, axis=1)
    radii = [RADIUS_SLACK * np.quantile(distances[labels == i], .99)
             for i in range(scenes)]
    return {"mean": mean, "projection": projection, "centroids": centroids,
            "radii": np.array(radii)}


def fit(table: np.ndarray, labels: np.ndarray) -> dict:
    """The contents of scenes.json for features [n, 47], scene indices [n]."""
    known: dict = {"scenes": scene_list()}
    for part, columns in PARTS.items():
        known[part] = _discriminants(table[:, columns], labels, len(known["scenes"]))
    return known


def distances(known: dict, values: np.ndarray, part: str) -> np.ndarray:
    """Distances of features [n, 47] from the scenes by one part: [n, scenes]."""
    statistics = {name: np.array(value) for name, value in known[part].items()}
    moved = values[:, PARTS[part]] - statistics["mean"]
    places = moved @ statistics["projection"].T
    return np.linalg.norm(places[:, None] - statistics["centroids"], axis=2)


def _soften(frames: np.ndarray, blur: float, blocks: bool) -> np.ndarray:
    """Frames as a poor codec leaves them."""
    if blur:
        frames = gaussian_filter(frames, (0, blur, blur, 0))
    if blocks:
        count, height, width, _ = frames.shape
        cells = frames.reshape(count // 4, 4, height // 8, 8, width // 8, 8, 3)
        cells = cells.mean(axis=(1, 3, 5)).astype(np.uint8)
        frames = cells.repeat(4, 0).repeat(8, 1).repeat(8, 2)
    return frames


def read_set(folder: Path, blur: float = 0,
             blocks: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Features [n, 47] and scene indices [n] of a rendered set."""
    video = np.load(folder / "video.npy", mmap_mode="r")
    sound = np.load(folder / "sound.npy", mmap_mode="r")
    clips = json.loads((folder / "clips.json").read_text())
    names = [(scene["family"], scene["value"]) for scene in scene_list()]
    table, labels = [], []
    for pictures, samples, entry in zip(video, sound, clips):
        pictures = _soften(pictures[:SECONDS * 16], blur, blocks)
        table.append(features(pictures, samples[:SECONDS * 24000] / 32768))
        family = entry["family"]
        labels.append(names.index((family, entry["attributes"][KEYS[family]])))
    return np.stack(table), np.array(labels)


def _report(known: dict, table: np.ndarray, labels: np.ndarray) -> None:
    families = np.array([scene["family"] for scene in known["scenes"]])
    measured = {part: distances(known, table, part) for part in PARTS}
    measured["both"] = np.hypot(*measured.values())
    for part, away in measured.items():
        found = away.argmin(axis=1)
        text = (f"{part}: family {np.mean(families[found] == families[labels]):.4f}, "
                f"scene {np.mean(found == labels):.4f} right")
        if part in PARTS:
            shares = away.min(axis=1) / np.array(known[part]["radii"])[found]
            text += (f"; distance / radius: median {np.median(shares):.2f}, "
                     f"largest {shares.max():.2f}")
        print(text)


def _plain(value):
    if isinstance(value, np.ndarray):
        return [_plain(part) for part in value]
    return float(f"{value:.5g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=Path, required=True)
    parser.add_argument("--fit", type=Path, help="fit to this set, write scenes")
    parser.add_argument("--check", type=Path, help="accuracy over this set")
    parser.add_argument("--blur", type=float, default=0, help="sigma of --check")
    parser.add_argument("--blocks", action="store_true", help="8×8×4 means")
    parser.add_argument("--frames", type=Path, help="raw RGB frames")
    parser.add_argument("--size", default="192x112", help="of the raw frames")
    parser.add_argument("--samples", type=Path, help="raw F32 stereo samples")
    arguments = parser.parse_args()
    if arguments.fit:
        sets = [read_set(arguments.fit, blur, blocks)
                for blur, blocks in ((0, False), (2, False), (0, True))]
        known = fit(*(np.concatenate(parts) for parts in zip(*sets)))
        text = json.dumps(known, default=_plain)
        for mark in ("}, {", "], ["):
            text = text.replace(mark, mark.replace(" ", "\n  "))
        for part in PARTS:
            text = text.replace(f'"{part}"', f'\n "{part}"')
        arguments.scenes.write_text(text + "\n")
    known = json.loads(arguments.scenes.read_text())
    if arguments.check:
        _report(known, *read_set(arguments.check, arguments.blur, arguments.blocks))
    if arguments.frames:
        width, height = (int(part) for part in arguments.size.split("x"))
        frames = np.fromfile(arguments.frames, np.uint8).reshape(-1, height, width, 3)
        samples = np.fromfile(arguments.samples, "<f4").reshape(-1, 2)
        values = features(frames, samples)
        for part in PARTS:
            away = distances(known, values[None], part)[0]
            scene = known["scenes"][away.argmin()]
            share = away.min() / known[part]["radii"][away.argmin()]
            print(f"{part}: {scene['family']}, {scene['value']}; "
                  f"distance / radius {share:.2f}")


if __name__ == "__main__":
    main()
