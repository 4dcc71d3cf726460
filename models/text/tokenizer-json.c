/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/tokenizer-json.h"

#include <string.h>

#include "models/checkpoint/json.h"
#include "models/text/added-tokens.h"
#include "models/text/json-fields.h"
#include "models/text/json-normaliser.h"
#include "models/text/json-splitter.h"
#include "models/text/utf8.h"
#include "shaders/runtime/error.h"

#define MAX_DEPTH 16
#define MAX_TEMPLATE_TOKENS 64

struct _VidgenTokenizerJson {
  VidgenUnigram *model;
  VidgenJsonNormaliser *normaliser;
  VidgenJsonSplitter *splitter;
  VidgenAddedTokens *added;
  GArray *before, *after; /* guint32 */
};

static gboolean
read_piece (JsonNode *node, VidgenPiece *piece)
{
  JsonArray *pair =
      JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  JsonNode *text, *score;
  GType type;

  if (!pair || json_array_get_length (pair) != 2)
    return FALSE;
  text = json_array_get_element (pair, 0);
  score = json_array_get_element (pair, 1);
  type = json_node_get_value_type (score);
  if (json_node_get_value_type (text) != G_TYPE_STRING ||
      (type != G_TYPE_DOUBLE && type != G_TYPE_INT64))
    return FALSE;
  piece->text = json_node_get_string (text);
  piece->bytes = strlen (piece->text);
  piece->score = json_node_get_double (score);
  piece->type = VIDGEN_PIECE_NORMAL;
  return TRUE;
}

static VidgenUnigram *
read_model (JsonObject *object, const char *name, GError **error)
{
  const char *type = vidgen_json_string (object, "type");
  JsonArray *vocabulary = vidgen_json_array (object, "vocab");
  const gint64 unknown = vidgen_json_count (object, "unk_id");
  const guint n = vocabulary ? json_array_get_length (vocabulary) : 0;
  g_autofree VidgenPiece *pieces = NULL;

  if (!vocabulary || (type && !g_str_equal (type, "Unigram")) || unknown < 0 ||
      unknown >= n) {
    vidgen_json_fail (
        error, name, "the model is no Unigram of a vocab with an unk_id in it");
    return NULL;
  }
  pieces = g_new (VidgenPiece, n);
  for (guint i = 0; i < n; i++) {
    if (!read_piece (json_array_get_element (vocabulary, i), &pieces[i])) {
      vidgen_json_fail (
          error, name, "entry %u of the vocab is not a text and a score", i);
      return NULL;
    }
  }
  pieces[unknown].type = VIDGEN_PIECE_UNKNOWN;
  return vidgen_unigram_new (pieces, n, VIDGEN_UNIGRAM_TRANSFORMERS,
      vidgen_json_boolean (object, "byte_fallback", FALSE), name, error);
}

/* The tokens of one entry, {"SpecialToken": {"id": …}}, of the template. */
static gboolean
append_special (JsonObject *specials, JsonObject *entry, GArray *tokens)
{
  JsonObject *special = vidgen_json_object (entry, "SpecialToken");
  const char *key = special ? vidgen_json_string (special, "id") : NULL;
  JsonObject *named = key ? vidgen_json_object (specials, key) : NULL;
  JsonArray *ids = named ? vidgen_json_array (named, "ids") : NULL;

  for (guint i = 0; ids && i < json_array_get_length (ids); i++) {
    JsonNode *node = json_array_get_element (ids, i);
    const gint64 id = json_node_get_value_type (node) == G_TYPE_INT64
                          ? json_node_get_int (node)
                          : -1;
    const guint32 token = (guint32)id;

    if (id < 0 || id > VIDGEN_UNIGRAM_MAX_PIECES ||
        tokens->len == MAX_TEMPLATE_TOKENS)
      return FALSE;
    g_array_append_val (tokens, token);
  }
  return ids != NULL;
}

