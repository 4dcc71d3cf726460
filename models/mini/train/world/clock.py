# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""A wall clock whose pendulum swings; tick and tock sound at its extremes,
when the red hand steps on."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import X, Y, colour, each, mix, outline, smoothstep
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "material": ("wooden", "golden", "silver"),
    "speed": ("slow", "fast"),
    "wall": ("red", "green", "blue"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "words": {
        "material": {"wooden": ["wooden", "wood"], "golden": ["golden", "gold"],
                     "silver": ["silver"]},
        "speed": {"slow": ["slowly"], "fast": ["fast", "quickly"]},
        "wall": {"red": ["red"], "green": ["green"], "blue": ["blue"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "a {material} clock",
        "a ticking {material} clock",
        "a {material} clock on a {wall} wall",
        "a {material} clock ticking {speed}",
        "a {material} clock ticking {speed} on a {wall} wall",
        "a clock with a {material} pendulum swinging {speed}",
        "a big clock {side} on a {wall} wall",
        "the pendulum of a clock swinging {speed} {side}",
        "{material} clock {side} ticking {speed}",
    ],
    "clauses": {
        "material": ["a {material} clock", "a {material} pendulum"],
        "speed": ["ticking {speed}", "swinging {speed}"],
        "wall": ["on a {wall} wall", "the wall is {wall}"],
        "side": ["{side}", "the clock is {side}"],
    },
}

METALS = {
    "wooden": colour(.46, .22, .07),
    "golden": colour(1, .72, .12),
    "silver": colour(.80, .84, .90),
}
WALLS = {
    "red": colour(.62, .07, .09),
    "green": colour(.07, .42, .16),
    "blue": colour(.08, .20, .62),
}
# pitch of tick and of tock in Hz, decay in 1/s, second partial
TIMBRES = {
    "wooden": (620, 440, 30, 2.4),
    "golden": (1250, 930, 13, 2.76),
    "silver": (2100, 1580, 15, 2.76),
}
PERIODS = {"slow": 1.0, "fast": .52}
PAPER = colour(.97, .94, .84)
INK = colour(.08, .07, .10)
DIAL_Y = .42
DIAL = .36
FRAME = .50
LENGTH = 1.10
BOB = .25
SWING = .40
HAND = .24
STEPS = 12


def _within(distance: Tensor, radius: float,
            soft: float = .015 / canvas.SCALE) -> Tensor:
    """Cover of what is nearer than the radius."""
    return smoothstep(radius + soft, radius - soft, distance)


def _gloss(across: Tensor, up: Tensor) -> Tensor:
    """Light from the upper left on a round surface of radius 1."""
    return (1.05 - .35 * across + .40 * up).clamp_(.3, 1.9)


def _wall(rng: np.random.Generator, wall: Tensor, x: float) -> Tensor:
    stripes = torch.sin(X * 14 + rng.uniform(0, 6))
    light = 1 - .22 * torch.hypot(X - x, Y - .3)
    picture = wall * (light * (1 + .10 * smoothstep(-.3, .3, stripes)))
    distance = torch.hypot(X - x - .06, Y - DIAL_Y + .08)
    return picture * (1 - .5 * _within(distance, FRAME + .03, .11))


def _face(picture: Tensor, metal: Tensor, x: float) -> Tensor:
    """Adds the frame and the dial with its marks and its short hand."""
    distance = torch.hypot(X - x, Y - DIAL_Y)
    shine = _gloss((X - x) / FRAME, (Y - DIAL_Y) / FRAME)
    picture = mix(picture, metal * shine, _within(distance, FRAME))
    picture = mix(picture, metal * .35, _within(distance, DIAL + .03))
    picture = mix(picture, PAPER, _within(distance, DIAL - .01))
    for hour in range(12):
        angle = hour * np.pi / 6
        size = .048 if hour % 3 == 0 else .028
        across = X - x - .285 * np.sin(angle)
        up = Y - DIAL_Y - .285 * np.cos(angle)
        picture = mix(picture, INK, _within(torch.hypot(across, up), size))
    return picture


def _hand(picture: Tensor, x: float, angle: np.ndarray, length: float,
          width: float, tint: Tensor) -> None:
    """Draws a hand of the clock, at an angle for each frame, into the picture."""
    place = canvas.box(x - DIAL, x + DIAL, DIAL_Y - DIAL, DIAL_Y + DIAL)
    end = (each(x + length * np.sin(angle)), each(DIAL_Y + length * np.cos(angle)))
    away = canvas.distance_to_line(X[place], Y[place], (x, DIAL_Y), end)
    part = (..., *place)
    picture[part] = mix(picture[part], tint, _within(away, width))


class Pendulum:
    """Rod and bob, drawn below the dial."""

    def __init__(self, x: float, metal: Tensor):
        self.x = x
        self.metal = metal
        reach = LENGTH * np.sin(SWING) + BOB + .12
        self.place = canvas.box(x - reach, x + reach, -1, DIAL_Y - FRAME * .6)
        self.x_there, self.y_there = X[self.place], Y[self.place]
        below = torch.hypot(self.x_there - x, self.y_there - DIAL_Y)
        self.open = outline(FRAME - .02, FRAME + .02, below)

    def draw(self, picture: Tensor, angle: np.ndarray) -> None:
        x, y = self.x_there, self.y_there
        bob = (each(self.x + LENGTH * np.sin(angle)),
               each(DIAL_Y - LENGTH * np.cos(angle)))
        across, up = (x - bob[0]) / BOB, (y - bob[1]) / BOB
        radius = torch.hypot(across, up)
        part = (..., *self.place)
        under = picture[part]
        shade = torch.hypot(across - .22, up + .28)
        under = under * (1 - .45 * self.open * smoothstep(1.35, .7, shade))
        rod = canvas.distance_to_line(x, y, (self.x, DIAL_Y), bob)
        under = mix(under, self.metal * .75, outline(.055, .03, rod) * self.open)
        disc = self.metal * _gloss(across, up)
        disc = mix(disc, self.metal * .55, outline(.74, .82, radius))
        picture[part] = mix(under, disc, outline(1.06, .94, radius))


def _tick(rng: np.random.Generator, timbre: tuple, pitch: float) -> np.ndarray:
    count = int(.5 * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    decay, second = timbre[2:]
    tone = np.sin(2 * np.pi * pitch * time) * np.exp(-decay * time)
    tone += .4 * np.sin(2 * np.pi * pitch * second * time) * np.exp(-1.6 * decay * time)
    body = .5 * np.sin(2 * np.pi * 170 * time) * np.exp(-35 * time)
    click = sounds.filtered(sounds.noise(rng, count, 1), "lowpass", 5000)
    return (tone + body + click * np.exp(-250 * time)) * (1 - np.exp(-4000 * time))


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, events."""
    duration = frames / canvas.FRAME_RATE
    metal = METALS[attributes["material"]]
    period = PERIODS[attributes["speed"]] * rng.uniform(.96, 1.04)
    x = canvas.SIDES[attributes["side"]] + rng.uniform(-.08, .08)
    offset = rng.uniform(0, 2 * period)
    first = int(rng.integers(STEPS))
    still = _face(_wall(rng, WALLS[attributes["wall"]], x), metal, x)
    _hand(still, x, rng.uniform(0, 2 * np.pi, 1), .17, .035, INK)
    pendulum = Pendulum(x, metal)
    red = colour(.88, .08, .06)

    def draw(frame: np.ndarray) -> Tensor:
        swings = (frame / canvas.FRAME_RATE + offset) / period
        picture = still.repeat(len(frame), 1, 1, 1)
        pendulum.draw(picture, SWING * np.cos(np.pi * swings))
        step = (first + np.floor(swings)) * 2 * np.pi / STEPS
        _hand(picture, x, step, HAND, .030, red)
        return picture

    video = canvas.film(frames, draw)
    timbre = TIMBRES[attributes["material"]]
    room = sounds.noise(rng, sounds.sample_count(frames))
    sound = sounds.filtered(room, "lowpass", 500) * .03
    strokes = [sounds.pan(_tick(rng, timbre, pitch) * .36, x) for pitch in timbre[:2]]
    events = []
    for stroke in range(int((duration + offset) / period) + 1):
        time = stroke * period - offset
        sounds.add_event(sound, strokes[stroke % 2], time)
        if 0 <= time < duration:
            events.append(sounds.event(time, x, "tick"))
    return video, sound, events
