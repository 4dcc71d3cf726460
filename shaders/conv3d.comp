// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require
#include "common.glsl"
#include "half.glsl"

// An invocation makes BLOCK channels of a strip of PIXELS pixels of a row, so
// that a weight feeds PIXELS sums and a pixel KERNEL * BLOCK.
layout (constant_id = 3) const uint WEIGHT_TYPE = TYPE_F32;
layout (constant_id = 4) const uint KERNEL = 3;
layout (constant_id = 5) const uint BLOCK = 16;
// Lanes that fetch the weights of a step together: 8 or 4 where subgroups have
// as many and can broadcast, else 1.
layout (constant_id = 6) const uint LANES = 1;
layout (constant_id = 7) const uint SCALE = 1;
layout (constant_id = 8) const uint TAPS = 1;
layout (constant_id = 9) const uint TYPES = 0; // TYPE, and OUT_TYPE from bit 8
layout (constant_id = 10) const bool PACKED = false;
layout (constant_id = 11) const bool RELU = false;

const uint TYPE = TYPES & 255;
const uint OUT_TYPE = TYPES >> 8;

layout (push_constant, scalar) uniform Push
{
  U32 x[3];
  U32 weight;
  F32 bias;
  U32 residual;
  U32 to;
  uint height;
  uint width;
  uint in_channels;
  uint out_channels;
  uint first_row;
  uint rows;
  uint x_row;
};

const uint PIXELS = 4;
// Pixels under the kernel's taps, and what is loaded for them.
const uint REACH = PIXELS + KERNEL - 1;
const uint LOADS = SCALE == 2 ? PIXELS / 2 + 2 : REACH;
const int PADDING = int (KERNEL / 2);
// A step covers four inputs and one row of the kernel.
const uint STEP_VALUES = KERNEL * BLOCK * 4;
const uint STEP_WORDS =
    WEIGHT_TYPE == TYPE_F16 ? STEP_VALUES / 2 : STEP_VALUES;

float held[STEP_VALUES / LANES];
float sums[PIXELS * BLOCK];

void
fetch_weights (uint first)
{
  const uint lane = gl_SubgroupInvocationID % LANES;
  [[unroll]] for (uint i = 0; i < STEP_WORDS / LANES; i++) {
    const uint word = weight.v[first + i * LANES + lane];
    if (WEIGHT_TYPE == TYPE_F16) {
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
  const bool paired = WEIGHT_TYPE == TYPE_F16;
  const uint word = paired ? i / 2 : i;
  const uint slot = paired ? word / LANES * 2 + i % 2 : word / LANES;
  if (LANES == 1)
    return held[slot];
  return subgroupBroadcast (held[slot], word % LANES);
}

void
add_step (vec4 pixels[LOADS])
{
  [[unroll]] for (uint tap = 0; tap < KERNEL; tap++) {
    [[unroll]] for (uint o = 0; o < BLOCK; o++) {
      [[unroll]] for (uint c = 0; c < 4; c++) {
        const float factor = weight_at ((tap * BLOCK + o) * 4 + c);
        [[unroll]] for (uint i = 0; i < PIXELS; i++) {
          const uint at = SCALE == 2 ? (i + tap + 1) / 2 : i + tap;
          sums[i * BLOCK + o] =
              fma (pixels[at][c], factor, sums[i * BLOCK + o]);
        }
      }
    }
  }
}

// `line` is the index of the row's first pixel, `column` that of the first
// pixel that is loaded.
void
add_image (U32 image, const bool packed_image, bool inside, uint line,
    int column, uint weights)
{
  const uint quads = in_channels / 4;
  const uint stride = packed_image ? quads + 1 : quads;
  uint pixel[LOADS];
  bool within[LOADS];
  vec2 range[LOADS];
  [[unroll]] for (uint i = 0; i < LOADS; i++) {
    const int at = column + int (i);
    pixel[i] = (line + uint (clamp (at, 0, int (width) - 1))) * stride;
    within[i] = inside && at >= 0 && at < int (width);
    if (packed_image)
      range[i] = unpackHalf2x16 (image.v[pixel[i]++]);
  }
  for (uint quad = 0; quad < quads; quad++) {
    vec4 pixels[LOADS];
    [[unroll]] for (uint i = 0; i < LOADS; i++) {
      vec4 values;
      if (packed_image) {
        const vec4 roots = unpackUnorm4x8 (image.v[pixel[i] + quad]);
        values = roots * roots * range[i].y + range[i].x;
      } else {
        values = load4 (TYPE, image, pixel[i] + quad);
      }
      pixels[i] = within[i] ? values : vec4 (0);
    }
    fetch_weights (weights + quad * STEP_WORDS);
    add_step (pixels);
  }
}

void
store (uint index, uint o, vec2 values)
{
  if (OUT_TYPE == TYPE_F16) {
    if (PRESENT (residual))
      values += unpackHalf2x16 (residual.v[(index + o) / 2]);
    if (RELU)
      values = max (values, 0.0);
    to.v[(index + o) / 2] = pack_halves (values);
    return;
  }
  [[unroll]] for (uint i = 0; i < 2; i++) {
    if (o + i < out_channels) {
      float value = values[i];
      if (PRESENT (residual))
        value += uintBitsToFloat (residual.v[index + o + i]);
      if (RELU)
        value = max (value, 0.0);
      to.v[index + o + i] = floatBitsToUint (value);
    }
  }
}

void
main ()
{
  const uint out_width = SCALE * width;
  const uint strips = (out_width + PIXELS - 1) / PIXELS;
  const uint count = strips * rows;
  // Lanes past the end work along, for they may hold others' weights.
  const uint strip = min (gl_GlobalInvocationID.x, count - 1);
  const uint row = strip / strips;
  const uint column = strip % strips * PIXELS;
  const uint first = gl_WorkGroupID.y * BLOCK;
  const uint image_words = in_channels / 4 * STEP_WORDS;
  const uint weights = gl_WorkGroupID.y * KERNEL * TAPS * image_words;
  const int first_load =
      SCALE == 2 ? int (column / 2) - 1 : int (column) - PADDING;

  [[unroll]] for (uint i = 0; i < PIXELS * BLOCK; i++)
    sums[i] = 0.0;
  for (uint ky = 0; ky < KERNEL; ky++) {
    const int y = int (first_row + row + ky) - PADDING;
    const bool inside = y >= 0 && y < int (SCALE * height);
    const uint source = uint (clamp (y, 0, int (SCALE * height) - 1)) / SCALE;
    const uint from = weights + ky * TAPS * image_words;
    [[unroll]] for (uint tap = 0; tap + 1 < TAPS; tap++)
      if (PRESENT (x[tap]))
        add_image (x[tap], PACKED, inside, source * width, first_load,
            from + tap * image_words);
    const uint last = TAPS - 1;
    if (PRESENT (x[last]))
      add_image (x[last], false, inside, (source - x_row) * width, first_load,
          from + last * image_words);
  }

  if (gl_GlobalInvocationID.x >= count)
    return;
  [[unroll]] for (uint i = 0; i < PIXELS; i++) {
    const uint index = (row * out_width + column + i) * out_channels;
    [[unroll]] for (uint o = 0; o < BLOCK; o += 2) {
      if (column + i < out_width && first + o < out_channels) {
        vec2 values = vec2 (sums[i * BLOCK + o], sums[i * BLOCK + o + 1]);
        if (PRESENT (bias)) {
          values.x += bias.v[first + o];
          values.y += bias.v[min (first + o + 1, out_channels - 1)];
        }
        store (index, first + o, values);
      }
    }
  }
}
