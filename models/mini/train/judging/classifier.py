# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Which family a clip is of, and which value each attribute has."""

import time
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from world.families import FAMILIES

from .clips import Clips
from .senses import BANDS

FAMILY = "family"
FEATURES = 256
RHYTHM = 49
HUES = 12
BANDS_PER_FRAME = 6
BATCH = 32
MIRROR = {"left": "right", "right": "left"}
# Lengths of training crops, in frames.
LENGTHS = (48, 24, 24, 16, 8)
RATE = 2e-3
REPORTED = 40
DECAY = 0.05


def heads_of(families: list[str]) -> dict[str, tuple[str, ...]]:
    """{head: its values}: the family, and family.attribute."""
    heads: dict[str, tuple[str, ...]] = {FAMILY: tuple(families)}
    for family in families:
        for name, values in FAMILIES[family].ATTRIBUTES.items():
            heads[f"{family}.{name}"] = tuple(values)
    return heads


def _pooled(x: Tensor) -> Tensor:
    """[B, T, C, …] to mean, maximum and deviation over T: [B, 3·C, …]."""
    mean = x.mean(1)
    spread = (x.square().mean(1) - mean.square()).clamp(min=0)
    return torch.cat([mean, x.amax(1), (spread + 1e-4).sqrt()], dim=1)


def _rhythm(series: Tensor) -> Tensor:
    """How much of a series [B, T], 16 a second, comes again how often: [B,
    RHYTHM] amplitudes from 0 to 8 Hz, of the whole."""
    moved = series - series.mean(dim=1, keepdim=True)
    window = torch.hann_window(series.shape[1], periodic=False)
    spectrum = torch.fft.rfft(moved * window, n=2 * (RHYTHM - 1)).abs()
    return spectrum / (spectrum.square().mean(dim=1, keepdim=True) + 1e-6).sqrt()


def _hues(small: Tensor) -> Tensor:
    """Shares of HUES colours in all that is seen, and in what moves: [B,
    2·HUES + 2], with how much colour there is in both."""
    now, before = small[:, 2::4], small[:, :-2:4]
    red, green, blue = now.unbind(2)
    across, up = red - (green + blue) / 2, (green - blue) * 0.866
    amount = (across.square() + up.square() + 1e-4).sqrt()
    moved = amount * (now - before).abs().mean(2)
    shares, totals = [], []
    for weight in (amount, moved):
        total = weight.mean((1, 2, 3))
        totals.append(total.clamp(min=1e-4).log()[:, None] / 4)
        found = []
        for turn in torch.arange(HUES) * (2 * torch.pi / HUES):
            near = (across * turn.cos() + up * turn.sin()) / amount
            near = F.relu(near).square().square().square()
            found.append((near * weight).mean((1, 2, 3)) / (total + 1e-4))
        shares.append(torch.stack(found, dim=1))
    return torch.cat(shares + totals, dim=1)


