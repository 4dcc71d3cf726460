/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/multiply.h"

#include "multiply.spv.h"

#define GROUP_SIZE 64

static const VidgenKernel multiply_kernel = VIDGEN_KERNEL (multiply);

void
vidgen_multiply_reference (const VidgenMultiply *multiply)
{
  const float *a = vidgen_span_map (multiply->a);
  const float *b = vidgen_span_map (multiply->b);
  float *out = vidgen_span_map (multiply->out);

  for (gsize i = 0; i < (gsize)multiply->rows * multiply->size; i++)
    out[i] = a[i] * b[i];
}

static void
reference (const void *params)
{
  vidgen_multiply_reference (params);
}

void
vidgen_multiply (VidgenRecorder *recorder, const VidgenMultiply *multiply)
{
  const guint64 bytes = 4 * (guint64)multiply->rows * multiply->size;
  const struct {
    guint64 a, b, out;
    guint32 row_fours;
  } push = {
    vidgen_span_address (multiply->a),
    vidgen_span_address (multiply->b),
    vidgen_span_address (multiply->out),
    multiply->size / 4,
  };
  const VidgenDispatch dispatch = {
    .kernel = &multiply_kernel,
    .constants = { GROUP_SIZE, 1, 1 },
    .n_constants = 3,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "a", multiply->a, FALSE, bytes },
        { "b", multiply->b, FALSE, bytes },
        { "out", multiply->out, TRUE, bytes } },
    .n_accesses = 3,
    .groups = { vidgen_groups (multiply->size / 4, GROUP_SIZE), multiply->rows,
        1 },
    .operations = (double)multiply->rows * multiply->size,
    .reference = reference,
    .params = multiply,
    .params_bytes = sizeof *multiply,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
