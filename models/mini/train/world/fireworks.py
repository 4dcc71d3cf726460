# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Fireworks over a city at night; each burst bangs when it opens."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import WHITE, colour, each, mix, smoothstep
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "colour": ("red", "green", "blue", "golden"),
    "size": ("small", "huge"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "words": {
        "colour": {"red": ["red"], "green": ["green"], "blue": ["blue"],
                   "golden": ["golden", "gold"]},
        "size": {"small": ["small", "little"], "huge": ["huge", "big", "large"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "{colour} fireworks",
        "{size} {colour} fireworks over the city",
        "{colour} {size} fireworks at night",
        "{size} {colour} fireworks exploding with bangs",
        "{colour} fireworks {side} over a city at night",
        "fireworks in {colour} {side}",
        "{colour} fireworks above the town",
        "{size} fireworks over a city",
    ],
    "clauses": {
        "colour": ["{colour} sparks", "all in {colour}"],
        "size": ["{size} bursts", "{size} explosions"],
        "side": ["{side}", "bursts {side}"],
    },
}

COLOURS = {
    "red": colour(1, .12, .08),
    "green": colour(.15, 1, .25),
    "blue": colour(.18, .38, 1),
    "golden": colour(1, .72, .18),
}
LIFE = 1.7
RISE = .6


def _shells(rng: np.random.Generator, x: float, huge: bool,
            duration: float) -> list[dict]:
    shells = []
    for time in sounds.schedule(rng, -1.6, duration + RISE, .55, 1.05):
        rays, rings = 18, 3
        angle = np.arange(rays * rings) * 2 * np.pi / rays + rng.uniform(0, 6)
        angle += np.repeat(np.arange(rings), rays) * np.pi / rays
        speed = np.repeat([1, .68, .34], rays) * rng.uniform(.93, 1.05, rays * rings)
        speed = speed * (1.05 if huge else .55)
        shells.append({"time": time, "x": x + rng.uniform(-.28, .28),
                       "y": rng.uniform(.12, .50), "speed_x": np.cos(angle) * speed,
                       "speed_y": np.sin(angle) * speed,
                       "seed": int(rng.integers(1 << 30))})
    return shells


def _trails(shell: dict, age: np.ndarray) -> list[tuple]:
    """Points x, y and weights of a shell of ages [F], with short tails."""
    age = age[:, None]
    shown = (0 <= age) & (age < LIFE)
    parts = []
    for lag, share in ((0, 1), (.035, .7), (.07, .45), (.105, .25)):
        flown = np.maximum(age - lag, 0)
        reach = (1 - np.exp(-2.4 * flown)) / 2.4 * 1.5
        fade = share * np.exp(-1.4 * age) * (1 - smoothstep(LIFE * .6, LIFE, age))
        parts.append((shell["x"] + shell["speed_x"] * reach,
                      shell["y"] + shell["speed_y"] * reach - .15 * flown * flown,
                      fade * shown))
    return parts


def _rocket(shell: dict, age: np.ndarray) -> tuple:
    """The climbing shell before it opens, at negative ages."""
    age = age[:, None]
    shown = (-RISE < age) & (age < 0)
    back = np.linspace(0, .14, 8)
    left = np.clip((back - age) / RISE, 0, 1)
    y = -.7 + (shell["y"] + .7) * (1 - left ** 2)
    return shell["x"], y, np.linspace(1, .1, 8) * shown


def _core(shell: dict, age: np.ndarray) -> tuple:
    """The flash of an opening shell."""
    shown = (0 <= age) & (age < LIFE)
    return shell["x"], shell["y"], (np.exp(-9 * age) * shown)[:, None]


def _city(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Cover of the skyline and brightness of its windows."""
    cover = np.zeros((canvas.HEIGHT, canvas.WIDTH), np.float32)
    windows = np.zeros_like(cover)
    column = 0
    while column < canvas.COLUMNS:
        width = int(rng.integers(14, 24))
        roof = canvas.ROWS - int(rng.integers(14, 32))
        canvas.fill(cover, (roof, canvas.ROWS), (column, column + width - 1), 1)
        for row in range(roof + 4, canvas.ROWS - 3, 7):
            for place in range(column + 3, column + width - 5, 6):
                if rng.random() < .55:
                    canvas.fill(windows, (row, row + 3), (place, place + 3),
                                rng.uniform(.6, 1))
        column += width
    return canvas.put(cover), canvas.put(windows)


def _bang(shell: dict, huge: bool) -> np.ndarray:
    rng = np.random.default_rng(shell["seed"])
    count = int(1.4 * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    white = sounds.noise(rng, count, 1)
    boom = sounds.filtered(white, "lowpass", 170 if huge else 400)
    boom = boom * np.exp(-time * (4.5 if huge else 8)) * (5.5 if huge else 2.6)
    snap = white * np.exp(-time * 60) * .8
    crackle = sounds.filtered(white * (rng.random(count) < .06), "bandpass", 2000, 7000)
    crackle = crackle * np.exp(-time * 3) * (1 - np.exp(-time * 7)) * 1.5
    return (boom + snap + crackle) * (1 - np.exp(-time * 2500))


def _whistle() -> np.ndarray:
    count = int(RISE * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    tone = np.sin(2 * np.pi * (850 * time + 800 * time * time))
    return tone * np.sin(np.pi * time / RISE) ** 2 * .05


def _sound(rng: np.random.Generator, shells: list[dict], huge: bool,
           count: int) -> np.ndarray:
    sound = sounds.filtered(sounds.noise(rng, count), "lowpass", 300) * .01
    whistle = _whistle()
    for shell in shells:
        bang = _bang(shell, huge) * (.42 if huge else .34)
        sounds.add_event(sound, sounds.pan(bang, shell["x"]), shell["time"])
        sounds.add_event(sound, sounds.pan(whistle, shell["x"]), shell["time"] - RISE)
    return sound


def _gather(parts: list[tuple]) -> Tensor:
    parts = [np.broadcast_arrays(*part) for part in parts]
    return canvas.splat(*(np.concatenate(values, axis=1) for values in zip(*parts)))


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, events."""
    duration = frames / canvas.FRAME_RATE
    huge = attributes["size"] == "huge"
    tint = COLOURS[attributes["colour"]]
    x = canvas.SIDES[attributes["side"]] * .9
    shells = _shells(rng, x, huge, duration)
    cover, windows = _city(rng)
    sky = canvas.gradient(colour(.07, .06, .17), colour(.01, .01, .05), -.8, .8)
    city = colour(.015, .015, .03) + colour(.85, .62, .25) * windows * .7
    point, glow, flash = canvas.Blur(1.35), canvas.Blur(6), canvas.Blur(3.5)
    burning, climbing = mix(tint, WHITE, .25), colour(1, .85, .6)

    def draw(frame: np.ndarray) -> Tensor:
        light = np.zeros(len(frame))
        sparks, cores, rockets = [], [], []
        for shell in shells:
            age = frame / canvas.FRAME_RATE - shell["time"]
            if ((0 <= age) & (age < LIFE)).any():
                sparks += _trails(shell, age)
                cores.append(_core(shell, age))
                light += np.exp(-4 * age) * ((0 <= age) & (age < LIFE))
            if ((-RISE < age) & (age < 0)).any():
                rockets.append(_rocket(shell, age))
        picture = torch.addcmul(sky, tint, each(.10 * light))
        if sparks:
            stars = _gather(sparks)
            core = point(stars) * 13
            picture.addcmul_(tint, glow(stars) * 16)
            picture.addcmul_(mix(tint, WHITE, (core * .25 - .2).clamp_(0, .45)), core)
            picture.addcmul_(burning, flash(_gather(cores)) * 70)
        if rockets:
            picture.addcmul_(climbing, point(_gather(rockets)) * 7)
        below = city + tint * each(.06 * np.minimum(light, 1.5))
        return mix(picture, below, cover)

    video = canvas.film(frames, draw)
    sound = _sound(rng, shells, huge, sounds.sample_count(frames))
    events = [sounds.event(s["time"], s["x"], "burst") for s in shells
              if 0 <= s["time"] < duration]
    return video, sound, events
