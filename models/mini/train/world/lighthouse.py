# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""A lighthouse at night whose beam sweeps over the sea; when it meets the
eye, everything flashes and the foghorn sounds."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import (
    ACROSS, UP, WHITE, X, Y, bell, colour, each, mix, outline, smoothstep,
)
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "colour": ("white", "red", "green"),
    "pace": ("slow", "fast"),
    "weather": ("clear", "foggy"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "words": {
        "colour": {"white": ["white"], "red": ["red"], "green": ["green"]},
        "pace": {"slow": ["slowly"], "fast": ["fast", "quickly"]},
        "weather": {"clear": ["clear"], "foggy": ["foggy"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "a lighthouse at night",
        "a lighthouse with a {colour} light",
        "a lighthouse flashing {pace} with a {colour} light",
        "a lighthouse on a {weather} night",
        "a lighthouse {side}, flashing {pace}",
        "{colour} lighthouse flashes over the sea",
        "a {colour} beam of a lighthouse turning {pace}",
        "a lighthouse by the sea on a {weather} night, {colour} light",
        "{weather} night at the sea with a lighthouse {side}",
    ],
    "clauses": {
        "colour": ["{colour} light", "a {colour} beam"],
        "pace": ["flashing {pace}", "turning {pace}"],
        "weather": ["a {weather} night", "{weather} sky"],
        "side": ["{side}", "the lighthouse is {side}"],
    },
}

LIGHTS = {
    "white": colour(1, .97, .82),
    "red": colour(1, .10, .06),
    "green": colour(.10, 1, .30),
}
# sky above, sky at the horizon, sea; strength of the beam and of the halo
WEATHERS = {
    "clear": (colour(.01, .02, .10), colour(.08, .14, .36), colour(.02, .07, .17),
              .75, .8),
    "foggy": (colour(.17, .19, .22), colour(.36, .39, .42), colour(.20, .24, .26),
              .85, 1.2),
}
PERIODS = {"slow": 1.3, "fast": .70}
PITCHES = {"clear": 220, "foggy": 110}
HORIZON = -.42
LAMP = .56
BASE = -.70


def _solid(*depths: Tensor) -> Tensor:
    """Cover of where all depths inside a shape are above 0."""
    return outline(-.015, .015, canvas.least(*depths))


def _tower(picture: Tensor, x: float, haze: float) -> Tensor:
    """Adds the rock and the tower, as dim as the night leaves them."""
    away = X - x
    grey = colour(.36, .39, .42) * haze
    rock = BASE + .20 * bell(away, .42) + .03 * torch.sin(9 * away)
    rock = rock - .75 * (away.abs() - .45).clamp(min=0) - Y
    picture = mix(picture, colour(.07, .06, .07) + grey * .3, _solid(rock))
    half = .22 - .085 * smoothstep(BASE, LAMP, Y)
    red = smoothstep(-.2, .2, torch.sin((Y - BASE) * 2 * np.pi / .46))
    paint = mix(colour(.78, .78, .80), colour(.62, .08, .07), red)
    shade = (.80 - 1.6 * away).clamp(.35, 1.1)
    body = _solid(half - away.abs(), Y - BASE + .08, LAMP - .13 - Y)
    picture = mix(picture, paint * shade * (1 - .3 * haze) + grey * .3, body)
    dark = colour(.10, .10, .13) + grey * .3
    gallery = _solid(.22 - away.abs(), .04 - (Y - LAMP + .14).abs())
    picture = mix(picture, dark, gallery)
    roof = _solid(.17 - (Y - LAMP - .11) * .95 - away.abs(), Y - LAMP - .11)
    return mix(picture, dark, roof)


class Beam:
    """Light of the lamp as it turns; at angle π/2 it meets the eye."""

    def __init__(self, x: float, strength: float, halo: float):
        self.ahead = ACROSS - x
        self.away = self.ahead.abs()
        self.off = (UP - LAMP).abs()
        distance = torch.hypot(self.ahead, UP - LAMP)
        self.near = bell(distance, .30)
        self.wide = bell(distance, 1.15)
        self.strength = strength
        self.halo = halo

    def light(self, angle: np.ndarray) -> tuple[Tensor, Tensor]:
        """Brightness [F, 1, HEIGHT, WIDTH], and that of the flash, of each
        frame."""
        across, towards = np.cos(angle), np.sin(angle)
        long = np.maximum(np.abs(across), .05)
        half = .05 + self.away * each(.17 / long)
        cone = (1.25 - self.off / half).clamp_(0, 1)
        power = self.strength * np.minimum(long * 2.5, 1) * (.85 + .25 * towards)
        reach = torch.exp(self.away * each(-.55 / long)) * each(power)
        cone *= reach * (self.ahead * each(np.sign(across) * 12) + .2).clamp_(0, 1)
        flash = each(np.maximum(towards, 0) ** np.where(across > 0, 30, 8))
        glow = self.near * (.55 + 1.3 * flash) + self.wide * (self.halo * flash)
        return cone + glow, flash


def _horn(pitch: float, length: float) -> np.ndarray:
    count = int((length + .25) * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    tone = np.zeros(count, np.float32)
    for ratio, level in ((1, 1), (2, .7), (3, .5), (4, .25), (5, .15)):
        tone += level * np.sin(2 * np.pi * pitch * ratio * time)
    release = smoothstep(length + .2, length, time)
    return tone * release * (1 - np.exp(-400 * time))


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, events."""
    duration = frames / canvas.FRAME_RATE
    tint = LIGHTS[attributes["colour"]]
    period = PERIODS[attributes["pace"]] * rng.uniform(.96, 1.04)
    offset = rng.uniform(0, period)
    x = canvas.SIDES[attributes["side"]] + rng.uniform(-.08, .08)
    clear = attributes["weather"] == "clear"
    high, low, water, strength, halo = WEATHERS[attributes["weather"]]
    picture = mix(low, high, smoothstep(HORIZON, .7, Y))
    if clear:
        stars = canvas.splat(rng.uniform(-1.7, 1.7, (1, 20)),
                             rng.uniform(-.1, 1, (1, 20)), rng.uniform(.5, 1, (1, 20)))
        picture = picture + colour(.9, .95, 1) * (canvas.Blur(1.2)(stars[0]) * 5)
    else:
        bank = canvas.texture(rng, (canvas.ROWS, canvas.COLUMNS), [(7, 22, 1)])
        picture = picture * (1 + .13 * bank)
    sea = smoothstep(HORIZON + .01, HORIZON - .03, Y)
    still = _tower(mix(picture, water, sea), x, 0 if clear else 1)
    glass = _solid(.12 - (X - x).abs(), .12 - (Y - LAMP).abs())
    open_sea = sea * (_tower(still * 0, x, 0).abs().amax(0) < .01)
    below = slice(int(np.searchsorted(-canvas.Y_LINE, -HORIZON)), canvas.HEIGHT)
    depth = (HORIZON - Y[below]) * (1 + .8 * (HORIZON - Y[below]))
    wave = 26 * depth + .8 * torch.sin(3 * X[below] + rng.uniform(0, 6))
    mirror = bell(X[below] - x, .25 + .6 * depth)
    beam = Beam(x, strength, halo)

    def draw(frame: np.ndarray) -> Tensor:
        time = frame / canvas.FRAME_RATE
        turn = 2 * np.pi * (time + offset) / period + np.pi / 2
        light, flash = beam.light(turn)
        picture = torch.addcmul(still * (1 + .8 * flash), tint, light)
        crest = torch.sin(wave - each(3.2 * time))
        crest += .6 * torch.sin(1.7 * ACROSS + each(1.3 * time))
        crest = crest.clamp_(0, 1) * open_sea[below]
        shine = torch.addcmul(low * .35, tint, mirror * (.18 + .9 * flash))
        picture[:, :, below] += shine * crest
        lamp = mix(tint * (.8 + .4 * flash), WHITE, .25 + .6 * flash)
        return mix(picture, lamp, glass)

    video = canvas.film(frames, draw)
    count = sounds.sample_count(frames)
    surf = sounds.filtered(sounds.noise(rng, count), "bandpass", 200, 1500)
    swell = 1 + .4 * np.sin(2 * np.pi * .35 * sounds.seconds(count) + rng.uniform(0, 6))
    sound = surf * (.035 * swell)[:, None]
    horn = _horn(PITCHES[attributes["weather"]], .30 * period)
    horn = sounds.pan(horn * .13, x)
    events = []
    for time in np.arange(int((duration + offset) / period) + 1) * period - offset:
        sounds.add_event(sound, horn, time)
        if 0 <= time < duration:
            events.append(sounds.event(time, x, "flash"))
    return video, sound, events
