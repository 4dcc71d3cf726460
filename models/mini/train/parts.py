# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Splits a checkpoint or an export into parts of less than 15 MiB, for ways
that carry no larger files, and joins them again.

    python3 parts.py split transformer.pt     writes transformer.pt.00, .01, …
                                              and transformer.pt.sha256
    python3 parts.py join transformer.pt      writes transformer.pt
"""

import argparse
import hashlib
import sys
from pathlib import Path

PART_BYTES = (15 << 20) - 1


def sum_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def part_path(path: Path, index: int) -> Path:
    return path.with_name(f"{path.name}.{index:02}")


def split(path: Path) -> None:
    data = path.read_bytes()
    for index, first in enumerate(range(0, len(data), PART_BYTES)):
        part_path(path, index).write_bytes(data[first : first + PART_BYTES])
    sum_path(path).write_text(hashlib.sha256(data).hexdigest() + "\n")


def join(path: Path) -> None:
    data = bytearray()
    index = 0
    while (part := part_path(path, index)).exists():
        data += part.read_bytes()
        index += 1
    if hashlib.sha256(data).hexdigest() != sum_path(path).read_text().strip():
        sys.exit(f"{path}: a part is missing or damaged")
    path.write_bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("split", "join"))
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    (split if arguments.action == "split" else join)(arguments.file)


if __name__ == "__main__":
    main()
