/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/gemm.h"

#include "gemm.spv.h"

static const VidgenKernel gemm_kernel = VIDGEN_KERNEL (gemm);

/* What a tile's weights cost to load, in rows of products. */
#define WEIGHT_COST 6
/* Columns of a CPU's lane: more spare it loads of a, and waste more at the
 * edge. */
#define FEW_COLUMNS 4
#define MANY_COLUMNS 8

static double
activate (VidgenActivation activation, double x)
{
  switch (activation) {
  case VIDGEN_LINEAR:
    return x;
  case VIDGEN_SILU:
    return x / (1 + exp (-x));
  case VIDGEN_GELU:
    return 0.5 * x * (1 + tanh (sqrt (2 / G_PI) * (x + 0.044715 * x * x * x)));
  }
  g_return_val_if_reached (x);
}

void
vidgen_gemm_reference (const VidgenGemm *gemm)
{
  const float *a = vidgen_span_map (gemm->a);
  const void *weight = vidgen_span_map (gemm->weight);
  const float *bias = vidgen_span_map (gemm->bias);
  const float *gate = vidgen_span_map (gemm->gate);
  const float *residual = vidgen_span_map (gemm->residual);
  float *out = vidgen_span_map (gemm->out);
  g_autofree float *column = g_new (float, gemm->k);

  for (gsize j = 0; j < gemm->n; j++) {
    vidgen_type_expand (
        gemm->weight_type, weight, j * gemm->k, gemm->k, column);
    for (gsize i = 0; i < gemm->m; i++) {
      double value = bias ? bias[j] : 0;

      for (gsize k = 0; k < gemm->k; k++)
        value += (double)a[i * gemm->a_stride + k] * column[k];
      value = activate (gemm->activation, value) * (gate ? gate[j] : 1);
      if (residual)
        value += residual[i * gemm->residual_stride + j];
      out[i * gemm->out_stride + j] = (float)value;
    }
  }
}

static void
reference (const void *params)
{
  vidgen_gemm_reference (params);
}

static guint
cheapest_rows (guint m, const guint *rows, guint n_rows)
{
  guint best = 0, best_cost = G_MAXUINT;

  for (guint i = 0; i < n_rows; i++) {
    const guint cost = vidgen_groups (m, rows[i]) * (rows[i] + WEIGHT_COST);

    if (cost < best_cost) {
      best_cost = cost;
      best = rows[i];
    }
  }
  return best;
}

static guint
padded (guint count, guint size)
{
  return vidgen_groups (count, size) * size;
}

static VidgenGemmTile
choose_cpu (const VidgenDeviceCaps *caps, guint m, guint n)
{
  static const guint rows[] = { 1, 4, 12, 22 };
  const guint lanes = caps->max_subgroup_size;
  const gboolean many = m > 1 && padded (n, MANY_COLUMNS * lanes) * 4 <=
                                     padded (n, FEW_COLUMNS * lanes) * 5;

  return (VidgenGemmTile){
    .lanes = lanes,
    .rows = cheapest_rows (m, rows, G_N_ELEMENTS (rows)),
    .columns = many ? MANY_COLUMNS : FEW_COLUMNS,
  };
}

static VidgenGemmTile
choose_gpu (const VidgenDeviceCaps *caps, guint m)
{
  static const guint rows[] = { 1, 4, 8 };

  return (VidgenGemmTile){
    .lanes = MAX (64, caps->max_subgroup_size),
    .rows = cheapest_rows (m, rows, G_N_ELEMENTS (rows)),
    .columns = 1,
  };
}

VidgenGemmTile
vidgen_gemm_choose (const VidgenDeviceCaps *caps, const VidgenGemm *gemm)
{
  VidgenGemmTile tile = caps->type == VIDGEN_DEVICE_CPU
                            ? choose_cpu (caps, gemm->m, gemm->n)
                            : choose_gpu (caps, gemm->m);

  tile.broadcast = caps->subgroup_ballot && caps->min_subgroup_size >= 8;
  return tile;
}

static guint64
rows_bytes (guint rows, guint stride, guint size)
{
  return 4 * ((guint64)(rows - 1) * stride + size);
}

void
vidgen_gemm (VidgenRecorder *recorder, const VidgenGemm *gemm)
{
  const VidgenGemmTile tile = vidgen_gemm_choose (
      vidgen_device_caps (vidgen_recorder_device (recorder)), gemm);
  const guint m = gemm->m, n = gemm->n, k = gemm->k;
  const guint across = vidgen_groups (n, tile.columns * tile.lanes);
  const guint down = vidgen_groups (m, tile.rows);
  const guint64 weight_bytes =
      vidgen_type_size (gemm->weight_type, (guint64)n * k);
  /* Groups in a row read the larger operand once and the other from cache. */
  const gboolean rows_first = weight_bytes > 4 * (guint64)m * k;
  const struct {
    guint64 a, weight, bias, gate, residual, out;
    guint32 m, n, k, a_stride, residual_stride, out_stride, rows_first;
  } push = {
    vidgen_span_address (gemm->a),
    vidgen_span_address (gemm->weight),
    vidgen_span_address (gemm->bias),
    vidgen_span_address (gemm->gate),
    vidgen_span_address (gemm->residual),
    vidgen_span_address (gemm->out),
    m,
    n,
    k,
    gemm->a_stride,
    gemm->residual_stride,
    gemm->out_stride,
    rows_first,
  };
  const VidgenDispatch dispatch = {
    .kernel = &gemm_kernel,
    .constants = { tile.lanes, 1, 1, gemm->weight_type, gemm->activation,
        tile.rows, tile.columns, tile.broadcast },
    .n_constants = 8,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "a", gemm->a, FALSE, rows_bytes (m, gemm->a_stride, k) },
        { "weight", gemm->weight, FALSE, weight_bytes },
        { "bias", gemm->bias, FALSE, 4 * (guint64)n },
        { "gate", gemm->gate, FALSE, 4 * (guint64)n },
        { "residual", gemm->residual, FALSE,
            rows_bytes (m, gemm->residual_stride, n) },
        { "out", gemm->out, TRUE, rows_bytes (m, gemm->out_stride, n) } },
    .n_accesses = 6,
    .groups = { rows_first ? down : across, rows_first ? across : down, 1 },
    .operations = 2.0 * m * n * k,
    .reference = reference,
    .params = gemm,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
