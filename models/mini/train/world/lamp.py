# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""A lava lamp whose blobs rise and sink; it hums and bubbles."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import (
    ACROSS, UP, WHITE, X, Y, bell, colour, each, least, mix, outline, smoothstep,
)
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "colour": ("red", "green", "purple", "blue"),
    "liquid": ("dark", "yellow"),
    "speed": ("slow", "fast"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "words": {
        "colour": {"red": ["red"], "green": ["green"],
                   "purple": ["purple", "violet"], "blue": ["blue"]},
        "liquid": {"dark": ["dark water", "a dark lamp"],
                   "yellow": ["yellow water", "a yellow lamp"]},
        "speed": {"slow": ["slowly"], "fast": ["fast", "quickly"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "a lava lamp",
        "a lava lamp with {colour} blobs",
        "a {colour} lava lamp bubbling {speed}",
        "{colour} blobs rising {speed} in a lava lamp",
        "{colour} lava in {liquid}",
        "a lava lamp {side} with {colour} lava",
        "{colour} blobs moving {speed} in {liquid}",
        "{colour} lava lamp {side}",
        "big {colour} blobs rising in {liquid}",
    ],
    "clauses": {
        "colour": ["{colour} lava", "{colour} blobs"],
        "liquid": ["in {liquid}"],
        "speed": ["moving {speed}", "bubbling {speed}"],
        "side": ["{side}", "the lamp is {side}"],
    },
}

BLOBS = {
    "red": colour(1, .07, .04),
    "green": colour(.08, .85, .12),
    "purple": colour(.62, .08, .90),
    "blue": colour(.06, .28, 1),
}
# liquid below and above, wall near and far from the lamp
LIQUIDS = {
    "dark": (colour(.16, .13, .26), colour(.04, .04, .10),
             colour(.16, .15, .24), colour(.03, .03, .06)),
    "yellow": (colour(1, .88, .40), colour(1, .66, .16),
               colour(.80, .50, .22), colour(.26, .13, .06)),
}
# seconds from the bottom to the top and back
PERIODS = {"slow": 9.0, "fast": 3.2}
BOTTOM = -.58
TOP = .74
COUNT = 5


def _half_width(y: Tensor) -> Tensor:
    """Of the glass, which is widest just above its foot."""
    return .50 - .17 * smoothstep(-.3, TOP, y) - .10 * smoothstep(-.35, BOTTOM, y)


class Lava:
    """Blobs that melt into each other."""

    def __init__(self, rng: np.random.Generator, x: float, period: float):
        self.place = canvas.box(x - .56, x + .56, BOTTOM, TOP)
        self.x = ACROSS[self.place[1]] - x
        self.y = UP[self.place[0]]
        self.radii = rng.uniform(.115, .165, COUNT)
        self.pace = 2 * np.pi / period * rng.uniform(.75, 1.2, COUNT)
        self.phases = np.arange(COUNT) * 2 * np.pi / COUNT + rng.uniform(0, .9, COUNT)
        self.across = rng.permutation(np.linspace(-.20, .20, COUNT))

    def field(self, time: np.ndarray) -> Tensor:
        """Above 1 inside the lava."""
        turn = self.pace * time[:, None] + self.phases
        y = .06 - .58 * np.cos(turn)
        x = self.across * (1.1 - .5 * y) + .04 * np.sin(.8 * turn + 2 * self.phases)
        tall = 1 + .28 * np.sin(turn) ** 2
        pool = (self.y - BOTTOM + .02).clamp(min=.03)
        total = (.085 / pool) ** 2
        for k, radius in enumerate(self.radii):
            high = each(tall[:, k])
            away = ((self.x - each(x[:, k])) * high).square_()
            away = away + ((self.y - each(y[:, k])) / high).square_().add_(.004)
            total = total + away.reciprocal_().mul_(radius ** 2)
        return total


def _lamp(x: float, liquid: tuple, tint: Tensor) -> tuple[Tensor, Tensor]:
    """The scene without lava, and the cover of the glass."""
    low, high, near, far = liquid
    near = near + tint * .22
    distance = torch.hypot(X - x, (Y - .05) * .8)
    picture = mix(far, near, bell(distance, .75))
    table = outline(-.80, -.84, Y)
    picture = mix(picture, near * .55, table)
    away = (X - x).abs()
    inside = least(_half_width(Y) - away, Y - BOTTOM, TOP - Y)
    glass = outline(-.015, .02, inside)
    picture = mix(picture, mix(low, high, smoothstep(BOTTOM, TOP, Y)), glass)
    shine = .62 + .38 * torch.cos((X - x - .12) * 5)
    metal = colour(.74, .76, .82) * shine.clamp(.3, 1)
    foot = .38 + .16 * smoothstep(BOTTOM - .02, -.95, Y)
    base = least(foot - away, BOTTOM - Y + .02, Y + .95)
    picture = mix(picture, metal, outline(-.015, .015, base))
    cap = least(.33 - .35 * (Y - TOP) - away, Y - TOP + .02, .95 - Y)
    return mix(picture, metal, outline(-.015, .015, cap)), glass


def _bubble(pitch: float) -> np.ndarray:
    count = int(.16 * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    phase = pitch * (time + 2.2 * time * time)
    return np.sin(2 * np.pi * phase) * np.exp(-26 * time) * (1 - np.exp(-300 * time))


def _sound(rng: np.random.Generator, x: float, fast: bool,
           count: int) -> np.ndarray:
    time = sounds.seconds(count)
    hum = np.zeros(count, np.float32)
    for pitch, level in ((100, .07), (200, .05), (300, .025)):
        hum += level * np.sin(2 * np.pi * pitch * time + rng.uniform(0, 6))
    hum += sounds.filtered(sounds.noise(rng, count, 1), "lowpass", 500) * .02
    sound = sounds.pan(hum, x)
    gaps = (.08, .26) if fast else (.35, .9)
    for start in sounds.schedule(rng, -.2, count / sounds.SAMPLE_RATE, *gaps):
        bubble = _bubble(rng.uniform(330, 620)) * rng.uniform(.14, .26)
        sounds.add_event(sound, sounds.pan(bubble, x), start)
    return sound


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, no events."""
    tint = BLOBS[attributes["colour"]]
    x = canvas.SIDES[attributes["side"]] + rng.uniform(-.08, .08)
    lava = Lava(rng, x, PERIODS[attributes["speed"]])
    still, glass = _lamp(x, LIQUIDS[attributes["liquid"]], tint)
    part = (..., *lava.place)
    under, glass = still[part], glass[lava.place]
    light = mix(1.15, .75, smoothstep(BOTTOM, TOP, lava.y))
    gleam = WHITE * (.30 * bell(lava.x + .24, .05)) * glass

    def draw(frame: np.ndarray) -> Tensor:
        picture = still.repeat(len(frame), 1, 1, 1)
        field = lava.field(frame / canvas.FRAME_RATE)
        depth = smoothstep(.95, 2.6, field)
        skin = tint * (light * (.62 + .42 * depth)) + .10 * depth
        picture[part] = mix(under, skin, outline(.90, 1.10, field) * glass) + gleam
        return picture

    video = canvas.film(frames, draw)
    fast = attributes["speed"] == "fast"
    return video, _sound(rng, x, fast, sounds.sample_count(frames)), []
