/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/transformer.h"

#include "shaders/attention.h"
#include "shaders/norm.h"
#include "shaders/turn3d.h"

enum { SHIFT_1, SCALE_1, GATE_1, SHIFT_2, SCALE_2, GATE_2, N_PARTS };

/* A pass being recorded, and the run of frames it is at. */
typedef struct {
  const VidgenWanTransformer *transformer;
  VidgenRecorder *recorder;
  const VidgenWanPass *pass;
  guint layer;
} Work;

static guint
frame_tokens (const Work *work)
{
  return work->transformer->shape.columns * work->transformer->shape.rows;
}

static guint64
frame_values (const Work *work)
{
  return (guint64)frame_tokens (work) * work->transformer->config->size;
}

/* Frames `first` to `first + count` - 1 of a span of frames of tokens. */
static VidgenSpan
frames_of (const Work *work, VidgenSpan span, guint first, guint count)
{
  const guint64 values = frame_values (work);

  return vidgen_floats (span, first * values, count * values);
}

/* The same of keys or values. */
static VidgenSpan
cached_frames (const Work *work, VidgenSpan span, guint first, guint count)
{
  const guint64 bytes =
      vidgen_type_size (work->transformer->shape.type, frame_values (work));

  return vidgen_span_cut (span, first * bytes, count * bytes);
}

static VidgenSpan
modulation_part (const Work *work, guint part)
{
  const VidgenWanTransformer *transformer = work->transformer;
  const guint64 size = transformer->config->size;
  const guint64 row =
      (guint64)work->layer * transformer->n_times + work->pass->time;

  return vidgen_floats (
      transformer->modulation, (row * N_PARTS + part) * size, size);
}

static void
record_norm (const Work *work, VidgenNorm norm, guint count)
{
  norm.rows = count * frame_tokens (work);
  norm.size = work->transformer->config->size;
  vidgen_norm (work->recorder, &norm);
}

static void
record_layer_norm (
    const Work *work, const VidgenWanRun *run, guint scale, guint shift)
{
  record_norm (work,
      (VidgenNorm){ .center = TRUE,
          .x = frames_of (work, work->transformer->h, run->first, run->count),
          .scale = modulation_part (work, scale),
          .shift = modulation_part (work, shift),
          .out = work->transformer->normed },
      run->count);
}

/* out = the norm with `gain` of the layer's product of `normed` */
static void
record_normed_product (const Work *work, const VidgenWanRun *run,
    const VidgenLinear *linear, VidgenSpan gain, VidgenSpan out)
{
  vidgen_project (work->recorder, linear, run->count * frame_tokens (work),
      (VidgenProduct){ .a = work->transformer->normed, .out = out });
  record_norm (work,
      (VidgenNorm){ .gain = TRUE, .x = out, .scale = gain, .out = out },
      run->count);
}

/* Turns `count` frames to the positions of slots from `slot` on. */
static void
record_turn (const Work *work, guint slot, guint count, VidgenType type,
    VidgenSpan x, VidgenSpan out)
{
  const VidgenWanTransformer *transformer = work->transformer;
  const guint64 time_pairs = vidgen_wan_time_pairs (transformer->config);
  const VidgenTurn3d turn = { .frames = count,
    .tokens = frame_tokens (work),
    .heads = transformer->config->heads,
    .head_size = vidgen_wan_head_size (transformer->config),
    .time_pairs = (guint)time_pairs,
    .type = type,
    .x = x,
    .times = vidgen_floats (
        transformer->positions, 2 * slot * time_pairs, 2 * count * time_pairs),
    .places = transformer->places,
    .out = out };

  vidgen_turn3d (work->recorder, &turn);
}

