/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/unpatchify.h"

#include <math.h>

#include "unpatchify.spv.h"

#define GROUP_SIZE 64

static const VidgenKernel unpatchify_kernel = VIDGEN_KERNEL (unpatchify);

void
vidgen_unpatchify_reference (const VidgenUnpatchify *unpatchify)
{
  const guint patch = unpatchify->patch;
  const guint channels = unpatchify->channels;
  const guint width = unpatchify->columns * patch;
  const guint size = channels * patch * patch;
  const double bound = unpatchify->bound;
  const float *tokens = vidgen_span_map (unpatchify->tokens);
  const float *std = vidgen_span_map (unpatchify->std);
  const float *mean = vidgen_span_map (unpatchify->mean);
  float *out = vidgen_span_map (unpatchify->out);

  for (guint token = 0; token < unpatchify->rows * unpatchify->columns;
       token++) {
    for (guint value = 0; value < size; value++) {
      const guint c = value / (patch * patch);
      const guint y =
          token / unpatchify->columns * patch + value / patch % patch;
      const guint x = token % unpatchify->columns * patch + value % patch;
      const double z =
          (double)tokens[token * size + value] * (std ? std[value] : 1) +
          (mean ? mean[value] : 0);

      out[(y * width + x) * channels + c] =
          (float)(bound > 0 ? bound * tanh (z / bound) : z);
    }
  }
}

static void
reference (const void *params)
{
  vidgen_unpatchify_reference (params);
}

void
vidgen_unpatchify (VidgenRecorder *recorder, const VidgenUnpatchify *unpatchify)
{
  const guint size =
      unpatchify->channels * unpatchify->patch * unpatchify->patch;
  const guint count = unpatchify->rows * unpatchify->columns * size;
  const struct {
    guint64 tokens, std, mean, out;
    guint32 rows, columns, channels, patch;
    float bound;
  } push = {
    vidgen_span_address (unpatchify->tokens),
    vidgen_span_address (unpatchify->std),
    vidgen_span_address (unpatchify->mean),
    vidgen_span_address (unpatchify->out),
    unpatchify->rows,
    unpatchify->columns,
    unpatchify->channels,
    unpatchify->patch,
    unpatchify->bound,
  };
  const VidgenDispatch dispatch = {
    .kernel = &unpatchify_kernel,
    .constants = { GROUP_SIZE, 1, 1 },
    .n_constants = 3,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "tokens", unpatchify->tokens, FALSE, 4 * (guint64)count },
        { "std", unpatchify->std, FALSE, 4 * (guint64)size },
        { "mean", unpatchify->mean, FALSE, 4 * (guint64)size },
        { "out", unpatchify->out, TRUE, 4 * (guint64)count } },
    .n_accesses = 4,
    .groups = { vidgen_groups (count, GROUP_SIZE), 1, 1 },
    .operations = 30.0 * count,
    .reference = reference,
    .params = unpatchify,
    .params_bytes = sizeof *unpatchify,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
