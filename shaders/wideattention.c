/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/wideattention.h"

#include "wideattention.spv.h"

#define ROWS 4

static const VidgenKernel wideattention_kernel = VIDGEN_KERNEL (wideattention);

/* Softmax of the scores of one query. */
static void
weigh (const VidgenWideattention *attention, const float *q, double *shares)
{
  const float *k = vidgen_span_map (attention->k);
  double maximum = -G_MAXDOUBLE, total = 0;

  for (gsize key = 0; key < attention->keys; key++) {
    double score = 0;

    for (guint d = 0; d < attention->head_size; d++)
      score += (double)q[d] * k[key * attention->k_stride + d];
    shares[key] = score * attention->scale;
    maximum = MAX (maximum, shares[key]);
  }
  for (gsize key = 0; key < attention->keys; key++) {
    shares[key] = exp (shares[key] - maximum);
    total += shares[key];
  }
  for (gsize key = 0; key < attention->keys; key++)
    shares[key] /= total;
}

void
vidgen_wideattention_reference (const VidgenWideattention *attention)
{
  g_autofree double *shares = g_new (double, attention->keys);
  const float *q = vidgen_span_map (attention->q);
  const float *v = vidgen_span_map (attention->v);
  float *out = vidgen_span_map (attention->out);

  for (gsize row = 0; row < attention->rows; row++) {
    weigh (attention, q + row * attention->q_stride, shares);
    for (guint d = 0; d < attention->head_size; d++) {
      double sum = 0;

      for (gsize key = 0; key < attention->keys; key++)
        sum += shares[key] * v[key * attention->v_stride + d];
      out[row * attention->out_stride + d] = (float)sum;
    }
  }
}

static void
reference (const void *params)
{
  vidgen_wideattention_reference (params);
}

static guint64
rows_bytes (guint rows, guint stride, guint size)
{
  return 4 * ((guint64)(rows - 1) * stride + size);
}

void
vidgen_wideattention (
    VidgenRecorder *recorder, const VidgenWideattention *attention)
{
  const VidgenDeviceCaps *caps =
      vidgen_device_caps (vidgen_recorder_device (recorder));
  const guint lanes =
      caps->type == VIDGEN_DEVICE_CPU ? caps->subgroup_size : 64;
  const guint size = attention->head_size;
  const struct {
    guint64 q, k, v, out;
    guint32 rows, keys, q_stride, k_stride, v_stride, out_stride;
    float scale;
  } push = {
    vidgen_span_address (attention->q),
    vidgen_span_address (attention->k),
    vidgen_span_address (attention->v),
    vidgen_span_address (attention->out),
    attention->rows,
    attention->keys,
    attention->q_stride,
    attention->k_stride,
    attention->v_stride,
    attention->out_stride,
    attention->scale,
  };
  const VidgenDispatch dispatch = {
    .kernel = &wideattention_kernel,
    .constants = { lanes, 1, 1, size, ROWS },
    .n_constants = 5,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "q", attention->q, FALSE,
                      rows_bytes (attention->rows, attention->q_stride, size) },
        { "k", attention->k, FALSE,
            rows_bytes (attention->keys, attention->k_stride, size) },
        { "v", attention->v, FALSE,
            rows_bytes (attention->keys, attention->v_stride, size) },
        { "out", attention->out, TRUE,
            rows_bytes (attention->rows, attention->out_stride, size) } },
    .n_accesses = 4,
    .groups = { vidgen_groups (attention->rows, ROWS), 1, 1 },
    .operations = 4.0 * attention->rows * attention->keys * size,
    .reference = reference,
    .params = attention,
    .params_bytes = sizeof *attention,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