class Net(nn.Module):
    """Sees three pictures at a time, ⅛ s apart, four times a second, so that
    directions show."""

    def __init__(self, heads: dict[str, tuple[str, ...]]):
        super().__init__()
        self.first = nn.Conv2d(9, 32, 5, stride=2, padding=2)
        self.second = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.third = nn.Conv2d(64, 64, 3, padding=1)
        self.mix = nn.Conv2d(3 * 64, 64, 1)
        self.squeeze = nn.Conv2d(3 * 64, 40, 1)
        self.place = nn.Linear(40 * 7 * 12, 160)
        self.hear = nn.ModuleList(
            nn.Conv1d(inputs, 96, 5, stride=2, padding=2)
            for inputs in (2 * BANDS, 96, 96)
        )
        self.rhythm = nn.Linear(2 * RHYTHM, 64)
        self.hue = nn.Linear(2 * HUES + 2, 48)
        self.join = nn.Linear(160 + 192 + 288 + 4 * BANDS + 64 + 48, FEATURES)
        self.deep = nn.Linear(FEATURES, FEATURES)
        self.heads = nn.ModuleDict(
            {name.replace(".", "-"): nn.Linear(FEATURES, len(values))
             for name, values in heads.items()}
        )

    def features(self, small: Tensor, bands: Tensor) -> Tensor:
        """small [B, T, 3, 28, 48] in ±1; bands [B, 6·T, 2, BANDS], scaled."""
        firsts = range(0, small.shape[1] - 4, 4)
        seen = torch.stack([small[:, i : i + 5 : 2] for i in firsts], 1)
        steps = len(firsts)
        x = seen.flatten(2, 3).flatten(0, 1)
        x = x.contiguous(memory_format=torch.channels_last)
        x = F.relu(self.second(F.relu(self.first(x))))
        x = F.relu(self.third(x))
        series = x.unflatten(0, (-1, steps))
        ends = torch.zeros_like(series[:, :1])
        before = torch.cat([ends, series[:, :-1]], dim=1)
        after = torch.cat([series[:, 1:], ends], dim=1)
        near = torch.cat([before, series, after], dim=2).flatten(0, 1)
        x = F.relu(x + self.mix(near)).unflatten(0, (-1, steps))
        seen = _pooled(x.float())
        where = self.place(F.relu(self.squeeze(seen)).flatten(1))
        motion = (small[:, 1:] - small[:, :-1]).abs().mean((2, 3, 4))
        rise = F.relu(bands[:, 6:] - bands[:, :-6]).mean((2, 3))
        rise = F.avg_pool1d(rise[:, None], 6)[:, 0]
        beat = torch.cat([_rhythm(motion), _rhythm(rise)], dim=1)
        middle, side = bands.mean(2), (bands[:, :, 1] - bands[:, :, 0]) * 2
        y = torch.cat([middle, side], dim=2).transpose(1, 2)
        spread = (y.square().mean(2) - y.mean(2).square()).clamp(min=0)
        level = torch.cat([y.mean(2), (spread + 1e-4).sqrt()], dim=1)
        for layer in self.hear:
            y = F.relu(layer(y))
        heard = _pooled(y.float().transpose(1, 2))
        beat = F.relu(self.rhythm(beat))
        hue = F.relu(self.hue(_hues(small)))
        parts = [F.relu(where), seen.mean((2, 3)), heard, level, beat, hue]
        joined = F.relu(self.join(torch.cat(parts, dim=1)))
        return F.relu(self.deep(joined)).float()

    def forward(self, small: Tensor, bands: Tensor) -> dict[str, Tensor]:
        features = F.dropout(self.features(small, bands), 0.3, self.training)
        return {n.replace("-", "."): h(features) for n, h in self.heads.items()}


def scaled(small: np.ndarray, bands: np.ndarray) -> tuple[Tensor, Tensor]:
    pictures = torch.from_numpy(small).movedim(-1, -3).float() / 127.5 - 1
    return pictures, (torch.from_numpy(bands).float() + 50) / 20


