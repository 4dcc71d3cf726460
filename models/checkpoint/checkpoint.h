/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/tensor.h"

G_BEGIN_DECLS

/* Published weights, whichever format they come in; told by content, never by
 * name:
 *
 * - safetensors, one file or shards with an index (a JSON object that has a
 *   "weight_map"), which lie in the index's folder;
 * - GGUF 2 and 3, shapes in the order of torch;
 * - torch zip files, of which nothing is executed. The names of nested
 *   dictionaries are joined by dots: "generator_ema.model.head.head.weight".
 *
 * Memory-mapped: no value is read, and a file is not to be shortened while it
 * is open. Nothing in a file is trusted: every offset, size and name is checked
 * when it is opened. Refcounted, immutable, usable from any thread.
 */
typedef struct _VidgenCheckpoint VidgenCheckpoint;

typedef enum {
  VIDGEN_CHECKPOINT_SAFETENSORS,
  VIDGEN_CHECKPOINT_SHARDS,
  VIDGEN_CHECKPOINT_GGUF,
  VIDGEN_CHECKPOINT_TORCH
} VidgenCheckpointFormat;

/* A list in the metadata of GGUF. */
typedef struct {
  gboolean
      is_text; /* elements are 8 bytes of length, then UTF-8; all checked */
  VidgenTensorType type; /* of elements, where they are no text */
  guint64 count;
  const guint8 *data;
  guint64 bytes;
} VidgenCheckpointList;

/* A file, or a folder that holds one checkpoint: one index, or else one file of
 * any of the formats. Errors: NOT_FOUND (missing, unreadable, a folder without
 * one), FORMAT. */
VidgenCheckpoint *vidgen_checkpoint_open (const char *path, GError **error);
/* `name` stands for the path in messages, and shards lie in its folder. */
VidgenCheckpoint *vidgen_checkpoint_new (
    GBytes *bytes, const char *name, GError **error);
VidgenCheckpoint *vidgen_checkpoint_ref (VidgenCheckpoint *checkpoint);
void vidgen_checkpoint_unref (VidgenCheckpoint *checkpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenCheckpoint, vidgen_checkpoint_unref)

const char *vidgen_checkpoint_name (const VidgenCheckpoint *checkpoint);
VidgenCheckpointFormat vidgen_checkpoint_format (
    const VidgenCheckpoint *checkpoint);

/* A text, number or truth value ("true") beside the tensors, as text; or NULL.
 * That is __metadata__ of safetensors or an index's "metadata", the keys of
 * GGUF, and in torch files what is no tensor, named as a tensor would be. */
const char *vidgen_checkpoint_metadata (
    const VidgenCheckpoint *checkpoint, const char *key);
const VidgenCheckpointList *vidgen_checkpoint_list (
    const VidgenCheckpoint *checkpoint, const char *key);

guint vidgen_checkpoint_n_tensors (const VidgenCheckpoint *checkpoint);
/* In no order to rely on. */
const VidgenTensor *vidgen_checkpoint_tensor (
    const VidgenCheckpoint *checkpoint, guint index);
/* NULL where there is none. */
const VidgenTensor *vidgen_checkpoint_find (
    const VidgenCheckpoint *checkpoint, const char *name);

/* The tensor, if it is of one of the `types` (bits 1 << VidgenTensorType) and
 * of this shape, else FORMAT. Of GGUF, whose writers fold what has more than 4
 * dimensions, the tensor may have such a shape folded: the values lie alike. */
const VidgenTensor *vidgen_checkpoint_expect (
    const VidgenCheckpoint *checkpoint, const char *name, guint types,
    guint n_dims, const guint64 *shape, GError **error);

G_END_DECLS
