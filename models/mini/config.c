/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/config.h"

#include <math.h>
#include <string.h>

#include "models/checkpoint/fields.h"
#include "models/checkpoint/json.h"
#include "models/mini/completion.h"

#define CONFIG_DEPTH 6
#define MAX_CHANNELS 1024

static void
check_heads (VidgenFields *fields, const char *path, guint size, guint heads)
{
  const guint head_size = heads ? size / heads : 0;

  if (head_size * heads != size || (head_size != 16 && head_size != 32 &&
                                       head_size != 64 && head_size != 128))
    vidgen_fields_fail (fields,
        "%sheads is %u, which does not part %u into heads of 16, 32, 64 or 128",
        path, heads, size);
}

static void
read_video (
    VidgenFields *fields, const VidgenSection *root, VidgenMiniConfig *config)
{
  const VidgenSection video =
      vidgen_fields_section (fields, root, "video", "video.");
  const VidgenSection latent =
      vidgen_fields_section (fields, root, "latent", "latent.");
  guint side, downscale, n_rate;
  g_autofree double *rate = NULL;

  config->latent.channels =
      vidgen_fields_count (fields, &latent, "channels", 1, 256);
  config->latent.patch = vidgen_fields_count (fields, &latent, "patch", 1, 8);
  downscale = vidgen_fields_count (fields, &latent, "downscale", 1, 64);
  if (downscale != VIDGEN_MINI_DOWNSCALE)
    vidgen_fields_fail (fields, "latent.downscale is %u, expected %d",
        downscale, VIDGEN_MINI_DOWNSCALE);
  side = VIDGEN_MINI_DOWNSCALE * config->latent.patch;
  config->video.width = vidgen_fields_multiple (
      fields, &video, "width", side, VIDGEN_MINI_MAX_PICTURE);
  config->video.height = vidgen_fields_multiple (
      fields, &video, "height", side, VIDGEN_MINI_MAX_PICTURE);
  rate = vidgen_fields_numbers (fields, &video, "frame_rate", 2, 2, &n_rate);
  if (!fields->failed &&
      (rate[0] < 1 || rate[1] < 1 || rate[0] > 1e6 || rate[1] > 1e6))
    vidgen_fields_fail (fields, "video.frame_rate is outside 1 … 1000000");
  if (fields->failed)
    return;
  config->video.fps_n = (guint)rate[0];
  config->video.fps_d = (guint)rate[1];
  if (config->video.fps_n != rate[0] || config->video.fps_d != rate[1])
    vidgen_fields_fail (fields, "video.frame_rate is not two whole numbers");
}

static void
read_chunk (
    VidgenFields *fields, const VidgenSection *root, VidgenMiniConfig *config)
{
  const VidgenSection audio =
      vidgen_fields_section (fields, root, "audio", "audio.");
  const VidgenSection chunk =
      vidgen_fields_section (fields, root, "chunk", "chunk.");

  config->audio.sample_rate =
      vidgen_fields_count (fields, &audio, "sample_rate", 1000, 384000);
  vidgen_fields_count (fields, &audio, "channels", 2, 2);
  config->chunk.frames = vidgen_fields_count (fields, &chunk, "frames",
      VIDGEN_MINI_CHUNK_FRAMES, VIDGEN_MINI_CHUNK_FRAMES);
  config->chunk.samples =
      vidgen_fields_count (fields, &chunk, "samples", 1, 1 << 24);
  if (!fields->failed && (guint64)config->chunk.samples * config->video.fps_n !=
                             (guint64)config->audio.sample_rate *
                                 config->chunk.frames * config->video.fps_d)
    vidgen_fields_fail (fields,
        "chunk.samples is %u, not the time of %u frames", config->chunk.samples,
        config->chunk.frames);
}

static void
read_bands (
    VidgenFields *fields, const VidgenSection *sound, VidgenMiniConfig *config)
{
  guint n_edges;
  g_autofree double *edges =
      vidgen_fields_numbers (fields, sound, "band_edges", 2, 257, &n_edges);

  if (fields->failed)
    return;
  config->sound.bands = n_edges - 1;
  config->sound.band_edges_hz = g_new (float, n_edges);
  for (guint i = 0; i < n_edges; i++) {
    config->sound.band_edges_hz[i] = (float)edges[i];
    if (edges[i] < 0 || edges[i] > config->audio.sample_rate / 2.0 ||
        (i > 0 && edges[i] < edges[i - 1] + 0.01))
      vidgen_fields_fail (fields,
          "sound.band_edges do not rise within 0 … %g Hz",
          config->audio.sample_rate / 2.0);
  }
}

