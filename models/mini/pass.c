/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/pass.h"

#include "shaders/attention.h"
#include "shaders/norm.h"
#include "shaders/rope.h"

enum { SCALE_1, SHIFT_1, GATE_1, SCALE_2, SHIFT_2, GATE_2, N_PARTS };

static VidgenSpan
slot_part (const VidgenMiniTransformer *transformer, VidgenSpan cache,
    guint layer, guint slot, guint count)
{
  const guint64 slots = vidgen_mini_slots (transformer->config);
  const guint64 values = (guint64)vidgen_mini_tokens (transformer->config) *
                         transformer->config->transformer.size;

  return vidgen_floats (cache, (layer * slots + slot) * values, count * values);
}

static VidgenSpan
modulation_part (const VidgenMiniTransformer *transformer,
    const VidgenMiniPass *pass, guint layer, guint part)
{
  const guint64 size = transformer->config->transformer.size;
  const guint64 rows = pass->sample->schedule->n_steps + 1;

  return vidgen_floats (transformer->modulation,
      ((layer * rows + pass->time) * VIDGEN_MINI_MODULATIONS + part) * size,
      size);
}

static void
record_rope (const VidgenMiniTransformer *transformer, VidgenRecorder *recorder,
    guint age, VidgenSpan scale, VidgenSpan x, VidgenSpan out)
{
  const VidgenMiniConfig *config = transformer->config;
  const guint size = config->transformer.size;
  const guint heads = config->transformer.heads;
  const guint tokens = vidgen_mini_tokens (config);
  const guint64 angles = (guint64)tokens * (size / heads);
  const VidgenRope rope = { .groups = 1,
    .rows = tokens,
    .heads = heads,
    .head_size = size / heads,
    .x = x,
    .x_stride = size,
    .table =
        vidgen_floats (transformer->weights->rotations, age * angles, angles),
    .scale = scale,
    .out = out,
    .out_stride = size };

  vidgen_rope (recorder, &rope);
}

void
vidgen_mini_pass_turn (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, guint slot, guint age)
{
  const VidgenMiniConfig *config = transformer->config;
  const guint size = config->transformer.size;
  const guint heads = config->transformer.heads;
  const guint tokens = vidgen_mini_tokens (config);
  const guint slots = vidgen_mini_slots (config);
  const guint layers = config->transformer.layers;
  const guint64 angles = (guint64)tokens * (size / heads);
  const guint64 values = (guint64)tokens * size;
  const guint64 reach = ((layers - 1) * (guint64)slots + 1) * values;
  const VidgenRope rope = { .groups = layers,
    .rows = tokens,
    .heads = heads,
    .head_size = size / heads,
    .x = vidgen_floats (transformer->key, slot * values, reach),
    .x_stride = size,
    .x_group_stride = slots * tokens * size,
    .table =
        vidgen_floats (transformer->weights->rotations, age * angles, angles),
    .out = vidgen_floats (transformer->turned, slot * values, reach),
    .out_stride = size,
    .out_group_stride = slots * tokens * size };

  vidgen_rope (recorder, &rope);
}

static void
record_norm (const VidgenMiniTransformer *transformer, VidgenRecorder *recorder,
    VidgenSpan scale, VidgenSpan shift)
{
  const VidgenNorm norm = { .rows = vidgen_mini_tokens (transformer->config),
    .size = transformer->config->transformer.size,
    .x = transformer->h,
    .scale = scale,
    .shift = shift,
    .out = transformer->normed };

  vidgen_norm (recorder, &norm);
}

