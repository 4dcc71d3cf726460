/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/linear.h"

void
vidgen_mini_project (VidgenRecorder *recorder, const VidgenMiniLinear *linear,
    guint rows, VidgenMiniProduct product)
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

VidgenMiniLinear
vidgen_mini_linear_part (const VidgenMiniLinear *linear, guint part, guint size)
{
  const guint64 bytes =
      (guint64)size * linear->in * vidgen_type_bytes (linear->type);

  return (VidgenMiniLinear){ .in = linear->in,
    .out = size,
    .weight = vidgen_span_cut (linear->weight, part * bytes, bytes),
    .type = linear->type };
}

VidgenSpan
vidgen_mini_pad (VidgenRecorder *recorder, VidgenSpan from, guint rows,
    guint count, VidgenSpan to, guint padded)
{
  if (count == padded)
    return from;
  for (guint64 row = 0; row < rows; row++)
    vidgen_recorder_copy (recorder, vidgen_mini_part (to, row * padded, count),
        vidgen_mini_part (from, row * count, count));
  return to;
}
