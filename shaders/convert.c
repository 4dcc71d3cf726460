/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/convert.h"

#include "convert.spv.h"

#define GROUP_SIZE 64

static const VidgenKernel convert_kernel = VIDGEN_KERNEL (convert);

void
vidgen_convert_reference (const VidgenConvert *convert)
{
  const float *x = vidgen_span_map (convert->x);
  guint16 *out = vidgen_span_map (convert->out);

  for (gsize i = 0; i < (gsize)convert->rows * convert->size; i++)
    out[i] = vidgen_half_store (x[i]);
}

static void
reference (const void *params)
{
  vidgen_convert_reference (params);
}

void
vidgen_convert (VidgenRecorder *recorder, const VidgenConvert *convert)
{
  const guint64 count = (guint64)convert->rows * convert->size;
  const struct {
    guint64 x, out;
    guint32 row_fours;
  } push = {
    vidgen_span_address (convert->x),
    vidgen_span_address (convert->out),
    convert->size / 4,
  };
  const VidgenDispatch dispatch = {
    .kernel = &convert_kernel,
    .constants = { GROUP_SIZE, 1, 1 },
    .n_constants = 3,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "x", convert->x, FALSE, 4 * count },
        { "out", convert->out, TRUE, 2 * count } },
    .n_accesses = 2,
    .groups = { vidgen_groups (convert->size / 4, GROUP_SIZE), convert->rows,
        1 },
    .operations = (double)count,
    .reference = reference,
    .params = convert,
    .params_bytes = sizeof *convert,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
