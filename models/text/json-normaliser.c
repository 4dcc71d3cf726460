/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/json-normaliser.h"

#include <string.h>

#include "models/text/charsmap.h"
#include "models/text/grapheme.h"
#include "models/text/json-fields.h"
#include "models/text/normalise.h"
#include "models/text/whitespace.h"

#define MAX_STEPS 32
#define MAX_CONTENT_BYTES 64
/* How many times longer a text may become. */
#define MAX_GROWTH (4 * VIDGEN_CHARSMAP_MAX_BYTES)
/* A larger cluster is mapped character by character. */
#define MAX_CLUSTER_BYTES 5

typedef struct _Step Step;
typedef void (*Apply) (const Step *step, GString *text, gboolean *begins);

struct _Step {
  Apply apply;
  VidgenCharsmap *map;
  char *pattern, *content;
  gboolean left, right;
};

struct _VidgenJsonNormaliser {
  GArray *steps;
  gsize growth;
};

static void
clear_step (gpointer data)
{
  Step *step = data;

  vidgen_charsmap_free (step->map);
  g_free (step->pattern);
  g_free (step->content);
}

/* Whether `part` had a replacement. */
static gboolean
append_mapped (
    const VidgenCharsmap *map, const char *part, gsize bytes, GString *result)
{
  gsize key_bytes;
  const char *text = vidgen_charsmap_shortest (map, part, bytes, &key_bytes);

  if (text)
    g_string_append (result, text);
  return text != NULL;
}

static void
append_cluster (const VidgenCharsmap *map, const char *cluster, gsize length,
    GString *result)
{
  guint bytes;

  if (length <= MAX_CLUSTER_BYTES &&
      append_mapped (map, cluster, length, result))
    return;
  for (gsize at = 0; at < length; at += bytes) {
    vidgen_utf8_get (cluster + at, length - at, &bytes);
    if (!append_mapped (map, cluster + at, bytes, result))
      g_string_append_len (result, cluster + at, bytes);
  }
}

static void
take (GString *text, GString *result)
{
  g_string_truncate (text, 0);
  g_string_append_len (text, result->str, (gssize)result->len);
  g_string_free (result, TRUE);
}

static void
apply_map (const Step *step, GString *text, G_GNUC_UNUSED gboolean *begins)
{
  GString *result = g_string_sized_new (text->len);
  gsize bytes;

  for (gsize at = 0; at < text->len; at += bytes) {
    bytes = vidgen_grapheme_bytes (text->str + at, text->len - at);
    append_cluster (step->map, text->str + at, bytes, result);
  }
  take (text, result);
}

static void
apply_strip (const Step *step, GString *text, gboolean *begins)
{
  if (step->right)
    g_string_truncate (text, vidgen_trailing_whitespace (text->str, text->len));
  if (step->left) {
    const gsize n = vidgen_leading_whitespace (text->str, text->len);

    g_string_erase (text, 0, (gssize)n);
    *begins = *begins && n == 0;
  }
}

static void
apply_replace (const Step *step, GString *text, gboolean *begins)
{
  const gsize bytes = strlen (step->pattern);
  GString *result = g_string_sized_new (text->len);

  for (gsize at = 0; at < text->len;) {
    if (text->len - at >= bytes &&
        memcmp (text->str + at, step->pattern, bytes) == 0) {
      g_string_append (result, step->content);
      if (at == 0 && (!*step->content || g_utf8_strlen (step->pattern, -1) > 1))
        *begins = FALSE;
      at += bytes;
    } else {
      g_string_append_c (result, text->str[at++]);
    }
  }
  take (text, result);
}

static gsize
count_spaces (const GString *text, gsize at)
{
  gsize n = 0;

  while (at + n < text->len && text->str[at + n] == ' ')
    n++;
  return n;
}

/* " {2,}" */
static void
apply_repeated_spaces (const Step *step, GString *text, gboolean *begins)
{
  GString *result = g_string_sized_new (text->len);

  for (gsize at = 0; at < text->len;) {
    const gsize n = count_spaces (text, at);

    if (n >= 2)
      g_string_append (result, step->content);
    else
      g_string_append_c (result, text->str[at]);
    if (at == 0 && n >= 2)
      *begins = FALSE;
    at += MAX (n, 1);
  }
  take (text, result);
}

/* "\A +| +\z" */
static void
apply_outer_spaces (const Step *step, GString *text, gboolean *begins)
{
  gsize n = count_spaces (text, 0);

  if (n) {
    g_string_erase (text, 0, (gssize)n);
    g_string_prepend (text, step->content);
    *begins = FALSE;
  }
  for (n = text->len; n > 0 && text->str[n - 1] == ' ';)
    n--;
  if (n < text->len) {
    g_string_truncate (text, n);
    g_string_append (text, step->content);
  }
}

/* "\A▁" */
static void
apply_leading_symbol (const Step *step, GString *text, gboolean *begins)
{
  const gsize bytes = strlen (VIDGEN_SPACE_SYMBOL);

  if (text->len < bytes || memcmp (text->str, VIDGEN_SPACE_SYMBOL, bytes) != 0)
    return;
  g_string_erase (text, 0, (gssize)bytes);
  g_string_prepend (text, step->content);
  *begins = *begins && *step->content;
}

static const struct {
  const char *expression;
  Apply apply;
} expressions[] = {
  { " {2,}", apply_repeated_spaces },
  { "\\A +| +\\z", apply_outer_spaces },
  { "\\A" VIDGEN_SPACE_SYMBOL, apply_leading_symbol },
};

