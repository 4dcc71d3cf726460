/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/config.h"

#include <math.h>
#include <string.h>

#include "models/checkpoint/json.h"
#include "shaders/runtime/error.h"

#define CONFIG_DEPTH 6

/* Reads one key after another; the first error is kept and what follows does
 * nothing. */
typedef struct {
  const char *file;
  GError **error;
  gboolean failed;
} Reader;

static void G_GNUC_PRINTF (2, 3) fail (Reader *reader, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  if (reader->failed)
    return;
  reader->failed = TRUE;
  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (reader->error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
      "'%s': the config's %s.", reader->file, message);
}

/* An object and the path by which messages name it. */
typedef struct {
  JsonObject *object;
  const char *path;
} Section;

static JsonNode *
get_node (Reader *reader, const Section *section, const char *key)
{
  JsonNode *node =
      section->object ? json_object_get_member (section->object, key) : NULL;

  if (!node)
    fail (reader, "%s%s is missing", section->path, key);
  return node;
}

static Section
get_section (
    Reader *reader, const Section *parent, const char *key, const char *path)
{
  JsonNode *node = get_node (reader, parent, key);
  Section section = { NULL, path };

  if (node && JSON_NODE_HOLDS_OBJECT (node))
    section.object = json_node_get_object (node);
  else
    fail (reader, "%s%s is not an object", parent->path, key);
  return section;
}

static gboolean
is_number (JsonNode *node)
{
  const GType type = json_node_get_value_type (node);

  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
}

static double
check_number (Reader *reader, JsonNode *node, const char *path, const char *key,
    double min, double max)
{
  double value;

  if (!node || !is_number (node)) {
    fail (reader, "%s%s is not a number", path, key);
    return min;
  }
  value = json_node_get_double (node);
  if (value >= min && value <= max)
    return value;
  fail (reader, "%s%s is %g, outside %g … %g", path, key, value, min, max);
  return min;
}

static guint
check_count (Reader *reader, JsonNode *node, const char *path, const char *key,
    guint min, guint max)
{
  if (node && json_node_get_value_type (node) != G_TYPE_INT64)
    fail (reader, "%s%s is not a whole number", path, key);
  return (guint)check_number (reader, node, path, key, min, max);
}

static double
get_number (Reader *reader, const Section *section, const char *key, double min,
    double max)
{
  return check_number (
      reader, get_node (reader, section, key), section->path, key, min, max);
}

static guint
get_count (Reader *reader, const Section *section, const char *key, guint min,
    guint max)
{
  return check_count (
      reader, get_node (reader, section, key), section->path, key, min, max);
}

static guint
get_multiple (Reader *reader, const Section *section, const char *key,
    guint step, guint max)
{
  const guint value = get_count (reader, section, key, step, max);

  if (value % step)
    fail (reader, "%s%s is %u, not a multiple of %u", section->path, key, value,
        step);
  return value;
}

static JsonArray *
get_array (Reader *reader, const Section *section, const char *key, guint min,
    guint max)
{
  JsonNode *node = get_node (reader, section, key);
  JsonArray *array =
      node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (array && json_array_get_length (array) >= min &&
      json_array_get_length (array) <= max)
    return array;
  fail (
      reader, "%s%s is not an array of %u to %u", section->path, key, min, max);
  return NULL;
}

static double *
get_numbers (Reader *reader, const Section *section, const char *key, guint min,
    guint max, guint *n_values)
{
  JsonArray *array = get_array (reader, section, key, min, max);
  double *values;

  *n_values = array ? json_array_get_length (array) : 0;
  values = g_new0 (double, *n_values + 1);
  for (guint i = 0; i < *n_values; i++)
    values[i] = check_number (reader, json_array_get_element (array, i),
        section->path, key, -1e9, 1e9);
  return values;
}

static char *
get_string (Reader *reader, const Section *section, const char *key)
{
  JsonNode *node = get_node (reader, section, key);

  if (node && json_node_get_value_type (node) == G_TYPE_STRING)
    return g_strdup (json_node_get_string (node));
  fail (reader, "%s%s is not a string", section->path, key);
  return NULL;
}

static char **
get_strings (Reader *reader, const Section *section, const char *key, guint min,
    guint max)
{
  JsonArray *array = get_array (reader, section, key, min, max);
  const guint n = array ? json_array_get_length (array) : 0;
  g_autoptr (GStrvBuilder) strings = g_strv_builder_new ();

  for (guint i = 0; i < n; i++) {
    JsonNode *node = json_array_get_element (array, i);
    const gboolean good = json_node_get_value_type (node) == G_TYPE_STRING &&
                          *json_node_get_string (node);
    if (good)
      g_strv_builder_add (strings, json_node_get_string (node));
    else
      fail (reader, "%s%s holds something that is not a text", section->path,
          key);
  }
  return g_strv_builder_end (strings);
}

