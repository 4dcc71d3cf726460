/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/json.h"

#include "shaders/runtime/error.h"

/* json-glib keeps the last of two members of one name; counting them as they
 * are parsed tells. */
typedef struct {
  GArray *members; /* guint, one an open object */
  char *duplicate_after;
} Watch;

static void
on_object_start (G_GNUC_UNUSED JsonParser *parser, Watch *watch)
{
  const guint none = 0;

  g_array_append_val (watch->members, none);
}

static void
on_object_member (G_GNUC_UNUSED JsonParser *parser, JsonObject *object,
    const char *name, Watch *watch)
{
  guint *count =
      &g_array_index (watch->members, guint, watch->members->len - 1);

  *count += 1;
  if (*count != json_object_get_size (object) && !watch->duplicate_after)
    watch->duplicate_after = g_strdup (name);
}

static void
on_object_end (G_GNUC_UNUSED JsonParser *parser,
    G_GNUC_UNUSED JsonObject *object, Watch *watch)
{
  g_array_set_size (watch->members, watch->members->len - 1);
}

static guint
nesting_depth (const char *text, gsize length)
{
  guint depth = 0, deepest = 0;
  gboolean in_string = FALSE;

  for (gsize i = 0; i < length; i++) {
    const char c = text[i];

    if (in_string) {
      if (c == '\\')
        i++;
      else if (c == '"')
        in_string = FALSE;
    } else if (c == '"') {
      in_string = TRUE;
    } else if (c == '{' || c == '[') {
      depth++;
      deepest = MAX (deepest, depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      depth--;
    }
  }
  return deepest;
}

static gboolean
check_text (const char *text, gsize length, guint max_depth, const char *what,
    GError **error)
{
  const char *bad = NULL;
  const guint depth = nesting_depth (text, length);

  if (!g_utf8_validate_len (text, length, &bad)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "%s is not UTF-8 at byte %" G_GSIZE_FORMAT ".", what,
        (gsize)(bad - text));
    return FALSE;
  }
  if (depth > max_depth) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "%s is nested %u levels deep, at most %u are allowed.", what, depth,
        max_depth);
    return FALSE;
  }
  return TRUE;
}

static JsonNode *
steal_object (JsonParser *parser, const char *what, GError **error)
{
  JsonNode *root = json_parser_get_root (parser);

  if (!root || !JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "%s is not a JSON object.", what);
    return NULL;
  }
  return json_parser_steal_root (parser);
}

JsonNode *
vidgen_json_parse (const char *text, gsize length, guint max_depth,
    const char *what, GError **error)
{
  g_autoptr (JsonParser) parser = NULL;
  g_autoptr (GError) bad = NULL;
  Watch watch = { NULL, NULL };
  JsonNode *root = NULL;

  if (!check_text (text, length, max_depth, what, error))
    return NULL;

  parser = json_parser_new ();
  watch.members = g_array_new (FALSE, FALSE, sizeof (guint));
  g_signal_connect (
      parser, "object-start", G_CALLBACK (on_object_start), &watch);
  g_signal_connect (
      parser, "object-member", G_CALLBACK (on_object_member), &watch);
  g_signal_connect (parser, "object-end", G_CALLBACK (on_object_end), &watch);

  if (!json_parser_load_from_data (parser, text, (gssize)length, &bad))
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "%s is not JSON: %s.", what, bad->message);
  else if (watch.duplicate_after)
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "%s names '%s' twice.", what, watch.duplicate_after);
  else
    root = steal_object (parser, what, error);

  g_array_unref (watch.members);
  g_free (watch.duplicate_after);
  return root;
}
