/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/entities.h"

#include <string.h>

#include "models/text/entities-table.h"
#include "models/text/trie.h"

#define MAX_NAME_CHARACTERS 32
#define MAX_PLAIN_CHARACTERS 24

/* What numbers 0x80 to 0x9f mean: Windows-1252; 0: themselves. */
static const guint16 windows_1252[32] = { 0x20ac, 0, 0x201a, 0x192, 0x201e,
  0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0, 0x17d, 0, 0,
  0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161,
  0x203a, 0x153, 0, 0x17e, 0x178 };

static const VidgenTrie *
get_names (void)
{
  static gsize ready;

  if (g_once_init_enter (&ready)) {
    g_autofree VidgenTrieKey *keys =
        g_new (VidgenTrieKey, G_N_ELEMENTS (entities));

    for (guint i = 0; i < G_N_ELEMENTS (entities); i++)
      keys[i] =
          (VidgenTrieKey){ entities[i].name, strlen (entities[i].name), i };
    g_once_init_leave (
        &ready, (gsize)vidgen_trie_new (keys, G_N_ELEMENTS (entities)));
  }
  return (const VidgenTrie *)ready;
}

static gboolean
is_no_character (guint number)
{
  return (number >= 0x01 && number <= 0x08) || number == 0x0b ||
         (number >= 0x0e && number <= 0x1f) || number == 0x7f ||
         (number >= 0xfdd0 && number <= 0xfdef) || (number & 0xfffe) == 0xfffe;
}

static void
append_number (guint number, GString *result)
{
  if (number >= 0x80 && number <= 0x9f) {
    const guint16 meant = windows_1252[number - 0x80];

    g_string_append_unichar (result, meant ? meant : number);
  } else if (number == 0 || (number >= 0xd800 && number <= 0xdfff) ||
             number > 0x10ffff) {
    g_string_append_unichar (result, 0xfffd);
  } else if (!is_no_character (number)) {
    g_string_append_unichar (result, number);
  }
}

/* The number of "#38" or "#x26", and its size; 0 where there is none. */
static gsize
parse_number (const char *text, guint *number)
{
  const gboolean hex = text[1] == 'x' || text[1] == 'X';
  const gsize start = hex ? 2 : 1;
  gsize at = start;

  for (*number = 0;; at++) {
    const int digit =
        hex ? g_ascii_xdigit_value (text[at]) : g_ascii_digit_value (text[at]);

    if (digit < 0)
      break;
    *number = MIN (*number * (hex ? 16 : 10) + (guint)digit, 0x110000);
  }
  return at > start ? at : 0;
}

/* The size of what may be a name, with its ";". */
static gsize
name_bytes (const char *text)
{
  const char *at = text;

  for (guint i = 0; i < MAX_NAME_CHARACTERS && *at; i++) {
    if (strchr ("\t\n\f <&#;", *at))
      break;
    at = g_utf8_next_char (at);
  }
  if (at > text && *at == ';')
    at++;
  return (gsize)(at - text);
}

/* Of the text behind "&": how much of it was one, appended; or 0. */
static gsize
unescape (const char *text, GString *result)
{
  guint number;
  guint32 index;
  gsize bytes;

  if (*text == '#') {
    bytes = parse_number (text, &number);
    if (bytes)
      append_number (number, result);
    return bytes ? bytes + (text[bytes] == ';') : 0;
  }
  bytes = vidgen_trie_longest (get_names (), text, name_bytes (text), &index);
  if (bytes)
    g_string_append (result, entities[index].text);
  return bytes;
}

/* "EACUTE;": the letter in capitals, where the name is not one as it is. */
static gboolean
append_capital (const char *name, gsize bytes, GString *result)
{
  g_autofree char *small = g_ascii_strdown (name, (gssize)bytes);
  g_autofree char *large = g_ascii_strup (name, (gssize)bytes);
  g_autofree char *text = NULL;
  const gint64 index = vidgen_trie_find (get_names (), small, bytes);
  guint32 other;

  if (index < 0 || strncmp (large, name, bytes) != 0 ||
      vidgen_trie_longest (get_names (), name, bytes, &other))
    return FALSE;
  text = g_utf8_strup (entities[index].text, -1);
  g_string_append (result, text);
  return TRUE;
}

static gsize
unescape_plain (const char *text, GString *result)
{
  const gsize start = *text == '#';
  gsize bytes = start;
  gint64 index;
  guint number;

  while (bytes - start < MAX_PLAIN_CHARACTERS && g_ascii_isalnum (text[bytes]))
    bytes++;
  if (bytes == start || text[bytes] != ';')
    return 0;
  bytes++;
  if (start) {
    if (parse_number (text, &number) != bytes - 1 || number == ';')
      return 0;
    append_number (number, result);
    return bytes;
  }
  index = vidgen_trie_find (get_names (), text, bytes);
  if (index >= 0)
    g_string_append (result, entities[index].text);
  else if (!append_capital (text, bytes, result))
    return 0;
  return bytes;
}

static char *
replace_all (const char *text, gsize (*replace) (const char *, GString *))
{
  GString *result = g_string_sized_new (strlen (text));

  while (*text) {
    const gsize bytes = *text == '&' ? replace (text + 1, result) : 0;

    if (bytes)
      text += 1 + bytes;
    else
      g_string_append_c (result, *text++);
  }
  return g_string_free (result, FALSE);
}

char *
vidgen_entities_unescape (const char *text)
{
  return replace_all (text, unescape);
}

char *
vidgen_entities_unescape_plain (const char *text)
{
  return replace_all (text, unescape_plain);
}
