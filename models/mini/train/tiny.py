# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Writes a tiny instance of `mini` with random weights, for tests.

    python3 models/mini/train/tiny.py tests/data/tiny.safetensors
    python3 models/mini/train/tiny.py --widen tests/data/tiny.safetensors \\
        tests/data/tiny-wide.safetensors

With --widen it is that file's instance with a head for twice the size.
"""

import argparse
import copy
from pathlib import Path

import torch
from torch import nn

import export
from network import Mini

CONFIG = {
    "name": "tiny",
    "video": {"width": 48, "height": 32, "frame_rate": [16, 1]},
    "audio": {"sample_rate": 24000, "channels": 2},
    "chunk": {"frames": 4, "samples": 6000},
    "latent": {"channels": 3, "downscale": 8, "patch": 2},
    "sound": {
        "tokens": 4,
        "token_size": 10,
        "frames_per_token": 6,
        "hop": 250,
        "band_edges": [
            40.0, 120.0, 220.0, 350.0, 530.0, 780.0,
            1150.0, 1700.0, 2500.0, 3700.0, 5600.0, 12000.0,
        ],
        "tonal_bands": 9,
        "tonality_floor": 0.12,
    },
    "text": {
        "size": 64,
        "layers": 1,
        "heads": 2,
        "mlp": 48,
        "tokens": 7,
        "buckets": 16,
        "vocabulary": ["a", "ocean", "waves", "at", "sunset", "rain", "night"],
    },
    "transformer": {
        "size": 64,
        "layers": 2,
        "heads": 2,
        "mlp": 80,
        "time_size": 16,
        "time_scale": 200.0,
        "time_period": 1000.0,
        "rope": {
            "time": [1.5, 0.5, 0.15, 0.05],
            "vertical": [1.2, 0.6, 0.3, 0.15, 0.08, 0.04],
            "horizontal": [1.1, 0.55, 0.28, 0.14, 0.07, 0.03],
            "sound_position": [-3.0, 1.5],
        },
    },
    "encoder": {"channels": [4, 4]},
    "decoder": {"channels": [16, 8, 8], "latent_bound": 3.0},
    "context": {"window": 1, "sink": 1, "timestep": 0.06},
    "schedules": {"1": [1.0], "2": [1.0, 0.6], "4": [1.0, 0.85, 0.6, 0.3]},
    "steps": 2,
    "prompts": ["ocean waves at sunset", "a rain at night"],
}

WIDE = 12  # channels, unlike any others


def randomise(mini: Mini) -> None:
    """Weights under which every part matters and nothing runs away."""
    for module in mini.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            inputs = module.weight[0].numel()
            nn.init.normal_(module.weight, std=inputs**-0.5)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
    transformer = mini.transformer
    nn.init.normal_(transformer.modulation.weight, std=0.05)
    nn.init.normal_(transformer.final.modulation.weight, std=0.05)
    nn.init.normal_(transformer.token_embedding, std=0.3)
    for layer in transformer.layers:
        nn.init.normal_(layer.modulation, std=0.3)
        nn.init.uniform_(layer.query_scale, 0.2, 0.5)
    nn.init.normal_(mini.decoder.out.weight, std=0.04)
    nn.init.normal_(mini.latent.mean, std=0.3)
    nn.init.uniform_(mini.latent.std, 0.7, 1.3)
    randomise_sound(mini)


def widen(mini: Mini) -> Mini:
    """The same model with a head for twice the size."""
    config = copy.deepcopy(mini.config)
    config["name"] += "-wide"
    config["decoder"]["wide"] = WIDE
    wide = Mini(config)
    wide.load_state_dict(mini.state_dict(), strict=False)
    for head, std in ((wide.decoder.up3, 0.1), (wide.decoder.wide, 0.04)):
        nn.init.normal_(head.weight, std=std)
        nn.init.normal_(head.bias, std=0.1)
    return wide


def randomise_sound(mini: Mini) -> None:
    """Levels about −40 dB, some bands tonal, some below the floor."""
    basis = mini.sound.basis
    bands = len(mini.config["sound"]["band_edges"]) - 1
    scale = torch.tensor([6.0, 0.2, 0.2]).view(1, 3, 1, 1)
    offset = torch.tensor([-40.0, 0.2, 0.0]).view(1, 3, 1, 1)
    shape = (mini.config["sound"]["frames_per_token"], 3, 2, bands)
    rows = scale.expand(shape).reshape(-1, 1)
    columns = basis.weight.shape[1]
    basis.weight.copy_(torch.randn(basis.weight.shape) * rows / columns**0.5)
    basis.bias.copy_(offset.expand(shape).reshape(-1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--widen", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    with torch.no_grad():
        if arguments.widen:
            mini = widen(export.load(arguments.widen))
        else:
            mini = Mini(CONFIG)
            randomise(mini)
    export.save(mini, arguments.output)


if __name__ == "__main__":
    main()
