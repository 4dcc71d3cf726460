# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Swans on a lake; one lifts its head and opens its beak with every call."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import UP, X, Y, Y_LINE, bell, colour, each, mix, outline, smoothstep
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "colour": ("white", "black", "brown"),
    "count": ("one", "two"),
    "time": ("dawn", "day"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "aliases": {"birds": "count"},
    "words": {
        "colour": {"white": ["white"], "black": ["black"], "brown": ["brown"]},
        "count": {"one": ["one", "a single"], "two": ["two", "a pair of"]},
        "birds": {"one": ["swan", "bird"], "two": ["swans", "birds"]},
        "time": {"dawn": ["dawn", "sunrise"], "day": ["day", "noon", "midday"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "{count} {birds} calling on a lake",
        "{count} {colour} {birds} on a lake",
        "{count} {colour} {birds} on a lake at {time}",
        "a lake at {time}, {count} {birds} {side}",
        "{colour} {birds} calling {side}",
        "{count} {colour} {birds} swimming on still water",
        "birds calling on a lake at {time}",
        "{count} {colour} {birds} {side}",
        "a quiet lake with {count} {colour} {birds}",
    ],
    "clauses": {
        "colour": ["all {colour}", "{colour} feathers"],
        "count": ["{count} {birds}"],
        "time": ["at {time}", "{time}"],
        "side": ["{side}", "calling {side}"],
    },
}

# feathers, their shade
COLOURS = {
    "white": (colour(1, 1, .98), colour(.66, .72, .82)),
    "black": (colour(.07, .07, .10), colour(.01, .01, .02)),
    "brown": (colour(.56, .30, .12), colour(.30, .14, .05)),
}
BEAK = colour(1, .42, .04)
# zenith, horizon, hills, water far and near
TIMES = {
    "dawn": (colour(.55, .42, .68), colour(1, .72, .50), colour(.38, .26, .42),
             colour(.95, .66, .58), colour(.46, .34, .58)),
    "day": (colour(.30, .62, .95), colour(.78, .90, 1), colour(.16, .42, .22),
            colour(.55, .80, .92), colour(.10, .40, .58)),
}
HORIZON = .40
WATER_LINE = -.42
CALL = .34
# Hz of the two swans' calls
PITCHES = (620, 470)
# between a closed and an open beak
STEPS = 6


def _opening(age: np.ndarray) -> np.ndarray:
    """How far the beak is open, 0…1, `age` seconds after a call began."""
    return smoothstep(-.03, .05, age) * smoothstep(CALL + .08, CALL - .04, age)


class Swan:
    """A swan at x that looks along `way`; u runs ahead, v up from the water."""

    def __init__(self, tints: tuple, x: float, way: int, size: float):
        self.feathers, self.shade = tints
        self.x = x
        box = canvas.box(x - size, x + 1.05 * size, WATER_LINE - .15,
                         WATER_LINE + 1.65 * size)
        self.box = (..., *box)
        self.u = (X[box] - x) * way / size
        self.v = (Y[box] - WATER_LINE) / size
        self.soft = canvas.PIXEL / size
        self.sprites = self._paint(np.arange(STEPS + 1) / STEPS)

    def _capsule(self, start: tuple, end: tuple, radius: float) -> Tensor:
        along = canvas.distance_to_line(self.u, self.v, start, end)
        return smoothstep(radius + self.soft, radius - self.soft, along)

    def _paint(self, openings: np.ndarray) -> Tensor:
        """Colours weighted with their cover, and the cover, of a swan whose beak
        is open so far: [openings, 4, rows, columns]."""
        u, v = self.u, self.v
        opening = each(openings)
        sprite = canvas.zeros(len(openings), 4, *u.shape)

        def add(tint: Tensor, cover: Tensor) -> None:
            sprite[:, :3] = mix(sprite[:, :3], tint, cover)
            sprite[:, 3:] = mix(sprite[:, 3:], 1, cover)

        tail = (-u).clamp(0, 1)
        body = torch.hypot((u + .12) / .70, (v - .18 - .26 * tail ** 2) / .30)
        lit = (.45 + .9 * v - .2 * u).clamp(0, 1)
        add(mix(self.shade, self.feathers, lit), outline(1.06, .94, body))
        wing = torch.hypot((u + .26) / .44, (v - .28) / .20)
        rim = mix(self.shade, self.feathers, .45 + .55 * smoothstep(.95, .75, wing))
        add(rim, outline(1.05, .95, wing))
        head = 1.00 + .14 * opening
        neck = ((.40, .26), (.58, .50), (.46, .78 + .6 * (head - 1)), (.54, head))
        for start, end in zip(neck, neck[1:]):
            add(self.feathers, self._capsule(start, end, .11))
        add(self.feathers, self._capsule((.54, head), (.62, head), .145))
        for turn in (.05 + .25 * opening, -.05 - .17 * opening):
            tip = (.97 - .05 * opening, head - .02 + turn)
            add(BEAK, self._capsule((.74, head - .02), tip, .065))
        return sprite

    def sprite(self, opening: np.ndarray, lift: np.ndarray) -> Tensor:
        """The painted swan of each frame, `lift` points above its place."""
        step = np.rint(opening * STEPS).astype(int)
        lift = lift * canvas.SCALE
        whole = np.floor(lift).astype(int)
        count = self.u.shape[0]
        rows = (np.arange(count + 1) + whole[:, None]) % count
        taken = canvas.pick(self.sprites, rows, step)
        return mix(taken[:, :, :-1], taken[:, :, 1:], each(lift - whole))


def _lake(rng: np.random.Generator, time: str) -> Tensor:
    zenith, low, hills, far, near = TIMES[time]
    picture = canvas.gradient(low, zenith, HORIZON, 1)
    if time == "dawn":
        sun = torch.hypot(X - rng.uniform(-.3, .3), Y - HORIZON - .12)
        picture = picture + colour(.35, .25, .05) * bell(sun, .5)
        picture = mix(picture, colour(1, .93, .62), outline(.25, .21, sun))
    a, b = rng.uniform(0, 6, 2)
    line = HORIZON + .13 + .07 * torch.sin(1.5 * X + a) + .03 * torch.sin(4 * X + b)
    picture = mix(picture, hills, outline(.015, -.015, Y - line))
    water = canvas.gradient(near, far, -1, HORIZON)
    return mix(picture, water, outline(.015, -.015, Y - HORIZON))


def _call(pitch: float) -> np.ndarray:
    count = int((CALL + .05) * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    tone = sum(np.sin(2 * np.pi * k * pitch * time) * share
               for k, share in ((1, 1), (2, .75), (3, .45), (4, .2)))
    swell = 1 - np.exp(-time * 400)
    return tone * swell * (.75 + .25 * np.exp(-12 * time)) * smoothstep(
        CALL + .04, CALL - .10, time)


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, events."""
    duration = frames / canvas.FRAME_RATE
    x = canvas.SIDES[attributes["side"]] + rng.uniform(-.06, .06)
    tints = COLOURS[attributes["colour"]]
    if attributes["count"] == "one":
        swans = [Swan(tints, x, 1 if x < 0 else -1, .78)]
    else:
        swans = [Swan(tints, .7 * x - .62, 1, .56), Swan(tints, .7 * x + .62, -1, .56)]
    calls = [(time, i % len(swans)) for i, time in
             enumerate(sounds.schedule(rng, -1, duration, .70, 1.05))]
    scene = _lake(rng, attributes["time"])
    bottom = int(np.searchsorted(-Y_LINE, -WATER_LINE))
    mirror = 2 * bottom - 1 - np.arange(bottom, canvas.HEIGHT)
    depth = np.arange(len(mirror))
    fade = canvas.put(.60 - .30 * depth / len(depth))[:, None]
    glints = canvas.texture(rng, (canvas.ROWS, 512), [(1.8, 14, 1)])
    glints *= .07 * smoothstep(HORIZON, HORIZON - .15, UP)
    glints = canvas.Periodic(glints)
    phases = rng.uniform(0, 6, 2)

    def draw(frame: np.ndarray) -> Tensor:
        time = frame / canvas.FRAME_RATE
        picture = scene + glints.slide(256 + 9 * time)
        layer = canvas.zeros(len(frame), 4, canvas.HEIGHT, canvas.WIDTH)
        for k, swan in enumerate(swans):
            opening = np.max([_opening(time - moment) * (who == k)
                              for moment, who in calls], axis=0)
            sprite = swan.sprite(opening, 1.6 * np.sin(2.2 * time + phases[k]))
            layer[swan.box] = layer[swan.box] * (1 - sprite[:, 3:]) + sprite
        turn = depth / canvas.SCALE * .7 + 4 * time[:, None]
        waves = canvas.SCALE * 1.5 * np.sin(turn)
        rows = np.clip(np.round(mirror + waves), 0, bottom - 1).astype(int)
        seen = canvas.pick(layer, rows) * fade
        water = picture[:, :, bottom:]
        water *= 1 - seen[:, 3:]
        water += seen[:, :3]
        return (picture * (1 - layer[:, 3:])).add_(layer[:, :3])

    video = canvas.film(frames, draw)
    white = sounds.noise(rng, sounds.sample_count(frames))
    sound = sounds.filtered(white, "lowpass", 500) * .045
    events = []
    for moment, who in calls:
        place = swans[who].x
        call = sounds.pan(_call(PITCHES[who]) * .20, place)
        sounds.add_event(sound, call, moment)
        if 0 <= moment < duration:
            events.append(sounds.event(moment, place, "call"))
    return video, sound, events
