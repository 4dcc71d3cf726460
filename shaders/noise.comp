// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "philox.glsl"

layout (push_constant, scalar) uniform Push
{
  F32 x;
  F32 v;
  F32 to;
  U32x2 position;
  uvec2 seed;
  uvec2 chunk;
  uint purpose;
  uint count;
  float x_factor;
  float v_factor;
  float noise_factor;
};

void
main ()
{
  const uint block = gl_GlobalInvocationID.x;
  const uint first = 4 * block;
  if (first >= count)
    return;

  vec4 noise = vec4 (0);
  if (noise_factor != 0.0) {
    const uvec4 words = philox (
        uvec4 (block, PRESENT (position) ? position.v[0] : chunk, purpose),
        seed);
    noise = noise_factor * vec4 (gauss (words.xy), gauss (words.zw));
  }
  const uint last = min (4, count - first);
  for (uint i = 0; i < last; i++) {
    float sum = noise[i];
    if (PRESENT (x))
      sum += x_factor * x.v[first + i];
    if (PRESENT (v))
      sum += v_factor * v.v[first + i];
    to.v[first + i] = sum;
  }
}
