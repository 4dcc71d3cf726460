# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""The configuration of the shipped model, and parts of a weights file."""

import json
from pathlib import Path

from safetensors import safe_open
from torch import Tensor, nn

from network import TextEncoder
from world import captions, completions, sound

CONFIG = Path(__file__).with_name("config.json")


PROMPTS = [
    "ocean waves at sunset",
    "a large campfire on snow, at night",
    "heavy rain at night with thunder and lightning",
    "huge golden fireworks over the city",
    "a red ball bouncing on a wooden floor",
    "dancing green aurora over a lake",
    "large drops falling slowly, blue water",
    "a yellow car driving right in the city at night",
    "heavy snow falling over a village at dusk",
    "a large waterfall in the jungle",
    "a white swan calling on a lake at dawn",
    "a golden clock ticking slowly on a green wall",
    "a smith hammering orange iron with a large hammer",
    "a red lava lamp",
    "flying fast through many stars and a purple nebula",
    "a lighthouse flashing a red light on a foggy night",
]


def read_config(path: Path = CONFIG) -> dict:
    """The configuration with what the world decides: words, bands, examples."""
    config = json.loads(path.read_text())
    config["text"]["vocabulary"] = captions.vocabulary()
    config["text"]["completions"] = completions.rules(PROMPTS)
    config["sound"]["band_edges"] = [round(float(edge), 4) for edge in sound.EDGES]
    config["sound"]["tonal_bands"] = sound.TONAL_BANDS
    config["sound"]["tonality_floor"] = sound.TONALITY_FLOOR
    config["prompts"] = PROMPTS
    return config


def read_part(path: Path, prefix: str) -> dict[str, Tensor]:
    """The tensors of a weights file whose names begin with `prefix`."""
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(prefix)]
        return {name[len(prefix) :]: file.get_tensor(name).float() for name in names}


def load_part(module: nn.Module, path: Path, prefix: str) -> None:
    module.load_state_dict(read_part(path, prefix))


def load_grown(module: nn.Module, path: Path, prefix: str) -> None:
    """As load_part, where what the file does not know stays new."""
    module.load_state_dict(module.state_dict() | read_part(path, prefix))


def load_text(text: TextEncoder, path: Path) -> None:
    """As load_part, where a word that the file does not know stays as new as
    it is: worlds grow."""
    with safe_open(path, framework="pt") as file:
        known = json.loads(file.metadata()["config"])["text"]["vocabulary"]
    tensors = read_part(path, "text.")
    stored = tensors["embedding.weight"]
    rows = text.embedding.weight.detach().clone()
    buckets = text.tokenizer.buckets
    rows[0] = stored[0]
    rows[-buckets:] = stored[-buckets:]
    for place, word in enumerate(known):
        token = text.tokenizer.ids.get(word.encode())
        if token is not None:
            rows[token] = stored[1 + place]
    text.load_state_dict(tensors | {"embedding.weight": rows})
