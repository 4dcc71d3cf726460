/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/clean.h"

#include <string.h>

#include "models/text/entities.h"
#include "models/text/whitespace.h"

/* Appends what a character becomes. */
typedef void (*Fix) (gunichar c, GString *result);

/* From Latin-1's control characters to what Windows-1252 has there. */
static void
fix_control_1 (gunichar c, GString *result)
{
  if (c >= 0x80 && c <= 0x9f) {
    g_autofree char *reference = g_strdup_printf ("&#%u;", c);
    g_autofree char *meant = vidgen_entities_unescape (reference);

    g_string_append (result, meant);
  } else {
    g_string_append_unichar (result, c);
  }
}

static const struct {
  gunichar c;
  const char *letters;
} ligatures[] = { { 0x132, "IJ" }, { 0x133, "ij" }, { 0x149, "\u02bcn" },
  { 0x1f1, "DZ" }, { 0x1f2, "Dz" }, { 0x1f3, "dz" }, { 0x1c4, "D\u017d" },
  { 0x1c5, "D\u017e" }, { 0x1c6, "d\u017e" }, { 0x1c7, "LJ" }, { 0x1c8, "Lj" },
  { 0x1c9, "lj" }, { 0x1ca, "NJ" }, { 0x1cb, "Nj" }, { 0x1cc, "nj" },
  { 0xfb00, "ff" }, { 0xfb01, "fi" }, { 0xfb02, "fl" }, { 0xfb03, "ffi" },
  { 0xfb04, "ffl" }, { 0xfb05, "\u017ft" }, { 0xfb06, "st" } };

static void
fix_ligature (gunichar c, GString *result)
{
  for (guint i = 0; i < G_N_ELEMENTS (ligatures); i++) {
    if (ligatures[i].c == c) {
      g_string_append (result, ligatures[i].letters);
      return;
    }
  }
  g_string_append_unichar (result, c);
}

static void
fix_width (gunichar c, GString *result)
{
  const gsize before = result->len;
  g_autofree char *normal = NULL;

  if (c == 0x3000) {
    g_string_append_c (result, ' ');
    return;
  }
  g_string_append_unichar (result, c);
  if (c < 0xff01 || c > 0xffef)
    return;
  normal = g_utf8_normalize (result->str + before, -1, G_NORMALIZE_NFKC);
  g_string_truncate (result, before);
  g_string_append (result, normal);
}

static void
fix_quote (gunichar c, GString *result)
{
  if (c >= 0x201c && c <= 0x201f)
    c = '"';
  else if ((c >= 0x2018 && c <= 0x201b) || c == 0x2bc)
    c = '\'';
  g_string_append_unichar (result, c);
}

static void
fix_line_break (gunichar c, GString *result)
{
  if (c == '\r' || c == 0x2028 || c == 0x2029 || c == 0x85)
    c = '\n';
  g_string_append_unichar (result, c);
}

static void
drop_control (gunichar c, GString *result)
{
  if (c < 0x09 || c == 0x0b || (c >= 0x0e && c < 0x20) || c == 0x7f ||
      (c >= 0x206a && c <= 0x206f) || c == 0xfeff ||
      (c >= 0xfff9 && c <= 0xfffc))
    return;
  g_string_append_unichar (result, c);
}

static void
take (char **text, char *result)
{
  g_free (*text);
  *text = result;
}

static void
fix_characters (char **text, Fix fix)
{
  GString *result = g_string_sized_new (strlen (*text));

  for (const char *at = *text; *at; at = g_utf8_next_char (at))
    fix (g_utf8_get_char (at), result);
  take (text, g_string_free (result, FALSE));
}

static void
join_line_ends (char **text)
{
  g_auto (GStrv) lines = g_strsplit (*text, "\r\n", -1);

  take (text, g_strjoinv ("\n", lines));
}

/* The size of "ESC [ 1 ; 2 m"; 0: is none. */
static gsize
terminal_escape_bytes (const char *text)
{
  const char *at = text + 2;

  if (text[0] != '\033' || text[1] != '[')
    return 0;
  while (*at == ';' || g_unichar_isdigit (g_utf8_get_char (at)))
    at = g_utf8_next_char (at);
  return g_ascii_isalpha (*at) ? (gsize)(at + 1 - text) : 0;
}

static void
drop_terminal_escapes (char **text)
{
  GString *result = g_string_sized_new (strlen (*text));

  for (const char *at = *text; *at;) {
    const gsize bytes = terminal_escape_bytes (at);

    if (bytes)
      at += bytes;
    else
      g_string_append_c (result, *at++);
  }
  take (text, g_string_free (result, FALSE));
}

static void
fix_once (char **text, gboolean references)
{
  if (references)
    take (text, vidgen_entities_unescape_plain (*text));
  fix_characters (text, fix_control_1);
  fix_characters (text, fix_ligature);
  fix_characters (text, fix_width);
  fix_characters (text, fix_quote);
  join_line_ends (text);
  fix_characters (text, fix_line_break);
  drop_terminal_escapes (text);
  fix_characters (text, drop_control);
  take (text, g_utf8_normalize (*text, -1, G_NORMALIZE_NFC));
}

/* Each round may bring to light what the next one fixes; but for references,
 * which become shorter, rounds do not undo each other, so there is an end. */
static void
fix_line (char **line, gboolean references)
{
  g_autofree char *before = NULL;

  do {
    take (&before, g_strdup (*line));
    fix_once (line, references);
  } while (!g_str_equal (before, *line));
}

/* A "<" leaves the references of its line and all that follow alone: it may be
 * HTML on purpose. */
static char *
fix_lines (const char *text)
{
  GString *result = g_string_new (NULL);
  gboolean references = TRUE;

  while (*text) {
    const char *end = strchr (text, '\n');
    const gsize bytes = end ? (gsize)(end + 1 - text) : strlen (text);
    g_autofree char *line = g_strndup (text, bytes);

    references = references && !strchr (line, '<');
    fix_line (&line, references);
    g_string_append (result, line);
    text += bytes;
  }
  return g_string_free (result, FALSE);
}

/* What Python takes for whitespace. */
static gboolean
is_space (gunichar c)
{
  return vidgen_is_whitespace (c) || (c >= 0x1c && c <= 0x1f);
}

static char *
collapse_spaces (const char *text)
{
  GString *result = g_string_sized_new (strlen (text));
  gboolean space = FALSE;

  for (; *text; text = g_utf8_next_char (text)) {
    const gunichar c = g_utf8_get_char (text);

    if (!is_space (c)) {
      if (space && result->len)
        g_string_append_c (result, ' ');
      g_string_append_unichar (result, c);
    }
    space = is_space (c);
  }
  return g_string_free (result, FALSE);
}

char *
vidgen_clean_text (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  char *result = fix_lines (valid);

  take (&result, vidgen_entities_unescape (result));
  take (&result, vidgen_entities_unescape (result));
  take (&result, collapse_spaces (result));
  return result;
}
