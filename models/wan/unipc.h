/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The solver UniPC of order 2 for flows (Zhao et al., "UniPC: A Unified
 * Predictor-Corrector Framework for Fast Sampling of Diffusion Models", 2023,
 * with B(h) = exp (h) - 1), x = (1 - sigma) * data + sigma * noise, as factors
 * of the tensors that a step sums up: x is the state it starts from, data the
 * estimate there, earlier the one before, later the one at the step's end.
 */
typedef struct {
  double x, data, earlier, later;
} VidgenUnipcStep;

/* From sigmas[step] to sigmas[step + 1], of which there are `n_steps` + 1, the
 * last being 0. */
VidgenUnipcStep vidgen_unipc_predict (
    const double *sigmas, guint n_steps, guint step);
/* The same step again, now that there is an estimate at its end. Not of the
 * last step. */
VidgenUnipcStep vidgen_unipc_correct (
    const double *sigmas, guint n_steps, guint step);

G_END_DECLS