static void
record_keys (const VidgenMiniTransformer *transformer, VidgenRecorder *recorder,
    const VidgenMiniPass *pass, guint layer)
{
  const VidgenLinear *qkv = &transformer->weights->layers[layer].qkv;
  const guint size = transformer->config->transformer.size;
  const guint tokens = vidgen_mini_tokens (transformer->config);
  const guint slot = pass->sample->view->slot;
  const VidgenLinear key = vidgen_linear_part (qkv, 1, size);
  const VidgenLinear value = vidgen_linear_part (qkv, 2, size);
  const VidgenSpan key_out =
      slot_part (transformer, transformer->key, layer, slot, 1);
  const VidgenSpan value_out =
      slot_part (transformer, transformer->value, layer, slot, 1);

  vidgen_project (recorder, &key, tokens,
      (VidgenProduct){ .a = transformer->normed, .out = key_out });
  vidgen_project (recorder, &value, tokens,
      (VidgenProduct){ .a = transformer->normed, .out = value_out });
  if (pass->is_context) {
    vidgen_tap (transformer->tap, recorder, key_out, "context.key%u", layer);
    vidgen_tap (
        transformer->tap, recorder, value_out, "context.value%u", layer);
  }
}

static void
record_attention (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniPass *pass, guint layer)
{
  const VidgenMiniConfig *config = transformer->config;
  const VidgenMiniView *view = pass->sample->view;
  const guint size = config->transformer.size;
  const guint heads = config->transformer.heads;
  const guint tokens = vidgen_mini_tokens (config);
  const guint64 texts = config->text.tokens;
  const guint n_text = pass->sample->n_text;
  VidgenAttention attention = { .rows = tokens,
    .heads = heads,
    .head_size = size / heads,
    .scale = 1,
    .q = transformer->query,
    .q_stride = size,
    .segments = { { .count = n_text,
        .k = vidgen_floats (
            transformer->text_key, layer * texts * size, n_text * size),
        .k_stride = size,
        .v = vidgen_floats (transformer->text_kv,
            layer * texts * 2 * size + size, (2 * n_text - 1) * size),
        .v_stride = 2 * size } },
    .out = transformer->mixed,
    .out_stride = size };

  for (guint i = 0; i < view->n_runs; i++) {
    const guint first = view->runs[i].first, count = view->runs[i].count;

    attention.segments[1 + i] = (VidgenAttentionSegment){ .count =
                                                              count * tokens,
      .k = slot_part (transformer, transformer->turned, layer, first, count),
      .k_stride = size,
      .v = slot_part (transformer, transformer->value, layer, first, count),
      .v_stride = size };
  }
  vidgen_attention (recorder, &attention);
}

static void
record_mix (const VidgenMiniTransformer *transformer, VidgenRecorder *recorder,
    const VidgenMiniPass *pass, guint layer)
{
  const VidgenMiniLayer *weights = &transformer->weights->layers[layer];
  const guint size = transformer->config->transformer.size;
  const guint tokens = vidgen_mini_tokens (transformer->config);
  const guint slot = pass->sample->view->slot;
  const VidgenLinear query = vidgen_linear_part (&weights->qkv, 0, size);

  vidgen_project (recorder, &query, tokens,
      (VidgenProduct){
          .a = transformer->normed, .out = transformer->query_raw });
  record_rope (transformer, recorder, 0, weights->query_scale,
      transformer->query_raw, transformer->query);
  record_rope (transformer, recorder, 0, VIDGEN_SPAN_NONE,
      slot_part (transformer, transformer->key, layer, slot, 1),
      slot_part (transformer, transformer->turned, layer, slot, 1));
  record_attention (transformer, recorder, pass, layer);
  vidgen_project (recorder, &weights->out, tokens,
      (VidgenProduct){ .a = transformer->mixed,
          .gate = modulation_part (transformer, pass, layer, GATE_1),
          .residual = transformer->h,
          .out = transformer->h });
}

static void
record_mlp (const VidgenMiniTransformer *transformer, VidgenRecorder *recorder,
    const VidgenMiniPass *pass, guint layer)
{
  const VidgenMiniLayer *weights = &transformer->weights->layers[layer];
  const guint tokens = vidgen_mini_tokens (transformer->config);

  record_norm (transformer, recorder,
      modulation_part (transformer, pass, layer, SCALE_2),
      modulation_part (transformer, pass, layer, SHIFT_2));
  vidgen_project (recorder, &weights->fc1, tokens,
      (VidgenProduct){ .a = transformer->normed,
          .out = transformer->inner,
          .activation = VIDGEN_GELU });
  vidgen_project (recorder, &weights->fc2, tokens,
      (VidgenProduct){ .a = transformer->inner,
          .gate = modulation_part (transformer, pass, layer, GATE_2),
          .residual = transformer->h,
          .out = transformer->h });
}

