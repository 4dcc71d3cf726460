# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Rain over dark hills; lightning, and its thunder a moment later."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import ACROSS, WHITE, X, Y, bell, colour, each, mix, put, smoothstep
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "rain": ("light", "heavy"),
    "time": ("dusk", "night"),
    "lightning": ("none", "frequent"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "hidden": {("lightning", "none"): {"side"}},
    "words": {
        "rain": {"light": ["light", "soft"],
                 "heavy": ["heavy", "pouring", "strong"]},
        "time": {"dusk": ["dusk", "evening"], "night": ["night"]},
        "lightning": {"none": ["no lightning", "no thunder"],
                      "frequent": ["lightning", "lightning and thunder",
                                   "thunder and lightning",
                                   "lightning flashes"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "{rain} rain at {time}",
        "{rain} rain over the hills",
        "{rain} rain over dark hills at {time}",
        "rain at {time} with {lightning}",
        "{rain} rain with {lightning}",
        "a storm at {time}",
        "rainy {time} with {lightning}",
        "a rainy {time} in the hills, {rain} rain",
    ],
    "clauses": {
        "rain": ["{rain} rain"],
        "time": ["at {time}", "{time}"],
        "lightning": ["{lightning}", "with {lightning}"],
        "side": ["{lightning} {side}"],
    },
}

# zenith, horizon
SKIES = {
    "dusk": (colour(.17, .20, .30), colour(.50, .47, .55)),
    "night": (colour(.03, .04, .09), colour(.12, .15, .25)),
}
FLASH_LIFE = .8


def _bolts(rng: np.random.Generator, x: float, duration: float) -> list[dict]:
    bolts = []
    point, halo = canvas.Blur(1.2), canvas.Blur(5)
    for time in sounds.schedule(rng, -1.2, duration, .9, 1.6):
        place = x + rng.uniform(-.3, .3)
        knots_y = np.linspace(1.05, -.30, 12)
        knots_x = place + np.cumsum(rng.standard_normal(12) * .085)
        y = np.linspace(1.05, -.30, 240)
        line = np.interp(-y, -knots_y, knots_x)
        fork_y = np.linspace(.35, -.05, 70)
        fork_x = np.interp(-.35, -knots_y, knots_x)
        fork_x = fork_x + rng.choice([-1, 1]) * (.35 - fork_y) * rng.uniform(.6, 1)
        weights = np.concatenate([np.full(240, .5), np.full(70, .35)])
        stroke = canvas.splat(np.concatenate([line, fork_x])[None],
                              np.concatenate([y, fork_y])[None], weights[None])
        bolts.append({"time": time, "x": place, "line": point(stroke) * 5,
                      "glow": halo(stroke) * 7, "delay": rng.uniform(.25, .45),
                      "seed": int(rng.integers(1 << 30))})
    return bolts


def _rain_layers(rng: np.random.Generator, heavy: bool) -> list[dict]:
    """Periodic pictures of streaks, nearest layer first."""
    layers = []
    for length, width, speed, share in ((20, 1.5, 7, 1), (14, 1.2, 5, .7)):
        rows, columns = 224 * canvas.SCALE, 256 * canvas.SCALE
        drops = np.zeros((rows, columns), np.float32)
        places = rng.random((224, 256)) < (.0027 if heavy else .0008) / share
        drops[::canvas.SCALE, ::canvas.SCALE] = places
        drops = put(drops, torch.float64)
        wave_rows, wave_columns = canvas.frequencies(drops.shape)
        tilt = .18
        along = wave_rows + tilt * wave_columns
        streaks = canvas.filtered(drops, length * .4 * along, width * wave_columns)
        streaks = streaks * (length * width * canvas.SCALE ** 2 * 1.9)
        streaks = canvas.Periodic(streaks.clamp_(0, 1).float() * share)
        layers.append({"streaks": streaks, "speed": speed, "tilt": tilt})
    return layers


def _rain(layers: list[dict], frame: np.ndarray) -> Tensor:
    return sum(layer["streaks"].scroll(frame * layer["speed"],
                                       frame * layer["speed"] * layer["tilt"])
               for layer in layers)


def _thunder(bolt: dict) -> np.ndarray:
    rng = np.random.default_rng(bolt["seed"])
    count = int(2.2 * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    deep = sounds.filtered(sounds.noise(rng, count, 1), "lowpass", 110)
    crack = sounds.filtered(sounds.noise(rng, count, 1), "lowpass", 800)
    roll = 1 + .5 * np.sin(2 * np.pi * 3.1 * time + rng.uniform(0, 6))
    sound = deep * 9 * np.exp(-1.8 * time) * (1 - np.exp(-60 * time)) * roll
    return sound + crack * 2 * np.exp(-9 * time)


def _sound(rng: np.random.Generator, bolts: list[dict], heavy: bool,
           count: int) -> np.ndarray:
    hiss = sounds.filtered(sounds.noise(rng, count), "highpass", 1800)
    sound = hiss * (.075 if heavy else .030)
    drops = np.zeros((count, 2), np.float32)
    per_second = 260 if heavy else 90
    places = rng.integers(0, count, int(count / sounds.SAMPLE_RATE * per_second))
    drops[places, rng.integers(0, 2, len(places))] = rng.exponential(1, len(places))
    sound += sounds.filtered(drops, "bandpass", 1200, 5000) * .9
    for bolt in bolts:
        thunder = sounds.pan(_thunder(bolt) * .30, bolt["x"])
        sounds.add_event(sound, thunder, bolt["time"] + bolt["delay"])
    return sound


def _hills(rng: np.random.Generator, level: float, height: float) -> Tensor:
    line = level + height * torch.sin(X * 1.4 + rng.uniform(0, 6))
    line += height * .4 * torch.sin(X * 3.4 + rng.uniform(0, 6))
    return smoothstep(-canvas.PIXEL, canvas.PIXEL, line - Y)


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, events."""
    duration = frames / canvas.FRAME_RATE
    heavy = attributes["rain"] == "heavy"
    zenith, low = SKIES[attributes["time"]]
    x = canvas.SIDES[attributes["side"]]
    bolts = []
    if attributes["lightning"] == "frequent":
        bolts = _bolts(rng, x, duration)
    layers = _rain_layers(rng, heavy)
    clouds = canvas.texture(rng, (canvas.ROWS, 512), [(6, 14, 1), (3, 6, .5)])
    clouds = canvas.Periodic(clouds)
    sky = canvas.gradient(low, zenith, -.4, 1)
    far, near = _hills(rng, -.38, .12), _hills(rng, -.70, .08)
    rain_colour = colour(.72, .80, .95) * .52
    drift = rng.choice([-9, 9])
    glow, lit_cloud = colour(.55, .60, .95), colour(.55, .58, .80)
    lit_far, lit_near = colour(.16, .18, .24), colour(.07, .08, .12)

    def draw(frame: np.ndarray) -> Tensor:
        time = frame / canvas.FRAME_RATE
        cloud = clouds.slide(256 + drift * time)
        picture = sky * (1 + .32 * cloud).clamp_(.45, 1.6)
        light = canvas.zeros(len(frame), 1, 1, canvas.WIDTH)
        for bolt in bolts:
            seen = canvas.spell((0 <= time - bolt["time"])
                                & (time - bolt["time"] < FLASH_LIFE))
            age = (time - bolt["time"])[seen]
            if len(age):
                dip = 1 - .5 * np.exp(-((age - .12) / .04) ** 2)
                fade = each(np.exp(-5 * age) * dip)
                light[seen] += fade * (.35 + .65 * bell(ACROSS - bolt["x"], .9))
                picture[seen] += glow * (bolt["glow"] * fade)
                picture[seen] += WHITE * (bolt["line"] * each(np.exp(-5 * age)))
        picture.addcmul_(lit_cloud, light * (.7 + .2 * cloud))
        picture = mix(picture, low * .38 + lit_far * light, far)
        picture = mix(picture, zenith * .35 + lit_near * light, near)
        return picture.addcmul_(rain_colour, _rain(layers, frame) * (.75 + .5 * light))

    video = canvas.film(frames, draw)
    sound = _sound(rng, bolts, heavy, sounds.sample_count(frames))
    events = []
    for bolt in bolts:
        thunder = bolt["time"] + bolt["delay"]
        if 0 <= bolt["time"] < duration:
            events.append(sounds.event(bolt["time"], bolt["x"], "lightning"))
        if 0 <= thunder < duration:
            events.append(sounds.event(thunder, bolt["x"], "thunder"))
    return video, sound, events