static gboolean
read_template (
    VidgenTokenizerJson *tokenizer, JsonArray *single, JsonObject *specials)
{
  GArray *tokens = tokenizer->before;

  for (guint i = 0; i < json_array_get_length (single); i++) {
    JsonNode *node = json_array_get_element (single, i);
    JsonObject *entry =
        JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

    if (!entry)
      return FALSE;
    if (!vidgen_json_object (entry, "Sequence")) {
      if (!append_special (specials, entry, tokens))
        return FALSE;
    } else if (tokens == tokenizer->after) {
      return FALSE;
    } else {
      tokens = tokenizer->after;
    }
  }
  return tokens == tokenizer->after;
}

static gboolean
read_processor (VidgenTokenizerJson *tokenizer, JsonObject *root,
    const char *name, GError **error)
{
  JsonNode *node = json_object_get_member (root, "post_processor");
  JsonObject *object, *specials;
  const char *type;
  JsonArray *single;

  tokenizer->before = g_array_new (FALSE, FALSE, sizeof (guint32));
  tokenizer->after = g_array_new (FALSE, FALSE, sizeof (guint32));
  if (!node || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  object = vidgen_json_object (root, "post_processor");
  type = object ? vidgen_json_string (object, "type") : NULL;
  if (!type || !g_str_equal (type, "TemplateProcessing"))
    return vidgen_json_fail (error, name,
        "the post_processor '%s' is not supported", type ? type : "(none)");
  single = vidgen_json_array (object, "single");
  specials = vidgen_json_object (object, "special_tokens");
  return (single && specials && read_template (tokenizer, single, specials)) ||
         vidgen_json_fail (
             error, name, "the template of the post_processor is broken");
}

static gboolean
read_parts (VidgenTokenizerJson *tokenizer, JsonObject *root, const char *name,
    GError **error)
{
  JsonObject *model = vidgen_json_object (root, "model");

  if (!model)
    return vidgen_json_fail (error, name, "there is no model");
  tokenizer->model = read_model (model, name, error);
  if (!tokenizer->model || !read_processor (tokenizer, root, name, error))
    return FALSE;
  tokenizer->normaliser = vidgen_json_normaliser_new (
      json_object_get_member (root, "normalizer"), name, error);
  if (!tokenizer->normaliser)
    return FALSE;
  tokenizer->splitter = vidgen_json_splitter_new (
      json_object_get_member (root, "pre_tokenizer"), name, error);
  if (!tokenizer->splitter)
    return FALSE;
  tokenizer->added =
      vidgen_added_tokens_new (vidgen_json_array (root, "added_tokens"),
          tokenizer->model, tokenizer->normaliser, name, error);
  return tokenizer->added != NULL;
}

VidgenTokenizerJson *
vidgen_tokenizer_json_new (
    const char *text, gsize length, const char *name, GError **error)
{
  g_autoptr (VidgenTokenizerJson) tokenizer = NULL;
  g_autofree char *what = g_strdup_printf ("'%s'", name);
  g_autoptr (JsonNode) root =
      vidgen_json_parse (text, length, MAX_DEPTH, what, error);

  if (!root)
    return NULL;
  tokenizer = g_new0 (VidgenTokenizerJson, 1);
  if (!read_parts (tokenizer, json_node_get_object (root), name, error))
    return NULL;
  return g_steal_pointer (&tokenizer);
}

void
vidgen_tokenizer_json_free (VidgenTokenizerJson *tokenizer)
{
  if (!tokenizer)
    return;
  vidgen_added_tokens_free (tokenizer->added);
  vidgen_json_splitter_free (tokenizer->splitter);
  vidgen_json_normaliser_free (tokenizer->normaliser);
  vidgen_unigram_free (tokenizer->model);
  g_clear_pointer (&tokenizer->before, g_array_unref);
  g_clear_pointer (&tokenizer->after, g_array_unref);
  g_free (tokenizer);
}

const VidgenUnigram *
vidgen_tokenizer_json_model (const VidgenTokenizerJson *tokenizer)
{
  return tokenizer->model;
}

static GString *
make_valid (const char *text, gsize length)
{
  GString *valid = g_string_sized_new (length);
  guint bytes;

  for (gsize at = 0; at < length; at += bytes) {
    const gunichar c = vidgen_utf8_get (text + at, length - at, &bytes);

    if (c == VIDGEN_UTF8_REPLACEMENT)
      g_string_append_unichar (valid, c);
    else
      g_string_append_len (valid, text + at, bytes);
  }
  return valid;
}

static void
encode_text (const VidgenTokenizerJson *tokenizer, const char *text,
    gsize length, gboolean begins, GArray *tokens)
{
  g_autoptr (GPtrArray) parts =
      vidgen_json_splitter_apply (tokenizer->splitter, text, length, begins);

  for (guint i = 0; i < parts->len; i++) {
    const GString *part = parts->pdata[i];

    vidgen_unigram_encode (tokenizer->model, part->str, part->len, tokens);
  }
}

static void
append_token (gint64 token, GArray *tokens)
{
  const guint32 value = (guint32)token;

  g_array_append_val (tokens, value);
}

static void
encode_raw (const VidgenTokenizerJson *tokenizer, const char *text,
    gsize length, gboolean begins, GArray *tokens)
{
  g_autoptr (GString) normalised = vidgen_json_normaliser_apply (
      tokenizer->normaliser, text, length, &begins);
  g_autoptr (GArray) parts = vidgen_added_tokens_split (tokenizer->added,
      VIDGEN_ADDED_NORMALISED, normalised->str, normalised->len);

  for (guint i = 0; i < parts->len; i++) {
    const VidgenAddedPart *part = &g_array_index (parts, VidgenAddedPart, i);

    if (part->token >= 0)
      append_token (part->token, tokens);
    else
      encode_text (tokenizer, normalised->str + part->start,
          part->end - part->start, begins && part->start == 0, tokens);
  }
}

static GArray *
encode_all (
    const VidgenTokenizerJson *tokenizer, const char *text, gsize length)
{
  GArray *tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) parts = vidgen_added_tokens_split (
      tokenizer->added, VIDGEN_ADDED_RAW, text, length);

  for (guint i = 0; i < parts->len; i++) {
    const VidgenAddedPart *part = &g_array_index (parts, VidgenAddedPart, i);

    if (part->token >= 0)
      append_token (part->token, tokens);
    else
      encode_raw (tokenizer, text + part->start, part->end - part->start,
          part->start == 0, tokens);
  }
  return tokens;
}

