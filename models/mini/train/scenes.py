# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Writes the table that `vidgen prompts` prints, as C.

    python3 scenes.py            writes gst-plugin/tools/families.c
    python3 scenes.py --check    only tells whether that is what it would write
"""

import argparse
import json
import sys
from pathlib import Path
from string import Formatter

from world.families import FAMILIES

ROOT = Path(__file__).resolve().parents[3]
TABLE = ROOT / "gst-plugin" / "tools" / "families.c"
HEAD = """\
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Written by models/mini/train/scenes.py. */

#include "gst-plugin/tools/families.h"

/* clang-format off */
const VidgenFamily vidgen_families[] = {
"""


def fields(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def example(grammar: dict, attributes: dict[str, tuple[str, ...]], turn: int) -> str:
    """The fullest main phrase, with other values for other families."""
    aliases = grammar.get("aliases", {})
    chosen = {n: v[(turn + i) % len(v)] for i, (n, v) in enumerate(attributes.items())}
    main = max(grammar["mains"], key=lambda phrase: len(set(fields(phrase))))
    words = {
        name: grammar["words"][name][chosen[aliases.get(name, name)]][0]
        for name in fields(main)
    }
    return main.format(**words)


def text() -> str:
    """The whole file."""
    parts = [HEAD]
    for turn, (family, world) in enumerate(FAMILIES.items()):
        parts.append(f'  {{ "{family}", (const VidgenAttribute[]) {{\n')
        for name, values in world.ATTRIBUTES.items():
            parts.append(f'      {{ "{name}", "{", ".join(values)}" }},\n')
        shown = json.dumps(example(world.GRAMMAR, world.ATTRIBUTES, turn))
        parts.append(f"      {{ NULL, NULL }},\n    }},\n    {shown} }},\n")
    parts.append("  { NULL, NULL, NULL },\n};\n")
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        TABLE.write_text(text())
    elif TABLE.read_text() != text():
        sys.exit(f"{TABLE} is not what world/families.py says")


if __name__ == "__main__":
    main()
