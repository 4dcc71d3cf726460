/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/normalise.h"

#include <string.h>

#include "models/text/utf8.h"

typedef struct {
  const VidgenNormaliserRules *rules;
  const VidgenCharsmap *map;
  const VidgenUnigram *model;
  GString *result;
} Normaliser;

typedef struct {
  const char *text;
  gsize length;
} Part;

/* What the text's beginning becomes, and how much of the text that is. */
static gsize
take (const Normaliser *normaliser, const char *text, gsize length, Part *part)
{
  gsize key_bytes =
      vidgen_unigram_match_user_defined (normaliser->model, text, length);
  guint bytes;

  *part = (Part){ text, key_bytes };
  if (key_bytes)
    return key_bytes;
  if (normaliser->map)
    part->text =
        vidgen_charsmap_longest (normaliser->map, text, length, &key_bytes);
  if (key_bytes) {
    part->length = strlen (part->text);
    return key_bytes;
  }
  if (vidgen_utf8_get (text, length, &bytes) == VIDGEN_UTF8_REPLACEMENT &&
      bytes == 1)
    *part = (Part){ "\xef\xbf\xbd", 3 };
  else
    *part = (Part){ text, bytes };
  return bytes;
}

static void
append_space (const Normaliser *normaliser)
{
  g_string_append (normaliser->result,
      normaliser->rules->escape_spaces ? VIDGEN_SPACE_SYMBOL : " ");
}

static void
append (const Normaliser *normaliser, Part part)
{
  for (gsize i = 0; i < part.length; i++) {
    if (part.text[i] == ' ')
      append_space (normaliser);
    else
      g_string_append_c (normaliser->result, part.text[i]);
  }
}

static gsize
skip_leading_spaces (
    const Normaliser *normaliser, const char *text, gsize length)
{
  gsize at = 0;

  while (at < length) {
    Part part;
    const gsize taken = take (normaliser, text + at, length - at, &part);

    if (part.length != 1 || *part.text != ' ')
      break;
    at += taken;
  }
  return at;
}

static void
drop_trailing_spaces (const Normaliser *normaliser)
{
  GString *result = normaliser->result;
  const char *space =
      normaliser->rules->escape_spaces ? VIDGEN_SPACE_SYMBOL : " ";
  const gsize bytes = strlen (space);

  while (result->len >= bytes &&
         memcmp (result->str + result->len - bytes, space, bytes) == 0)
    g_string_truncate (result, result->len - bytes);
}

static void
append_text (const Normaliser *normaliser, const char *text, gsize length)
{
  const gboolean remove = normaliser->rules->remove_extra_spaces;
  gboolean after_space = remove;

  for (gsize at = 0; at < length;) {
    Part part;

    at += take (normaliser, text + at, length - at, &part);
    for (; after_space && part.length && *part.text == ' '; part.length--)
      part.text++;
    if (part.length == 0)
      continue;
    append (normaliser, part);
    after_space = remove && part.text[part.length - 1] == ' ';
  }
}

GString *
vidgen_normalise (const VidgenNormaliserRules *rules, const VidgenCharsmap *map,
    const VidgenUnigram *model, const char *text, gsize length)
{
  const Normaliser normaliser = { rules, map, model, g_string_new (NULL) };
  gsize at = 0;

  if (rules->remove_extra_spaces)
    at = skip_leading_spaces (&normaliser, text, length);
  if (at == length)
    return normaliser.result;
  if (rules->add_dummy_prefix && !rules->dummy_as_suffix)
    append_space (&normaliser);
  append_text (&normaliser, text + at, length - at);
  if (rules->remove_extra_spaces)
    drop_trailing_spaces (&normaliser);
  if (rules->add_dummy_prefix && rules->dummy_as_suffix)
    append_space (&normaliser);
  return normaliser.result;
}
