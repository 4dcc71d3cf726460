/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/linear.h"

void
vidgen_project (VidgenRecorder *recorder, const VidgenLinear *linear,
    guint rows, VidgenProduct product)
{
  const VidgenGemm gemm = { .m = rows,
    .n = linear->out,
    .k = linear->in,
    .a = product.a,
    .a_stride = linear->in,
    .weight = linear->weight,
    .weight_type = linear->type,
    .bias = product.bias.memory ? product.bias : linear->bias,
    .gate = product.gate,
    .residual = product.residual,
    .residual_stride = linear->out,
    .out = product.out,
    .out_stride = linear->out,
    .activation = product.activation };

  vidgen_gemm (recorder, &gemm);
}

VidgenLinear
vidgen_linear_part (const VidgenLinear *linear, guint part, guint size)
{
  const guint64 bytes =
      vidgen_type_size (linear->type, (guint64)size * linear->in);

  return (VidgenLinear){ .in = linear->in,
    .out = size,
    .weight = vidgen_span_cut (linear->weight, part * bytes, bytes),
    .type = linear->type };
}

VidgenSpan
vidgen_pad (VidgenRecorder *recorder, VidgenSpan from, guint rows, guint count,
    VidgenSpan to, guint padded)
{
  if (count == padded)
    return from;
  for (guint64 row = 0; row < rows; row++)
    vidgen_recorder_copy (recorder, vidgen_floats (to, row * padded, count),
        vidgen_floats (from, row * count, count));
  return to;
}
