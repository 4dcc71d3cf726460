/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VIDGEN_UTF8_REPLACEMENT 0xfffd

/* The character that `length` > 0 bytes begin with, and its size in bytes. A
 * byte that begins none is VIDGEN_UTF8_REPLACEMENT of 1 byte, which tells it
 * from the character U+FFFD of 3. NUL is a character. */
static inline gunichar
vidgen_utf8_get (const char *text, gsize length, guint *bytes)
{
  gunichar c;

  *bytes = 1;
  if ((guint8)*text < 0x80)
    return (guint8)*text;
  c = g_utf8_get_char_validated (text, (gssize)MIN (length, 4));
  if (c >= (gunichar)-2)
    return VIDGEN_UTF8_REPLACEMENT;
  *bytes = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  return c;
}

G_END_DECLS
