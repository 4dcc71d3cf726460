/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

#define VIDGEN_ATTENTION_SEGMENTS 4
#define VIDGEN_ATTENTION_MAX_HEAD_SIZE 128

/* A run of keys and values that lie together; rows of heads * head_size values,
 * `*_stride` values apart. */
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
 * With `bias` there is one segment, and a term that depends on the distance of
 * query and key is added to their score (Raffel et al., "Exploring the Limits
 * of Transfer Learning", 2020): bias[head][rows - 1 + j - i], f32 rows of
 * rows + count - 1 values, `bias_stride` apart.
 *
 * q and out are f32 [rows][heads * head_size], rows `*_stride` apart; keys and
 * values are of `type`, F32 or F16, these at multiples of 8 bytes. At least one
 * key. head_size is 16, 32, 64 or 128. The strides of segments are
 * multiples of 4 and less than 2^18. out overlaps nothing that is read.
 *
 * On matrix cores queries, keys and values become halves, what is beyond 65504
 * becoming that; scores and sums stay f32.
 */
typedef struct {
  guint rows, heads, head_size;
  float scale;
  VidgenSpan q;
  guint q_stride;
  VidgenType type; /* of all segments */
  VidgenAttentionSegment segments[VIDGEN_ATTENTION_SEGMENTS];
  VidgenSpan bias; /* may be absent */
  guint bias_stride;
  VidgenSpan out;
  guint out_stride;
} VidgenAttention;

void vidgen_attention (
    VidgenRecorder *recorder, const VidgenAttention *attention);
void vidgen_attention_reference (const VidgenAttention *attention);

typedef enum {
  VIDGEN_ATTENTION_LANES,   /* a lane takes whole queries, on any device */
  VIDGEN_ATTENTION_PARTS,   /* lanes share a query; needs shuffles in full
                               subgroups of eight lanes or more */
  VIDGEN_ATTENTION_SUBGROUP /* VK_KHR_cooperative_matrix */
} VidgenAttentionPath;

/* How the queries are cut: a group of `lanes` invocations takes some queries of
 * one head. */
typedef struct {
  VidgenAttentionPath path;
  guint lanes;
  guint rows;  /* queries of a lane; of a SUBGROUP's group */
  guint parts; /* PARTS: how many lanes share a query, each with a part of its
                  values; otherwise 1 */
  gboolean broadcast; /* LANES: they share what they load of keys and values;
                         needs subgroups that are full and of eight lanes or
                         more */
} VidgenAttentionTile;

/* The tile for an attention, of which only the shape counts; a pure function,
 * and of few values, since each is a pipeline. */
VidgenAttentionTile vidgen_attention_choose (
    const VidgenDeviceCaps *caps, const VidgenAttention *attention);

G_END_DECLS
