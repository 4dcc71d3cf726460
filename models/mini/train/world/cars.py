# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Cars passing on a street at night, heard as they come, pass and go; each
thumps over a bump when it is in the middle."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import ACROSS, UP, X, Y, bell, colour, each, mix, outline, smoothstep

ATTRIBUTES = {
    "colour": ("red", "white", "yellow", "blue"),
    "heading": ("left", "right"),
    "speed": ("slow", "fast"),
    "road": ("dry", "wet"),
}

GRAMMAR = {
    "words": {
        "colour": {"red": ["red"], "white": ["white"], "yellow": ["yellow"],
                   "blue": ["blue"]},
        "heading": {"left": ["heading left", "driving left"],
                    "right": ["heading right", "driving right"]},
        "speed": {"slow": ["slow"], "fast": ["fast"]},
        "road": {"dry": ["dry"], "wet": ["wet"]},
    },
    "mains": [
        "{colour} cars at night",
        "a {colour} car passing on a {road} road",
        "{speed} {colour} cars passing",
        "a {speed} {colour} car {heading}",
        "{colour} cars {heading} on a {road} street at night",
        "night traffic in the city, {colour} cars",
        "cars {heading} at night",
        "{speed} cars on a {road} road",
        "{colour} cars {heading}",
    ],
    "clauses": {
        "colour": ["{colour} cars", "the car is {colour}"],
        "heading": ["{heading}", "cars {heading}"],
        "speed": ["{speed} cars", "{speed} traffic"],
        "road": ["{road} road", "on a {road} street"],
    },
}

COLOURS = {
    "red": colour(.95, .06, .05),
    "white": colour(.92, .94, .97),
    "yellow": colour(1, .80, .05),
    "blue": colour(.08, .30, 1),
}
# speed in picture units a second, time from car to car, Hz of the engine
SPEEDS = {"slow": (2.2, 1.95, 92), "fast": (4.1, 1.1, 150)}
KERB = -.46
SIZE = 1.3
# of the front wheel ahead of the car's middle
WHEEL = .40 * SIZE
HOP = .25
NEAR = .42
SOUND_SPEED = 11
REACH = 2.6
EARSHOT = 3.6
BEAM = colour(1, .92, .62)
PANE, TYRE, HUB = colour(.06, .09, .16), colour(.02, .02, .025), colour(.55, .57, .62)
LAMPS = ((.64, colour(1, .96, .75)), (-.66, colour(1, .05, .03)))


def _city(rng: np.random.Generator) -> Tensor:
    picture = canvas.gradient(colour(.13, .08, .22), colour(.02, .02, .09), -.4, 1)
    ground = int(np.searchsorted(-canvas.Y_LINE, -KERB)) // canvas.SCALE
    column = -int(rng.integers(0, 12))
    while column < canvas.COLUMNS:
        width = int(rng.integers(34, 54))
        roof = int(rng.integers(4, 34))
        wall = colour(.05, .06, .12) * rng.uniform(.7, 1.5)
        canvas.fill(picture, (roof, ground), (column, column + width - 1), wall)
        for row in range(roof + 6, ground - 12, 15):
            for place in range(column + 5, column + width - 11, 14):
                lit = rng.random() < .5
                glass = colour(.78, .56, .22) if lit else colour(.09, .11, .20)
                glass = glass * rng.uniform(.6, 1)
                canvas.fill(picture, (row, row + 9), (place, place + 8), glass)
        column += width
    return picture


class Car:
    """The picture of a car whose wheels touch the ground at KERB."""

    def __init__(self, tint: Tensor, way: int):
        self.tint = tint
        self.way = way
        self.rows = canvas.spell((canvas.Y_LINE > KERB - .03)
                                 & (canvas.Y_LINE < KERB + 1.2))

    def draw(self, picture: Tensor, x: np.ndarray, lift: np.ndarray) -> None:
        """Draw the car into frames, with its middle at x and its wheels at
        KERB + lift in each."""
        ahead = (canvas.X_LINE - x[:, None]) * self.way / SIZE
        v = (UP[self.rows] - KERB - each(lift)) / SIZE
        lit = canvas.spell((ahead > .62).any(0))
        part = picture[:, :, self.rows, lit]
        if part.numel():
            self._shine(part, self._along(ahead[:, lit]), v)
        near = np.abs(ahead) < .85
        columns = canvas.spell(near.any(0))
        part = picture[:, :, self.rows, columns]
        if part.numel():
            near = self._along(near[:, columns])
            self._paint(part, self._along(ahead[:, columns]), v, near)

    def _along(self, values: np.ndarray) -> Tensor:
        """Of the columns of each frame."""
        return canvas.put(values)[:, None, None]

    def _shine(self, part: Tensor, ahead: Tensor, v: Tensor) -> None:
        """The beam of the headlights."""
        u = (ahead - .66).clamp_(min=0)
        beam = bell(v - .30 + .08 * u, .07 + .20 * u)
        beam *= torch.exp(-1.5 * u) * (.75 * smoothstep(-.02, .06, ahead - .64))
        part.addcmul_(BEAM, beam)

    def _paint(self, part: Tensor, u: Tensor, v: Tensor, near: Tensor) -> None:
        """The car itself, where near is 1."""
        soft = canvas.PIXEL / SIZE
        over = (u.abs() - .58).clamp_(min=0), ((v - .30).abs() - .08).clamp_(min=0)
        hull = smoothstep(.12 + soft, .12 - soft, torch.hypot(*over))
        lean = (v - .40).clamp_(min=0)
        edge = (u + .08).abs() - (.47 - .55 * lean)
        cabin = smoothstep(soft, -soft, torch.maximum(edge, v - .76))
        skin = self.tint * (.50 + .75 * v.clamp(0, .7))
        part.lerp_(skin, torch.maximum(hull, cabin))
        inside = canvas.most(edge + .09, (v - .57).abs() - .12, .035 - (u + .08).abs())
        pane = PANE + .5 * (v - .45) * self.tint
        part.lerp_(pane, smoothstep(soft, -soft, inside))
        for place in (-.40, .40):
            radius = torch.hypot(u - place, v - .16)
            part.lerp_(TYRE, outline(.195, .165, radius))
            part.lerp_(HUB, outline(.10, .07, radius))
        for place, light in LAMPS:
            away = torch.hypot(u - place, v - .33)
            part.lerp_(light, outline(.11, .06, away))
            part.addcmul_(light, bell(away, .17).mul_(near * .45))


