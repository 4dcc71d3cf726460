# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Waves rolling towards the viewer under the sun or the moon; surf noise
swells with every breaking wave."""

import numpy as np

from . import canvas, sounds
from .canvas import X, Y, colour, mix, outline, smoothstep
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
        self.depth = np.clip(horizon - Y[self.top:], .012, None)
        self.x = X[self.top:]
        self.z = .35 / self.depth
        self.u = self.x * self.z
        self.height = 1.0 if rough else .4
        self.period = 2.2 if rough else 3.2
        self.offset = rng.uniform(0, self.period)
        self.swells = []
        for octave in range(4):
            wave = rng.uniform(1.3, 1.6) * 1.7 ** octave
            turn = rng.uniform(-.5, .5)
            phase = rng.uniform(0, 2 * np.pi)
            angle = wave * (self.z * 2.2 + self.u * turn) + phase
            fade = np.exp(-.02 * (wave * self.z / self.depth * .1) ** 2)
            speed = 1.5 * np.sqrt(wave)
            self.swells.append((angle, speed, .5 / wave ** .7, fade))
        froth = canvas.texture(rng, (256, 256), [(3, 7, .8), (7, 18, .6)])
        self.froth = canvas.lookup(froth, self.z * 130, self.u * 95)
        self.crest = .08 * np.sin(self.u * 2 + phase)

    def since_break(self, time):
        """Seconds since the latest wave broke, below the period."""
        return (time + self.offset) % self.period

    def slopes(self, time: float) -> np.ndarray:
        total = np.zeros_like(self.z)
        for angle, speed, amplitude, fade in self.swells:
            total += amplitude * fade * np.sin(angle + speed * time)
        return total * (.55 + .45 * self.height)

    def surf(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Shade of the rolling crest and cover of foam, both [rows, W]."""
        shade = np.zeros_like(self.z)
        foam = np.zeros_like(self.z)
        since = self.since_break(time)
        for age in (since - 2 * self.period, since - self.period, since):
            if age < 0:
                away = self.z - (.45 - 1.1 * age + self.crest)
                crest = np.exp(-(away / .11) ** 2) * np.exp(age * .5)
                shade -= np.where(away < 0, crest, -.4 * crest)
                foam += crest * smoothstep(-1.1, 0, age) * .9
            else:
                reach = .48 + .55 * (1 - np.exp(-1.8 * age)) + self.crest
                sheet = smoothstep(.2, -.08, self.z - reach)
                lace = smoothstep(-1.2 + 1.3 * age, .6 + 1.3 * age, self.froth)
                foam += sheet * lace * np.exp(-1.0 * age)
        return shade, foam


def _sky(attributes: dict, horizon: float,
         x: float) -> tuple[np.ndarray, np.ndarray]:
    """The sky with its sun or moon, and where clouds may cover it."""
    zenith, low, orb, _, strength = PALETTES[attributes["time"]]
    y = horizon + (.26 if attributes["time"] == "sunset" else .50)
    radius = .17
    distance = np.hypot(X - x, Y - y)
    sky = canvas.gradient(low, zenith, horizon, 1.05)
    glow = np.exp(-(distance / .32) ** 2) * .5 + np.exp(-(distance / .8) ** 2) * .3
    sky = sky + orb * glow * strength
    cover = outline(radius + .02, radius - .02, distance)
    return mix(sky, orb, cover), 1 - cover


def _clouds(rng: np.random.Generator, horizon: float) -> np.ndarray:
    strip = canvas.texture(rng, (canvas.ROWS, 512), [(4, 16, 1), (2, 7, .45)])
    return smoothstep(.3, 1.8, strip) * smoothstep(horizon, horizon + .3, Y[:, :1])


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
    cloud_colour = mix(low, colour(1, 1, 1), .15 if night else .45)
    reflected = mix(low, water, np.clip(.10 + sea.depth * .75, 0, 1))
    path = np.exp(-((sea.x - sun_x) / (.14 + .30 * sea.depth)) ** 2)
    foam_colour = mix(colour(1, 1, 1), low, .3) * (.5 if night else 1)
    drift = rng.choice([-4, 4])
    haze = smoothstep(0, .06, sea.depth)

    video = np.empty((frames, canvas.HEIGHT, canvas.WIDTH, 3), np.uint8)
    for i in range(frames):
        time = i / canvas.FRAME_RATE
        cloud = canvas.slide(clouds, 256 + drift * time)
        picture = mix(sky, cloud_colour, cloud * open_sky * .55)
        slope = sea.slopes(time)
        shade, foam = sea.surf(time)
        lit = mix(water, reflected, smoothstep(-.55, .65, slope))
        lit = lit * (1 + .5 * shade * sea.height ** .5)
        lit = lit + orb * (path * smoothstep(-.1, .8, slope) * (.5 + .4 * haze))
        lit = mix(lit, foam_colour, np.clip(foam * (.25 + .65 * sea.height), 0, .9))
        picture[:, sea.top:] = mix(low, lit, haze)
        canvas.store(video[i], picture)

    count = sounds.sample_count(frames)
    duration = frames / canvas.FRAME_RATE
    breaks = np.arange(1, 9) * sea.period - sea.offset
    events = [sounds.event(t, 0, "wave") for t in breaks if 0 <= t < duration]
    return video, _sound(rng, sea, count), events
