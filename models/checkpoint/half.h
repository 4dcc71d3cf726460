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

G_END_DECLS