static void
record_keys (const Work *work, const VidgenWanRun *run)
{
  const VidgenWanTransformer *transformer = work->transformer;
  const VidgenWanAttention *self =
      &transformer->weights->blocks[work->layer].self;
  const VidgenWanCache *cache = &transformer->self[work->layer];
  const guint rows = run->count * frame_tokens (work);
  const VidgenSpan cached_key =
      cached_frames (work, cache->key, run->slot, run->count);
  const VidgenSpan cached_value =
      cached_frames (work, cache->value, run->slot, run->count);
  const gboolean apart = transformer->shape.type != VIDGEN_F32;
  const VidgenSpan key =
      apart ? frames_of (work, transformer->query, 0, run->count) : cached_key;
  const VidgenSpan value =
      apart ? frames_of (work, transformer->mixed, 0, run->count)
            : cached_value;

  record_layer_norm (work, run, SCALE_1, SHIFT_1);
  record_normed_product (work, run, &self->k, self->k_gain, key);
  vidgen_wan_transformer_keep (
      transformer, work->recorder, rows, key, cached_key);
  vidgen_project (work->recorder, &self->v, rows,
      (VidgenProduct){ .a = transformer->normed, .out = value });
  vidgen_wan_transformer_keep (
      transformer, work->recorder, rows, value, cached_value);
}

/* From `query` over `n_keys` keys to `mixed`. */
static void
record_attention (const Work *work, const VidgenWanRun *run, guint n_keys,
    VidgenSpan key, VidgenSpan value)
{
  const VidgenWanTransformer *transformer = work->transformer;
  const guint size = transformer->config->size;
  const guint head_size = vidgen_wan_head_size (transformer->config);
  const VidgenAttention attention = { .rows = run->count * frame_tokens (work),
    .heads = transformer->config->heads,
    .head_size = head_size,
    .scale = 1 / sqrtf ((float)head_size),
    .q = transformer->query,
    .q_stride = size,
    .type = transformer->shape.type,
    .segments = { { .count = n_keys,
        .k = key,
        .k_stride = size,
        .v = value,
        .v_stride = size } },
    .out = transformer->mixed,
    .out_stride = size };

  vidgen_attention (work->recorder, &attention);
}

static void
record_mixed (const Work *work, const VidgenWanRun *run,
    const VidgenLinear *linear, VidgenSpan gate)
{
  const VidgenSpan h =
      frames_of (work, work->transformer->h, run->first, run->count);

  vidgen_project (work->recorder, linear, run->count * frame_tokens (work),
      (VidgenProduct){ .a = work->transformer->mixed,
          .gate = gate,
          .residual = h,
          .out = h });
}

static void
record_self (const Work *work, const VidgenWanRun *run)
{
  const VidgenWanTransformer *transformer = work->transformer;
  const VidgenWanAttention *self =
      &transformer->weights->blocks[work->layer].self;
  const VidgenSpan query = frames_of (work, transformer->query, 0, run->count);
  const guint n_slots = work->pass->view->n_slots;

  if (work->pass->view->n_runs > 1)
    record_layer_norm (work, run, SCALE_1, SHIFT_1);
  record_normed_product (work, run, &self->q, self->q_gain, query);
  record_turn (work, run->slot, run->count, VIDGEN_F32, query, query);
  record_attention (work, run, n_slots * frame_tokens (work),
      transformer->turned, transformer->self[work->layer].value);
  record_mixed (work, run, &self->out, modulation_part (work, GATE_1));
}

static void
record_cross (const Work *work, const VidgenWanRun *run)
{
  const VidgenWanTransformer *transformer = work->transformer;
  const VidgenWanBlock *block = &transformer->weights->blocks[work->layer];
  const VidgenWanCache *cache =
      &transformer->cross[work->pass->prompt * transformer->config->layers +
                          work->layer];

  record_norm (work,
      (VidgenNorm){ .center = TRUE,
          .gain = TRUE,
          .x = frames_of (work, transformer->h, run->first, run->count),
          .scale = block->cross_gain,
          .shift = block->cross_shift,
          .out = transformer->normed },
      run->count);
  record_normed_product (work, run, &block->cross.q, block->cross.q_gain,
      frames_of (work, transformer->query, 0, run->count));
  record_attention (
      work, run, transformer->config->text_rows, cache->key, cache->value);
  record_mixed (work, run, &block->cross.out, VIDGEN_SPAN_NONE);
}

