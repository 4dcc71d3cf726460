// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// A lane takes four values of a row; y is the row.

layout (push_constant, scalar) uniform Push
{
  F32x4 x;
  U32x2 result;
  uint row_fours;
};

const float LARGEST_HALF = 65504.0;

void
main ()
{
  const uint column = gl_GlobalInvocationID.x;
  if (column >= row_fours)
    return;

  const uint i = gl_WorkGroupID.y * row_fours + column;
  const vec4 values = clamp (x.v[i], -LARGEST_HALF, LARGEST_HALF);
  result.v[i] = uvec2 (packHalf2x16 (values.xy), packHalf2x16 (values.zw));
}
