/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* Per-head root mean square norm, scale and rotary position embedding (Su et
 * al., "RoFormer", 2021; the pairs are value j and value j + head_size/2):
 *
 *   y = x / sqrt (mean x^2 + epsilon) * scale[head]      over each head alone
 *   out[j]       = y[j] * cos - y[j + head_size/2] * sin
 *   out[j + h/2] = y[j + head_size/2] * cos + y[j] * sin
 *
 * x and out are f32 [groups][rows][heads * head_size]; rows lie `*_stride`
 * values and groups `*_group_stride` values apart. table is f32
 * [rows][head_size/2][2], cos then sin, the same for every group; absent: no
 * rotation. scale is [heads]; absent: 1. out overlaps nothing that is read.
 * head_size is a multiple of 4.
 */
typedef struct {
  guint groups, rows, heads, head_size;
  VidgenSpan x;
  guint x_stride, x_group_stride;
  VidgenSpan table;
  VidgenSpan scale;
  VidgenSpan out;
  guint out_stride, out_group_stride;
} VidgenRope;

void vidgen_rope (VidgenRecorder *recorder, const VidgenRope *rope);
void vidgen_rope_reference (const VidgenRope *rope);

G_END_DECLS
