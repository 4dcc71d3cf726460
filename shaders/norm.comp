// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

// A group takes a row, its lanes every lanes-th four values.
layout (constant_id = 3) const bool CENTER = false;
layout (constant_id = 4) const bool GAIN = false;

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

// The sum of all lanes' values.
float
add_up (uint lane, float value)
{
  barrier ();
  partial_sums[lane] = value;
  barrier ();
  float sum = 0.0;
  for (uint i = 0; i < lanes; i++)
    sum += partial_sums[i];
  return sum;
}

void
main ()
{
  const uint lane = gl_LocalInvocationID.x;
  const uint quads = size / 4;
  const uint row = gl_WorkGroupID.x * quads;

  float mean = 0.0;
  if (CENTER) {
    float sum = 0.0;
    for (uint i = lane; i < quads; i += lanes)
      sum += dot (x.v[row + i], vec4 (1.0));
    mean = add_up (lane, sum) / float (size);
  }
  float squares = 0.0;
  for (uint i = lane; i < quads; i += lanes) {
    const vec4 values = x.v[row + i] - mean;
    squares += dot (values, values);
  }
  squares = add_up (lane, squares);

  const float factor = 1.0 / sqrt (squares / float (size) + RMS_EPSILON);
  for (uint i = lane; i < quads; i += lanes) {
    vec4 values = (x.v[row + i] - mean) * factor;
    if (PRESENT (scale))
      values *= GAIN ? scale.v[i] : 1.0 + scale.v[i];
    if (PRESENT (shift))
      values += shift.v[i];
    result.v[row + i] = values;
  }
}
