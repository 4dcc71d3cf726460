/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/unigram.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "models/text/trie.h"
#include "shaders/runtime/error.h"

#define UNKNOWN_PENALTY 10.0f

struct _VidgenUnigram {
  char *texts;
  VidgenPiece *pieces;
  guint n_pieces;
  VidgenUnigramRules rules;
  VidgenTrie *all, *in_text, *user_defined;
  guint32 unknown;
  gint64 byte_tokens[256];
  gboolean byte_fallback;
  double least_score;
  float greatest_score;
};

/* The best way to a position of the text. */
typedef struct {
  double score;
  guint32 start;
  guint32 token;
} Step;

#define UNREACHED G_MAXUINT32

/* Of the pieces of the types whose bits are set. */
static VidgenTrie *
index_pieces (const VidgenUnigram *model, guint types)
{
  g_autofree VidgenTrieKey *keys = g_new (VidgenTrieKey, model->n_pieces);
  guint n = 0;

  for (guint i = 0; i < model->n_pieces; i++) {
    const VidgenPiece *piece = &model->pieces[i];

    if (types & (1u << piece->type))
      keys[n++] = (VidgenTrieKey){ piece->text, piece->bytes, i };
  }
  return vidgen_trie_new (keys, n);
}

static gboolean G_GNUC_PRINTF (3, 4)
    fail (GError **error, const char *name, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (
      error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT, "'%s': %s", name, message);
  return FALSE;
}

static gboolean
check_pieces (
    const VidgenPiece *pieces, guint n_pieces, const char *name, GError **error)
{
  guint n_unknown = 0;

  if (n_pieces == 0 || n_pieces > VIDGEN_UNIGRAM_MAX_PIECES)
    return fail (error, name, "the vocabulary has %u pieces, at most %u fit.",
        n_pieces, VIDGEN_UNIGRAM_MAX_PIECES);
  for (guint i = 0; i < n_pieces; i++) {
    if (pieces[i].bytes == 0 || !isfinite (pieces[i].score) ||
        pieces[i].type < VIDGEN_PIECE_NORMAL ||
        pieces[i].type > VIDGEN_PIECE_BYTE)
      return fail (error, name,
          "piece %u is empty, or its score or type is none there is.", i);
    n_unknown += pieces[i].type == VIDGEN_PIECE_UNKNOWN;
  }
  if (n_unknown != 1)
    return fail (
        error, name, "%u pieces are the unknown one, one must be.", n_unknown);
  return TRUE;
}

static void
copy_pieces (VidgenUnigram *model, const VidgenPiece *pieces, guint n_pieces)
{
  gsize bytes = 0;
  char *text;

  for (guint i = 0; i < n_pieces; i++)
    bytes += pieces[i].bytes;
  model->texts = text = g_malloc (bytes);
  model->pieces = g_memdup2 (pieces, n_pieces * sizeof *pieces);
  model->n_pieces = n_pieces;
  for (guint i = 0; i < n_pieces; i++) {
    memcpy (text, pieces[i].text, pieces[i].bytes);
    model->pieces[i].text = text;
    text += pieces[i].bytes;
    if (pieces[i].type == VIDGEN_PIECE_UNKNOWN)
      model->unknown = i;
  }
}

/* The greatest begins at FLT_MIN as sentencepiece's does: where all scores are
 * negative a user-defined piece costs about 0.1. */
static void
measure_scores (VidgenUnigram *model)
{
  const gboolean any = model->rules == VIDGEN_UNIGRAM_TRANSFORMERS;

  model->least_score = any ? G_MAXDOUBLE : FLT_MAX;
  model->greatest_score = FLT_MIN;
  for (guint i = 0; i < model->n_pieces; i++) {
    const VidgenPiece *piece = &model->pieces[i];

    if (!any && piece->type != VIDGEN_PIECE_NORMAL)
      continue;
    model->least_score = MIN (model->least_score, piece->score);
    model->greatest_score = MAX (model->greatest_score, (float)piece->score);
  }
}

