/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/transformer.h"

#include "shaders/attention.h"
#include "shaders/gemm.h"
#include "shaders/noise.h"
#include "shaders/norm.h"
#include "shaders/rope.h"

/* Purposes of the noise. */
enum { NOISE_VIDEO, NOISE_AUDIO, NOISE_CONTEXT_VIDEO, NOISE_CONTEXT_AUDIO };

/* The parts of a layer's modulation. */
enum { SCALE_1, SHIFT_1, GATE_1, SCALE_2, SHIFT_2, GATE_2, N_PARTS };

void
vidgen_mini_transformer_plan (VidgenMiniTransformer *transformer,
    const VidgenMiniConfig *config, VidgenMiniPlan *plan)
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

  vidgen_mini_plan_add (plan, &transformer->states, texts * config->text.size,
      VIDGEN_MINI_STEP_TEXT, VIDGEN_MINI_STEP_TEXT);
  vidgen_mini_plan_add (plan, &transformer->pooled, size, VIDGEN_MINI_STEP_TEXT,
      VIDGEN_MINI_STEP_TEXT);
  vidgen_mini_plan_add (plan, &transformer->time_inner, rows * size,
      VIDGEN_MINI_STEP_TEXT, VIDGEN_MINI_STEP_TEXT);
  vidgen_mini_plan_add (plan, &transformer->time_state, rows * size,
      VIDGEN_MINI_STEP_TEXT, VIDGEN_MINI_STEP_TEXT);
  vidgen_mini_plan_keep (
      plan, &transformer->text_kv, layers * texts * 2 * size);
  vidgen_mini_plan_keep (plan, &transformer->text_key, layers * texts * size);
  vidgen_mini_plan_keep (
      plan, &transformer->modulation, layers * rows * N_PARTS * size);
  vidgen_mini_plan_keep (plan, &transformer->final_modulation, rows * 2 * size);
  vidgen_mini_plan_keep (plan, &transformer->key, cached);
  vidgen_mini_plan_keep (plan, &transformer->value, cached);
  vidgen_mini_plan_add (plan, &transformer->turned, cached, now, now);

  vidgen_mini_plan_add (plan, &transformer->h, tokens * size, now, now);
  vidgen_mini_plan_add (plan, &transformer->normed, tokens * size, now, now);
  vidgen_mini_plan_add (plan, &transformer->query_raw, tokens * size, now, now);
  vidgen_mini_plan_add (plan, &transformer->query, tokens * size, now, now);
  vidgen_mini_plan_add (plan, &transformer->mixed, tokens * size, now, now);
  vidgen_mini_plan_add (
      plan, &transformer->inner, tokens * config->transformer.mlp, now, now);
  vidgen_mini_plan_add (plan, &transformer->video_x,
      videos * vidgen_mini_video_values (config), now, now);
  vidgen_mini_plan_add (plan, &transformer->video_v,
      videos * vidgen_mini_video_values (config), now, now);
  vidgen_mini_plan_add (
      plan, &transformer->audio_x, sounds * config->sound.token_size, now, now);
  vidgen_mini_plan_add (
      plan, &transformer->audio_v, sounds * config->sound.token_size, now, now);
  vidgen_mini_plan_keep (plan, &transformer->video_padded,
      videos * vidgen_mini_padded_video_values (config));
  vidgen_mini_plan_keep (plan, &transformer->audio_padded,
      sounds * vidgen_mini_padded_audio_values (config));
}

/* out = residual + gate * activation (a * weight' + bias), dense rows */
typedef struct {
  VidgenSpan a, bias, gate, residual, out;
  VidgenActivation activation;
} Product;

static void
project (VidgenRecorder *recorder, const VidgenMiniLinear *linear, guint rows,
    Product product)
{
  const VidgenGemm gemm = { .m = rows,
    .n = linear->out,
    .k = linear->in,
    .a = product.a,
    .a_stride = linear->in,
    .weight = linear->weight,
    .weight_type = linear->type,
    .bias = product.bias.memory ? product.bias : linear->bias,
    .gate = product.gate,
    .residual = product.residual,
    .residual_stride = linear->out,
    .out = product.out,
    .out_stride = linear->out,
    .activation = product.activation };

  vidgen_gemm (recorder, &gemm);
}

