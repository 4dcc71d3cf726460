# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""A verdict as Markdown, as JSON, and in the model's card."""

import json
import math
from dataclasses import asdict
from pathlib import Path

from .classifier import FAMILY
from .verdict import Row, Verdict

BEGIN = "<!-- judged: begin -->"
END = "<!-- judged: end -->"


def number(value: float, unit: str = "") -> str:
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "never"
    if unit.startswith("of ") or unit in ("ms", "points"):
        text = f"{value:.0f}"
    elif abs(value) >= 10:
        text = f"{value:.1f}"
    else:
        text = f"{value:.2f}"
    return text.replace("-0.00", "0.00").replace("-", "−")


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join([_line(head), _line(["---"] * len(head)), *map(_line, rows)])


def _figures(rows: list[Row]) -> str:
    def cells(row: Row) -> list[str]:
        name = f"{row.name}, {row.unit}" if row.unit else row.name
        values = (row.value, row.real, row.coded, row.chance)
        return [name, *(number(v, row.unit) for v in values), row.target or "–"]

    head = ["figure", "mini", "real clips", "real through codec", "chance", "aim"]
    return _table(head, [cells(row) for row in rows])


def _heads(verdict: Verdict) -> str:
    rows = []
    for head, row in verdict.heads.items():
        if head == FAMILY:
            continue
        name = head.replace(".", ": ")
        cells = [name if row["valid"] else f"({name})"]
        cells += [number(row[n]) for n in ("made", "real", "coded", "chance")]
        rows.append([*cells, str(row["n"])])
    head = ["attribute", "mini", "real clips", "real through codec", "chance", "clips"]
    return _table(head, rows)


def _events(verdict: Verdict) -> str:
    def cells(family: str, row: dict) -> list[str]:
        names = ("made", "made_shuffled", "real", "real_shuffled", "coded")
        shares = [number(row[name]) for name in names]
        seen = [number(row[n]) for n in ("made_count", "real_count")]
        proof = [number(row[n]) for n in ("eye", "ear")]
        middle = number(row["made_median"] * 1000, "ms")
        return [family, *shares, middle, *seen, *proof]

    head = ["events of", "within ±130 ms", "shuffled", "real", "real, shuffled",
            "real through codec", "median, ms", "seen in 3 s", "real",
            "F1 of the eye", "F1 of the ear (±50 ms)"]
    judged = {f: row for f, row in verdict.events.items() if row["judged"]}
    return _table(head, [cells(family, row) for family, row in judged.items()])


def markdown(verdict: Verdict, title: str) -> str:
    parts = [title, _figures(verdict.rows)]
    if any(row["judged"] for row in verdict.events.values()):
        parts.append(_events(verdict))
    parts.append(_heads(verdict))
    if verdict.notes:
        parts.append("\n".join(f"- {note}" for note in verdict.notes))
    return "\n\n".join(parts) + "\n"


def as_json(verdict: Verdict, title: str) -> str:
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(part) for key, part in value.items()}
        if isinstance(value, list):
            return [plain(part) for part in value]
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value

    return json.dumps({"title": title} | plain(asdict(verdict)), indent=1,
                      ensure_ascii=False) + "\n"


def into_card(card: Path, text: str) -> None:
    """Replaces what stands between the marks."""
    old = card.read_text()
    before, rest = old.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    card.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
