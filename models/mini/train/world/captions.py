# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Captions in many phrasings, from a family and its attributes.

A caption is a main phrase, which may name some attributes, and up to two
further clauses for others. What no phrase names is left to chance.
"""

import re
from string import Formatter

import numpy as np

SIDE_PHRASES = {
    "left": ["on the left", "to the left", "on the left side"],
    "centre": ["in the centre", "in the middle", "at the center"],
    "right": ["on the right", "to the right", "on the right side"],
}

# family: "words" replace {attribute}, "mains" start, "clauses" may follow
GRAMMARS = {
    "ocean": {
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
    },
    "campfire": {
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
    },
    "storm": {
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
    },
    "fireworks": {
        "words": {
            "colour": {"red": ["red"], "green": ["green"], "blue": ["blue"],
                       "golden": ["golden", "gold"]},
            "size": {"small": ["small", "little"], "huge": ["huge", "big", "large"]},
            "side": SIDE_PHRASES,
        },
        "mains": [
            "{colour} fireworks",
            "{size} {colour} fireworks over the city",
            "{colour} {size} fireworks at night",
            "{size} {colour} fireworks exploding with bangs",
            "{colour} fireworks {side} over a city at night",
            "fireworks in {colour} {side}",
            "{colour} fireworks above the town",
            "{size} fireworks over a city",
        ],
        "clauses": {
            "colour": ["{colour} sparks", "all in {colour}"],
            "size": ["{size} bursts", "{size} explosions"],
            "side": ["{side}", "bursts {side}"],
        },
    },
    "ball": {
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
    },
    "aurora": {
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
    },
}


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def _values(family: str, attributes: dict[str, str]) -> dict[str, str]:
    """The attributes with those that only the captions know."""
    values = dict(attributes)
    if family == "ocean":
        values["orb"] = attributes["time"]
    return values


def _hidden(family: str, attributes: dict[str, str]) -> set[str]:
    """Attributes of which nothing can be seen or heard."""
    if family == "storm" and attributes["lightning"] == "none":
        return {"side"}
    return set()


def caption(family: str, attributes: dict[str, str],
            rng: np.random.Generator) -> str:
    """A random caption that is true of the attributes."""
    grammar = GRAMMARS[family]
    values = _values(family, attributes)
    hidden = _hidden(family, attributes)

    def phrase(template: str) -> str:
        words = {name: str(rng.choice(grammar["words"][name][values[name]]))
                 for name in sorted(_fields(template))}
        return template.format(**words)

    main = str(rng.choice(grammar["mains"]))
    named = _fields(main)
    open_names = [name for name in grammar["clauses"]
                  if name not in named and name not in hidden]
    parts = [phrase(main)]
    for name in rng.permutation(open_names)[:2]:
        if rng.random() < .7:
            parts.append(phrase(str(rng.choice(grammar["clauses"][name]))))
    return ", ".join(parts)


def words_of(text: str) -> list[str]:
    """The words of a caption as the text encoder splits it."""
    return re.findall(r"[a-z0-9]+", text.lower())


def vocabulary() -> list[str]:
    """Every word that a caption can hold, sorted."""
    texts = []
    for grammar in GRAMMARS.values():
        templates = list(grammar["mains"])
        for clauses in grammar["clauses"].values():
            templates += clauses
        texts += [re.sub(r"\{\w+\}", " ", template) for template in templates]
        for synonyms in grammar["words"].values():
            for phrases in synonyms.values():
                texts += phrases
    return sorted({word for text in texts for word in words_of(text)})