static gboolean
read_mid_side (VidgenFields *fields, const VidgenSection *sound)
{
  g_autofree char *layout = NULL;

  if (!sound->object || !json_object_has_member (sound->object, "layout"))
    return TRUE;
  layout = vidgen_fields_string (fields, sound, "layout");
  if (g_strcmp0 (layout, "left-right") == 0)
    return FALSE;
  if (layout && !g_str_equal (layout, "mid-side"))
    vidgen_fields_fail (fields,
        "sound.layout is '%s', expected left-right or mid-side", layout);
  return TRUE;
}

static void
read_sound (
    VidgenFields *fields, const VidgenSection *root, VidgenMiniConfig *config)
{
  const VidgenSection sound =
      vidgen_fields_section (fields, root, "sound", "sound.");

  config->sound.tokens = vidgen_fields_count (fields, &sound, "tokens", 1, 256);
  config->sound.token_size =
      vidgen_fields_count (fields, &sound, "token_size", 1, 1024);
  config->sound.frames_per_token =
      vidgen_fields_count (fields, &sound, "frames_per_token", 1, 256);
  config->sound.hop = vidgen_fields_multiple (fields, &sound, "hop", 2, 4096);
  read_bands (fields, &sound, config);
  config->sound.tonal_bands = vidgen_fields_count (
      fields, &sound, "tonal_bands", 0, config->sound.bands);
  config->sound.tonality_floor =
      vidgen_fields_number (fields, &sound, "tonality_floor", 0, 1);
  config->sound.mid_side = read_mid_side (fields, &sound);
  if (!fields->failed &&
      vidgen_mini_sound_frames (config) * config->sound.hop !=
          config->chunk.samples)
    vidgen_fields_fail (fields,
        "sound.hop of %u gives %u samples a chunk, expected %u",
        config->sound.hop,
        vidgen_mini_sound_frames (config) * config->sound.hop,
        config->chunk.samples);
}

static void
read_text (
    VidgenFields *fields, const VidgenSection *root, VidgenMiniConfig *config)
{
  const VidgenSection text =
      vidgen_fields_section (fields, root, "text", "text.");

  config->text.size =
      vidgen_fields_multiple (fields, &text, "size", 16, VIDGEN_MINI_MAX_SIZE);
  config->text.layers =
      vidgen_fields_count (fields, &text, "layers", 0, VIDGEN_MINI_MAX_LAYERS);
  config->text.heads = vidgen_fields_count (fields, &text, "heads", 1, 256);
  config->text.mlp = vidgen_fields_multiple (
      fields, &text, "mlp", 8, 4 * VIDGEN_MINI_MAX_SIZE);
  config->text.tokens = vidgen_fields_count (fields, &text, "tokens", 1, 1024);
  config->text.buckets =
      vidgen_fields_count (fields, &text, "buckets", 1, 1 << 20);
  config->text.vocabulary =
      vidgen_fields_strings (fields, &text, "vocabulary", 0, 1 << 20);
  config->text.n_vocabulary = g_strv_length (config->text.vocabulary);
  config->text.completions = vidgen_mini_rules_read (fields, &text);
  check_heads (fields, "text.", config->text.size, config->text.heads);
}

static void
read_rope (VidgenFields *fields, const VidgenSection *transformer,
    VidgenMiniConfig *config)
{
  const VidgenSection rope =
      vidgen_fields_section (fields, transformer, "rope", "transformer.rope.");
  g_autofree double *position = NULL;
  guint n_position, half;

  config->transformer.rope.time = vidgen_fields_numbers (
      fields, &rope, "time", 0, 64, &config->transformer.rope.n_time);
  config->transformer.rope.vertical = vidgen_fields_numbers (
      fields, &rope, "vertical", 0, 64, &config->transformer.rope.n_vertical);
  config->transformer.rope.horizontal = vidgen_fields_numbers (fields, &rope,
      "horizontal", 0, 64, &config->transformer.rope.n_horizontal);
  position = vidgen_fields_numbers (
      fields, &rope, "sound_position", 2, 2, &n_position);
  if (fields->failed)
    return;
  memcpy (config->transformer.rope.sound_position, position,
      sizeof config->transformer.rope.sound_position);
  half = config->transformer.size / config->transformer.heads / 2;
  if (config->transformer.rope.n_time + config->transformer.rope.n_vertical +
          config->transformer.rope.n_horizontal !=
      half)
    vidgen_fields_fail (
        fields, "transformer.rope does not have %u frequencies", half);
}

