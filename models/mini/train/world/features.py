# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Sound tokens of a rendered set: tokens float32 [n, chunks, 4, 48].

Without --basis a basis is fitted to the set; either way it is stored beside
the tokens, by the names of sound.Basis.
"""

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from . import sound


def _analyse(folder: Path, index: int) -> np.ndarray:
    samples = np.load(folder / "sound.npy", mmap_mode="r")[index]
    return sound.analyse(samples.astype(np.float32) / 32768).astype(np.float16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--basis", type=Path, help="use this basis")
    parser.add_argument("--save-basis", type=Path)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    count = len(np.load(arguments.clips / "sound.npy", mmap_mode="r"))
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    analyse = partial(_analyse, arguments.clips)
    # Only a process that starts afresh takes the number of threads from the
    # environment.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, fresh) as pool:
        values = np.stack(list(pool.map(analyse, range(count), chunksize=8)))
    if arguments.basis:
        basis = sound.Basis.load(arguments.basis)
    else:
        basis = sound.fit_basis(values)
    tokens = np.stack([basis.encode(v.astype(np.float32)) for v in values])
    np.savez(arguments.out, tokens=tokens, **vars(basis))
    if arguments.save_basis:
        basis.save(arguments.save_basis)
    rebuilt = np.stack([basis.decode(t) for t in tokens])
    error = rebuilt - values.astype(np.float32)
    kinds = np.sqrt((error ** 2).mean(axis=(0, 1, 3, 4)))
    print(f"{count} clips; rms error of the basis: level {kinds[0]:.2f} dB, "
          f"tonality {kinds[1]:.3f}, tonality × offset {kinds[2]:.3f}; "
          f"tokens deviate by {tokens.std():.3f}")


if __name__ == "__main__":
    main()
