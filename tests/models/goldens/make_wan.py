# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Makes the goldens that the transformer of `wan` is compared with, by the
published code on random weights:

    python3 make_wan.py --self-forcing DIR --longlive DIR

The directories are checkouts of guandeh17/Self-Forcing (commit 33593df3) and
of the branch v1.0 of NVlabs/LongLive (commit e52d9ef6); diffusers and einops
are needed too. All computes in f32 on the CPU. Written to wan/:

    weights.safetensors  a causal transformer under the original names
    clip-weights.safetensors, clip.json
                         a bidirectional one under the names of diffusers, and
                         its config as diffusers publishes it
    SCENARIO.safetensors what the scenarios below make of them, F32:

        prompt{P}                  encoded prompt [rows, text size]
        schedule{N}                times of N steps, 1000 to 0
        {PASS}.block{B}            state after a block [tokens, size]
        {PASS}.v                   the network's output, in tokens as below
        chunk{C}.x0                the chunk's content

    where PASS is chunk{C}.step{S}, chunk{C}.context or chunk{C}.recache.

Latents are [frames * rows * columns, 16 * 2 * 2]: tokens of patches, of which
the channel is slowest. The noise is that of models/mini/train/philox.py, in
that order, by SEED, chunk and step. SCENARIO is

    chunks   Self-Forcing: chunks of 3 frames, 7 frames of cache of which 1 is
             the sink, absolute positions, 2 steps
    frames   LongLive with relative positions: chunks of 1 frame, 4 frames of
             cache of which 1 is the sink; 4 steps, from chunk 1 on 1 step; the
             prompt changes at chunk 2, when all frames are in the cache, and at
             chunk 6, when they are not
    switch   LongLive with absolute positions: chunks of 3 frames, 6 of cache
             of which 3 are the sink, 1 step; the prompt changes at chunk 3;
             from chunk 2 on
    causal   Self-Forcing's pass under a block-causal mask, as it is trained:
             4 chunks of 3 frames at time 500, no window
    clip     diffusers: 5 frames, guidance 4, 4 steps of shift 3 of the solver
             that the original model comes with; chunk0.step{S}.x is the state
             after a step
"""

import argparse
import importlib
import json
import sys
import types
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent
OUT = HERE / "wan"
sys.path.insert(0, str(HERE.parents[2] / "models/mini/train"))

import philox  # noqa: E402

SEED = 0x1234567891
ROWS, COLUMNS = 3, 5
PLACES = ROWS * COLUMNS
TEXT = 32  # what tests/models/goldens/umt5 gives
CONFIG = {
    "dim": 48,
    "ffn_dim": 100,
    "freq_dim": 32,
    "text_dim": TEXT,
    "text_len": 12,
    "num_heads": 3,
    "num_layers": 2,
    "in_dim": 16,
    "out_dim": 16,
}
CLIP = {
    "patch_size": [1, 2, 2],
    "num_attention_heads": 1,
    "attention_head_dim": 32,
    "in_channels": 16,
    "out_channels": 16,
    "text_dim": TEXT,
    "freq_dim": 32,
    "ffn_dim": 84,
    "num_layers": 2,
    "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads",
    "eps": 1e-6,
    "rope_max_seq_len": 1024,
}


def attention(q, k, v, *_args, **_kwargs):
    """What the published attention does where flash attention is absent, but
    in f32."""
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    return out.transpose(1, 2).contiguous()


def masked_attention(query, key, value, block_mask):
    return torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=block_mask
    )


def load_module(root: Path, name: str):
    """A module of a checkout, whose packages' own __init__ want a GPU."""
    torch.cuda.current_device = lambda: 0
    for known in list(sys.modules):
        if known.split(".")[0] in ("wan", "utils"):
            del sys.modules[known]
    for package in ("wan", "wan.modules", "wan.utils", "utils"):
        module = types.ModuleType(package)
        module.__path__ = [str(root / package.replace(".", "/"))]
        sys.modules[package] = module
    module = importlib.import_module(name)
    if name.startswith("wan.modules"):
        module.attention = attention
        importlib.import_module("wan.modules.model").flash_attention = attention
    return module


def randomise(model: torch.nn.Module) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(20)
    with torch.no_grad():
        for name, value in sorted(model.named_parameters()):
            noise = torch.randn(value.shape, generator=generator)
            if "norm" in name and name.endswith("weight"):
                value.copy_(1 + 0.2 * noise)
            elif value.ndim == 1 or "modulation" in name or "table" in name:
                value.copy_(0.3 * noise)
            else:
                value.copy_(noise * 1.2 / value[0].numel() ** 0.5)
    return model.eval()


