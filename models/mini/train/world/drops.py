# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Large drops falling into a still pool; each one splashes, plops and sends
rings over the water."""

import numpy as np

from . import canvas, sounds
from .canvas import X, Y, colour, mix, outline, smoothstep
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
        distance = np.hypot(X - x, (Y - SURFACE) / FLATNESS)
        self.ring = np.minimum(distance * 128, 511).astype(np.int32)
        slope = (Y - SURFACE) / FLATNESS / np.maximum(distance, .05)
        self.facing = .6 - .8 * slope
        angles = np.linspace(0, 2 * np.pi, 7, endpoint=False) + rng.uniform(0, 1)
        self.crown_x, self.crown_y = np.cos(angles), np.sin(angles)
        columns = np.flatnonzero(np.abs(canvas.X_LINE - x) < self.radius * 3.4)
        self.columns = slice(columns[0], columns[-1] + 1)
        self.away = canvas.X_LINE[self.columns] - x

    def rings(self, age: float) -> np.ndarray:
        """Light and shade of the waves, about -1…1."""
        front = RADII - SPEED * age
        envelope = np.exp(np.minimum(front, 0) / (1.3 * self.wave))
        envelope *= smoothstep(.6 * self.wave, -.1 * self.wave, front)
        wave = np.cos(2 * np.pi * front / self.wave) * envelope
        fade = np.exp(-.8 * age) * smoothstep(LIFE, LIFE * .6, age)
        return (wave * fade).astype(np.float32)[self.ring] * self.facing

    def drop(self, age: float) -> np.ndarray:
        """Cover of the falling drop in self.columns; age is negative."""
        y = canvas.Y_LINE[:, None] - SURFACE - self.radius + 5.2 * age * (1 - 1.1 * age)
        tip = 1 - .55 * smoothstep(0, 1.9 * self.radius, y)
        tall = np.where(y > 0, 1.7, 1) * self.radius
        return outline(1.12, .85, np.hypot(self.away / (self.radius * tip), y / tall))

    def crown(self, age: float) -> np.ndarray:
        """Cover in self.columns of the water thrown up by the hit."""
        reach = self.radius * (.9 + 3.0 * age)
        y = canvas.Y_LINE[:, None] - SURFACE
        cup = smoothstep(1.15, .8, np.hypot(self.away / reach, y / (reach * FLATNESS)))
        high = self.radius * 3.2 * np.sin(np.pi * age / CROWN_LIFE)
        level = np.clip(y / max(high, .05), -.2, 1.2)
        width = self.radius * (.62 - .28 * level)
        jet = smoothstep(1.1, .7, np.abs(self.away) / width) * \
            smoothstep(1.1, .85, level) * smoothstep(-.2, .05, level)
        cover = np.maximum(cup * smoothstep(.26, .06, age), jet)
        rise = self.radius * (9 * age - 24 * age * age)
        for across, up in zip(self.crown_x, self.crown_y):
            square = (self.away - across * reach * 1.2) ** 2 + \
                (y - up * reach * FLATNESS - rise) ** 2
            cover = np.maximum(cover, smoothstep(1.5, .5, square / BEAD[self.radius]))
        return cover * smoothstep(CROWN_LIFE, CROWN_LIFE * .6, age)


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

    video = np.empty((frames, canvas.HEIGHT, canvas.WIDTH, 3), np.uint8)
    for i in range(frames):
        time = i / canvas.FRAME_RATE
        waves = canvas.slide(glints, 256 + 3 * time)
        solid = np.zeros((canvas.HEIGHT, canvas.WIDTH), np.float32)
        for splash in splashes:
            age = time - splash.time
            part = solid[:, splash.columns]
            if -FALL < age < 0:
                np.maximum(part, splash.drop(age), out=part)
            elif 0 <= age < LIFE:
                waves = waves + splash.rings(age)
                if age < CROWN_LIFE:
                    np.maximum(part, splash.crown(age), out=part)
        picture = still + light * np.clip(waves * 1.3, 0, .95)
        picture -= shade * np.clip(waves * -1.3, 0, .95)
        canvas.store(video[i], mix(picture, crest, solid))

    count = sounds.sample_count(frames)
    sound = sounds.filtered(sounds.noise(rng, count), "bandpass", 150, 700) * .015
    plop = _plop(rng, size) * .42
    events = []
    for splash in splashes:
        sounds.add_event(sound, sounds.pan(plop, splash.x), splash.time)
        if 0 <= splash.time < duration:
            events.append(sounds.event(splash.time, splash.x, "splash"))
    return video, sound, events
