// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// A group takes a row, its lanes every lanes-th four values.

layout (push_constant, scalar) uniform Push
{
  F32x4 x;
  F32x4 scale;
  F32x4 shift;
  F32x4 result;
  uint size;
};

const uint lanes = gl_WorkGroupSize.x;

shared float partial_sums[lanes];

void
main ()
{
  const uint lane = gl_LocalInvocationID.x;
  const uint quads = size / 4;
  const uint row = gl_WorkGroupID.x * quads;

  float squares = 0.0;
  for (uint i = lane; i < quads; i += lanes) {
    const vec4 values = x.v[row + i];
    squares += dot (values, values);
  }
  partial_sums[lane] = squares;
  barrier ();
  squares = 0.0;
  for (uint i = 0; i < lanes; i++)
    squares += partial_sums[i];

  const float factor = 1.0 / sqrt (squares / float (size) + RMS_EPSILON);
  for (uint i = lane; i < quads; i += lanes) {
    vec4 values = x.v[row + i] * factor;
    if (PRESENT (scale))
      values *= 1.0 + scale.v[i];
    if (PRESENT (shift))
      values += shift.v[i];
    result.v[row + i] = values;
  }
}
