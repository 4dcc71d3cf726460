// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require
#include "common.glsl"

// A group makes ROWS x (COLUMNS * lanes) values; a lane owns COLUMNS columns,
// `lanes` apart, so that each weight it loads feeds ROWS products.
layout (constant_id = 3) const uint WEIGHT_TYPE = TYPE_F32;
layout (constant_id = 4) const uint ACTIVATION = ACTIVATION_LINEAR;
layout (constant_id = 5) const uint ROWS = 1;
layout (constant_id = 6) const uint COLUMNS = 1;
layout (constant_id = 7) const bool BROADCAST = false;

layout (push_constant, scalar) uniform Push
{
  F32 a;
  U32 weight;
  F32 bias;
  F32 gate;
  F32 residual;
  F32 result;
  uint m, n, k;
  uint a_stride, residual_stride, result_stride;
};

// Values of the inner dimension that one turn of the loop takes.
const uint DEPTH = 4;
// Rows whose values the lanes of eight share between them.
const uint SHARED_ROWS = 2;

const uint lanes = gl_WorkGroupSize.x;

// Rows and columns beyond the edge repeat the last one. Repeated rows are
// even stored: it is the same lane that stores the same value again.
uint
row_at (uint i)
{
  return min (gl_WorkGroupID.y * ROWS + i, m - 1);
}

uint
column_at (uint j)
{
  return gl_WorkGroupID.x * COLUMNS * lanes + j * lanes +
         gl_LocalInvocationID.x;
}

float
load_a (uint i, uint at)
{
  return a.v[row_at (i) * a_stride + at];
}

void
main ()
{
  float sums[ROWS * COLUMNS];
  [[unroll]] for (uint i = 0; i < ROWS * COLUMNS; i++)
    sums[i] = 0.0;

  const uint share = gl_SubgroupInvocationID % (SHARED_ROWS * DEPTH);
  for (uint at = 0; at < k; at += DEPTH) {
    vec4 weights[COLUMNS];
    [[unroll]] for (uint j = 0; j < COLUMNS; j++)
      weights[j] = load4 (
          WEIGHT_TYPE, weight, (min (column_at (j), n - 1) * k + at) / 4);

    float own = 0.0;
    [[unroll]] for (uint i = 0; i < ROWS; i++) {
      if (BROADCAST && i % SHARED_ROWS == 0)
        own = load_a (i + share / DEPTH, at + share % DEPTH);
      [[unroll]] for (uint c = 0; c < DEPTH; c++) {
        const float x =
            BROADCAST ? subgroupBroadcast (own, i % SHARED_ROWS * DEPTH + c)
                      : load_a (i, at + c);
        [[unroll]] for (uint j = 0; j < COLUMNS; j++)
          sums[i * COLUMNS + j] =
              fma (x, weights[j][c], sums[i * COLUMNS + j]);
      }
    }
  }

  [[unroll]] for (uint j = 0; j < COLUMNS; j++) {
    const uint column = column_at (j);
    if (column < n) {
      const float shift = PRESENT (bias) ? bias.v[column] : 0.0;
      const float factor = PRESENT (gate) ? gate.v[column] : 1.0;
      float values[ROWS];
      [[unroll]] for (uint i = 0; i < ROWS; i++)
        values[i] =
            factor * activate (ACTIVATION, sums[i * COLUMNS + j] + shift);
      if (PRESENT (residual)) {
        [[unroll]] for (uint i = 0; i < ROWS; i++)
          values[i] += residual.v[row_at (i) * residual_stride + column];
      }
      [[unroll]] for (uint i = 0; i < ROWS; i++)
        result.v[row_at (i) * result_stride + column] = values[i];
    }
  }
}
