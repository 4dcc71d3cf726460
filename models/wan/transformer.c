/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/transformer.h"

#include <math.h>
#include <string.h>

#include "shaders/convert.h"
#include "shaders/noise.h"
#include "shaders/norm.h"

#define FREQUENCY_BASE 10000.0

static guint64
frame_tokens (const VidgenWanShape *shape)
{
  return (guint64)shape->columns * shape->rows;
}

static guint64
cache_bytes (const VidgenWanConfig *config, const VidgenWanShape *shape)
{
  return vidgen_type_size (
      shape->type, shape->window * frame_tokens (shape) * config->size);
}

static guint64
text_values (const VidgenWanConfig *config)
{
  return (guint64)config->text_rows * config->size;
}

static guint64
text_bytes (const VidgenWanConfig *config, const VidgenWanShape *shape)
{
  return vidgen_type_size (shape->type, text_values (config));
}

static guint
n_caches (const VidgenWanConfig *config, const VidgenWanShape *shape)
{
  return shape->keeps ? config->layers : 1;
}

static guint64
modulation_bytes (const VidgenWanConfig *config)
{
  return 4 * (guint64)config->layers * VIDGEN_WAN_MAX_STEPS * 6 * config->size;
}

static guint64
head_bytes (const VidgenWanConfig *config)
{
  return 4 * (guint64)VIDGEN_WAN_MAX_STEPS * 2 * config->size;
}

static guint64
places_bytes (const VidgenWanConfig *config, const VidgenWanShape *shape)
{
  return 16 * frame_tokens (shape) * vidgen_wan_place_pairs (config);
}

guint64
vidgen_wan_transformer_positions_bytes (
    const VidgenWanConfig *config, guint n_slots)
{
  return 8 * (guint64)n_slots * vidgen_wan_time_pairs (config);
}

static guint64
positions_bytes (const VidgenWanConfig *config, const VidgenWanShape *shape)
{
  return vidgen_wan_transformer_positions_bytes (config, shape->window);
}

static guint64
aligned (guint64 bytes)
{
  return (bytes + VIDGEN_SPAN_ALIGNMENT - 1) / VIDGEN_SPAN_ALIGNMENT *
         VIDGEN_SPAN_ALIGNMENT;
}

/* The upload buffer: the states of each prompt, times, and two views'
 * positions. */
static guint64
states_bytes (const VidgenWanConfig *config)
{
  return aligned (4 * (guint64)config->text_rows * config->text_size);
}

static guint64
times_offset (const VidgenWanConfig *config, const VidgenWanShape *shape)
{
  return shape->prompts * states_bytes (config);
}

static guint64
positions_offset (
    const VidgenWanConfig *config, const VidgenWanShape *shape, guint place)
{
  return times_offset (config, shape) +
         aligned (4 * (guint64)VIDGEN_WAN_MAX_STEPS * config->time_size) +
         place * aligned (positions_bytes (config, shape));
}

static guint64
upload_bytes (const VidgenWanConfig *config, const VidgenWanShape *shape)
{
  return positions_offset (config, shape, 2) + places_bytes (config, shape);
}

void
vidgen_wan_transformer_plan (VidgenWanTransformer *transformer,
    const VidgenWanConfig *config, const VidgenWanShape *shape,
    VidgenPlan *plan, guint first, guint last)
{
  const guint64 size = config->size, tokens = frame_tokens (shape);
  const guint64 steps = VIDGEN_WAN_MAX_STEPS;
  const struct {
    VidgenSpan *span;
    guint64 count;
  } wishes[] = {
    { &transformer->positions, positions_bytes (config, shape) / 4 },
    { &transformer->states, (guint64)config->text_rows * config->text_size },
    { &transformer->text, text_values (config) },
    { &transformer->text_inner, text_values (config) },
    { &transformer->times, steps * config->time_size },
    { &transformer->time_inner, steps * size },
    { &transformer->time_state, steps * size },
    { &transformer->time_active, steps * size },
    { &transformer->time_parts, steps * 6 * size },
    { &transformer->h, shape->max_frames * tokens * size },
    { &transformer->turned, cache_bytes (config, shape) / 4 },
    { &transformer->normed, shape->piece * tokens * size },
    { &transformer->query, shape->piece * tokens * size },
    { &transformer->mixed, shape->piece * tokens * size },
    { &transformer->inner, shape->piece * tokens * config->ffn },
  };

  transformer->config = config;
  transformer->shape = *shape;
  for (guint i = 0; i < G_N_ELEMENTS (wishes); i++)
    vidgen_plan_add (plan, wishes[i].span, wishes[i].count, first, last);
}

