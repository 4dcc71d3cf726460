# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Makes the texts that models/text/clean.h is compared with.

    pip install ftfy sentencepiece tokenizers
    python3 tests/models/goldens/make_clean.py

Writes clean.gz: each text and what Wan2.1's cleaning makes of it, all ended by
NUL. Texts that ftfy takes for wrongly decoded ones are left out.
"""

import gzip
import html
import random
import re
from pathlib import Path

import ftfy
from make_unigram import ODD, letters, make_text, make_words

TEXTS = 2500
FRAGMENTS = [
    "&amp;", "&amp;amp;", "&AMP;", "&amp", "&ampx", "&lt;b&gt;", "<b>", "&not",
    "&notit;", "&notin;", "&eacute;", "&EACUTE;", "&SZLIG;", "&NTILDE;",
    "&nTILDE;", "&FFILIG;", "&IMATH;", "&CounterClockwiseContourIntegral;",
    "&#38;", "&#x26;", "&#X2603;", "&#0;", "&#128;", "&#129;", "&#x1F408;",
    "&#xD800;", "&#1114112;", "&#99999999999;", "&#59;", "&#1;", "&#xFFFE;",
    "&#12ab;", "&#;", "&#x;", "&;", "& ", "&nbsp;", "&thinsp;", "&NotARef;",
    "&quot;", "&NewLine;", "&fjlig;", "&hellip;", "&acE;", "\n", "\r\n", "\r",
    "\u2028", "\u2029", "\x85", "\x1b[36;44m", "\x1b[m", "\x1b[1;", "\x1b",
    "\u2018a\u2019", "\u201cb\u201d", "\u02bc", "\ufb01\ufb06\u0132\u0149\u01c4",
    "\uff21\uff76\uff9e\uffe5\uffe8\u3000", "e\u0301", "\u1100\u1161", "\ufeff",
    "\x80", "\x91", "\x81", "\x1c", "\x1f", "\t", "  ", "\ufffc", "\u206a",
]


def clean(text: str) -> str:
    text = html.unescape(html.unescape(ftfy.fix_text(text))).strip()
    return re.sub(r"\s+", " ", text).strip()


def make(rng: random.Random, words: list, index: int) -> str:
    if index % 4 == 0:
        text = make_text(rng, words, index).decode(errors="replace")
    else:
        text = "".join(
            rng.choice(FRAGMENTS) if rng.random() < 0.6 else
            rng.choice([rng.choice(rng.choice(words)), " ",
                        letters(rng, rng.choice(list(ODD.values())), 2)])
            for _ in range(rng.randint(1, 8)))
    return text.replace("\0", "")


def main() -> None:
    rng = random.Random(21)
    words = make_words(rng)
    golden = b""
    count = 0
    for index in range(TEXTS):
        text = make(rng, words, index)
        if ftfy.fix_text(text) == ftfy.fix_text(text, fix_encoding=False):
            golden += text.encode() + b"\0" + clean(text).encode() + b"\0"
            count += 1
    path = Path(__file__).resolve().parent / "clean.gz"
    path.write_bytes(gzip.compress(golden, 9, mtime=0))
    print(count, path.stat().st_size)


if __name__ == "__main__":
    main()
