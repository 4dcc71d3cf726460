/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/checkpoint.h"

G_BEGIN_DECLS

/* The tokenizer of umT5, wherever it is published. Immutable, usable from any
 * thread. */
typedef struct _VidgenUmt5Vocabulary VidgenUmt5Vocabulary;

/* Taken from the checkpoint itself (Comfy's tensor "spiece_model", the lists of
 * GGUF), else from `tokenizer.json` or `spiece.model` in `folder`, in
 * `google/umt5-xxl` or `tokenizer` below it, or in those beside it. Errors:
 * NOT_FOUND, FORMAT. */
VidgenUmt5Vocabulary *vidgen_umt5_vocabulary_open (
    const VidgenCheckpoint *checkpoint, const char *folder, GError **error);
void vidgen_umt5_vocabulary_free (VidgenUmt5Vocabulary *vocabulary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (
    VidgenUmt5Vocabulary, vidgen_umt5_vocabulary_free)

/* What it was read from. */
const char *vidgen_umt5_vocabulary_name (
    const VidgenUmt5Vocabulary *vocabulary);
/* Adds what it was read from to a sum. */
void vidgen_umt5_vocabulary_sum (
    const VidgenUmt5Vocabulary *vocabulary, GChecksum *sum);

/* The tokens (guint32) of clean text, at most `limit`, the end token the last.
 * NULL is INVALID: the text is too long. */
GArray *vidgen_umt5_vocabulary_encode (const VidgenUmt5Vocabulary *vocabulary,
    const char *text, guint limit, GError **error);

G_END_DECLS
