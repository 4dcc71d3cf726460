/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/umt5/encoder.h"

G_BEGIN_DECLS

/* The encoder umT5 with its tokenizer, from any of the published layouts.
 * Cleans a prompt, cuts it into tokens and encodes it. Its weights pass through
 * the device layer by layer while it encodes, so that it needs the memory of
 * one layer only, and stay there as far as there is room; they are mapped while
 * it is loaded. One thread at a time. */
typedef struct _VidgenUmt5 VidgenUmt5;

#define VIDGEN_UMT5_MAX_TOKENS 512
#define VIDGEN_UMT5_IDENTITY_BYTES 32

/* Whether the checkpoint is one of such an encoder. Cheap. */
gboolean vidgen_umt5_probe (VidgenCheckpoint *checkpoint);

/* `path` is a checkpoint, which may hold the tokenizer, or a folder of both
 * (see models/umt5/vocabulary.h); headers only are read. Errors: NOT_FOUND,
 * FORMAT. */
VidgenUmt5 *vidgen_umt5_open (const char *path, GError **error);
void vidgen_umt5_free (VidgenUmt5 *umt5);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenUmt5, vidgen_umt5_free)

/* The checkpoint's path. */
const char *vidgen_umt5_path (const VidgenUmt5 *umt5);
/* Values of an encoded token. */
guint vidgen_umt5_size (const VidgenUmt5 *umt5);
/* Tells these weights from others; what a prompt's encoding depends on. */
void vidgen_umt5_identify (
    const VidgenUmt5 *umt5, guint8 identity[VIDGEN_UMT5_IDENTITY_BYTES]);
/* Device memory that it needs while it is loaded. */
guint64 vidgen_umt5_bytes (const VidgenUmt5 *umt5);

/* Quick; from another device it is unloaded first. Errors: NO_MEMORY, FORMAT
 * (the file is another one now). */
gboolean vidgen_umt5_load (
    VidgenUmt5 *umt5, VidgenDevice *device, GError **error);
/* How many bytes of the device its weights may take from one prompt to the next
 * beyond vidgen_umt5_bytes(); 0, as at first: none. Holds for later loads
 * too. */
void vidgen_umt5_set_room (VidgenUmt5 *umt5, guint64 bytes);
/* What they take so of `device` just now. */
guint64 vidgen_umt5_kept_bytes (const VidgenUmt5 *umt5, VidgenDevice *device);
/* Gives the device's memory back, so that another model fits. */
void vidgen_umt5_unload (VidgenUmt5 *umt5);

/* The encoding of a prompt (UTF-8) by a loaded encoder: [*rows][size], the last
 * row being the end token's; free it. Longer prompts are cut to `max_rows`, at
 * most VIDGEN_UMT5_MAX_TOKENS. `progress` may be NULL. Errors: INVALID (a
 * prompt of more than VIDGEN_TOKENIZER_MAX_TEXT_BYTES), others as
 * vidgen_upload_run().
 */
float *vidgen_umt5_encode (VidgenUmt5 *umt5, const char *prompt, guint max_rows,
    guint *rows, VidgenUmt5Progress progress, gpointer user_data,
    GCancellable *cancellable, GError **error);

/* For tests: looks at the states of what is encoded, see
 * models/umt5/encoder.h. NULL: no more. */
void vidgen_umt5_set_tap (VidgenUmt5 *umt5, const VidgenTap *tap);

G_END_DECLS
