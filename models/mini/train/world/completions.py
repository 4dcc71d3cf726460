# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""What a prompt leaves open, as rules for who plays the model (FORMAT.md,
section 2). A model that few updates have trained draws the average of what it
was not told: half a lamp on the left and half a lamp on the right. A phrase
drawn by the seed tells it."""

from string import Formatter

from . import captions
from .families import FAMILIES

# Words that tell of a family and of no other.
ABOUT = {
    "ocean": ["ocean", "surf", "waves"],
    "campfire": ["campfire", "flames", "logs"],
    "storm": ["rain", "rainy", "storm"],
    "fireworks": ["fireworks"],
    "ball": ["ball"],
    "aurora": ["aurora", "northern"],
    "drops": ["drop", "drops"],
    "cars": ["car", "cars", "traffic"],
    "clock": ["clock", "pendulum"],
    "forge": ["anvil", "forge", "hammer", "smith"],
    "snowfall": ["snowfall", "snowflakes", "winter"],
    "lamp": ["lamp", "lava"],
    "stars": ["nebula", "space", "spaceship", "stars"],
    "lighthouse": ["lighthouse"],
    "waterfall": ["waterfall"],
    "birds": ["birds", "swan", "swans"],
}
# What is most in the way when it is not decided.
FIRST = ("side", "heading")
SMALL = {"a", "all", "and", "at", "in", "of", "on", "over", "side", "the", "to",
         "with"}
# Attributes that are told by words of other families as well, and by those for
# which attribute.
KIN = {"colour": "colour", "glow": "colour", "floor": "ground", "size": "size",
       "motion": "speed", "pace": "speed", "speed": "speed", "time": "time",
       "weather": "time"}
DRAWS = sorted({name for world in FAMILIES.values() for name in world.ATTRIBUTES})


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def _words(phrases: list[str]) -> set[str]:
    return {word for phrase in phrases for word in phrase.split()}


class Attribute:
    """One attribute of a family and the words that name it."""

    def __init__(self, family: str, name: str):
        grammar = FAMILIES[family].GRAMMAR
        self.name = name
        self.words = grammar["words"]
        self.aliases = grammar.get("aliases", {})
        self.clauses = grammar["clauses"].get(name, [])

    def telling(self) -> dict[str, set[str]]:
        """Words that name a value: those that not every value has and, where
        one of them is a "no", those that it may stand before."""
        aliases = (a for a, other in self.aliases.items() if other == self.name)
        names = [self.name, *aliases]
        told: dict[str, set[str]] = {value: set() for value in self.words[self.name]}
        for name in names:
            words = {v: _words(phrases) for v, phrases in self.words[name].items()}
            common = set.intersection(*words.values())
            if "no" in set.union(*words.values()):
                common = set()
            for value in told:
                told[value] |= words[value] - common - SMALL
        return told

    def phrases(self, clause: str, **others: str) -> list[str]:
        """One for each value."""
        values = self.words[self.name].values()
        return [clause.format(**{self.name: words[0]}, **others) for words in values]


def _elsewhere(family: str, name: str) -> set[str]:
    """Words that name such an attribute in other families and nothing in this
    one, whose captions say "slowly" of what a prompt may call slow."""
    told: set[str] = set()
    for other, world in FAMILIES.items():
        if KIN.get(name) in world.ATTRIBUTES:
            told |= set.union(*Attribute(other, KIN[name]).telling().values())
    return told - captions.words_in(family)


def _rules_of(family: str) -> list[dict]:
    names = FAMILIES[family].ATTRIBUTES
    attributes = {name: Attribute(family, name) for name in names}
    rules = []

    def rule(attribute: Attribute, when: list[list[str]], phrases: list[str]) -> None:
        told = set.union(*attribute.telling().values())
        rules.append({
            "draw": DRAWS.index(attribute.name),
            "when": when,
            "unless": sorted(told | _elsewhere(family, attribute.name)),
            "phrases": phrases,
        })

    for name in sorted(names, key=lambda name: name not in FIRST):
        attribute = attributes[name]
        alone = [c for c in attribute.clauses if _fields(c) == {name}]
        if alone:
            rule(attribute, [ABOUT[family]], attribute.phrases(alone[0]))
    for name, attribute in attributes.items():
        for alias, other in attribute.aliases.items():
            if other == name:
                continue
            clauses = [c for c in attribute.clauses if _fields(c) == {name, alias}]
            if not clauses:
                continue
            for value, words in attributes[other].telling().items():
                told = attribute.words[alias][value][0]
                phrases = attribute.phrases(clauses[0], **{alias: told})
                rule(attribute, [ABOUT[family], sorted(words)], phrases)
    return rules


def rules(examples: list[str]) -> list[dict]:
    """Of all families; a prompt without words becomes one of the examples."""
    nothing = {"draw": len(DRAWS), "when": [], "unless": [], "phrases": examples}
    return [nothing, *(rule for family in ABOUT for rule in _rules_of(family))]
