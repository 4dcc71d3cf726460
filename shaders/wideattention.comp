// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// A group makes ROWS rows. Of a block of as many keys as it has lanes, each
// lane scores one; of the sums, each lane owns every lanes-th value.
layout (constant_id = 3) const uint HEAD_SIZE = 384;
layout (constant_id = 4) const uint ROWS = 4;

layout (push_constant, scalar) uniform Push
{
  F32 q;
  F32x4 k;
  F32 v;
  F32 result;
  uint rows, keys;
  uint q_stride, k_stride, v_stride, result_stride;
  float scale;
};

const float LOWEST = -3e38;
const float LOG2_E = 1.4426950408889634;

const uint lanes = gl_WorkGroupSize.x;
const uint OWNED = (HEAD_SIZE + lanes - 1) / lanes;

shared vec4 queries[ROWS * HEAD_SIZE / 4];
shared float shares[ROWS * lanes];

float sums[ROWS * OWNED];
float maxima[ROWS];
float totals[ROWS];

uint
row_at (uint i)
{
  return min (gl_WorkGroupID.x * ROWS + i, rows - 1);
}

void
exchange (uint lane, float values[ROWS])
{
  barrier ();
  [[unroll]] for (uint i = 0; i < ROWS; i++)
    shares[i * lanes + lane] = values[i];
  barrier ();
}

void
score (uint key, out float scores[ROWS])
{
  const uint at = min (key, keys - 1) * k_stride / 4;
  [[unroll]] for (uint i = 0; i < ROWS; i++)
    scores[i] = 0.0;
  for (uint quad = 0; quad < HEAD_SIZE / 4; quad++) {
    const vec4 values = k.v[at + quad];
    [[unroll]] for (uint i = 0; i < ROWS; i++)
      scores[i] += dot (values, queries[i * HEAD_SIZE / 4 + quad]);
  }
  if (key >= keys)
    [[unroll]] for (uint i = 0; i < ROWS; i++)
      scores[i] = LOWEST;
}

// Turns scores into shares of the softmax so far.
void
weigh (uint lane, inout float scores[ROWS])
{
  exchange (lane, scores);
  [[unroll]] for (uint i = 0; i < ROWS; i++) {
    float maximum = maxima[i];
    for (uint other = 0; other < lanes; other++)
      maximum = max (maximum, shares[i * lanes + other]);
    const float fade = exp2 (maxima[i] - maximum);
    [[unroll]] for (uint j = 0; j < OWNED; j++)
      sums[i * OWNED + j] *= fade;
    totals[i] *= fade;
    maxima[i] = maximum;
    scores[i] = exp2 (scores[i] - maximum);
  }
  exchange (lane, scores);
}

void
main ()
{
  const uint lane = gl_LocalInvocationID.x;

  for (uint at = lane; at < HEAD_SIZE / 4; at += lanes)
    [[unroll]] for (uint i = 0; i < ROWS; i++) {
      const uint from = row_at (i) * q_stride / 4 + at;
      queries[i * HEAD_SIZE / 4 + at] =
          F32x4 (uvec2 (q)).v[from] * (scale * LOG2_E);
    }
  [[unroll]] for (uint i = 0; i < ROWS; i++) {
    [[unroll]] for (uint j = 0; j < OWNED; j++)
      sums[i * OWNED + j] = 0.0;
    maxima[i] = LOWEST;
    totals[i] = 0.0;
  }
  barrier ();

  for (uint first = 0; first < keys; first += lanes) {
    float scores[ROWS];
    score (first + lane, scores);
    weigh (lane, scores);
    const uint count = min (lanes, keys - first);
    for (uint other = 0; other < count; other++) {
      float own[ROWS];
      [[unroll]] for (uint i = 0; i < ROWS; i++) {
        own[i] = shares[i * lanes + other];
        totals[i] += own[i];
      }
      const uint at = (first + other) * v_stride;
      [[unroll]] for (uint j = 0; j < OWNED; j++) {
        const float value = v.v[at + min (j * lanes + lane, HEAD_SIZE - 1)];
        [[unroll]] for (uint i = 0; i < ROWS; i++)
          sums[i * OWNED + j] = fma (own[i], value, sums[i * OWNED + j]);
      }
    }
  }

  [[unroll]] for (uint i = 0; i < ROWS; i++) {
    const uint row = gl_WorkGroupID.x * ROWS + i;
    [[unroll]] for (uint j = 0; j < OWNED; j++) {
      const uint at = j * lanes + lane;
      if (row < rows && at < HEAD_SIZE)
        result.v[row * result_stride + at] = sums[i * OWNED + j] / totals[i];
    }
  }
}
