/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/text/json-normaliser.h"
#include "models/text/unigram.h"

G_BEGIN_DECLS

/* The "added_tokens" of a tokenizer.json: texts that are a token wherever they
 * are, before the model sees anything. Immutable, usable from any thread. */
typedef struct _VidgenAddedTokens VidgenAddedTokens;

typedef enum {
  VIDGEN_ADDED_RAW,       /* found before normalisation */
  VIDGEN_ADDED_NORMALISED /* found after it */
} VidgenAddedStage;

/* Keeps nothing of the arguments. A token whose text is a piece of `model` has
 * that piece's number, whatever the file says. `tokens` NULL: none. Errors:
 * FORMAT, for broken ones and "single_word", which is not supported. */
VidgenAddedTokens *vidgen_added_tokens_new (JsonArray *tokens,
    const VidgenUnigram *model, const VidgenJsonNormaliser *normaliser,
    const char *name, GError **error);
void vidgen_added_tokens_free (VidgenAddedTokens *tokens);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenAddedTokens, vidgen_added_tokens_free)

/* Part of a text: a token, or what is left to do. */
typedef struct {
  gint64 token; /* -1: none */
  gsize start, end;
} VidgenAddedPart;

/* The parts of UTF-8, in order, none of them empty: the leftmost tokens and, of
 * those that begin at one place, the longest. Tokens take the whitespace beside
 * them where the file says so. Array of VidgenAddedPart. */
GArray *vidgen_added_tokens_split (const VidgenAddedTokens *tokens,
    VidgenAddedStage stage, const char *text, gsize length);

G_END_DECLS
