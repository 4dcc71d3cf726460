// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "half.glsl"

// A lane takes one pair; y is the token, z the frame.

layout (constant_id = 3) const uint TYPE = TYPE_F32; // of x and the result

layout (buffer_reference, scalar, buffer_reference_align = 8) buffer F32x2
{
  vec2 v[];
};

layout (push_constant, scalar) uniform Push
{
  U32 x;
  F32x2 times;
  F32x2 places;
  U32 result;
  uint tokens, row_pairs, pairs, time_pairs;
};

vec2
load (uint i)
{
  if (TYPE == TYPE_F16)
    return unpackHalf2x16 (x.v[i]);
  return F32x2 (uvec2 (x)).v[i];
}

void
store (uint i, vec2 value)
{
  if (TYPE == TYPE_F16)
    result.v[i] = pack_halves (value);
  else
    F32x2 (uvec2 (result)).v[i] = value;
}

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
  const vec2 value = load (i);
  store (i,
      vec2 (value.x * angle.x - value.y * angle.y,
          value.y * angle.x + value.x * angle.y));
}
