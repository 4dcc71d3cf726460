# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Makes the goldens that decoders of latents are compared with, by the
published code on random weights of few channels:

    python3 make_decoders.py --taehv DIR --wan DIR

The directories are checkouts of madebyollin/taehv (commit 1f14a568) and of
Wan-Video/Wan2.1 (commit 9737cba9); diffusers and einops are needed too. All
computes in f32 on the CPU. Written to decoders/, for each NAME below:

    NAME-weights.safetensors  a decoder under its published names
    NAME.safetensors          latents [LATENTS, h, w, 16], normalised, and the
                              frames [1 + 4 (LATENTS - 1), 8 h, 8 w, 3] that
                              come of them, -1 black to 1 white, F32

    taehv       TAEHV, whose first growth in time has channels for two frames
    taehv-half  the same shape with other weights, as halves
    vae         Wan VAE under the names of diffusers
    vae-half    Wan VAE under the original names, as halves

Weights that are stored as halves are rounded before they are used.
"""

import argparse
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

OUT = Path(__file__).resolve().parent / "decoders"
SEED = 7
LATENTS = 5
ROWS, COLUMNS = 3, 5
MEAN = (
    -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
    0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
)  # fmt: skip
STD = (
    2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
    3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
)  # fmt: skip


def draw(module: nn.Module, gain: float, half: bool) -> None:
    for name, parameter in module.named_parameters():
        if name.endswith("gamma"):
            nn.init.uniform_(parameter, 0.5, 1.5)
        elif parameter.ndim > 1:
            bound = gain * (3 / parameter[0].numel()) ** 0.5
            nn.init.uniform_(parameter, -bound, bound)
        else:
            nn.init.uniform_(parameter, -0.2, 0.2)
        if half:
            parameter.data = parameter.data.half().float()


def save(
    name: str,
    weights: dict[str, torch.Tensor],
    half: bool,
    latents: torch.Tensor,
    frames: torch.Tensor,
) -> None:
    """latents and frames are [T, C, H, W]."""
    outside = (frames.abs() >= 1).float().mean().item()
    if outside > 0.1 or frames.std().item() < 0.1:
        raise ValueError(f"{name}: frames that say little: {outside}, {frames.std()}")
    kept = {k: v.half() if half else v for k, v in weights.items()}
    kept = {k: v.contiguous() for k, v in kept.items()}
    save_file(kept, OUT / f"{name}-weights.safetensors")
    tensors = {"latents": latents, "frames": frames}
    tensors = {k: v.permute(0, 2, 3, 1).contiguous() for k, v in tensors.items()}
    save_file(tensors, OUT / f"{name}.safetensors")


def make_taehv(name: str, half: bool) -> None:
    import taehv
    from taehv import Clamp, MemBlock, TGrow, conv

    layers: list[nn.Module] = [Clamp(), conv(16, 24), nn.ReLU()]
    channels = (24, 16, 12, 8)
    for stage, stride in enumerate((1, 2, 2)):
        size = channels[stage]
        layers += [MemBlock(size, size) for _ in range(3)]
        layers += [nn.Upsample(scale_factor=2), TGrow(size, stride)]
        layers += [conv(size, channels[stage + 1], bias=False)]
    layers += [nn.ReLU(), conv(channels[3], 3)]
    model = taehv.TAEHV(checkpoint_path=None)
    model.decoder = nn.Sequential(*layers)
    draw(model.decoder, 1.0, half)
    with torch.no_grad():
        model.decoder[22].weight *= 0.25
        model.decoder[22].bias[:] = 0.5
    latents = 2 * torch.randn(LATENTS, 16, ROWS, COLUMNS)
    with torch.no_grad():
        frames = model.decode_video(latents[None], show_progress_bar=False)[0]
        streaming = taehv.StreamingTAEHV(model)
        streamed = []
        for latent in latents:
            frame = streaming.decode(latent[None, None])
            while frame is not None:
                streamed.append(frame[0, 0])
                frame = streaming.decode()
    torch.testing.assert_close(torch.stack(streamed), frames)
    weights = {f"decoder.{k}": v for k, v in model.decoder.state_dict().items()}
    if not half:
        grow = weights["decoder.7.conv.weight"]
        weights["decoder.7.conv.weight"] = torch.cat([torch.randn_like(grow), grow])
    save(name, weights, half, latents, 2 * frames - 1)


def make_vae() -> None:
    from diffusers import AutoencoderKLWan

    vae = AutoencoderKLWan(
        base_dim=4, z_dim=16, dim_mult=[1, 2, 6, 6], num_res_blocks=1,
        temperal_downsample=[False, True, True],
    ).eval()  # fmt: skip
    draw(vae, 1.0, False)
    with torch.no_grad():
        vae.decoder.conv_out.weight *= 0.4
    latents = torch.randn(LATENTS, 16, ROWS, COLUMNS)
    z = latents * torch.tensor(STD).view(-1, 1, 1) + torch.tensor(MEAN).view(-1, 1, 1)
    with torch.no_grad():
        frames = vae.decode(z.permute(1, 0, 2, 3)[None]).sample[0]
    state = vae.state_dict()
    parts = ("decoder.", "post_quant_conv.")
    weights = {k: v for k, v in state.items() if k.startswith(parts)}
    save("vae", weights, False, latents, frames.permute(1, 0, 2, 3))


def make_vae_half() -> None:
    from vae import WanVAE_

    vae = WanVAE_(
        dim=4, z_dim=16, dim_mult=[1, 2, 6, 6], num_res_blocks=1,
        temperal_downsample=[False, True, True],
    ).eval()  # fmt: skip
    draw(vae, 1.0, True)
    with torch.no_grad():
        vae.decoder.head[2].weight.mul_(0.5)
    latents = torch.randn(LATENTS, 16, ROWS, COLUMNS)
    scale = [torch.tensor(MEAN), 1 / torch.tensor(STD)]
    with torch.no_grad():
        frames = vae.decode(latents.permute(1, 0, 2, 3)[None], scale)[0]
    state = vae.state_dict()
    parts = ("decoder.", "conv2.")
    weights = {k: v for k, v in state.items() if k.startswith(parts)}
    save("vae-half", weights, True, latents, frames.clamp(-1, 1).permute(1, 0, 2, 3))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--taehv", required=True)
    parser.add_argument("--wan", required=True)
    args = parser.parse_args()
    sys.path[:0] = [args.taehv, f"{args.wan}/wan/modules"]
    OUT.mkdir(exist_ok=True)
    torch.manual_seed(SEED)
    make_taehv("taehv", False)
    make_taehv("taehv-half", True)
    make_vae()
    make_vae_half()


if __name__ == "__main__":
    main()
