# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""A lava lamp whose blobs rise and sink; it hums and bubbles."""

import numpy as np

from . import canvas, sounds
from .canvas import X, Y, colour, mix, outline, smoothstep
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


def _half_width(y: np.ndarray) -> np.ndarray:
    """Of the glass, which is widest just above its foot."""
    return .50 - .17 * smoothstep(-.3, TOP, y) - .10 * smoothstep(-.35, BOTTOM, y)


class Lava:
    """Blobs that melt into each other."""

    def __init__(self, rng: np.random.Generator, x: float, period: float):
        self.place = canvas.box(x - .56, x + .56, BOTTOM, TOP)
        self.x = (X[self.place] - x)[None]
        self.y = Y[self.place][None]
        self.radii = rng.uniform(.115, .165, COUNT)
        self.pace = 2 * np.pi / period * rng.uniform(.75, 1.2, COUNT)
        self.phases = np.arange(COUNT) * 2 * np.pi / COUNT + rng.uniform(0, .9, COUNT)
        self.across = rng.permutation(np.linspace(-.20, .20, COUNT))

    def field(self, time: float) -> np.ndarray:
        """Above 1 inside the lava."""
        turn = self.pace * time + self.phases
        y = .06 - .58 * np.cos(turn)
        x = self.across * (1.1 - .5 * y) + .04 * np.sin(.8 * turn + 2 * self.phases)
        tall = 1 + .28 * np.sin(turn) ** 2
        shape = (3, COUNT, 1, 1)
        x, y, tall = np.stack([x, y, tall]).astype(np.float32).reshape(shape)
        radii = self.radii.astype(np.float32).reshape(COUNT, 1, 1)
        away = ((self.x - x) * tall) ** 2 + ((self.y - y) / tall) ** 2
        total = (radii ** 2 / (away + .004)).sum(0)
        pool = np.clip(self.y[0] - BOTTOM + .02, .03, None)
        return total + (.085 / pool) ** 2


def _lamp(x: float, liquid: tuple, tint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The scene without lava, and the cover of the glass."""
    low, high, near, far = liquid
    near = near + tint * .22
    distance = np.hypot(X - x, (Y - .05) * .8)
    picture = mix(far, near, np.exp(-(distance / .75) ** 2))
    table = outline(-.80, -.84, Y)
    picture = mix(picture, near * .55, table)
    inside = np.minimum.reduce([_half_width(Y) - np.abs(X - x), Y - BOTTOM, TOP - Y])
    glass = outline(-.015, .02, inside)
    picture = mix(picture, mix(low, high, smoothstep(BOTTOM, TOP, Y)), glass)
    shine = .62 + .38 * np.cos((X - x - .12) * 5)
    metal = colour(.74, .76, .82) * np.clip(shine, .3, 1)
    foot = .38 + .16 * smoothstep(BOTTOM - .02, -.95, Y)
    base = np.minimum.reduce([foot - np.abs(X - x), BOTTOM - Y + .02, Y + .95])
    picture = mix(picture, metal, outline(-.015, .015, base))
    cap = np.minimum.reduce([.33 - .35 * (Y - TOP) - np.abs(X - x), Y - TOP + .02,
                             .95 - Y])
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
    part = (slice(None), *lava.place)
    under, glass = still[part].copy(), glass[lava.place]
    light = mix(1.15, .75, smoothstep(BOTTOM, TOP, Y[lava.place]))
    gleam = colour(1, 1, 1) * (.30 * np.exp(-((lava.x[0] + .24) / .05) ** 2)) * glass

    video = np.empty((frames, canvas.HEIGHT, canvas.WIDTH, 3), np.uint8)
    picture = still.copy()
    for i in range(frames):
        field = lava.field(i / canvas.FRAME_RATE)
        depth = smoothstep(.95, 2.6, field)
        skin = tint * (light * (.62 + .42 * depth)) + .10 * depth
        picture[part] = mix(under, skin, outline(.90, 1.10, field) * glass) + gleam
        canvas.store(video[i], picture)

    fast = attributes["speed"] == "fast"
    return video, _sound(rng, x, fast, sounds.sample_count(frames)), []