static void
check_heads (Reader *reader, const char *path, guint size, guint heads)
{
  const guint head_size = heads ? size / heads : 0;

  if (head_size * heads != size || (head_size != 16 && head_size != 32 &&
                                       head_size != 64 && head_size != 128))
    fail (reader,
        "%sheads is %u, which does not part %u into heads of 16, 32, 64 or 128",
        path, heads, size);
}

static void
read_video (Reader *reader, const Section *root, VidgenMiniConfig *config)
{
  const Section video = get_section (reader, root, "video", "video.");
  const Section latent = get_section (reader, root, "latent", "latent.");
  guint side, downscale, n_rate;
  g_autofree double *rate = NULL;

  config->latent.channels = get_count (reader, &latent, "channels", 1, 256);
  config->latent.patch = get_count (reader, &latent, "patch", 1, 8);
  downscale = get_count (reader, &latent, "downscale", 1, 64);
  if (downscale != VIDGEN_MINI_DOWNSCALE)
    fail (reader, "latent.downscale is %u, expected %d", downscale,
        VIDGEN_MINI_DOWNSCALE);
  side = VIDGEN_MINI_DOWNSCALE * config->latent.patch;
  config->video.width =
      get_multiple (reader, &video, "width", side, VIDGEN_MINI_MAX_PICTURE);
  config->video.height =
      get_multiple (reader, &video, "height", side, VIDGEN_MINI_MAX_PICTURE);
  rate = get_numbers (reader, &video, "frame_rate", 2, 2, &n_rate);
  if (!reader->failed &&
      (rate[0] < 1 || rate[1] < 1 || rate[0] > 1e6 || rate[1] > 1e6))
    fail (reader, "video.frame_rate is outside 1 … 1000000");
  if (reader->failed)
    return;
  config->video.fps_n = (guint)rate[0];
  config->video.fps_d = (guint)rate[1];
  if (config->video.fps_n != rate[0] || config->video.fps_d != rate[1])
    fail (reader, "video.frame_rate is not two whole numbers");
}

static void
read_chunk (Reader *reader, const Section *root, VidgenMiniConfig *config)
{
  const Section audio = get_section (reader, root, "audio", "audio.");
  const Section chunk = get_section (reader, root, "chunk", "chunk.");

  config->audio.sample_rate =
      get_count (reader, &audio, "sample_rate", 1000, 384000);
  get_count (reader, &audio, "channels", 2, 2);
  config->chunk.frames = get_count (reader, &chunk, "frames",
      VIDGEN_MINI_CHUNK_FRAMES, VIDGEN_MINI_CHUNK_FRAMES);
  config->chunk.samples = get_count (reader, &chunk, "samples", 1, 1 << 24);
  if (!reader->failed && (guint64)config->chunk.samples * config->video.fps_n !=
                             (guint64)config->audio.sample_rate *
                                 config->chunk.frames * config->video.fps_d)
    fail (reader, "chunk.samples is %u, not the time of %u frames",
        config->chunk.samples, config->chunk.frames);
}

static void
read_bands (Reader *reader, const Section *sound, VidgenMiniConfig *config)
{
  guint n_edges;
  g_autofree double *edges =
      get_numbers (reader, sound, "band_edges", 2, 257, &n_edges);

  if (reader->failed)
    return;
  config->sound.bands = n_edges - 1;
  config->sound.band_edges_hz = g_new (float, n_edges);
  for (guint i = 0; i < n_edges; i++) {
    config->sound.band_edges_hz[i] = (float)edges[i];
    if (edges[i] < 0 || edges[i] > config->audio.sample_rate / 2.0 ||
        (i > 0 && edges[i] < edges[i - 1] + 0.01))
      fail (reader, "sound.band_edges do not rise within 0 … %g Hz",
          config->audio.sample_rate / 2.0);
  }
}

