/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/text.h"

#include <math.h>
#include <string.h>

#include "models/plan.h"
#include "shaders/attention.h"
#include "shaders/half.h"
#include "shaders/norm.h"

struct _VidgenMiniText {
  const VidgenMiniConfig *config;
  const VidgenMiniTextWeights *weights;
  VidgenPlan *plan;
  VidgenMemory *upload, *readback;
  VidgenSpan x, normed, qkv, mixed, inner;
};

static void
list_layer (VidgenMiniTextLayer *layer, guint index,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader)
{
  const guint size = config->text.size, mlp = config->text.mlp;
  g_autofree char *qkv = g_strdup_printf ("text.layers.%u.qkv", index);
  g_autofree char *out = g_strdup_printf ("text.layers.%u.out", index);
  g_autofree char *fc1 = g_strdup_printf ("text.layers.%u.fc1", index);
  g_autofree char *fc2 = g_strdup_printf ("text.layers.%u.fc2", index);

  vidgen_mini_loader_linear (
      loader, &layer->qkv, qkv, 3 * size, size, size, TRUE);
  vidgen_mini_loader_linear (loader, &layer->out, out, size, size, size, TRUE);
  vidgen_mini_loader_linear (loader, &layer->fc1, fc1, mlp, size, size, TRUE);
  vidgen_mini_loader_linear (loader, &layer->fc2, fc2, size, mlp, mlp, TRUE);
}

void
vidgen_mini_text_list (VidgenMiniTextWeights *weights,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader)
{
  weights->layers = g_new0 (VidgenMiniTextLayer, config->text.layers);
  vidgen_mini_loader_expect (loader, "text.embedding.weight",
      1 + config->text.n_vocabulary + config->text.buckets, config->text.size);
  vidgen_mini_loader_expect (
      loader, "text.position", config->text.tokens, config->text.size);
  for (guint i = 0; i < config->text.layers; i++)
    list_layer (&weights->layers[i], i, config, loader);
}

void
vidgen_mini_text_clear (VidgenMiniTextWeights *weights)
{
  g_clear_pointer (&weights->layers, g_free);
}

static guint64
states_bytes (const VidgenMiniConfig *config)
{
  return 4 * (guint64)config->text.tokens * config->text.size;
}

static VidgenPlan *
plan_text (VidgenMiniText *text, const VidgenMiniConfig *config)
{
  VidgenPlan *plan = vidgen_plan_new ();
  const guint64 tokens = config->text.tokens, size = config->text.size;

  vidgen_plan_keep (plan, &text->x, tokens * size);
  vidgen_plan_keep (plan, &text->normed, tokens * size);
  vidgen_plan_keep (plan, &text->qkv, tokens * 3 * size);
  vidgen_plan_keep (plan, &text->mixed, tokens * size);
  vidgen_plan_keep (plan, &text->inner, tokens * config->text.mlp);
  return plan;
}

guint64
vidgen_mini_text_bytes (const VidgenMiniConfig *config)
{
  VidgenMiniText text = { 0 };
  g_autoptr (VidgenPlan) plan = plan_text (&text, config);

  return vidgen_plan_bytes (plan) + 2 * states_bytes (config);
}

VidgenMiniText *
vidgen_mini_text_new (const VidgenMiniConfig *config,
    const VidgenMiniTextWeights *weights, VidgenDevice *device, GError **error)
{
  g_autoptr (VidgenMiniText) text = g_new0 (VidgenMiniText, 1);
  const guint64 bytes = states_bytes (config);

  text->config = config;
  text->weights = weights;
  text->plan = plan_text (text, config);
  if (!vidgen_plan_allocate (text->plan, device, error))
    return NULL;
  text->upload = vidgen_memory_new (device, bytes, VIDGEN_MEMORY_UPLOAD, error);
  if (!text->upload)
    return NULL;
  text->readback =
      vidgen_memory_new (device, bytes, VIDGEN_MEMORY_READBACK, error);
  return text->readback ? g_steal_pointer (&text) : NULL;
}

