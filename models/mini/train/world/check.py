# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Checks of the world and of the analysis of sound; prints PASS lines."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from . import canvas, captions, clip, completions, sound, sounds
from .families import FAMILIES


def _tone(frequency: float, amplitude: float) -> np.ndarray:
    wave = amplitude * np.cos(2 * np.pi * frequency * sounds.seconds(24000))
    return np.stack([wave, wave], axis=1)


def check_captions() -> None:
    """All words are known, no caption is too long, and sides are true."""
    words = set(captions.vocabulary())
    assert len(words) <= 400
    rng = np.random.default_rng(1)
    for family, world in FAMILIES.items():
        for _ in range(500):
            attributes = {name: str(rng.choice(values))
                          for name, values in world.ATTRIBUTES.items()}
            text = captions.words_of(captions.caption(family, attributes, rng))
            assert set(text) <= words and len(text) < 24
            for side in ("left", "right"):
                told = attributes.get("heading", attributes.get("side"))
                assert side not in text or told == side
            if "lightning" in text and "no" not in text:
                assert attributes["lightning"] == "frequent"


def _completed(prompt: str) -> list[str]:
    """The attributes that rules put into words, whatever they draw."""
    present = set(captions.words_of(prompt))
    names = []
    for rule in completions.rules(["a ball"])[1:]:
        if (all(present & set(words) for words in rule["when"])
                and not present & set(rule["unless"])):
            names.append(completions.DRAWS[rule["draw"]])
    return names


def check_completions() -> None:
    """Nothing is told anew that a caption names, nor what a prompt names by a
    word that other families have for it."""
    rng = np.random.default_rng(2)
    for family, world in FAMILIES.items():
        for _ in range(50):
            attributes = {name: str(rng.choice(values))
                          for name, values in world.ATTRIBUTES.items()}
            text, named = captions.describe(family, attributes, rng)
            assert not named & set(_completed(text)), text
    for prompt, word, name in (("a ball", "slow", "speed"),
                               ("a ball", "orange", "colour"),
                               ("a ball", "snow", "floor"),
                               ("a storm", "noon", "time"),
                               ("drops", "huge", "size"),
                               ("a lighthouse", "day", "weather")):
        assert name in _completed(prompt), prompt
        assert name not in _completed(f"{prompt}, {word}"), (prompt, word)


def check_clips() -> None:
    """A seed makes one clip, and a named attribute is obeyed."""
    for family in FAMILIES:
        first, again = (clip.render(7, family, frames=8) for _ in range(2))
        assert (first.frames == again.frames).all()
        assert (first.samples == again.samples).all()
        assert first.frames.shape == (8, 112, 192, 3)
        assert first.samples.shape == (12000, 2)
    red = clip.render(3, "ball", {"colour": "red", "floor": "wooden"})
    blue = clip.render(3, "ball", {"colour": "blue", "floor": "wooden"})
    difference = red.frames.astype(int) - blue.frames
    assert difference[..., 0].mean() > 3 and difference[..., 2].mean() < -3


def check_blocks() -> None:
    """Frames drawn together are those that are drawn a few at a time."""
    block = canvas.BLOCK
    for family in FAMILIES:
        drawn = []
        for canvas.BLOCK in (24, 7):
            drawn.append(clip.render(5, family, frames=24).frames.astype(np.int16))
        away = np.abs(drawn[0] - drawn[1])
        assert away.max() <= 1 and (away > 0).mean() < 1e-3, family
    canvas.BLOCK = block


def check_events() -> None:
    """Sound rises, on the right side, when a ball bounces."""
    for side, loud in (("left", 0), ("right", 1)):
        made = clip.render(11, "ball", {"side": side, "speed": "slow"})
        power = (made.samples / 32768) ** 2
        for event in made.events:
            at = int(event["time"] * sounds.SAMPLE_RATE)
            if 1200 < at < len(power) - 1200:
                before, after = power[at - 480:at], power[at:at + 480]
                assert after.sum() > 20 * before.sum()
                assert after[:, loud].sum() > 5 * after[:, 1 - loud].sum()


def _rendered(folder: str, scale: int, families: list[str]) -> np.ndarray:
    """Frames [families, 4, HEIGHT, WIDTH, 3] of a process of its own."""
    options = ["--out", folder, "--count", len(families), "--frames", 4]
    options += ["--scale", scale, "--workers", 1, "--device", "cpu"]
    options += ["--families", *families]
    subprocess.run([sys.executable, "-m", "world.render", *map(str, options)],
                   cwd=Path(__file__).parents[1], check=True)
    return np.load(Path(folder, "video.npy"))


def check_scale() -> None:
    """Larger pictures show the same, where no texture is drawn at random for
    its size, and more sharply; of the others the same amount of light."""
    families = list(FAMILIES)
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        native = _rendered(small, 1, families).astype(np.float32)
        twice = _rendered(large, 2, families).astype(np.float32)
    shape = (*native.shape[:2], canvas.ROWS, 2, canvas.COLUMNS, 2, 3)
    halved = twice.reshape(shape).mean((3, 5))
    for i, family in enumerate(families):
        error = np.square(halved[i] - native[i]).mean()
        light = abs(halved[i].mean() - native[i].mean())
        if family in ("fireworks", "aurora", "cars", "clock", "forge", "lamp"):
            assert error < 60, (family, error)
        assert light < 16, (family, light)
    lamp = families.index("lamp")
    steps = [np.abs(np.diff(video[lamp], axis=2)).max() for video in (native, twice)]
    assert steps[1] > .9 * steps[0]


def check_analysis() -> None:
    """Tones keep level and frequency, noise its level and no tone."""
    for frequency in (98.0, 150.0, 300.0, 1000.0, 3000.0):
        values = sound.analyse(_tone(frequency, .2))[20:-20, :, 0]
        band = int(np.searchsorted(sound.EDGES, frequency)) - 1
        level, tonality, moved = values[:, :, band].mean(axis=0)
        place = sound.CENTRES[band] + sound.HALFWIDTHS[band] * moved / tonality
        assert tonality > .97 and abs(place - frequency) < .5
        assert abs(level - 10 * np.log10(.02)) < .2
    rng = np.random.default_rng(2)
    values = sound.analyse(rng.normal(0, .1, (48000, 2)))[:, :, 0]
    energy = (10 ** (values[:, 0] / 10)).mean(axis=0)
    expected = .01 * 4 * sound.HALFWIDTHS / sounds.SAMPLE_RATE
    assert np.abs(10 * np.log10(energy / expected))[3:].max() < 1.2
    assert values[:, 1].mean() < .05


def check_basis() -> None:
    """Tokens survive decoding and encoding, but for the bias of levels."""
    values = np.stack([sound.analyse(clip.render(seed).samples / 32768)
                       for seed in range(6)])
    basis = sound.fit_basis(values)
    tokens = basis.encode(values[0])
    assert tokens.shape == (16, sound.TOKENS_PER_CHUNK, sound.TOKEN_SIZE)
    basis.bias = basis.mean
    assert np.abs(basis.encode(basis.decode(tokens)) - tokens).max() < 1e-2


def main() -> None:
    torch.set_num_threads(1)
    for check in (check_captions, check_completions, check_clips, check_blocks,
                  check_scale, check_events, check_analysis, check_basis):
        check()
        print("PASS", check.__name__.removeprefix("check_"))


if __name__ == "__main__":
    main()
