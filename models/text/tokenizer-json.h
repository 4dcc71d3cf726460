/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

#include "models/text/unigram.h"

G_BEGIN_DECLS

/* A tokenizer of a Hugging Face `tokenizer.json` with a unigram model, deciding
 * as their tokenizers library does. Added tokens, normaliser, splitter, byte
 * fallback and what is put around a text are the file's; its "truncation" and
 * "padding" are left to the caller. What is not supported is refused by name.
 * Immutable, usable from any thread.
 */
typedef struct _VidgenTokenizerJson VidgenTokenizerJson;

/* `name` begins messages. Errors: FORMAT. */
VidgenTokenizerJson *vidgen_tokenizer_json_new (
    const char *text, gsize length, const char *name, GError **error);
void vidgen_tokenizer_json_free (VidgenTokenizerJson *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenTokenizerJson, vidgen_tokenizer_json_free)

const VidgenUnigram *vidgen_tokenizer_json_model (
    const VidgenTokenizerJson *tokenizer);

/* The tokens (guint32) of `length` bytes of text; a byte that is not UTF-8
 * counts as U+FFFD. With `template` what the file puts around a single text
 * (umT5: "</s>" at its end) is there; `limit` > 0 bounds the number of all, the
 * text being cut, never the template. NULL is INVALID: the text is longer than
 * VIDGEN_TOKENIZER_MAX_TEXT_BYTES. */
GArray *vidgen_tokenizer_json_encode (const VidgenTokenizerJson *tokenizer,
    const char *text, gsize length, gboolean template, guint limit,
    GError **error);

G_END_DECLS