def soften(
    small: Tensor, bands: Tensor, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """What a generator may get wrong without showing anything else: sharpness,
    brightness, loudness and timbre."""
    shape = (len(small), 1, 1, 1, 1)

    def spread(deviation: float) -> Tensor:
        return torch.from_numpy(rng.normal(0, deviation, shape)).float()

    blur = int(rng.integers(3))
    if blur:
        flat = small.flatten(0, 1)
        if blur == 2:
            low = F.avg_pool2d(flat, 2)
            low = F.interpolate(low, scale_factor=2.0, mode="bilinear")
        else:
            low = F.avg_pool2d(flat, 3, 1, 1, count_include_pad=False)
        small = low.unflatten(0, small.shape[:2])
    small = small * (1 + spread(0.06)) + spread(0.03)
    tilt = torch.from_numpy(rng.normal(0, 1.0, (len(bands), 1, 1, 4))).float()
    tilt = F.interpolate(tilt[:, 0], BANDS, mode="linear", align_corners=True)
    loud = torch.from_numpy(rng.normal(0, 2.0, (len(bands), 1, 1, 1))).float()
    return small, bands + (tilt[:, None] * 2 + loud) / 20


def batches(
    count: int, updates: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Rows of batches; each row as often as any other."""
    rows = np.array([], int)
    for _ in range(updates):
        while len(rows) < BATCH:
            rows = np.concatenate([rows, rng.permutation(count)])
        yield np.sort(rows[:BATCH])
        rows = rows[BATCH:]


class Classifier:
    def __init__(self, families: list[str]):
        self.families = families
        self.values = heads_of(families)
        self.net = Net(self.values)
        self.mirrored = {
            name: torch.tensor([values.index(MIRROR.get(v, v)) for v in values])
            for name, values in self.values.items()
            if set(MIRROR) <= set(values)
        }

    def labels(self, clips: Clips) -> dict[str, np.ndarray]:
        """Indices of values; −1 where a head does not apply."""
        table = {n: np.full(len(clips), -1) for n in self.values}
        for row, truth in enumerate(clips.truths):
            table[FAMILY][row] = self.families.index(truth.family)
            for name in truth.known:
                head = f"{truth.family}.{name}"
                value = truth.attributes[name]
                table[head][row] = self.values[head].index(value)
        return table

    def train(self, clips: Clips, updates: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        labels = {n: torch.from_numpy(v) for n, v in self.labels(clips).items()}
        optimiser = torch.optim.AdamW(
            self.net.parameters(), RATE, weight_decay=DECAY
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, updates)
        start = time.monotonic()
        self.net.train()
        total = 0.0
        for update, rows in enumerate(batches(len(clips), updates, rng)):
            loss = self._loss(clips, rows, labels, rng)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item() / REPORTED
            if (update + 1) % REPORTED == 0:
                spent = time.monotonic() - start
                print(f"judge: classifier {update + 1} of {updates}, "
                      f"loss {total:.3f}, {spent:.0f} s", flush=True)
                total = 0.0

    def _loss(self, clips: Clips, rows: np.ndarray, labels: dict, rng) -> Tensor:
        length = int(rng.choice(LENGTHS))
        whole = clips.arrays["small"].shape[1]
        first = int(rng.integers((whole - length) // 2 + 1)) * 2
        small = clips.arrays["small"][rows, first : first + length]
        heard = slice(first * BANDS_PER_FRAME, (first + length) * BANDS_PER_FRAME)
        bands = clips.arrays["bands"][rows, heard]
        mirror = rng.random() < 0.5
        if mirror:
            small, bands = small[:, :, :, ::-1].copy(), bands[:, :, ::-1].copy()
        pair = soften(*scaled(small, bands), rng)
        with torch.autocast("cpu", torch.bfloat16):
            out = self.net(*pair)
        losses = []
        for name, logits in out.items():
            wanted = labels[name][rows]
            if mirror and name in self.mirrored:
                wanted = torch.where(wanted >= 0, self.mirrored[name][wanted], wanted)
            there = wanted >= 0
            if there.any():
                loss = F.cross_entropy(
                    logits[there].float(), wanted[there], reduction="sum"
                )
                losses.append(loss)
        return torch.stack(losses).sum() / len(rows)

    @torch.no_grad()
    def look(
        self, small: np.ndarray, bands: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Features [n, FEATURES], and logits of each head, of windows of one
        length."""
        self.net.eval()
        features = []
        for i in range(0, len(small), BATCH):
            part = scaled(small[i : i + BATCH], bands[i : i + BATCH])
            with torch.autocast("cpu", torch.bfloat16):
                features.append(self.net.features(*part))
        joined = torch.cat(features)
        logits = {
            name.replace("-", "."): head(joined).numpy()
            for name, head in self.net.heads.items()
        }
        return joined.numpy(), logits

    def judge(self, clips: Clips) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return self.look(clips.arrays["small"], clips.arrays["bands"])
