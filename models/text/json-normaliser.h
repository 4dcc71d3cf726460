/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The "normalizer" of a tokenizer.json: Precompiled, Strip, Replace (of a text,
 * or by one of the expressions that converters of SentencePiece models write)
 * and Sequence. Decides as Hugging Face's tokenizers does; in particular, the
 * character map sees whole grapheme clusters of up to five bytes, of which the
 * shortest key's replacement replaces all. Immutable, usable from any thread.
 */
typedef struct _VidgenJsonNormaliser VidgenJsonNormaliser;

/* `node` is not kept; NULL, or JSON's null: none. `name` begins messages.
 * Errors: FORMAT. */
VidgenJsonNormaliser *vidgen_json_normaliser_new (
    JsonNode *node, const char *name, GError **error);
void vidgen_json_normaliser_free (VidgenJsonNormaliser *normaliser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (
    VidgenJsonNormaliser, vidgen_json_normaliser_free)

/* Of UTF-8, which may hold NUL. `begins` becomes FALSE where the result's first
 * character does not stand for the text's first any more: a Metaspace that
 * prepends to the "first" part alone asks for that. */
GString *vidgen_json_normaliser_apply (const VidgenJsonNormaliser *normaliser,
    const char *text, gsize length, gboolean *begins);

G_END_DECLS
