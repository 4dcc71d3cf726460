# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Writes and reads the weights file of models/mini/FORMAT.md."""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from network import Mini

TABLES = ("position", "token_embedding", "modulation", "query_scale", "mean", "std")


def stored_type(name: str) -> torch.dtype:
    """Tables, biases and statistics are F32, weights F16."""
    last = name.rsplit(".", 1)[-1]
    return torch.float32 if last in (*TABLES, "bias") else torch.float16


def save(mini: Mini, path: Path) -> None:
    tensors = {
        name: value.detach().to(stored_type(name)).contiguous()
        for name, value in mini.state_dict().items()
    }
    metadata = {
        "format": "vidgensrc-mini",
        "version": "1",
        "config": json.dumps(mini.config, ensure_ascii=False, separators=(",", ":")),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata=metadata)
    path.chmod(0o644)


def load(path: Path) -> Mini:
    """The model in float32, in the configuration that the file tells."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        if metadata.get("format") != "vidgensrc-mini" or metadata["version"] != "1":
            raise ValueError(f"{path}: not a vidgensrc-mini file of version 1")
        mini = Mini(json.loads(metadata["config"]))
        mini.load_state_dict({name: file.get_tensor(name) for name in file.keys()})
    return mini.float().eval()