void
vidgen_mini_text_free (VidgenMiniText *text)
{
  if (!text)
    return;
  vidgen_plan_free (text->plan);
  vidgen_memory_unref (text->upload);
  vidgen_memory_unref (text->readback);
  g_free (text);
}

static float
tensor_value (const VidgenTensor *tensor, gsize index)
{
  guint16 half;
  float value;

  if (tensor->type == VIDGEN_TENSOR_F16) {
    memcpy (&half, tensor->data + 2 * index, sizeof half);
    return vidgen_half_to_float (half);
  }
  memcpy (&value, tensor->data + 4 * index, sizeof value);
  return value;
}

void
vidgen_mini_text_upload (VidgenMiniText *text, const VidgenSafetensors *file,
    const guint32 *tokens, guint n_tokens)
{
  const gsize size = text->config->text.size;
  const VidgenTensor *embedding =
      vidgen_safetensors_find (file, "text.embedding.weight");
  const VidgenTensor *position =
      vidgen_safetensors_find (file, "text.position");
  float *rows = vidgen_span_map (vidgen_memory_span (text->upload));

  for (gsize i = 0; i < n_tokens; i++) {
    for (gsize j = 0; j < size; j++)
      rows[i * size + j] = tensor_value (embedding, tokens[i] * size + j) +
                           tensor_value (position, i * size + j);
  }
}

static void
record_norm (const VidgenMiniText *text, VidgenRecorder *recorder, guint rows)
{
  const VidgenNorm norm = { .rows = rows,
    .size = text->config->text.size,
    .x = text->x,
    .out = text->normed };

  vidgen_norm (recorder, &norm);
}

static void
record_attention (
    const VidgenMiniText *text, VidgenRecorder *recorder, guint rows)
{
  const guint size = text->config->text.size;
  const guint heads = text->config->text.heads;
  const guint64 part = ((guint64)rows - 1) * 3 * size + size;
  const VidgenAttention attention = { .rows = rows,
    .heads = heads,
    .head_size = size / heads,
    .scale = 1 / sqrtf ((float)size / heads),
    .q = vidgen_floats (text->qkv, 0, part),
    .q_stride = 3 * size,
    .segments = { { .count = rows,
        .k = vidgen_floats (text->qkv, size, part),
        .k_stride = 3 * size,
        .v = vidgen_floats (text->qkv, 2 * size, part),
        .v_stride = 3 * size } },
    .out = text->mixed,
    .out_stride = size };

  vidgen_attention (recorder, &attention);
}

void
vidgen_mini_text_record (
    VidgenMiniText *text, VidgenRecorder *recorder, guint n_tokens)
{
  const VidgenSpan upload = vidgen_memory_span (text->upload);
  const VidgenSpan readback = vidgen_memory_span (text->readback);
  const guint64 count = (guint64)n_tokens * text->config->text.size;

  vidgen_recorder_stage (recorder, "text");
  vidgen_recorder_copy (recorder, text->x, vidgen_floats (upload, 0, count));
  for (guint i = 0; i < text->config->text.layers; i++) {
    const VidgenMiniTextLayer *layer = &text->weights->layers[i];

    record_norm (text, recorder, n_tokens);
    vidgen_project (recorder, &layer->qkv, n_tokens,
        (VidgenProduct){ .a = text->normed, .out = text->qkv });
    record_attention (text, recorder, n_tokens);
    vidgen_project (recorder, &layer->out, n_tokens,
        (VidgenProduct){
            .a = text->mixed, .residual = text->x, .out = text->x });
    record_norm (text, recorder, n_tokens);
    vidgen_project (recorder, &layer->fc1, n_tokens,
        (VidgenProduct){
            .a = text->normed, .out = text->inner, .activation = VIDGEN_GELU });
    vidgen_project (recorder, &layer->fc2, n_tokens,
        (VidgenProduct){
            .a = text->inner, .residual = text->x, .out = text->x });
  }
  record_norm (text, recorder, n_tokens);
  vidgen_recorder_copy (
      recorder, readback, vidgen_floats (text->normed, 0, count));
}

const float *
vidgen_mini_text_states (const VidgenMiniText *text)
{
  return vidgen_span_map (vidgen_memory_span (text->readback));
}
