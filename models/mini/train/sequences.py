# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Sequences of encoded chunks with the context that generation gives them.

Four layouts, as in models/mini/FORMAT.md, "Context": consecutive chunks of a
clip; a clip's first chunk as sink, then later chunks; a change of the prompt,
chunks of one clip followed by chunks of another; a first picture, which stands
still in the chunk before a clip's first, with no sound said.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import device
from network import Span
from world import captions

LENGTH = 7
NO_CAPTION = 0.1
SINK_SHARE = 0.38
SPLICE_SHARE = 0.12
STILL_SHARE = 0.06
STRANGE_SHARE = 0.2


def with_strangers(text: str, rng: np.random.Generator) -> str:
    """Now and then with words in it that no caption knows, each of which says
    nothing, so that prompts may hold such words."""
    words = text.split()
    while rng.random() < STRANGE_SHARE:
        words.insert(int(rng.integers(len(words) + 1)), f"x{rng.integers(10**6)}")
    return " ".join(words)


@dataclass
class Layout:
    """Who sees whom: for each chunk its (chunk, time) list and its text; the
    loss counts from chunk `first`."""

    seen: list[list[tuple[int, float]]]
    text_of: list[int]
    first: int

    def spans(self) -> list[Span]:
        return [Span(float(i), keys) for i, keys in enumerate(self.seen)]

    def chunk(self, i: int) -> "Layout":
        """As seen by chunk `i`, the last and the only one that counts."""
        return Layout(self.seen[: i + 1], self.text_of[: i + 1], i)


def layout_plain(window: int) -> Layout:
    """A run from its first chunk: beyond the window, that is the sink."""
    seen = []
    for i in range(LENGTH):
        keys = [(j, float(j)) for j in range(max(0, i - window), i)]
        if i > window:
            keys.insert(0, (0, float(i - window - 1)))
        seen.append(keys)
    return Layout(seen, [0] * LENGTH, 0)


def layout_sink(window: int) -> Layout:
    """Chunk 0 is the sink of a run, the others come much later."""
    seen: list[list[tuple[int, float]]] = [[]]
    for i in range(1, LENGTH):
        near = [(j, float(j)) for j in range(max(1, i - window), i)]
        seen.append([(0, float(i - window - 1)), *near])
    return Layout(seen, [0] * LENGTH, 1)


def layout_still(window: int) -> Layout:
    """Chunk 0 is given, and is the sink of those that follow."""
    return replace(layout_plain(window), first=1)


def layout_splice(window: int, change: int) -> Layout:
    """The prompt changes at chunk `change`; no sink leaves the window yet."""
    seen = [
        [(j, float(j)) for j in range(max(0, i - window), i)] for i in range(LENGTH)
    ]
    return Layout(seen, [int(i >= change) for i in range(LENGTH)], change)


@dataclass
class Batch:
    """video [B, F, V, values], audio [B, F, A, token_size], standardised;
    weight [B, F, V] of the video loss; prompts[text][sequence]."""

    video: Tensor
    audio: Tensor
    weight: Tensor
    prompts: list[list[str]]
    layout: Layout


class Sequences:
    def __init__(self, folders: list[Path], mean: Tensor, std: Tensor):
        def read(name: str) -> Tensor:
            return device.put(np.concatenate([np.load(f / name) for f in folders]))

        self.video, self.stills = read("video.npy"), read("still.npy")
        self.audio = read("audio.npy")
        self.notes: list[dict] = []
        for folder in folders:
            self.notes += json.loads((folder / "clips.json").read_text())
        self.mean, self.std = mean, std

    def __len__(self) -> int:
        return len(self.notes)

    def caption(self, clip: int, rng: np.random.Generator) -> str:
        if rng.random() < NO_CAPTION:
            return ""
        note = self.notes[clip]
        text = captions.caption(note["family"], note["attributes"], rng)
        return with_strangers(text, rng)

    def standard(self, values: Tensor) -> Tensor:
        return (values.float() - self.mean) / self.std

    def gather(self, clip: int, chunks: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Video, audio, and how much each token stands out from its mean in
        time, so that moving things do not drown in the scene."""
        whole = self.standard(self.video[clip])
        moving = (whole - whole.mean(dim=0)).abs().mean(dim=-1)
        return whole[chunks], self.audio[clip][chunks].float(), 1 + 3 * moving[chunks]

    def still(self, clip: int) -> tuple[Tensor, Tensor, Tensor]:
        """As gather, of the chunk that a first picture makes."""
        video = self.standard(self.stills[clip : clip + 1])
        audio = torch.zeros(1, *self.audio.shape[2:])
        return video, audio, torch.ones(video.shape[:2])

    def batch(self, rng: np.random.Generator, count: int, window: int) -> Batch:
        kind = rng.random()
        length = self.video.shape[1]
        picked = [int(rng.integers(len(self))) for _ in range(count)]
        prompts = [[self.caption(clip, rng) for clip in picked]]
        rows = []
        if kind < SPLICE_SHARE:
            change = int(rng.integers(1, LENGTH - 1))
            layout = layout_splice(window, change)
            others = [int(rng.integers(len(self))) for _ in range(count)]
            prompts.append([self.caption(clip, rng) for clip in others])
            for clip, other in zip(picked, others):
                start = int(rng.integers(length - change + 1))
                before = self.gather(clip, list(range(start, start + change)))
                start = int(rng.integers(length - LENGTH + change + 1))
                rest = list(range(start, start + LENGTH - change))
                after = self.gather(other, rest)
                rows.append(tuple(torch.cat(pair) for pair in zip(before, after)))
        elif kind < SPLICE_SHARE + STILL_SHARE:
            layout = layout_still(window)
            for clip in picked:
                parts = (self.still(clip), self.gather(clip, list(range(LENGTH - 1))))
                rows.append(tuple(torch.cat(pair) for pair in zip(*parts)))
        else:
            sink = kind < SPLICE_SHARE + STILL_SHARE + SINK_SHARE
            layout = layout_sink(window) if sink else layout_plain(window)
            for clip in picked:
                if sink:
                    start = int(rng.integers(2, length - LENGTH + 2))
                    chunks = [0, *range(start, start + LENGTH - 1)]
                else:
                    start = int(rng.integers(length - LENGTH + 1))
                    chunks = list(range(start, start + LENGTH))
                rows.append(self.gather(clip, chunks))
        video, audio, weight = (torch.stack(column) for column in zip(*rows))
        return Batch(video, audio, weight, prompts, layout)
