/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The character map of a SentencePiece model (`precompiled_charsmap`): texts to
 * their replacements, normally NFKC and some clean-up. The blob is a u32 size,
 * little-endian; a double array of that size (the units of darts-clone); the
 * replacements, each ended by NUL. Nothing in it is trusted. Immutable, usable
 * from any thread.
 */
typedef struct _VidgenCharsmap VidgenCharsmap;

/* No replacement is longer, so that no text can grow without bound. Unicode's
 * longest takes 33 bytes. */
#define VIDGEN_CHARSMAP_MAX_BYTES 64

/* `name` begins messages. Errors: FORMAT. */
VidgenCharsmap *vidgen_charsmap_new (
    gconstpointer blob, gsize bytes, const char *name, GError **error);
void vidgen_charsmap_free (VidgenCharsmap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenCharsmap, vidgen_charsmap_free)

/* The replacement of the longest (or shortest) key that `text` begins with, and
 * that key's size in bytes; NULL where there is none. Belongs to the map. */
const char *vidgen_charsmap_longest (const VidgenCharsmap *map,
    const char *text, gsize length, gsize *key_bytes);
const char *vidgen_charsmap_shortest (const VidgenCharsmap *map,
    const char *text, gsize length, gsize *key_bytes);

G_END_DECLS
