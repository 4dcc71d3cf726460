// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "half.glsl"

layout (constant_id = 3) const uint TYPE = TYPE_F32;

layout (push_constant, scalar) uniform Push
{
  U32 x;
  U32 to;
  uint pixels;
  uint channels;
};

void
main ()
{
  const uint quads = channels / 4;
  const uint first = gl_GlobalInvocationID.x * quads;
  const uint out_first = gl_GlobalInvocationID.x * (quads + 1);
  if (gl_GlobalInvocationID.x >= pixels)
    return;

  vec4 lowest = load4 (TYPE, x, first);
  vec4 highest = lowest;
  for (uint i = 1; i < quads; i++) {
    const vec4 values = load4 (TYPE, x, first + i);
    lowest = min (lowest, values);
    highest = max (highest, values);
  }
  const float low = min (min (lowest.x, lowest.y), min (lowest.z, lowest.w));
  const float high =
      max (max (highest.x, highest.y), max (highest.z, highest.w));
  const vec2 ends = clamp (vec2 (low, high), -LARGEST_HALF, LARGEST_HALF);
  const uint word = pack_halves (vec2 (ends.x, ends.y - ends.x));
  const vec2 kept = unpackHalf2x16 (word);
  const float factor = kept.y > 0.0 ? 1.0 / kept.y : 0.0;
  to.v[out_first] = word;
  for (uint i = 0; i < quads; i++) {
    const vec4 values = (load4 (TYPE, x, first + i) - kept.x) * factor;
    to.v[out_first + 1 + i] = packUnorm4x8 (sqrt (max (values, 0.0)));
  }
}
