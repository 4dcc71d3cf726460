/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The "pre_tokenizer" of a tokenizer.json: Metaspace, WhitespaceSplit and
 * Sequence. Immutable, usable from any thread. */
typedef struct _VidgenJsonSplitter VidgenJsonSplitter;

/* `node` is not kept; NULL, or JSON's null: none. `name` begins messages.
 * Errors: FORMAT. */
VidgenJsonSplitter *vidgen_json_splitter_new (
    JsonNode *node, const char *name, GError **error);
void vidgen_json_splitter_free (VidgenJsonSplitter *splitter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenJsonSplitter, vidgen_json_splitter_free)

/* The parts of normalised UTF-8, GStrings without an empty one. `begins`: the
 * text is at the beginning of what is encoded. */
GPtrArray *vidgen_json_splitter_apply (const VidgenJsonSplitter *splitter,
    const char *text, gsize length, gboolean begins);

G_END_DECLS
