# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Figures of one weights file, each beside what real clips reach and what
chance gives."""

from dataclasses import dataclass, field

import numpy as np

from world.families import FAMILIES

from . import measures
from .classifier import FAMILY
from .clips import Clips, concatenate
from .detector import quality
from .instruments import Instruments, accuracies, added, share, valid_heads
from .trial import Change, Rollout

EVENT_QUALITY = 0.8
SIDE_LEAST = 0.5
LATE = 0.2
PLACED = 0.05
SIDES = {"left": -1, "centre": 0, "right": 1}
NAN = float("nan")


@dataclass
class Row:
    """A figure and the same of real clips, of real clips through the codec and
    of chance; NaN where there is none."""

    name: str
    value: float
    real: float = NAN
    coded: float = NAN
    chance: float = NAN
    unit: str = ""
    target: str = ""


@dataclass
class Verdict:
    rows: list[Row] = field(default_factory=list)
    heads: dict[str, dict] = field(default_factory=dict)
    events: dict[str, dict] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, *values, **others) -> None:
        self.rows.append(Row(*values, **others))


class Judge:
    """Made: what the plugin made of scenes; real and coded: real clips of the
    same prompts. The first half of the scenes and the second differ in seeds
    alone."""

    def __init__(self, tools: Instruments, made: Clips, real: Clips, coded: Clips):
        self.tools = tools
        self.classifier = tools.classifier
        self.sets = {"made": made, "real": real, "coded": coded, "held": tools.held}
        self.features, self.logits, self.counts = {}, {}, {}
        for name, clips in self.sets.items():
            self.features[name], self.logits[name] = self.classifier.judge(clips)
            self.counts[name] = accuracies(self.classifier, self.logits[name], clips)
        self.proof = added(self.counts["real"], self.counts["held"])
        self.valid = valid_heads(self.proof)
        self.times = {n: tools.detector.times(c) for n, c in self.sets.items()}
        self.verdict = Verdict()

    # --- what the prompt asks for

    def mean(self, name: str) -> float:
        """Accuracy, the mean over valid heads."""
        counts = self.proof if name == "real" else self.counts[name]
        judged = [h for h in self.valid if self.counts["made"][h][1]]
        return float(np.mean([share(counts[h]) for h in judged if counts[h][1]]))

    def scenes(self) -> None:
        values = self.classifier.values
        for head in values:
            self.verdict.heads[head] = {
                "made": share(self.counts["made"][head]),
                "n": self.counts["made"][head][1],
                "real": share(self.proof[head]),
                "coded": share(self.counts["coded"][head]),
                "chance": 1 / len(values[head]),
                "valid": head in self.valid or head == FAMILY,
            }
        heads = self.verdict.heads
        self.verdict.add(
            "scene accuracy",
            *(heads[FAMILY][n] for n in ("made", "real", "coded", "chance")),
            target="≥ 0.97",
        )
        chance = [heads[h]["chance"] for h in self.valid if heads[h]["n"]]
        self.verdict.add(
            "attribute accuracy, mean of heads",
            *(self.mean(n) for n in ("made", "real", "coded")),
            float(np.mean(chance)),
            target="≥ 0.75",
        )
        left = [h for h in values if h != FAMILY and h not in self.valid]
        if left:
            self.verdict.notes.append(
                "Attributes that are left out of every mean, as even of real clips "
                f"fewer than 0.9 are told rightly: {', '.join(left)}."
            )

    # --- picture and sound at once

    def event_families(self) -> list[str]:
        """Those whose events both the eye and the ear find in real clips, the ear
        more closely than it could guess where the sound comes later."""
        proof = concatenate(self.sets["real"], self.tools.held)
        seen, _, heard = (
            real + held for real, held in zip(self.times["real"], self.times["held"])
        )
        chosen = []
        for family in self.classifier.families:
            eye = quality(seen, proof, {family})
            ear = quality(heard, proof, {family}, PLACED)
            if eye["events"] < 8:
                continue
            good = min(eye["f1"], ear["f1"]) >= EVENT_QUALITY
            self.verdict.events[family] = {
                "eye": eye["f1"], "ear": ear["f1"], "judged": good
            }
            if good:
                chosen.append(family)
        return chosen

    def _of(self, name: str, family: str) -> tuple[list, list, list]:
        rows = np.flatnonzero(self.sets[name].families == family)
        return tuple([part[i] for i in rows] for part in self.times[name])

    def events(self, rng: np.random.Generator) -> list[str]:
        families = self.event_families()
        every: dict[str, list[np.ndarray]] = {}
        for family in families:
            row = self.verdict.events[family]
            for name in ("made", "real", "coded", "held"):
                seen, _, heard = self._of(name, family)
                away = measures.offsets(seen, heard)
                mixed = measures.shuffled(seen, heard, rng)
                row[name] = measures.within(away)
                row[f"{name}_median"] = measures.median(away)
                every.setdefault(name, []).append(away)
                row[f"{name}_shuffled"] = measures.within(mixed)
                row[f"{name}_count"] = len(away) / max(len(seen), 1)
            seen, _, heard = self._of("held", family)
            late = [times + LATE for times in heard]
            row["late"] = measures.within(measures.offsets(seen, late))
        if not families:
            return []

        def mean(key: str) -> float:
            return float(np.nanmean([self.verdict.events[f][key] for f in families]))

        self.verdict.add(
            "events heard within ±130 ms of being seen",
            mean("made"), mean("real"), mean("coded"), mean("made_shuffled"),
            target="≥ 0.75",
        )
        self.verdict.add(
            "the same over that with shuffled sound",
            mean("made") / mean("made_shuffled"),
            mean("real") / mean("real_shuffled"),
            mean("coded") / mean("coded_shuffled"),
            1.0,
            target="≥ 2",
        )
        self.verdict.add(
            "median offset of events",
            *(measures.median(np.concatenate(every[n])) * 1000
              for n in ("made", "real", "coded")),
            unit="ms", target="≤ 80",
        )
        self.verdict.add(
            "events that are seen in 3 s",
            *(mean(f"{n}_count") for n in ("made", "real", "coded")),
        )
        self.verdict.notes.append(
            f"Sound of real clips {LATE} s late is within ±130 ms of the picture in "
            f"{mean('late'):.2f} of all events."
        )
        others = [f for f, row in self.verdict.events.items() if not row["judged"]]
        if others:
            self.verdict.notes.append(
                "Families with events that the eye or the ear cannot place in real "
                f"clips, as when the sound comes later: {', '.join(others)}."
            )
        return families

    def _sides(self, name: str, families: list[str]) -> tuple[np.ndarray, np.ndarray]:
        clips = self.sets[name]
        sides, balances = [], []
        for row, truth in enumerate(clips.truths):
            if truth.family in families and "side" in truth.known:
                sides.append(SIDES[truth.attributes["side"]])
                balances.append(measures.balance(clips.arrays["blocks"][row]))
        return np.array(sides, float), np.array(balances)

    def stereo(self, event_families: list[str]) -> None:
        sided = [f for f in self.classifier.families
                 if set(FAMILIES[f].ATTRIBUTES.get("side", ())) == set(SIDES)]
        chosen = []
        for family in sided:
            pairs = [self._sides(name, [family]) for name in ("real", "held")]
            both = (np.concatenate(parts) for parts in zip(*pairs))
            if measures.correlation(*both) >= SIDE_LEAST:
                chosen.append(family)
        if chosen:
            self.verdict.add(
                "correlation of the side that is asked for with the sound's",
                *(measures.correlation(*self._sides(n, chosen))
                  for n in ("made", "real", "coded")),
                0.0,
                target="≥ 0.7",
            )
            self.verdict.notes.append(
                f"Families whose sound has a side: {', '.join(chosen)}."
            )
        found = []
        for name in ("made", "real", "coded"):
            rows = np.flatnonzero(np.isin(self.sets[name].families, event_families))
            parts = ([part[i] for i in rows] for part in self.times[name])
            pair = measures.event_balances(self.sets[name].take(rows), *parts)
            found.append(measures.correlation(*pair))
        if event_families:
            self.verdict.add(
                "correlation of the place where events are seen with the sound's",
                *found, 0.0, target="≥ 0.7",
            )

    # --- how it looks and sounds

    def seams(self, chunk_frames: int, chunk_seconds: float) -> None:
        def three(measure, *options) -> list[float]:
            return [float(np.median(measure(self.sets[name], *options)))
                    for name in ("made", "real", "coded")]

        picture = three(measures.picture_seams, chunk_frames)
        self.verdict.add(
            "seam: change of pictures between chunks over inside", *picture,
            target="≤ 1.3",
        )
        sound = three(measures.sound_seams, chunk_seconds)
        self.verdict.add(
            "seam: change of the sound's levels between chunks over inside", *sound
        )
        self.verdict.add(
            "seam: steps of samples between chunks over inside",
            *three(measures.sample_jumps),
        )

    def likeness(self) -> None:
        made, real, coded, held = (
            self.features[n] for n in ("made", "real", "coded", "held")
        )
        floor = measures.frechet(real, held)
        names = self.classifier.families
        first = np.isin(self.sets["real"].families, names[: len(names) // 2])
        other = ~np.isin(self.tools.held.families, names[: len(names) // 2])
        unlike = NAN
        if first.any() and other.any():
            unlike = measures.frechet(real[first], held[other]) / floor
        self.verdict.add(
            "Fréchet distance over its floor",
            measures.frechet(made, held) / floor,
            1.0,
            measures.frechet(coded, held) / floor,
            unlike,
            target="≤ 4",
        )
        half = len(made) // 2
        pairs = [(i, i + half) for i in range(half)]
        spread = measures.diversity(real, pairs)
        self.verdict.add(
            "diversity: distance of two seeds of a prompt, over real",
            measures.diversity(made, pairs) / spread,
            1.0,
            measures.diversity(coded, pairs) / spread,
            0.0,
            target="0.7 … 1.1",
        )
        moves = {n: measures.motion(self.sets[n]) for n in ("made", "real", "coded")}
        loud = {n: measures.loudness_db(self.sets[n]) for n in moves}
        self.verdict.add(
            "motion over real",
            *(geometric(moves[n], moves["real"]) for n in ("made", "real", "coded")),
            target="0.8 … 1.2",
        )
        self.verdict.add(
            "loudness less real, mean over families of the amount",
            *(apart(loud[n], loud["real"]) for n in ("made", "real", "coded")),
            unit="dB", target="≤ 3",
        )

    # --- prompts that change

    def swaps(self, base: Clips, swapped: Clips, heads: list[str]) -> None:
        """base and swapped differ in the attribute of one valid head each."""
        _, before = self.classifier.judge(base)
        _, after = self.classifier.judge(swapped)
        flipped, both, ceiling, chance = [], [], [], []
        for row, head in enumerate(heads):
            name = head.split(".")[1]
            values = self.classifier.values[head]
            old = values.index(base.truths[row].attributes[name])
            new = values.index(swapped.truths[row].attributes[name])
            found = before[head][row].argmax(), after[head][row].argmax()
            flipped.append(found[1] == new)
            both.append(found == (old, new))
            ceiling.append(share(self.proof[head]))
            chance.append(1 / len(values))
        self.verdict.add(
            "one word swapped, same seed: the new one is told",
            float(np.mean(flipped)), float(np.mean(ceiling)), NAN,
            float(np.mean(chance)), target="≥ 0.8",
        )
        self.verdict.add(
            "one word swapped, same seed: the old one is told before as well",
            float(np.mean(both)), float(np.mean(np.square(ceiling))), NAN,
            float(np.mean(np.square(chance))),
        )

    def changes(self, changes: list[Change]) -> None:
        """Seconds until half a second is told to be of the new family, and so is
        the next."""
        times, right = [], []
        for change in changes:
            found = self._families(change.then)
            wanted = self.classifier.families.index(change.after.family)
            new = found == wanted
            steady = np.flatnonzero(new[:-1] & new[1:])
            times.append(steady[0] * 0.25 if len(steady) else np.inf)
            old = self.classifier.families.index(change.before.family)
            right.append((self._families(change.first) == old).mean())
        self.verdict.add(
            "a new prompt is seen after, median", float(np.median(times)),
            0.0, unit="s", target="≤ 1",
        )
        late = float(np.mean(np.array(times) > 1))
        self.verdict.add("a new prompt is seen later than 1 s", late, 0.0)
        self.verdict.notes.append(
            "Before a change, half seconds are told rightly in "
            f"{np.mean(right):.2f} of all cases."
        )

    def _families(self, parts: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        small, bands = (np.stack(rows) for rows in zip(*parts))
        return self.classifier.look(small, bands)[1][FAMILY].argmax(1)

    # --- for minutes

    def drift(self, rollouts: list[Rollout], label: str, target: str) -> None:
        first, last, scenes = [], [], []
        for rollout in rollouts:
            firsts, lasts, family = self._windows(rollout)
            first += firsts
            last += lasts
            scenes += family
        after = float(np.mean(last))
        self.verdict.add(
            f"attribute accuracy lost after {label}",
            (float(np.mean(first)) - after) * 100, 0.0,
            unit="points", target=target,
        )
        self.verdict.add(
            f"attribute accuracy after {label}", after, self.mean("real"),
            self.mean("coded"),
        )
        self.verdict.add(f"scene accuracy over {label}", float(np.mean(scenes)), 1.0,
                         NAN, 1 / len(self.classifier.families), target="≥ 0.97")
        for name, column in (("brightness", 0), ("saturation", 1), ("loudness", 3)):
            slopes = [
                measures.slope_percent(np.arange(len(r.looks)), r.looks[:, column])
                for r in rollouts
            ]
            self.verdict.add(
                f"{name} over {label}: mean change", float(np.mean(slopes)), 0.0,
                unit="% a minute",
            )
            self.verdict.add(
                f"{name} over {label}: mean amount of change",
                float(np.mean(np.abs(slopes))), 0.0, unit="% a minute",
            )
        broken = sum(not np.isfinite(r.worst) or r.worst > 1 for r in rollouts)
        grey = sum(measures.is_grey(r.looks) for r in rollouts)
        self.verdict.add(f"broken sound or grey picture over {label}",
                         broken + grey, 0.0, unit=f"of {len(rollouts)}", target="0")

    def _windows(self, rollout: Rollout) -> tuple[list, list, list]:
        scene = rollout.scene
        small = np.stack([sensed.small for _, sensed in rollout.windows])
        bands = np.stack([sensed.bands for _, sensed in rollout.windows])
        logits = self.classifier.look(small, bands)[1]
        starts = np.array([start for start, _ in rollout.windows])
        first, last = [], []
        for name in scene.named:
            head = f"{scene.family}.{name}"
            if head in self.valid:
                wanted = self.classifier.values[head].index(scene.attributes[name])
                right = logits[head].argmax(1) == wanted
                first += list(right[starts <= 7])
                last += list(right[starts >= rollout.seconds - 9])
        family = self.classifier.families.index(scene.family)
        return first, last, list(logits[FAMILY].argmax(1) == family)


def geometric(one: dict[str, float], other: dict[str, float]) -> float:
    """Mean ratio over families."""
    return float(np.exp(np.mean([np.log((one[f] + 1e-3) / (other[f] + 1e-3))
                                 for f in one])))


def apart(one: dict[str, float], other: dict[str, float]) -> float:
    return float(np.mean([abs(one[f] - other[f]) for f in one]))