static guint
find_byte_tokens (VidgenUnigram *model)
{
  guint n_found = 0;

  for (guint i = 0; i < 256; i++) {
    char text[8];

    g_snprintf (text, sizeof text, "<0x%02X>", i);
    model->byte_tokens[i] = vidgen_trie_find (model->all, text, strlen (text));
    n_found += model->byte_tokens[i] >= 0;
  }
  return n_found;
}

static gboolean
is_byte_token (const VidgenUnigram *model, guint token)
{
  for (guint i = 0; i < 256; i++)
    if (model->byte_tokens[i] == token)
      return TRUE;
  return FALSE;
}

static gboolean
check_sentencepiece (const VidgenUnigram *model, const char *name,
    guint n_byte_tokens, GError **error)
{
  const guint n_texts = vidgen_trie_n_keys (model->all);

  if (n_texts != model->n_pieces)
    return fail (error, name, "%u pieces have the text of another.",
        model->n_pieces - n_texts);
  for (guint i = 0; i < model->n_pieces; i++)
    if (model->pieces[i].type == VIDGEN_PIECE_BYTE &&
        (!model->byte_fallback || !is_byte_token (model, i)))
      return fail (error, name,
          "piece %u is of the type of bytes, but there is no byte fallback or "
          "its text names no byte.",
          i);
  if (model->byte_fallback && n_byte_tokens != 256)
    return fail (error, name,
        "byte fallback needs 256 pieces for bytes, there are %u.",
        n_byte_tokens);
  return TRUE;
}

VidgenUnigram *
vidgen_unigram_new (const VidgenPiece *pieces, guint n_pieces,
    VidgenUnigramRules rules, gboolean byte_fallback, const char *name,
    GError **error)
{
  const guint matched =
      1u << VIDGEN_PIECE_NORMAL | 1u << VIDGEN_PIECE_USER_DEFINED;
  const gboolean any = rules == VIDGEN_UNIGRAM_TRANSFORMERS;
  g_autoptr (VidgenUnigram) model = NULL;
  guint n_byte_tokens;

  if (!check_pieces (pieces, n_pieces, name, error))
    return NULL;
  model = g_new0 (VidgenUnigram, 1);
  model->rules = rules;
  model->byte_fallback = byte_fallback;
  copy_pieces (model, pieces, n_pieces);
  measure_scores (model);
  model->all = index_pieces (model, G_MAXUINT);
  model->in_text = index_pieces (model, any ? G_MAXUINT : matched);
  model->user_defined = index_pieces (model, 1u << VIDGEN_PIECE_USER_DEFINED);
  n_byte_tokens = find_byte_tokens (model);
  if (!any && !check_sentencepiece (model, name, n_byte_tokens, error))
    return NULL;
  return g_steal_pointer (&model);
}

void
vidgen_unigram_free (VidgenUnigram *model)
{
  if (!model)
    return;
  vidgen_trie_free (model->all);
  vidgen_trie_free (model->in_text);
  vidgen_trie_free (model->user_defined);
  g_free (model->pieces);
  g_free (model->texts);
  g_free (model);
}

guint
vidgen_unigram_n_pieces (const VidgenUnigram *model)
{
  return model->n_pieces;
}

gint64
vidgen_unigram_find (const VidgenUnigram *model, const char *text, gsize bytes)
{
  return vidgen_trie_find (model->all, text, bytes);
}

gsize
vidgen_unigram_match_user_defined (
    const VidgenUnigram *model, const char *text, gsize length)
{
  guint32 token;

  return vidgen_trie_longest (model->user_defined, text, length, &token);
}

/* By the first byte alone, as both programs count. */
static gsize
character_bytes (char first, gsize left)
{
  static const guint8 bytes[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3,
    4 };

  return MIN (bytes[(guint8)first >> 4], left);
}

static double
score_of (const VidgenUnigram *model, guint token, gsize bytes)
{
  const VidgenPiece *piece = &model->pieces[token];

  if (model->rules == VIDGEN_UNIGRAM_SENTENCEPIECE &&
      piece->type == VIDGEN_PIECE_USER_DEFINED)
    return (double)((float)bytes * model->greatest_score) - 0.1;
  return piece->score;
}

