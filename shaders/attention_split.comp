// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "softmax.glsl"

// PARTS lanes side by side own ROWS queries of one head, each every PARTS-th
// four of their values, and the sums alike; y is the head.
layout (constant_id = 5) const uint PARTS = 4;
layout (constant_id = 7) const uint LOAD = LOAD_F32;

const uint QUADS = HEAD_SIZE / PARTS / 4;

vec4 queries[ROWS * QUADS];
vec4 sums[ROWS * QUADS];

// Lanes by their places in subgroups, which need not be those in the group.
uint
lane ()
{
  return gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID;
}

uint
row_at (uint i)
{
  return (gl_WorkGroupID.x * ROWS + i) * (lanes / PARTS) + lane () / PARTS;
}

// Where the lane's four number `quad` lie in a row.
uint
place (uint quad)
{
  return head_start () + (quad * PARTS + lane () % PARTS) * 4;
}

float
add_parts (float x)
{
  [[unroll]] for (uint mask = 1; mask < PARTS; mask *= 2)
    x += subgroupShuffleXor (x, mask);
  return x;
}

void
take_keys (Segment segment, uint first)
{
  const uint k_stride = (segment.strides & 0xffff) * 4;
  const uint v_stride = (segment.strides >> 16) * 4;

  [[unroll]] for (uint key = 0; key < KEYS; key++) {
    const uint at = min (first + key, segment.count - 1);
    float parts[ROWS];
    [[unroll]] for (uint i = 0; i < ROWS; i++)
      parts[i] = 0.0;
    [[unroll]] for (uint quad = 0; quad < QUADS; quad++) {
      const vec4 loaded =
          load_quad (LOAD, segment.k, at * k_stride + place (quad));
      [[unroll]] for (uint i = 0; i < ROWS; i++)
        parts[i] += dot (loaded, queries[i * QUADS + quad]);
    }
    [[unroll]] for (uint i = 0; i < ROWS; i++)
      scores[i * KEYS + key] = add_parts (parts[i]) + bias_at (i, at);
  }

  [[unroll]] for (uint i = 0; i < ROWS; i++) {
    const float fade = weigh (i, first, segment.count);
    [[unroll]] for (uint quad = 0; quad < QUADS; quad++)
      sums[i * QUADS + quad] *= fade;
  }

  [[unroll]] for (uint key = 0; key < KEYS; key++) {
    const uint at = min (first + key, segment.count - 1);
    [[unroll]] for (uint quad = 0; quad < QUADS; quad++) {
      const vec4 loaded =
          load_quad (LOAD, segment.v, at * v_stride + place (quad));
      [[unroll]] for (uint i = 0; i < ROWS; i++)
        sums[i * QUADS + quad] = fma (loaded, vec4 (scores[i * KEYS + key]),
            sums[i * QUADS + quad]);
    }
  }
}

void
main ()
{
  [[unroll]] for (uint i = 0; i < ROWS; i++) {
    const uint at = min (row_at (i), rows - 1) * q_stride;
    [[unroll]] for (uint quad = 0; quad < QUADS; quad++) {
      const uint from = at + place (quad);
      queries[i * QUADS + quad] =
          vec4 (q.v[from], q.v[from + 1], q.v[from + 2], q.v[from + 3]) *
          (scale * LOG2_E);
      sums[i * QUADS + quad] = vec4 (0.0);
    }
    maxima[i] = LOWEST;
    totals[i] = 0.0;
  }

  for (uint s = 0; s < 4; s++)
    for (uint first = 0; first < segments[s].count; first += KEYS)
      take_keys (segments[s], first);

  [[unroll]] for (uint i = 0; i < ROWS; i++)
    if (row_at (i) < rows) {
      [[unroll]] for (uint quad = 0; quad < QUADS; quad++) {
        const uint at = row_at (i) * result_stride + place (quad);
        const vec4 value = sums[i * QUADS + quad] / totals[i];
        [[unroll]] for (uint c = 0; c < 4; c++)
          result.v[at + c] = value[c];
      }
    }
}