/* Rows `part` * size to (`part` + 1) * size of a layer without bias. */
static VidgenMiniLinear
rows_of (const VidgenMiniLinear *linear, guint part, guint size)
{
  const guint64 bytes =
      (guint64)size * linear->in * vidgen_type_bytes (linear->type);
  VidgenMiniLinear rows = *linear;

  rows.out = size;
  rows.weight = vidgen_span_cut (linear->weight, part * bytes, bytes);
  return rows;
}

/* ------------------------------------------------------------ the prompt */

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
    project (recorder, &transformer->weights->layers[i].text_kv, n_text,
        (Product){ .a = transformer->states,
            .out = vidgen_mini_part (transformer->text_kv, i * count, count) });
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
  const VidgenSpan times = vidgen_mini_part (weights->times,
      times_row (config, schedule) * time_size, rows * time_size);

  project (recorder, &weights->pool, 1,
      (Product){ .a = transformer->states,
          .residual = weights->time2.bias,
          .out = transformer->pooled });
  vidgen_tap (transformer->tap, recorder, transformer->pooled, "pooled");
  project (recorder, &weights->time1, rows,
      (Product){ .a = times,
          .out = transformer->time_inner,
          .activation = VIDGEN_SILU });
  project (recorder, &weights->time2, rows,
      (Product){ .a = transformer->time_inner,
          .bias = transformer->pooled,
          .out = transformer->time_state,
          .activation = VIDGEN_SILU });
  for (guint i = 0; i < config->transformer.layers; i++) {
    const guint64 count = rows * N_PARTS * size;
    project (recorder, &weights->modulation, rows,
        (Product){ .a = transformer->time_state,
            .bias = weights->layers[i].modulation_bias,
            .out =
                vidgen_mini_part (transformer->modulation, i * count, count) });
  }
  project (recorder, &weights->final_modulation, rows,
      (Product){
          .a = transformer->time_state, .out = transformer->final_modulation });
}

void
vidgen_mini_transformer_prompt (VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, guint n_text, const VidgenMiniSchedule *schedule)
{
  record_text_keys (transformer, recorder, n_text);
  record_modulation (transformer, recorder, schedule);
}

/* ---------------------------------------------------------------- a pass */

/* One evaluation of the network; `time` counts the schedule's timesteps, the
 * context's being the last. */
typedef struct {
  const VidgenMiniSample *sample;
  guint time;
  gboolean is_context;
} Pass;

static VidgenSpan
slot_part (const VidgenMiniTransformer *transformer, VidgenSpan cache,
    guint layer, guint slot, guint count)
{
  const guint64 slots = vidgen_mini_slots (transformer->config);
  const guint64 values = (guint64)vidgen_mini_tokens (transformer->config) *
                         transformer->config->transformer.size;

  return vidgen_mini_part (
      cache, (layer * slots + slot) * values, count * values);
}

static VidgenSpan
modulation_part (const VidgenMiniTransformer *transformer, const Pass *pass,
    guint layer, guint part)
{
  const guint64 size = transformer->config->transformer.size;
  const guint64 rows = pass->sample->schedule->n_steps + 1;

  return vidgen_mini_part (transformer->modulation,
      ((layer * rows + pass->time) * N_PARTS + part) * size, size);
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
    .table = vidgen_mini_part (
        transformer->weights->rotations, age * angles, angles),
    .scale = scale,
    .out = out,
    .out_stride = size };

  vidgen_rope (recorder, &rope);
}

/* Keys of a context chunk, in all layers, at the age it is seen. */
static void
record_context_rope (const VidgenMiniTransformer *transformer,
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
    .x = vidgen_mini_part (transformer->key, slot * values, reach),
    .x_stride = size,
    .x_group_stride = slots * tokens * size,
    .table = vidgen_mini_part (
        transformer->weights->rotations, age * angles, angles),
    .out = vidgen_mini_part (transformer->turned, slot * values, reach),
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
    const Pass *pass, guint layer)
{
  const VidgenMiniLinear *qkv = &transformer->weights->layers[layer].qkv;
  const guint size = transformer->config->transformer.size;
  const guint tokens = vidgen_mini_tokens (transformer->config);
  const guint slot = pass->sample->view->slot;
  const VidgenMiniLinear key = rows_of (qkv, 1, size);
  const VidgenMiniLinear value = rows_of (qkv, 2, size);
  const VidgenSpan key_out =
      slot_part (transformer, transformer->key, layer, slot, 1);
  const VidgenSpan value_out =
      slot_part (transformer, transformer->value, layer, slot, 1);

  project (recorder, &key, tokens,
      (Product){ .a = transformer->normed, .out = key_out });
  project (recorder, &value, tokens,
      (Product){ .a = transformer->normed, .out = value_out });
  if (pass->is_context) {
    vidgen_tap (transformer->tap, recorder, key_out, "context.key%u", layer);
    vidgen_tap (
        transformer->tap, recorder, value_out, "context.value%u", layer);
  }
}

