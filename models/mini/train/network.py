# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vidgensrc authors
"""The networks of `mini` as models/mini/FORMAT.md defines them.

The names of the parameters are the names of the tensors in the file.
Shapes: B sequences, F chunks, N = V + A tokens a chunk, D the size.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rms(x: Tensor) -> Tensor:
    """Divides by the root mean square of the last dimension, in float32."""
    return F.rms_norm(x.float(), x.shape[-1:], eps=1e-6)


def gelu(x: Tensor) -> Tensor:
    """The tanh form, by the logistic function, which is faster compiled."""
    wide = x.float()
    slope = 2 * math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3)
    return (wide * torch.sigmoid(slope)).to(x.dtype)


def modulate(h: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return rms(h) * (1 + scale) + shift


def gate(h: Tensor, amount: Tensor, change: Tensor) -> Tensor:
    return h + amount * change


def turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """rms(x) rotated; x [..., N, head], cos and sin [..., N, head / 2]."""
    a, b = rms(x).chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1).to(x.dtype)


# Of what a function is compiled for: a rollout grows from one chunk to all.
KINDS_OF_SHAPES = 64


def compile_parts() -> None:
    """Fuses what between the products of matrices costs as much as they do;
    worth its minute where a process trains for long."""
    torch._dynamo.config.recompile_limit = KINDS_OF_SHAPES
    for function in (gelu, modulate, gate, turn):
        globals()[function.__name__] = torch.compile(function, dynamic=True)


def attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """softmax(q·kᵀ + bias)·v; written out where that is faster, in bfloat16 on
    a CPU."""
    if q.dtype != torch.bfloat16 or q.is_cuda:
        return F.scaled_dot_product_attention(q, k, v, bias, scale=1.0)
    logits = q @ k.mT
    if bias is not None:
        logits = logits + bias
    return logits.softmax(dim=-1, dtype=torch.bfloat16) @ v


# ---------------------------------------------------------------- text


def words_of(prompt: str) -> list[bytes]:
    """Longest runs of ASCII letters and digits or of bytes above 0x7f."""
    words: list[bytes] = []
    word = bytearray()
    for byte in _lowered(prompt):
        if byte >= 0x80 or chr(byte).isalnum():
            word.append(byte)
        elif word:
            words.append(bytes(word))
            word = bytearray()
    if word:
        words.append(bytes(word))
    return words


def _lowered(prompt: str) -> bytes:
    return bytes(b + 32 if 65 <= b <= 90 else b for b in prompt.encode())


def fnv1a(word: bytes) -> int:
    """FNV-1a, 32 bits (Fowler, Noll, Vo)."""
    value = 0x811C9DC5
    for byte in word:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


class Tokenizer:
    def __init__(self, text: dict):
        self.limit = text["tokens"]
        self.buckets = text["buckets"]
        self.size = 1 + len(text["vocabulary"]) + self.buckets
        self.ids = {w.encode(): 1 + i for i, w in enumerate(text["vocabulary"])}

    def encode(self, prompt: str) -> list[int]:
        hashed = 1 + len(self.ids)
        tokens = [0]
        for word in words_of(prompt)[: self.limit - 1]:
            unknown = hashed + fnv1a(word) % self.buckets
            tokens.append(self.ids.get(word, unknown))
        return tokens

    def batch(self, prompts: list[str]) -> tuple[Tensor, Tensor]:
        """Tokens int64 [B, T] and the mask bool [B, T] of those that exist."""
        rows = [self.encode(prompt) for prompt in prompts]
        length = max(len(row) for row in rows)
        tokens = torch.zeros(len(rows), length, dtype=torch.long)
        mask = torch.zeros(len(rows), length, dtype=torch.bool)
        for i, row in enumerate(rows):
            tokens[i, : len(row)] = torch.tensor(row)
            mask[i, : len(row)] = True
        return tokens, mask


class TextLayer(nn.Module):
    def __init__(self, size: int, heads: int, mlp: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(size, 3 * size)
        self.out = nn.Linear(size, size)
        self.fc1 = nn.Linear(size, mlp)
        self.fc2 = nn.Linear(mlp, size)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        b, t, size = x.shape
        split = self.qkv(rms(x)).view(b, t, 3, self.heads, size // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, mask[:, None, None])
        x = x + self.out(mixed.transpose(1, 2).reshape(b, t, size))
        return x + self.fc2(gelu(self.fc1(rms(x))))


@dataclass
class Conditioning:
    """An encoded batch of prompts: states [B, T, S], mask [B, T], pooled [B, D]."""

    states: Tensor
    mask: Tensor
    pooled: Tensor


class TextEncoder(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        text = config["text"]
        size = text["size"]
        self.tokenizer = Tokenizer(text)
        self.embedding = nn.Embedding(self.tokenizer.size, size)
        self.position = nn.Parameter(torch.randn(text["tokens"], size) * 0.1)
        self.layers = nn.ModuleList(
            TextLayer(size, text["heads"], text["mlp"]) for _ in range(text["layers"])
        )
        self.pool = nn.Linear(size, config["transformer"]["size"])
        nn.init.normal_(self.embedding.weight, std=0.5)
        with torch.no_grad():
            self.embedding.weight[-self.tokenizer.buckets :] = 0

    def forward(self, prompts: list[str]) -> Conditioning:
        tokens, mask = self.tokenizer.batch(prompts)
        x = self.embedding(tokens) + self.position[: tokens.shape[1]]
        for layer in self.layers:
            x = layer(x, mask)
        states = rms(x)
        return Conditioning(states, mask, self.pool(states[:, 0]))


# ---------------------------------------------------------------- transformer


@dataclass
class Span:
    """What one chunk sees: `keys` lists (chunk, time) of the chunks before it
    (among the cached, then the sequence's own), in units of its own time 0."""

    time: float
    keys: list[tuple[int, float]]


class Rope:
    """Angles of the tokens of a chunk: 3-D rotary positions."""

    def __init__(self, config: dict):
        rope = config["transformer"]["rope"]
        rows, columns = grid(config)
        sounds = config["sound"]["tokens"]
        y, x = torch.meshgrid(
            torch.arange(float(rows)), torch.arange(float(columns)), indexing="ij"
        )
        sound_y, sound_x = rope["sound_position"]
        time = (torch.arange(sounds) + 0.5) / sounds - 0.5
        self.time = torch.cat([torch.zeros(rows * columns), time])
        vertical = torch.cat([y.flatten(), torch.full((sounds,), sound_y)])
        horizontal = torch.cat([x.flatten(), torch.full((sounds,), sound_x)])
        self.frequencies = torch.tensor(rope["time"])
        self.still = torch.cat(
            [
                vertical[:, None] * torch.tensor(rope["vertical"]),
                horizontal[:, None] * torch.tensor(rope["horizontal"]),
            ],
            dim=1,
        )

    def tables(self, times: list[float]) -> tuple[Tensor, Tensor]:
        """Cosines and sines [len(times), N, head / 2] of chunks at `times`."""
        moving = torch.tensor(times)[:, None] + self.time
        moving = moving[..., None] * self.frequencies
        still = self.still.expand(len(times), -1, -1)
        angles = torch.cat([moving, still], dim=-1)
        return angles.cos(), angles.sin()


Cache = tuple[Tensor, Tensor]


class Layer(nn.Module):
    def __init__(self, size: int, heads: int, mlp: int, text_size: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(size, 3 * size, bias=False)
        self.text_kv = nn.Linear(text_size, 2 * size, bias=False)
        self.out = nn.Linear(size, size)
        self.fc1 = nn.Linear(size, mlp)
        self.fc2 = nn.Linear(mlp, size)
        self.modulation = nn.Parameter(torch.zeros(6, size))
        self.query_scale = nn.Parameter(torch.full((heads,), 0.4))
        with torch.no_grad():
            self.out.weight *= 0.3
            self.fc2.weight *= 0.3

    def split_heads(self, x: Tensor, parts: int) -> list[Tensor]:
        """[B, T, parts·D] to `parts` tensors [B, heads, T, head]."""
        b, t, size = x.shape
        x = x.view(b, t, parts, self.heads, size // parts // self.heads)
        return list(x.permute(2, 0, 3, 1, 4))

    def text_keys(self, text: Conditioning) -> tuple[Tensor, Tensor, Tensor]:
        key, value = self.split_heads(self.text_kv(text.states), 2)
        return rms(key).to(value.dtype), value, text.mask

    def attend(
        self,
        normed: Tensor,
        texts: list[Conditioning],
        text_of: list[int],
        spans: list[Span],
        cached: Cache | None,
        rope: Rope,
    ) -> tuple[Tensor, Cache]:
        """normed [B, F, N, D]; returns the mixed values of that shape and this
        sequence's keys and values [B, heads, F, N, head]."""
        b, f, n, size = normed.shape
        split = self.split_heads(self.qkv(normed.reshape(b, f * n, size)), 3)
        q, k, v = (x.unflatten(2, (f, n)) for x in split)
        keys, values = k, v
        if cached is not None:
            keys = torch.cat([cached[0], k], dim=2)
            values = torch.cat([cached[1], v], dim=2)
        first = keys.shape[2] - f
        seen = [[*span.keys, (first + i, span.time)] for i, span in enumerate(spans)]
        places = sorted({place for row in seen for place in row})
        chunks = torch.tensor([chunk for chunk, _ in places])
        tables = rope.tables([time for _, time in places])
        turned = turn(keys.index_select(2, chunks), *tables).unbind(2)
        key_of = dict(zip(places, turned))
        value_of = values.unbind(2)
        q = turn(q, *rope.tables([span.time for span in spans]))
        q = (q * self.query_scale[:, None, None, None].to(q.dtype)).unbind(2)
        prefixes = [self.text_keys(text) for text in texts]
        mixed = []
        for i, row in enumerate(seen):
            text_key, text_value, mask = prefixes[text_of[i]]
            key = torch.cat([text_key, *(key_of[place] for place in row)], dim=2)
            value = torch.cat([text_value, *(value_of[c] for c, _ in row)], dim=2)
            bias = None
            if not mask.all():
                absent = torch.where(mask, 0.0, -1e4).to(value.dtype)
                rest = key.shape[2] - mask.shape[1]
                bias = F.pad(absent, (0, rest))[:, None, None]
            mixed.append(attention(q[i], key, value, bias))
        out = torch.stack(mixed, dim=1)  # [B, F, heads, N, head]
        return out.transpose(2, 3).reshape(b, f, n, size), (k, v)

    def forward(
        self,
        h: Tensor,
        modulation: Tensor,
        texts: list[Conditioning],
        text_of: list[int],
        spans: list[Span],
        cached: Cache | None,
        rope: Rope,
    ) -> tuple[Tensor, Cache]:
        """h [B, F, N, D], modulation [B, F, 6, D]."""
        m = (modulation + self.modulation)[:, :, :, None]
        scale1, shift1, gate1, scale2, shift2, gate2 = m.unbind(2)
        normed = modulate(h, scale1, shift1)
        mixed, own = self.attend(normed, texts, text_of, spans, cached, rope)
        h = gate(h, gate1, self.out(mixed))
        normed = modulate(h, scale2, shift2)
        return gate(h, gate2, self.fc2(gelu(self.fc1(normed)))), own


class Mlp(nn.Module):
    def __init__(self, inputs: int, size: int):
        super().__init__()
        self.fc1 = nn.Linear(inputs, size)
        self.fc2 = nn.Linear(size, size)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.silu(self.fc1(x)))


class Final(nn.Module):
    def __init__(self, size: int):
        super().__init__()
        self.modulation = nn.Linear(size, 2 * size)


def grid(config: dict) -> tuple[int, int]:
    """Rows and columns of a chunk's video tokens."""
    side = config["latent"]["downscale"] * config["latent"]["patch"]
    return config["video"]["height"] // side, config["video"]["width"] // side


class Transformer(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.config = config["transformer"]
        size = self.config["size"]
        rows, columns = grid(config)
        self.videos = rows * columns
        values = config["latent"]["channels"] * config["latent"]["patch"] ** 2
        sound = config["sound"]
        self.rope = Rope(config)
        self.video_in = nn.Linear(values, size)
        self.audio_in = nn.Linear(sound["token_size"], size)
        tokens = self.videos + sound["tokens"]
        self.token_embedding = nn.Parameter(torch.randn(tokens, size) * 0.02)
        self.time = Mlp(self.config["time_size"], size)
        self.modulation = nn.Linear(size, 6 * size)
        heads, mlp = self.config["heads"], self.config["mlp"]
        self.layers = nn.ModuleList(
            Layer(size, heads, mlp, config["text"]["size"])
            for _ in range(self.config["layers"])
        )
        self.final = Final(size)
        self.video_out = nn.Linear(size, values)
        self.audio_out = nn.Linear(size, sound["token_size"])
        with torch.no_grad():
            self.modulation.weight *= 0.2
            self.modulation.bias[2 * size : 3 * size] = 0.7
            self.modulation.bias[5 * size :] = 0.7
            self.final.modulation.weight *= 0.1
            self.final.modulation.bias.zero_()
            self.video_out.weight *= 0.1
            self.audio_out.weight *= 0.1

    def embed_time(self, t: Tensor) -> Tensor:
        half = self.config["time_size"] // 2
        falling = self.config["time_period"] ** (-torch.arange(half) / half)
        angles = t[..., None].float() * self.config["time_scale"] * falling
        return torch.cat([angles.cos(), angles.sin()], dim=-1)

    def forward(
        self,
        video: Tensor,
        audio: Tensor,
        t: Tensor,
        texts: list[Conditioning],
        text_of: list[int],
        spans: list[Span],
        cached: list[Cache] | None = None,
        trace: dict[str, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor, list[Cache]]:
        """video [B, F, V, values], audio [B, F, A, token_size], t [B, F];
        text_of names the conditioning of each chunk. Returns v of both and the
        keys and values of each layer. `trace` collects h after each layer."""
        h = torch.cat([self.video_in(video), self.audio_in(audio)], dim=2)
        h = h.float() + self.token_embedding
        pooled = torch.stack([texts[i].pooled for i in text_of], dim=1)
        c = F.silu(self.time(self.embed_time(t)) + pooled)
        modulation = self.modulation(c).unflatten(-1, (6, -1)).float()
        own = []
        for i, layer in enumerate(self.layers):
            before = None if cached is None else cached[i]
            h, kv = layer(h, modulation, texts, text_of, spans, before, self.rope)
            own.append(kv)
            if trace is not None:
                trace[f"layer{i}"] = h
        scale, shift = self.final.modulation(c).float()[:, :, None].chunk(2, dim=-1)
        out = modulate(h, scale, shift)
        video_v = self.video_out(out[:, :, : self.videos]).float()
        return video_v, self.audio_out(out[:, :, self.videos :]).float(), own


# ---------------------------------------------------------------- pictures


class Block(nn.Module):
    """A residual block; one with memory sees the time step before as well."""

    def __init__(self, channels: int, memory: bool):
        super().__init__()
        inputs = 2 * channels if memory else channels
        self.memory = memory
        self.conv1 = nn.Conv2d(inputs, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.conv2.weight *= 0.3

    def forward(
        self, x: Tensor, steps: int, past: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """x [B·steps, C, H, W]; past [B, C, H, W], the input of the step before.
        Returns the output and the input of the last step."""
        series = x.unflatten(0, (-1, steps))
        last = series[:, -1]
        seen = x
        if self.memory:
            if past is None:
                past = torch.zeros_like(last)
            shifted = torch.cat([past[:, None], series[:, :-1]], dim=1).flatten(0, 1)
            seen = torch.cat([x, shifted], dim=1)
        return x + self.conv2(F.relu(self.conv1(F.relu(seen)))), last


def shuffle(x: Tensor, times: int) -> Tensor:
    """[B, times·C·4, H, W] to [B·times, C, 2H, 2W]."""
    return F.pixel_shuffle(x.unflatten(1, (times, -1)).flatten(0, 1), 2)


def channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


# Of a decoder: what its blocks with memory read last.
Memory = tuple[Tensor, Tensor]


class Decoder(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        c1, c2, c3 = config["decoder"]["channels"]
        self.bound = config["decoder"]["latent_bound"]
        self.add_module("in", nn.Conv2d(config["latent"]["channels"], c1, 3, padding=1))
        self.block1 = Block(c1, memory=True)
        self.block2 = Block(c1, memory=False)
        self.up1 = nn.Conv2d(c1, 2 * c2 * 4, 1)
        self.block3 = Block(c2, memory=True)
        self.up2 = nn.Conv2d(c2, 2 * c3 * 4, 1)
        self.block4 = Block(c3, memory=False)
        self.out = nn.Conv2d(c3, 12, 3, padding=1)
        c4 = config["decoder"].get("wide")
        if c4 is not None:
            self.up3 = nn.Conv2d(c3, c4 * 4, 3, padding=1)
            self.wide = nn.Conv2d(c4, 12, 3, padding=1)

    def forward(self, z: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """z [B, F, channels, h, w] to rgb [B, 4·F, 3, 8h, 8w], not clamped."""
        x, memory = self.features(z, memory)
        return self.picture(x).unflatten(0, (len(z), -1)), memory

    def forward_wide(
        self, z: Tensor, memory: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        """As forward(), to rgb [B, 4·F, 3, 16h, 16w], where the config has
        decoder.wide."""
        x, memory = self.features(z, memory)
        return self.wide_picture(x).unflatten(0, (len(z), -1)), memory

    def features(
        self, z: Tensor, memory: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        """z [B, F, channels, h, w] to x [B·4·F, C3, 4h, 4w], what both heads
        read."""
        f = z.shape[1]
        past1, past3 = memory if memory is not None else (None, None)
        x = self.bound * torch.tanh(z / self.bound)
        x = getattr(self, "in")(channels_last(x.flatten(0, 1)))
        x, last1 = self.block1(x, f, past1)
        x, _ = self.block2(x, 1)
        x = channels_last(shuffle(self.up1(x), 2))
        x, last3 = self.block3(x, 2 * f, past3)
        x = channels_last(shuffle(self.up2(x), 2))
        x, _ = self.block4(x, 1)
        return x, (last1, last3)

    def picture(self, x: Tensor) -> Tensor:
        """features() to rgb [B·4·F, 3, 8h, 8w]."""
        return F.pixel_shuffle(self.out(F.relu(x)).float().contiguous(), 2)

    def wide_picture(self, x: Tensor) -> Tensor:
        """features() to rgb [B·4·F, 3, 16h, 16w]."""
        y = channels_last(shuffle(self.up3(F.relu(x)), 1))
        return F.pixel_shuffle(self.wide(F.relu(y)).float().contiguous(), 2)


class Encoder(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        e1, e2 = config["encoder"]["channels"]
        self.frames = config["chunk"]["frames"]
        inputs = self.frames * 3 * 16
        self.add_module("in", nn.Conv2d(inputs, e1, 3, padding=1))
        self.block1 = Block(e1, memory=False)
        self.down = nn.Conv2d(e1, e2, 4, stride=2, padding=1)
        self.block2 = Block(e2, memory=True)
        self.out = nn.Conv2d(e2, config["latent"]["channels"], 3, padding=1)

    def forward(self, rgb: Tensor) -> Tensor:
        """rgb [B, 4·F, 3, H, W] in −1…1 to z [B, F, channels, H/8, W/8]."""
        b, frames = rgb.shape[:2]
        f = frames // self.frames
        x = rgb.reshape(b * f, self.frames * 3, *rgb.shape[3:])
        x = getattr(self, "in")(channels_last(F.pixel_unshuffle(x, 4)))
        x, _ = self.block1(x, 1)
        x, _ = self.block2(self.down(x), f)
        return self.out(x).float().unflatten(0, (b, f))


def patch(z: Tensor, side: int) -> Tensor:
    """[..., channels, h, w] to tokens [..., V, channels·side²]."""
    x = F.pixel_unshuffle(z.reshape(-1, *z.shape[-3:]), side)
    return x.flatten(2).transpose(1, 2).reshape(*z.shape[:-3], -1, x.shape[1])


def unpatch(tokens: Tensor, config: dict) -> Tensor:
    """The inverse of patch()."""
    x = tokens.reshape(-1, *tokens.shape[-2:]).transpose(1, 2)
    x = x.unflatten(2, grid(config))
    z = F.pixel_shuffle(x, config["latent"]["patch"])
    return z.reshape(*tokens.shape[:-2], *z.shape[1:])


# ---------------------------------------------------------------- the whole


class Latent(nn.Module):
    """Statistics that standardise the values of a video token."""

    def __init__(self, values: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("std", torch.ones(values))


class Basis(nn.Module):
    """The linear map from a sound token to the synthesiser's parameters."""

    def __init__(self, values: int, token_size: int):
        super().__init__()
        self.register_buffer("weight", torch.zeros(values, token_size))
        self.register_buffer("bias", torch.zeros(values))


class Sound(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        sound = config["sound"]
        bands = len(sound["band_edges"]) - 1
        values = sound["frames_per_token"] * 3 * 2 * bands
        self.basis = Basis(values, sound["token_size"])


class Mini(nn.Module):
    """Everything that the file holds."""

    def __init__(self, config: dict):
        super().__init__()
        self.config = config
        self.text = TextEncoder(config)
        self.transformer = Transformer(config)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.latent = Latent(
            config["latent"]["channels"] * config["latent"]["patch"] ** 2
        )
        self.sound = Sound(config)

    def latent_of(self, tokens: Tensor) -> Tensor:
        """Standardised video tokens [..., V, values] to z [..., channels, h, w]."""
        return unpatch(tokens * self.latent.std + self.latent.mean, self.config)
