/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/block.h"

G_BEGIN_DECLS

/* The video encoder of models/mini/FORMAT.md section 4, for first pictures. */

typedef struct {
  VidgenMiniConv in, down, out;
  VidgenMiniBlock block1, block2;
} VidgenMiniEncoderWeights;

void vidgen_mini_encoder_list (VidgenMiniEncoderWeights *weights,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader);

/* Encodes a chunk in which a picture of the model's own size, RGB bytes,
 * stands still. latent: [height / 8][width / 8][channels], to be filled. Takes
 * memory on the device for as long as it runs. Errors: NO_MEMORY, DEVICE_LOST.
 */
gboolean vidgen_mini_encoder_still (const VidgenMiniEncoderWeights *weights,
    const VidgenMiniConfig *config, VidgenDevice *device, const guint8 *rgb,
    guint stride, float *latent, GError **error);

G_END_DECLS
