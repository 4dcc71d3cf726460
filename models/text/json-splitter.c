/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/json-splitter.h"

#include <string.h>

#include "models/text/json-fields.h"
#include "models/text/whitespace.h"

#define MAX_STEPS 8

typedef enum { PREPEND_NEVER, PREPEND_FIRST, PREPEND_ALWAYS } Prepend;

typedef struct {
  gboolean whitespace; /* WhitespaceSplit, else Metaspace */
  char symbol[8];
  Prepend prepend;
  gboolean split;
} Step;

struct _VidgenJsonSplitter {
  GArray *steps;
};

/* In work; `begins` as in the header. */
typedef struct {
  GString *text;
  gboolean begins;
} Part;

static void
add_part (GArray *parts, const char *text, gsize length, gboolean begins)
{
  const Part part = { g_string_new_len (text, (gssize)length), begins };

  if (length)
    g_array_append_val (parts, part);
  else
    g_string_free (part.text, TRUE);
}

static void
split_whitespace (const Part *part, GArray *parts)
{
  const char *text = part->text->str;
  const gsize length = part->text->len;
  gsize start = 0;
  guint bytes;

  for (gsize at = 0; at < length; at += bytes) {
    if (!vidgen_is_whitespace (
            vidgen_utf8_get (text + at, length - at, &bytes)))
      continue;
    add_part (parts, text + start, at - start, part->begins && start == 0);
    start = at + bytes;
  }
  add_part (parts, text + start, length - start, part->begins && start == 0);
}

static gboolean
has_symbol (const Step *step, const GString *text, gsize at)
{
  const gsize bytes = strlen (step->symbol);

  return text->len - at >= bytes &&
         memcmp (text->str + at, step->symbol, bytes) == 0;
}

static GString *
mark_spaces (const Step *step, const Part *part)
{
  GString *text = g_string_sized_new (part->text->len + 8);

  for (gsize i = 0; i < part->text->len; i++) {
    if (part->text->str[i] == ' ')
      g_string_append (text, step->symbol);
    else
      g_string_append_c (text, part->text->str[i]);
  }
  if (!has_symbol (step, text, 0) &&
      (step->prepend == PREPEND_ALWAYS ||
          (step->prepend == PREPEND_FIRST && part->begins)))
    g_string_prepend (text, step->symbol);
  return text;
}

static void
split_symbols (const Step *step, const Part *part, GArray *parts)
{
  GString *text = mark_spaces (step, part);
  gsize start = 0;

  for (gsize at = 1; step->split && at < text->len; at++) {
    if (!has_symbol (step, text, at))
      continue;
    add_part (parts, text->str + start, at - start, part->begins && start == 0);
    start = at;
  }
  add_part (
      parts, text->str + start, text->len - start, part->begins && start == 0);
  g_string_free (text, TRUE);
}

static GArray *
apply (const Step *step, GArray *parts)
{
  GArray *result = g_array_new (FALSE, FALSE, sizeof (Part));

  for (guint i = 0; i < parts->len; i++) {
    const Part *part = &g_array_index (parts, Part, i);

    if (step->whitespace)
      split_whitespace (part, result);
    else
      split_symbols (step, part, result);
    g_string_free (part->text, TRUE);
  }
  g_array_unref (parts);
  return result;
}

static void
free_string (gpointer text)
{
  g_string_free (text, TRUE);
}

GPtrArray *
vidgen_json_splitter_apply (const VidgenJsonSplitter *splitter,
    const char *text, gsize length, gboolean begins)
{
  GArray *parts = g_array_new (FALSE, FALSE, sizeof (Part));
  GPtrArray *result = g_ptr_array_new_with_free_func (free_string);

  add_part (parts, text, length, begins);
  for (guint i = 0; i < splitter->steps->len; i++)
    parts = apply (&g_array_index (splitter->steps, Step, i), parts);
  for (guint i = 0; i < parts->len; i++)
    g_ptr_array_add (result, g_array_index (parts, Part, i).text);
  g_array_unref (parts);
  return result;
}

static gboolean
parse_prepend (JsonObject *object, Prepend *prepend)
{
  const char *scheme = vidgen_json_string (object, "prepend_scheme");

  *prepend = vidgen_json_boolean (object, "add_prefix_space", TRUE)
                 ? PREPEND_ALWAYS
                 : PREPEND_NEVER;
  if (!scheme)
    return TRUE;
  if (*prepend == PREPEND_NEVER)
    return g_str_equal (scheme, "never");
  if (g_str_equal (scheme, "first"))
    *prepend = PREPEND_FIRST;
  else if (g_str_equal (scheme, "never"))
    *prepend = PREPEND_NEVER;
  else
    return g_str_equal (scheme, "always");
  return TRUE;
}

static gboolean
add_metaspace (
    GArray *steps, JsonObject *object, const char *name, GError **error)
{
  const char *symbol = vidgen_json_string (object, "replacement");
  Step step = { .split = vidgen_json_boolean (object, "split", TRUE) };

  if (!symbol || g_utf8_strlen (symbol, -1) != 1 ||
      !parse_prepend (object, &step.prepend))
    return vidgen_json_fail (error, name,
        "Metaspace has no replacement of one character, or a prepend_scheme "
        "that is unknown or contradicts add_prefix_space");
  g_strlcpy (step.symbol, symbol, sizeof step.symbol);
  g_array_append_val (steps, step);
  return TRUE;
}

static gboolean
add_step (GArray *steps, JsonNode *node, const char *name, GError **error)
{
  JsonObject *object =
      JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *type = object ? vidgen_json_string (object, "type") : NULL;
  JsonArray *inner =
      object ? vidgen_json_array (object, "pretokenizers") : NULL;
  const Step whitespace = { .whitespace = TRUE };

  if (!type || steps->len == MAX_STEPS)
    return vidgen_json_fail (
        error, name, "the pre_tokenizer is broken or has too many steps");
  if (g_str_equal (type, "Metaspace"))
    return add_metaspace (steps, object, name, error);
  if (g_str_equal (type, "WhitespaceSplit")) {
    g_array_append_val (steps, whitespace);
    return TRUE;
  }
  if (!g_str_equal (type, "Sequence") || !inner)
    return vidgen_json_fail (
        error, name, "the pre_tokenizer '%s' is not supported", type);
  for (guint i = 0; i < json_array_get_length (inner); i++)
    if (!add_step (steps, json_array_get_element (inner, i), name, error))
      return FALSE;
  return TRUE;
}

VidgenJsonSplitter *
vidgen_json_splitter_new (JsonNode *node, const char *name, GError **error)
{
  g_autoptr (VidgenJsonSplitter) splitter = g_new0 (VidgenJsonSplitter, 1);

  splitter->steps = g_array_new (FALSE, FALSE, sizeof (Step));
  if (node && !JSON_NODE_HOLDS_NULL (node) &&
      !add_step (splitter->steps, node, name, error))
    return NULL;
  return g_steal_pointer (&splitter);
}

void
vidgen_json_splitter_free (VidgenJsonSplitter *splitter)
{
  if (!splitter)
    return;
  g_array_unref (splitter->steps);
  g_free (splitter);
}