static void
record_ffn (const Work *work, const VidgenWanRun *run)
{
  const VidgenWanTransformer *transformer = work->transformer;
  const VidgenWanBlock *block = &transformer->weights->blocks[work->layer];
  const VidgenSpan h = frames_of (work, transformer->h, run->first, run->count);
  const guint rows = run->count * frame_tokens (work);

  record_layer_norm (work, run, SCALE_2, SHIFT_2);
  vidgen_project (work->recorder, &block->fc1, rows,
      (VidgenProduct){ .a = transformer->normed,
          .out = transformer->inner,
          .activation = VIDGEN_GELU });
  vidgen_project (work->recorder, &block->fc2, rows,
      (VidgenProduct){ .a = transformer->inner,
          .gate = modulation_part (work, GATE_2),
          .residual = h,
          .out = h });
}

static void
tap_block (const Work *work)
{
  const VidgenWanPass *pass = work->pass;

  if (pass->name)
    vidgen_tap (work->transformer->tap, work->recorder,
        frames_of (work, work->transformer->h, 0, pass->view->n_frames),
        "%s.block%u", pass->name, work->layer);
}

static void
record_block (const Work *work)
{
  const VidgenWanTransformer *transformer = work->transformer;
  const VidgenWanView *view = work->pass->view;

  for (guint i = 0; i < view->n_runs; i++)
    record_keys (work, &view->runs[i]);
  if (!work->pass->v.memory && work->layer + 1 == transformer->config->layers)
    return;
  record_turn (work, 0, view->n_slots, transformer->shape.type,
      cached_frames (
          work, transformer->self[work->layer].key, 0, view->n_slots),
      cached_frames (work, transformer->turned, 0, view->n_slots));
  for (guint i = 0; i < view->n_runs; i++) {
    record_self (work, &view->runs[i]);
    record_cross (work, &view->runs[i]);
    record_ffn (work, &view->runs[i]);
  }
  tap_block (work);
}

static VidgenSpan
latents_of (const Work *work, VidgenSpan latents, const VidgenWanRun *run)
{
  const guint64 values = (guint64)frame_tokens (work) * VIDGEN_WAN_VALUES;

  return vidgen_floats (latents, run->first * values, run->count * values);
}

static void
record_head (const Work *work, const VidgenWanRun *run)
{
  const VidgenWanTransformer *transformer = work->transformer;
  const guint64 size = transformer->config->size;
  const guint64 row = work->pass->time * 2 * size;

  record_norm (work,
      (VidgenNorm){ .center = TRUE,
          .x = frames_of (work, transformer->h, run->first, run->count),
          .shift = vidgen_floats (transformer->head_modulation, row, size),
          .scale =
              vidgen_floats (transformer->head_modulation, row + size, size),
          .out = transformer->normed },
      run->count);
  vidgen_project (work->recorder, &transformer->weights->head,
      run->count * frame_tokens (work),
      (VidgenProduct){ .a = transformer->normed,
          .out = latents_of (work, work->pass->v, run) });
}

static void
record_positions (const Work *work)
{
  const VidgenWanTransformer *transformer = work->transformer;
  const VidgenWanPass *pass = work->pass;
  VidgenSpan part = pass->positions;

  if (!part.memory) {
    part = vidgen_wan_transformer_positions (
        transformer, pass->place, pass->view->n_slots);
    vidgen_wan_transformer_write_positions (
        transformer->config, pass->view, vidgen_span_map (part));
  }
  vidgen_recorder_copy (work->recorder, transformer->positions, part);
}

void
vidgen_wan_transformer_record (const VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, const VidgenWanPass *pass)
{
  const VidgenWanView *view = pass->view;
  Work work = {
    .transformer = transformer, .recorder = recorder, .pass = pass
  };

  record_positions (&work);
  for (guint i = 0; i < view->n_runs; i++) {
    const VidgenWanRun *run = &view->runs[i];

    vidgen_project (recorder, &transformer->weights->patch,
        run->count * frame_tokens (&work),
        (VidgenProduct){ .a = latents_of (&work, pass->x, run),
            .out = frames_of (&work, transformer->h, run->first, run->count) });
  }
  for (; work.layer < transformer->config->layers; work.layer++)
    record_block (&work);
  if (!pass->v.memory)
    return;
  for (guint i = 0; i < view->n_runs; i++)
    record_head (&work, &view->runs[i]);
  if (pass->name)
    vidgen_tap (transformer->tap, recorder, pass->v, "%s.v", pass->name);
}
