// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (push_constant, scalar) uniform Push
{
  F32 x;
  F32 to;
  uint count;
  uint columns;
  uint rows;
  uint repeat;
  float add;
};

void
main ()
{
  const uvec3 group = gl_WorkGroupID;
  const uint i = ((group.z * rows + group.y) * columns + group.x) *
          gl_WorkGroupSize.x +
      gl_LocalInvocationID.x;
  if (i >= count)
    return;

  float sum = PRESENT (x) ? x.v[i] : 0.0;
  for (uint j = 0; j < repeat; j++)
    sum += add;
  to.v[i] = sum;
}