def _road(wet: bool) -> Tensor:
    """The ground below KERB, without reflections."""
    below = (KERB - Y).clamp(min=0)
    if wet:
        return colour(.03, .04, .08) + 0 * below
    tar = colour(.27, .25, .26) * (.75 + .55 * below)
    dash = outline(.05, .02, (below - .36).abs())
    dash = dash * smoothstep(-.1, .1, torch.sin(ACROSS * 5.5))
    kerb = outline(.07, .04, below)
    return mix(mix(tar, colour(.80, .78, .70), dash), colour(.42, .40, .42), kerb)


def _thump(rng: np.random.Generator) -> np.ndarray:
    count = int(.3 * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    tone = np.sin(2 * np.pi * (75 * time + .9 * (1 - np.exp(-35 * time))))
    rattle = sounds.filtered(sounds.noise(rng, count, 1), "bandpass", 250, 2500)
    sound = tone * np.exp(-15 * time) + 1.3 * rattle * np.exp(-50 * time)
    return .95 * sound * (1 - np.exp(-2500 * time))


def _hop(age: np.ndarray) -> np.ndarray:
    """Height of a car that hit the bump `age` seconds ago."""
    return .09 * np.sin(np.pi * age / HOP) * ((0 < age) & (age < HOP))


def _pass(rng: np.random.Generator, attributes: dict) -> tuple[np.ndarray, float]:
    """Sound [n, 2] of one car, and how long before the middle it starts."""
    speed, _, engine = SPEEDS[attributes["speed"]]
    way = -1 if attributes["heading"] == "left" else 1
    before = EARSHOT / speed
    count = int(2 * before * sounds.SAMPLE_RATE)
    time = sounds.seconds(count) - before
    place = way * speed * time
    distance = np.hypot(place, NEAR)
    phase = 2 * np.pi * engine * (time - distance / SOUND_SPEED)
    tone = sum(np.sin(k * phase) * share
               for k, share in ((1, .5), (2, 1), (3, .6), (4, .35)))
    white = sounds.noise(rng, count, 1)
    coming = smoothstep(.25, -.25, time)
    tyres = sounds.filtered(white, "bandpass", 700, 2200) * coming
    tyres += sounds.filtered(white, "bandpass", 400, 1200) * (1 - coming)
    sound = .13 * tone + .45 * tyres
    if attributes["road"] == "wet":
        sound += .50 * sounds.filtered(white, "bandpass", 2500, 7500)
    loudness = (NEAR / distance) ** 1.4 * smoothstep(before, before * .75, np.abs(time))
    sound = sounds.pan(.75 * sound * loudness, place)
    sounds.add_event(sound, sounds.pan(_thump(rng), 0), before)
    return sound, before


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, events."""
    duration = frames / canvas.FRAME_RATE
    speed, period, _ = SPEEDS[attributes["speed"]]
    way = -1 if attributes["heading"] == "left" else 1
    wet = attributes["road"] == "wet"
    passes = np.arange(-2, int(duration / period) + 4) * period
    passes = passes - rng.uniform(0, period)
    car = Car(COLOURS[attributes["colour"]], way)
    scene = mix(_city(rng), _road(wet), outline(KERB + .01, KERB - .01, Y))
    bump = torch.hypot((X - way * WHEEL) / .24, (Y - KERB) / .08)
    scene = mix(scene, colour(1, .55, .10), smoothstep(1.2, .8, bump))
    ground = int(np.searchsorted(-canvas.Y_LINE, -KERB))
    mirror = 2 * ground - 1 - np.arange(ground, canvas.HEIGHT)
    depth = np.arange(len(mirror))
    fade = canvas.put(.75 - .35 * depth / len(mirror))[:, None]

    def draw(frame: np.ndarray) -> Tensor:
        time = frame / canvas.FRAME_RATE
        picture = scene.repeat(len(frame), 1, 1, 1)
        for moment in passes:
            x = way * speed * (time - moment)
            seen = canvas.spell((-REACH - 1 < x * way) & (x * way < REACH))
            if len(x[seen]):
                car.draw(picture[seen], x[seen], _hop((time - moment)[seen]))
        if wet:
            turn = depth / canvas.SCALE * .55 + 5 * time[:, None]
            waves = canvas.SCALE * 1.6 * np.sin(turn)
            rows = np.clip(np.round(mirror + waves), 0, ground - 1).astype(int)
            picture[:, :, ground:] += canvas.pick(picture, rows) * fade
        return picture

    video = canvas.film(frames, draw)
    count = sounds.sample_count(frames)
    white = sounds.noise(rng, count)
    sound = sounds.filtered(white, "lowpass", 300) * .05
    if wet:
        sound += sounds.filtered(white, "highpass", 3000) * .012
    passing, before = _pass(rng, attributes)
    for moment in passes:
        sounds.add_event(sound, passing, moment - before)
    events = [sounds.event(moment, 0, "car") for moment in passes
              if 0 <= moment < duration]
    return video, sound, events
