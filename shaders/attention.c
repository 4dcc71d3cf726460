/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/attention.h"

#include <string.h>

#include "attention.spv.h"
#include "attention_split.spv.h"
#include "shaders/pinned/attention_khr.spv.h"

/* How many groups a GPU runs at once, at least. */
#define GROUPS_AT_ONCE 128

/* Of a group on matrices. */
#define SUBGROUPS 4
#define BLOCK 32

static const VidgenKernel kernels[] = {
  [VIDGEN_ATTENTION_LANES] = VIDGEN_KERNEL (attention),
  [VIDGEN_ATTENTION_PARTS] = VIDGEN_KERNEL (attention_split),
  [VIDGEN_ATTENTION_SUBGROUP] = VIDGEN_KERNEL (attention_khr),
};

static const char *const k_names[VIDGEN_ATTENTION_SEGMENTS] = { "k0", "k1",
  "k2", "k3" };
static const char *const v_names[VIDGEN_ATTENTION_SEGMENTS] = { "v0", "v1",
  "v2", "v3" };

static guint
attention_segments (const VidgenAttention *attention)
{
  guint n = 0;

  while (n < VIDGEN_ATTENTION_SEGMENTS && attention->segments[n].count)
    n++;
  return n;
}

/* Of keys from the first on. */
static const float *
bias_of (const VidgenAttention *attention, gsize row, gsize head)
{
  const float *bias = vidgen_span_map (attention->bias);

  return bias + head * attention->bias_stride + attention->rows - 1 - row;
}

/* One query of one head, two passes over the keys; bias may be NULL. */
static void
attend (const VidgenAttention *attention, gsize head, const float *q,
    const float *bias, double *scores, float *out)
{
  const guint size = attention->head_size;
  const guint n_segments = attention_segments (attention);
  double maximum = -INFINITY, total = 0;
  double sums[VIDGEN_ATTENTION_MAX_HEAD_SIZE] = { 0 };
  guint n = 0;

  for (guint s = 0; s < n_segments; s++) {
    const VidgenAttentionSegment *segment = &attention->segments[s];
    const void *k = vidgen_span_map (segment->k);

    for (gsize key = 0; key < segment->count; key++) {
      double score = 0;

      for (guint i = 0; i < size; i++)
        score += (double)q[i] * vidgen_type_value (attention->type, k,
                                    key * segment->k_stride + head * size + i);
      scores[n] = score * attention->scale + (bias ? bias[n] : 0);
      maximum = MAX (maximum, scores[n]);
      n++;
    }
  }

  n = 0;
  for (guint s = 0; s < n_segments; s++) {
    const VidgenAttentionSegment *segment = &attention->segments[s];
    const void *v = vidgen_span_map (segment->v);

    for (gsize key = 0; key < segment->count; key++) {
      const double weight = exp (scores[n++] - maximum);

      total += weight;
      for (guint i = 0; i < size; i++)
        sums[i] += weight * vidgen_type_value (attention->type, v,
                                key * segment->v_stride + head * size + i);
    }
  }
  for (guint i = 0; i < size; i++)
    out[i] = (float)(sums[i] / total);
}

static guint64
attention_keys (const VidgenAttention *attention)
{
  guint64 n = 0;

  for (guint s = 0; s < attention_segments (attention); s++)
    n += attention->segments[s].count;
  return n;
}

void
vidgen_attention_reference (const VidgenAttention *attention)
{
  const gsize size = attention->head_size;
  const float *q = vidgen_span_map (attention->q);
  float *out = vidgen_span_map (attention->out);
  g_autofree double *scores = g_new (double, attention_keys (attention));

  for (gsize row = 0; row < attention->rows; row++)
    for (gsize head = 0; head < attention->heads; head++)
      attend (attention, head, q + row * attention->q_stride + head * size,
          attention->bias.memory ? bias_of (attention, row, head) : NULL,
          scores, out + row * attention->out_stride + head * size);
}

static void
reference (const void *params)
{
  vidgen_attention_reference (params);
}

