/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/names.h"

G_BEGIN_DECLS

/* The sizes of a transformer of the family Wan 2.1. All but three can be read
 * from the shapes of its tensors; those three come from the config.json beside
 * the checkpoint, of either published kind, or are those of every published
 * text-to-video model: heads of 128 values, 512 rows of text. */

#define VIDGEN_WAN_CHANNELS 16 /* of the latent */
#define VIDGEN_WAN_PATCH 2     /* its columns and rows a token */
#define VIDGEN_WAN_VALUES                                                      \
  (VIDGEN_WAN_CHANNELS * VIDGEN_WAN_PATCH * VIDGEN_WAN_PATCH) /* a token */

typedef struct {
  guint size, layers, heads, ffn;
  guint time_size;
  guint text_size, text_rows;
  gboolean halves; /* matrices that are published in f32, as all students are,
                      become bf16, in which the published code computes; not
                      read from anywhere */
} VidgenWanConfig;

/* Values of a head, and how many of its pairs turn with time, with the row and
 * with the column. */
static inline guint
vidgen_wan_head_size (const VidgenWanConfig *config)
{
  return config->size / config->heads;
}

static inline guint
vidgen_wan_place_pairs (const VidgenWanConfig *config)
{
  return vidgen_wan_head_size (config) / 6;
}

static inline guint
vidgen_wan_time_pairs (const VidgenWanConfig *config)
{
  return vidgen_wan_head_size (config) / 2 -
         2 * vidgen_wan_place_pairs (config);
}

/* Reads what the tensors, by their original names, and `json`, the path of a
 * config.json or NULL, say. Errors: NOT_FOUND (`json` is unreadable), FORMAT
 * (no such transformer, sizes out of range or against each other; names tensor
 * or key). */
gboolean vidgen_wan_config_read (VidgenWanConfig *config,
    const VidgenNames *names, const char *json, GError **error);

G_END_DECLS