static void
put_around (const VidgenTokenizerJson *tokenizer, guint limit, GArray *tokens)
{
  const GArray *before = tokenizer->before, *after = tokenizer->after;
  const guint n_around = before->len + after->len;

  if (limit && tokens->len > MAX (limit, n_around) - n_around)
    g_array_set_size (tokens, MAX (limit, n_around) - n_around);
  g_array_prepend_vals (tokens, before->data, before->len);
  g_array_append_vals (tokens, after->data, after->len);
}

GArray *
vidgen_tokenizer_json_encode (const VidgenTokenizerJson *tokenizer,
    const char *text, gsize length, gboolean template, guint limit,
    GError **error)
{
  g_autoptr (GString) valid = NULL;
  GArray *tokens;

  if (length > VIDGEN_TOKENIZER_MAX_TEXT_BYTES) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "A text of %" G_GSIZE_FORMAT
        " bytes is too long, at most %u are taken.",
        length, VIDGEN_TOKENIZER_MAX_TEXT_BYTES);
    return NULL;
  }
  valid = make_valid (text, length);
  tokens = encode_all (tokenizer, valid->str, valid->len);
  if (template)
    put_around (tokenizer, limit, tokens);
  else if (limit && tokens->len > limit)
    g_array_set_size (tokens, limit);
  return tokens;
}