guint64
vidgen_wan_transformer_bytes (
    const VidgenWanConfig *config, const VidgenWanShape *shape)
{
  return 2 * n_caches (config, shape) * cache_bytes (config, shape) +
         2 * shape->prompts * config->layers * text_bytes (config, shape) +
         modulation_bytes (config) + head_bytes (config) +
         places_bytes (config, shape) + upload_bytes (config, shape);
}

static gboolean
hold (VidgenWanTransformer *transformer, VidgenDevice *device, guint64 bytes,
    VidgenSpan *span, GError **error)
{
  VidgenMemory *memory =
      vidgen_memory_new (device, bytes, VIDGEN_MEMORY_DEVICE, error);

  if (!memory)
    return FALSE;
  g_ptr_array_add (transformer->memories, memory);
  *span = vidgen_memory_span (memory);
  return TRUE;
}

/* `n` layers' keys and values of `bytes` each; with one cache for all layers
 * they share it. */
static gboolean
hold_caches (VidgenWanTransformer *transformer, VidgenDevice *device,
    VidgenWanCache *caches, guint n, guint64 bytes, GError **error)
{
  for (guint i = 0; i < n; i++) {
    if (!hold (transformer, device, bytes, &caches[i].key, error) ||
        !hold (transformer, device, bytes, &caches[i].value, error))
      return FALSE;
  }
  return TRUE;
}

void
vidgen_wan_transformer_turn (
    double position, guint index, guint pairs, float out[2])
{
  const double angle = position * pow (FREQUENCY_BASE, -(double)index / pairs);

  out[0] = (float)cos (angle);
  out[1] = (float)sin (angle);
}

void
vidgen_wan_transformer_write_positions (
    const VidgenWanConfig *config, const VidgenWanView *view, float *out)
{
  const guint pairs = vidgen_wan_time_pairs (config);

  for (guint slot = 0; slot < view->n_slots; slot++) {
    for (guint i = 0; i < pairs; i++, out += 2)
      vidgen_wan_transformer_turn (view->positions[slot], i, pairs, out);
  }
}

VidgenSpan
vidgen_wan_transformer_positions (
    const VidgenWanTransformer *transformer, guint place, guint n_slots)
{
  return vidgen_span_cut (vidgen_memory_span (transformer->upload),
      positions_offset (transformer->config, &transformer->shape, place),
      vidgen_wan_transformer_positions_bytes (transformer->config, n_slots));
}

/* The rows' pairs, then the columns'. */
static void
write_places (const VidgenWanTransformer *transformer, float *out)
{
  const guint pairs = vidgen_wan_place_pairs (transformer->config);

  for (guint row = 0; row < transformer->shape.rows; row++) {
    for (guint column = 0; column < transformer->shape.columns; column++) {
      for (guint i = 0; i < pairs; i++, out += 2)
        vidgen_wan_transformer_turn (row, i, pairs, out);
      for (guint i = 0; i < pairs; i++, out += 2)
        vidgen_wan_transformer_turn (column, i, pairs, out);
    }
  }
}

