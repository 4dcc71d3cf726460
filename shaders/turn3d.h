/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* Rotary position embedding (Su et al., "RoFormer", 2021) of the tokens of
 * frames, whose angles are those of the frame's time and of the place in the
 * frame; the pairs are values 2 j and 2 j + 1 of a head:
 *
 *   out[2 j]     = x[2 j] * cos - x[2 j + 1] * sin
 *   out[2 j + 1] = x[2 j + 1] * cos + x[2 j] * sin
 *
 * x and out are dense [frames][tokens][heads * head_size], of `type`, F32 or
 * F16, where what is beyond 65504 becomes that. Pairs below `time_pairs` take
 * (cos, sin) from times, f32 [frames][time_pairs][2], the others from places,
 * f32 [tokens][head_size / 2 - time_pairs][2]. out overlaps nothing that is
 * read, but may be x. head_size is even.
 */
typedef struct {
  guint frames, tokens, heads, head_size;
  guint time_pairs;
  VidgenType type; /* of x and out */
  VidgenSpan x;
  VidgenSpan times;
  VidgenSpan places;
  VidgenSpan out;
} VidgenTurn3d;

void vidgen_turn3d (VidgenRecorder *recorder, const VidgenTurn3d *turn);
void vidgen_turn3d_reference (const VidgenTurn3d *turn);

G_END_DECLS
