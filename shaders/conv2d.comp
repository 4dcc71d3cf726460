// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require
#include "common.glsl"

// An invocation makes BLOCK channels of a strip of PIXELS pixels of a row, so
// that a weight feeds PIXELS sums and a pixel KERNEL * BLOCK.
layout (constant_id = 3) const uint TYPE = TYPE_F32;
layout (constant_id = 4) const uint KERNEL = 3;
layout (constant_id = 5) const uint PIXELS = 4;
layout (constant_id = 6) const uint BLOCK = 16;
// Lanes that fetch the weights of a step together: 8 or 4 where subgroups have
// as many and can broadcast, else 1.
layout (constant_id = 7) const uint LANES = 1;
layout (constant_id = 8) const uint RELU = 0;
layout (constant_id = 9) const uint SHUFFLE = 1;
// Whether in_channels is a multiple of 4.
layout (constant_id = 10) const uint ALIGNED = 1;
// Channels of the shuffled image.
layout (constant_id = 11) const uint CHANNELS = 1;

layout (push_constant, scalar) uniform Push
{
  F32x4 x;
  F32x4 previous;
  U32 weight;
  F32 bias;
  F32 residual;
  F32 to;
  uint frames;
  uint height;
  uint width;
  uint in_channels;
  uint out_channels;
  uint steps;
};

const uint REACH = PIXELS + KERNEL - 1;
const int PADDING = int (KERNEL / 2);
// A step covers four inputs and one row of the kernel.
const uint STEP_VALUES = KERNEL * BLOCK * 4;
const uint STEP_WORDS = TYPE == TYPE_F16 ? STEP_VALUES / 2 : STEP_VALUES;

float held[STEP_VALUES / LANES];
float sums[PIXELS * BLOCK];

void
fetch_weights (uint first)
{
  const uint lane = gl_SubgroupInvocationID % LANES;
  [[unroll]] for (uint i = 0; i < STEP_WORDS / LANES; i++) {
    const uint word = weight.v[first + i * LANES + lane];
    if (TYPE == TYPE_F16) {
      const vec2 halves = unpackHalf2x16 (word);
      held[2 * i] = halves.x;
      held[2 * i + 1] = halves.y;
    } else {
      held[i] = uintBitsToFloat (word);
    }
  }
}

float
weight_at (uint i)
{
  const uint word = TYPE == TYPE_F16 ? i / 2 : i;
  const uint slot =
      TYPE == TYPE_F16 ? word / LANES * 2 + i % 2 : word / LANES;
  if (LANES == 1)
    return held[slot];
  return subgroupBroadcast (held[slot], word % LANES);
}

void
add_step (vec4 pixels[REACH])
{
  [[unroll]] for (uint tap = 0; tap < KERNEL; tap++) {
    [[unroll]] for (uint o = 0; o < BLOCK; o++) {
      [[unroll]] for (uint c = 0; c < 4; c++) {
        const float factor = weight_at ((tap * BLOCK + o) * 4 + c);
        [[unroll]] for (uint i = 0; i < PIXELS; i++)
          sums[i * BLOCK + o] += pixels[i + tap][c] * factor;
      }
    }
  }
}

uint
input_quads ()
{
  return ((PRESENT (previous) ? 2 : 1) * in_channels + 3) / 4;
}

// Inputs 4 quad .. 4 quad + 3 of a pixel.
vec4
inputs_at (uint pixel, uint quad)
{
  if (ALIGNED != 0) {
    const uint quads = in_channels / 4;
    F32x4 source = x;
    if (quad >= quads)
      source = previous;
    return source.v[pixel * quads + quad % quads];
  }
  vec4 value = vec4 (0);
  [[unroll]] for (uint c = 0; c < 4; c++) {
    const uint i = 4 * quad + c;
    if (i < in_channels)
      value[c] = F32 (uvec2 (x)).v[pixel * in_channels + i];
    else if (PRESENT (previous) && i < 2 * in_channels)
      value[c] =
          F32 (uvec2 (previous)).v[pixel * in_channels + i - in_channels];
  }
  return value;
}

// `line` is the index of the row's first pixel.
void
add_row (uint ky, bool inside, uint line, int column, uint weights)
{
  const uint quads = input_quads ();
  for (uint quad = 0; quad < quads; quad++) {
    vec4 pixels[REACH];
    [[unroll]] for (uint i = 0; i < REACH; i++) {
      const int at = column + int (i) - PADDING;
      const uint pixel = line + uint (clamp (at, 0, int (width) - 1));
      const vec4 value = inputs_at (pixel, quad);
      const bool within = inside && at >= 0 && at < int (width);
      pixels[i] = within ? (RELU != 0 ? max (value, 0.0) : value) : vec4 (0);
    }
    fetch_weights (weights + (ky * quads + quad) * STEP_WORDS);
    add_step (pixels);
  }
}

uint
index_of (uint frame, uint row, uint column, uint o)
{
  if (SHUFFLE == 1)
    return ((frame * height + row) * width + column) * out_channels + o;
  const uint dx = o % 2;
  const uint dy = o / 2 % 2;
  const uint channel = o / 4 % CHANNELS;
  const uint step = o / 4 / CHANNELS;
  const uint y = (frame * steps + step) * 2 * height + 2 * row + dy;
  return (y * 2 * width + 2 * column + dx) * CHANNELS + channel;
}

void
main ()
{
  const uint strips = (width + PIXELS - 1) / PIXELS;
  const uint count = strips * height * frames;
  // Lanes past the end work along, for they may hold others' weights.
  const uint strip = min (gl_GlobalInvocationID.x, count - 1);
  const uint frame = strip / strips / height;
  const uint row = strip / strips % height;
  const uint column = strip % strips * PIXELS;
  const uint first = gl_WorkGroupID.y * BLOCK;
  const uint weights = gl_WorkGroupID.y * KERNEL * input_quads () * STEP_WORDS;

  [[unroll]] for (uint i = 0; i < PIXELS * BLOCK; i++)
    sums[i] = 0.0;
  for (uint ky = 0; ky < KERNEL; ky++) {
    const int y = int (row + ky) - PADDING;
    const bool inside = y >= 0 && y < int (height);
    const uint line =
        (frame * height + uint (clamp (y, 0, int (height) - 1))) * width;
    add_row (ky, inside, line, int (column), weights);
  }

  if (gl_GlobalInvocationID.x >= count)
    return;
  [[unroll]] for (uint i = 0; i < PIXELS; i++) {
    [[unroll]] for (uint o = 0; o < BLOCK; o++) {
      if (column + i < width && first + o < out_channels) {
        const uint index = index_of (frame, row, column + i, first + o);
        float sum = sums[i * BLOCK + o];
        if (PRESENT (bias))
          sum += bias.v[first + o];
        if (PRESENT (residual))
          sum += residual.v[index];
        to.v[index] = sum;
      }
    }
  }
}
