/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

#define VIDGEN_ATTENTION_SEGMENTS 4

/* A run of keys and values that lie together; f32 rows of heads * head_size
 * values, `*_stride` values apart. */
typedef struct {
  guint count; /* rows; 0 ends the list */
  VidgenSpan k;
  guint k_stride;
  VidgenSpan v;
  guint v_stride;
} VidgenAttentionSegment;

/* Multi-head attention without mask over keys in up to four segments (a text
 * prefix, parts of a ring of cached chunks), in one pass with a running
 * softmax: no score matrix in memory (Dao et al., "FlashAttention", 2022).
 *
 *   out[i] = softmax_j (scale * q[i] . k[j]) v[j]      for each head
 *
 * q and out are f32 [rows][heads * head_size], rows `*_stride` apart. At least
 * one key. head_size is 16, 32, 64 or 128. Strides are multiples of 4.
 */
typedef struct {
  guint rows, heads, head_size;
  float scale;
  VidgenSpan q;
  guint q_stride;
  VidgenAttentionSegment segments[VIDGEN_ATTENTION_SEGMENTS];
  VidgenSpan out;
  guint out_stride;
} VidgenAttention;

void vidgen_attention (
    VidgenRecorder *recorder, const VidgenAttention *attention);
void vidgen_attention_reference (const VidgenAttention *attention);

G_END_DECLS