static void
record_attention (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const Pass *pass, guint layer)
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
        .k = vidgen_mini_part (
            transformer->text_key, layer * texts * size, n_text * size),
        .k_stride = size,
        .v = vidgen_mini_part (transformer->text_kv,
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
    const Pass *pass, guint layer)
{
  const VidgenMiniLayer *weights = &transformer->weights->layers[layer];
  const guint size = transformer->config->transformer.size;
  const guint tokens = vidgen_mini_tokens (transformer->config);
  const guint slot = pass->sample->view->slot;
  const VidgenMiniLinear query = rows_of (&weights->qkv, 0, size);

  project (recorder, &query, tokens,
      (Product){ .a = transformer->normed, .out = transformer->query_raw });
  record_rope (transformer, recorder, 0, weights->query_scale,
      transformer->query_raw, transformer->query);
  record_rope (transformer, recorder, 0, VIDGEN_SPAN_NONE,
      slot_part (transformer, transformer->key, layer, slot, 1),
      slot_part (transformer, transformer->turned, layer, slot, 1));
  record_attention (transformer, recorder, pass, layer);
  project (recorder, &weights->out, tokens,
      (Product){ .a = transformer->mixed,
          .gate = modulation_part (transformer, pass, layer, GATE_1),
          .residual = transformer->h,
          .out = transformer->h });
}

static void
record_mlp (const VidgenMiniTransformer *transformer, VidgenRecorder *recorder,
    const Pass *pass, guint layer)
{
  const VidgenMiniLayer *weights = &transformer->weights->layers[layer];
  const guint tokens = vidgen_mini_tokens (transformer->config);

  record_norm (transformer, recorder,
      modulation_part (transformer, pass, layer, SCALE_2),
      modulation_part (transformer, pass, layer, SHIFT_2));
  project (recorder, &weights->fc1, tokens,
      (Product){ .a = transformer->normed,
          .out = transformer->inner,
          .activation = VIDGEN_GELU });
  project (recorder, &weights->fc2, tokens,
      (Product){ .a = transformer->inner,
          .gate = modulation_part (transformer, pass, layer, GATE_2),
          .residual = transformer->h,
          .out = transformer->h });
}

static void
tap_layer (const VidgenMiniTransformer *transformer, VidgenRecorder *recorder,
    const Pass *pass, guint layer)
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
    VidgenRecorder *recorder, const Pass *pass)
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

VidgenSpan
vidgen_mini_pad (VidgenRecorder *recorder, VidgenSpan rows_in, guint rows,
    guint count, VidgenSpan padded_rows, guint padded)
{
  if (count == padded)
    return rows_in;
  for (guint64 row = 0; row < rows; row++)
    vidgen_recorder_copy (recorder,
        vidgen_mini_part (padded_rows, row * padded, count),
        vidgen_mini_part (rows_in, row * count, count));
  return padded_rows;
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
  const VidgenSpan video = vidgen_mini_pad (recorder, transformer->video_x,
      videos, vidgen_mini_video_values (config), transformer->video_padded,
      weights->video_in.in);
  const VidgenSpan audio = vidgen_mini_pad (recorder, transformer->audio_x,
      sounds, config->sound.token_size, transformer->audio_padded,
      weights->audio_in.in);

  project (recorder, &weights->video_in, videos,
      (Product){ .a = video,
          .residual =
              vidgen_mini_part (weights->token_embedding, 0, videos * size),
          .out = vidgen_mini_part (transformer->h, 0, videos * size) });
  project (recorder, &weights->audio_in, sounds,
      (Product){ .a = audio,
          .residual = vidgen_mini_part (
              weights->token_embedding, videos * size, sounds * size),
          .out = vidgen_mini_part (
              transformer->h, videos * size, sounds * size) });
}