/* Queries of a group. */
static guint
group_rows (const VidgenAttentionTile *tile)
{
  return tile->path == VIDGEN_ATTENTION_SUBGROUP
             ? tile->rows
             : tile->rows * tile->lanes / tile->parts;
}

static VidgenAttentionTile
choose_parts (const VidgenDeviceCaps *caps, const VidgenAttention *attention)
{
  VidgenAttentionTile tile = {
    .path = VIDGEN_ATTENTION_PARTS,
    .lanes = MAX (64, caps->max_subgroup_size),
    .rows = 4,
    .parts = attention->head_size >= 64 ? 8 : 4,
  };

  while (tile.rows > 1 && vidgen_groups (attention->rows, group_rows (&tile)) *
                                  attention->heads <
                              GROUPS_AT_ONCE)
    tile.rows /= 2;
  return tile;
}

/* What a group on matrices keeps in shared memory, as in the shader. */
static guint
shared_bytes (const VidgenMatrixShape *matrix, guint head_size)
{
  const guint rows = SUBGROUPS * matrix->m;

  return BLOCK * (2 * head_size + 16) +
         rows * (4 * (BLOCK + 4) + 2 * BLOCK + 16 + 8) +
         4 * SUBGROUPS * matrix->m * matrix->n;
}

static gboolean
choose_matrix (const VidgenDeviceCaps *caps, const VidgenAttention *attention,
    VidgenAttentionTile *tile)
{
  const VidgenMatrixShape *matrix = &caps->matrix;

  if (!matrix->m || attention->head_size % matrix->n ||
      attention->head_size % matrix->k || attention->rows < matrix->m ||
      shared_bytes (matrix, attention->head_size) > caps->shared_memory_bytes ||
      SUBGROUPS * caps->subgroup_size > caps->max_group_invocations)
    return FALSE;
  *tile = (VidgenAttentionTile){
    .path = VIDGEN_ATTENTION_SUBGROUP,
    .lanes = SUBGROUPS * caps->subgroup_size,
    .rows = SUBGROUPS * matrix->m,
    .parts = 1,
  };
  return TRUE;
}

VidgenAttentionTile
vidgen_attention_choose (
    const VidgenDeviceCaps *caps, const VidgenAttention *attention)
{
  const gboolean cpu = caps->type == VIDGEN_DEVICE_CPU;
  const guint lanes =
      cpu ? caps->max_subgroup_size : MAX (32, caps->max_subgroup_size);
  VidgenAttentionTile tile;

  if (!cpu && choose_matrix (caps, attention, &tile))
    return tile;
  if (!cpu && caps->subgroup_shuffle && caps->min_subgroup_size >= 8)
    return choose_parts (caps, attention);
  return (VidgenAttentionTile){
    .lanes = lanes,
    .rows = cpu && attention->rows > lanes ? 2 : 1,
    .parts = 1,
    .broadcast = caps->subgroup_ballot && caps->min_subgroup_size >= 8,
  };
}

/* As in the shaders. */
enum { LOAD_F32, LOAD_F32_ALIGNED, LOAD_F16 };

static guint
choose_load (const VidgenAttention *attention)
{
  if (attention->type == VIDGEN_F16)
    return LOAD_F16;
  for (guint s = 0; s < attention_segments (attention); s++)
    if (vidgen_span_address (attention->segments[s].k) % 16 ||
        vidgen_span_address (attention->segments[s].v) % 16)
      return LOAD_F32;
  return LOAD_F32_ALIGNED;
}

