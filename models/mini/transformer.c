/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/pass.h"

#include "models/mini/step.h"
#include "shaders/rope.h"

void
vidgen_mini_transformer_plan (VidgenMiniTransformer *transformer,
    const VidgenMiniConfig *config, VidgenPlan *plan)
{
  const VidgenMiniStep now = VIDGEN_MINI_STEP_TRANSFORMER;
  const guint64 size = config->transformer.size;
  const guint64 layers = config->transformer.layers;
  const guint64 tokens = vidgen_mini_tokens (config);
  const guint64 texts = config->text.tokens;
  const guint64 videos = vidgen_mini_video_tokens (config);
  const guint64 sounds = config->sound.tokens;
  const guint64 cached = layers * vidgen_mini_slots (config) * tokens * size;
  const guint64 rows = 1 + config->schedules[config->n_schedules - 1].n_steps;

  vidgen_plan_add (plan, &transformer->states, texts * config->text.size,
      VIDGEN_MINI_STEP_TEXT, VIDGEN_MINI_STEP_TEXT);
  vidgen_plan_add (plan, &transformer->pooled, size, VIDGEN_MINI_STEP_TEXT,
      VIDGEN_MINI_STEP_TEXT);
  vidgen_plan_add (plan, &transformer->time_inner, rows * size,
      VIDGEN_MINI_STEP_TEXT, VIDGEN_MINI_STEP_TEXT);
  vidgen_plan_add (plan, &transformer->time_state, rows * size,
      VIDGEN_MINI_STEP_TEXT, VIDGEN_MINI_STEP_TEXT);
  vidgen_plan_keep (plan, &transformer->text_kv, layers * texts * 2 * size);
  vidgen_plan_keep (plan, &transformer->text_key, layers * texts * size);
  vidgen_plan_keep (plan, &transformer->modulation,
      layers * rows * VIDGEN_MINI_MODULATIONS * size);
  vidgen_plan_keep (plan, &transformer->final_modulation, rows * 2 * size);
  vidgen_plan_keep (plan, &transformer->key, cached);
  vidgen_plan_keep (plan, &transformer->value, cached);
  vidgen_plan_add (plan, &transformer->turned, cached, now, now);

  vidgen_plan_add (plan, &transformer->h, tokens * size, now, now);
  vidgen_plan_add (plan, &transformer->normed, tokens * size, now, now);
  vidgen_plan_add (plan, &transformer->query_raw, tokens * size, now, now);
  vidgen_plan_add (plan, &transformer->query, tokens * size, now, now);
  vidgen_plan_add (plan, &transformer->mixed, tokens * size, now, now);
  vidgen_plan_add (
      plan, &transformer->inner, tokens * config->transformer.mlp, now, now);
  vidgen_plan_add (plan, &transformer->video_x,
      videos * vidgen_mini_video_values (config), now, now);
  vidgen_plan_add (plan, &transformer->video_v,
      videos * vidgen_mini_video_values (config), now, now);
  vidgen_plan_add (
      plan, &transformer->audio_x, sounds * config->sound.token_size, now, now);
  vidgen_plan_add (
      plan, &transformer->audio_v, sounds * config->sound.token_size, now, now);
  vidgen_plan_keep (plan, &transformer->video_padded,
      videos * vidgen_mini_padded_video_values (config));
  vidgen_plan_keep (plan, &transformer->audio_padded,
      sounds * vidgen_mini_padded_audio_values (config));
}

static guint
times_row (const VidgenMiniConfig *config, const VidgenMiniSchedule *schedule)
{
  guint row = 0;

  for (const VidgenMiniSchedule *before = config->schedules; before < schedule;
       before++)
    row += before->n_steps + 1;
  return row;
}

static void
record_text_keys (
    VidgenMiniTransformer *transformer, VidgenRecorder *recorder, guint n_text)
{
  const VidgenMiniConfig *config = transformer->config;
  const guint size = config->transformer.size;
  const guint heads = config->transformer.heads;
  const guint texts = config->text.tokens;
  const VidgenRope rope = { .groups = config->transformer.layers,
    .rows = n_text,
    .heads = heads,
    .head_size = size / heads,
    .x = transformer->text_kv,
    .x_stride = 2 * size,
    .x_group_stride = texts * 2 * size,
    .out = transformer->text_key,
    .out_stride = size,
    .out_group_stride = texts * size };

  for (guint i = 0; i < config->transformer.layers; i++) {
    const guint64 count = (guint64)texts * 2 * size;
    vidgen_project (recorder, &transformer->weights->layers[i].text_kv, n_text,
        (VidgenProduct){ .a = transformer->states,
            .out = vidgen_floats (transformer->text_kv, i * count, count) });
  }
  vidgen_rope (recorder, &rope);
}

static void
record_modulation (VidgenMiniTransformer *transformer, VidgenRecorder *recorder,
    const VidgenMiniSchedule *schedule)
{
  const VidgenMiniConfig *config = transformer->config;
  const VidgenMiniTransformerWeights *weights = transformer->weights;
  const guint64 size = config->transformer.size;
  const guint rows = schedule->n_steps + 1;
  const guint64 time_size = config->transformer.time_size;
  const VidgenSpan times = vidgen_floats (weights->times,
      times_row (config, schedule) * time_size, rows * time_size);

  vidgen_project (recorder, &weights->pool, 1,
      (VidgenProduct){ .a = transformer->states,
          .residual = weights->time2.bias,
          .out = transformer->pooled });
  vidgen_tap (transformer->tap, recorder, transformer->pooled, "pooled");
  vidgen_project (recorder, &weights->time1, rows,
      (VidgenProduct){ .a = times,
          .out = transformer->time_inner,
          .activation = VIDGEN_SILU });
  vidgen_project (recorder, &weights->time2, rows,
      (VidgenProduct){ .a = transformer->time_inner,
          .bias = transformer->pooled,
          .out = transformer->time_state,
          .activation = VIDGEN_SILU });
  for (guint i = 0; i < config->transformer.layers; i++) {
    const guint64 count = rows * VIDGEN_MINI_MODULATIONS * size;
    vidgen_project (recorder, &weights->modulation, rows,
        (VidgenProduct){ .a = transformer->time_state,
            .bias = weights->layers[i].modulation_bias,
            .out = vidgen_floats (transformer->modulation, i * count, count) });
  }
  vidgen_project (recorder, &weights->final_modulation, rows,
      (VidgenProduct){
          .a = transformer->time_state, .out = transformer->final_modulation });
}

void
vidgen_mini_transformer_prompt (VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, guint n_text, const VidgenMiniSchedule *schedule)
{
  record_text_keys (transformer, recorder, n_text);
  record_modulation (transformer, recorder, schedule);
}
