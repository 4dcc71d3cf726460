/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/sentencepiece.h"

#include <string.h>

#include "models/text/normalise.h"
#include "models/text/protobuf.h"
#include "shaders/runtime/error.h"

#define MODEL_TYPE_UNIGRAM 1
#define END "</s>"

struct _VidgenSentencepiece {
  VidgenUnigram *model;
  VidgenCharsmap *map; /* NULL: none */
  VidgenNormaliserRules rules;
  gint64 end; /* -1: none */
};

/* What the file says, with its format's defaults. Points into the file. */
typedef struct {
  const char *name;
  GArray *pieces; /* VidgenPiece */
  guint64 model_type;
  gboolean byte_fallback;
  VidgenProtobuf end_piece, map;
  VidgenNormaliserRules rules;
} Proto;

static gboolean
fail (const char *name, const char *what, GError **error)
{
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
      "'%s': %s is broken (no SentencePiece model?).", name, what);
  return FALSE;
}

static gboolean
read_piece (Proto *proto, VidgenProtobuf message, GError **error)
{
  VidgenPiece piece = { "", 0, 0.0, VIDGEN_PIECE_NORMAL };
  VidgenField field;

  while (vidgen_protobuf_next (&message, &field)) {
    if (field.number == 1 && field.type == VIDGEN_PROTOBUF_BYTES) {
      piece.text = field.content.data;
      piece.bytes = field.content.left;
    } else if (field.number == 2 && field.type == VIDGEN_PROTOBUF_FIXED32) {
      piece.score = (double)vidgen_field_float (&field);
    } else if (field.number == 3 && field.type == VIDGEN_PROTOBUF_VARINT &&
               field.value >= VIDGEN_PIECE_NORMAL &&
               field.value <= VIDGEN_PIECE_BYTE) {
      piece.type = (VidgenPieceType)field.value;
    }
  }
  if (message.broken || proto->pieces->len == VIDGEN_UNIGRAM_MAX_PIECES)
    return fail (proto->name, "a piece", error);
  g_array_append_val (proto->pieces, piece);
  return TRUE;
}

static gboolean
read_trainer (Proto *proto, VidgenProtobuf message, GError **error)
{
  VidgenField field;

  while (vidgen_protobuf_next (&message, &field)) {
    if (field.number == 47 && field.type == VIDGEN_PROTOBUF_BYTES)
      proto->end_piece = field.content;
    if (field.type != VIDGEN_PROTOBUF_VARINT)
      continue;
    if (field.number == 3)
      proto->model_type = field.value;
    else if (field.number == 24)
      proto->rules.dummy_as_suffix = field.value != 0;
    else if (field.number == 35)
      proto->byte_fallback = field.value != 0;
  }
  return !message.broken || fail (proto->name, "the trainer's part", error);
}

static gboolean
read_normaliser (Proto *proto, VidgenProtobuf message, GError **error)
{
  VidgenField field;

  while (vidgen_protobuf_next (&message, &field)) {
    if (field.number == 2 && field.type == VIDGEN_PROTOBUF_BYTES)
      proto->map = field.content;
    if (field.type != VIDGEN_PROTOBUF_VARINT)
      continue;
    if (field.number == 3)
      proto->rules.add_dummy_prefix = field.value != 0;
    else if (field.number == 4)
      proto->rules.remove_extra_spaces = field.value != 0;
    else if (field.number == 5)
      proto->rules.escape_spaces = field.value != 0;
  }
  return !message.broken || fail (proto->name, "the normaliser's part", error);
}

static gboolean
read_model (Proto *proto, VidgenProtobuf message, GError **error)
{
  VidgenField field;

  while (vidgen_protobuf_next (&message, &field)) {
    gboolean good = TRUE;

    if (field.type != VIDGEN_PROTOBUF_BYTES)
      continue;
    if (field.number == 1)
      good = read_piece (proto, field.content, error);
    else if (field.number == 2)
      good = read_trainer (proto, field.content, error);
    else if (field.number == 3)
      good = read_normaliser (proto, field.content, error);
    if (!good)
      return FALSE;
  }
  if (message.broken)
    return fail (proto->name, "the outermost message", error);
  if (proto->model_type != MODEL_TYPE_UNIGRAM) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "'%s' is no unigram model, but of type %" G_GUINT64_FORMAT ".",
        proto->name, proto->model_type);
    return FALSE;
  }
  return TRUE;
}

