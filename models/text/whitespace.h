/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/text/utf8.h"

G_BEGIN_DECLS

/* Unicode's property White_Space. */
static inline gboolean
vidgen_is_whitespace (gunichar c)
{
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* The size of the whitespace that UTF-8 text begins with. */
static inline gsize
vidgen_leading_whitespace (const char *text, gsize length)
{
  gsize at = 0;
  guint bytes;

  while (at < length && vidgen_is_whitespace (
                            vidgen_utf8_get (text + at, length - at, &bytes)))
    at += bytes;
  return at;
}

/* The size of the text without the whitespace that it ends with. */
static inline gsize
vidgen_trailing_whitespace (const char *text, gsize length)
{
  while (length > 0) {
    gsize at = length - 1;
    guint bytes;

    while (at > 0 && length - at < 4 && ((guint8)text[at] & 0xc0) == 0x80)
      at--;
    if (!vidgen_is_whitespace (
            vidgen_utf8_get (text + at, length - at, &bytes)) ||
        at + bytes != length)
      break;
    length = at;
  }
  return length;
}

G_END_DECLS
