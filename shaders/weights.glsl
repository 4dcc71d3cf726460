// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

// Weights of every VidgenType, four at a time. Those of blocks are read by
// groups of 32 that share a step and an offset; the layouts are GGML's, of
// which two types know no alignment but of 2 bytes. See shaders/quants.h.

#include "common.glsl"

const uint TYPE_BF16 = 2;
const uint TYPE_Q8_0 = 3;
const uint TYPE_Q4_0 = 4;
const uint TYPE_Q4_K = 5;

const uint GROUP = 32;

#define IS_BLOCKED(type) ((type) >= TYPE_Q8_0)

// Four bytes that start at an even one.
uint
word_at (U32 data, uint byte)
{
  const uint at = byte / 4, shift = (byte & 2) * 8;
  const uint low = data.v[at];
  const uint high = data.v[at + (byte >> 1 & 1)];
  return low >> shift | high << 1 << 31 - shift;
}

float
half_at (U32 data, uint byte)
{
  return unpackHalf2x16 (data.v[byte / 4] >> (byte & 2) * 8).x;
}

// Bits `shift` .. `shift` + 3 of each byte.
vec4
nibbles (uint word, uint shift)
{
  const uint low = word >> shift & 0x0f0f0f0f;
  return vec4 (low & 15, low >> 8 & 15, low >> 16 & 15, low >> 24);
}

vec4
signed_bytes (uint word)
{
  const int bytes = int (word);
  return vec4 (bytes << 24 >> 24, bytes << 16 >> 24, bytes << 8 >> 24,
      bytes >> 24);
}

// Scale and minimum, 6 bits each, of group `i` of the 8 in 12 bytes.
uvec2
unpack_scale (uvec3 packed, uint i)
{
  packed >>= i % 4 * 8;
  if (i < 4)
    return packed.xy & 63;
  return uvec2 ((packed.z & 15) | (packed.x >> 6 & 3) << 4,
      (packed.z >> 4 & 15) | (packed.y >> 6 & 3) << 4);
}

// Step and offset of group `i`, whose values are step * quant - offset.
vec2
group_scale (const uint type, U32 weight, uint i)
{
  if (type == TYPE_Q4_K) {
    const uint block = i / 8 * 36;
    const uvec3 packed =
        uvec3 (weight.v[block + 1], weight.v[block + 2], weight.v[block + 3]);
    return unpackHalf2x16 (weight.v[block]) *
           vec2 (unpack_scale (packed, i % 8));
  }
  if (type == TYPE_Q4_0) {
    const float step = half_at (weight, i * 18);
    return vec2 (step, 8.0 * step);
  }
  return vec2 (half_at (weight, i * 34), 0.0);
}

// Quants 4 q .. 4 q + 3 of group `i`.
vec4
group_quants (const uint type, U32 weight, uint i, uint q)
{
  if (type == TYPE_Q4_K)
    return nibbles (
        weight.v[i / 8 * 36 + 4 + i % 8 / 2 * 8 + q], i % 2 * 4);
  if (type == TYPE_Q4_0)
    return nibbles (word_at (weight, i * 18 + 2 + q % 4 * 4), q / 4 * 4);
  return signed_bytes (word_at (weight, i * 34 + 2 + q * 4));
}

// Values 4 i .. 4 i + 3 of a type without blocks.
vec4
weight4 (const uint type, U32 weight, uint i)
{
  if (type == TYPE_BF16) {
    const uvec2 pairs = U32x2 (uvec2 (weight)).v[i];
    return uintBitsToFloat (uvec4 (pairs.x << 16, pairs.x & 0xffff0000u,
        pairs.y << 16, pairs.y & 0xffff0000u));
  }
  return load4 (type, weight, i);
}
