# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Curtains of northern lights; a soft wind and a low chord that swells
with their brightness."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import ACROSS, X_LINE, Y, colour, each, mix, outline, put, smoothstep

ATTRIBUTES = {
    "colour": ("green", "purple", "red"),
    "motion": ("slow", "fast"),
    "land": ("mountains", "lake", "forest"),
}

GRAMMAR = {
    "words": {
        "colour": {"green": ["green"], "purple": ["purple", "violet"],
                   "red": ["red"]},
        "motion": {"slow": ["slow", "calm", "gentle"],
                   "fast": ["fast", "dancing", "wild"]},
        "land": {"mountains": ["snowy mountains", "mountains"],
                 "lake": ["a lake", "still water"],
                 "forest": ["a forest", "dark trees"]},
    },
    "mains": [
        "{colour} aurora",
        "{colour} northern lights",
        "{colour} aurora over {land}",
        "{motion} {colour} aurora over {land}",
        "{motion} {colour} northern lights in the night sky",
        "northern lights over {land}",
        "{colour} aurora in the sky above {land}",
        "{motion} aurora at night",
    ],
    "clauses": {
        "colour": ["{colour} light", "in {colour}"],
        "motion": ["{motion} lights", "{motion} curtains"],
        "land": ["above {land}", "over {land}"],
    },
}

# lower edge, upper rays
COLOURS = {
    "green": (colour(.25, 1, .45), colour(.05, .55, .50)),
    "purple": (colour(.75, .30, 1), colour(.35, .10, .75)),
    "red": (colour(1, .22, .25), colour(.70, .08, .30)),
}
# Hz of the chord's voices, each in a band of its own of the sound model
CHORDS = {
    "green": (146.8, 220, 293.7, 370),
    "purple": (130.8, 196, 311.1, 392),
    "red": (164.8, 246.9, 329.6, 415.3),
}
SPEEDS = {"slow": .45, "fast": 1.5}
LAND_LINE = -.52


class Curtain:
    """One hanging sheet of light; its foot is a curve over x."""

    def __init__(self, rng: np.random.Generator, foot: float, speed: float):
        self.foot = foot
        self.speed = speed
        self.phases = rng.uniform(0, 2 * np.pi, 4)
        self.waves = rng.uniform(.8, 1.3, 2)
        self.way = rng.choice([-1, 1])

    def draw(self, time: np.ndarray) -> tuple[Tensor, Tensor]:
        """Brightness [F, 1, HEIGHT, WIDTH], and height above the foot."""
        t = time * self.speed * self.way

        def wave(width: float, turn: np.ndarray) -> Tensor:
            return torch.sin(width * ACROSS + each(turn))

        line = self.foot + .20 * wave(1.7 * self.waves[0], t + self.phases[0])
        line += .07 * wave(4.1, -1.7 * t + self.phases[1])
        rays = 1 + .45 * wave(7, 2.6 * t + self.phases[2])
        rays += .30 * wave(12.5, -3.4 * t + self.phases[3])
        rays *= .75 + .25 * wave(1.1 * self.waves[1], -1.3 * t)
        above = Y - line
        body = above.clamp(min=0).mul_(-1 / .42).exp_()
        body *= smoothstep(-.09, .06, above)
        return body.mul_(rays.clamp_(min=.1)), above


def _pulse(time, speed: float, phase: float):
    """Brightness and loudness of the whole sky."""
    return 1 + .35 * np.sin(2 * np.pi * .42 * speed ** .5 * time + phase)


