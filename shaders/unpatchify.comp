// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout (push_constant, scalar) uniform Push
{
  F32 tokens;
  F32 std;
  F32 mean;
  F32 to;
  uint rows;
  uint columns;
  uint channels;
  uint patch_size;
  float bound;
};

// Overflows nowhere, unlike some drivers' tanh.
float
safe_tanh (float x)
{
  const float e = exp (-2.0 * abs (x));
  return sign (x) * (1.0 - e) / (1.0 + e);
}

void
main ()
{
  const uint i = gl_GlobalInvocationID.x;
  if (i >= rows * columns * channels * patch_size * patch_size)
    return;
  const uint channel = i % channels;
  const uint x = i / channels % (columns * patch_size);
  const uint y = i / channels / (columns * patch_size);

  const uint token = y / patch_size * columns + x / patch_size;
  const uint value =
      (channel * patch_size + y % patch_size) * patch_size + x % patch_size;
  const uint size = channels * patch_size * patch_size;
  float z = tokens.v[token * size + value];
  if (PRESENT (std))
    z = z * std.v[value] + mean.v[value];
  to.v[i] = bound > 0.0 ? bound * safe_tanh (z / bound) : z;
}
