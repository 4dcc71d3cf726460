/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/words.h"

static gboolean
in_word (char c)
{
  return (guint8)c >= 0x80 || g_ascii_isalnum (c);
}

gboolean
vidgen_mini_next_word (const char **text, GString *word)
{
  const char *here = *text;

  g_string_truncate (word, 0);
  while (*here && !in_word (*here))
    here++;
  while (*here && in_word (*here))
    g_string_append_c (word, g_ascii_tolower (*here++));
  *text = here;
  return word->len > 0;
}
