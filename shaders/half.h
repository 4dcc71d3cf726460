/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* The IEEE half `bits` as a float; exact. */
static inline float
vidgen_half_to_float (guint16 bits)
{
  const guint32 sign = (guint32)(bits & 0x8000) << 16;
  const guint32 exponent = (bits >> 10) & 0x1f;
  const guint32 mantissa = bits & 0x3ff;
  guint32 word;
  float value;

  if (exponent == 0) {
    value = (float)mantissa * (1.0f / 16777216.0f); /* 2^-24 */
    return sign ? -value : value;
  }
  if (exponent == 31)
    word = sign | 0x7f800000 | (mantissa << 13);
  else
    word = sign | ((exponent + 112) << 23) | (mantissa << 13);
  memcpy (&value, &word, sizeof value);
  return value;
}

/* The nearest half, of two as near the even one; 65520 and more become
 * infinite. */
static inline guint16
vidgen_half_from_float (float value)
{
  const float half = 0.5f; /* the last place of 0.5 … 1 is a half's least */
  guint32 word, magnitude, base;
  guint16 sign;

  memcpy (&word, &value, sizeof word);
  sign = (guint16)(word >> 16 & 0x8000);
  magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return sign | 0x7e00;
  if (magnitude >= 0x477ff000)
    return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    magnitude += 0xfff + (magnitude >> 13 & 1);
    return sign | (guint16)((magnitude >> 13) - (112 << 10));
  }
  memcpy (&value, &magnitude, sizeof value);
  value += half;
  memcpy (&word, &value, sizeof word);
  memcpy (&base, &half, sizeof base);
  return sign | (guint16)(word - base);
}

/* What kernels store as halves: `value`, where it is beyond 65504 that, with
 * its sign. NaN stays NaN. Thread-safe. */
double vidgen_half_clamp (double value);
guint16 vidgen_half_store (double value);
/* How many values these two have changed in this process, modulo 2^32: on the
 * host device only, where references store. Thread-safe. */
guint vidgen_half_n_clamped (void);

G_END_DECLS
