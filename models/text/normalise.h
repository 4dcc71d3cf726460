/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/text/charsmap.h"
#include "models/text/unigram.h"

G_BEGIN_DECLS

/* What sentencepiece's NormalizerSpec tells of spaces. */
typedef struct {
  gboolean add_dummy_prefix;    /* one space before the text */
  gboolean dummy_as_suffix;     /* or after it (TrainerSpec's
                                   treat_whitespace_as_suffix) */
  gboolean remove_extra_spaces; /* before, behind and repeated */
  gboolean escape_spaces;       /* write U+2581 for U+0020 */
} VidgenNormaliserRules;

/* U+2581 */
#define VIDGEN_SPACE_SYMBOL "\xe2\x96\x81"

/* Normalises as sentencepiece does: from left to right, a user-defined piece of
 * `model` stays as it is, the longest key of `map` (NULL: none) is replaced, a
 * byte that is not UTF-8 becomes U+FFFD. Takes any bytes, NUL included; the
 * result's `len` counts. */
GString *vidgen_normalise (const VidgenNormaliserRules *rules,
    const VidgenCharsmap *map, const VidgenUnigram *model, const char *text,
    gsize length);

G_END_DECLS
