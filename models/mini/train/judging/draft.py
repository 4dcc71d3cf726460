# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Scenes drawn at random: a prompt and what it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from world import captions
from world.families import FAMILIES

CAPTIONS_TRIED = 3


@dataclass
class Scene:
    """named: the attributes that the prompt names and that can be perceived."""

    family: str
    attributes: dict[str, str]
    named: set[str]
    prompt: str
    seed: int
    caption_seed: int


def hidden(family: str, attributes: Mapping[str, str]) -> set[str]:
    """Attributes of which nothing can be seen or heard."""
    rules = FAMILIES[family].GRAMMAR.get("hidden", {})
    names: set[str] = set()
    for (name, value), others in rules.items():
        if attributes[name] == value:
            names |= others
    return names


def describe(family: str, attributes: Mapping[str, str], seed: int):
    rng = np.random.default_rng(seed)
    text, named = captions.describe(family, dict(attributes), rng)
    return text, named - hidden(family, attributes)


def attributes_of(
    family: str, rng: np.random.Generator, given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """At random, but for those given."""
    chosen = {
        name: str(rng.choice(values))
        for name, values in FAMILIES[family].ATTRIBUTES.items()
    }
    return chosen | dict(given or {})


def scene(family: str, rng: np.random.Generator, tries: int = CAPTIONS_TRIED) -> Scene:
    """Of some captions that which names most."""
    attributes = attributes_of(family, rng)
    seeds = [int(seed) for seed in rng.integers(1 << 31, size=tries)]
    told = [describe(family, attributes, seed) for seed in seeds]
    best = max(range(tries), key=lambda i: len(told[i][1]))
    text, named = told[best]
    seed = int(rng.integers(1 << 31))
    return Scene(family, attributes, named, text, seed, seeds[best])


def scenes(
    count: int,
    rng: np.random.Generator,
    families: list[str],
    tries: int = CAPTIONS_TRIED,
) -> list[Scene]:
    """The families take turns."""
    return [scene(families[i % len(families)], rng, tries) for i in range(count)]


def again(one: Scene, rng: np.random.Generator) -> Scene:
    """The same prompt with another seed."""
    seed = int(rng.integers(1 << 31))
    return Scene(
        one.family, one.attributes, one.named, one.prompt, seed, one.caption_seed
    )


def swapped(
    one: Scene, rng: np.random.Generator, allowed: set[str]
) -> tuple[Scene, str] | None:
    """The same seed and phrasing with one named and allowed attribute changed, and
    which."""
    for name in rng.permutation(sorted(one.named & allowed)):
        values = FAMILIES[one.family].ATTRIBUTES[name]
        for value in rng.permutation([v for v in values if v != one.attributes[name]]):
            attributes = one.attributes | {str(name): str(value)}
            text, named = describe(one.family, attributes, one.caption_seed)
            if named == one.named:
                other = Scene(
                    one.family, attributes, named, text, one.seed, one.caption_seed
                )
                return other, str(name)
    return None
