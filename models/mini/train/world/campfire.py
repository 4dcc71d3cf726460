# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""A log fire at night; it flares and throws sparks with every crack."""

import numpy as np

from . import canvas, sounds
from .canvas import X, Y, colour, mix, outline, smoothstep
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
RAMP_COLOURS = ((0, 0, 0), (.55, .06, .01), (1, .36, .03), (1, .75, .16), (1, .96, .70))
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


def _log(x: float, scale: float, tilt: float) -> tuple[np.ndarray, np.ndarray]:
    """Cover and shading of one log that lies across the fire's foot."""
    along = (X - x) * np.cos(tilt) + (Y - BASE) * np.sin(tilt)
    across = -(X - x) * np.sin(tilt) + (Y - BASE) * np.cos(tilt)
    length, radius = .42 * scale, .075 * scale
    beyond = np.maximum(np.abs(along) - length, 0)
    distance = np.hypot(beyond, across)
    cover = outline(radius + .02, radius - .02, distance)
    return cover, np.clip(.5 + across / radius * .5, 0, 1)


class Fire:
    """Flames as rising noise inside a tapering shape."""

    def __init__(self, rng: np.random.Generator, x: float, large: bool):
        self.x = x
        self.height = 1.30 if large else .72
        self.width = .46 if large else .27
        self.noise = canvas.texture(rng, (256, 128), [(7, 4, 1), (3.5, 2.5, .5)])
        self.sway = rng.uniform(0, 2 * np.pi, 3)
        rows = (Y[:, 0] > BASE - .12) & (Y[:, 0] < BASE + self.height * 1.25)
        columns = np.abs(canvas.X_LINE - x) < self.width * 1.9
        self.rows = slice(int(rows.argmax()), int(rows.argmax() + rows.sum()))
        self.columns = slice(int(columns.argmax()),
                             int(columns.argmax() + columns.sum()))
        box = (self.rows, self.columns)
        self.offset_x = X[box] - x
        self.level = (Y[box] - BASE) / self.height

    def heat(self, time: float, flare: float) -> np.ndarray:
        """Intensity 0…1 inside the box (self.rows, self.columns)."""
        level = self.level / (1 + .22 * flare)
        up = np.clip(level, 0, 1.3)
        lean = .10 * np.sin(2.3 * time + self.sway[0] - 2.5 * up)
        lean += .05 * np.sin(5.1 * time + self.sway[1] - 5 * up)
        x = self.offset_x - lean * up
        row = self.level * self.height * 42 + time * 55
        flicker = canvas.lookup(self.noise, row, self.offset_x * 42 + 64)
        half = self.width * np.clip(1.1 - up, 0, 1) ** .8
        inside = 1 - np.abs(x) / np.maximum(half, .02)
        body = inside * 1.15 + .35 * (1 - up) + flicker * (.12 + .30 * up)
        foot = smoothstep(-.12, .04, self.level)
        return np.clip(body * .75, 0, 1) * foot * smoothstep(1.25, .75, level)


def _ramp(heat: np.ndarray) -> np.ndarray:
    table = np.array(RAMP_COLOURS, np.float32)
    return np.stack([np.interp(heat, RAMP_LEVELS, table[:, c]) for c in range(3)])


def _background(rng: np.random.Generator, ground: str,
                x: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The scene without fire, the part lit by it, and the light's pattern."""
    horizon = -.18
    sky = canvas.gradient(colour(.05, .07, .17), colour(.01, .015, .05), horizon, 1)
    land = np.broadcast_to(GROUNDS[ground], sky.shape)
    rough = canvas.texture(rng, (canvas.ROWS, canvas.COLUMNS), [(2, 5, 1)])
    land = land * (1 + .12 * rough)
    line = horizon + .03 * np.sin(X * 1.7 + rng.uniform(0, 6))
    cover = outline(-.02, .02, line - Y)
    unlit = mix(sky, land * (.27 if ground == "snow" else .16), cover)
    distance = np.hypot(X - x, (Y - BASE) * 1.7)
    light = np.exp(-(distance / .75) ** 2) + .35 * np.exp(-(distance / 1.7) ** 2)
    warm = land * colour(1.25, .80, .42)
    lit = mix(colour(.22, .08, .02), warm, cover)
    return unlit, lit, light


def _sparks(cracks: list[dict], fire: Fire, time: float) -> np.ndarray:
    xs, ys, weights = [], [], []
    for crack in cracks:
        age = time - crack["time"]
        if not 0 <= age < SPARK_LIFE:
            continue
        travelled = (1 - np.exp(-1.6 * age)) / 1.6
        xs.append(fire.x + crack["speed_x"] * travelled)
        ys.append(BASE + .25 * fire.height + crack["speed_y"] * travelled * 1.3)
        fade = crack["strength"] * (1 - age / SPARK_LIFE)
        weights.append(np.full(len(crack["speed_x"]), fade))
    if not xs:
        return np.zeros((canvas.HEIGHT, canvas.WIDTH), np.float32)
    return canvas.splat(np.concatenate(xs), np.concatenate(ys), np.concatenate(weights))


def _flare(cracks: list[dict], time: float) -> float:
    ages = [(time - crack["time"], crack["strength"]) for crack in cracks]
    return sum(s * np.exp(-5 * age) for age, s in ages if age >= 0)


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

    video = np.empty((frames, canvas.HEIGHT, canvas.WIDTH, 3), np.uint8)
    for i in range(frames):
        time = i / canvas.FRAME_RATE
        flare = _flare(cracks, time)
        flicker = 1 + .10 * np.sin(9 * time + wave[0])
        flicker += .07 * np.sin(15 * time + wave[1])
        power = (1 if large else .65) * (flicker + .6 * flare)
        picture = unlit + lit * (light * power)
        for cover, shade in logs:
            wood = colour(.30, .13, .05) * (.35 + .9 * shade * power)
            picture = mix(picture, wood, cover)
        heat = np.zeros((canvas.HEIGHT, canvas.WIDTH), np.float32)
        heat[fire.rows, fire.columns] = fire.heat(time, flare)
        box = (slice(None), fire.rows, fire.columns)
        flame = heat[fire.rows, fire.columns]
        picture[box] = mix(picture[box], _ramp(flame), smoothstep(.03, .3, flame))
        picture += colour(1, .42, .10) * (halo(heat) * (.30 + .25 * flare))
        picture += colour(1, .72, .25) * (point(_sparks(cracks, fire, time)) * 15)
        canvas.store(video[i], picture)

    count = sounds.sample_count(frames)
    sound = _sound(rng, cracks, x, large, count)
    events = [sounds.event(c["time"], x, "crackle") for c in cracks
              if 0 <= c["time"] < duration]
    return video, sound, events
