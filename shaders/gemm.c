/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/gemm.h"

#include <string.h>

#include "gemm.spv.h"
#include "shaders/pinned/gemm_khr.spv.h"
#include "shaders/pinned/gemm_nv.spv.h"

static const VidgenKernel kernels[] = {
  [VIDGEN_GEMM_PLAIN] = VIDGEN_KERNEL (gemm),
  [VIDGEN_GEMM_SUBGROUP] = VIDGEN_KERNEL (gemm_khr),
  [VIDGEN_GEMM_GROUP] = VIDGEN_KERNEL (gemm_nv),
};

/* What a tile's weights cost to load, in rows of products. */
#define WEIGHT_COST 6
/* Columns of a CPU's lane: more spare it loads of a, and waste more at the
 * edge. */
#define FEW_COLUMNS 4
#define MANY_COLUMNS 8
/* On matrices: rows from which they pay, f32 sums a lane may hold, bytes of a
 * row of a slice in shared memory, what loading a row of a slice costs in
 * products, and how many groups a GPU runs at once. */
#define MATRIX_ROWS 8
#define MAX_SUMS(subgroup_size) MIN (128, 4 * (subgroup_size))
#define SLICE_ROW_BYTES 80
#define SLICE_COST 32
#define GROUPS_AT_ONCE 128

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
    .columns = lanes * (many ? MANY_COLUMNS : FEW_COLUMNS),
    .broadcast = caps->subgroup_ballot && caps->min_subgroup_size >= 8,
  };
}

static VidgenGemmTile
choose_gpu (const VidgenDeviceCaps *caps, guint m)
{
  static const guint rows[] = { 1, 4, 8 };
  const guint lanes = MAX (64, caps->max_subgroup_size);

  return (VidgenGemmTile){
    .lanes = lanes,
    .rows = cheapest_rows (m, rows, G_N_ELEMENTS (rows)),
    .columns = lanes,
    .broadcast = caps->subgroup_ballot && caps->min_subgroup_size >= 8,
  };
}

static gboolean
subgroups_hold (const VidgenDeviceCaps *caps, const VidgenGemmTile *tile)
{
  const VidgenMatrixShape *matrix = &caps->matrix;
  const guint lanes = tile->down * tile->across * caps->subgroup_size;
  const guint shared_bytes =
      SLICE_ROW_BYTES * (tile->rows + tile->columns) +
      4 * tile->down * tile->across * matrix->m * matrix->n;

  return tile->rows / tile->down % matrix->m == 0 &&
         tile->columns / tile->across % matrix->n == 0 &&
         tile->rows * tile->columns <= MAX_SUMS (caps->subgroup_size) * lanes &&
         lanes <= caps->max_group_invocations &&
         shared_bytes <= caps->shared_memory_bytes;
}

static gboolean
group_holds (const VidgenDeviceCaps *caps, const VidgenGemmTile *tile)
{
  const VidgenMatrixShape *matrix = &caps->group_matrix;

  return tile->rows % matrix->m == 0 && tile->columns % matrix->n == 0 &&
         tile->rows * tile->columns <=
             MAX_SUMS (caps->subgroup_size) * matrix->invocations;
}

/* The time of a product whose groups run some at once. */
static guint64
tile_cost (const VidgenGemmTile *tile, guint m, guint n)
{
  const guint64 groups =
      (guint64)vidgen_groups (m, tile->rows) * vidgen_groups (n, tile->columns);

  return (groups + GROUPS_AT_ONCE - 1) / GROUPS_AT_ONCE *
         (tile->rows * tile->columns +
             SLICE_COST * (tile->rows + tile->columns));
}

/* FALSE where no tile fits the device. */
static gboolean
choose_matrix (const VidgenDeviceCaps *caps, const VidgenGemm *gemm,
    gboolean group, VidgenGemmTile *best)
{
  static const VidgenGemmTile tiles[] = {
    { .rows = 128, .columns = 256, .down = 2, .across = 4 },
    { .rows = 128, .columns = 128, .down = 2, .across = 2 },
    { .rows = 64, .columns = 128, .down = 2, .across = 2 },
    { .rows = 64, .columns = 64, .down = 2, .across = 2 },
    { .rows = 32, .columns = 64, .down = 2, .across = 2 },
    { .rows = 32, .columns = 32, .down = 2, .across = 2 },
  };
  guint64 best_cost = G_MAXUINT64;

  for (guint i = 0; i < G_N_ELEMENTS (tiles); i++) {
    const guint64 cost = tile_cost (&tiles[i], gemm->m, gemm->n);

    if (cost < best_cost && (group ? group_holds (caps, &tiles[i])
                                   : subgroups_hold (caps, &tiles[i]))) {
      best_cost = cost;
      *best = tiles[i];
    }
  }
  best->path = group ? VIDGEN_GEMM_GROUP : VIDGEN_GEMM_SUBGROUP;
  best->lanes = group ? caps->group_matrix.invocations
                      : best->down * best->across * caps->subgroup_size;
  best->depth = vidgen_type_block (gemm->weight_type) > 1 ? 32 : 64;
  return best_cost != G_MAXUINT64;
}

