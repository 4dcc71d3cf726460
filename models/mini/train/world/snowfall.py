# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Large snowflakes falling over a winter landscape, in still air or in a
howling wind."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import ACROSS, X, Y, colour, mix, most, outline, smoothstep

ATTRIBUTES = {
    "strength": ("light", "heavy"),
    "time": ("day", "dusk", "night"),
    "place": ("forest", "village", "mountains"),
    "wind": ("calm", "windy"),
}

GRAMMAR = {
    "words": {
        "strength": {"light": ["light", "soft"], "heavy": ["heavy", "strong"]},
        "time": {"day": ["day", "noon"], "dusk": ["dusk", "evening"],
                 "night": ["night"]},
        "place": {"forest": ["a forest", "fir trees"],
                  "village": ["a village", "little houses"],
                  "mountains": ["mountains", "snowy mountains"]},
        "wind": {"calm": ["no wind", "calm air"],
                 "windy": ["strong wind", "a howling wind"]},
    },
    "mains": [
        "{strength} snowfall",
        "snow falling over {place}",
        "{strength} snow over {place} at {time}",
        "snowfall at {time}",
        "{strength} snow falling, {wind}",
        "winter {time} with {strength} snow",
        "large snowflakes falling over {place}",
        "snowfall over {place} with {wind}",
        "{strength} snowfall at {time} with {wind}",
    ],
    "clauses": {
        "strength": ["{strength} snow", "{strength} snowfall"],
        "time": ["at {time}", "{time}"],
        "place": ["over {place}"],
        "wind": ["{wind}", "with {wind}"],
    },
}

# zenith, horizon, snow on the ground, flakes, light on trees and walls, windows
TIMES = {
    "day": (colour(.22, .46, .80), colour(.52, .70, .90), colour(.93, .96, 1),
            colour(1, 1, 1), colour(1, 1, 1), colour(.20, .28, .40)),
    "dusk": (colour(.30, .16, .42), colour(.95, .50, .46), colour(.70, .56, .76),
             colour(1, .90, .92), colour(.55, .42, .55), colour(1, .78, .30)),
    "night": (colour(.01, .02, .09), colour(.06, .09, .25), colour(.26, .34, .60),
              colour(.86, .92, 1), colour(.24, .30, .48), colour(1, .80, .30)),
}
GROUND = -.50
# flakes in a layer of TILE: strength of light and heavy, radius, frame's fall;
# these and TILE in points
LAYERS = ((9, 46, 4.2, 4), (20, 95, 2.9, 3))
TILE = (224, 288)


def _flakes(rng: np.random.Generator, count: int, radius: float) -> canvas.Periodic:
    """Periodic cover of round flakes, spread evenly."""
    tile = TILE[0] * canvas.SCALE, TILE[1] * canvas.SCALE
    dots = np.zeros(tile)
    steps = (np.arange(count) + rng.uniform(.15, .85, count)) / count
    down = (np.arange(count) * .618 + rng.uniform(-.05, .05, count)) % 1
    dots[(down * tile[0]).astype(int) % tile[0], (steps * tile[1]).astype(int)] = 1
    sigma = radius * .75
    blobs = canvas.periodic_blur(canvas.put(dots, torch.float64), sigma, sigma)
    blobs *= 2 * np.pi * (sigma * canvas.SCALE) ** 2
    return canvas.Periodic(smoothstep(.25, .75, blobs).float())


def _fir(picture: Tensor, x: float, foot: float, high: float, light: Tensor,
         snow: Tensor) -> Tensor:
    soft = canvas.PIXEL
    away = (X - x).abs()
    trunk = most(away - .05, Y - foot - .2, foot - .1 - Y)
    picture = mix(picture, colour(.20, .12, .08) * light, smoothstep(soft, -soft, trunk))
    for tier in range(3):
        low = foot + high * (.12 + .26 * tier)
        wide = high * (.36 - .08 * tier)
        tall = high * .40
        edge = away - wide * (1 - (Y - low) / tall)
        inside = most(edge, (low - Y) * 1.2)
        needles = colour(.05, .26, .14) * light
        picture = mix(picture, needles, smoothstep(soft, -soft, inside))
        cap = most(edge, low + tall * .50 - Y + .05 * torch.sin(20 * X))
        picture = mix(picture, snow, smoothstep(soft, -soft, cap))
    return picture


