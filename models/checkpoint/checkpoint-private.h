/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/checkpoint.h"

G_BEGIN_DECLS

/* What a reader of a format does with the checkpoint it fills. Texts are
 * copied. */

/* `part` lives as long as the checkpoint. */
void vidgen_checkpoint_hold (
    VidgenCheckpoint *checkpoint, gpointer part, GDestroyNotify free_part);

/* A copy, but of its data. Error: FORMAT, the name is empty or known already.
 */
gboolean vidgen_checkpoint_add_tensor (
    VidgenCheckpoint *checkpoint, const VidgenTensor *tensor, GError **error);

/* Error: FORMAT, the key is known already. */
gboolean vidgen_checkpoint_add_metadata (VidgenCheckpoint *checkpoint,
    const char *key, const char *value, GError **error);
gboolean vidgen_checkpoint_add_list (VidgenCheckpoint *checkpoint,
    const char *key, const VidgenCheckpointList *list, GError **error);

/* Sets FORMAT, "'name': …". Returns FALSE. */
#define vidgen_checkpoint_fail(checkpoint, error, ...)                         \
  vidgen_file_fail (error, vidgen_checkpoint_name (checkpoint), __VA_ARGS__)

/* The readers; each fills an empty checkpoint from all `bytes`. Error: FORMAT;
 * of shards also NOT_FOUND. */
gboolean vidgen_shards_read (
    VidgenCheckpoint *checkpoint, GBytes *bytes, GError **error);
gboolean vidgen_gguf_read (
    VidgenCheckpoint *checkpoint, GBytes *bytes, GError **error);
gboolean vidgen_torch_read (
    VidgenCheckpoint *checkpoint, GBytes *bytes, GError **error);

/* Whether the bytes may be an index of shards. */
gboolean vidgen_shards_is_index (GBytes *bytes);

G_END_DECLS
