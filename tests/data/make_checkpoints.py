# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Makes the checkpoints that the readers of models/checkpoint are tested with,
by the libraries that publish weights are made with (torch 2.13, gguf 0.19).

    python3 tests/data/make_checkpoints.py

wan.gguf: random blocks of each type, NAME, beside what the library expands
them to, NAME.expanded (F32); the layouts of a 5-D weight that are in use.
wan.pth: two nested dictionaries as causal students publish, whose values
count up from a start of their own.
transposed.pth: a tensor that is not contiguous.
tests/fuzz/corpus: small seeds for gguf, torch and pickle.
"""

import collections
import pathlib
import zipfile

import gguf
import numpy as np
import torch

FOLDER = pathlib.Path(__file__).parent
SEEDS = FOLDER.parent / "fuzz" / "corpus"
TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
# Byte offsets of the halves in a block, which must stay finite.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
          "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def random_blocks(random, name, blocks):
    size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]][1]
    data = random.integers(0, 256, (blocks, size), dtype=np.uint8)
    for offset in SCALES[name]:
        scale = random.standard_normal(blocks).astype("<f2")
        data[:, offset:offset + 2] = scale.view(np.uint8).reshape(blocks, 2)
    return data


def write_gguf():
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(FOLDER / "wan.gguf", "wan")
    writer.add_bool("test.flag", True)
    writer.add_float32("test.number", 0.15625)
    writer.add_int32("test.negative", -3)
    writer.add_array("test.words", ["▁a", "", "b"])
    writer.add_array("comfy.gguf.orig_shape.restored.weight", [3, 5, 1, 2, 2])
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        data = random_blocks(random, name, 2)
        writer.add_tensor(name, data, raw_dtype=kind)
        writer.add_tensor(name + ".expanded",
                          gguf.quants.dequantize(data, kind))
    values = random.standard_normal(30).astype(np.float32)
    bf16 = (values.view(np.uint32) >> 16).astype(np.uint16)
    writer.add_tensor("F16", values.astype(np.float16))
    writer.add_tensor("F16.expanded",
                      values.astype(np.float16).astype(np.float32))
    writer.add_tensor("BF16", bf16.view(np.uint8),
                      raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.add_tensor("BF16.expanded",
                      (bf16.astype(np.uint32) << 16).view(np.float32))
    weight = np.arange(60, dtype=np.float32)
    writer.add_tensor("patch_embedding.weight", weight.reshape(3, 5, 1, 2, 2))
    writer.add_tensor("folded.weight", weight.reshape(15, 1, 2, 2))
    writer.add_tensor("flat.weight", weight.reshape(3, 20))
    writer.add_tensor("restored.weight", weight.reshape(4, 15))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def count(start, shape, dtype=torch.float32):
    size = int(np.prod(shape))
    return torch.arange(start, start + size).reshape(shape).to(dtype)


def write_torch():
    module = torch.nn.Module()
    module.model = torch.nn.Linear(3, 2)
    with torch.no_grad():
        module.model.weight.copy_(count(0, (2, 3)))
        module.model.bias.copy_(count(10, (2,)))
    base = count(100, (6, 4))
    ema = collections.OrderedDict()
    prefix = "model._fsdp_wrapped_module."
    ema[prefix + "half"] = count(20, (2, 2), torch.float16)
    ema[prefix + "brain"] = count(30, (1, 5), torch.bfloat16)
    ema[prefix + "parameter"] = torch.nn.Parameter(count(40, (3,)))
    ema[prefix + "base"] = base
    ema[prefix + "rows"] = base[2:4]
    ema[prefix + "scalar"] = torch.tensor(7.5)
    ema[prefix + "empty"] = torch.zeros(0, 4)
    ema[prefix + "index"] = count(-2, (4,), torch.int64)
    torch.save({"generator": module.state_dict(), "generator_ema": ema,
                "step": 600, "rate": 0.25, "note": "π", "done": False,
                "nothing": None, "betas": (0.5, 0.75)}, FOLDER / "wan.pth")
    torch.save({"x": base.t()}, FOLDER / "transposed.pth")


def write_seeds():
    for name in ("gguf", "torch", "pickle"):
        (SEEDS / name).mkdir(exist_ok=True)
    writer = gguf.GGUFWriter(SEEDS / "gguf" / "small", "wan")
    writer.add_array("words", ["a", "b"])
    writer.add_array("comfy.gguf.orig_shape.a", [2, 1, 2])
    writer.add_tensor("a", np.arange(4, dtype=np.float32).reshape(2, 2))
    blocks = random_blocks(np.random.default_rng(2), "Q8_0", 1)
    writer.add_tensor("b", blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    path = SEEDS / "torch" / "small"
    weights = collections.OrderedDict(w=count(0, (2, 3)))
    torch.save({"model": weights, "step": 3}, path)
    for protocol in (2, 4):
        file = SEEDS / "pickle" / f"protocol{protocol}"
        torch.save({"model": weights, "betas": [0.5, None, (True, 1 << 40)]},
                   path.with_suffix(".tmp"), pickle_protocol=protocol)
        with zipfile.ZipFile(path.with_suffix(".tmp")) as archive:
            file.write_bytes(archive.read("small/data.pkl"))
        path.with_suffix(".tmp").unlink()


if __name__ == "__main__":
    write_gguf()
    write_torch()
    write_seeds()