static void
tap_layer (const VidgenMiniTransformer *transformer, VidgenRecorder *recorder,
    const VidgenMiniPass *pass, guint layer)
{
  if (pass->is_context)
    vidgen_tap (
        transformer->tap, recorder, transformer->h, "context.layer%u", layer);
  else
    vidgen_tap (transformer->tap, recorder, transformer->h, "step%u.layer%u",
        pass->time, layer);
}

static void
record_layers (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniPass *pass)
{
  const guint layers = transformer->config->transformer.layers;

  for (guint i = 0; i < layers; i++) {
    record_norm (transformer, recorder,
        modulation_part (transformer, pass, i, SCALE_1),
        modulation_part (transformer, pass, i, SHIFT_1));
    record_keys (transformer, recorder, pass, i);
    /* Nothing reads what the last layer of a context pass would give. */
    if (pass->is_context && i + 1 == layers)
      return;
    record_mix (transformer, recorder, pass, i);
    record_mlp (transformer, recorder, pass, i);
    tap_layer (transformer, recorder, pass, i);
  }
}

static void
record_inputs (
    const VidgenMiniTransformer *transformer, VidgenRecorder *recorder)
{
  const VidgenMiniConfig *config = transformer->config;
  const VidgenMiniTransformerWeights *weights = transformer->weights;
  const guint64 size = config->transformer.size;
  const guint64 videos = vidgen_mini_video_tokens (config);
  const guint64 sounds = config->sound.tokens;
  const VidgenSpan video = vidgen_pad (recorder, transformer->video_x, videos,
      vidgen_mini_video_values (config), transformer->video_padded,
      weights->video_in.in);
  const VidgenSpan audio = vidgen_pad (recorder, transformer->audio_x, sounds,
      config->sound.token_size, transformer->audio_padded,
      weights->audio_in.in);

  vidgen_project (recorder, &weights->video_in, videos,
      (VidgenProduct){ .a = video,
          .residual =
              vidgen_floats (weights->token_embedding, 0, videos * size),
          .out = vidgen_floats (transformer->h, 0, videos * size) });
  vidgen_project (recorder, &weights->audio_in, sounds,
      (VidgenProduct){ .a = audio,
          .residual = vidgen_floats (
              weights->token_embedding, videos * size, sounds * size),
          .out =
              vidgen_floats (transformer->h, videos * size, sounds * size) });
}

static void
record_outputs (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniPass *pass)
{
  const VidgenMiniConfig *config = transformer->config;
  const guint64 size = config->transformer.size;
  const guint64 videos = vidgen_mini_video_tokens (config);
  const guint64 sounds = config->sound.tokens;
  const guint64 row = pass->time * 2 * size;

  record_norm (transformer, recorder,
      vidgen_floats (transformer->final_modulation, row, size),
      vidgen_floats (transformer->final_modulation, row + size, size));
  vidgen_project (recorder, &transformer->weights->video_out, videos,
      (VidgenProduct){
          .a = vidgen_floats (transformer->normed, 0, videos * size),
          .out = transformer->video_v });
  vidgen_project (recorder, &transformer->weights->audio_out, sounds,
      (VidgenProduct){ .a = vidgen_floats (
                           transformer->normed, videos * size, sounds * size),
          .out = transformer->audio_v });
  vidgen_tap (transformer->tap, recorder, transformer->video_v,
      "step%u.v.video", pass->time);
  vidgen_tap (transformer->tap, recorder, transformer->audio_v,
      "step%u.v.audio", pass->time);
}

void
vidgen_mini_pass_record (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniPass *pass)
{
  record_inputs (transformer, recorder);
  record_layers (transformer, recorder, pass);
  if (!pass->is_context)
    record_outputs (transformer, recorder, pass);
}