static void
read_transformer (
    VidgenFields *fields, const VidgenSection *root, VidgenMiniConfig *config)
{
  const VidgenSection transformer =
      vidgen_fields_section (fields, root, "transformer", "transformer.");

  config->transformer.size = vidgen_fields_multiple (
      fields, &transformer, "size", 16, VIDGEN_MINI_MAX_SIZE);
  config->transformer.layers = vidgen_fields_count (
      fields, &transformer, "layers", 1, VIDGEN_MINI_MAX_LAYERS);
  config->transformer.heads =
      vidgen_fields_count (fields, &transformer, "heads", 1, 256);
  config->transformer.mlp = vidgen_fields_multiple (
      fields, &transformer, "mlp", 8, 4 * VIDGEN_MINI_MAX_SIZE);
  config->transformer.time_size =
      vidgen_fields_multiple (fields, &transformer, "time_size", 8, 4096);
  config->transformer.time_scale =
      vidgen_fields_number (fields, &transformer, "time_scale", 1e-6, 1e6);
  config->transformer.time_period =
      vidgen_fields_number (fields, &transformer, "time_period", 1, 1e9);
  check_heads (fields, "transformer.", config->transformer.size,
      config->transformer.heads);
  if (!fields->failed)
    read_rope (fields, &transformer, config);
}

static void
read_channels (
    VidgenFields *fields, const VidgenSection *section, guint count, guint *out)
{
  JsonArray *channels =
      vidgen_fields_array (fields, section, "channels", count, count);

  for (guint i = 0; channels && i < count; i++) {
    out[i] =
        vidgen_fields_check_count (fields, json_array_get_element (channels, i),
            section->path, "channels", 4, MAX_CHANNELS);
    if (out[i] % 4)
      vidgen_fields_fail (
          fields, "%schannels are not multiples of 4", section->path);
  }
}

static void
read_codec (
    VidgenFields *fields, const VidgenSection *root, VidgenMiniConfig *config)
{
  const VidgenSection encoder =
      vidgen_fields_section (fields, root, "encoder", "encoder.");
  const VidgenSection decoder =
      vidgen_fields_section (fields, root, "decoder", "decoder.");

  read_channels (fields, &encoder, 2, config->encoder.channels);
  read_channels (fields, &decoder, 3, config->decoder.channels);
  config->decoder.latent_bound =
      vidgen_fields_number (fields, &decoder, "latent_bound", 1e-3, 1e3);
  if (decoder.object && json_object_has_member (decoder.object, "wide"))
    config->decoder.wide =
        vidgen_fields_multiple (fields, &decoder, "wide", 4, MAX_CHANNELS);
}

static void
read_context (
    VidgenFields *fields, const VidgenSection *root, VidgenMiniConfig *config)
{
  const VidgenSection context =
      vidgen_fields_section (fields, root, "context", "context.");

  config->context.window = vidgen_fields_count (
      fields, &context, "window", 0, VIDGEN_MINI_MAX_WINDOW);
  config->context.sink = vidgen_fields_count (fields, &context, "sink", 0, 1);
  config->context.timestep =
      vidgen_fields_number (fields, &context, "timestep", 0, 1);
}

static void
read_schedule (VidgenFields *fields, const VidgenSection *schedules,
    const char *key, VidgenMiniSchedule *schedule)
{
  guint64 n_steps = 0;

  schedule->times = vidgen_fields_numbers (
      fields, schedules, key, 1, VIDGEN_MINI_MAX_STEPS, &schedule->n_steps);
  if (fields->failed)
    return;
  if (!g_ascii_string_to_unsigned (
          key, 10, 1, VIDGEN_MINI_MAX_STEPS, &n_steps, NULL) ||
      n_steps != schedule->n_steps || schedule->times[0] != 1)
    vidgen_fields_fail (fields,
        "schedules.%s is not a schedule of that many steps from 1", key);
  for (guint i = 1; i < schedule->n_steps; i++) {
    if (schedule->times[i] >= schedule->times[i - 1] || schedule->times[i] <= 0)
      vidgen_fields_fail (
          fields, "schedules.%s does not fall within 1 … 0", key);
  }
}

static int
compare_schedules (gconstpointer a, gconstpointer b)
{
  const VidgenMiniSchedule *one = a, *other = b;

  return one->n_steps < other->n_steps ? -1 : one->n_steps > other->n_steps;
}

static void
read_schedules (
    VidgenFields *fields, const VidgenSection *root, VidgenMiniConfig *config)
{
  const VidgenSection schedules =
      vidgen_fields_section (fields, root, "schedules", "schedules.");
  JsonObjectIter iter;
  const char *key;
  guint n;

  if (!schedules.object)
    return;
  n = json_object_get_size (schedules.object);
  if (n < 1 || n > VIDGEN_MINI_MAX_STEPS) {
    vidgen_fields_fail (fields, "schedules are %u", n);
    return;
  }
  config->schedules = g_new0 (VidgenMiniSchedule, n);
  json_object_iter_init (&iter, schedules.object);
  while (json_object_iter_next (&iter, &key, NULL))
    read_schedule (
        fields, &schedules, key, &config->schedules[config->n_schedules++]);
  qsort (config->schedules, n, sizeof *config->schedules, compare_schedules);
  config->steps =
      vidgen_fields_count (fields, root, "steps", 1, VIDGEN_MINI_MAX_STEPS);
  if (!fields->failed && !vidgen_mini_schedule (config, config->steps))
    vidgen_fields_fail (
        fields, "steps is %u, which has no schedule", config->steps);
}