static gboolean
upload_places (
    VidgenWanTransformer *transformer, VidgenDevice *device, GError **error)
{
  const VidgenSpan part =
      vidgen_span_cut (vidgen_memory_span (transformer->upload),
          positions_offset (transformer->config, &transformer->shape, 2),
          transformer->places.size);
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, error);

  if (!recorder)
    return FALSE;
  write_places (transformer, vidgen_span_map (part));
  vidgen_recorder_copy (recorder, transformer->places, part);
  return vidgen_recorder_finish (recorder, NULL, error);
}

gboolean
vidgen_wan_transformer_allocate (
    VidgenWanTransformer *transformer, VidgenDevice *device, GError **error)
{
  const VidgenWanConfig *config = transformer->config;
  const VidgenWanShape *shape = &transformer->shape;
  const guint layers = config->layers;

  transformer->memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  transformer->self = g_new0 (VidgenWanCache, layers);
  transformer->cross = g_new0 (VidgenWanCache, (gsize)layers * shape->prompts);
  if (!hold_caches (transformer, device, transformer->self,
          n_caches (config, shape), cache_bytes (config, shape), error) ||
      !hold_caches (transformer, device, transformer->cross,
          layers * shape->prompts, text_bytes (config, shape), error) ||
      !hold (transformer, device, modulation_bytes (config),
          &transformer->modulation, error) ||
      !hold (transformer, device, head_bytes (config),
          &transformer->head_modulation, error) ||
      !hold (transformer, device, places_bytes (config, shape),
          &transformer->places, error))
    return FALSE;
  for (guint i = n_caches (config, shape); i < layers; i++)
    transformer->self[i] = transformer->self[0];
  transformer->upload = vidgen_memory_new (
      device, upload_bytes (config, shape), VIDGEN_MEMORY_UPLOAD, error);
  return transformer->upload && upload_places (transformer, device, error);
}

void
vidgen_wan_transformer_clear (VidgenWanTransformer *transformer)
{
  g_clear_pointer (&transformer->memories, g_ptr_array_unref);
  g_clear_pointer (&transformer->self, g_free);
  g_clear_pointer (&transformer->cross, g_free);
  g_clear_pointer (&transformer->upload, vidgen_memory_unref);
}

/* out = a + b */
static void
record_sum (
    VidgenRecorder *recorder, VidgenSpan a, VidgenSpan b, VidgenSpan out)
{
  const VidgenNoise sum = { .count = (guint)(out.size / 4),
    .x_factor = 1,
    .v_factor = 1,
    .x = a,
    .v = b,
    .out = out };

  vidgen_noise (recorder, &sum);
}

static void
record_modulation (
    const VidgenWanTransformer *transformer, VidgenRecorder *recorder)
{
  const VidgenWanWeights *weights = transformer->weights;
  const guint64 size = transformer->config->size;
  const guint n = transformer->n_times;

  for (guint layer = 0; layer < transformer->config->layers; layer++)
    for (guint row = 0; row < n; row++)
      record_sum (recorder,
          vidgen_floats (transformer->time_parts, row * 6 * size, 6 * size),
          weights->blocks[layer].modulation,
          vidgen_floats (
              transformer->modulation, (layer * n + row) * 6 * size, 6 * size));
  for (guint row = 0; row < n; row++)
    for (guint part = 0; part < 2; part++)
      record_sum (recorder,
          vidgen_floats (transformer->time_state, row * size, size),
          vidgen_floats (weights->head_modulation, part * size, size),
          vidgen_floats (
              transformer->head_modulation, (2 * row + part) * size, size));
}

static void
write_time (float *out, double time, guint size)
{
  const guint half = size / 2;

  for (guint i = 0; i < half; i++) {
    const double angle = time * pow (FREQUENCY_BASE, -(double)i / half);

    out[i] = (float)cos (angle);
    out[half + i] = (float)sin (angle);
  }
}

