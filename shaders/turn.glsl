// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

// (cos, sin) of an angle by Taylor series, to about 1e-7.

// An angle of `quarters` quarter turns plus `rest` turns, |rest| <= 1/8.
vec2
turn (uint quarters, float rest)
{
  const float x = 6.283185307179586 * rest;
  const float q = x * x;
  const float c = 1.0 -
      q * (0.5 - q * (1.0 / 24.0 - q * (1.0 / 720.0 - q / 40320.0)));
  const float s = x *
      (1.0 - q * (1.0 / 6.0 - q * (1.0 / 120.0 - q * (1.0 / 5040.0 -
                                                     q / 362880.0))));
  const vec2 even = vec2 (c, s);
  const vec2 odd = vec2 (-s, c);
  const vec2 half_turn = (quarters & 1u) == 0u ? even : odd;
  return (quarters & 2u) == 0u ? half_turn : -half_turn;
}

// An angle of word 2^-32 turns.
vec2
turn (uint word)
{
  const uint quarters = (word + 0x20000000u) >> 30;
  const int rest = int (word - (quarters << 30));
  return turn (quarters, float (rest) * 2.3283064365386963e-10);
}

// An angle of `cycles` turns, |cycles| below 2^22.
vec2
turn (float cycles)
{
  const float nearest = floor (4.0 * cycles + 0.5);
  return turn (uint (int (nearest)), cycles - 0.25 * nearest);
}