static void
record_outputs (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const Pass *pass)
{
  const VidgenMiniConfig *config = transformer->config;
  const guint64 size = config->transformer.size;
  const guint64 videos = vidgen_mini_video_tokens (config);
  const guint64 sounds = config->sound.tokens;
  const guint64 row = pass->time * 2 * size;

  record_norm (transformer, recorder,
      vidgen_mini_part (transformer->final_modulation, row, size),
      vidgen_mini_part (transformer->final_modulation, row + size, size));
  project (recorder, &transformer->weights->video_out, videos,
      (Product){ .a = vidgen_mini_part (transformer->normed, 0, videos * size),
          .out = transformer->video_v });
  project (recorder, &transformer->weights->audio_out, sounds,
      (Product){ .a = vidgen_mini_part (
                     transformer->normed, videos * size, sounds * size),
          .out = transformer->audio_v });
  vidgen_tap (transformer->tap, recorder, transformer->video_v,
      "step%u.v.video", pass->time);
  vidgen_tap (transformer->tap, recorder, transformer->audio_v,
      "step%u.v.audio", pass->time);
}

/* ------------------------------------------------------------ the sampler */

/* out = x_factor * x + v_factor * v + noise_factor * noise, of both kinds */
typedef struct {
  VidgenSpan video_x, audio_x, video_out, audio_out;
  guint purpose; /* of the video's noise; the audio's is the next */
  double x_factor, v_factor, noise_factor;
} Mix;

static void
record_noise (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniSample *sample, const Mix *mix,
    gboolean is_audio)
{
  const VidgenSpan x = is_audio ? mix->audio_x : mix->video_x;
  const VidgenSpan out = is_audio ? mix->audio_out : mix->video_out;
  const VidgenSpan v = is_audio ? transformer->audio_v : transformer->video_v;
  const VidgenNoise noise = { .count = (guint)(out.size / 4),
    .seed = sample->seed,
    .chunk = sample->chunk,
    .purpose = mix->purpose + (is_audio ? 1 : 0),
    .x_factor = (float)mix->x_factor,
    .v_factor = (float)mix->v_factor,
    .noise_factor = (float)mix->noise_factor,
    .x = x,
    .v = mix->v_factor != 0 ? v : VIDGEN_SPAN_NONE,
    .out = out };

  vidgen_noise (recorder, &noise);
}

static void
record_mix_both (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniSample *sample, Mix mix)
{
  record_noise (transformer, recorder, sample, &mix, FALSE);
  record_noise (transformer, recorder, sample, &mix, TRUE);
}

static void
record_step (const VidgenMiniTransformer *transformer, VidgenRecorder *recorder,
    const VidgenMiniSample *sample, guint step)
{
  const double t = sample->schedule->times[step];
  const Pass pass = { sample, step, FALSE };
  Mix noisy = { .video_x = sample->video,
    .audio_x = sample->audio,
    .video_out = transformer->video_x,
    .audio_out = transformer->audio_x,
    .purpose = NOISE_VIDEO + 16 * step,
    .x_factor = 1 - t,
    .noise_factor = t };

  if (step == 0)
    noisy.video_x = noisy.audio_x = VIDGEN_SPAN_NONE;
  record_mix_both (transformer, recorder, sample, noisy);
  record_inputs (transformer, recorder);
  record_layers (transformer, recorder, &pass);
  record_outputs (transformer, recorder, &pass);
  record_mix_both (transformer, recorder, sample,
      (Mix){ .video_x = transformer->video_x,
          .audio_x = transformer->audio_x,
          .video_out = sample->video,
          .audio_out = sample->audio,
          .x_factor = 1,
          .v_factor = -t });
  vidgen_tap (
      transformer->tap, recorder, sample->video, "step%u.x0.video", step);
  vidgen_tap (
      transformer->tap, recorder, sample->audio, "step%u.x0.audio", step);
}

static void
record_refresh (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniSample *sample)
{
  const double t = transformer->config->context.timestep;
  const Pass pass = { sample, sample->schedule->n_steps, TRUE };

  record_mix_both (transformer, recorder, sample,
      (Mix){ .video_x = sample->video,
          .audio_x = sample->audio,
          .video_out = transformer->video_x,
          .audio_out = transformer->audio_x,
          .purpose = NOISE_CONTEXT_VIDEO,
          .x_factor = 1 - t,
          .noise_factor = t });
  record_inputs (transformer, recorder);
  record_layers (transformer, recorder, &pass);
}

void
vidgen_mini_transformer_sample (VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniSample *sample)
{
  const VidgenMiniView *view = sample->view;

  for (guint i = 0; i < view->n_seen; i++)
    record_context_rope (
        transformer, recorder, view->seen[i].slot, view->seen[i].age);
  for (guint step = 0; step < sample->schedule->n_steps; step++)
    record_step (transformer, recorder, sample, step);
  record_refresh (transformer, recorder, sample);
}
