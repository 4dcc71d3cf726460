# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""A large ball bouncing on the spot; every contact sounds."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import ACROSS, UP, X, Y, bell, colour, each, mix, outline, smoothstep
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "colour": ("red", "blue", "green", "yellow"),
    "floor": ("wooden", "tiled", "grass"),
    "speed": ("slow", "fast"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "words": {
        "colour": {"red": ["red"], "blue": ["blue"], "green": ["green"],
                   "yellow": ["yellow"]},
        "floor": {"wooden": ["a wooden floor", "wood", "wooden planks"],
                  "tiled": ["a tiled floor", "tiles"],
                  "grass": ["grass", "a green meadow"]},
        "speed": {"slow": ["slowly"], "fast": ["fast", "quickly"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "a {colour} ball",
        "a bouncing {colour} ball",
        "a {colour} ball bouncing on {floor}",
        "a {colour} ball bouncing {speed} on {floor}",
        "a {colour} ball bouncing {speed}",
        "{colour} ball {side} bouncing on {floor}",
        "a ball bouncing {speed} {side}",
        "big {colour} ball hitting {floor}",
    ],
    "clauses": {
        "colour": ["the ball is {colour}", "a {colour} ball"],
        "floor": ["on {floor}"],
        "speed": ["bouncing {speed}", "{speed}"],
        "side": ["{side}", "the ball is {side}"],
    },
}

COLOURS = {
    "red": colour(.92, .08, .06),
    "blue": colour(.08, .25, .95),
    "green": colour(.05, .72, .20),
    "yellow": colour(1, .82, .08),
}
PERIODS = {"slow": 1.05, "fast": .62}
HEIGHTS = {"slow": .9, "fast": .56}
RADIUS = .38
CONTACT = -.66
# pitch in Hz, decay in 1/s, share of noise
TIMBRES = {
    "wooden": (190, 14, .30),
    "tiled": (290, 9, .55),
    "grass": (120, 24, .15),
}


def _floor(rng: np.random.Generator, kind: str) -> Tensor:
    depth = (-.22 - Y).clamp(min=.03)
    z = .5 / depth
    u = X * z
    if kind == "tiled":
        check = torch.sin(u * 4.2 + rng.uniform(0, 6))
        check = check * torch.sin(z * 4.2 + rng.uniform(0, 6))
        share = smoothstep(-.12, .12, check) * smoothstep(.05, .3, depth)
        return mix(colour(.22, .23, .30), colour(.92, .92, .88), share)
    if kind == "wooden":
        plank = torch.sin(torch.floor(u * 1.6 + rng.uniform(0, 1)) * 12.9) * .5
        grain = .12 * torch.sin(z * 5 + plank * 20)
        shade = (.30 * plank + grain) * smoothstep(0, .25, depth)
        return colour(.62, .36, .15) * (1 + shade)
    blades = canvas.texture(rng, (canvas.ROWS, canvas.COLUMNS), [(3, 2.2, 1)])
    return colour(.22, .52, .10) * (1 + .11 * blades)


def _room(rng: np.random.Generator, kind: str) -> Tensor:
    walls = [(.80, .84, .92), (.93, .85, .74), (.45, .50, .64), (.86, .80, .90)]
    if kind == "grass":
        walls = [(.55, .78, .98), (.66, .82, .95)]
    wall = colour(*walls[int(rng.integers(len(walls)))])
    light = .78 + .22 * smoothstep(-.3, 1.1, Y)
    below = outline(-.20, -.24, Y)
    shaded = _floor(rng, kind) * (.70 + .30 * smoothstep(0, .7, -.22 - Y))
    return mix(wall * light, shaded, below)


def _thud(kind: str, rng: np.random.Generator) -> np.ndarray:
    pitch, decay, share = TIMBRES[kind]
    count = int(.5 * sounds.SAMPLE_RATE)
    time = sounds.seconds(count)
    glide = pitch * (time + .25 * (1 - np.exp(-30 * time)) / 30)
    tone = np.sin(2 * np.pi * glide) * np.exp(-decay * time)
    tone += .4 * np.sin(2 * np.pi * 2.3 * glide) * np.exp(-1.8 * decay * time)
    slap = sounds.noise(rng, count, 1) * np.exp(-160 * time) * share
    return (tone + slap) * (1 - np.exp(-3000 * time))


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, events."""
    duration = frames / canvas.FRAME_RATE
    tint = COLOURS[attributes["colour"]]
    period = PERIODS[attributes["speed"]] * rng.uniform(.95, 1.05)
    height = HEIGHTS[attributes["speed"]]
    offset = rng.uniform(0, period)
    x = canvas.SIDES[attributes["side"]] + rng.uniform(-.12, .12)
    room = _room(rng, attributes["floor"])
    on_floor = outline(-.20, -.24, UP)
    widest = RADIUS * 1.3
    place = canvas.box(x - widest, x + widest, CONTACT - RADIUS, 1)

    def draw(frame: np.ndarray) -> Tensor:
        part = ((frame / canvas.FRAME_RATE + offset) % period) / period
        lift = 4 * part * (1 - part)
        soon = np.minimum(part, 1 - part) * period
        squash = 1 + .22 * np.maximum(0, 1 - soon / .06)
        wide, tall = RADIUS * squash, RADIUS / squash
        y = CONTACT + tall + height * lift
        spread = each(RADIUS * (1.05 + .5 * lift))
        near = each(.30 + .45 * (1 - lift)) * on_floor
        shadow = bell(ACROSS - x, spread) * (bell(UP - CONTACT, spread * .3) * near)
        picture = room * (1 - shadow)

        across = (ACROSS[place[1]] - x) / each(wide)
        up = (UP[place[0]] - each(y)) / each(tall)
        square = across * across + up * up
        front = (1 - square).clamp_(0, 1).sqrt_()
        lit = (-.45 * across + .65 * up + .62 * front).clamp_(0, 1)
        gloss = (-.36 * across + .52 * up + .78 * front).clamp_(0, 1) ** 22
        skin = tint * (.30 + .80 * lit) + gloss * .65
        under = picture[..., *place]
        picture[..., *place] = mix(under, skin, outline(1.07, .93, square))
        return picture

    video = canvas.film(frames, draw)
    sound = sounds.filtered(sounds.noise(rng, sounds.sample_count(frames)),
                            "lowpass", 400) * .006
    thud = sounds.pan(_thud(attributes["floor"], rng) * .62, x)
    events = []
    for contact in np.arange(int(duration / period) + 3) * period - offset:
        sounds.add_event(sound, thud, contact)
        if 0 <= contact < duration:
            events.append(sounds.event(contact, x, "bounce"))
    return video, sound, events
