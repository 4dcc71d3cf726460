// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "half.glsl"

layout (constant_id = 3) const uint TYPE = TYPE_F32;
layout (constant_id = 4) const uint OUT_TYPE = TYPE_F32;
layout (constant_id = 5) const uint ACTIVATION = ACTIVATION_LINEAR;

layout (push_constant, scalar) uniform Push
{
  U32 x;
  F32x4 gain;
  U32 to;
  uint pixels;
  uint channels;
};

const float SHORTEST = 1e-12;

void
store4 (uint i, vec4 values)
{
  if (OUT_TYPE == TYPE_F16)
    U32x2 (uvec2 (to)).v[i] =
        uvec2 (pack_halves (values.xy), pack_halves (values.zw));
  else
    F32x4 (uvec2 (to)).v[i] = values;
}

void
main ()
{
  const uint quads = channels / 4;
  const uint first = gl_GlobalInvocationID.x * quads;
  if (gl_GlobalInvocationID.x >= pixels)
    return;

  float squares = 0.0;
  for (uint i = 0; i < quads; i++) {
    const vec4 values = load4 (TYPE, x, first + i);
    squares += dot (values, values);
  }
  const float factor = sqrt (float (channels)) / max (sqrt (squares), SHORTEST);
  for (uint i = 0; i < quads; i++) {
    vec4 values = load4 (TYPE, x, first + i) * (gain.v[i] * factor);
    [[unroll]] for (uint c = 0; c < 4; c++)
      values[c] = activate (ACTIVATION, values[c]);
    store4 (first + i, values);
  }
}
