/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/tap.h"
#include "models/umt5/weights.h"

G_BEGIN_DECLS

/* Runs a T5 encoder on a device, one layer's weights there at a time: they
 * pass through the device once a prompt, so that an encoder of any size needs
 * little memory. Layers stay there as far as there is room. One thread at a
 * time. */
typedef struct _VidgenUmt5Encoder VidgenUmt5Encoder;

/* Device memory that an encoder of up to `tokens` tokens takes while it runs,
 * the largest layer included, without layers that stay. */
guint64 vidgen_umt5_encoder_bytes (
    const VidgenUmt5Weights *weights, guint tokens);

/* `weights` outlive it. Errors: NO_MEMORY. */
VidgenUmt5Encoder *vidgen_umt5_encoder_new (const VidgenUmt5Weights *weights,
    VidgenDevice *device, guint tokens, GError **error);
void vidgen_umt5_encoder_free (VidgenUmt5Encoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenUmt5Encoder, vidgen_umt5_encoder_free)

/* How many bytes the layers that stay on the device may take; 0, as at first:
 * none. Those beyond it are dropped. They are dropped too, all of them and for
 * good, where the device has no memory for what runs. */
void vidgen_umt5_encoder_set_room (VidgenUmt5Encoder *encoder, guint64 bytes);
/* What they take just now. */
guint64 vidgen_umt5_encoder_kept_bytes (const VidgenUmt5Encoder *encoder);

typedef void (*VidgenUmt5Progress) (double fraction, gpointer user_data);

/* The states [n_tokens][size] of tokens below the vocabulary's size; free them.
 * `tap` may be NULL; its names are "block0" … and "out". Errors as
 * vidgen_upload_run(). */
float *vidgen_umt5_encoder_run (VidgenUmt5Encoder *encoder,
    const guint32 *tokens, guint n_tokens, const VidgenTap *tap,
    VidgenUmt5Progress progress, gpointer user_data, GCancellable *cancellable,
    GError **error);

G_END_DECLS
