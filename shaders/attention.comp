// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require
#include "softmax.glsl"

// A lane owns ROWS queries of one head, `lanes` apart, and their sums; y is
// the head.
layout (constant_id = 5) const bool BROADCAST = false;
layout (constant_id = 7) const uint LOAD = LOAD_F32;

// Lanes that share what they load of a key or a value.
const uint SHARERS = 8;

float queries[ROWS * HEAD_SIZE];
float sums[ROWS * HEAD_SIZE];

uint
row_at (uint i)
{
  return (gl_WorkGroupID.x * ROWS + i) * lanes + gl_LocalInvocationID.x;
}

float
load_one (F32 values, uint at)
{
  if (LOAD != LOAD_F16)
    return values.v[at];
  return unpackHalf2x16 (U32 (uvec2 (values)).v[at / 2])[at % 2];
}

// Values first .. first + SHARERS - 1, the same for all lanes.
void
load_shared (F32 values, uint first, out float loaded[SHARERS])
{
  float own = 0.0;
  if (BROADCAST)
    own = load_one (values, first + gl_SubgroupInvocationID % SHARERS);
  [[unroll]] for (uint c = 0; c < SHARERS; c++)
    loaded[c] =
        BROADCAST ? subgroupBroadcast (own, c) : load_one (values, first + c);
}

void
take_keys (Segment segment, uint first)
{
  const uint k_stride = (segment.strides & 0xffff) * 4;
  const uint v_stride = (segment.strides >> 16) * 4;

  // Keys within values, so that many sums are on their way at a time.
  uint places[KEYS];
  [[unroll]] for (uint key = 0; key < KEYS; key++) {
    places[key] = min (first + key, segment.count - 1);
    [[unroll]] for (uint i = 0; i < ROWS; i++)
      scores[i * KEYS + key] = bias_at (i, places[key]);
  }
  [[unroll]] for (uint d = 0; d < HEAD_SIZE; d += SHARERS)
    [[unroll]] for (uint key = 0; key < KEYS; key++) {
      float loaded[SHARERS];
      load_shared (
          segment.k, places[key] * k_stride + head_start () + d, loaded);
      [[unroll]] for (uint c = 0; c < SHARERS; c++)
        [[unroll]] for (uint i = 0; i < ROWS; i++)
          scores[i * KEYS + key] = fma (loaded[c],
              queries[i * HEAD_SIZE + d + c], scores[i * KEYS + key]);
    }

  [[unroll]] for (uint i = 0; i < ROWS; i++) {
    const float fade = weigh (i, first, segment.count);
    [[unroll]] for (uint d = 0; d < HEAD_SIZE; d++)
      sums[i * HEAD_SIZE + d] *= fade;
  }

  [[unroll]] for (uint key = 0; key < KEYS; key++) {
    const uint at =
        min (first + key, segment.count - 1) * v_stride + head_start ();
    [[unroll]] for (uint d = 0; d < HEAD_SIZE; d += SHARERS) {
      float loaded[SHARERS];
      load_shared (segment.v, at + d, loaded);
      [[unroll]] for (uint c = 0; c < SHARERS; c++)
        [[unroll]] for (uint i = 0; i < ROWS; i++)
          sums[i * HEAD_SIZE + d + c] = fma (loaded[c],
              scores[i * KEYS + key], sums[i * HEAD_SIZE + d + c]);
    }
  }
}

void
main ()
{
  [[unroll]] for (uint i = 0; i < ROWS; i++) {
    const uint at = min (row_at (i), rows - 1) * q_stride + head_start ();
    [[unroll]] for (uint d = 0; d < HEAD_SIZE; d++) {
      queries[i * HEAD_SIZE + d] = q.v[at + d] * (scale * LOG2_E);
      sums[i * HEAD_SIZE + d] = 0.0;
    }
    maxima[i] = LOWEST;
    totals[i] = 0.0;
  }

  for (uint s = 0; s < 4; s++)
    for (uint first = 0; first < segments[s].count; first += KEYS)
      take_keys (segments[s], first);

  [[unroll]] for (uint i = 0; i < ROWS; i++) {
    const uint at = row_at (i) * result_stride + head_start ();
    if (row_at (i) < rows) {
      [[unroll]] for (uint d = 0; d < HEAD_SIZE; d++)
        result.v[at + d] = sums[i * HEAD_SIZE + d] / totals[i];
    }
  }
}