def _land(rng: np.random.Generator, kind: str) -> tuple[Tensor, Tensor]:
    """Cover of the land and its colours; a lake has only a far shore."""
    phase = rng.uniform(0, 6, 4)
    if kind == "mountains":
        places = np.array([-1.5, -.75, 0, .75, 1.5]) + rng.uniform(-.2, .2, 5)
        heights = rng.uniform(.42, .72, 5)
        slopes = heights - .85 * np.abs(X_LINE[:, None] - places)
        line = LAND_LINE - .06 + np.clip(slopes.max(1), .05, None)
        above = put(line) - Y
        snow = smoothstep(.30, .16, above + .05 * torch.sin(19 * ACROSS + phase[0]))
        return (outline(-.015, .015, above),
                mix(colour(.07, .10, .19), colour(.62, .74, .98), snow))
    if kind == "forest":
        place = X_LINE * 2.4 + phase[0]
        saw = np.abs((place % 1) - .5) * 2
        high = .34 + .16 * np.sin(np.floor(place) * 7.3)
        line = LAND_LINE - .08 + high * (1 - 1.2 * saw)
        return outline(-.015, .015, put(line) - Y), colour(.004, .02, .018)
    shore = (Y - LAND_LINE).abs() - .05 - .03 * torch.sin(2 * ACROSS + phase[0])
    return outline(.015, -.015, shore), colour(.01, .015, .03)


def _mirror_rows() -> np.ndarray:
    """For each row below the shore the row of sky it reflects."""
    reflected = LAND_LINE + 2.6 * (LAND_LINE - canvas.Y_LINE)
    rows = np.round((1 - reflected) / 2 * (canvas.HEIGHT - 1)).astype(int)
    return np.clip(rows, 0, canvas.HEIGHT - 1)


def _sound(rng: np.random.Generator, attributes: dict, phase: float,
           count: int) -> np.ndarray:
    time = sounds.seconds(count)
    speed = SPEEDS[attributes["motion"]]
    swell = _pulse(time, speed, phase) ** 2
    wind = sounds.filtered(sounds.noise(rng, count), "bandpass", 250, 800)
    sound = wind * (.05 * swell)[:, None]
    for voice, pitch in enumerate(CHORDS[attributes["colour"]]):
        shimmer = 1 + .4 * np.sin(2 * np.pi * (.9 + .5 * voice) * speed ** .5 * time
                                  + rng.uniform(0, 6))
        for side in (0, 1):
            detune = pitch * (1 + .0015 * (2 * side - 1))
            tone = np.sin(2 * np.pi * detune * time + rng.uniform(0, 6))
            sound[:, side] += tone * shimmer * swell * (.052 / (1 + .25 * voice))
    return sound


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, no events."""
    bottom, top = COLOURS[attributes["colour"]]
    speed = SPEEDS[attributes["motion"]]
    phase = rng.uniform(0, 2 * np.pi)
    curtains = [Curtain(rng, .02, speed), Curtain(rng, .34, speed * .8)]
    cover, land = _land(rng, attributes["land"])
    lake = attributes["land"] == "lake"
    mirror = _mirror_rows()
    shore = int(np.searchsorted(-canvas.Y_LINE, -LAND_LINE))
    night = canvas.gradient(colour(.03, .06, .16), colour(.005, .01, .05), -.5, 1)
    stars = canvas.splat(rng.uniform(-1.7, 1.7, (1, 22)), rng.uniform(-.2, 1, (1, 22)),
                         rng.uniform(.4, 1, (1, 22)))
    night = night + colour(.9, .95, 1) * (canvas.Blur(1.0)(stars) * 3.5)

    def draw(frame: np.ndarray) -> Tensor:
        time = frame / canvas.FRAME_RATE
        power = _pulse(time, speed, phase)
        picture = night
        for curtain, share in zip(curtains, (1, .6)):
            light, above = curtain.draw(time)
            tint = mix(bottom, top, (above / .7).clamp_(0, 1))
            light *= each(share * power * .72)
            picture = torch.addcmul(picture, tint, light)
        if lake:
            turn = canvas.Y_LINE[shore:] * 45 + (3 * time[:, None]).astype(np.float32)
            ripple = (3 * canvas.SCALE * np.sin(turn)).astype(int)
            rows = np.clip(mirror[shore:] + ripple, 0, shore - 1)
            picture[:, :, shore:] = canvas.pick(picture, rows) * .7
        lit = land + bottom * each(.05 * power)
        return mix(picture, lit, cover)

    video = canvas.film(frames, draw)
    sound = _sound(rng, attributes, phase, sounds.sample_count(frames))
    return video, sound, []
