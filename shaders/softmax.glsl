// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: The vidgensrc authors

// The running softmax of ways of attention whose lanes hold scores.

#include "attention.glsl"

// Keys come in blocks, so that the sums are rescaled once a block.
const uint KEYS = 4;

float scores[ROWS * KEYS];
float maxima[ROWS];
float totals[ROWS];

// Turns the scores of row `i` into weights, and returns by how much the sums so
// far fade. Keys from `count` on weigh nothing.
float
weigh (uint i, uint first, uint count)
{
  float maximum = maxima[i];
  [[unroll]] for (uint key = 0; key < KEYS; key++) {
    if (first + key >= count)
      scores[i * KEYS + key] = LOWEST;
    maximum = max (maximum, scores[i * KEYS + key]);
  }
  const float fade = exp2 (maxima[i] - maximum);
  float total = totals[i] * fade;
  [[unroll]] for (uint key = 0; key < KEYS; key++) {
    scores[i * KEYS + key] = exp2 (scores[i * KEYS + key] - maximum);
    total += scores[i * KEYS + key];
  }
  maxima[i] = maximum;
  totals[i] = total;
  return fade;
}
