// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// A lane takes four values of a row; y is the row.

layout (push_constant, scalar) uniform Push
{
  F32x4 a;
  F32x4 b;
  F32x4 result;
  uint row_fours;
};

void
main ()
{
  const uint column = gl_GlobalInvocationID.x;
  if (column >= row_fours)
    return;

  const uint i = gl_WorkGroupID.y * row_fours + column;
  result.v[i] = a.v[i] * b.v[i];
}
