# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""From a seed to a clip of picture, sound, attributes and events."""

from dataclasses import dataclass

import numpy as np
import torch

from . import canvas, captions
from .families import FAMILIES


@dataclass
class Clip:
    """One clip.

    frames: uint8 [frames, 112, 192, 3], RGB; both sides times canvas.SCALE.
    samples: int16 [frames * 1500, 2], 24 kHz, left and right.
    events: {"time": seconds, "x": -1.71…1.71 left to right, "kind": str}.
    """

    family: str
    attributes: dict[str, str]
    frames: np.ndarray
    samples: np.ndarray
    events: list[dict]
    caption: str


def render(seed: int, family: str | None = None,
           attributes: dict[str, str] | None = None,
           frames: int = canvas.FRAMES) -> Clip:
    """Render the clip of a seed.

    The families take turns by seed unless one is named; attributes that are
    not given are drawn at random.
    """
    rng = np.random.default_rng(seed)
    names = list(FAMILIES)
    family = family or names[seed % len(names)]
    world = FAMILIES[family]
    chosen = {name: str(rng.choice(values))
              for name, values in world.ATTRIBUTES.items()}
    chosen.update(attributes or {})
    with torch.inference_mode():
        video, sound, events = world.render(chosen, rng, frames)
    samples = np.round(np.tanh(sound) * 32767).astype(np.int16)
    text = captions.caption(family, chosen, rng)
    return Clip(family, chosen, video, samples, events, text)