void
vidgen_wan_transformer_set_times (VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, const double *times, guint n_times)
{
  const VidgenWanConfig *config = transformer->config;
  const VidgenWanWeights *weights = transformer->weights;
  const VidgenSpan part =
      vidgen_span_cut (vidgen_memory_span (transformer->upload),
          times_offset (config, &transformer->shape),
          4 * (guint64)n_times * config->time_size);
  float *out = vidgen_span_map (part);

  transformer->n_times = n_times;
  for (guint i = 0; i < n_times; i++)
    write_time (
        out + (gsize)i * config->time_size, times[i], config->time_size);
  vidgen_recorder_copy (recorder, transformer->times, part);
  vidgen_project (recorder, &weights->time1, n_times,
      (VidgenProduct){ .a = transformer->times,
          .out = transformer->time_inner,
          .activation = VIDGEN_SILU });
  vidgen_project (recorder, &weights->time2, n_times,
      (VidgenProduct){
          .a = transformer->time_inner, .out = transformer->time_state });
  vidgen_project (recorder, &weights->time2, n_times,
      (VidgenProduct){ .a = transformer->time_inner,
          .out = transformer->time_active,
          .activation = VIDGEN_SILU });
  vidgen_project (recorder, &weights->time_projection, n_times,
      (VidgenProduct){
          .a = transformer->time_active, .out = transformer->time_parts });
  record_modulation (transformer, recorder);
}

void
vidgen_wan_transformer_keep (const VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, guint rows, VidgenSpan made, VidgenSpan cached)
{
  const VidgenConvert convert = {
    .rows = rows, .size = transformer->config->size, .x = made, .out = cached
  };

  if (transformer->shape.type != VIDGEN_F32)
    vidgen_convert (recorder, &convert);
}

static void
record_text (const VidgenWanTransformer *transformer, VidgenRecorder *recorder,
    guint prompt)
{
  const VidgenWanConfig *config = transformer->config;
  const guint rows = config->text_rows;
  const gboolean apart = transformer->shape.type != VIDGEN_F32;

  for (guint i = 0; i < config->layers; i++) {
    const VidgenWanAttention *cross = &transformer->weights->blocks[i].cross;
    const VidgenWanCache *cache =
        &transformer->cross[prompt * config->layers + i];
    const VidgenSpan key = apart ? transformer->text_inner : cache->key;
    const VidgenSpan value = apart ? transformer->text_inner : cache->value;
    const VidgenNorm norm = { .rows = rows,
      .size = config->size,
      .gain = TRUE,
      .x = key,
      .scale = cross->k_gain,
      .out = key };

    vidgen_project (recorder, &cross->k, rows,
        (VidgenProduct){ .a = transformer->text, .out = key });
    vidgen_norm (recorder, &norm);
    vidgen_wan_transformer_keep (transformer, recorder, rows, key, cache->key);
    vidgen_project (recorder, &cross->v, rows,
        (VidgenProduct){ .a = transformer->text, .out = value });
    vidgen_wan_transformer_keep (
        transformer, recorder, rows, value, cache->value);
  }
}

void
vidgen_wan_transformer_set_prompt (VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, guint prompt, const float *states, guint n_rows)
{
  const VidgenWanConfig *config = transformer->config;
  const guint rows = config->text_rows;
  const VidgenSpan part =
      vidgen_span_cut (vidgen_memory_span (transformer->upload),
          prompt * states_bytes (config), transformer->states.size);
  const gsize given = (gsize)MIN (n_rows, rows) * config->text_size;

  memset (vidgen_span_map (part), 0, part.size);
  memcpy (vidgen_span_map (part), states, given * sizeof *states);
  vidgen_recorder_copy (recorder, transformer->states, part);
  vidgen_project (recorder, &transformer->weights->text1, rows,
      (VidgenProduct){ .a = transformer->states,
          .out = transformer->text_inner,
          .activation = VIDGEN_GELU });
  vidgen_project (recorder, &transformer->weights->text2, rows,
      (VidgenProduct){
          .a = transformer->text_inner, .out = transformer->text });
  record_text (transformer, recorder, prompt);
}
