# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""A waterfall that roars over a cliff into a misty pool."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import (
    ACROSS, UP, WHITE, X, X_LINE, Y, Y_LINE, colour, mix, outline, put, smoothstep,
)
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "size": ("small", "large"),
    "time": ("day", "sunset", "night"),
    "land": ("rocks", "jungle", "ice"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "words": {
        "size": {"small": ["small", "little"], "large": ["large", "huge", "big"]},
        "time": {"day": ["day", "noon", "midday"], "sunset": ["sunset", "dusk"],
                 "night": ["night"]},
        "land": {"rocks": ["rocks"], "jungle": ["a jungle", "green plants"],
                 "ice": ["ice", "blue ice"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "a waterfall",
        "a {size} waterfall",
        "a {size} waterfall at {time}",
        "a {size} waterfall falling over {land}",
        "waterfall and {land} at {time}",
        "{size} waterfall {side}",
        "a roaring waterfall over {land} {side}",
        "water falling over {land} at {time}",
        "{size} waterfall in the {time} light",
    ],
    "clauses": {
        "size": ["{size} waterfall", "a {size} fall"],
        "time": ["at {time}", "{time}"],
        "land": ["over {land}", "{land} around it"],
        "side": ["{side}", "the water is {side}"],
    },
}

# zenith, horizon, colour of the light
TIMES = {
    "day": (colour(.20, .52, .95), colour(.72, .88, 1), colour(1, 1, 1)),
    "sunset": (colour(.48, .18, .40), colour(1, .55, .18), colour(1, .62, .42)),
    "night": (colour(.01, .02, .09), colour(.07, .11, .28), colour(.30, .37, .64)),
}
# dark, bright
LANDS = {
    "rocks": (colour(.22, .15, .10), colour(.62, .47, .33)),
    "jungle": (colour(.02, .13, .03), colour(.20, .58, .12)),
    "ice": (colour(.34, .62, .80), colour(.90, .98, 1)),
}
# half of the width, brink, frame's fall in points
SIZES = {"small": (.26, .18, 4), "large": (.66, .62, 6)}
POOL = -.60


def _cliff(rng: np.random.Generator, land: str) -> Tensor:
    """Share 0…1 of the bright colour of the land."""
    shape = (canvas.ROWS, canvas.COLUMNS)
    if land == "rocks":
        rough = canvas.texture(rng, shape, [(3, 9, 1), (2.2, 4, .5)])
        ledge = torch.sin(Y * 17 + 1.5 * torch.sin(2.2 * X) + rough)
        return (.45 + .22 * rough + .25 * ledge).clamp(0, 1)
    if land == "jungle":
        leaves = canvas.texture(rng, shape, [(3.2, 3.2, 1), (7, 9, .5)])
        return smoothstep(-.6, 1.2, leaves)
    icicles = canvas.texture(rng, shape, [(16, 2.6, 1), (8, 8, .5)])
    return (.55 + .34 * icicles).clamp(0, 1)


def _brink(rng: np.random.Generator, land: str, level: float, x: float,
           half: float) -> np.ndarray:
    """Height of the cliff over x; level where the water comes over it."""
    away = smoothstep(half * .8, half + .25, np.abs(X_LINE - x))
    a, b = rng.uniform(0, 6, 2)
    if land == "rocks":
        step = np.sin(np.floor(X_LINE * 3.5 + a) * 5.1)
        return level + away * (.13 + .09 * step)
    if land == "jungle":
        return level + away * (.15 + .11 * np.abs(np.sin(5.5 * X_LINE + a)))
    saw = np.abs((X_LINE * 2.2 + b) % 1 - .5)
    return level + away * (.04 + .34 * saw)


class Fall:
    """The falling water, which is `half` wide to either side of x."""

    def __init__(self, rng: np.random.Generator, x: float, size: str):
        half, brink, self.speed = SIZES[size]
        columns = canvas.spell(np.abs(X_LINE - x) < half + .12)
        rows = canvas.spell((Y_LINE < brink + .05) & (Y_LINE > POOL - .08))
        self.box = (..., rows, columns)
        across, up = ACROSS[columns], UP[rows]
        wide = -(-len(across) // canvas.SCALE)
        streaks = canvas.texture(rng, (224, wide), [(13, 2.4, 1), (7, 4, .6)])
        self.streaks = canvas.Periodic(streaks[:, :len(across)])
        wave = .03 * torch.sin(5 * up + rng.uniform(0, 6))
        edge = (across - x + wave).abs() - half
        lip = outline(brink + .02, brink - .02, up)
        foot = smoothstep(POOL - .08, POOL + .04, up)
        self.cover = outline(.025, -.025, edge) * (lip * foot)
        self.body = .62 - .30 * smoothstep(-.14, 0, edge)
        self.body += .25 * smoothstep(brink - .14, brink, up)

    def light(self, frame: np.ndarray) -> Tensor:
        """Share 0…1 of foam inside the box."""
        rolled = self.streaks.scroll(self.speed * frame)[:, :, :len(self.body)]
        return (self.body + .26 * rolled).clamp_(0, 1)


def _sound(rng: np.random.Generator, size: str, x: float,
           count: int) -> np.ndarray:
    white = sounds.noise(rng, count, 1)
    time = sounds.seconds(count)
    waver = 1 + .12 * np.sin(2 * np.pi * 1.3 * time + rng.uniform(0, 6))
    waver += .10 * np.sin(2 * np.pi * 3.1 * time + rng.uniform(0, 6))
    if size == "large":
        roar = 1.3 * sounds.filtered(white, "lowpass", 260)
        roar += .22 * sounds.filtered(white, "bandpass", 500, 4000)
        roar *= .62
    else:
        roar = .11 * sounds.filtered(white, "bandpass", 900, 5000)
        roar += .10 * sounds.filtered(white, "bandpass", 400, 700) * waver
    sound = sounds.pan(roar * waver, x)
    return sound + sounds.filtered(sounds.noise(rng, count), "lowpass", 400) * .02


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, no events."""
    size, land = attributes["size"], attributes["land"]
    half, level, _ = SIZES[size]
    zenith, low, light = TIMES[attributes["time"]]
    x = canvas.SIDES[attributes["side"]] + rng.uniform(-.06, .06)
    fall = Fall(rng, x, size)
    dark, bright = LANDS[land]
    sky = canvas.gradient(low, zenith, level - .1, 1)
    if attributes["time"] == "night":
        moon = torch.hypot(X + (1.1 if x > 0 else -1.1), Y - .78)
        sky = mix(sky, colour(.95, .96, .88), outline(.15, .11, moon))
    brink = _brink(rng, land, level, x, half)
    cliff = mix(dark, bright, _cliff(rng, land)) * light
    cliff = cliff * (.72 + .28 * smoothstep(POOL, level, Y))
    cliff *= 1 - .6 * smoothstep(half + .22, half, (X - x).abs())
    scene = mix(sky, cliff, outline(.015, -.015, Y - put(brink)))
    water = mix(colour(.04, .30, .40), bright, .15) * light
    scene = mix(scene, water, outline(.015, -.015, Y - POOL))
    foam = mix(WHITE, light, .6)
    deep = colour(.16, .40, .62) * light

    pool = int(np.searchsorted(-Y_LINE, -POOL))
    distance = torch.hypot((X - x) / (half + .25), (Y - POOL) / .5)[pool:]
    deep_rows = canvas.ROWS - pool // canvas.SCALE
    waves = canvas.texture(rng, (deep_rows, 256), [(1.8, 9, 1)])[:canvas.HEIGHT - pool]
    waves = canvas.Periodic(waves)
    churn = torch.exp(-distance ** 2)
    mist = torch.exp(-((X - x) / (half + .16)) ** 4
                     - ((Y - POOL + .03) / (.24 if size == "large" else .15)) ** 2)
    puffs = canvas.Periodic(canvas.texture(rng, (128, 256), [(5, 8, 1)]))

    def draw(frame: np.ndarray) -> Tensor:
        time = frame / canvas.FRAME_RATE
        picture = scene.repeat(len(frame), 1, 1, 1)
        water = mix(deep, foam, fall.light(frame))
        picture[fall.box] = mix(picture[fall.box], water, fall.cover)
        ripple = waves.slide(40 * time) - waves.slide(128 - 40 * time)
        ripple = churn * (.25 + .28 * ripple) + .05 * ripple
        picture[:, :, pool:].addcmul_(foam, ripple)
        fog = (mist * (.85 + .25 * puffs.scroll(-3 * frame))).clamp_(0, .95)
        return mix(picture, foam, fog)

    video = canvas.film(frames, draw)
    return video, _sound(rng, size, x, sounds.sample_count(frames)), []