static void
read_sound (Reader *reader, const Section *root, VidgenMiniConfig *config)
{
  const Section sound = get_section (reader, root, "sound", "sound.");

  config->sound.tokens = get_count (reader, &sound, "tokens", 1, 256);
  config->sound.token_size = get_count (reader, &sound, "token_size", 1, 1024);
  config->sound.frames_per_token =
      get_count (reader, &sound, "frames_per_token", 1, 256);
  config->sound.hop = get_multiple (reader, &sound, "hop", 2, 4096);
  read_bands (reader, &sound, config);
  config->sound.tonal_bands =
      get_count (reader, &sound, "tonal_bands", 0, config->sound.bands);
  config->sound.tonality_floor =
      get_number (reader, &sound, "tonality_floor", 0, 1);
  if (!reader->failed &&
      vidgen_mini_sound_frames (config) * config->sound.hop !=
          config->chunk.samples)
    fail (reader, "sound.hop of %u gives %u samples a chunk, expected %u",
        config->sound.hop,
        vidgen_mini_sound_frames (config) * config->sound.hop,
        config->chunk.samples);
}

static void
read_text (Reader *reader, const Section *root, VidgenMiniConfig *config)
{
  const Section text = get_section (reader, root, "text", "text.");

  config->text.size =
      get_multiple (reader, &text, "size", 16, VIDGEN_MINI_MAX_SIZE);
  config->text.layers =
      get_count (reader, &text, "layers", 0, VIDGEN_MINI_MAX_LAYERS);
  config->text.heads = get_count (reader, &text, "heads", 1, 256);
  config->text.mlp =
      get_multiple (reader, &text, "mlp", 8, 4 * VIDGEN_MINI_MAX_SIZE);
  config->text.tokens = get_count (reader, &text, "tokens", 1, 1024);
  config->text.buckets = get_count (reader, &text, "buckets", 1, 1 << 20);
  config->text.vocabulary =
      get_strings (reader, &text, "vocabulary", 0, 1 << 20);
  config->text.n_vocabulary = g_strv_length (config->text.vocabulary);
  check_heads (reader, "text.", config->text.size, config->text.heads);
}

static void
read_rope (Reader *reader, const Section *transformer, VidgenMiniConfig *config)
{
  const Section rope =
      get_section (reader, transformer, "rope", "transformer.rope.");
  g_autofree double *position = NULL;
  guint n_position, half;

  config->transformer.rope.time = get_numbers (
      reader, &rope, "time", 0, 64, &config->transformer.rope.n_time);
  config->transformer.rope.vertical = get_numbers (
      reader, &rope, "vertical", 0, 64, &config->transformer.rope.n_vertical);
  config->transformer.rope.horizontal = get_numbers (reader, &rope,
      "horizontal", 0, 64, &config->transformer.rope.n_horizontal);
  position = get_numbers (reader, &rope, "sound_position", 2, 2, &n_position);
  if (reader->failed)
    return;
  memcpy (config->transformer.rope.sound_position, position,
      sizeof config->transformer.rope.sound_position);
  half = config->transformer.size / config->transformer.heads / 2;
  if (config->transformer.rope.n_time + config->transformer.rope.n_vertical +
          config->transformer.rope.n_horizontal !=
      half)
    fail (reader, "transformer.rope does not have %u frequencies", half);
}

static void
read_transformer (Reader *reader, const Section *root, VidgenMiniConfig *config)
{
  const Section transformer =
      get_section (reader, root, "transformer", "transformer.");

  config->transformer.size =
      get_multiple (reader, &transformer, "size", 16, VIDGEN_MINI_MAX_SIZE);
  config->transformer.layers =
      get_count (reader, &transformer, "layers", 1, VIDGEN_MINI_MAX_LAYERS);
  config->transformer.heads = get_count (reader, &transformer, "heads", 1, 256);
  config->transformer.mlp =
      get_multiple (reader, &transformer, "mlp", 8, 4 * VIDGEN_MINI_MAX_SIZE);
  config->transformer.time_size =
      get_multiple (reader, &transformer, "time_size", 8, 4096);
  config->transformer.time_scale =
      get_number (reader, &transformer, "time_scale", 1e-6, 1e6);
  config->transformer.time_period =
      get_number (reader, &transformer, "time_period", 1, 1e9);
  check_heads (reader, "transformer.", config->transformer.size,
      config->transformer.heads);
  if (!reader->failed)
    read_rope (reader, &transformer, config);
}

static void
read_decoder (Reader *reader, const Section *root, VidgenMiniConfig *config)
{
  const Section decoder = get_section (reader, root, "decoder", "decoder.");
  JsonArray *channels = get_array (reader, &decoder, "channels", 3, 3);

  for (guint i = 0; channels && i < 3; i++) {
    config->decoder.channels[i] =
        check_count (reader, json_array_get_element (channels, i), decoder.path,
            "channels", 4, 1024);
    if (config->decoder.channels[i] % 4)
      fail (reader, "decoder.channels are not multiples of 4");
  }
  config->decoder.latent_bound =
      get_number (reader, &decoder, "latent_bound", 1e-3, 1e3);
}

