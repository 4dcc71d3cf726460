/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/config.h"

G_BEGIN_DECLS

/* Words to tokens, as models/mini/FORMAT.md section 2 says. Immutable. */
typedef struct _VidgenMiniTokenizer VidgenMiniTokenizer;

VidgenMiniTokenizer *vidgen_mini_tokenizer_new (const VidgenMiniConfig *config);
void vidgen_mini_tokenizer_free (VidgenMiniTokenizer *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenMiniTokenizer, vidgen_mini_tokenizer_free)

/* Any bytes up to the NUL are taken. Returns 1 to text.tokens guint32. */
GArray *vidgen_mini_tokenizer_encode (
    const VidgenMiniTokenizer *tokenizer, const char *prompt);

/* FNV-1a, 32 bits (Fowler, Noll, Vo). */
guint32 vidgen_mini_fnv1a (const char *bytes, gsize length);

G_END_DECLS
