/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <math.h>
#include <string.h>

#include "models/mini/transformer.h"

static void list_layer (VidgenMiniLayer *layer, guint index,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader);

static void
make_time (const VidgenMiniConfig *config, double t, float *out)
{
  const guint half = config->transformer.time_size / 2;

  for (guint i = 0; i < half; i++) {
    const double angle =
        t * config->transformer.time_scale *
        pow (config->transformer.time_period, -(double)i / half);

    out[i] = (float)cos (angle);
    out[half + i] = (float)sin (angle);
  }
}

/* Each schedule's timesteps, and the context's after them. */
static void
make_times (const VidgenMiniConfig *config,
    const VidgenSafetensors *file G_GNUC_UNUSED, guint index G_GNUC_UNUSED,
    float *out)
{
  const guint size = config->transformer.time_size;

  for (guint i = 0; i < config->n_schedules; i++) {
    const VidgenMiniSchedule *schedule = &config->schedules[i];

    for (guint j = 0; j < schedule->n_steps; j++, out += size)
      make_time (config, schedule->times[j], out);
    make_time (config, config->context.timestep, out);
    out += size;
  }
}

typedef struct {
  double time, vertical, horizontal;
} Position;

static Position
position_of (const VidgenMiniConfig *config, guint token)
{
  const guint videos = vidgen_mini_video_tokens (config);
  const guint columns = vidgen_mini_columns (config);

  if (token < videos)
    return (Position){ 0, token / columns, token % columns };
  return (Position){ (token - videos + 0.5) / config->sound.tokens - 0.5,
    config->transformer.rope.sound_position[0],
    config->transformer.rope.sound_position[1] };
}

static float *
write_turns (float *out, double position, const double *frequencies, guint n)
{
  for (guint i = 0; i < n; i++) {
    *out++ = (float)cos (position * frequencies[i]);
    *out++ = (float)sin (position * frequencies[i]);
  }
  return out;
}

static void
make_rotations (const VidgenMiniConfig *config,
    const VidgenSafetensors *file G_GNUC_UNUSED, guint index G_GNUC_UNUSED,
    float *out)
{
  const guint tokens = vidgen_mini_tokens (config);

  for (guint age = 0; age <= config->context.window + 1; age++) {
    for (guint token = 0; token < tokens; token++) {
      const Position at = position_of (config, token);

      out = write_turns (out, at.time - age, config->transformer.rope.time,
          config->transformer.rope.n_time);
      out = write_turns (out, at.vertical, config->transformer.rope.vertical,
          config->transformer.rope.n_vertical);
      out =
          write_turns (out, at.horizontal, config->transformer.rope.horizontal,
              config->transformer.rope.n_horizontal);
    }
  }
}

static void
make_modulation_bias (const VidgenMiniConfig *config,
    const VidgenSafetensors *file, guint index, float *out)
{
  g_autofree char *name =
      g_strdup_printf ("transformer.layers.%u.modulation", index);
  const VidgenTensor *bias =
      vidgen_safetensors_find (file, "transformer.modulation.bias");
  const VidgenTensor *table = vidgen_safetensors_find (file, name);

  for (gsize i = 0; i < 6 * (gsize)config->transformer.size; i++) {
    float a, b;

    memcpy (&a, bias->data + 4 * i, sizeof a);
    memcpy (&b, table->data + 4 * i, sizeof b);
    out[i] = a + b;
  }
}

static void
list_layer (VidgenMiniLayer *layer, guint index, const VidgenMiniConfig *config,
    VidgenMiniLoader *loader)
{
  const guint size = config->transformer.size;
  const guint mlp = config->transformer.mlp;
  const guint text_size = config->text.size;
  g_autofree char *prefix = g_strdup_printf ("transformer.layers.%u.", index);
  g_autofree char *modulation = g_strconcat (prefix, "modulation", NULL);
  g_autofree char *query_scale = g_strconcat (prefix, "query_scale", NULL);
  const struct {
    const char *name;
    VidgenLinear *linear;
    guint out, in;
    gboolean has_bias;
  } linears[] = {
    { "qkv", &layer->qkv, 3 * size, size, FALSE },
    { "text_kv", &layer->text_kv, 2 * size, text_size, FALSE },
    { "out", &layer->out, size, size, TRUE },
    { "fc1", &layer->fc1, mlp, size, TRUE },
    { "fc2", &layer->fc2, size, mlp, TRUE },
  };

  vidgen_mini_loader_expect (loader, modulation, 6, size);
  vidgen_mini_loader_made (loader, &layer->modulation_bias, 6 * (gsize)size,
      make_modulation_bias, index);
  vidgen_mini_loader_table (loader, &layer->query_scale, query_scale, 0,
      config->transformer.heads, config->transformer.heads);
  for (guint i = 0; i < G_N_ELEMENTS (linears); i++) {
    g_autofree char *name = g_strconcat (prefix, linears[i].name, NULL);
    vidgen_mini_loader_linear (loader, linears[i].linear, name, linears[i].out,
        linears[i].in, linears[i].in, linears[i].has_bias);
  }
}

static void
list_tables (VidgenMiniTransformerWeights *weights,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader)
{
  const guint tokens = vidgen_mini_tokens (config);
  const gsize size = config->transformer.size;
  gsize n_times = 0;

  for (guint i = 0; i < config->n_schedules; i++)
    n_times += config->schedules[i].n_steps + 1;
  vidgen_mini_loader_table (loader, &weights->token_embedding,
      "transformer.token_embedding", tokens, (guint)size, tokens * size);
  vidgen_mini_loader_made (loader, &weights->times,
      n_times * config->transformer.time_size, make_times, 0);
  vidgen_mini_loader_made (loader, &weights->rotations,
      (config->context.window + 2) * (gsize)tokens *
          (size / config->transformer.heads),
      make_rotations, 0);
}

void
vidgen_mini_transformer_list (VidgenMiniTransformerWeights *weights,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader)
{
  const guint size = config->transformer.size;
  const guint video = vidgen_mini_video_values (config);
  const guint audio = config->sound.token_size;
  const guint time = config->transformer.time_size;
  const struct {
    const char *name;
    VidgenLinear *linear;
    guint out, in, padded_in;
  } linears[] = {
    { "text.pool", &weights->pool, size, config->text.size, 0 },
    { "transformer.video_in", &weights->video_in, size, video,
        vidgen_mini_padded_video_values (config) },
    { "transformer.audio_in", &weights->audio_in, size, audio,
        vidgen_mini_padded_audio_values (config) },
    { "transformer.time.fc1", &weights->time1, size, time, 0 },
    { "transformer.time.fc2", &weights->time2, size, size, 0 },
    { "transformer.modulation", &weights->modulation, 6 * size, size, 0 },
    { "transformer.final.modulation", &weights->final_modulation, 2 * size,
        size, 0 },
    { "transformer.video_out", &weights->video_out, video, size, 0 },
    { "transformer.audio_out", &weights->audio_out, audio, size, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (linears); i++)
    vidgen_mini_loader_linear (loader, linears[i].linear, linears[i].name,
        linears[i].out, linears[i].in,
        linears[i].padded_in ? linears[i].padded_in : linears[i].in, TRUE);
  list_tables (weights, config, loader);
  weights->layers = g_new0 (VidgenMiniLayer, config->transformer.layers);
  for (guint i = 0; i < config->transformer.layers; i++)
    list_layer (&weights->layers[i], i, config, loader);
}

void
vidgen_mini_transformer_clear (VidgenMiniTransformerWeights *weights)
{
  g_clear_pointer (&weights->layers, g_free);
}
