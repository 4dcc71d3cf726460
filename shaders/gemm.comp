// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require
#include "weights.glsl"

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
  uvec2 unused;
  uint m, n, k;
  uint a_stride, residual_stride, result_stride;
  uint rows_first; // groups that follow one another take the same columns
};

// Values of the inner dimension that one turn of the loop takes.
const uint DEPTH = 4;
// Rows whose values the lanes of eight share between them.
const uint SHARED_ROWS = 2;

const bool BLOCKED = IS_BLOCKED (WEIGHT_TYPE);

const uint lanes = gl_WorkGroupSize.x;

// Row and column of the group's tile.
uvec2
tile ()
{
  return rows_first != 0 ? gl_WorkGroupID.xy : gl_WorkGroupID.yx;
}

// Rows and columns beyond the edge repeat the last one. Repeated rows are
// even stored: it is the same lane that stores the same value again.
uint
row_at (uint i)
{
  return min (tile ().x * ROWS + i, m - 1);
}

uint
column_at (uint j)
{
  return (tile ().y * COLUMNS + j) * lanes + gl_LocalInvocationID.x;
}

float
load_a (uint i, uint at)
{
  return a.v[row_at (i) * a_stride + at];
}

// The group of 32 weights of a column that holds value `at`.
uint
group_at (uint j, uint at)
{
  return min (column_at (j), n - 1) * (k / GROUP) + at / GROUP;
}

vec4
load_weights (uint j, uint first, uint at, vec2 scale)
{
  if (BLOCKED)
    return fma (group_quants (WEIGHT_TYPE, weight, group_at (j, first),
                    (at - first) / 4),
        vec4 (scale.x), vec4 (-scale.y));
  return weight4 (
      WEIGHT_TYPE, weight, (min (column_at (j), n - 1) * k + at) / 4);
}

void
main ()
{
  float sums[ROWS * COLUMNS];
  [[unroll]] for (uint i = 0; i < ROWS * COLUMNS; i++)
    sums[i] = 0.0;

  const uint share = gl_SubgroupInvocationID % (SHARED_ROWS * DEPTH);
  const uint span = BLOCKED ? GROUP : k;
  for (uint first = 0; first < k; first += span) {
    vec2 scales[COLUMNS];
    if (BLOCKED) {
      [[unroll]] for (uint j = 0; j < COLUMNS; j++)
        scales[j] = group_scale (WEIGHT_TYPE, weight, group_at (j, first));
    }
    for (uint at = first; at < first + span; at += DEPTH) {
      vec4 weights[COLUMNS];
      [[unroll]] for (uint j = 0; j < COLUMNS; j++)
        weights[j] = load_weights (j, first, at, scales[j]);

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
