# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Makes the umT5 encoders that models/umt5 is tested with, and what the
published code makes of prompts by their random weights:

    pip install torch transformers sentencepiece tokenizers gguf
    python3 tests/models/goldens/make_umt5.py

Written to umt5/, one set of weights in the layouts that are in use, each with
its tokenizer where that layout has it:

    diffusers/       F32 in two shards with their config, and tokenizer.json
    wan/             BF16 under Wan's names in a torch file, and spiece.model
    comfy.safetensors    F16 under the names of transformers, spiece_model in it
    scaled.safetensors   the same, its linear layers as scaled 8-bit floats
    umt5.gguf        Q8_0 where rows allow it, or F16; llama.cpp's names

and states.safetensors, all F32 but the tokens:

    {P}.tokens                 of prompt P with </s>, U32
    {P}.block{B}, {P}.out      states after a block, and the encoding
    scaled.{P}.out             the encoding by the values that are stored in
    quantised.{P}.out          scaled.safetensors and in umt5.gguf
    prompts                    as metadata: a list in JSON
"""

import html
import json
import tempfile
from pathlib import Path

import gguf
import make_unigram
import numpy as np
import sentencepiece
import torch
from safetensors.torch import save_file
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer
from transformers import UMT5Config, UMT5EncoderModel

OUT = Path(__file__).resolve().parent / "umt5"
SEEDS = OUT.parents[2] / "fuzz/corpus/parts"
LAYERS, SIZE, HEADS, HEAD_SIZE, INNER = 2, 32, 3, 16, 64
ROWS = 448
PROMPTS = [
    "A cat walks through the rain at night, cinematic lighting.",
    "",
    "  Zwei &amp;lt;Hunde&amp;gt;\n\tund\u3000ein M\u1ed9t con m\u00e8o. ",
    "una mujer mira el mar, " * 14,
    "\u4e00\u53ea\u732b\u5728\u96e8\u4e2d\u884c\u8d70\u3002 cat " * 60,
]
LAYER = {
    "layer.0.SelfAttention.q": ("attn.q", "attn_q"),
    "layer.0.SelfAttention.k": ("attn.k", "attn_k"),
    "layer.0.SelfAttention.v": ("attn.v", "attn_v"),
    "layer.0.SelfAttention.o": ("attn.o", "attn_o"),
    "layer.0.SelfAttention.relative_attention_bias":
        ("pos_embedding.embedding", "attn_rel_b"),
    "layer.0.layer_norm": ("norm1", "attn_norm"),
    "layer.1.DenseReluDense.wi_0": ("ffn.gate.0", "ffn_gate"),
    "layer.1.DenseReluDense.wi_1": ("ffn.fc1", "ffn_up"),
    "layer.1.DenseReluDense.wo": ("ffn.fc2", "ffn_down"),
    "layer.1.layer_norm": ("norm2", "ffn_norm"),
}


def train_tokenizer() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        corpus, rules = Path(folder) / "corpus", Path(folder) / "rules"
        corpus.write_text("\n".join(make_unigram.SENTENCES * 20))
        rules.write_text("41\t61\nE8\t65 300\n3000\t20\n9\t20\nA\t20\n")
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=folder + "/model",
            model_type="unigram", vocab_size=420, character_coverage=0.98,
            pad_id=0, eos_id=1, bos_id=2, unk_id=3, num_threads=1,
            minloglevel=2, hard_vocab_limit=False, byte_fallback=True,
            user_defined_symbols=make_unigram.EXTRA,
            normalization_rule_tsv=str(rules))
        proto = sentencepiece_model_pb2.ModelProto.FromString(
            (Path(folder) / "model.model").read_bytes())
    for field in ("input", "model_prefix"):
        proto.trainer_spec.ClearField(field)
    proto.normalizer_spec.ClearField("normalization_rule_tsv")
    return proto.SerializeToString(deterministic=True)


def make_encoder() -> UMT5EncoderModel:
    torch.manual_seed(7)
    config = UMT5Config(
        vocab_size=ROWS, d_model=SIZE, d_kv=HEAD_SIZE, num_heads=HEADS,
        d_ff=INNER, num_layers=LAYERS, feed_forward_proj="gated-gelu")
    model = UMT5EncoderModel(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "layer_norm" in name:
                weight.copy_(1 + 0.3 * torch.randn_like(weight))
            elif "relative_attention_bias" in name:
                weight.copy_(torch.randn_like(weight))
    return model


def clean(text: str) -> str:
    return " ".join(html.unescape(html.unescape(text)).split())


def encode(model: UMT5EncoderModel, tokens: list[int]) -> dict:
    with torch.no_grad():
        out = model(torch.tensor([tokens]), output_hidden_states=True)
    states = {f"block{i}": state[0]
              for i, state in enumerate(out.hidden_states[1:-1])}
    last = []
    hook = model.encoder.block[-1].register_forward_hook(
        lambda module, arguments, result: last.append(
            result[0] if torch.is_tensor(result) else result[0][0]))
    with torch.no_grad():
        model(torch.tensor([tokens]))
    hook.remove()
    states[f"block{LAYERS - 1}"] = last[0]
    return {**states, "out": out.last_hidden_state[0]}


def names_of(key: str) -> tuple[str, str]:
    """The names of Wan and of llama.cpp."""
    if key == "shared.weight":
        return "token_embedding.weight", "token_embd.weight"
    if key == "encoder.final_layer_norm.weight":
        return "norm.weight", "enc.output_norm.weight"
    _, _, block, rest = key.split(".", 3)
    wan, llama = LAYER[rest.removesuffix(".weight")]
    return f"blocks.{block}.{wan}.weight", f"enc.blk.{block}.{llama}.weight"


def write_diffusers(weights: dict, config: UMT5Config, document: str) -> None:
    folder = OUT / "diffusers" / "text_encoder"
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "tokenizer").mkdir(exist_ok=True)
    (folder.parent / "tokenizer/tokenizer.json").write_text(document)
    (folder / "config.json").write_text(config.to_json_string())
    keys, where = list(weights), {}
    for shard in range(2):
        name = f"model-{shard + 1:05}-of-00002.safetensors"
        save_file({key: weights[key] for key in keys[shard::2]}, folder / name)
        where.update(dict.fromkeys(keys[shard::2], name))
    (folder / "model.safetensors.index.json").write_text(json.dumps(
        {"metadata": {}, "weight_map": where}))


def write_wan(weights: dict, model: bytes) -> None:
    folder = OUT / "wan"
    (folder / "google/umt5-xxl").mkdir(parents=True, exist_ok=True)
    (folder / "google/umt5-xxl/spiece.model").write_bytes(model)
    torch.save({names_of(key)[0]: weight.bfloat16()
                for key, weight in weights.items()},
               folder / "models_t5_umt5-xxl-enc-bf16.pth")


def scale(weights: dict) -> tuple[dict, dict]:
    """The weights with 8-bit floats, and the values that those stand for."""
    stored = {"scaled_fp8": torch.zeros(2, dtype=torch.float8_e4m3fn)}
    values = {}
    for key, weight in weights.items():
        if "SelfAttention" in key and "bias" not in key or "Dense" in key:
            factor = weight.abs().max() / 448
            stored[key] = (weight / factor).to(torch.float8_e4m3fn)
            stored[key.removesuffix("weight") + "scale_weight"] = factor
            values[key] = stored[key].float() * factor
        else:
            stored[key] = values[key] = weight.half()
    return stored, {key: value.float() for key, value in values.items()}


def quantise(weights: dict) -> tuple[dict, dict]:
    """Arrays and their types for GGUF, and the values that those stand for."""
    stored, values = {}, {}
    for key, weight in weights.items():
        data, kind = weight.numpy(), gguf.GGMLQuantizationType.F32
        if "norm" not in key and "bias" not in key:
            kind = (gguf.GGMLQuantizationType.Q8_0 if data.shape[1] % 32 == 0
                    else gguf.GGMLQuantizationType.F16)
            data = gguf.quants.quantize(data, kind)
        stored[key] = data, kind
        values[key] = torch.from_numpy(
            gguf.quants.dequantize(data, kind).reshape(weight.shape))
    return stored, values


def start_gguf(path: Path, proto) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, "t5encoder")
    writer.add_tokenizer_model("t5")
    writer.add_token_list([piece.piece for piece in proto.pieces])
    writer.add_token_scores([piece.score for piece in proto.pieces])
    writer.add_token_types([piece.type for piece in proto.pieces])
    normaliser = proto.normalizer_spec
    writer.add_add_space_prefix(normaliser.add_dummy_prefix)
    writer.add_remove_extra_whitespaces(normaliser.remove_extra_whitespaces)
    writer.add_precompiled_charsmap(normaliser.precompiled_charsmap)
    writer.add_eos_token_id(1)
    return writer


def finish_gguf(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_gguf(stored: dict, model: bytes) -> None:
    writer = start_gguf(
        OUT / "umt5.gguf",
        sentencepiece_model_pb2.ModelProto.FromString(model))
    for key, (data, kind) in stored.items():
        writer.add_tensor(names_of(key)[1], data, raw_dtype=kind)
    finish_gguf(writer)


def write_seeds(model: bytes) -> None:
    """A LoRA, and an encoder of one small layer with its tokenizer, for
    tests/fuzz."""
    SEEDS.mkdir(exist_ok=True)
    save_file({"diffusion_model.a.lora_down.weight": torch.ones(2, 3),
               "diffusion_model.a.lora_up.weight": torch.ones(4, 2),
               "diffusion_model.a.alpha": torch.tensor(2.0),
               "diffusion_model.a.diff_b": torch.ones(4)}, SEEDS / "lora")
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    del proto.pieces[290:]
    sizes = {"attn_q": (16, 4), "attn_k": (16, 4), "attn_v": (16, 4),
             "attn_o": (4, 16), "attn_rel_b": (4, 1), "attn_norm": (4,),
             "ffn_gate": (4, 4), "ffn_up": (4, 4), "ffn_down": (4, 4),
             "ffn_norm": (4,)}
    layer = {f"enc.blk.0.{name}.weight": size for name, size in sizes.items()}
    writer = start_gguf(SEEDS / "encoder", proto)
    for name, size in {"token_embd.weight": (290, 4),
                       "enc.output_norm.weight": (4,), **layer}.items():
        writer.add_tensor(name, np.zeros(size, np.float16))
    finish_gguf(writer)


def main() -> None:
    model = train_tokenizer()
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert len(pieces) <= ROWS, len(pieces)
    document = json.dumps(make_unigram.convert("fallback", model),
                          ensure_ascii=False, separators=(",", ":"))
    tokenizer = Tokenizer.from_str(document)
    encoder = make_encoder()
    weights = {key: value.clone() for key, value in
               encoder.state_dict().items() if key != "encoder.embed_tokens.weight"}
    stored, scaled = scale(weights)
    blocks, quantised = quantise(weights)
    others = {"scaled": make_encoder(), "quantised": make_encoder()}
    others["scaled"].load_state_dict(scaled, strict=False)
    others["quantised"].load_state_dict(quantised, strict=False)

    states = {}
    for index, prompt in enumerate(PROMPTS):
        tokens = pieces.encode(clean(prompt))[:511] + [1]
        theirs = tokenizer.encode(clean(prompt)).ids
        assert theirs[:-1][:511] + [1] == tokens, prompt
        print(index, len(tokens))
        states[f"{index}.tokens"] = torch.tensor(tokens, dtype=torch.uint32)
        for name, state in encode(encoder, tokens).items():
            states[f"{index}.{name}"] = state.contiguous()
        for name, other in others.items():
            states[f"{name}.{index}.out"] = encode(other, tokens)["out"]
    save_file(states, OUT / "states.safetensors",
              {"prompts": json.dumps(PROMPTS)})

    write_diffusers(weights, encoder.config, document)
    write_wan(weights, model)
    spiece = torch.frombuffer(bytearray(model), dtype=torch.uint8)
    save_file({**{key: value.half() for key, value in weights.items()},
               "spiece_model": spiece}, OUT / "comfy.safetensors")
    save_file({**stored, "spiece_model": spiece}, OUT / "scaled.safetensors")
    write_gguf(blocks, model)
    write_seeds(model)


if __name__ == "__main__":
    main()