static void
fill_constants (const VidgenDeviceCaps *caps, const VidgenAttention *attention,
    const VidgenAttentionTile *tile, VidgenDispatch *dispatch)
{
  const VidgenMatrixShape *matrix = &caps->matrix;
  const guint biased = attention->bias.memory != NULL;
  const guint load = choose_load (attention);
  const guint32 constants[][VIDGEN_MAX_CONSTANTS] = {
    [VIDGEN_ATTENTION_LANES] = { tile->lanes, 1, 1, attention->head_size,
        tile->rows, tile->broadcast, biased,
        load == LOAD_F16 ? LOAD_F16 : LOAD_F32 },
    [VIDGEN_ATTENTION_PARTS] = { tile->lanes, 1, 1, attention->head_size,
        tile->rows, tile->parts, biased, load },
    [VIDGEN_ATTENTION_SUBGROUP] = { tile->lanes, 1, 1, attention->head_size,
        tile->rows, SUBGROUPS, biased, matrix->m, matrix->n, matrix->k,
        caps->subgroup_size, load },
  };
  static const guint n_constants[] = { 8, 8, 12 };

  memcpy (
      dispatch->constants, constants[tile->path], sizeof dispatch->constants);
  dispatch->n_constants = n_constants[tile->path];
  if (tile->path == VIDGEN_ATTENTION_SUBGROUP)
    dispatch->subgroup_size = caps->subgroup_size;
}

static guint64
rows_bytes (
    const VidgenAttention *attention, VidgenType type, guint rows, guint stride)
{
  return vidgen_type_size (
      type, (guint64)(rows - 1) * stride +
                (guint64)attention->heads * attention->head_size);
}

void
vidgen_attention (VidgenRecorder *recorder, const VidgenAttention *attention)
{
  const VidgenDeviceCaps *caps =
      vidgen_device_caps (vidgen_recorder_device (recorder));
  const VidgenAttentionTile tile = vidgen_attention_choose (caps, attention);
  const guint rows = attention->rows;
  const guint n_segments = attention_segments (attention);
  struct {
    guint64 q, out;
    struct {
      guint64 k, v;
      guint32 count, strides;
    } segments[VIDGEN_ATTENTION_SEGMENTS];
    guint32 rows, q_stride, out_stride;
    float scale;
  } push = {
    .q = vidgen_span_address (attention->q),
    .out = vidgen_span_address (attention->out),
    .rows = rows,
    .q_stride = attention->q_stride,
    .out_stride = attention->out_stride,
    .scale = attention->scale,
  };
  VidgenDispatch dispatch = {
    .kernel = &kernels[tile.path],
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "q", attention->q, FALSE,
                      rows_bytes (
                          attention, VIDGEN_F32, rows, attention->q_stride) },
        { "out", attention->out, TRUE,
            rows_bytes (attention, VIDGEN_F32, rows, attention->out_stride) } },
    .n_accesses = 2,
    .groups = { vidgen_groups (rows, group_rows (&tile)), attention->heads, 1 },
    .operations = 4.0 * rows * attention_keys (attention) * attention->heads *
                  attention->head_size,
    .reference = reference,
    .params = attention,
    .params_bytes = sizeof *attention,
  };

  for (guint s = 0; s < n_segments; s++) {
    const VidgenAttentionSegment *segment = &attention->segments[s];

    push.segments[s].k = vidgen_span_address (segment->k);
    push.segments[s].v = vidgen_span_address (segment->v);
    push.segments[s].count = segment->count;
    push.segments[s].strides = segment->k_stride / 4 | segment->v_stride / 4
                                                           << 16;
    dispatch.accesses[dispatch.n_accesses++] = (VidgenAccess){
      k_names[s], segment->k, FALSE,
      rows_bytes (attention, attention->type, segment->count, segment->k_stride)
    };
    dispatch.accesses[dispatch.n_accesses++] = (VidgenAccess){
      v_names[s], segment->v, FALSE,
      rows_bytes (attention, attention->type, segment->count, segment->v_stride)
    };
  }
  if (attention->bias.memory) {
    push.segments[VIDGEN_ATTENTION_SEGMENTS - 1].k =
        vidgen_span_address (attention->bias);
    push.segments[VIDGEN_ATTENTION_SEGMENTS - 1].strides =
        attention->bias_stride;
    dispatch.accesses[dispatch.n_accesses++] =
        (VidgenAccess){ "bias", attention->bias, FALSE,
          4 * ((guint64)(attention->heads - 1) * attention->bias_stride + rows +
                  attention->segments[0].count - 1) };
  }
  fill_constants (caps, attention, &tile, &dispatch);
  vidgen_recorder_dispatch (recorder, &dispatch);
}
