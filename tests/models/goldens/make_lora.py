# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Makes LoRAs of the transformer wan/weights.safetensors in the layouts that are
in use, and what they add to its weights:

    pip install torch safetensors diffusers
    python3 tests/models/goldens/make_lora.py

Written to lora/, the same random changes in each:

    peft.pt              PEFT's names, in one of two parts of a torch file
    comfy.safetensors    Comfy's names with alpha, and whole differences
    kohya.safetensors    names with underscores and alpha
    diffusers/           names of diffusers, with alpha in adapter_config.json
    sums.safetensors     {layer}: up * down, without alpha; {layer}.diff and
                         {layer}.diff_b as in comfy.safetensors

and to wan/names.json what diffusers' converter calls the original names.
"""

import json
from pathlib import Path

import torch
from diffusers.loaders.single_file_utils import (
    convert_wan_transformer_to_diffusers)
from safetensors.torch import load_file, save_file

HERE = Path(__file__).resolve().parent
OUT = HERE / "lora"
RANK = 5
LAYERS = ["blocks.0.self_attn.q", "blocks.0.self_attn.o",
          "blocks.1.cross_attn.k", "blocks.1.ffn.0", "blocks.0.ffn.2",
          "head.head"]
DIFFUSERS = {
    "blocks.0.self_attn.q": "blocks.0.attn1.to_q",
    "blocks.0.self_attn.o": "blocks.0.attn1.to_out.0",
    "blocks.1.cross_attn.k": "blocks.1.attn2.to_k",
    "blocks.1.ffn.0": "blocks.1.ffn.net.0.proj",
    "blocks.0.ffn.2": "blocks.0.ffn.net.2",
    "head.head": "proj_out",
}


def main() -> None:
    torch.manual_seed(3)
    weights = load_file(HERE / "wan/weights.safetensors")
    (OUT / "diffusers").mkdir(parents=True, exist_ok=True)
    down, up, sums = {}, {}, {}
    for layer in LAYERS:
        rows, columns = weights[layer + ".weight"].shape
        down[layer] = torch.randn(RANK, columns) * 0.2
        up[layer] = torch.randn(rows, RANK) * 0.2
        sums[layer] = (up[layer].double() @ down[layer].double()).float()
    whole = {
        "blocks.0.self_attn.q.diff_b":
            torch.randn_like(weights["blocks.0.self_attn.q.bias"]),
        "blocks.0.norm3.diff":
            torch.randn_like(weights["blocks.0.norm3.weight"]),
        "blocks.0.norm3.diff_b":
            torch.randn_like(weights["blocks.0.norm3.bias"]),
    }

    peft = {}
    for layer in LAYERS[:-1]:
        name = "base_model.model." + layer
        peft[name + ".lora_A.weight"] = down[layer]
        peft[name + ".lora_B.weight"] = up[layer]
    torch.save({"generator_lora": peft,
                "critic_lora": {"x.lora_A.weight": torch.zeros(1, 1)},
                "step": 600}, OUT / "peft.pt")

    comfy, kohya, diffusers = {}, {}, {}
    for layer in LAYERS:
        comfy[f"diffusion_model.{layer}.lora_down.weight"] = down[layer]
        comfy[f"diffusion_model.{layer}.lora_up.weight"] = up[layer]
        comfy[f"diffusion_model.{layer}.alpha"] = torch.tensor(2.5)
        name = "lora_unet_" + layer.replace(".", "_")
        kohya[name + ".lora_down.weight"] = down[layer]
        kohya[name + ".lora_up.weight"] = up[layer]
        kohya[name + ".alpha"] = torch.tensor(10.0)
        name = "transformer." + DIFFUSERS[layer]
        diffusers[name + ".lora_A.weight"] = down[layer]
        diffusers[name + ".lora_B.weight"] = up[layer]
    for name, value in whole.items():
        comfy["diffusion_model." + name] = value
    save_file(comfy, OUT / "comfy.safetensors")
    save_file(kohya, OUT / "kohya.safetensors")
    save_file(diffusers, OUT / "diffusers/pytorch_lora_weights.safetensors")
    (OUT / "diffusers/adapter_config.json").write_text(
        json.dumps({"r": RANK, "lora_alpha": 15, "use_rslora": False}))
    save_file({**sums, **whole}, OUT / "sums.safetensors")

    converted = convert_wan_transformer_to_diffusers(
        {name: torch.full((1,), index)
         for index, name in enumerate(weights)})
    order = list(weights)
    names = {order[int(value)]: name for name, value in converted.items()}
    (HERE / "wan/names.json").write_text(json.dumps(names, indent=0))
    print(len(names), len(weights))


if __name__ == "__main__":
    main()
