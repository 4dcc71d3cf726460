/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/checkpoint.h"

G_BEGIN_DECLS

/* A checkpoint of a folder; one of the two is NULL. */
typedef struct {
  char *path;
  VidgenCheckpoint *checkpoint;
  GError *error; /* why it cannot be read */
} VidgenFolderFile;

/* Opens all checkpoints in a folder and in the folders right below it (files
 * that end in .safetensors, .gguf, .pt, .pth or .ckpt, and indexes, of which
 * the shards are not listed themselves), headers only; or the one file that
 * `path` is. VidgenFolderFile by path, to be unreferenced. Errors: NOT_FOUND.
 */
GPtrArray *vidgen_folder_open (const char *path, GError **error);

G_END_DECLS
