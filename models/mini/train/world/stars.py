# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""A flight through stars and a coloured nebula, seen from a cockpit; the
ship's drone is higher when it is fast."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import WHITE, X, Y, bell, colour, mix, outline, smoothstep

ATTRIBUTES = {
    "colour": ("blue", "purple", "orange"),
    "speed": ("slow", "fast"),
    "count": ("few", "many"),
}

GRAMMAR = {
    "words": {
        "colour": {"blue": ["blue"], "purple": ["purple", "violet"],
                   "orange": ["orange"]},
        "speed": {"slow": ["slowly"], "fast": ["fast", "quickly"]},
        "count": {"few": ["few", "a few"], "many": ["many"]},
    },
    "mains": [
        "flying through {count} stars",
        "the {colour} nebula",
        "flying through the {colour} nebula",
        "flying {speed} through space",
        "a spaceship flying {speed} through {count} stars",
        "a spaceship in the {colour} nebula",
        "{count} stars around a spaceship",
        "flying {speed} through the {colour} nebula",
        "{colour} space with {count} stars",
    ],
    "clauses": {
        "colour": ["the {colour} nebula", "{colour} light in space"],
        "speed": ["flying {speed}", "{speed}"],
        "count": ["{count} stars", "with {count} stars"],
    },
}

# cloud, its bright middle
NEBULAS = {
    "blue": (colour(.04, .22, .80), colour(.30, .75, 1)),
    "purple": (colour(.50, .05, .62), colour(1, .40, .90)),
    "orange": (colour(.75, .22, .02), colour(1, .70, .20)),
}
# passages of the whole depth in a second
SPEEDS = {"slow": .16, "fast": .62}
COUNTS = {"few": 16, "many": 72}
PITCHES = {"slow": 73.4, "fast": 130.8}
# places and colours of the lamps on the board
LIGHTS = (
    (-.7, colour(.1, .9, .4)), (-.35, colour(1, .8, .1)), (0, colour(1, .2, .1)),
    (.35, colour(1, .8, .1)), (.7, colour(.1, .9, .4)),
)
NEAREST = .10
TAIL = (0, .035, .07, .105)


class Field:
    """Stars that fly outwards from the middle and come again from afar."""

    def __init__(self, rng: np.random.Generator, count: int, speed: float):
        self.speed = speed
        angle = (np.arange(count) * .618034 % 1) * 2 * np.pi
        away = np.sqrt(rng.uniform(.03, 1, count)) * .62
        self.x = np.cos(angle) * away * 1.4
        self.y = np.sin(angle) * away
        self.depth = (np.arange(count) + rng.uniform(0, 1, count)) / count
        self.depth = rng.permutation(self.depth)

    def at(self, time: np.ndarray) -> tuple[np.ndarray, ...]:
        """x, y, brightness and nearness 0…1 of every star and its tail at each
        time."""
        left = (self.depth - self.speed * time[:, None]) % 1
        parts = []
        for lag in TAIL:
            depth = NEAREST + left + lag * self.speed * 1.4
            near = (1 - left) ** 2
            fade = smoothstep(1, .85, left) * (1 - lag * 7) * (.25 + .75 * near)
            parts.append((self.x / depth, self.y / depth, fade, near))
        return tuple(np.concatenate(values, axis=1) for values in zip(*parts))


def _nebula(rng: np.random.Generator, kind: str) -> Tensor:
    cloud, bright = NEBULAS[kind]
    size = canvas.ROWS, canvas.COLUMNS
    rough = canvas.texture(rng, size, [(13, 16, 1), (5, 6, .35)])
    place = rng.uniform(-.5, .5), rng.uniform(-.2, .4)
    body = bell(torch.hypot((X - place[0]) * .6, Y - place[1]), .95)
    level = (body * (.75 + .42 * rough)).clamp(0, 1.2)
    picture = mix(colour(.01, .01, .035), cloud, smoothstep(.05, .75, level))
    return mix(picture, bright, .5 * smoothstep(.7, 1.2, level)) * .8


def _cockpit(tint: Tensor) -> tuple[Tensor, Tensor]:
    """Cover of the frame around the window, and its colours."""
    board = -.62 - .16 * (X / canvas.ASPECT) ** 2 - Y
    strut = X.abs() - 1.60 + .22 * (Y + .6)
    roof = Y - 1.02 + .16 * (X / canvas.ASPECT) ** 2
    inside = canvas.most(board, strut, roof)
    cover = outline(-.015, .015, inside)
    edge = smoothstep(.10, .0, inside)
    paint = mix(colour(.07, .08, .10), tint * .45 + colour(.10, .11, .13), edge)
    for place, light in LIGHTS:
        lamp = outline(.085, .055, torch.hypot(X - place, Y + .84))
        paint = mix(paint, light, lamp)
    return cover, paint


def _sound(rng: np.random.Generator, speed: str, count: int) -> np.ndarray:
    time = sounds.seconds(count)
    rush = sounds.filtered(sounds.noise(rng, count), "bandpass", 150, 900)
    sound = rush * (.045 if speed == "fast" else .02)
    pitch = PITCHES[speed]
    for ratio, level in ((1, .085), (2, .06), (3, .045), (4.5, .022)):
        swell = 1 + .25 * np.sin(2 * np.pi * .4 * ratio * time + rng.uniform(0, 6))
        for side in (0, 1):
            tone = np.sin(2 * np.pi * pitch * ratio * time + rng.uniform(0, 6))
            sound[:, side] += tone * swell * level
    return sound


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, no events."""
    speed = attributes["speed"]
    nebula = _nebula(rng, attributes["colour"])
    field = Field(rng, COUNTS[attributes["count"]], SPEEDS[speed])
    cloud, bright = NEBULAS[attributes["colour"]]
    cover, paint = _cockpit(cloud)
    still = mix(nebula, paint, cover)
    window = 1 - cover
    white = mix(bright, WHITE, .85)
    far, near = canvas.Blur(1.5), canvas.Blur(2.8)

    def draw(frame: np.ndarray) -> Tensor:
        x, y, weight, close = field.at(frame / canvas.FRAME_RATE)
        light = far(canvas.splat(x, y, weight * (1 - close))) * 12
        light += near(canvas.splat(x, y, weight * close)) * 34
        return torch.addcmul(still, white, light * window)

    video = canvas.film(frames, draw)
    return video, _sound(rng, speed, sounds.sample_count(frames)), []
