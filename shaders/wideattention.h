/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

#define VIDGEN_WIDEATTENTION_MAX_HEAD_SIZE 1024

/* Attention of one wide head, as decoders have it between the pixels of a
 * small image, in one pass with a running softmax: no score matrix in memory
 * (Dao et al., "FlashAttention", 2022).
 *
 *   out[i] = softmax_j (scale * q[i] . k[j]) v[j]
 *
 * q and out are [rows][head_size], k and v [keys][head_size], f32, rows
 * `*_stride` apart. head_size is a multiple of 4, at most
 * VIDGEN_WIDEATTENTION_MAX_HEAD_SIZE; strides are multiples of 4; rows and
 * keys >= 1. out overlaps nothing that is read.
 */
typedef struct {
  guint rows, keys, head_size;
  float scale;
  VidgenSpan q;
  guint q_stride;
  VidgenSpan k;
  guint k_stride;
  VidgenSpan v;
  guint v_stride;
  VidgenSpan out;
  guint out_stride;
} VidgenWideattention;

void vidgen_wideattention (
    VidgenRecorder *recorder, const VidgenWideattention *attention);
void vidgen_wideattention_reference (const VidgenWideattention *attention);

G_END_DECLS
