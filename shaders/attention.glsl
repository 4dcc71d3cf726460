// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

// What the ways of attention share: constants 3, 4 and 6, the push constants
// and the bias. `row_at` is the including shader's.

#include "common.glsl"

layout (constant_id = 3) const uint HEAD_SIZE = 32;
layout (constant_id = 4) const uint ROWS = 1; // queries of a lane or a group
// The push constants have no room left: with a bias, which allows one segment
// only, the last one's k is the bias and its strides are the bias's stride.
layout (constant_id = 6) const bool BIASED = false;

struct Segment
{
  F32 k;
  F32 v;
  uint count;
  uint strides; // in fours: k's, and v's from bit 16
};

layout (push_constant, scalar) uniform Push
{
  F32 q;
  F32 result;
  Segment segments[4];
  uint rows;
  uint q_stride, result_stride;
  float scale;
};

// How keys and values are loaded, in fours.
const uint LOAD_F32 = 0;
const uint LOAD_F32_ALIGNED = 1; // to 16 bytes
const uint LOAD_F16 = 2;         // aligned to 8 bytes

const float LOWEST = -3e38;
const float LOG2_E = 1.4426950408889634;

const uint lanes = gl_WorkGroupSize.x;

uint row_at (uint i);

uint
head_start ()
{
  return gl_WorkGroupID.y * HEAD_SIZE;
}

// Values at .. at + 3; `at` is a multiple of 4.
vec4
load_quad (const uint how, F32 values, uint at)
{
  if (how == LOAD_F16)
    return load4 (TYPE_F16, U32 (uvec2 (values)), at / 4);
  if (how == LOAD_F32_ALIGNED)
    return F32x4 (uvec2 (values)).v[at / 4];
  return vec4 (
      values.v[at], values.v[at + 1], values.v[at + 2], values.v[at + 3]);
}

// What a score begins with; key < the segment's count.
float
bias_at (uint i, uint key)
{
  if (!BIASED)
    return 0.0;
  const uint row = min (row_at (i), rows - 1);
  const uint at = gl_WorkGroupID.y * segments[3].strides + rows - 1 + key - row;
  return segments[3].k.v[at] * LOG2_E;
}