static VidgenSentencepiece *
build (const VidgenSentencepieceParts *parts, VidgenProtobuf end_piece,
    const char *name, GError **error)
{
  g_autoptr (VidgenSentencepiece) tokenizer = g_new0 (VidgenSentencepiece, 1);

  tokenizer->rules = parts->rules;
  tokenizer->model = vidgen_unigram_new (parts->pieces, parts->n_pieces,
      VIDGEN_UNIGRAM_SENTENCEPIECE, parts->byte_fallback, name, error);
  if (!tokenizer->model)
    return NULL;
  tokenizer->end =
      vidgen_unigram_find (tokenizer->model, end_piece.data, end_piece.left);
  if (parts->charsmap_bytes) {
    tokenizer->map = vidgen_charsmap_new (
        parts->charsmap, parts->charsmap_bytes, name, error);
    if (!tokenizer->map)
      return NULL;
  }
  return g_steal_pointer (&tokenizer);
}

VidgenSentencepiece *
vidgen_sentencepiece_new_of (
    const VidgenSentencepieceParts *parts, const char *name, GError **error)
{
  return build (parts, (VidgenProtobuf){ .data = END, .left = strlen (END) },
      name, error);
}

VidgenSentencepiece *
vidgen_sentencepiece_new (
    gconstpointer data, gsize bytes, const char *name, GError **error)
{
  Proto proto = {
    .name = name,
    .model_type = MODEL_TYPE_UNIGRAM,
    .end_piece = { .data = END, .left = strlen (END) },
    .rules = { .add_dummy_prefix = TRUE,
        .remove_extra_spaces = TRUE,
        .escape_spaces = TRUE },
  };
  const VidgenProtobuf message = { .data = data, .left = bytes };
  VidgenSentencepiece *tokenizer = NULL;

  proto.pieces = g_array_new (FALSE, FALSE, sizeof (VidgenPiece));
  if (read_model (&proto, message, error)) {
    const VidgenSentencepieceParts parts = {
      .pieces = (const VidgenPiece *)(gpointer)proto.pieces->data,
      .n_pieces = proto.pieces->len,
      .byte_fallback = proto.byte_fallback,
      .rules = proto.rules,
      .charsmap = proto.map.data,
      .charsmap_bytes = proto.map.left,
    };

    tokenizer = build (&parts, proto.end_piece, name, error);
  }
  g_array_unref (proto.pieces);
  return tokenizer;
}

void
vidgen_sentencepiece_free (VidgenSentencepiece *tokenizer)
{
  if (!tokenizer)
    return;
  vidgen_unigram_free (tokenizer->model);
  vidgen_charsmap_free (tokenizer->map);
  g_free (tokenizer);
}

const VidgenUnigram *
vidgen_sentencepiece_model (const VidgenSentencepiece *tokenizer)
{
  return tokenizer->model;
}

GArray *
vidgen_sentencepiece_encode (const VidgenSentencepiece *tokenizer,
    const char *text, gsize length, gboolean end, guint limit, GError **error)
{
  const gboolean ends = end && tokenizer->end >= 0;
  const guint32 end_token = (guint32)MAX (tokenizer->end, 0);
  g_autoptr (GString) normalised = NULL;
  GArray *tokens;

  if (length > VIDGEN_TOKENIZER_MAX_TEXT_BYTES) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "A text of %" G_GSIZE_FORMAT
        " bytes is too long, at most %u are taken.",
        length, VIDGEN_TOKENIZER_MAX_TEXT_BYTES);
    return NULL;
  }
  normalised = vidgen_normalise (
      &tokenizer->rules, tokenizer->map, tokenizer->model, text, length);
  tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  vidgen_unigram_encode (
      tokenizer->model, normalised->str, normalised->len, tokens);
  if (limit && tokens->len > limit - ends)
    g_array_set_size (tokens, limit - ends);
  if (ends)
    g_array_append_val (tokens, end_token);
  return tokens;
}
