# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Waves rolling towards the viewer under the sun or the moon; surf noise
swells with every breaking wave."""

import numpy as np
import torch
from torch import Tensor

from . import canvas, sounds
from .canvas import WHITE, X, Y, bell, colour, each, mix, outline, smoothstep
from .phrases import SIDE_PHRASES

ATTRIBUTES = {
    "time": ("sunset", "day", "night"),
    "sea": ("calm", "rough"),
    "side": ("left", "centre", "right"),
}

GRAMMAR = {
    "aliases": {"orb": "time"},
    "words": {
        "time": {"sunset": ["sunset", "dusk"], "day": ["day", "noon", "midday"],
                 "night": ["night"]},
        "sea": {"calm": ["calm", "gentle", "quiet"],
                "rough": ["rough", "wild", "stormy"]},
        "orb": {"sunset": ["sun"], "day": ["sun"], "night": ["moon"]},
        "side": SIDE_PHRASES,
    },
    "mains": [
        "ocean at {time}",
        "ocean waves at {time}",
        "{sea} ocean waves at {time}",
        "{time} over a {sea} sea",
        "a {sea} sea at {time}",
        "{sea} waves rolling to the beach, {time}",
        "the sea at {time}, the {orb} {side}",
        "{sea} surf at {time} with the {orb} {side}",
        "ocean waves",
        "{sea} sea",
    ],
    "clauses": {
        "time": ["at {time}", "{time}"],
        "sea": ["{sea} waves", "{sea} water"],
        "side": ["{orb} {side}", "the {orb} {side}", "the {orb} is {side}"],
    },
}

# zenith, horizon, sun or moon, water, strength of the glow
PALETTES = {
    "sunset": (colour(.26, .16, .42), colour(1, .50, .20), colour(1, .93, .55),
               colour(.16, .11, .24), .75),
    "day": (colour(.16, .45, .90), colour(.74, .88, 1), colour(1, .98, .80),
            colour(.02, .36, .52), .5),
    "night": (colour(.01, .02, .09), colour(.09, .13, .30), colour(.90, .94, 1),
              colour(.01, .04, .12), .4),
}


class Sea:
    """The water below the horizon, in perspective; z is the distance."""

    def __init__(self, rng: np.random.Generator, horizon: float, rough: bool):
        self.top = int(np.searchsorted(-canvas.Y_LINE, -horizon))
        self.depth = (horizon - Y[self.top:]).clamp(min=.012)
        self.x = X[self.top:]
        self.z = .35 / self.depth
        self.u = self.x * self.z
        self.height = 1.0 if rough else .4
        self.period = 2.2 if rough else 3.2
        self.offset = rng.uniform(0, self.period)
        self.speeds, parts = [], []
        for octave in range(4):
            wave = rng.uniform(1.3, 1.6) * 1.7 ** octave
            turn = rng.uniform(-.5, .5)
            phase = rng.uniform(0, 2 * np.pi)
            angle = wave * (self.z * 2.2 + self.u * turn) + phase
            fade = torch.exp(-.02 * (wave * self.z / self.depth * .1) ** 2)
            fade *= .5 / wave ** .7 * (.55 + .45 * self.height)
            self.speeds.append(1.5 * np.sqrt(wave))
            parts += [fade * angle.sin(), fade * angle.cos()]
        self.swells = torch.stack(parts).flatten(1)
        froth = canvas.texture(rng, (256, 256), [(3, 7, .8), (7, 18, .6)])
        self.froth = canvas.lookup(froth, self.z * 130, self.u * 95)
        self.from_crest = self.z - .08 * torch.sin(self.u * 2 + phase)

    def since_break(self, time):
        """Seconds since the latest wave broke, below the period."""
        return (time + self.offset) % self.period

    def slopes(self, time: np.ndarray) -> Tensor:
        """Of the water at each time, [F, 1, rows, WIDTH]: a sum of
        sin(angle + speed · time)."""
        turn = time[:, None] * self.speeds
        shares = np.stack([np.cos(turn), np.sin(turn)], axis=2)
        total = canvas.put(shares.reshape(len(time), -1)) @ self.swells
        return total.view(-1, 1, *self.z.shape)

    def surf(self, time: np.ndarray) -> tuple[Tensor, Tensor]:
        """Shade of the rolling crest and cover of foam, [F, 1, rows, WIDTH]."""
        age = self.since_break(time)
        away = self.from_crest - each(.48 + .55 * (1 - np.exp(-1.8 * age)))
        foam = smoothstep(.2, -.08, away)
        foam *= smoothstep(-1.2, .6, self.froth - each(1.3 * age))
        foam *= each(np.exp(-1.0 * age))
        shade = torch.zeros_like(foam)
        for age in (age - self.period, age - 2 * self.period):
            away = self.from_crest - each(.45 - 1.1 * age)
            crest = bell(away, .11) * each(np.exp(age * .5))
            foam.addcmul_(crest, each(smoothstep(-1.1, 0, age) * .9))
            shade.addcmul_(crest, (away >= 0) * 1.4 - 1)
        return shade, foam


def _sky(attributes: dict, horizon: float, x: float) -> tuple[Tensor, Tensor]:
    """The sky with its sun or moon, and where clouds may cover it."""
    zenith, low, orb, _, strength = PALETTES[attributes["time"]]
    y = horizon + (.26 if attributes["time"] == "sunset" else .50)
    radius = .17
    distance = torch.hypot(X - x, Y - y)
    sky = canvas.gradient(low, zenith, horizon, 1.05)
    glow = bell(distance, .32) * .5 + bell(distance, .8) * .3
    sky = sky + orb * glow * strength
    cover = outline(radius + .02, radius - .02, distance)
    return mix(sky, orb, cover), 1 - cover


def _clouds(rng: np.random.Generator, horizon: float) -> canvas.Periodic:
    strip = canvas.texture(rng, (canvas.ROWS, 512), [(4, 16, 1), (2, 7, .45)])
    high = smoothstep(horizon, horizon + .3, canvas.UP)
    return canvas.Periodic(smoothstep(.3, 1.8, strip) * high)


def _sound(rng: np.random.Generator, sea: Sea, count: int) -> np.ndarray:
    age = sea.since_break(sounds.seconds(count))[:, None]
    swell = np.exp(-1.2 * age) * (1 - np.exp(-16 * age))
    swell = swell + .45 * np.exp(1.7 * (age - sea.period))
    rumble = sounds.filtered(sounds.noise(rng, count), "lowpass", 420)
    hiss = sounds.filtered(sounds.noise(rng, count), "bandpass", 600, 4500)
    level = .45 + .55 * sea.height
    sound = (.10 + .9 * swell) * rumble * .75 + (.04 + .8 * swell ** 1.4) * hiss * .32
    return sound * level


def render(attributes: dict, rng: np.random.Generator,
           frames: int) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """See clip.render: frames uint8, samples float32, events."""
    low, orb, water = PALETTES[attributes["time"]][1:4]
    night = attributes["time"] == "night"
    horizon = .16 + rng.uniform(-.05, .05)
    sun_x = canvas.SIDES[attributes["side"]] + rng.uniform(-.12, .12)
    sea = Sea(rng, horizon, attributes["sea"] == "rough")
    sky, open_sky = _sky(attributes, horizon, sun_x)
    clouds = _clouds(rng, horizon)
    cloud_colour = mix(low, WHITE, .15 if night else .45)
    reflected = mix(low, water, (.10 + sea.depth * .75).clamp(0, 1))
    foam_colour = mix(WHITE, low, .3) * (.5 if night else 1)
    drift = rng.choice([-4, 4])
    haze = smoothstep(0, .06, sea.depth)
    path = bell(sea.x - sun_x, .14 + .30 * sea.depth) * (.5 + .4 * haze)

    def draw(frame: np.ndarray) -> Tensor:
        time = frame / canvas.FRAME_RATE
        cloud = clouds.slide(256 + drift * time)
        picture = mix(sky, cloud_colour, cloud * (open_sky * .55))
        slope = sea.slopes(time)
        shade, foam = sea.surf(time)
        lit = mix(water, reflected, smoothstep(-.55, .65, slope))
        lit *= 1 + .5 * sea.height ** .5 * shade
        lit += orb * (path * smoothstep(-.1, .8, slope))
        cover = (foam * (.25 + .65 * sea.height)).clamp_(0, .9)
        lit = mix(lit, foam_colour, cover)
        picture[:, :, sea.top:] = mix(low, lit, haze)
        return picture

    video = canvas.film(frames, draw)
    count = sounds.sample_count(frames)
    duration = frames / canvas.FRAME_RATE
    breaks = np.arange(1, 9) * sea.period - sea.offset
    events = [sounds.event(t, 0, "wave") for t in breaks if 0 <= t < duration]
    return video, _sound(rng, sea, count), events
