// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "half.glsl"

// A lane takes four values of a row; y is the row.

layout (push_constant, scalar) uniform Push
{
  F32x4 x;
  U32x2 result;
  uint row_fours;
};

void
main ()
{
  const uint column = gl_GlobalInvocationID.x;
  if (column >= row_fours)
    return;

  const uint i = gl_WorkGroupID.y * row_fours + column;
  const vec4 values = x.v[i];
  result.v[i] = uvec2 (pack_halves (values.xy), pack_halves (values.zw));
}
