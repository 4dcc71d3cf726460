/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A unigram language model (Kudo 2018): splits text into the pieces of greatest
 * summed score, by Viterbi. It decides as one of two programs does, to the last
 * bit:
 *
 * VIDGEN_UNIGRAM_SENTENCEPIECE  sentencepiece: sums in single precision; only
 *   normal and user-defined pieces are found in text, the latter always whole;
 *   the least score is that of the normal pieces.
 * VIDGEN_UNIGRAM_TRANSFORMERS   Hugging Face tokenizers: sums in double
 *   precision; every piece is found in text, whatever its type; of two pieces
 *   of one text the last counts.
 *
 * A character that is no piece costs ten less than the least score. Such
 * characters become their UTF-8 bytes' pieces with byte fallback, else a run of
 * them is one unknown token. Immutable, usable from any thread.
 */
typedef struct _VidgenUnigram VidgenUnigram;

typedef enum {
  VIDGEN_UNIGRAM_SENTENCEPIECE,
  VIDGEN_UNIGRAM_TRANSFORMERS
} VidgenUnigramRules;

/* The numbers are those of sentencepiece_model.proto, and of GGUF. */
typedef enum {
  VIDGEN_PIECE_NORMAL = 1,
  VIDGEN_PIECE_UNKNOWN = 2,
  VIDGEN_PIECE_CONTROL = 3,
  VIDGEN_PIECE_USER_DEFINED = 4,
  VIDGEN_PIECE_UNUSED = 5,
  VIDGEN_PIECE_BYTE = 6
} VidgenPieceType;

typedef struct {
  const char *text;
  gsize bytes;
  double score;
  VidgenPieceType type;
} VidgenPiece;

#define VIDGEN_UNIGRAM_MAX_PIECES (1u << 24)

/* What a tokenizer takes. Normalised text may be longer. */
#define VIDGEN_TOKENIZER_MAX_TEXT_BYTES (64u * 1024u)

/* Copies the pieces; a token is its piece's index. Exactly one is of type
 * UNKNOWN. Errors: FORMAT, beginning with `name` (no piece, an empty one, a
 * score that is not finite; for sentencepiece also two pieces of one text, byte
 * pieces without byte fallback, or fewer than 256 with it). */
VidgenUnigram *vidgen_unigram_new (const VidgenPiece *pieces, guint n_pieces,
    VidgenUnigramRules rules, gboolean byte_fallback, const char *name,
    GError **error);
void vidgen_unigram_free (VidgenUnigram *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenUnigram, vidgen_unigram_free)

guint vidgen_unigram_n_pieces (const VidgenUnigram *model);
/* The token of a piece of any type, or -1. */
gint64 vidgen_unigram_find (
    const VidgenUnigram *model, const char *text, gsize bytes);
/* The size of the longest user-defined piece that `text` begins with, or 0. */
gsize vidgen_unigram_match_user_defined (
    const VidgenUnigram *model, const char *text, gsize length);

/* Appends the tokens (guint32) of normalised text of less than 4 GiB. */
void vidgen_unigram_encode (
    const VidgenUnigram *model, const char *text, gsize length, GArray *tokens);

G_END_DECLS
