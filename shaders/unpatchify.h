/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* Unfolds tokens into a picture of latents, undoing the standardisation:
 *
 *   z = tokens[t][(c * patch + dy) * patch + dx] * std[..] + mean[..]
 *   out[row * patch + dy][column * patch + dx][c] = bound * tanh (z / bound)
 *
 * tokens: f32 [rows * columns][channels * patch^2], row by row; std and mean
 * [channels * patch^2], both present or absent (1 and 0); out: f32
 * [rows * patch][columns * patch][channels]. With bound 0 z is left as it is.
 */
typedef struct {
  guint rows, columns, channels, patch;
  float bound; /* 0 or above */
  VidgenSpan tokens;
  VidgenSpan std;
  VidgenSpan mean;
  VidgenSpan out;
} VidgenUnpatchify;

void vidgen_unpatchify (
    VidgenRecorder *recorder, const VidgenUnpatchify *unpatchify);
void vidgen_unpatchify_reference (const VidgenUnpatchify *unpatchify);

G_END_DECLS