def to_tokens(x: torch.Tensor) -> torch.Tensor:
    """[16, frames, height, width] to tokens."""
    x = x.unflatten(3, (COLUMNS, 2)).unflatten(2, (ROWS, 2))
    return x.permute(1, 2, 4, 0, 3, 5).reshape(-1, 64)


def to_latent(tokens: torch.Tensor) -> torch.Tensor:
    x = tokens.reshape(-1, ROWS, COLUMNS, 16, 2, 2)
    return x.permute(3, 0, 1, 4, 2, 5).reshape(16, -1, 2 * ROWS, 2 * COLUMNS)


def noise(chunk: int, step: int, frames: int) -> torch.Tensor:
    drawn = philox.normal(SEED, chunk, 0, step, frames * PLACES * 64)
    return to_latent(torch.from_numpy(drawn))


def prompts() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(21)
    return [torch.randn(rows, TEXT, generator=generator) for rows in (7, 4, 12)]


class Watch:
    """Keeps what the blocks of a model put out."""

    def __init__(self, model, tensors: dict[str, torch.Tensor]):
        self.name = None
        self.tensors = tensors
        for i, block in enumerate(model.blocks):
            block.register_forward_hook(self.hook(i))

    def hook(self, index: int):
        def keep(_module, _inputs, output):
            state = output[0] if isinstance(output, tuple) else output
            if self.name:
                self.tensors[f"{self.name}.block{index}"] = state[0].clone()

        return keep


class Schedule:
    """Times of the few-step students, by the published scheduler."""

    def __init__(self, root: Path, steps: list[int]):
        scheduler = load_module(root, "utils.scheduler").FlowMatchScheduler(
            shift=5.0, sigma_min=0.0, extra_one_step=True
        )
        scheduler.set_timesteps(1000, training=True)
        times = torch.cat((scheduler.timesteps, torch.tensor([0.0])))
        self.times = times[1000 - torch.tensor(steps)]


class Causal:
    """The published loop over chunks, with its caches."""

    def __init__(self, module, window: int, sink: int, shared_state):
        self.model = module.CausalWanModel(
            **CONFIG, local_attn_size=window, sink_size=sink
        )
        self.model.load_state_dict(shared_state)
        self.model.eval()
        self.tensors: dict[str, torch.Tensor] = {}
        self.watch = Watch(self.model, self.tensors)
        self.done = torch.zeros(16, 0, 2 * ROWS, 2 * COLUMNS)
        self.caches = [self.new_cache(window) for _ in self.model.blocks]
        self.text_caches = [{"is_init": False, "k": None, "v": None} for _ in self.caches]
        self.window = window

    def new_cache(self, window: int) -> dict:
        shape = (1, window * PLACES, CONFIG["num_heads"], 16)
        return {
            "k": torch.zeros(shape),
            "v": torch.zeros(shape),
            "global_end_index": torch.tensor([0]),
            "local_end_index": torch.tensor([0]),
        }

    def set_prompt(self, number: int) -> None:
        self.prompt = prompts()[number]
        self.tensors[f"prompt{number}"] = self.prompt
        for cache in self.text_caches:
            cache["is_init"] = False

    def run(self, name: str, x: torch.Tensor, time: float, start: int) -> torch.Tensor:
        self.watch.name = name
        v = self.model(
            x[None],
            t=torch.full((1, x.shape[1]), float(time)),
            context=[self.prompt],
            seq_len=1 << 20,
            kv_cache=self.caches,
            crossattn_cache=self.text_caches,
            current_start=start * PLACES,
        )[0]
        self.watch.name = None
        self.tensors[f"{name}.v"] = to_tokens(v)
        return v

    def chunk(self, chunk: int, frames: int, schedule: Schedule) -> None:
        times = schedule.times
        self.tensors[f"schedule{len(times)}"] = times
        start = self.done.shape[1]
        x = noise(chunk, 0, frames)
        for step, time in enumerate(times):
            v = self.run(f"chunk{chunk}.step{step}", x, time, start)
            x0 = (x.double() - time.double() / 1000 * v.double()).float()
            if step + 1 < len(times):
                sigma = times[step + 1] / 1000
                x = (1 - sigma) * x0 + sigma * noise(chunk, step + 1, frames)
        self.run(f"chunk{chunk}.context", x0, 0, start)
        self.tensors[f"chunk{chunk}.x0"] = to_tokens(x0)
        self.done = torch.cat((self.done, x0), dim=1)

    def recache(self, chunk: int, number: int) -> None:
        """LongLive's, with the global sink."""
        self.set_prompt(number)
        frames = min(self.window, self.done.shape[1])
        start = self.done.shape[1] - frames
        self.run(f"chunk{chunk}.recache", self.done[:, start:], 0, start)

    def save(self, name: str, first_chunk: int = 0) -> None:
        tensors = {
            k: v.contiguous().float()
            for k, v in self.tensors.items()
            if not (k.startswith("chunk") and int(k[5]) < first_chunk)
        }
        save_file(tensors, OUT / f"{name}.safetensors")


