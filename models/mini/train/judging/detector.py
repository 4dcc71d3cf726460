# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""When events happen, by the picture alone and by the sound alone.

Two networks, trained apart, so that neither knows of the other: the eye sees
pictures, three at a time, the ear levels of bands. Each says for every step of
time how likely an event is then; the eye also says where it is.
"""

import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from world.canvas import ASPECT

from .classifier import REPORTED, batches
from .clips import Clips
from .senses import BAND_RATE, BANDS

EYE_RATE = 16
BATCH = 32
# Frames of the eye's training crops.
CROP = 24
RATE = 2e-3
GAP = 0.2
TOLERANCE = 0.13
# Deviation of the bump that stands for an event, in steps.
BUMP = 0.7


class Eye(nn.Module):
    rate = EYE_RATE

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(9, 24, 3, stride=2, padding=1)
        self.second = nn.Conv2d(24, 48, 3, stride=2, padding=1)
        self.gather = nn.Conv2d(48, 24, 1)
        self.flat = nn.Linear(24 * 7 * 12 + 96, 96)
        self.along = nn.ModuleList(nn.Conv1d(96, 96, 5, padding=2) for _ in range(2))
        self.out = nn.Conv1d(96, 2, 1)

    def forward(self, small: Tensor) -> tuple[Tensor, Tensor]:
        """[B, T, 3, 28, 48] to logits [B, T] and places [B, T]."""
        padded = torch.cat([small[:, :1], small, small[:, -1:]], dim=1)
        steps = small.shape[1]
        seen = torch.cat([padded[:, i : i + steps] for i in range(3)], dim=2)
        x = seen.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        x = F.relu(self.first(x))
        x = F.relu(self.second(x))
        flat = torch.cat(
            [F.relu(self.gather(x)).flatten(1), x.mean((2, 3)), x.amax((2, 3))], dim=1
        )
        y = F.relu(self.flat(flat)).unflatten(0, (-1, steps)).transpose(1, 2)
        for layer in self.along:
            y = F.relu(y + layer(y))
        logits, places = self.out(y).float().unbind(1)
        return logits, places


class Ear(nn.Module):
    rate = BAND_RATE

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv1d(inputs, 64, 9, padding=4 * stride, dilation=stride)
            for inputs, stride in ((2 * BANDS, 1), (64, 1), (64, 2), (64, 4))
        )
        self.out = nn.Conv1d(64, 1, 1)

    def forward(self, bands: Tensor) -> Tensor:
        """[B, T, 2, BANDS] to logits [B, T]."""
        middle = bands.mean(2).transpose(1, 2)
        rise = F.pad(middle[:, :, 3:] - middle[:, :, :-3], (3, 0))
        y = torch.cat([middle, rise], dim=1)
        for layer in self.layers:
            y = F.relu(layer(y))
        return self.out(y)[:, 0].float()


def bumps(clips: Clips, rate: int, steps: int) -> tuple[Tensor, Tensor]:
    """Targets [n, steps] of the logits, and places [n, steps]."""
    wanted = np.zeros((len(clips), steps), np.float32)
    places = np.zeros((len(clips), steps), np.float32)
    spread = BUMP * max(1.0, rate / EYE_RATE / 2)
    grid = np.arange(steps)
    for row, truth in enumerate(clips.truths):
        for event in truth.events:
            bump = np.exp(-0.5 * ((grid - event["time"] * rate) / spread) ** 2)
            places[row] = np.where(
                bump > wanted[row], event["x"] / ASPECT, places[row]
            )
            wanted[row] = np.maximum(wanted[row], bump)
    return torch.from_numpy(wanted), torch.from_numpy(places)


def _pictures(small: np.ndarray) -> Tensor:
    return torch.from_numpy(small).movedim(-1, -3).float() / 127.5 - 1


def _levels(bands: np.ndarray) -> Tensor:
    return (torch.from_numpy(bands).float() + 50) / 20


def _soften_pictures(small: Tensor, rng: np.random.Generator) -> Tensor:
    if rng.random() < 0.5:
        flat = F.avg_pool2d(small.flatten(0, 1), 3, 1, 1, count_include_pad=False)
        small = flat.unflatten(0, small.shape[:2])
    loud = torch.from_numpy(rng.normal(1, 0.08, (len(small), 1, 1, 1, 1))).float()
    return small * loud


def _soften_levels(bands: Tensor, rng: np.random.Generator) -> Tensor:
    moved = rng.normal(0, 3, (len(bands), 1, 1, 1))
    timbre = rng.normal(0, 2, (len(bands), 1, 1, BANDS))
    return bands + torch.from_numpy((moved + timbre) / 20).float()


def _train(net: nn.Module, clips: Clips, updates: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    eye = isinstance(net, Eye)
    series = clips.arrays["small" if eye else "bands"]
    wanted, places = bumps(clips, net.rate, series.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, updates)
    start = time.monotonic()
    net.train()
    total = 0.0
    for update, rows in enumerate(batches(len(clips), updates, rng)):
        aim, aside = wanted[rows], 0.0
        with torch.autocast("cpu", torch.bfloat16):
            if eye:
                first = int(rng.integers(series.shape[1] - CROP + 1))
                crop = np.s_[rows, first : first + CROP]
                aim = wanted[crop]
                logits, x = net(_soften_pictures(_pictures(series[crop]), rng))
                near = aim > 0.3
                aside = (x - places[crop])[near].abs().sum() / near.sum().clamp(1)
            else:
                logits = net(_soften_levels(_levels(series[rows]), rng))
        loss = F.binary_cross_entropy_with_logits(
            logits, aim, pos_weight=torch.tensor(3.0)
        )
        loss = loss + 0.2 * aside
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        total += loss.item() / REPORTED
        if (update + 1) % REPORTED == 0:
            spent = time.monotonic() - start
            print(f"judge: {'eye' if eye else 'ear'} {update + 1} of {updates}, "
                  f"loss {total:.3f}, {spent:.0f} s", flush=True)
            total = 0.0


def peaks(likely: np.ndarray, rate: int, threshold: float) -> np.ndarray:
    """Times of the local maxima above a threshold that are GAP apart, the
    higher first; between steps by a parabola."""
    inner = likely[1:-1]
    is_peak = (inner >= likely[:-2]) & (inner > likely[2:]) & (inner > threshold)
    places = np.flatnonzero(is_peak) + 1
    times: list[float] = []
    for i in places[np.argsort(-likely[places])]:
        before, at, after = np.log(likely[i - 1 : i + 2] + 1e-4)
        bend = before - 2 * at + after
        moved = 0.5 * (before - after) / bend if bend < -1e-6 else 0.0
        when = (i + float(np.clip(moved, -0.5, 0.5))) / rate
        if all(abs(when - other) >= GAP for other in times):
            times.append(when)
    return np.sort(np.array(times))


def hits(found: np.ndarray, true: np.ndarray, tolerance: float) -> int:
    """How many of `true` have one of `found` near."""
    if not len(found):
        return 0
    return sum(bool(np.abs(found - when).min() <= tolerance) for when in true)


class Detector:
    """Both networks with their thresholds."""

    def __init__(self) -> None:
        self.eye, self.ear = Eye(), Ear()
        self.thresholds = {"eye": 0.4, "ear": 0.4}

    def train(self, clips: Clips, updates: int, seed: int) -> None:
        _train(self.eye, clips, updates, seed)
        _train(self.ear, clips, updates, seed)

    @torch.no_grad()
    def seen(self, clips: Clips) -> tuple[np.ndarray, np.ndarray]:
        """Likelihood and place of an event at each picture."""
        self.eye.eval()
        parts = []
        for i in range(0, len(clips), BATCH):
            with torch.autocast("cpu", torch.bfloat16):
                logits, x = self.eye(_pictures(clips.arrays["small"][i : i + BATCH]))
            parts.append((logits.sigmoid().numpy(), x.numpy()))
        likely, places = (np.concatenate(rows) for rows in zip(*parts))
        return likely, places

    @torch.no_grad()
    def heard(self, clips: Clips) -> np.ndarray:
        self.ear.eval()
        parts = []
        for i in range(0, len(clips), BATCH):
            with torch.autocast("cpu", torch.bfloat16):
                logits = self.ear(_levels(clips.arrays["bands"][i : i + BATCH]))
            parts.append(logits.sigmoid().numpy())
        return np.concatenate(parts)

    def times(self, clips: Clips) -> tuple[list, list, list]:
        """Of each clip: when events are seen, where, and when they are heard."""
        likely, places = self.seen(clips)
        audible = self.heard(clips)
        seen = [peaks(row, EYE_RATE, self.thresholds["eye"]) for row in likely]
        heard = [peaks(row, BAND_RATE, self.thresholds["ear"]) for row in audible]
        steps = likely.shape[1] - 1
        where = [
            row[np.clip(np.round(when * EYE_RATE).astype(int), 0, steps)]
            for row, when in zip(places, seen)
        ]
        return seen, where, heard

    def fit_thresholds(self, clips: Clips) -> None:
        """Those that find the events of held-out clips best."""
        likely = {"eye": self.seen(clips)[0], "ear": self.heard(clips)}
        for name, net in (("eye", self.eye), ("ear", self.ear)):
            scores = {}
            for threshold in np.arange(0.2, 0.85, 0.05):
                found = [peaks(row, net.rate, threshold) for row in likely[name]]
                scores[float(threshold)] = quality(found, clips)["f1"]
            self.thresholds[name] = max(scores, key=scores.__getitem__)


def quality(
    found: list[np.ndarray],
    clips: Clips,
    families: set[str] | None = None,
    tolerance: float = TOLERANCE,
) -> dict[str, float]:
    """Recall, precision and F1 of times against the truth, 0.2 s from the
    clips' ends."""
    right = wanted = good = told = 0
    for times, truth, family in zip(found, clips.truths, clips.families):
        if families is not None and family not in families:
            continue
        true = inner(np.array([event["time"] for event in truth.events]))
        every = np.array([event["time"] for event in truth.events])
        right += hits(times, true, tolerance)
        wanted += len(true)
        good += hits(every, inner(times), tolerance)
        told += len(inner(times))
    recall, precision = right / max(wanted, 1), good / max(told, 1)
    f1 = 2 * recall * precision / max(recall + precision, 1e-9)
    return {"recall": recall, "precision": precision, "f1": f1, "events": wanted}


def inner(times: np.ndarray, seconds: float = 3.0, margin: float = 0.2) -> np.ndarray:
    return times[(times >= margin) & (times <= seconds - margin)]
