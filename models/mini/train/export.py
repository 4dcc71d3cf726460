# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Writes and reads the weights file of models/mini/FORMAT.md.

    python3 export.py --autoencoder autoencoder.pt --generator student.pt \\
        --sound basis.npz --output ../mini.safetensors
"""

import argparse
import json
import struct
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn

import device
import shipped
from network import Mini

TABLES = ("position", "token_embedding", "modulation", "query_scale", "mean", "std")


def stored_type(name: str) -> torch.dtype:
    """Tables, biases and statistics are F32, weights F16."""
    last = name.rsplit(".", 1)[-1]
    return torch.float32 if last in (*TABLES, "bias") else torch.float16


def write(tensors: dict[str, Tensor], metadata: dict[str, str], path: Path) -> None:
    """A safetensors file, the same bytes for the same content; F32 come first
    so that every tensor is aligned to its values."""
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header: dict = {"__metadata__": metadata}
    offset = 0
    for name in names:
        tensor = tensors[name]
        size_bytes = tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": "F32" if tensor.dtype == torch.float32 else "F16",
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + size_bytes],
        }
        offset += size_bytes
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            file.write(tensors[name].contiguous().numpy().tobytes())


def save(mini: Mini, path: Path) -> None:
    tensors = {
        name: value.detach().to(stored_type(name))
        for name, value in mini.state_dict().items()
    }
    metadata = {
        "format": "vidgensrc-mini",
        "version": "1",
        "config": json.dumps(mini.config, ensure_ascii=False, separators=(",", ":")),
    }
    write(tensors, metadata, path)


def load(path: Path) -> Mini:
    """The model in float32, in the configuration that the file tells."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        if metadata.get("format") != "vidgensrc-mini" or metadata["version"] != "1":
            raise ValueError(f"{path}: not a vidgensrc-mini file of version 1")
        mini = Mini(json.loads(metadata["config"]))
        mini.load_state_dict({name: file.get_tensor(name) for name in file.keys()})
    return mini.float().eval()


def assemble(autoencoder: Path, generator: Path, sound: Path, config: Path) -> Mini:
    """The averaged weights of the checkpoints of training."""
    mini = Mini(shipped.read_config(config))
    pairs = nn.ModuleDict({"encoder": mini.encoder, "decoder": mini.decoder})
    fill(pairs, device.load(autoencoder)["average"])
    state = device.load(generator)
    fill(nn.ModuleList([mini.text, mini.transformer]), state["average"])
    mini.latent.load_state_dict(state["statistics"])
    basis = np.load(sound)
    for name in ("weight", "bias"):
        getattr(mini.sound.basis, name).copy_(torch.from_numpy(basis[name]))
    return mini


def fill(module: nn.Module, values: list[Tensor]) -> None:
    for parameter, value in zip(module.parameters(), values, strict=True):
        parameter.data.copy_(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=shipped.CONFIG)
    parser.add_argument("--autoencoder", type=Path, required=True)
    parser.add_argument("--generator", type=Path, required=True)
    parser.add_argument("--sound", type=Path, required=True, help="the basis")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    mini = assemble(
        arguments.autoencoder, arguments.generator, arguments.sound, arguments.config
    )
    save(mini, arguments.output)


if __name__ == "__main__":
    main()
