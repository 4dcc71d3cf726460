/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/norm.h"

#include "norm.spv.h"

static const VidgenKernel norm_kernel = VIDGEN_KERNEL (norm);

void
vidgen_norm_reference (const VidgenNorm *norm)
{
  const gsize size = norm->size;
  const float *scale = vidgen_span_map (norm->scale);
  const float *shift = vidgen_span_map (norm->shift);

  for (gsize row = 0; row < norm->rows; row++) {
    const float *x = (float *)vidgen_span_map (norm->x) + row * size;
    float *out = (float *)vidgen_span_map (norm->out) + row * size;
    double mean = 0, squares = 0;
    double factor;

    for (gsize i = 0; norm->center && i < size; i++)
      mean += (double)x[i] / size;
    for (gsize i = 0; i < size; i++)
      squares += (x[i] - mean) * (x[i] - mean);
    factor = 1 / sqrt (squares / size + VIDGEN_RMS_EPSILON);
    for (gsize i = 0; i < size; i++) {
      const double gain = scale ? scale[i] + (norm->gain ? 0.0 : 1.0) : 1;

      out[i] = (float)((x[i] - mean) * factor * gain + (shift ? shift[i] : 0));
    }
  }
}

static void
reference (const void *params)
{
  vidgen_norm_reference (params);
}

void
vidgen_norm (VidgenRecorder *recorder, const VidgenNorm *norm)
{
  const VidgenDeviceCaps *caps =
      vidgen_device_caps (vidgen_recorder_device (recorder));
  const guint lanes =
      caps->type == VIDGEN_DEVICE_CPU ? caps->subgroup_size : 64;
  const guint64 row_bytes = 4 * (guint64)norm->size;
  const struct {
    guint64 x, scale, shift, out;
    guint32 size;
  } push = {
    vidgen_span_address (norm->x),
    vidgen_span_address (norm->scale),
    vidgen_span_address (norm->shift),
    vidgen_span_address (norm->out),
    norm->size,
  };
  const VidgenDispatch dispatch = {
    .kernel = &norm_kernel,
    .constants = { lanes, 1, 1, norm->center, norm->gain },
    .n_constants = 5,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "x", norm->x, FALSE, norm->rows * row_bytes },
        { "scale", norm->scale, FALSE, row_bytes },
        { "shift", norm->shift, FALSE, row_bytes },
        { "out", norm->out, TRUE, norm->rows * row_bytes } },
    .n_accesses = 4,
    .groups = { norm->rows, 1, 1 },
    .operations = (norm->center ? 7.0 : 5.0) * norm->rows * norm->size,
    .reference = reference,
    .params = norm,
    .params_bytes = sizeof *norm,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
