/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/added-tokens.h"

#include <string.h>

#include "models/text/json-fields.h"
#include "models/text/trie.h"
#include "models/text/whitespace.h"

typedef struct {
  GString *text;
  guint32 token;
  gboolean strip_left, strip_right;
  VidgenAddedStage stage;
} Added;

struct _VidgenAddedTokens {
  GArray *added;
  VidgenTrie *tries[2]; /* of indices, by stage */
};

static void
clear_added (gpointer data)
{
  g_string_free (((Added *)data)->text, TRUE);
}

static gboolean
add (GArray *array, JsonNode *node, const VidgenUnigram *model,
    const VidgenJsonNormaliser *normaliser, const char *name, GError **error)
{
  JsonObject *object =
      JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *text = object ? vidgen_json_string (object, "content") : NULL;
  gint64 token = object ? vidgen_json_count (object, "id") : -1;
  gboolean begins = TRUE;
  Added added;

  if (!text || !*text || token < 0 || token > VIDGEN_UNIGRAM_MAX_PIECES)
    return vidgen_json_fail (
        error, name, "an added token has no content or id");
  if (vidgen_json_boolean (object, "single_word", FALSE))
    return vidgen_json_fail (error, name,
        "the added token '%s' is a single_word, which is not "
        "supported",
        text);
  if (vidgen_unigram_find (model, text, strlen (text)) >= 0)
    token = vidgen_unigram_find (model, text, strlen (text));
  added = (Added){ .token = (guint32)token,
    .strip_left = vidgen_json_boolean (object, "lstrip", FALSE),
    .strip_right = vidgen_json_boolean (object, "rstrip", FALSE),
    .stage = vidgen_json_boolean (object, "normalized", TRUE)
                 ? VIDGEN_ADDED_NORMALISED
                 : VIDGEN_ADDED_RAW };
  added.text = added.stage == VIDGEN_ADDED_RAW
                   ? g_string_new (text)
                   : vidgen_json_normaliser_apply (
                         normaliser, text, strlen (text), &begins);
  g_array_append_val (array, added);
  return added.text->len > 0 ||
         vidgen_json_fail (error, name,
             "nothing is left of the added token '%s' when normalised", text);
}

static VidgenTrie *
index_stage (const GArray *array, VidgenAddedStage stage)
{
  g_autofree VidgenTrieKey *keys = g_new (VidgenTrieKey, array->len);
  guint n = 0;

  for (guint i = 0; i < array->len; i++) {
    const Added *added = &g_array_index (array, Added, i);

    if (added->stage == stage)
      keys[n++] = (VidgenTrieKey){ added->text->str, added->text->len, i };
  }
  return vidgen_trie_new (keys, n);
}

VidgenAddedTokens *
vidgen_added_tokens_new (JsonArray *tokens, const VidgenUnigram *model,
    const VidgenJsonNormaliser *normaliser, const char *name, GError **error)
{
  g_autoptr (VidgenAddedTokens) self = g_new0 (VidgenAddedTokens, 1);
  const guint n = tokens ? json_array_get_length (tokens) : 0;

  self->added = g_array_new (FALSE, FALSE, sizeof (Added));
  g_array_set_clear_func (self->added, clear_added);
  for (guint i = 0; i < n; i++)
    if (!add (self->added, json_array_get_element (tokens, i), model,
            normaliser, name, error))
      return NULL;
  self->tries[VIDGEN_ADDED_RAW] = index_stage (self->added, VIDGEN_ADDED_RAW);
  self->tries[VIDGEN_ADDED_NORMALISED] =
      index_stage (self->added, VIDGEN_ADDED_NORMALISED);
  return g_steal_pointer (&self);
}

void
vidgen_added_tokens_free (VidgenAddedTokens *tokens)
{
  if (!tokens)
    return;
  vidgen_trie_free (tokens->tries[VIDGEN_ADDED_RAW]);
  vidgen_trie_free (tokens->tries[VIDGEN_ADDED_NORMALISED]);
  g_array_unref (tokens->added);
  g_free (tokens);
}

static void
append_part (GArray *parts, gint64 token, gsize start, gsize end)
{
  const VidgenAddedPart part = { token, start, end };

  if (start < end)
    g_array_append_val (parts, part);
}

GArray *
vidgen_added_tokens_split (const VidgenAddedTokens *tokens,
    VidgenAddedStage stage, const char *text, gsize length)
{
  GArray *parts = g_array_new (FALSE, FALSE, sizeof (VidgenAddedPart));
  gsize done = 0;

  for (gsize at = 0; at < length;) {
    guint32 index = 0;
    const gsize bytes = vidgen_trie_longest (
        tokens->tries[stage], text + at, length - at, &index);
    gsize start = at, end = at + bytes;
    const Added *added;

    if (bytes == 0) {
      at++;
      continue;
    }
    at = end;
    added = &g_array_index (tokens->added, Added, index);
    if (added->strip_left)
      start = MAX (vidgen_trailing_whitespace (text, start), done);
    if (added->strip_right)
      end += vidgen_leading_whitespace (text + end, length - end);
    append_part (parts, -1, done, start);
    append_part (parts, added->token, start, end);
    done = end;
  }
  append_part (parts, -1, done, length);
  return parts;
}