def _house(picture: Tensor, x: float, wide: float, wall: Tensor,
           palette: tuple) -> Tensor:
    snow, light, window = palette[2], palette[4], palette[5]
    soft = canvas.PIXEL
    foot, eaves = GROUND - .12, GROUND + .42
    ridge = eaves + wide * .80

    def block(left: float, right: float, low: float, high: float) -> Tensor:
        return smoothstep(soft, -soft, most(left - X, X - right, low - Y, Y - high))

    chimney = block(x + wide * .45, x + wide * .70, eaves, ridge + .02)
    picture = mix(picture, colour(.38, .18, .14) * light, chimney)
    picture = mix(picture, wall * light, block(x - wide, x + wide, foot, eaves))
    gable = (X - x).abs() - (wide + .12) * (ridge - Y) / (ridge - eaves)
    roof = smoothstep(soft, -soft, most(gable, eaves - .03 - Y))
    picture = mix(picture, snow * (.90 + .10 * smoothstep(eaves, ridge, Y)), roof)
    for place in (-.50, .50):
        middle = x + place * wide
        glass = block(middle - .12, middle + .12, eaves - .33, eaves - .08)
        picture = mix(picture, window, glass)
    door = block(x - .08, x + .08, foot, foot + .30)
    return mix(picture, colour(.25, .13, .08) * light, door)


def _mountains(rng: np.random.Generator, picture: Tensor, palette: tuple) -> Tensor:
    snow, light = palette[2], palette[4]
    rough = .03 * torch.sin(13 * X + rng.uniform(0, 6)) + .02 * torch.sin(29 * X)
    for x, top in ((-1.15, .50), (1.05, .62), (.05 + rng.uniform(-.2, .2), .82)):
        x = x + rng.uniform(-.12, .12)
        line = top - .95 * (X - x).abs() + rough
        sunny = smoothstep(.06, -.06, X - x + .3 * torch.sin(6 * Y) * .2)
        rock = mix(colour(.20, .23, .32), colour(.40, .43, .52), sunny) * light
        white = snow * mix(.66, 1.0, sunny)
        cap = smoothstep(-.03, .03, Y - top + .46 + .09 * torch.sin(15 * X + top))
        picture = mix(picture, mix(rock, white, cap), outline(-.02, .02, line - Y))
    return picture


def _landscape(rng: np.random.Generator, attributes: dict) -> Tensor:
    palette = TIMES[attributes["time"]]
    zenith, low, snow, _, light, window = palette
    picture = canvas.gradient(low, zenith, -.4, 1)
    place = attributes["place"]
    if place == "mountains":
        picture = _mountains(rng, picture, palette)
    drift = GROUND + .05 * torch.sin(1.9 * ACROSS + rng.uniform(0, 6))
    shade = .84 + .16 * smoothstep(-1, GROUND, Y) + .05 * torch.sin(
        3 * X + 9 * Y + rng.uniform(0, 6))
    picture = mix(picture, snow * shade, outline(-.015, .015, drift - Y))
    if place == "forest":
        for x, high in ((-1.05, 1.0), (.1, .95), (1.15, 1.05), (-1.6, 1.3), (-.5, 1.35),
                        (.62, 1.28), (1.68, 1.2)):
            x = x + rng.uniform(-.07, .07)
            foot = GROUND - .02 - .12 * (high > 1.1)
            picture = _fir(picture, x, foot, high * rng.uniform(.95, 1.05), light, snow)
    if place == "village":
        walls = (colour(.62, .20, .14), colour(.72, .52, .26), colour(.32, .40, .52))
        for i, x in enumerate(np.array([-1.12, .02, 1.14]) + rng.uniform(-.06, .06, 3)):
            wall = walls[(i + int(rng.integers(3))) % 3]
            picture = _house(picture, x, rng.uniform(.41, .46), wall, palette)
    return picture


def _sound(rng: np.random.Generator, attributes: dict, count: int) -> np.ndarray:
    white = sounds.noise(rng, count)
    sound = sounds.filtered(white, "lowpass", 350) * .19
    hiss = sounds.filtered(white, "bandpass", 3000, 7500)
    sound += hiss * (.075 if attributes["strength"] == "heavy" else .012)
    if attributes["wind"] == "windy":
        time = sounds.seconds(count)
        for voice, (low, high) in enumerate(((330, 400), (480, 580), (680, 800))):
            band = sounds.filtered(sounds.filtered(white, "bandpass", low, high),
                                   "bandpass", low, high)
            gust = .5 + .5 * np.sin(2 * np.pi * (.37 + .11 * voice) * time
                                    + rng.uniform(0, 6))
            sound += band * (.25 + gust[:, None] ** 2) * (.85 - .15 * voice)
    return sound


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, no events."""
    heavy = attributes["strength"] == "heavy"
    windy = attributes["wind"] == "windy"
    scene = _landscape(rng, attributes)
    to_flake = TIMES[attributes["time"]][3] - scene
    layers = [(_flakes(rng, many if heavy else few, radius), fall, rng.uniform(0, 6))
              for few, many, radius, fall in LAYERS]

    def draw(frame: np.ndarray) -> Tensor:
        time = frame / canvas.FRAME_RATE
        covers = []
        for tile, fall, phase in layers:
            if windy:
                across = 1.6 * fall * frame + 8 * np.sin(1.9 * time + phase)
            else:
                across = 5 * np.sin(1.3 * time + phase)
            covers.append(tile.scroll(fall * frame, across))
        return torch.addcmul(scene, to_flake, most(*covers))

    video = canvas.film(frames, draw)
    return video, _sound(rng, attributes, sounds.sample_count(frames)), []
