/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

#include "models/text/normalise.h"

G_BEGIN_DECLS

/* A tokenizer of a SentencePiece unigram model (`spiece.model`), deciding as
 * the sentencepiece library does. Character map, rules of spaces, byte fallback
 * and special pieces are the file's. Immutable, usable from any thread.
 */
typedef struct _VidgenSentencepiece VidgenSentencepiece;

/* Copies what it needs of the `bytes` of a ModelProto. `name` begins messages.
 * Errors: FORMAT, for a file that is broken, that sentencepiece refuses, or of
 * another kind than unigram. */
VidgenSentencepiece *vidgen_sentencepiece_new (
    gconstpointer data, gsize bytes, const char *name, GError **error);

/* The same of a model whose parts lie elsewhere, as GGUF keeps them; the piece
 * "</s>", where there is one, ends a text. Nothing is kept of the parts. */
typedef struct {
  const VidgenPiece *pieces;
  guint n_pieces;
  gboolean byte_fallback;
  VidgenNormaliserRules rules;
  gconstpointer charsmap;
  gsize charsmap_bytes; /* 0: none */
} VidgenSentencepieceParts;

VidgenSentencepiece *vidgen_sentencepiece_new_of (
    const VidgenSentencepieceParts *parts, const char *name, GError **error);
void vidgen_sentencepiece_free (VidgenSentencepiece *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenSentencepiece, vidgen_sentencepiece_free)

const VidgenUnigram *vidgen_sentencepiece_model (
    const VidgenSentencepiece *tokenizer);

/* The tokens (guint32) of `length` bytes of any text, and the piece that ends
 * a text ("</s>", where there is one) if `end` says so; `limit` > 0 bounds
 * their number, the end included. NULL is INVALID: the text is longer than
 * VIDGEN_TOKENIZER_MAX_TEXT_BYTES. */
GArray *vidgen_sentencepiece_encode (const VidgenSentencepiece *tokenizer,
    const char *text, gsize length, gboolean end, guint limit, GError **error);

G_END_DECLS
