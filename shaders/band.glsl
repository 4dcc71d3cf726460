// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

// What the kernels of the band synthesiser share (shaders/bands.h).

const uint BAND_KINDS = 3;

struct Tone {
  float amplitude;
  float frequency; // Hz
};

Tone
tone_at (F32 levels, uint row)
{
  return Tone (levels.v[BAND_KINDS * row + 1], levels.v[BAND_KINDS * row + 2]);
}

void
store_level (F32 levels, uint row, vec3 level)
{
  levels.v[BAND_KINDS * row] = level.x;
  levels.v[BAND_KINDS * row + 1] = level.y;
  levels.v[BAND_KINDS * row + 2] = level.z;
}

// The frequencies from which and to which a tone glides: a silent end takes
// the other's, two silent ends stand still.
vec2
frequencies (Tone before, Tone after)
{
  if (before.amplitude == 0.0 && after.amplitude == 0.0)
    return vec2 (0);
  return vec2 (before.amplitude == 0.0 ? after.frequency : before.frequency,
      after.amplitude == 0.0 ? before.frequency : after.frequency);
}

// frequency * samples / sample_rate turns, but for whole ones. Whole hertz
// times samples are exact below 2^24, so no digits go with the whole turns.
vec4
turns (float frequency, vec4 samples, float sample_rate)
{
  const float whole = floor (frequency);
  const vec4 product = whole * samples;
  const vec4 rest = product - floor (product / sample_rate) * sample_rate;
  return (rest + (frequency - whole) * samples) / sample_rate;
}

// The turns of a tone over the first `samples` of a frame of `hop`.
vec4
glide (vec2 ends, vec4 samples, float hop, float sample_rate)
{
  const vec4 bend =
      (ends.y - ends.x) * samples * (samples / (2.0 * hop * sample_rate));
  return turns (ends.x, samples, sample_rate) + bend;
}