/* Takes the step's contents. */
static gboolean
add (VidgenJsonNormaliser *normaliser, Step step, gsize growth,
    const char *name, GError **error)
{
  g_array_append_val (normaliser->steps, step);
  normaliser->growth *= MAX (growth, 1);
  if (normaliser->growth <= MAX_GROWTH && normaliser->steps->len <= MAX_STEPS)
    return TRUE;
  return vidgen_json_fail (error, name,
      "the normalizer has more than %d steps, or lets text become %d times "
      "longer",
      MAX_STEPS, MAX_GROWTH);
}

static gboolean
add_map (VidgenJsonNormaliser *normaliser, JsonObject *object, const char *name,
    GError **error)
{
  const char *base64 = vidgen_json_string (object, "precompiled_charsmap");
  g_autofree guchar *blob = NULL;
  Step step = { .apply = apply_map };
  gsize bytes;

  if (!base64)
    return vidgen_json_fail (
        error, name, "Precompiled has no precompiled_charsmap");
  blob = g_base64_decode (base64, &bytes);
  step.map = vidgen_charsmap_new (blob, bytes, name, error);
  return step.map &&
         add (normaliser, step, VIDGEN_CHARSMAP_MAX_BYTES, name, error);
}

static Apply
find_expression (const char *expression)
{
  for (guint i = 0; i < G_N_ELEMENTS (expressions); i++)
    if (g_str_equal (expression, expressions[i].expression))
      return expressions[i].apply;
  return NULL;
}

/* How many times longer a Replace lets a text become. */
static gsize
growth_of (const Step *step)
{
  gsize bytes = 0;

  if (step->pattern)
    bytes = strlen (step->pattern);
  else if (step->apply == apply_repeated_spaces)
    bytes = 2;
  return bytes ? (strlen (step->content) + bytes - 1) / bytes : 1;
}

static gboolean
add_replace (VidgenJsonNormaliser *normaliser, JsonObject *object,
    const char *name, GError **error)
{
  JsonObject *pattern = vidgen_json_object (object, "pattern");
  const char *text = pattern ? vidgen_json_string (pattern, "String") : NULL;
  const char *expression =
      pattern ? vidgen_json_string (pattern, "Regex") : NULL;
  const char *content = vidgen_json_string (object, "content");
  Step step = { .apply = apply_replace };

  if (expression)
    step.apply = find_expression (expression);
  else if (!text || !*text)
    step.apply = NULL;
  if (!step.apply || !content || strlen (content) > MAX_CONTENT_BYTES)
    return vidgen_json_fail (error, name, "Replace of '%s' is not supported",
        expression ? expression
        : text     ? text
                   : "nothing");
  step.pattern = expression ? NULL : g_strdup (text);
  step.content = g_strdup (content);
  return add (normaliser, step, growth_of (&step), name, error);
}

static gboolean
add_strip (VidgenJsonNormaliser *normaliser, JsonObject *object,
    const char *name, GError **error)
{
  const Step step = { .apply = apply_strip,
    .left = vidgen_json_boolean (object, "strip_left", FALSE),
    .right = vidgen_json_boolean (object, "strip_right", FALSE) };

  return add (normaliser, step, 1, name, error);
}

static gboolean
add_step (VidgenJsonNormaliser *normaliser, JsonNode *node, const char *name,
    GError **error)
{
  JsonObject *object =
      JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *type = object ? vidgen_json_string (object, "type") : NULL;
  JsonArray *inner = object ? vidgen_json_array (object, "normalizers") : NULL;

  if (!type)
    return vidgen_json_fail (error, name, "a normalizer has no type");
  if (g_str_equal (type, "Precompiled"))
    return add_map (normaliser, object, name, error);
  if (g_str_equal (type, "Replace"))
    return add_replace (normaliser, object, name, error);
  if (g_str_equal (type, "Strip"))
    return add_strip (normaliser, object, name, error);
  if (!g_str_equal (type, "Sequence") || !inner)
    return vidgen_json_fail (
        error, name, "the normalizer '%s' is not supported", type);
  for (guint i = 0; i < json_array_get_length (inner); i++)
    if (!add_step (normaliser, json_array_get_element (inner, i), name, error))
      return FALSE;
  return TRUE;
}

VidgenJsonNormaliser *
vidgen_json_normaliser_new (JsonNode *node, const char *name, GError **error)
{
  g_autoptr (VidgenJsonNormaliser) normaliser =
      g_new0 (VidgenJsonNormaliser, 1);

  normaliser->steps = g_array_new (FALSE, FALSE, sizeof (Step));
  g_array_set_clear_func (normaliser->steps, clear_step);
  normaliser->growth = 1;
  if (node && !JSON_NODE_HOLDS_NULL (node) &&
      !add_step (normaliser, node, name, error))
    return NULL;
  return g_steal_pointer (&normaliser);
}

void
vidgen_json_normaliser_free (VidgenJsonNormaliser *normaliser)
{
  if (!normaliser)
    return;
  g_array_unref (normaliser->steps);
  g_free (normaliser);
}

GString *
vidgen_json_normaliser_apply (const VidgenJsonNormaliser *normaliser,
    const char *text, gsize length, gboolean *begins)
{
  GString *result = g_string_new_len (text, (gssize)length);

  for (guint i = 0; i < normaliser->steps->len; i++) {
    const Step *step = &g_array_index (normaliser->steps, Step, i);

    step->apply (step, result, begins);
  }
  return result;
}
