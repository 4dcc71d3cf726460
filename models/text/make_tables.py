# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Writes the tables of models/text: grapheme-table.h and entities-table.h.

    pip install tokenizers sentencepiece regex
    python3 models/text/make_tables.py

Which characters join into grapheme clusters depends on the version of Unicode.
The one that counts is that of Hugging Face's tokenizers, so its segmentation is
asked about every character, through a character map that replaces a short
cluster by its first character's replacement and so shows where clusters end.
"""

import html.entities
import tempfile
import unicodedata
from pathlib import Path

import regex
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import normalizers

HERE = Path(__file__).resolve().parent
HEAD = """/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Written by models/text/make_tables.py. */

#pragma once

"""
CHARACTERS = [c for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]
ACUTE, JOINER, SIGN, KA, VIRAMA = "\u0301\u200d\u00a9\u0915\u094d"


def make_normaliser() -> normalizers.Precompiled:
    with tempfile.TemporaryDirectory() as folder:
        corpus, rules = Path(folder, "corpus"), Path(folder, "rules")
        corpus.write_text("a b c d\n" * 50)
        rules.write_text("61\t62\nA9\t62\n915\t62\n")
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=str(Path(folder, "m")),
            vocab_size=12, normalization_rule_tsv=str(rules), minloglevel=2,
            hard_vocab_limit=False)
        proto = sentencepiece_model_pb2.ModelProto.FromString(
            Path(folder, "m.model").read_bytes())
    return normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)


def ask_classes() -> dict[str, set[int]]:
    normalise = make_normaliser().normalize_str

    def joined(before: str, after: str) -> set[int]:
        """Those that do not let `after`'s last letter begin a cluster."""
        return {c for c in CHARACTERS if normalise(
            before + chr(c) + after + ACUTE).endswith("b" + ACUTE)}

    joining = {c for c in CHARACTERS if normalise("a" + chr(c)) == "b"}
    prepended = joined("", "a")
    pictures = joined("", JOINER + SIGN) - prepended
    # Between a picture and the joiner there may be extending ones alone.
    extending = joined(SIGN, JOINER + SIGN) & joining - {ord(JOINER)}
    consonants = joined("", VIRAMA + KA) - prepended
    linkers = joined(KA, KA) - prepended
    linked = joined(KA, VIRAMA + KA) & joining
    assert linkers <= joining
    assert (extending | linkers | {ord(JOINER)}) - linked <= {0x200C}
    controls = {c for c in CHARACTERS if regex.match(r"\p{GCB=Control}", chr(c))}
    return {
        "CONTROL": controls | {10, 13},
        "PREPENDED": prepended,
        "LINKER": linkers,
        "EXTENDING": extending - linkers,
        "SPACING": joining - extending - linkers - {ord(JOINER)},
        "PICTURE": pictures,
        "CONSONANT": consonants,
    }


def write_graphemes() -> None:
    class_of = {}
    for name, members in ask_classes().items():
        for c in members:
            assert c not in class_of, (hex(c), name, class_of[c])
            class_of[c] = name
    ranges = []
    for c in sorted(class_of):
        if ranges and ranges[-1][1] == c - 1 and ranges[-1][2] == class_of[c]:
            ranges[-1][1] = c
        else:
            ranges.append([c, c, class_of[c]])
    lines = [f"  {{ 0x{a:x}, 0x{b:x}, {name} }},\n" for a, b, name in ranges]
    (HERE / "grapheme-table.h").write_text(
        HEAD + "/* By code point; what is in none is OTHER. */\n"
        "/* clang-format off */\nstatic const struct {\n"
        "  guint32 first, last;\n  guint8 kind;\n} ranges[] = {\n"
        + "".join(lines) + "};\n")
    print("grapheme-table.h", len(ranges))


def literal(text: str) -> str:
    """As it stands in C: itself where every character can be seen alone."""
    if all(unicodedata.category(c)[0] in "LNPS" and c not in '"\\' for c in text):
        return text
    return "".join(f"\\{byte:03o}" for byte in text.encode())


def write_entities() -> None:
    lines = [""]
    items = sorted(html.entities.html5.items(), key=lambda item: item[0].encode())
    for name, text in items:
        entry = f' {{ "{name}", "{literal(text)}" }},'
        if len(lines[-1]) + len(entry) > 79:
            lines.append("")
        lines[-1] += entry
    (HERE / "entities-table.h").write_text(
        HEAD + "/* HTML's named character references, by name. */\n"
        "/* clang-format off */\nstatic const struct {\n"
        "  const char *name, *text;\n} entities[] = {\n"
        + "".join(f" {line}\n" for line in lines) + "};\n")
    print("entities-table.h", len(items))


if __name__ == "__main__":
    write_graphemes()
    write_entities()
