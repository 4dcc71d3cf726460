// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "band.glsl"
#include "philox.glsl"

layout (push_constant, scalar) uniform Push
{
  F32 levels;
  F32 edges;
  F32 to;
  U32x2 position;
  uvec2 seed;
  uvec2 chunk;
  uint purpose;
  uint rows;
  uint bands;
  uint hop;
  uint padded;
  float sample_rate;
};

float
centre (uint band)
{
  return 0.5 * (edges.v[band] + edges.v[band + 1]);
}

// The last band whose centre is not above `frequency`, or band 0.
uint
band_below (float frequency)
{
  uint low = 0;
  uint high = bands;
  while (high - low > 1) {
    const uint middle = (low + high) / 2;
    if (centre (middle) <= frequency)
      low = middle;
    else
      high = middle;
  }
  return low;
}

float
gain_at (uint row, uint k)
{
  const float frequency =
      (float (k) + 0.5) * sample_rate / (2.0 * float (hop));
  const uint band = band_below (frequency);
  const uint next = min (band + 1, bands - 1);
  const float low = centre (band);
  const float span = centre (next) - low;
  const float part =
      span > 0.0 ? clamp ((frequency - low) / span, 0.0, 1.0) : 0.0;
  const uint first = (row + 2) * bands;
  return mix (levels.v[BAND_KINDS * (first + band)],
      levels.v[BAND_KINDS * (first + next)], part);
}

void
main ()
{
  const uint k = 2 * gl_GlobalInvocationID.x;
  const uint row = gl_GlobalInvocationID.y;
  if (k >= padded || row >= rows)
    return;

  vec2 bins = vec2 (0);
  if (k < hop) {
    const uint index = row * hop + k;
    const uvec4 words = philox (uvec4 (index / 4,
        PRESENT (position) ? position.v[0] : chunk, purpose), seed);
    bins = sqrt (float (hop)) * vec2 (gain_at (row, k), gain_at (row, k + 1)) *
        gauss (index % 4 == 0 ? words.xy : words.zw);
  }
  to.v[row * padded + k] = bins.x;
  to.v[row * padded + k + 1] = bins.y;
}
