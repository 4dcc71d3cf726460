# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Captions in many phrasings, from a family and its attributes.

A caption is a main phrase, which may name some attributes, and up to two
further clauses for others. What no phrase names is left to chance. The GRAMMAR
of a family has

mains    phrases that a caption starts with, {attribute} standing for a word;
clauses  {attribute: phrases that may follow};
words    {attribute: {value: its synonyms}};
aliases  optional, {name in a phrase: the attribute that it takes its value
         from}, where one attribute decides several words;
hidden   optional, {(attribute, value): attributes of which nothing can then be
         seen or heard, so that no clause tells of them}.
"""

import re
from string import Formatter

import numpy as np

from .families import FAMILIES


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def describe(family: str, attributes: dict[str, str],
             rng: np.random.Generator) -> tuple[str, set[str]]:
    """A random caption that is true of the attributes, and those it names."""
    grammar = FAMILIES[family].GRAMMAR
    aliases = grammar.get("aliases", {}).items()
    values = attributes | {name: attributes[other] for name, other in aliases}
    hidden = set()
    for (name, value), others in grammar.get("hidden", {}).items():
        if attributes[name] == value:
            hidden |= others

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
            chosen = str(rng.choice(grammar["clauses"][name]))
            parts.append(phrase(chosen))
            named |= _fields(chosen)
    return ", ".join(parts), named & attributes.keys()


def caption(family: str, attributes: dict[str, str],
            rng: np.random.Generator) -> str:
    """A random caption that is true of the attributes."""
    return describe(family, attributes, rng)[0]


def words_of(text: str) -> list[str]:
    """The words of a caption as the text encoder splits it."""
    return re.findall(r"[a-z0-9]+", text.lower())


def words_in(family: str) -> set[str]:
    """Every word that a caption of the family can hold."""
    grammar = FAMILIES[family].GRAMMAR
    templates = list(grammar["mains"])
    for clauses in grammar["clauses"].values():
        templates += clauses
    texts = [re.sub(r"\{\w+\}", " ", template) for template in templates]
    for synonyms in grammar["words"].values():
        for phrases in synonyms.values():
            texts += phrases
    return {word for text in texts for word in words_of(text)}


def vocabulary() -> list[str]:
    """Every word that a caption can hold, sorted."""
    return sorted(set.union(*map(words_in, FAMILIES)))
