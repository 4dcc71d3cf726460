# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""A log fire at night; it flares and throws sparks with every crack."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import X, Y, bell, colour, each, mix, outline, smoothstep
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "size": ("small", "large"),
    "ground": ("snow", "grass", "sand"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "words": {
        "size": {"small": ["small", "little"],
                 "large": ["large", "big", "blazing"]},
        "ground": {"snow": ["snow"], "grass": ["grass", "the meadow"],
                   "sand": ["sand", "the beach"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "a campfire at night",
        "a {size} campfire",
        "a {size} campfire on {ground}",
        "{size} campfire crackling on {ground}",
        "a {size} fire burning {side}",
        "campfire on {ground} {side}",
        "burning logs on {ground}",
        "a crackling fire with sparks",
        "{size} flames of a campfire at night",
    ],
    "clauses": {
        "size": ["{size} flames", "{size} fire"],
        "ground": ["on {ground}", "{ground} around it"],
        "side": ["{side}", "fire {side}"],
    },
}

GROUNDS = {
    "snow": colour(.78, .88, 1),
    "grass": colour(.10, .30, .08),
    "sand": colour(.62, .46, .22),
}
BASE = -.58
RAMP_LEVELS = (0, .18, .42, .7, 1)
RAMP_COLOURS = (colour(0, 0, 0), colour(.55, .06, .01), colour(1, .36, .03),
                colour(1, .75, .16), colour(1, .96, .70))
SPARK_LIFE = 1.1


def _crackles(rng: np.random.Generator, duration: float) -> list[dict]:
    cracks = []
    for time in sounds.schedule(rng, -1.0, duration, .35, .85):
        count = 14
        cracks.append({
            "time": time,
            "strength": rng.uniform(.6, 1),
            "speed_x": rng.uniform(-.55, .55, count),
            "speed_y": rng.uniform(.7, 1.5, count),
            "seed": int(rng.integers(1 << 30)),
        })
    return cracks


def _log(x: float, scale: float, tilt: float) -> tuple[Tensor, Tensor]:
    """Cover and shading of one log that lies across the fire's foot."""
    along = (X - x) * np.cos(tilt) + (Y - BASE) * np.sin(tilt)
    across = -(X - x) * np.sin(tilt) + (Y - BASE) * np.cos(tilt)
    length, radius = .42 * scale, .075 * scale
    beyond = (along.abs() - length).clamp(min=0)
    distance = torch.hypot(beyond, across)
    cover = outline(radius + .02, radius - .02, distance)
    return cover, (.5 + across / radius * .5).clamp(0, 1)


class Fire:
    """Flames as rising noise inside a tapering shape."""

    def __init__(self, rng: np.random.Generator, x: float, large: bool):
        self.x = x
        self.height = 1.30 if large else .72
        self.width = .46 if large else .27
        self.noise = canvas.texture(rng, (256, 128), [(7, 4, 1), (3.5, 2.5, .5)])
        self.sway = rng.uniform(0, 2 * np.pi, 3)
        y_line = canvas.Y_LINE
        rows = canvas.spell((y_line > BASE - .12)
                            & (y_line < BASE + self.height * 1.25))
        columns = canvas.spell(np.abs(canvas.X_LINE - x) < self.width * 1.9)
        self.box = (..., rows, columns)
        self.offset_x = canvas.ACROSS[columns] - x
        self.level = (canvas.UP[rows] - BASE) / self.height

    def heat(self, time: np.ndarray, flare: np.ndarray) -> Tensor:
        """Intensity 0…1 inside the box."""
        level = self.level / each(1 + .22 * flare)
        up = level.clamp(0, 1.3)
        lean = .10 * torch.sin(each(2.3 * time + self.sway[0]) - 2.5 * up)
        lean += .05 * torch.sin(each(5.1 * time + self.sway[1]) - 5 * up)
        x = self.offset_x - lean * up
        row = self.level * self.height * 42 + each(time * 55)
        flicker = canvas.lookup(self.noise, row, self.offset_x * 42 + 64)
        half = self.width * (1.1 - up).clamp_(0, 1) ** .8
        inside = 1 - x.abs_() / half.clamp_(min=.02)
        body = inside * 1.15 + .35 * (1 - up) + flicker * (.12 + .30 * up)
        foot = smoothstep(-.12, .04, self.level)
        return (body * .75).clamp_(0, 1) * (foot * smoothstep(1.25, .75, level))


def _ramp(heat: Tensor) -> Tensor:
    tint = RAMP_COLOURS[0]
    for k, (low, high) in enumerate(zip(RAMP_LEVELS, RAMP_LEVELS[1:])):
        share = ((heat - low) / (high - low)).clamp_(0, 1)
        tint = mix(tint, RAMP_COLOURS[k + 1], share)
    return tint


def _background(rng: np.random.Generator, ground: str,
                x: float) -> tuple[Tensor, Tensor, Tensor]:
    """The scene without fire, the part lit by it, and the light's pattern."""
    horizon = -.18
    sky = canvas.gradient(colour(.05, .07, .17), colour(.01, .015, .05), horizon, 1)
    rough = canvas.texture(rng, (canvas.ROWS, canvas.COLUMNS), [(2, 5, 1)])
    land = GROUNDS[ground] * (1 + .12 * rough)
    line = horizon + .03 * torch.sin(X * 1.7 + rng.uniform(0, 6))
    cover = outline(-.02, .02, line - Y)
    unlit = mix(sky, land * (.27 if ground == "snow" else .16), cover)
    distance = torch.hypot(X - x, (Y - BASE) * 1.7)
    light = bell(distance, .75) + .35 * bell(distance, 1.7)
    warm = land * colour(1.25, .80, .42)
    lit = mix(colour(.22, .08, .02), warm, cover)
    return unlit, lit, light


def _sparks(cracks: list[dict], fire: Fire, time: np.ndarray) -> Tensor:
    xs, ys, weights = [], [], []
    for crack in cracks:
        age = time[:, None] - crack["time"]
        travelled = (1 - np.exp(-1.6 * age)) / 1.6
        xs.append(fire.x + crack["speed_x"] * travelled)
        ys.append(BASE + .25 * fire.height + crack["speed_y"] * travelled * 1.3)
        fade = crack["strength"] * (1 - age / SPARK_LIFE)
        fade = fade * ((0 <= age) & (age < SPARK_LIFE))
        weights.append(np.broadcast_to(fade, xs[-1].shape))
    return canvas.splat(*(np.concatenate(v, axis=1) for v in (xs, ys, weights)))


def _flare(cracks: list[dict], time: np.ndarray) -> np.ndarray:
    ages = [(time - crack["time"], crack["strength"]) for crack in cracks]
    return sum(s * np.exp(-5 * age) * (age >= 0) for age, s in ages)


def _crack(crack: dict) -> np.ndarray:
    rng = np.random.default_rng(crack["seed"])
    count = int(.22 * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    click = sounds.filtered(sounds.noise(rng, count, 1), "highpass", 1200)
    sound = click * np.exp(-time * 220) * 1.5
    for delay in rng.uniform(.01, .12, 4):
        later = np.maximum(time - delay, 0)
        sound += click * np.exp(-later * 420) * (time >= delay) * rng.uniform(.3, .8)
    return sound * crack["strength"]


def _sound(rng: np.random.Generator, cracks: list[dict], x: float, large: bool,
           count: int) -> np.ndarray:
    time = sounds.seconds(count)
    flutter = 1 + .35 * np.sin(2 * np.pi * 5.3 * time + rng.uniform(0, 6))
    flutter *= 1 + .3 * np.sin(2 * np.pi * 1.1 * time + rng.uniform(0, 6))
    roar = sounds.filtered(sounds.noise(rng, count, 1), "bandpass", 70, 260)
    sound = sounds.pan(roar * flutter * (.55 if large else .30), x)
    pops = np.zeros(count, np.float32)
    places = rng.integers(0, count, int(count / sounds.SAMPLE_RATE * 22))
    pops[places] = rng.exponential(1, len(places))
    pops = sounds.filtered(pops, "bandpass", 1800, 7000)
    sound += sounds.pan(pops * .35, x)
    for crack in cracks:
        sounds.add_event(sound, sounds.pan(_crack(crack) * .55, x), crack["time"])
    return sound


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, events."""
    duration = frames / canvas.FRAME_RATE
    large = attributes["size"] == "large"
    x = canvas.SIDES[attributes["side"]] * .9 + rng.uniform(-.08, .08)
    fire = Fire(rng, x, large)
    cracks = _crackles(rng, duration)
    unlit, lit, light = _background(rng, attributes["ground"], x)
    scale = 1.15 if large else .8
    logs = [_log(x, scale, .38), _log(x, scale, -.38)]
    point, halo = canvas.Blur(1.3), canvas.Blur(9)
    wave = rng.uniform(0, 6, 2)
    wood, glow, spark = colour(.30, .13, .05), colour(1, .42, .10), colour(1, .72, .25)

    def draw(frame: np.ndarray) -> Tensor:
        time = frame / canvas.FRAME_RATE
        flare = _flare(cracks, time)
        flicker = 1 + .10 * np.sin(9 * time + wave[0])
        flicker += .07 * np.sin(15 * time + wave[1])
        power = each((1 if large else .65) * (flicker + .6 * flare))
        picture = torch.addcmul(unlit, lit, light * power)
        for cover, shade in logs:
            picture = mix(picture, wood * (.35 + .9 * shade * power), cover)
        heat = canvas.zeros(len(frame), 1, canvas.HEIGHT, canvas.WIDTH)
        flame = fire.heat(time, flare)
        heat[fire.box] = flame
        under = picture[fire.box]
        picture[fire.box] = mix(under, _ramp(flame), smoothstep(.03, .3, flame))
        picture.addcmul_(glow, halo(heat) * each(.30 + .25 * flare))
        return picture.addcmul_(spark, point(_sparks(cracks, fire, time)) * 15)

    video = canvas.film(frames, draw)
    count = sounds.sample_count(frames)
    sound = _sound(rng, cracks, x, large, count)
    events = [sounds.event(c["time"], x, "crackle") for c in cracks
              if 0 <= c["time"] < duration]
    return video, sound, events
