# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Random numbers by Philox4x32-10 (Salmon et al., "Parallel random numbers: as
easy as 1, 2, 3", 2011), keyed as models/mini/FORMAT.md says."""

import numpy as np

VIDEO, AUDIO, CONTEXT_VIDEO, CONTEXT_AUDIO, SOUND = range(5)

MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
LOW = np.uint64(0xFFFFFFFF)
SHIFT = np.uint64(32)


def words(key: tuple[int, int], counters: np.ndarray) -> np.ndarray:
    """Maps counters uint64 [count, 4] (32 bits each) to words of that shape."""
    c0, c1, c2, c3 = (counters[:, i] for i in range(4))
    k0, k1 = key
    for _ in range(ROUNDS):
        product0 = c0 * MULTIPLIERS[0]
        product1 = c2 * MULTIPLIERS[1]
        c0 = (product1 >> SHIFT) ^ c1 ^ np.uint64(k0)
        c1 = product1 & LOW
        c2 = (product0 >> SHIFT) ^ c3 ^ np.uint64(k1)
        c3 = product0 & LOW
        k0 = (k0 + KEY_STEPS[0]) & 0xFFFFFFFF
        k1 = (k1 + KEY_STEPS[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1)


def normal(seed: int, chunk: int, kind: int, step: int, count: int) -> np.ndarray:
    """The first `count` Gaussian values, float32, of a tensor of a chunk."""
    blocks = (count + 3) // 4
    counters = np.empty((blocks, 4), dtype=np.uint64)
    counters[:, 0] = np.arange(blocks)
    counters[:, 1] = chunk & 0xFFFFFFFF
    counters[:, 2] = chunk >> 32
    counters[:, 3] = kind + 16 * step
    drawn = words((seed & 0xFFFFFFFF, seed >> 32), counters).astype(np.float64)
    radius = np.sqrt(-2.0 * np.log((drawn[:, 0::2] + 0.5) * 2.0**-32))
    angle = 2.0 * np.pi * drawn[:, 1::2] * 2.0**-32
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2)
    return pairs.reshape(-1)[:count].astype(np.float32)
