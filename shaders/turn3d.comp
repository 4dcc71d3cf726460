// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// A lane takes one pair; y is the token, z the frame.

layout (buffer_reference, scalar, buffer_reference_align = 8) buffer F32x2
{
  vec2 v[];
};

layout (push_constant, scalar) uniform Push
{
  F32x2 x;
  F32x2 times;
  F32x2 places;
  F32x2 result;
  uint tokens, row_pairs, pairs, time_pairs;
};

void
main ()
{
  const uint column = gl_GlobalInvocationID.x;
  if (column >= row_pairs)
    return;

  const uint token = gl_WorkGroupID.y;
  const uint frame = gl_WorkGroupID.z;
  const uint pair = column % pairs;
  const uint i = (frame * tokens + token) * row_pairs + column;
  const vec2 angle = pair < time_pairs
      ? times.v[frame * time_pairs + pair]
      : places.v[token * (pairs - time_pairs) + pair - time_pairs];
  const vec2 value = x.v[i];
  result.v[i] = vec2 (value.x * angle.x - value.y * angle.y,
      value.y * angle.x + value.x * angle.y);
}