VidgenGemmTile
vidgen_gemm_choose (const VidgenDeviceCaps *caps, const VidgenGemm *gemm)
{
  VidgenGemmTile tile = { 0 };

  if (caps->type == VIDGEN_DEVICE_CPU)
    return choose_cpu (caps, gemm->m, gemm->n);
  if (gemm->weight_type == VIDGEN_F32 || gemm->m < MATRIX_ROWS)
    return choose_gpu (caps, gemm->m);
  if (caps->group_matrix.m && choose_matrix (caps, gemm, TRUE, &tile))
    return tile;
  if (caps->matrix.m && choose_matrix (caps, gemm, FALSE, &tile))
    return tile;
  return choose_gpu (caps, gemm->m);
}

static void
fill_constants (const VidgenDeviceCaps *caps, const VidgenGemm *gemm,
    const VidgenGemmTile *tile, VidgenDispatch *dispatch)
{
  const guint32 constants[][VIDGEN_MAX_CONSTANTS] = {
    [VIDGEN_GEMM_PLAIN] = { tile->lanes, 1, 1, gemm->weight_type,
        gemm->activation, tile->rows, tile->columns / tile->lanes,
        tile->broadcast },
    [VIDGEN_GEMM_SUBGROUP] = { tile->lanes, 1, 1, gemm->weight_type,
        gemm->activation, tile->rows, tile->columns, caps->matrix.m,
        caps->matrix.n, caps->matrix.k, tile->down, tile->across },
    [VIDGEN_GEMM_GROUP] = { tile->lanes, 1, 1, gemm->weight_type,
        gemm->activation, tile->rows, tile->columns, tile->depth },
  };
  static const guint n_constants[] = { 8, 12, 8 };

  memcpy (
      dispatch->constants, constants[tile->path], sizeof dispatch->constants);
  dispatch->n_constants = n_constants[tile->path];
  if (tile->path == VIDGEN_GEMM_SUBGROUP)
    dispatch->subgroup_size = caps->subgroup_size;
}

static guint64
rows_bytes (guint rows, guint stride, guint size)
{
  return 4 * ((guint64)(rows - 1) * stride + size);
}

void
vidgen_gemm (VidgenRecorder *recorder, const VidgenGemm *gemm)
{
  const VidgenDeviceCaps *caps =
      vidgen_device_caps (vidgen_recorder_device (recorder));
  const VidgenGemmTile tile = vidgen_gemm_choose (caps, gemm);
  const guint m = gemm->m, n = gemm->n, k = gemm->k;
  const guint across = vidgen_groups (n, tile.columns);
  const guint down = vidgen_groups (m, tile.rows);
  const guint64 weight_bytes =
      vidgen_type_size (gemm->weight_type, (guint64)n * k);
  /* Groups in a row read the larger operand once and the other from cache. */
  const gboolean rows_first = weight_bytes > 4 * (guint64)m * k;
  const struct {
    guint64 a, weight, bias, gate, residual, out, clamped;
    guint32 m, n, k, a_stride, residual_stride, out_stride, rows_first, a_quads;
  } push = {
    vidgen_span_address (gemm->a),
    vidgen_span_address (gemm->weight),
    vidgen_span_address (gemm->bias),
    vidgen_span_address (gemm->gate),
    vidgen_span_address (gemm->residual),
    vidgen_span_address (gemm->out),
    vidgen_span_address (gemm->clamped),
    m,
    n,
    k,
    gemm->a_stride,
    gemm->residual_stride,
    gemm->out_stride,
    rows_first,
    gemm->a_stride % 4 == 0 && vidgen_span_address (gemm->a) % 16 == 0,
  };
  VidgenDispatch dispatch = {
    .kernel = &kernels[tile.path],
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "a", gemm->a, FALSE, rows_bytes (m, gemm->a_stride, k) },
        { "weight", gemm->weight, FALSE, weight_bytes },
        { "bias", gemm->bias, FALSE, 4 * (guint64)n },
        { "gate", gemm->gate, FALSE, 4 * (guint64)n },
        { "residual", gemm->residual, FALSE,
            rows_bytes (m, gemm->residual_stride, n) },
        { "out", gemm->out, TRUE, rows_bytes (m, gemm->out_stride, n) },
        { "clamped", gemm->clamped, TRUE, 4 } },
    .n_accesses = 7,
    .groups = { rows_first ? down : across, rows_first ? across : down, 1 },
    .operations = 2.0 * m * n * k,
    .reference = reference,
    .params = gemm,
    .params_bytes = sizeof *gemm,
  };

  fill_constants (caps, gemm, &tile, &dispatch);
  vidgen_recorder_dispatch (recorder, &dispatch);
}
