/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gio/gio.h>

#include "shaders/runtime/device.h"

G_BEGIN_DECLS

/* The encoder umT5 with its tokenizer, from any of the published layouts.
 * Cleans a prompt, cuts it into tokens and encodes it. One thread at a time. */
typedef struct _VidgenUmt5 VidgenUmt5;

#define VIDGEN_UMT5_MAX_TOKENS 512
#define VIDGEN_UMT5_IDENTITY_BYTES 32

/* `path` is a checkpoint, which may hold the tokenizer, or a folder of both;
 * headers only are read. Errors: NOT_FOUND, FORMAT. */
VidgenUmt5 *vidgen_umt5_open (const char *path, GError **error);
void vidgen_umt5_free (VidgenUmt5 *umt5);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenUmt5, vidgen_umt5_free)

/* Values of an encoded token. */
guint vidgen_umt5_size (const VidgenUmt5 *umt5);
/* Tells these weights from others; what a prompt's encoding depends on. */
void vidgen_umt5_identify (
    const VidgenUmt5 *umt5, guint8 identity[VIDGEN_UMT5_IDENTITY_BYTES]);
/* Device memory that it needs while it is loaded. */
guint64 vidgen_umt5_bytes (const VidgenUmt5 *umt5);

typedef void (*VidgenUmt5Progress) (double fraction, gpointer user_data);

/* Errors as vidgen_upload_run(). Loading what is loaded does nothing. */
gboolean vidgen_umt5_load (VidgenUmt5 *umt5, VidgenDevice *device,
    VidgenUmt5Progress progress, gpointer user_data, GCancellable *cancellable,
    GError **error);
/* Gives the device's memory back, so that another model fits. */
void vidgen_umt5_unload (VidgenUmt5 *umt5);

/* The encoding of a prompt (UTF-8) by a loaded encoder: [*rows][size], the last
 * row being the end token's; free it. Longer prompts are cut to
 * VIDGEN_UMT5_MAX_TOKENS rows. Errors: cancelled, device errors. */
float *vidgen_umt5_encode (VidgenUmt5 *umt5, const char *prompt, guint *rows,
    GCancellable *cancellable, GError **error);

G_END_DECLS