def make_causal(module, state) -> None:
    real = module.create_block_mask
    module.create_block_mask = lambda mask, **kw: torch.nn.attention.flex_attention.create_mask(
        mask, 1, 1, kw["Q_LEN"], kw["KV_LEN"], device="cpu"
    )
    module.flex_attention = masked_attention
    model = module.CausalWanModel(**CONFIG)
    model.load_state_dict(state)
    model.eval()
    model.num_frame_per_block = 3
    tensors: dict[str, torch.Tensor] = {"prompt0": prompts()[0]}
    watch = Watch(model, tensors)
    x = noise(0, 0, 12)
    watch.name = "all"
    v = model(
        x[None],
        t=torch.full((1, 12), 500.0),
        context=[prompts()[0]],
        seq_len=12 * PLACES,
    )[0]
    tensors["all.v"] = to_tokens(v)
    save_file(
        {k: t.contiguous().float() for k, t in tensors.items()},
        OUT / "causal.safetensors",
    )
    module.create_block_mask = real


def make_clip(root: Path) -> None:
    from diffusers import WanTransformer3DModel

    model = randomise(WanTransformer3DModel(**CLIP))
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()},
        OUT / "clip-weights.safetensors",
    )
    (OUT / "clip.json").write_text(
        json.dumps({"_class_name": "WanTransformer3DModel"} | CLIP, indent=2) + "\n"
    )
    positive, negative, _ = prompts()
    tensors = {"prompt0": positive, "prompt1": negative}
    watch = Watch(model, tensors)
    solver = load_module(root, "wan.utils.fm_solvers_unipc")
    scheduler = solver.FlowUniPCMultistepScheduler(shift=1)
    scheduler.set_timesteps(4, shift=3)
    x = noise(0, 0, 5)
    for step, time in enumerate(scheduler.timesteps):
        outs = []
        for kind, prompt in (("", positive), (".negative", negative)):
            padded = torch.zeros(1, 12, TEXT)
            padded[0, : len(prompt)] = prompt
            watch.name = f"chunk0.step{step}{kind}"
            outs.append(
                model(
                    hidden_states=x[None],
                    timestep=time[None].float(),
                    encoder_hidden_states=padded,
                    return_dict=False,
                )[0][0]
            )
            tensors[f"{watch.name}.v"] = to_tokens(outs[-1])
        v = outs[1] + 4 * (outs[0] - outs[1])
        x = scheduler.step(v, time, x, return_dict=False)[0]
        tensors[f"chunk0.step{step}.x"] = to_tokens(x)
    tensors["schedule4"] = scheduler.timesteps.float()
    save_file(
        {k: t.contiguous().float() for k, t in tensors.items()},
        OUT / "clip.safetensors",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--self-forcing", type=Path, required=True)
    parser.add_argument("--longlive", type=Path, required=True)
    options = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    torch.set_grad_enabled(False)

    steps = {
        1: Schedule(options.self_forcing, [1000]),
        2: Schedule(options.self_forcing, [1000, 500]),
        4: Schedule(options.self_forcing, [1000, 750, 500, 250]),
    }
    module = load_module(options.self_forcing, "wan.modules.causal_model")
    state = randomise(module.CausalWanModel(**CONFIG)).state_dict()
    save_file(
        {k: v.contiguous() for k, v in state.items()}, OUT / "weights.safetensors"
    )

    causal = Causal(module, 7, 1, state)
    causal.set_prompt(0)
    for chunk in range(4):
        causal.chunk(chunk, 3, steps[2])
    causal.save("chunks")
    make_causal(module, state)

    module = load_module(options.longlive, "wan.modules.causal_model_infinity")
    causal = Causal(module, 4, 1, state)
    causal.set_prompt(0)
    for chunk in range(8):
        if chunk == 2:
            causal.recache(chunk, 1)
        if chunk == 6:
            causal.recache(chunk, 2)
        causal.chunk(chunk, 1, steps[4 if chunk == 0 else 1])
    causal.save("frames")

    module = load_module(options.longlive, "wan.modules.causal_model")
    causal = Causal(module, 6, 3, state)
    causal.set_prompt(0)
    for chunk in range(5):
        if chunk == 3:
            causal.recache(chunk, 1)
        causal.chunk(chunk, 3, steps[1])
    causal.save("switch", first_chunk=2)
    make_clip(options.self_forcing)


if __name__ == "__main__":
    main()
