# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""A smith's hammer falls on glowing iron on an anvil; every blow clangs,
flashes and throws sparks."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import WHITE, X, Y, bell, colour, each, least, mix, outline, smoothstep
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "glow": ("orange", "white", "blue"),
    "size": ("small", "large"),
    "pace": ("slow", "fast"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "words": {
        "glow": {"orange": ["orange"], "white": ["white"], "blue": ["blue"]},
        "size": {"small": ["small", "little"], "large": ["large", "big", "heavy"]},
        "pace": {"slow": ["slowly"], "fast": ["fast", "quickly"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "a smith hammering {glow} iron",
        "a {size} hammer hitting {glow} iron",
        "a {size} hammer hitting an anvil {pace}",
        "a smith at the anvil {side}",
        "a smith hammering {glow} iron {pace}",
        "{glow} glowing iron on an anvil {side}",
        "{glow} sparks at the forge, hammering {pace}",
        "a {size} hammer hitting glowing iron, {glow} sparks",
        "a forge with {glow} sparks and a {size} hammer",
    ],
    "clauses": {
        "glow": ["{glow} sparks", "the iron is {glow}"],
        "size": ["a {size} hammer", "with a {size} hammer"],
        "pace": ["hammering {pace}", "{pace}"],
        "side": ["{side}", "the anvil is {side}"],
    },
}

GLOWS = {
    "orange": colour(1, .42, .05),
    "white": colour(1, .95, .86),
    "blue": colour(.16, .42, 1),
}
# half width and half height of the head, thickness of the handle
HAMMERS = {"small": (.13, .14, .04), "large": (.25, .26, .06)}
PERIODS = {"slow": 1.12, "fast": .58}
RAISED = {"slow": .95, "fast": .70}
# Hz of the lowest partial of the clang
PITCHES = {"orange": 430, "white": 640, "blue": 930}
AMBIENT = colour(.42, .38, .36)
WOOD = colour(.75, .48, .20)
SKIN = colour(.85, .55, .38)
STEEL = colour(.62, .65, .72)
ANVIL_TOP = -.40
IRON_TOP = -.26
ARM = 1.12
GRIP = .66
SPARK_LIFE = .75
SPARKS = 16


def _pose(part: np.ndarray, raised: float) -> np.ndarray:
    """Angle of the hammer at a part 0…1 of the time between two blows."""
    up = smoothstep(0, .55, part)
    down = np.clip((part - .76) / .24, 0, 1) ** 2
    return raised * (up - down)


def _solid(inside: Tensor) -> Tensor:
    """Cover of where the depth inside a shape is above 0."""
    return outline(-.015, .015, inside)


def _bar(picture: Tensor, left: float, right: float, bottom: float,
         top: float, paint: Tensor) -> Tensor:
    """The picture with a soft rectangle in it."""
    return mix(picture, paint, _solid(least(X - left, right - X, Y - bottom, top - Y)))


def _room(rng: np.random.Generator, x: float, way: float) -> Tensor:
    """Workshop, smith and anvil as seen in white light."""
    rows = torch.floor(Y * 4.5)
    joint = torch.minimum(((Y * 4.5) % 1 - .5).abs(),
                          ((X * 2 + rows * .5) % 1 - .5).abs() * 2.2)
    bricks = .75 + .25 * smoothstep(.50, .36, joint)
    uneven = torch.sin(rows * 5 + torch.floor(X * 2 + rows * .5) * 9)
    bricks = bricks * (1 + .08 * uneven)
    picture = mix(colour(.30, .19, .17) * bricks, colour(.30, .25, .22),
                  outline(-.62, -.66, Y))
    body = x + way * 1.42
    torso = outline(1.04, .96, torch.hypot((X - body) / .42, (Y + .72) / .95))
    picture = mix(picture, colour(.42, .25, .12), torso)
    head = outline(.255, .225, torch.hypot(X - body, Y - .43))
    picture = mix(picture, SKIN, head)
    hair = head * outline(.46, .50, Y + .15 * way * (X - body))
    picture = mix(picture, colour(.18, .10, .06), hair)
    steel = colour(.46, .49, .56)
    picture = _bar(picture, x - .34, x + .34, -1.2, -.84, steel * .75)
    picture = _bar(picture, x - .17, x + .17, -.9, -.6, steel * .65)
    ahead = (x - X) * way
    horn = (ahead - .42).clamp(min=0) / .34
    horn = torch.hypot(horn, (Y - ANVIL_TOP + .13) / .13)
    picture = mix(picture, steel, outline(1.1, .9, horn) * (ahead > .3))
    return _bar(picture, x - .50, x + .50, ANVIL_TOP - .26, ANVIL_TOP, steel)


class Hammer:
    """Forearm, handle and head, which turn about the smith's elbow."""

    def __init__(self, x: float, way: float, size: str):
        self.wide, self.high, self.handle = HAMMERS[size]
        self.way = way
        self.elbow = (x + way * ARM, IRON_TOP + self.high)
        reach = ARM + self.wide + .08
        edges = sorted((self.elbow[0] - way * reach, self.elbow[0] + way * .3))
        self.place = canvas.box(*edges, IRON_TOP - .08, 1)
        self.x, self.y = X[self.place], Y[self.place]

    def draw(self, picture: Tensor, angle: np.ndarray, light: Tensor) -> None:
        """Draws it, lit by `light`, raised by an angle for each frame."""
        part = (..., *self.place)
        under, lit = picture[part], light[part]
        turn = (each(np.cos(angle)), each(np.sin(angle)))
        away_x = (self.elbow[0] - self.x) * self.way
        away_y = self.y - self.elbow[1]
        along = away_x * turn[0] + away_y * turn[1]
        across = away_y * turn[0] - away_x * turn[1]
        shaft = least(self.handle - across.abs(), ARM - along, along - .3)
        under = mix(under, WOOD * lit, _solid(shaft))
        thick = .15 - .07 * (along / (ARM - GRIP)).clamp_(0, 1)
        beyond = torch.maximum(-along, along - (ARM - GRIP + .06)).clamp_(min=0)
        arm = thick - torch.hypot(across, beyond)
        under = mix(under, SKIN * lit, _solid(arm))
        block = torch.minimum(self.wide - (along - ARM).abs(), self.high - across.abs())
        steel = STEEL * lit * (1 + .35 / self.high * across)
        picture[part] = mix(under, steel, _solid(block))


def _sparks(blows: list[dict], x: float, time: np.ndarray) -> Tensor:
    xs, ys, weights = [], [], []
    for blow in blows:
        for lag, share in ((0, 1), (.02, .7), (.04, .4)):
            age = time[:, None] - blow["time"] - lag
            if age[0] > SPARK_LIFE or age[-1] < 0:
                continue
            xs.append(x + blow["speed_x"] * age)
            ys.append(IRON_TOP + blow["speed_y"] * age - 2.2 * age * age)
            fade = share * (1 - age / SPARK_LIFE) * ((0 <= age) & (age < SPARK_LIFE))
            weights.append(np.broadcast_to(fade, xs[-1].shape))
    if not xs:
        return canvas.zeros(len(time), 1, canvas.HEIGHT, canvas.WIDTH)
    return canvas.splat(*(np.concatenate(v, axis=1) for v in (xs, ys, weights)))


def _blows(rng: np.random.Generator, period: float, offset: float,
           duration: float) -> list[dict]:
    blows = []
    for time in np.arange(int((duration + offset) / period) + 1) * period - offset:
        angle = rng.uniform(.10, .90, SPARKS) * np.pi
        speed = rng.uniform(.9, 2.3, SPARKS)
        blows.append({"time": time, "speed_x": np.cos(angle) * speed,
                      "speed_y": np.sin(angle) * speed})
    return blows


def _clang(rng: np.random.Generator, pitch: float, large: bool) -> np.ndarray:
    count = int(.9 * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    sound = np.zeros(count, np.float32)
    for ratio, level, decay in ((1, 1, 5.5), (2.76, .6, 8), (5.4, .3, 13)):
        tone = np.sin(2 * np.pi * pitch * ratio * time)
        sound += level * tone * np.exp(-decay * time)
    thud = np.sin(2 * np.pi * (95 if large else 230) * time)
    sound += (1.5 if large else .5) * thud * np.exp(-16 * time)
    sound += .7 * sounds.noise(rng, count, 1) * np.exp(-150 * time)
    return sound * (1 - np.exp(-4000 * time))


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, events."""
    duration = frames / canvas.FRAME_RATE
    glow = GLOWS[attributes["glow"]]
    period = PERIODS[attributes["pace"]] * rng.uniform(.95, 1.05)
    raised = RAISED[attributes["pace"]]
    offset = rng.uniform(0, period)
    side = attributes["side"]
    x = canvas.SIDES[side] * .9 + rng.uniform(-.06, .06)
    way = {"left": 1, "right": -1, "centre": rng.choice([-1, 1])}[side]
    room = _room(rng, x, way)
    hammer = Hammer(x, way, attributes["size"])
    blows = _blows(rng, period, offset, duration)
    distance = torch.hypot(X - x, Y - IRON_TOP)
    near = bell(distance, .75) + .30 * bell(distance, 1.6)
    lamp = bell(distance, .26)
    iron = _solid(least(.36 - (X - x).abs(), Y - ANVIL_TOP, IRON_TOP - Y))
    hot = mix(glow, WHITE, .25)
    point, halo = canvas.Blur(1.9), canvas.Blur(5)

    def draw(frame: np.ndarray) -> Tensor:
        time = frame / canvas.FRAME_RATE
        age = (time + offset) % period
        flash = each(np.exp(-9 * age))
        light = torch.addcmul(AMBIENT, glow, near * (.55 + 1.3 * flash))
        picture = mix(room * light, hot * (.92 + .3 * flash), iron)
        hammer.draw(picture, _pose(age / period, raised), light)
        sparks = _sparks(blows, x, time)
        picture.addcmul_(glow, halo(sparks) * 14 + lamp * (.22 + 1.3 * flash))
        return picture.addcmul_(hot, point(sparks) * 22)

    video = canvas.film(frames, draw)
    roar = sounds.noise(rng, sounds.sample_count(frames))
    sound = sounds.filtered(roar, "bandpass", 60, 350) * .035
    clang = _clang(rng, PITCHES[attributes["glow"]], attributes["size"] == "large")
    clang = sounds.pan(clang * .25, x)
    events = []
    for blow in blows:
        sounds.add_event(sound, clang, blow["time"])
        if 0 <= blow["time"] < duration:
            events.append(sounds.event(blow["time"], x, "blow"))
    return video, sound, events
