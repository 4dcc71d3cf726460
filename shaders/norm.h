/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* Root mean square norm of dense f32 rows, with modulation on the way out
 * (Peebles and Xie, "Scalable Diffusion Models with Transformers", 2023):
 *
 *   out[i][j] = x[i][j] / sqrt (mean_j x[i][j]^2 + epsilon) * (1 + scale[j]) +
 * shift[j]
 *
 * With `center` each row's mean is taken from it first, which makes it a layer
 * norm; with `gain` the factor is scale[j], not 1 + scale[j]. scale and shift
 * are [size], or absent (no factor, no term). out may be x itself. rows >= 1,
 * size is a multiple of 4, addresses are multiples of 16 bytes.
 */
typedef struct {
  guint rows, size;
  gboolean center, gain;
  VidgenSpan x;
  VidgenSpan scale;
  VidgenSpan shift;
  VidgenSpan out;
} VidgenNorm;

void vidgen_norm (VidgenRecorder *recorder, const VidgenNorm *norm);
void vidgen_norm_reference (const VidgenNorm *norm);

G_END_DECLS
