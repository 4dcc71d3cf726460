// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "band.glsl"

layout (push_constant, scalar) uniform Push
{
  F32 values;
  F32 edges;
  F32 levels;
  F32 phases;
  uint frames;
  uint bands;
  uint tonal_bands;
  uint hop;
  float sample_rate;
  float tonality_floor;
};

// The square root of it is taken, so its error near zero matters.
float
energy_of (float level)
{
  return max (exp2 (0.33219280948873623 * min (level, 0.0)) - 1e-8, 0.0);
}

vec3
level_of (uint frame, uint channel, uint band)
{
  const uint first = (frame * BAND_KINDS * 2 + channel) * bands + band;
  const uint stride = 2 * bands;
  const float energy = energy_of (values.v[first]);
  float tonality = clamp (values.v[first + stride], 0.0, 1.0);
  if (tonality < tonality_floor || band >= tonal_bands)
    tonality = 0.0;
  const float offset = clamp (
      values.v[first + 2 * stride] / max (tonality, 0.1), -1.2, 1.2);

  const float low = edges.v[band];
  const float high = edges.v[band + 1];
  const float bins = (high - low) * 2.0 * float (hop) / sample_rate;
  return vec3 (sqrt (energy * (1.0 - tonality) / max (bins, 0.3)),
      sqrt (2.0 * energy * tonality),
      0.5 * (low + high) + 0.5 * (high - low) * offset);
}

void
main ()
{
  const uint pair = gl_GlobalInvocationID.x;
  if (pair >= 2 * bands)
    return;
  const uint row = 2 * bands;

  Tone before = tone_at (levels, frames * row + pair);
  float phase = phases.v[frames * row + pair];
  store_level (levels, pair, vec3 (levels.v[3 * (frames * row + pair)],
                                 before.amplitude, before.frequency));
  phases.v[pair] = phase;
  for (uint frame = 0; frame < frames; frame++) {
    const vec3 level = level_of (frame, pair / bands, pair % bands);
    store_level (levels, (frame + 1) * row + pair, level);

    const Tone after = Tone (level.y, level.z);
    const vec2 ends = frequencies (before, after);
    phase = fract (
        phase + glide (ends, vec4 (hop), float (hop), sample_rate).x);
    phases.v[(frame + 1) * row + pair] = phase;
    before = after;
  }
}
