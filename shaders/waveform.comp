// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "band.glsl"
#include "turn.glsl"

layout (push_constant, scalar) uniform Push
{
  F32 noise;
  F32 levels;
  F32 phases;
  F32 to;
  uint frames;
  uint bands;
  uint hop;
  float sample_rate;
  uint mid_side;
};

// Consecutive samples of one invocation; one load of a tone feeds them all.
const uint SAMPLES = 4;

vec4
tone_samples (uint frame, uint pair, vec4 m)
{
  const uint row = frame * 2 * bands + pair;
  const Tone before = tone_at (levels, row);
  const Tone after = tone_at (levels, row + 2 * bands);
  if (before.amplitude == 0.0 && after.amplitude == 0.0)
    return vec4 (0);
  const vec4 cycles = phases.v[row] +
      glide (frequencies (before, after), m, float (hop), sample_rate);
  vec4 samples;
  [[unroll]] for (uint i = 0; i < SAMPLES; i++)
    samples[i] = turn (cycles[i]).x;
  return samples *
      mix (vec4 (before.amplitude), vec4 (after.amplitude), m / float (hop));
}

vec4
channel_samples (uint frame, uint channel, uint first)
{
  const uint tail = (frame * 2 + channel) * 2 * hop + hop;
  const uint head = ((frame + 1) * 2 + channel) * 2 * hop;
  vec4 sum;
  for (uint i = 0; i < SAMPLES; i++) {
    const uint n = min (first + i, hop - 1);
    sum[i] = noise.v[tail + n] + noise.v[head + n];
  }
  const vec4 m = float (first) + vec4 (0, 1, 2, 3);
  for (uint band = 0; band < bands; band++)
    sum += tone_samples (frame, channel * bands + band, m);
  return sum;
}

void
main ()
{
  const uint first = SAMPLES * gl_GlobalInvocationID.x;
  const uint frame = gl_GlobalInvocationID.y;
  if (first >= hop || frame >= frames)
    return;

  vec4 left = channel_samples (frame, 0, first);
  vec4 right = channel_samples (frame, 1, first);
  if (mid_side != 0) {
    const vec4 side = right;
    right = (left - side) * 0.7071067811865476;
    left = (left + side) * 0.7071067811865476;
  }
  left = clamp (left, -1.0, 1.0);
  right = clamp (right, -1.0, 1.0);
  const uint last = min (SAMPLES, hop - first);
  for (uint i = 0; i < last; i++) {
    to.v[2 * (frame * hop + first + i)] = left[i];
    to.v[2 * (frame * hop + first + i) + 1] = right[i];
  }
}
