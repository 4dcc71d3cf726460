# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Checks of what judges, without a trained network; prints PASS lines.

    python3 -m judging.check        in models/mini/train
"""

import tempfile
from pathlib import Path

import numpy as np

from world import clip, sounds
from world.families import FAMILIES

from . import clips, detector, draft, measures, report, senses
from .classifier import Classifier
from .takes import Request
from .trial import starts_of
from .verdict import Row, Verdict

LATE = 0.2


def _real(family: str, count: int, **attributes: str) -> clips.Clips:
    rows = []
    for seed in range(count):
        made = clip.render(seed, family, attributes, clips.FRAMES)
        samples = made.samples / np.float32(32768)
        truth = clips.truth_of(family, made.attributes, made.events, 0)
        rows.append((senses.sense(made.frames, samples), truth))
    return clips.gather((one for one, _ in rows), [truth for _, truth in rows])


def check_senses() -> None:
    """Means of 4 × 4 pixels, levels of a tone, and steps at borders."""
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 256, (48, 112, 192, 3), np.uint8)
    time = np.arange(72000) / sounds.SAMPLE_RATE
    tone = 0.2 * np.cos(2 * np.pi * 1000 * time)
    samples = np.stack([tone, tone / 10], axis=1).astype(np.float32)
    sensed = senses.sense(frames, samples)
    mean = frames[5, 8:12, 20:24].reshape(-1, 3).mean(0)
    assert np.abs(sensed.small[5, 2, 5] - mean).max() <= 0.51
    levels = sensed.bands[20].astype(float)
    total = 10 * np.log10((10 ** (levels[0] / 10)).sum())
    assert abs(total - 10 * np.log10(0.02)) < 0.5
    assert abs((levels[0] - levels[1]).max() - 20) < 0.5
    change = np.abs(frames[8].astype(float) - frames[7]).mean()
    assert abs(sensed.change[7] - change) < 1e-3
    samples[6000:12000] += 0.5
    border, elsewhere = senses.sense(frames, samples).jumps
    assert border > 5 * elsewhere


def check_times() -> None:
    """Peaks are found between steps, and an onset that is late is seen as such."""
    true = [np.array([0.5, 1.13, 2.02]), np.array([0.8, 1.77])]
    grid = np.arange(48) / 16
    found = []
    for times in true:
        bumps = np.exp(-0.5 * ((grid[:, None] - times) * 16 / 0.7) ** 2).max(1)
        found.append(detector.peaks(bumps * 0.9, 16, 0.4))
    for times, peaks in zip(true, found):
        assert len(times) == len(peaks) and np.abs(times - peaks).max() < 0.01
    late = [times + LATE for times in true]
    assert measures.within(measures.offsets(found, true)) == 1
    assert measures.median(measures.offsets(found, true)) < 0.01
    assert abs(measures.median(measures.offsets(found, late)) - LATE) < 0.01
    assert measures.within(measures.offsets(found, late)) == 0
    silent = [np.array([])] * 2
    assert measures.within(measures.offsets(found, silent)) == 0
    rng = np.random.default_rng(2)
    assert measures.within(measures.shuffled(found, true, rng)) < 0.5


def check_quality() -> None:
    """Truth has recall and precision 1, nothing has neither."""
    balls = _real("ball", 3, speed="slow")
    true = [np.array([e["time"] for e in truth.events]) for truth in balls.truths]
    assert detector.quality(true, balls)["f1"] > 0.999
    assert detector.quality([times + LATE for times in true], balls)["f1"] < 0.2
    assert detector.quality([np.array([])] * 3, balls)["f1"] == 0
    wanted, _ = detector.bumps(balls, 16, 48)
    for row, times in enumerate(true):
        found = detector.peaks(wanted[row].numpy(), 16, 0.4)
        away = measures.offsets([times], [found])
        assert len(away) and np.abs(away).max() < 0.02


def check_stereo() -> None:
    """Sound on the right has a positive balance, at events too."""
    for side, sign in (("left", -1), ("right", 1)):
        balls = _real("ball", 2, side=side)
        for row, truth in enumerate(balls.truths):
            assert sign * measures.balance(balls.arrays["blocks"][row]) > 0.3
        times = [np.array([e["time"] for e in truth.events]) for truth in balls.truths]
        where = [np.full(len(found), float(sign)) for found in times]
        _, sides = measures.event_balances(balls, times, where, times)
        assert (sign * sides > 0.3).all()


def check_distances() -> None:
    """A set is at no distance from itself, and a moved one at a known one."""
    rng = np.random.default_rng(3)
    one = rng.normal(0, 1, (400, 8))
    assert measures.frechet(one, one) == 0
    assert abs(measures.frechet(one, one + 2) - 32) < 1e-6
    assert measures.frechet(one, rng.normal(0, 1, (400, 8))) < 0.2
    assert measures.diversity(one, [(0, 0), (3, 3)]) == 0


def check_seams() -> None:
    """A jump at every border shows, and motion that is even does not."""
    change = np.ones((2, 47), np.float32)
    change[1, 3::4] = 3
    still = _real("ball", 2)
    still.arrays["change"] = change
    assert np.allclose(measures.picture_seams(still, 4), [1, 3], atol=1e-3)
    assert measures.sample_jumps(still).max() < 3
    assert 0.7 < np.median(measures.sound_seams(_real("ocean", 2), 0.25)) < 1.4


def check_drift() -> None:
    """What fades is grey, slopes are in percent of the mean, windows are where
    they should be."""
    looks = np.tile(np.array([100, 50, 40, 0.1], np.float32), (60, 1))
    assert not measures.is_grey(looks)
    faded = looks.copy()
    faded[30:, 1:3] = 1
    assert measures.is_grey(faded)
    times = np.arange(61.0)
    assert abs(measures.slope_percent(times, 1 + times / 600) - 9.52) < 0.01
    for seconds in (20, 60, 600):
        starts = starts_of(seconds)
        assert starts[:3] == [1, 4, 7] and starts[-1] == seconds - 3


def check_drafts() -> None:
    """A prompt says what it names, and a swap changes nothing else."""
    rng = np.random.default_rng(4)
    families = list(FAMILIES)
    swaps = 0
    for one in draft.scenes(20 * len(families), rng, families):
        assert one.named <= one.attributes.keys() - draft.hidden(
            one.family, one.attributes
        )
        assert "\t" not in Request(one.seed, 48, one.prompt).prompt
        other = draft.swapped(one, rng, one.named)
        if other:
            scene, name = other
            swaps += 1
            assert scene.prompt != one.prompt and scene.seed == one.seed
            assert scene.attributes | {name: one.attributes[name]} == one.attributes
    assert swaps > 15 * len(families)


def check_labels() -> None:
    """What is hidden or not named counts for nothing."""
    families = list(FAMILIES)
    storm = _real("storm", 4, lightning="none")
    labels = Classifier(families).labels(storm)
    assert (labels["storm.side"] == -1).all() and (labels["storm.rain"] >= 0).all()
    assert (labels["ball.colour"] == -1).all()
    assert (labels["family"] == families.index("storm")).all()


def check_report() -> None:
    """The table replaces what stands between the marks of a card, nothing else."""
    verdict = Verdict(rows=[Row("figure", 0.5, 1.0, chance=0.25, target="≥ 0.4")])
    text = report.markdown(verdict, "Title.")
    assert "| figure | 0.50 | 1.00 | – | 0.25 | ≥ 0.4 |" in text
    with tempfile.TemporaryDirectory() as folder:
        card = Path(folder) / "card.md"
        card.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
        for _ in range(2):
            report.into_card(card, text)
            shown = card.read_text()
            assert shown.startswith("before\n") and shown.endswith("\nafter\n")
            assert "old" not in shown and shown.count("Title.") == 1


def main() -> None:
    for check in (check_senses, check_times, check_quality, check_stereo,
                  check_distances, check_seams, check_drift, check_drafts,
                  check_labels, check_report):
        check()
        print("PASS", check.__name__.removeprefix("check_"), flush=True)


if __name__ == "__main__":
    main()
