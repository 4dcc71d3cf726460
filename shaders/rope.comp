// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// A lane takes one head of one row; y counts the groups of rows.

layout (push_constant, scalar) uniform Push
{
  F32 x;
  F32 table;
  F32 scale;
  F32 result;
  uint rows, heads, head_size;
  uint x_stride, x_group_stride;
  uint result_stride, result_group_stride;
};

void
main ()
{
  const uint row = gl_GlobalInvocationID.x / heads;
  const uint head = gl_GlobalInvocationID.x % heads;
  if (row >= rows)
    return;

  const uint from = gl_WorkGroupID.y * x_group_stride + row * x_stride +
                    head * head_size;
  const uint to = gl_WorkGroupID.y * result_group_stride +
                  row * result_stride + head * head_size;
  const uint pairs = head_size / 2;

  float squares = 0.0;
  for (uint i = 0; i < head_size; i += 4) {
    [[unroll]] for (uint c = 0; c < 4; c++) {
      const float value = x.v[from + i + c];
      squares = fma (value, value, squares);
    }
  }

  float factor = 1.0 / sqrt (squares / float (head_size) + RMS_EPSILON);
  if (PRESENT (scale))
    factor *= scale.v[head];
  for (uint i = 0; i < pairs; i++) {
    const float real = x.v[from + i] * factor;
    const float imaginary = x.v[from + pairs + i] * factor;
    float cosine = 1.0;
    float sine = 0.0;
    if (PRESENT (table)) {
      cosine = table.v[2 * (row * pairs + i)];
      sine = table.v[2 * (row * pairs + i) + 1];
    }
    result.v[to + i] = real * cosine - imaginary * sine;
    result.v[to + pairs + i] = imaginary * cosine + real * sine;
  }
}