static void
read_context (Reader *reader, const Section *root, VidgenMiniConfig *config)
{
  const Section context = get_section (reader, root, "context", "context.");

  config->context.window =
      get_count (reader, &context, "window", 0, VIDGEN_MINI_MAX_WINDOW);
  config->context.sink = get_count (reader, &context, "sink", 0, 1);
  config->context.timestep = get_number (reader, &context, "timestep", 0, 1);
}

static void
read_schedule (Reader *reader, const Section *schedules, const char *key,
    VidgenMiniSchedule *schedule)
{
  guint64 n_steps = 0;

  schedule->times = get_numbers (
      reader, schedules, key, 1, VIDGEN_MINI_MAX_STEPS, &schedule->n_steps);
  if (reader->failed)
    return;
  if (!g_ascii_string_to_unsigned (
          key, 10, 1, VIDGEN_MINI_MAX_STEPS, &n_steps, NULL) ||
      n_steps != schedule->n_steps || schedule->times[0] != 1)
    fail (reader, "schedules.%s is not a schedule of that many steps from 1",
        key);
  for (guint i = 1; i < schedule->n_steps; i++) {
    if (schedule->times[i] >= schedule->times[i - 1] || schedule->times[i] <= 0)
      fail (reader, "schedules.%s does not fall within 1 … 0", key);
  }
}

static int
compare_schedules (gconstpointer a, gconstpointer b)
{
  const VidgenMiniSchedule *one = a, *other = b;

  return one->n_steps < other->n_steps ? -1 : one->n_steps > other->n_steps;
}

static void
read_schedules (Reader *reader, const Section *root, VidgenMiniConfig *config)
{
  const Section schedules =
      get_section (reader, root, "schedules", "schedules.");
  JsonObjectIter iter;
  const char *key;
  guint n;

  if (!schedules.object)
    return;
  n = json_object_get_size (schedules.object);
  if (n < 1 || n > VIDGEN_MINI_MAX_STEPS) {
    fail (reader, "schedules are %u", n);
    return;
  }
  config->schedules = g_new0 (VidgenMiniSchedule, n);
  json_object_iter_init (&iter, schedules.object);
  while (json_object_iter_next (&iter, &key, NULL))
    read_schedule (
        reader, &schedules, key, &config->schedules[config->n_schedules++]);
  qsort (config->schedules, n, sizeof *config->schedules, compare_schedules);
  config->steps = get_count (reader, root, "steps", 1, VIDGEN_MINI_MAX_STEPS);
  if (!reader->failed && !vidgen_mini_schedule (config, config->steps))
    fail (reader, "steps is %u, which has no schedule", config->steps);
}

static void
check_products (Reader *reader, const VidgenMiniConfig *config)
{
  const guint64 tokens = vidgen_mini_tokens (config);
  const guint64 cache = 12 * tokens * config->transformer.size *
                        config->transformer.layers * vidgen_mini_slots (config);

  if (tokens > VIDGEN_MINI_MAX_TOKENS)
    fail (reader,
        "sizes give %" G_GUINT64_FORMAT " tokens a chunk, more than %d", tokens,
        VIDGEN_MINI_MAX_TOKENS);
  if (cache > VIDGEN_MINI_MAX_CACHE_BYTES)
    fail (reader, "context needs %" G_GUINT64_FORMAT " bytes", cache);
}

VidgenMiniConfig *
vidgen_mini_config_parse (const char *json, const char *file, GError **error)
{
  g_autofree char *what = g_strdup_printf ("The config of '%s'", file);
  g_autoptr (JsonNode) node =
      vidgen_json_parse (json, strlen (json), CONFIG_DEPTH, what, error);
  g_autoptr (VidgenMiniConfig) config = NULL;
  Reader reader = { file, error, FALSE };
  Section root = { NULL, "" };

  if (!node)
    return NULL;
  root.object = json_node_get_object (node);
  config = g_new0 (VidgenMiniConfig, 1);
  config->name = get_string (&reader, &root, "name");
  read_video (&reader, &root, config);
  read_chunk (&reader, &root, config);
  read_sound (&reader, &root, config);
  read_text (&reader, &root, config);
  read_transformer (&reader, &root, config);
  read_decoder (&reader, &root, config);
  read_context (&reader, &root, config);
  read_schedules (&reader, &root, config);
  config->prompts = get_strings (&reader, &root, "prompts", 1, 1024);
  if (!reader.failed)
    check_products (&reader, config);
  return reader.failed ? NULL : g_steal_pointer (&config);
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