/* Rounding decides between ways of almost one score. */
static void
offer (const VidgenUnigram *model, Step *step, double score, guint32 start,
    guint32 token)
{
  if (model->rules == VIDGEN_UNIGRAM_SENTENCEPIECE)
    score = (double)(float)score;
  if (step->start != UNREACHED && !(score > step->score))
    return;
  step->score = score;
  step->start = start;
  step->token = token;
}

static void
offer_unknown (
    const VidgenUnigram *model, Step *steps, gsize start, gsize bytes)
{
  double score;

  if (model->rules == VIDGEN_UNIGRAM_SENTENCEPIECE)
    score =
        (float)model->least_score - UNKNOWN_PENALTY + (float)steps[start].score;
  else
    score = model->least_score - (double)UNKNOWN_PENALTY + steps[start].score;
  offer (model, &steps[start + bytes], score, (guint32)start, model->unknown);
}

static void
offer_pieces (const VidgenUnigram *model, Step *steps, const char *text,
    gsize start, gsize length)
{
  const gsize single = character_bytes (text[start], length - start);
  VidgenTrieWalk walk = vidgen_trie_walk (model->in_text);
  gboolean has_single = FALSE;

  while (start + walk.depth < length &&
         vidgen_trie_walk_on (&walk, text[start + walk.depth])) {
    const gint64 token = vidgen_trie_walk_value (&walk);

    if (token < 0)
      continue;
    offer (model, &steps[start + walk.depth],
        score_of (model, (guint)token, walk.depth) + steps[start].score,
        (guint32)start, (guint32)token);
    has_single |= walk.depth == single;
  }
  if (!has_single)
    offer_unknown (model, steps, start, single);
}

static gboolean
has_bytes (const VidgenUnigram *model, const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (model->byte_tokens[(guint8)text[i]] < 0)
      return FALSE;
  return TRUE;
}

static void
append_unknown (
    const VidgenUnigram *model, const char *text, gsize length, GArray *tokens)
{
  const gint64 whole = model->rules == VIDGEN_UNIGRAM_TRANSFORMERS
                           ? vidgen_trie_find (model->in_text, text, length)
                           : -1;
  const guint32 token = whole >= 0 ? (guint32)whole : model->unknown;

  if (whole >= 0 || !model->byte_fallback || !has_bytes (model, text, length)) {
    g_array_append_val (tokens, token);
    return;
  }
  for (gsize i = 0; i < length; i++) {
    const guint32 byte = (guint32)model->byte_tokens[(guint8)text[i]];

    g_array_append_val (tokens, byte);
  }
}

static void
append_way (const VidgenUnigram *model, const Step *steps, const char *text,
    gsize length, GArray *tokens)
{
  g_autofree guint32 *ends = g_new (guint32, length + 1);
  gsize n = 0, unknown_start = 0;
  gboolean in_unknown = FALSE;

  for (guint32 at = (guint32)length; at > 0; at = steps[at].start)
    ends[n++] = at;
  while (n-- > 0) {
    const Step *step = &steps[ends[n]];
    const gboolean unknown = step->token == model->unknown;

    if (unknown && !in_unknown)
      unknown_start = step->start;
    if (!unknown && in_unknown)
      append_unknown (
          model, text + unknown_start, step->start - unknown_start, tokens);
    if (!unknown)
      g_array_append_val (tokens, step->token);
    in_unknown = unknown;
  }
  if (in_unknown)
    append_unknown (
        model, text + unknown_start, length - unknown_start, tokens);
}

void
vidgen_unigram_encode (
    const VidgenUnigram *model, const char *text, gsize length, GArray *tokens)
{
  g_autofree Step *steps = NULL;

  g_return_if_fail (length < G_MAXUINT32);
  steps = g_new (Step, length + 1);
  steps[0] = (Step){ .start = 0 };
  for (gsize i = 1; i <= length; i++)
    steps[i].start = UNREACHED;
  for (gsize i = 0; i < length; i += character_bytes (text[i], length - i))
    offer_pieces (model, steps, text, i, length);
  append_way (model, steps, text, length, tokens);
}
