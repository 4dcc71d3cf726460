/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Encoded prompts on disk, for families whose encoder is dear: one file each,
 * named by what it was made from. A file that is damaged, foreign or too large
 * is as if it were not there. Files are written whole and renamed into place;
 * any number of threads and processes may share a folder. What fails is logged
 * at debug level and nothing worse: the prompt is encoded anew.
 */

/* What all files of a folder may take; those not used for longest go first. */
#define VIDGEN_CONDITIONING_CACHE_BYTES ((guint64)256 << 20)

/* A name of 64 hexadecimal digits. `identity`: of the encoder. */
char *vidgen_conditioning_cache_key (const char *family, const char *identity,
    const char *prompt, const char *negative);

/* NULL: there is none. */
GBytes *vidgen_conditioning_cache_read (const char *folder, const char *key);
/* Makes the folder, and room for `data` among `max_bytes`; keeps nothing that
 * takes more than a quarter of these. */
void vidgen_conditioning_cache_write (
    const char *folder, const char *key, GBytes *data, guint64 max_bytes);

/* A file's content: a head that sums up key and data, then the data. Open is
 * NULL where the file was not sealed with this key. */
GBytes *vidgen_conditioning_cache_seal (const char *key, GBytes *data);
GBytes *vidgen_conditioning_cache_open (const char *key, GBytes *file);

G_END_DECLS
