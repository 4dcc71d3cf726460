/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/rope.h"

#include "rope.spv.h"

static const VidgenKernel rope_kernel = VIDGEN_KERNEL (rope);

/* One head of one row; `table` is the row's, or NULL. */
static void
turn_head (
    const float *x, guint size, const float *table, float scale, float *out)
{
  const guint pairs = size / 2;
  double squares = 0;
  double factor;

  for (guint i = 0; i < size; i++)
    squares += (double)x[i] * x[i];
  factor = scale / sqrt (squares / size + VIDGEN_RMS_EPSILON);
  for (guint i = 0; i < pairs; i++) {
    const double cosine = table ? table[2 * i] : 1;
    const double sine = table ? table[2 * i + 1] : 0;
    const double real = x[i] * factor;
    const double imaginary = x[pairs + i] * factor;

    out[i] = (float)(real * cosine - imaginary * sine);
    out[pairs + i] = (float)(imaginary * cosine + real * sine);
  }
}

void
vidgen_rope_reference (const VidgenRope *rope)
{
  const gsize size = rope->head_size;
  const float *x = vidgen_span_map (rope->x);
  const float *table = vidgen_span_map (rope->table);
  const float *scale = vidgen_span_map (rope->scale);
  float *out = vidgen_span_map (rope->out);

  for (gsize group = 0; group < rope->groups; group++)
    for (gsize row = 0; row < rope->rows; row++)
      for (gsize head = 0; head < rope->heads; head++)
        turn_head (x + group * rope->x_group_stride + row * rope->x_stride +
                       head * size,
            rope->head_size, table ? table + row * size : NULL,
            scale ? scale[head] : 1,
            out + group * rope->out_group_stride + row * rope->out_stride +
                head * size);
}

static void
reference (const void *params)
{
  vidgen_rope_reference (params);
}

static guint64
spread_bytes (const VidgenRope *rope, guint stride, guint group_stride)
{
  return 4 * ((guint64)(rope->groups - 1) * group_stride +
                 (guint64)(rope->rows - 1) * stride +
                 (guint64)rope->heads * rope->head_size);
}

void
vidgen_rope (VidgenRecorder *recorder, const VidgenRope *rope)
{
  const VidgenDeviceCaps *caps =
      vidgen_device_caps (vidgen_recorder_device (recorder));
  const guint lanes =
      caps->type == VIDGEN_DEVICE_CPU ? caps->subgroup_size : 64;
  const guint64 row_heads = (guint64)rope->rows * rope->heads;
  const struct {
    guint64 x, table, scale, out;
    guint32 rows, heads, head_size;
    guint32 x_stride, x_group_stride, out_stride, out_group_stride;
  } push = {
    vidgen_span_address (rope->x),
    vidgen_span_address (rope->table),
    vidgen_span_address (rope->scale),
    vidgen_span_address (rope->out),
    rope->rows,
    rope->heads,
    rope->head_size,
    rope->x_stride,
    rope->x_group_stride,
    rope->out_stride,
    rope->out_group_stride,
  };
  const VidgenDispatch dispatch = {
    .kernel = &rope_kernel,
    .constants = { lanes, 1, 1 },
    .n_constants = 3,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "x", rope->x, FALSE,
                      spread_bytes (
                          rope, rope->x_stride, rope->x_group_stride) },
        { "table", rope->table, FALSE,
            4 * (guint64)rope->rows * rope->head_size },
        { "scale", rope->scale, FALSE, 4 * (guint64)rope->heads },
        { "out", rope->out, TRUE,
            spread_bytes (rope, rope->out_stride, rope->out_group_stride) } },
    .n_accesses = 4,
    .groups = { vidgen_groups (row_heads, lanes), rope->groups, 1 },
    .operations = 9.0 * rope->groups * row_heads * rope->head_size,
    .reference = reference,
    .params = rope,
    .params_bytes = sizeof *rope,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
