/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/decoder.h"
#include "models/mini/encoder.h"
#include "models/mini/sound.h"
#include "models/mini/text.h"
#include "models/mini/transformer.h"

G_BEGIN_DECLS

/* All weights of one file on one device. Refcounted, immutable, shared by the
 * models that were opened from the same file. */
typedef struct {
  gatomicrefcount references;
  char *key;
  VidgenDevice *device;
  GPtrArray *memories;
  VidgenMiniTextWeights text;
  VidgenMiniTransformerWeights transformer;
  VidgenMiniEncoderWeights encoder;
  VidgenMiniDecoderWeights decoder;
  VidgenMiniSoundWeights sound;
} VidgenMiniWeights;

/* Whether the file has every tensor in its shape. Errors: FORMAT. */
gboolean vidgen_mini_weights_check (const VidgenSafetensors *file,
    const VidgenMiniConfig *config, GError **error);
/* Bytes on a device. */
guint64 vidgen_mini_weights_bytes (
    const VidgenSafetensors *file, const VidgenMiniConfig *config);

/* The weights of the file that `key` stands for on `device`: those that are
 * there already, or loaded. Errors as vidgen_mini_loader_load(). Thread-safe;
 * one load at a time. */
VidgenMiniWeights *vidgen_mini_weights_get (const char *key,
    const VidgenSafetensors *file, const VidgenMiniConfig *config,
    VidgenDevice *device, VidgenMiniLoadProgress progress, gpointer user_data,
    GCancellable *cancellable, GError **error);
void vidgen_mini_weights_unref (VidgenMiniWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenMiniWeights, vidgen_mini_weights_unref)

G_END_DECLS
