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
