# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Large drops falling into a still pool; each one splashes, plops and sends
rings over the water."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import ACROSS, UP, X, Y, colour, each, mix, outline, smoothstep
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "colour": ("blue", "green", "golden"),
    "size": ("small", "large"),
    "pace": ("slow", "fast"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "words": {
        "colour": {"blue": ["blue"], "green": ["green"],
                   "golden": ["golden", "gold"]},
        "size": {"small": ["small", "little"], "large": ["large", "big"]},
        "pace": {"slow": ["slowly"], "fast": ["fast", "quickly"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "water drops",
        "{size} drops falling in {colour} water",
        "{size} water drops falling {pace}",
        "{colour} water with {size} drops",
        "drops falling {pace} in still {colour} water",
        "a {size} water drop falling in a {colour} pool {side}",
        "{size} drops and rings {side}",
        "drops dripping {pace} in a {colour} pool",
        "rings on {colour} water, {size} drops falling {side}",
    ],
    "clauses": {
        "colour": ["{colour} water", "in a {colour} pool"],
        "size": ["{size} drops", "{size} splashes"],
        "pace": ["falling {pace}", "dripping {pace}"],
        "side": ["{side}", "falling {side}", "drops {side}"],
    },
}

# trough, still water far away and near, crest
COLOURS = {
    "blue": (colour(.00, .05, .30), colour(.16, .55, .98), colour(.02, .20, .66),
             colour(.75, .95, 1)),
    "green": (colour(.00, .15, .06), colour(.25, .82, .42), colour(.02, .42, .17),
              colour(.82, 1, .72)),
    "golden": (colour(.34, .12, .00), colour(1, .80, .28), colour(.80, .42, .04),
               colour(1, .98, .75)),
}
PERIODS = {"slow": 1.15, "fast": .56}
# radius of the drop, length of the waves, Hz of the plop
SIZES = {"small": (.14, .34, 980), "large": (.25, .50, 430)}
BEAD = {.14: .04 ** 2, .25: .07 ** 2}
SURFACE = -.22
FLATNESS = .52
FALL = .26
SPEED = .95
LIFE = 2.0
CROWN_LIFE = .42
RADII = np.linspace(0, 4, 512, dtype=np.float32)


class Splash:
    """What one drop does, before and after it hits at `time`."""

    def __init__(self, rng: np.random.Generator, time: float, x: float,
                 size: str):
        self.time = time
        self.x = x
        self.radius, self.wave, _ = SIZES[size]
        distance = torch.hypot(X - x, (Y - SURFACE) / FLATNESS)
        self.ring = (distance * 128).clamp_(max=511).long().view(-1)
        slope = (Y - SURFACE) / FLATNESS / distance.clamp(min=.05)
        self.facing = .6 - .8 * slope
        angles = np.linspace(0, 2 * np.pi, 7, endpoint=False) + rng.uniform(0, 1)
        self.crown_x, self.crown_y = np.cos(angles), np.sin(angles)
        self.columns = canvas.spell(np.abs(canvas.X_LINE - x) < self.radius * 3.4)
        self.away = ACROSS[self.columns] - x

    def rings(self, age: np.ndarray) -> Tensor:
        """Light and shade of the waves, about -1…1."""
        age = age[:, None]
        front = RADII - SPEED * age
        envelope = np.exp(np.minimum(front, 0) / (1.3 * self.wave))
        envelope *= smoothstep(.6 * self.wave, -.1 * self.wave, front)
        wave = np.cos(2 * np.pi * front / self.wave) * envelope
        fade = np.exp(-.8 * age) * smoothstep(LIFE, LIFE * .6, age)
        light = canvas.put(wave * fade).index_select(1, self.ring)
        return light.view(-1, 1, *self.facing.shape) * self.facing

    def drop(self, age: np.ndarray) -> Tensor:
        """Cover of the falling drop in self.columns; age is negative."""
        y = UP - SURFACE - self.radius + each(5.2 * age * (1 - 1.1 * age))
        tip = 1 - .55 * smoothstep(0, 1.9 * self.radius, y)
        tall = (1 + .7 * (y > 0)) * self.radius
        away = torch.hypot(self.away / (self.radius * tip), y / tall)
        return outline(1.12, .85, away)

    def crown(self, age: np.ndarray) -> Tensor:
        """Cover in self.columns of the water thrown up by the hit."""
        reach = each(self.radius * (.9 + 3.0 * age))
        y = UP - SURFACE
        cup = torch.hypot(self.away / reach, y / (reach * FLATNESS))
        cup = smoothstep(1.15, .8, cup) * each(smoothstep(.26, .06, age))
        high = self.radius * 3.2 * np.sin(np.pi * age / CROWN_LIFE)
        level = (y / each(np.maximum(high, .05))).clamp_(-.2, 1.2)
        width = self.radius * (.62 - .28 * level)
        jet = smoothstep(1.1, .7, self.away.abs() / width)
        jet *= smoothstep(1.1, .85, level) * smoothstep(-.2, .05, level)
        cover = torch.maximum(cup, jet)
        rise = each(self.radius * (9 * age - 24 * age * age))
        for across, up in zip(self.crown_x, self.crown_y):
            square = (self.away - across * reach * 1.2).square() + \
                (y - up * reach * FLATNESS - rise).square()
            bead = smoothstep(1.5, .5, square / BEAD[self.radius])
            cover = torch.maximum(cover, bead)
        return cover * each(smoothstep(CROWN_LIFE, CROWN_LIFE * .6, age))


def _plop(rng: np.random.Generator, size: str) -> np.ndarray:
    pitch = SIZES[size][2]
    count = int(.5 * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    rise = .10 * (1 - np.exp(-time / .05))
    tone = np.sin(2 * np.pi * pitch * (time + .45 * (time - rise * .5)))
    tone *= np.exp(-time * (13 if size == "small" else 9))
    slap = sounds.filtered(sounds.noise(rng, count, 1), "bandpass", 500, 5000)
    slap = slap * np.exp(-time * 45) * (.35 if size == "small" else .6)
    return (tone + slap) * (1 - np.exp(-time * 2500))


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, events."""
    duration = frames / canvas.FRAME_RATE
    trough, far, near, crest = COLOURS[attributes["colour"]]
    size = attributes["size"]
    period = PERIODS[attributes["pace"]]
    side = canvas.SIDES[attributes["side"]] + rng.uniform(-.08, .08)
    offset = rng.uniform(0, period)
    times = np.arange(-3, int(duration / period) + 3) * period + offset
    times = times + rng.uniform(-.05, .05, len(times)) * period
    splashes = [Splash(rng, time, side + rng.uniform(-.08, .08), size)
                for time in times if -LIFE < time < duration + FALL]
    still = mix(near, far, smoothstep(-1, 1, Y))
    light, shade = crest - still, still - trough
    glints = canvas.texture(rng, (canvas.ROWS, 512), [(4, 18, 1)]) * .07
    glints = canvas.Periodic(glints)

    def draw(frame: np.ndarray) -> Tensor:
        time = frame / canvas.FRAME_RATE
        waves = glints.slide(256 + 3 * time)
        solid = torch.zeros_like(waves)
        for splash in splashes:
            age = time - splash.time
            part = solid[..., splash.columns]
            for shown, cover in (((-FALL < age) & (age < 0), splash.drop),
                                 ((0 <= age) & (age < CROWN_LIFE), splash.crown)):
                seen = canvas.spell(shown)
                if len(age[seen]):
                    part[seen] = torch.maximum(part[seen], cover(age[seen]))
            seen = canvas.spell((0 <= age) & (age < LIFE))
            if len(age[seen]):
                waves[seen] += splash.rings(age[seen])
        picture = torch.addcmul(still, light, (waves * 1.3).clamp_(0, .95))
        picture -= shade * (waves * -1.3).clamp_(0, .95)
        return mix(picture, crest, solid)

    video = canvas.film(frames, draw)
    count = sounds.sample_count(frames)
    sound = sounds.filtered(sounds.noise(rng, count), "bandpass", 150, 700) * .015
    plop = _plop(rng, size) * .42
    events = []
    for splash in splashes:
        sounds.add_event(sound, sounds.pan(plop, splash.x), splash.time)
        if 0 <= splash.time < duration:
            events.append(sounds.event(splash.time, splash.x, "splash"))
    return video, sound, events
