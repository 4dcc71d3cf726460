/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/gemm.h"

G_BEGIN_DECLS

/* weight [out][in] and bias [out] of a linear layer; `in` as padded. */
typedef struct {
  guint in, out;
  VidgenSpan weight;
  VidgenType type;
  VidgenSpan bias; /* absent where the layer has none */
} VidgenLinear;

/* The terms of out = residual + gate * activation (a * weight' + bias), dense
 * rows; absent ones but `a` and `out` as in VidgenGemm, an absent bias being
 * the layer's. */
typedef struct {
  VidgenSpan a, bias, gate, residual, out;
  VidgenActivation activation;
} VidgenProduct;

void vidgen_project (VidgenRecorder *recorder, const VidgenLinear *linear,
    guint rows, VidgenProduct product);

/* The layer, without bias, that gives values `part` * size to
 * (`part` + 1) * size of `linear`. */
VidgenLinear vidgen_linear_part (
    const VidgenLinear *linear, guint part, guint size);

/* `count` floats of `span` from the `first` on. */
static inline VidgenSpan
vidgen_floats (VidgenSpan span, guint64 first, guint64 count)
{
  return vidgen_span_cut (span, 4 * first, 4 * count);
}

/* Copies `rows` rows of `count` floats to rows of `padded` floats, whose ends
 * stay as they are, and returns those; nothing is done where the two are
 * equal. */
VidgenSpan vidgen_pad (VidgenRecorder *recorder, VidgenSpan from, guint rows,
    guint count, VidgenSpan to, guint padded);

G_END_DECLS