static void
check_products (VidgenFields *fields, const VidgenMiniConfig *config)
{
  const guint64 tokens = vidgen_mini_tokens (config);
  const guint64 cache = 12 * tokens * config->transformer.size *
                        config->transformer.layers * vidgen_mini_slots (config);

  if (tokens > VIDGEN_MINI_MAX_TOKENS)
    vidgen_fields_fail (fields,
        "sizes give %" G_GUINT64_FORMAT " tokens a chunk, more than %d", tokens,
        VIDGEN_MINI_MAX_TOKENS);
  if (cache > VIDGEN_MINI_MAX_CACHE_BYTES)
    vidgen_fields_fail (
        fields, "context needs %" G_GUINT64_FORMAT " bytes", cache);
}

VidgenMiniConfig *
vidgen_mini_config_parse (const char *json, const char *file, GError **error)
{
  g_autofree char *what = g_strdup_printf ("The config of '%s'", file);
  g_autoptr (JsonNode) node =
      vidgen_json_parse (json, strlen (json), CONFIG_DEPTH, what, error);
  g_autoptr (VidgenMiniConfig) config = NULL;
  VidgenFields fields = { file, error, FALSE };
  VidgenSection root = { NULL, "" };

  if (!node)
    return NULL;
  root.object = json_node_get_object (node);
  config = g_new0 (VidgenMiniConfig, 1);
  config->name = vidgen_fields_string (&fields, &root, "name");
  read_video (&fields, &root, config);
  read_chunk (&fields, &root, config);
  read_sound (&fields, &root, config);
  read_text (&fields, &root, config);
  read_transformer (&fields, &root, config);
  read_codec (&fields, &root, config);
  read_context (&fields, &root, config);
  read_schedules (&fields, &root, config);
  config->prompts = vidgen_fields_strings (&fields, &root, "prompts", 1, 1024);
  if (!fields.failed)
    check_products (&fields, config);
  return fields.failed ? NULL : g_steal_pointer (&config);
}

void
vidgen_mini_config_free (VidgenMiniConfig *config)
{
  if (!config)
    return;
  for (guint i = 0; i < config->n_schedules; i++)
    g_free (config->schedules[i].times);
  g_free (config->schedules);
  g_free (config->transformer.rope.time);
  g_free (config->transformer.rope.vertical);
  g_free (config->transformer.rope.horizontal);
  g_free (config->sound.band_edges_hz);
  g_strfreev (config->text.vocabulary);
  g_clear_pointer (&config->text.completions, g_array_unref);
  g_strfreev (config->prompts);
  g_free (config->name);
  g_free (config);
}

guint
vidgen_mini_rows (const VidgenMiniConfig *config)
{
  return config->video.height / VIDGEN_MINI_DOWNSCALE / config->latent.patch;
}

guint
vidgen_mini_columns (const VidgenMiniConfig *config)
{
  return config->video.width / VIDGEN_MINI_DOWNSCALE / config->latent.patch;
}

guint
vidgen_mini_video_tokens (const VidgenMiniConfig *config)
{
  return vidgen_mini_rows (config) * vidgen_mini_columns (config);
}

guint
vidgen_mini_tokens (const VidgenMiniConfig *config)
{
  return vidgen_mini_video_tokens (config) + config->sound.tokens;
}

guint
vidgen_mini_video_values (const VidgenMiniConfig *config)
{
  return config->latent.channels * config->latent.patch * config->latent.patch;
}

static guint
round_up (guint value, guint step)
{
  return (value + step - 1) / step * step;
}

guint
vidgen_mini_padded_channels (const VidgenMiniConfig *config)
{
  return round_up (config->latent.channels, config->latent.patch % 2 ? 8 : 4);
}

guint
vidgen_mini_padded_video_values (const VidgenMiniConfig *config)
{
  return vidgen_mini_padded_channels (config) * config->latent.patch *
         config->latent.patch;
}

guint
vidgen_mini_padded_audio_values (const VidgenMiniConfig *config)
{
  return round_up (config->sound.token_size, 8);
}

guint
vidgen_mini_sound_frames (const VidgenMiniConfig *config)
{
  return config->sound.tokens * config->sound.frames_per_token;
}

guint
vidgen_mini_slots (const VidgenMiniConfig *config)
{
  return config->context.window + config->context.sink + 1;
}

const VidgenMiniSchedule *
vidgen_mini_schedule (const VidgenMiniConfig *config, guint steps)
{
  for (guint i = 0; i < config->n_schedules; i++) {
    if (config->schedules[i].n_steps == steps)
      return &config->schedules[i];
  }
  return NULL;
}
