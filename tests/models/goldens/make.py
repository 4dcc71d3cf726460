# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""Makes the goldens that the C implementation of `mini` is compared with.

    python3 tests/models/goldens/make.py tiny    every intermediate tensor
    python3 tests/models/goldens/make.py picture the same from a first picture
    python3 tests/models/goldens/make.py wide    frames of twice the size
    python3 tests/models/goldens/make.py mini    frames and sound alone

`tiny` generates five chunks of tests/data/tiny.safetensors with seed SEED and
two steps: chunks 0 to 2 of PROMPTS[0] (its last word is in no vocabulary),
3 and 4 of PROMPTS[1]. With window 1 and sink 1, chunk 2 sees the sink beyond
its window, chunk 3 the window without a sink, chunk 4 the window that is the
new sink. All tensors of tiny.safetensors are F32, row-major:

    prompt{P}.tokens              token ids [T]
    prompt{P}.states              y of FORMAT.md, section 2 [T, text size]
    prompt{P}.pooled              [D]
    chunk{C}.step{S}.noise.video  Philox noise of the step [V, channels·patch²]
    chunk{C}.step{S}.noise.audio  [A, token_size]
    chunk{C}.step{S}.layer{L}     h after the layer [V + A, D]
    chunk{C}.step{S}.v.video      the network's v; v.audio likewise
    chunk{C}.step{S}.x0.video     estimate of the data after the step; x0.audio;
                                  that of the last step is the chunk's content
    chunk{C}.context.noise.video  noise of the context pass; noise.audio
    chunk{C}.context.layer{L}     h after the layer in the context pass
    chunk{C}.context.key{L}       what enters the cache [heads, V + A, head],
                                  before normalisation and rotation; value{L}
    chunk{C}.latent               z before the bound [channels, h, w]
    chunk{C}.frames               [4, 3, H, W] in −1…1
    chunk{C}.sound                values of FORMAT.md, section 5
                                  [frames, 3, 2, bands]

tiny.wav has the samples of all chunks, 32-bit float, 2 channels.

`picture` generates two chunks of the same model, seed and PROMPTS[0] after a
first picture, whose byte at (y, x, colour) is 7 y + 5 x + 60 colour, modulo 256,
with some of the tensors above, PICTURE_NAMES, and picture.wav.

`wide` generates three chunks of tests/data/tiny-wide.safetensors, which but for
its wide head is the same model, with seed SEED and PROMPTS[0]: chunk{C}.frames
as F16, of twice the size. What else is in them is that of `tiny`.

`mini` generates two chunks of models/mini/mini.safetensors with seed SEED, its
own number of steps and its first prompt: chunk{C}.frames as F16, mini.wav.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.io import wavfile

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "models/mini/train"))

import export  # noqa: E402
from stream import Stream  # noqa: E402

SEED = 0x1234567891
PROMPTS = ("Ocean waves, at dawn", "rain")
CHUNKS = 5
PICTURE_CHUNKS = 2
PICTURE_NAMES = ("step0.x0.video", "step1.x0.video", "step1.x0.audio", "frames")
WIDE_CHUNKS = 3
CHANGE = 3


def write_sound(samples: list[np.ndarray], rate: int, path: Path) -> None:
    wavfile.write(path, rate, np.concatenate(samples).astype(np.float32))


def check_steady(sound: torch.Tensor, config: dict) -> None:
    """Rounding must not decide whether a band is tonal."""
    tonality = sound[:, 1, :, : config["sound"]["tonal_bands"]]
    nearest = (tonality - config["sound"]["tonality_floor"]).abs().min().item()
    if nearest < 1e-4:
        raise ValueError(f"a tonality is {nearest} from the floor: take another SEED")


def make_tiny() -> None:
    mini = export.load(ROOT / "tests/data/tiny.safetensors")
    stream = Stream(mini, SEED, steps=2)
    tensors: dict[str, torch.Tensor] = {}
    samples = []
    for chunk in range(CHUNKS):
        if chunk in (0, CHANGE):
            number = 0 if chunk == 0 else 1
            prompt = PROMPTS[number]
            stream.set_prompt(prompt)
            tokens = mini.text.tokenizer.encode(prompt)
            tensors[f"prompt{number}.tokens"] = torch.tensor(tokens)
            tensors[f"prompt{number}.states"] = stream.text.states[0]
            tensors[f"prompt{number}.pooled"] = stream.text.pooled[0]
        trace: dict[str, torch.Tensor] = {}
        samples.append(stream.next_chunk(trace).samples)
        del trace["samples"]
        check_steady(trace["sound"], mini.config)
        tensors |= {f"chunk{chunk}.{name}": value for name, value in trace.items()}
    tensors = {name: value.float() for name, value in tensors.items()}
    export.write(tensors, {"seed": str(SEED)}, HERE / "tiny.safetensors")
    write_sound(samples, mini.config["audio"]["sample_rate"], HERE / "tiny.wav")


def picture(config: dict) -> np.ndarray:
    """RGB bytes [H, W, 3]."""
    video = config["video"]
    y, x, colour = np.indices((video["height"], video["width"], 3))
    return ((7 * y + 5 * x + 60 * colour) % 256).astype(np.uint8)


def make_picture() -> None:
    mini = export.load(ROOT / "tests/data/tiny.safetensors")
    stream = Stream(mini, SEED, steps=2)
    stream.set_prompt(PROMPTS[0])
    stream.set_picture(picture(mini.config))
    tensors: dict[str, torch.Tensor] = {}
    samples = []
    for chunk in range(PICTURE_CHUNKS):
        trace: dict[str, torch.Tensor] = {}
        samples.append(stream.next_chunk(trace).samples)
        check_steady(trace["sound"], mini.config)
        tensors |= {f"chunk{chunk}.{name}": trace[name] for name in PICTURE_NAMES}
    export.write(tensors, {"seed": str(SEED)}, HERE / "picture.safetensors")
    write_sound(samples, mini.config["audio"]["sample_rate"], HERE / "picture.wav")


@torch.no_grad()
def make_wide() -> None:
    mini = export.load(ROOT / "tests/data/tiny-wide.safetensors")
    stream = Stream(mini, SEED, steps=2)
    stream.set_prompt(PROMPTS[0])
    tensors: dict[str, torch.Tensor] = {}
    memory = None
    for chunk in range(WIDE_CHUNKS):
        z = mini.latent_of(stream.next_chunk().video)
        rgb, memory = mini.decoder.forward_wide(z[None, None], memory)
        tensors[f"chunk{chunk}.frames"] = rgb[0].clamp(-1, 1).half()
    export.write(tensors, {"seed": str(SEED)}, HERE / "wide.safetensors")


def make_mini() -> None:
    mini = export.load(ROOT / "models/mini/mini.safetensors")
    stream = Stream(mini, SEED)
    stream.set_prompt(mini.config["prompts"][0])
    chunks = [stream.next_chunk() for _ in range(2)]
    tensors = {f"chunk{i}.frames": c.frames.half() for i, c in enumerate(chunks)}
    export.write(tensors, {"seed": str(SEED)}, HERE / "mini.safetensors")
    rate = mini.config["audio"]["sample_rate"]
    write_sound([c.samples for c in chunks], rate, HERE / "mini.wav")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("golden", choices=("tiny", "picture", "wide", "mini"))
    make = {
        "tiny": make_tiny,
        "picture": make_picture,
        "wide": make_wide,
        "mini": make_mini,
    }
    make[parser.parse_args().golden]()


if __name__ == "__main__":
    main()
