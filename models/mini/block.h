/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/loader.h"
#include "shaders/conv2d.h"

G_BEGIN_DECLS

/* What the video encoder and decoder of models/mini/FORMAT.md section 4 are
 * made of. */

/* Feature maps, channels last. */
typedef struct {
  guint frames, height, width, channels;
} VidgenMiniMap;

static inline guint64
vidgen_mini_map_frame (VidgenMiniMap map)
{
  return (guint64)map.height * map.width * map.channels;
}

/* Records the convolution of a map; of `conv` everything that map and weights
 * know is set, and shuffle and steps where they are 0. */
void vidgen_mini_convolve (VidgenRecorder *recorder,
    const VidgenMiniConv *weights, VidgenMiniMap map, VidgenConv2d conv);

typedef struct {
  VidgenMiniConv conv1, conv2;
} VidgenMiniBlock;

/* Lists "name.conv1" and "name.conv2". */
void vidgen_mini_block_list (VidgenMiniBlock *block, VidgenMiniLoader *loader,
    const char *name, guint channels, gboolean has_memory);

/* out = x + conv2 (relu (conv1 (relu ([x ; previous])))); previous is absent
 * in a block without memory, `inner` holds what is between the two. */
void vidgen_mini_block_record (VidgenRecorder *recorder,
    const VidgenMiniBlock *block, VidgenMiniMap map, VidgenSpan x,
    VidgenSpan previous, VidgenSpan inner, VidgenSpan out);

G_END_DECLS
