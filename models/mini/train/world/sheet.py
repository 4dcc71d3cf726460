# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Contact sheet of clips, one row each, and their loudness and captions."""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from . import clip
from .families import FAMILIES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--family", choices=list(FAMILIES))
    parser.add_argument("--rows", type=int, default=6)
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for row in range(arguments.rows):
        start = time.monotonic()
        made = clip.render(arguments.first_seed + row, arguments.family)
        spent = time.monotonic() - start
        loudness = (made.samples / 32768).std(axis=0)
        print(f"{made.caption} | rms {loudness.round(3)} | {spent:.2f} s "
              f"| {len(made.events)} events | {made.attributes}")
        picked = np.linspace(0, len(made.frames) - 1, arguments.columns).astype(int)
        rows.append(np.concatenate(made.frames[picked], axis=1))
    Image.fromarray(np.concatenate(rows, axis=0)).save(arguments.out)


if __name__ == "__main__":
    main()
