// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

// The random numbers of shaders/noise.h. Drivers may round log, sin and cos
// as coarsely as 2^-11, so nothing here calls them.

#include "turn.glsl"

// Philox4x32-10.
uvec4
philox (uvec4 counter, uvec2 key)
{
  for (int round = 0; round < 10; round++) {
    uint high0, low0, high2, low2;
    umulExtended (counter.x, 0xD2511F53u, high0, low0);
    umulExtended (counter.z, 0xCD9E8D57u, high2, low2);
    counter = uvec4 (
        high2 ^ counter.y ^ key.x, low2, high0 ^ counter.w ^ key.y, low0);
    key += uvec2 (0x9E3779B9u, 0xBB67AE85u);
  }
  return counter;
}

// 2 atanh s, |s| <= 0.172.
float
twice_atanh (float s)
{
  const float q = s * s;
  return 2.0 * s *
      (1.0 +
          q * (1.0 / 3.0 +
                  q * (1.0 / 5.0 +
                          q * (1.0 / 7.0 + q * (1.0 / 9.0 + q / 11.0)))));
}

// -ln ((word + 0.5) 2^-32), exact to f32 near one as well.
float
minus_log (uint word)
{
  if (word >= 0xC0000000u) {
    const float v = (float (~word) + 0.5) * 2.3283064365386963e-10;
    return twice_atanh (v / (2.0 - v));
  }
  const uint bits = floatBitsToUint (float (word) + 0.5);
  float mantissa = uintBitsToFloat (bits & 0x007FFFFFu | 0x3F800000u);
  int exponent = int (bits >> 23) - 127 - 32;
  if (mantissa > 1.41421356) {
    mantissa *= 0.5;
    exponent++;
  }
  return -0.6931471805599453 * float (exponent) -
      twice_atanh ((mantissa - 1.0) / (mantissa + 1.0));
}

// Box-Muller.
vec2
gauss (uvec2 words)
{
  return sqrt (2.0 * minus_log (words.x)) * turn (words.y);
}
