# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Makes the tokenizer models and the tokens that models/text is compared with.

    pip install sentencepiece tokenizers
    python3 tests/models/goldens/make_unigram.py

Trains three SentencePiece unigram models on generated text of many scripts:

    fallback   umT5's settings: nmt_nfkc; <pad> 0, </s> 1, <s> 2, <unk> 3; byte
               fallback; <extra_id_N> are user-defined
    plain      the same without byte fallback, <extra_id_N> are control symbols
    odd        everything else: own character rules, spaces kept, written behind
               words, no dummy prefix

and writes unigram/NAME.model.gz, unigram/NAME.json.gz (the Hugging Face form of
it, in one of the three layouts that converters have written) and
unigram/tokens.gz, little-endian:

    for each text      u32 bytes, bit 31 set if not UTF-8; the text
      for each model   sentencepiece's tokens, then Hugging Face's, each
                       u16 count, u16 tokens; count 0xffff: as the ones before.
                       Hugging Face's have </s> at their end; a text that is not
                       UTF-8 has none.
"""

import base64
import gzip
import json
import random
import struct
import tempfile
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer

HERE = Path(__file__).resolve().parent / "unigram"
SEEDS = HERE.parents[2] / "fuzz/corpus"
TEXTS = 10400
EXTRA = [f"<extra_id_{i}>" for i in range(4)]
MODELS = ("fallback", "plain", "odd")

# Letters to make words of: first and last code points.
SCRIPTS = {
    "latin": [(0x61, 0x7A)] * 6 + [(0xDF, 0xF6), (0xF8, 0xFF)],
    "capitals": [(0x41, 0x5A)],
    "extended": [(0x100, 0x17F), (0x1E00, 0x1EFF)],
    "greek": [(0x3B1, 0x3C9), (0x3AC, 0x3AF)],
    "cyrillic": [(0x430, 0x45F)],
    "armenian": [(0x561, 0x586)],
    "hebrew": [(0x5D0, 0x5EA), (0x5B0, 0x5BC)],
    "arabic": [(0x621, 0x64A)] * 3 + [(0x64B, 0x652)],
    "devanagari": [(0x905, 0x939)] * 2 + [(0x93E, 0x94D)],
    "bengali": [(0x995, 0x9A8), (0x9BE, 0x9BE), (0x9CD, 0x9CD)],
    "tamil": [(0xB95, 0xB95), (0xBAE, 0xBB9), (0xBBE, 0xBCD)],
    "thai": [(0xE01, 0xE2E)] * 2 + [(0xE30, 0xE4B)],
    "georgian": [(0x10D0, 0x10F0)],
    "ethiopic": [(0x1200, 0x1248)],
    "khmer": [(0x1780, 0x17A2), (0x17B6, 0x17D1)],
    "kana": [(0x3041, 0x3093)] * 2 + [(0x30A1, 0x30F6)],
    "han": [(0x4E00, 0x4E80)],
    "hangul": [(0xAC00, 0xAC80)],
    "digits": [(0x30, 0x39)],
}

# What normalisation, segmentation and fallback are about.
ODD = {
    "marks": [(0x300, 0x315), (0x323, 0x333), (0x345, 0x345), (0x483, 0x487)],
    "prepended": [(0x600, 0x605), (0x6DD, 0x6DD), (0x70F, 0x70F)],
    "ligatures": [(0xFB00, 0xFB06), (0xFB13, 0xFB17), (0xFB1D, 0xFB4F)],
    "wide": [(0xFF01, 0xFF9F)],
    "letterlike": [(0x2100, 0x214F), (0x2460, 0x24FF)],
    "squared": [(0x3200, 0x33FF)],
    "presentation": [(0xFB50, 0xFBB1), (0xFDF0, 0xFDFB), (0xFE70, 0xFEFC)],
    "jamo": [(0x1100, 0x1112), (0x1161, 0x1175), (0x11A8, 0x11C2)],
    "superscript": [(0x2070, 0x209C), (0xB2, 0xBE)],
    "spaces": [(0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x2064),
               (0xA0, 0xA0), (0x1680, 0x1680), (0x3000, 0x3000),
               (0x85, 0x85), (0xFEFF, 0xFEFF), (0xAD, 0xAD)],
    "controls": [(0x0, 0x1F), (0x7F, 0x9F)],
    "emoji": [(0x1F300, 0x1F64F), (0x1F900, 0x1F9FF), (0x2600, 0x27BF)],
    "flags": [(0x1F1E6, 0x1F1FF)],
    "joiners": [(0x200C, 0x200D), (0xFE0E, 0xFE0F), (0x1F3FB, 0x1F3FF)],
    "mathematical": [(0x1D400, 0x1D7FF)],
    "pictures": [(0xA9, 0xA9), (0xAE, 0xAE), (0x203C, 0x203C),
                 (0x2049, 0x2049), (0x2122, 0x2122), (0x2139, 0x2139),
                 (0x24C2, 0x24C2), (0x3297, 0x3299), (0x200D, 0x200D)],
    "indic": [(0x915, 0x939), (0x93C, 0x93C), (0x94D, 0x94D),
              (0x958, 0x95F), (0x9DC, 0x9DF), (0xA59, 0xA5E)],
    "private": [(0xE000, 0xE00F), (0xF0000, 0xF000F), (0x10FFF0, 0x10FFFD)],
    "specials": [(0xFFF9, 0xFFFD), (0xFFFF, 0xFFFF), (0xFDD0, 0xFDD3)],
    "any": [(0x1, 0xD7FF), (0xE000, 0x10FFFF)],
}
FRAGMENTS = EXTRA + [
    "</s>", "<s>", "<pad>", "<unk>", "<0x41>", "<0xE2>", "\u2581", "\u2581\u2581",
    "\u2581a", "  ", "   ", " ", "\r\n", "\n", "\t", "\u00a0", ", ", ". ", "! ",
    "e\u0301", "e\u0302\u0301", "a\u0308", "o\u031b\u0323", "A\u030a",
    "\ufb01\u0301", "\u2122\u200d\u2122\u0301", "\u0600a\u0301",
    "\u1100\u1161\u11a8", "\uac00\u11a8", "\u1100\u0301", "\u1161\u0301",
    "\U0001f469\u200d\U0001f52c", "\U0001f1e9\U0001f1ea",
    "\U0001f44d\U0001f3fd", "\u2764\ufe0f", "\u0915\u094d\u0937\u0301",
    "\ufdfa", "\u3392", "\u00bd", "don't", "\u201cquoted\u201d", "&amp;",
    "A cat, 4K, f/1.8", "https://example.org/?q=1", "x2", "q\u0307\u0323",
]
SENTENCES = """A cat walks through the rain at night, cinematic lighting.
Ein Hund l\u00e4uft \u00fcber die Stra\u00dfe und bellt laut.
Une jeune femme regarde la mer, tr\u00e8s calme, au cr\u00e9puscule.
El sol sale detr\u00e1s de las monta\u00f1as cubiertas de nieve.
\u0414\u043e\u0436\u0434\u044c \u0438\u0434\u0451\u0442 \u043d\u0430\u0434 \u0433\u043e\u0440\u043e\u0434\u043e\u043c.
\u4e00\u53ea\u732b\u5728\u96e8\u4e2d\u884c\u8d70\u3002\u591c\u665a\u7684\u57ce\u5e02\u3002
\u732b\u304c\u96e8\u306e\u4e2d\u3092\u6b69\u3044\u3066\u3044\u308b\u3002
\uace0\uc591\uc774\uac00 \ube57\uc18d\uc744 \uac77\uace0 \uc788\ub2e4.
\u0642\u0637\u0629 \u062a\u0645\u0634\u064a \u062a\u062d\u062a \u0627\u0644\u0645\u0637\u0631.
\u092c\u093f\u0932\u094d\u0932\u0940 \u092c\u093e\u0930\u093f\u0936 \u092e\u0947\u0902 \u091a\u0932 \u0930\u0939\u0940 \u0939\u0948\u0964
\u0e41\u0e21\u0e27\u0e40\u0e14\u0e34\u0e19\u0e15\u0e32\u0e01\u0e1d\u0e19
M\u1ed9t con m\u00e8o \u0111i trong m\u01b0a.""".splitlines()


def letters(rng: random.Random, ranges: list, count: int) -> str:
    return "".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(count))


def make_words(rng: random.Random) -> list[list[str]]:
    return [[letters(rng, ranges, rng.randint(1, 4)) +
             letters(rng, ranges, rng.randint(0, 4)) for _ in range(80)]
            for ranges in SCRIPTS.values()]


def make_sentence(rng: random.Random, words: list) -> str:
    lexicon = rng.choice(words)
    chosen = [lexicon[min(int(rng.paretovariate(0.6)) - 1, len(lexicon) - 1)]
              for _ in range(rng.randint(2, 7))]
    return " ".join(chosen) + rng.choice([".", "!", ",", "", "?"])


def make_part(rng: random.Random, words: list) -> str:
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(rng.choice(words)) + rng.choice(["", " ", " ", "  "])
    if kind < 0.45:
        return letters(rng, rng.choice(list(SCRIPTS.values())), rng.randint(1, 6))
    if kind < 0.75:
        return letters(rng, rng.choice(list(ODD.values())), rng.randint(1, 4))
    if kind < 0.93:
        return rng.choice(FRAGMENTS)
    return rng.choice(SENTENCES)[: rng.randint(1, 40)]


def make_text(rng: random.Random, words: list, index: int) -> bytes:
    if index < len(SENTENCES):
        return SENTENCES[index].encode()
    if index % 2000 == 999:
        return "".join(make_sentence(rng, words) + " " + make_part(rng, words)
                       for _ in range(60)).encode()
    if index % 4 == 0:
        return make_sentence(rng, words).encode()
    text = "".join(make_part(rng, words) for _ in range(rng.randint(0, 5)))
    data = bytearray(text.encode())
    if index % 50 == 1 and data:
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def train(name: str, corpus: Path, folder: Path) -> bytes:
    common = dict(
        input=str(corpus), model_prefix=str(folder / name),
        model_type="unigram", vocab_size=2000, character_coverage=0.98,
        pad_id=0, eos_id=1, bos_id=2, unk_id=3, num_threads=1,
        minloglevel=2, hard_vocab_limit=False)
    if name == "fallback":
        own = dict(byte_fallback=True, user_defined_symbols=EXTRA,
                   normalization_rule_name="nmt_nfkc")
    elif name == "plain":
        own = dict(control_symbols=EXTRA, normalization_rule_name="nmt_nfkc")
    else:
        rules = folder / "rules.tsv"
        rules.write_text("41\t61\n41 42\t62\n66 69\tFB01\n20 20\t20\n"
                         "E9\t65 301\n7E\t\n2014\t20 2D 20\n3000\t20\n")
        own = dict(user_defined_symbols=[*EXTRA, "x2", "a b", "\u732b"],
                   normalization_rule_tsv=str(rules), vocab_size=800,
                   remove_extra_whitespaces=False, add_dummy_prefix=False,
                   treat_whitespace_as_suffix=True, unk_id=0, pad_id=-1,
                   eos_id=2, bos_id=1, allow_whitespace_only_pieces=True)
    sentencepiece.SentencePieceTrainer.train(**{**common, **own})
    return (folder / f"{name}.model").read_bytes()


def added(token: int, content: str, **how) -> dict:
    return {"id": token, "content": content, "single_word": False,
            "lstrip": False, "rstrip": False, "normalized": False,
            "special": True, **how}


def convert(name: str, model: bytes) -> dict:
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    vocabulary = [[piece.piece, piece.score] for piece in proto.pieces]
    names = [piece.piece for piece in proto.pieces]
    charsmap = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(
        proto.normalizer_spec.precompiled_charsmap).decode()}
    metaspace = {"type": "Metaspace", "replacement": "\u2581",
                 "prepend_scheme": "always", "split": True}

    def replace(kind: str, pattern: str, content: str) -> dict:
        return {"type": "Replace", "pattern": {kind: pattern},
                "content": content}

    tokens = [added(names.index(piece), piece)
              for piece in ("<pad>", "</s>", "<unk>") if piece in names]
    if name == "fallback":
        normaliser = {"type": "Sequence", "normalizers": [
            charsmap,
            {"type": "Strip", "strip_left": False, "strip_right": True},
            replace("Regex", " {2,}", "\u2581")]}
        splitter = metaspace
        tokens += [added(names.index(piece), piece) for piece in EXTRA]
    elif name == "plain":
        normaliser = charsmap
        splitter = {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": "\u2581",
             "add_prefix_space": True}]}
        tokens += [added(len(names) + i, piece, lstrip=i == 1, rstrip=i == 2,
                         special=i != 3, normalized=i == 3)
                   for i, piece in enumerate(EXTRA)]
    else:
        normaliser = {"type": "Sequence", "normalizers": [
            charsmap, replace("Regex", "\\A +| +\\z", ""),
            replace("Regex", " {2,}", " "), replace("String", " ", "\u2581"),
            replace("Regex", "\\A\u2581", "\u2581\u2581")]}
        splitter = {**metaspace, "prepend_scheme": "first", "split": False}
        tokens += [added(names.index("x2"), "x2", special=False)]
    end = names.index("</s>")
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": sorted(tokens, key=lambda token: token["id"]),
        "normalizer": normaliser, "pre_tokenizer": splitter,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                     {"SpecialToken": {"id": "</s>", "type_id": 0}},
                     {"Sequence": {"id": "B", "type_id": 0}},
                     {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [end],
                                        "tokens": ["</s>"]}}},
        "decoder": metaspace,
        "model": {"type": "Unigram", "unk_id": names.index("<unk>"),
                  "vocab": vocabulary, "byte_fallback": name == "fallback"}}


def pack(tokens: list[int]) -> bytes:
    assert len(tokens) < 0xFFFF
    return struct.pack(f"<H{len(tokens)}H", len(tokens), *tokens)


def write(name: str, data: bytes) -> None:
    path = HERE / f"{name}.gz"
    path.write_bytes(gzip.compress(data, 9, mtime=0))
    print(path.name, len(data), path.stat().st_size)


def write_seeds(models: dict[str, bytes]) -> None:
    """Small models of the same kinds for tests/fuzz."""
    proto_of = sentencepiece_model_pb2.ModelProto.FromString
    small = proto_of(models["odd"]).normalizer_spec.precompiled_charsmap
    for name, model in models.items():
        proto = proto_of(model)
        proto.normalizer_spec.precompiled_charsmap = small
        del proto.pieces[290 if name == "fallback" else 40:]
        seed = SEEDS / "spiece" / name
        seed.parent.mkdir(exist_ok=True)
        seed.write_bytes(proto.SerializeToString())
        del proto.pieces[30:]
        seed = SEEDS / "tokenizer-json" / name
        seed.parent.mkdir(exist_ok=True)
        seed.write_text(json.dumps(convert(name, proto.SerializeToString()),
                                   separators=(",", ":")))


def main() -> None:
    rng = random.Random(20)
    words = make_words(rng)
    readers, models = [], {}
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        sentences = [make_sentence(rng, words) for _ in range(12000)]
        corpus.write_text("\n".join(sentences + SENTENCES * 20))
        for name in MODELS:
            model = models[name] = train(name, corpus, Path(folder))
            document = json.dumps(convert(name, model), ensure_ascii=False,
                                  separators=(",", ":"))
            write(f"{name}.model", model)
            write(f"{name}.json", document.encode())
            readers.append((
                sentencepiece.SentencePieceProcessor(model_proto=model),
                Tokenizer.from_str(document)))

    write_seeds(models)

    golden = bytearray()
    differ = 0
    for index in range(TEXTS):
        text = make_text(rng, words, index)
        try:
            decoded = text.decode()
        except UnicodeDecodeError:
            decoded = None
        golden += struct.pack("<I", len(text) | (decoded is None) << 31) + text
        for pieces, tokenizer in readers:
            ours = pieces.encode(text)
            golden += pack(ours)
            if decoded is None:
                continue
            theirs = tokenizer.encode(decoded).ids
            if theirs == ours + [pieces.eos_id()]:
                golden += b"\xff\xff"
            else:
                golden += pack(theirs)
                differ += 1
    write("tokens", bytes(golden))
    print(f"{differ} of {TEXTS * len(MODELS)} differ between the two")


if __name__ == "__main__":
    main()
