/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/turn3d.h"

#include "turn3d.spv.h"

#define GROUP_SIZE 64

static const VidgenKernel turn3d_kernel = VIDGEN_KERNEL (turn3d);

static void
store (const VidgenTurn3d *turn, gsize index, double value)
{
  void *out = vidgen_span_map (turn->out);

  if (turn->type == VIDGEN_F32)
    ((float *)out)[index] = (float)value;
  else
    ((guint16 *)out)[index] = vidgen_half_store (value);
}

void
vidgen_turn3d_reference (const VidgenTurn3d *turn)
{
  const gsize pairs = turn->head_size / 2;
  const gsize time_pairs = turn->time_pairs;
  const void *x = vidgen_span_map (turn->x);
  const float *times = vidgen_span_map (turn->times);
  const float *places = vidgen_span_map (turn->places);
  const gsize count = (gsize)turn->frames * turn->tokens * turn->heads * pairs;

  for (gsize i = 0; i < count; i++) {
    const gsize pair = i % pairs;
    const gsize row = i / pairs / turn->heads;
    const gsize frame = row / turn->tokens, token = row % turn->tokens;
    const float *angle =
        pair < time_pairs
            ? times + 2 * (frame * time_pairs + pair)
            : places + 2 * (token * (pairs - time_pairs) + pair - time_pairs);
    const double real = vidgen_type_value (turn->type, x, 2 * i);
    const double imaginary = vidgen_type_value (turn->type, x, 2 * i + 1);

    store (turn, 2 * i, real * angle[0] - imaginary * angle[1]);
    store (turn, 2 * i + 1, imaginary * angle[0] + real * angle[1]);
  }
}

static void
reference (const void *params)
{
  vidgen_turn3d_reference (params);
}

void
vidgen_turn3d (VidgenRecorder *recorder, const VidgenTurn3d *turn)
{
  const guint pairs = turn->head_size / 2;
  const guint row_pairs = turn->heads * pairs;
  const guint64 rows = (guint64)turn->frames * turn->tokens;
  const guint64 bytes = vidgen_type_size (turn->type, 2 * rows * row_pairs);
  const struct {
    guint64 x, times, places, out;
    guint32 tokens, row_pairs, pairs, time_pairs;
  } push = {
    vidgen_span_address (turn->x),
    vidgen_span_address (turn->times),
    vidgen_span_address (turn->places),
    vidgen_span_address (turn->out),
    turn->tokens,
    row_pairs,
    pairs,
    turn->time_pairs,
  };
  const VidgenDispatch dispatch = {
    .kernel = &turn3d_kernel,
    .constants = { GROUP_SIZE, 1, 1, turn->type },
    .n_constants = 4,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "x", turn->x, FALSE, bytes },
        { "times", turn->times, FALSE,
            8 * (guint64)turn->frames * turn->time_pairs },
        { "places", turn->places, FALSE,
            8 * (guint64)turn->tokens * (pairs - turn->time_pairs) },
        { "out", turn->out, TRUE, bytes } },
    .n_accesses = 4,
    .groups = { vidgen_groups (row_pairs, GROUP_SIZE), turn->tokens,
        turn->frames },
    .operations = 6.0 * rows * row_pairs,
    .reference = reference,
    .params = turn,
    .params_bytes = sizeof *turn,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
