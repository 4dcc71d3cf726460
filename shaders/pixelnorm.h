/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* Brings the channels of each pixel to the length sqrt (channels), as the norms
 * of convolutional decoders do, with an activation on the way out:
 *
 *   out[i][c] = act (gain[c] * sqrt (channels) * x[i][c] /
 *       max (sqrt (sum_c x[i][c]^2), 1e-12))
 *
 * x is [pixels][channels], F32 or F16; out is the same shape, F32 or F16, where
 * what is beyond 65504 becomes that; gain is f32 [channels]. act is SiLU
 * or nothing. out may be x itself where the types are the same; else it
 * overlaps nothing that is read. channels is a multiple of 4.
 */
typedef struct {
  guint pixels, channels;
  VidgenSpan x;
  VidgenType type;
  VidgenSpan gain;
  VidgenActivation activation;
  VidgenSpan out;
  VidgenType out_type;
} VidgenPixelnorm;

void vidgen_pixelnorm (VidgenRecorder *recorder, const VidgenPixelnorm *norm);
void vidgen_pixelnorm_reference (const VidgenPixelnorm *norm);

G_END_DECLS
