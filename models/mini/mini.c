/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/mini.h"

#include "models/checkpoint/file.h"
#include "models/mini/completion.h"
#include "models/mini/stream.h"

#define FORMAT_NAME "vidgensrc-mini"
#define FORMAT_VERSION "1"
#define EMBEDDED_NAME "mini"

#ifdef VIDGEN_MINI_EMBEDDED
extern const guint8 vidgen_mini_embedded_start[];
extern const guint8 vidgen_mini_embedded_end[];
#endif

const char *
vidgen_mini_embedded_name (void)
{
#ifdef VIDGEN_MINI_EMBEDDED
  return EMBEDDED_NAME;
#else
  return NULL;
#endif
}

static VidgenSafetensors *
open_file (const char *location, GError **error)
{
#ifdef VIDGEN_MINI_EMBEDDED
  if (g_str_equal (location, EMBEDDED_NAME)) {
    g_autoptr (GBytes) bytes = g_bytes_new_static (vidgen_mini_embedded_start,
        (gsize)(vidgen_mini_embedded_end - vidgen_mini_embedded_start));
    return vidgen_safetensors_new (bytes, EMBEDDED_NAME, error);
  }
#endif
  return vidgen_safetensors_open (location, error);
}

static gboolean
mini_probe (const char *location)
{
  g_autoptr (VidgenSafetensors) file = open_file (location, NULL);

  return file && g_strcmp0 (vidgen_safetensors_metadata (file, "format"),
                     FORMAT_NAME) == 0;
}

static char *
make_key (const char *location)
{
  if (g_strcmp0 (location, vidgen_mini_embedded_name ()) == 0)
    return g_strconcat ("name:", location, NULL);
  return vidgen_file_key (location);
}

static VidgenMiniConfig *
read_config (const VidgenSafetensors *file, GError **error)
{
  const char *version = vidgen_safetensors_metadata (file, "version");
  const char *config = vidgen_safetensors_metadata (file, "config");

  if (g_strcmp0 (version, FORMAT_VERSION) != 0) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "'%s': metadata 'version' is '%s', expected '" FORMAT_VERSION "'.",
        vidgen_safetensors_name (file), version ? version : "");
    return NULL;
  }
  if (!config) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "'%s': metadata 'config' is missing.", vidgen_safetensors_name (file));
    return NULL;
  }
  return vidgen_mini_config_parse (
      config, vidgen_safetensors_name (file), error);
}

static void
fill_info (VidgenMiniModel *model)
{
  static const guint native[] = { 1, 0 };
  static const guint both[] = { 1, VIDGEN_MINI_WIDE, 0 };
  const VidgenMiniConfig *config = model->config;
  const guint width = config->video.width, height = config->video.height;
  const guint largest = config->decoder.wide ? VIDGEN_MINI_WIDE : 1;
  VidgenModelInfo *info = &model->base.info;

  model->steps = g_new0 (guint, config->n_schedules + 1);
  for (guint i = 0; i < config->n_schedules; i++)
    model->steps[i] = config->schedules[i].n_steps;
  *info = (VidgenModelInfo){ .family = vidgen_mini_family.name,
    .name = config->name,
    .width = { width, largest * width, width },
    .height = { height, largest * height, height },
    .scales = config->decoder.wide ? both : native,
    .native = { width, height, config->video.fps_n, config->video.fps_d },
    .has_audio = TRUE,
    .sample_rate = config->audio.sample_rate,
    .kinds = VIDGEN_CONDITION_TEXT | VIDGEN_CONDITION_PICTURE,
    .steps = model->steps,
    .default_steps = config->steps,
    .guidance_min = 1,
    .guidance_max = 1,
    .default_guidance = 1,
    .first_chunk_frames = config->chunk.frames,
    .chunk_frames = config->chunk.frames,
    .prompts = (const char *const *)config->prompts };
}

static void
mini_free (VidgenModel *base)
{
  VidgenMiniModel *model = (VidgenMiniModel *)base;

  vidgen_recorder_free (model->recorder);
  vidgen_mini_text_free (model->text);
  vidgen_mini_weights_unref (model->weights);
  vidgen_mini_tokenizer_free (model->tokenizer);
  vidgen_mini_config_free (model->config);
  vidgen_safetensors_unref (model->file);
  g_free (model->steps);
  g_free (model->key);
  g_free (model);
}

static VidgenModel *
mini_open (const char *location, GError **error)
{
  VidgenMiniModel *model = g_new0 (VidgenMiniModel, 1);

  model->key = make_key (location);
  model->file = open_file (location, error);
  if (model->file)
    model->config = read_config (model->file, error);
  if (!model->config ||
      !vidgen_mini_weights_check (model->file, model->config, error)) {
    mini_free (&model->base);
    return NULL;
  }
  model->tokenizer = vidgen_mini_tokenizer_new (model->config);
  vidgen_mini_identify (model->file, model->config, model->identity);
  fill_info (model);
  return &model->base;
}

static guint64
mini_memory_needed (const VidgenModel *base, const VidgenFormat *format)
{
  const VidgenMiniModel *model = (const VidgenMiniModel *)base;

  return vidgen_mini_weights_bytes (model->file, model->config) +
         vidgen_mini_text_bytes (model->config) +
         vidgen_mini_stream_bytes (model->config, format);
}

typedef struct {
  VidgenLoadProgress report;
  gpointer user_data;
} Progress;

static void
on_loaded (double fraction, gpointer user_data)
{
  const Progress *progress = user_data;

  if (progress->report)
    progress->report ("load", fraction, progress->user_data);
}

static void
on_compiled (guint done, guint total, gpointer user_data)
{
  const Progress *progress = user_data;

  if (progress->report)
    progress->report (
        "warmup", total ? (double)done / total : 1, progress->user_data);
}

static gboolean
load_parts (VidgenMiniModel *model, VidgenDevice *device, Progress *progress,
    GCancellable *cancellable, GError **error)
{
  model->weights = vidgen_mini_weights_get (model->key, model->file,
      model->config, device, on_loaded, progress, cancellable, error);
  if (!model->weights)
    return FALSE;
  on_loaded (1, progress);
  model->text = vidgen_mini_text_new (
      model->config, &model->weights->text, device, error);
  if (!model->text)
    return FALSE;
  model->recorder = vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, error);
  if (!model->recorder)
    return FALSE;
  return vidgen_mini_stream_warm_up (
      model, on_compiled, progress, cancellable, error);
}

static gboolean
mini_load (VidgenModel *base, VidgenDevice *device, VidgenLoadProgress report,
    gpointer user_data, GCancellable *cancellable, GError **error)
{
  VidgenMiniModel *model = (VidgenMiniModel *)base;
  Progress progress = { report, user_data };

  if (load_parts (model, device, &progress, cancellable, error)) {
    on_compiled (1, 1, &progress);
    return TRUE;
  }
  g_clear_pointer (&model->recorder, vidgen_recorder_free);
  g_clear_pointer (&model->text, vidgen_mini_text_free);
  g_clear_pointer (&model->weights, vidgen_mini_weights_unref);
  return FALSE;
}

static char *
mini_complete (const VidgenModel *base, const char *prompt, guint64 seed)
{
  const VidgenMiniModel *model = (const VidgenMiniModel *)base;

  return vidgen_mini_complete (model->config->text.completions, prompt, seed,
      model->config->text.tokens - 1);
}

static GBytes *
mini_encode (VidgenModel *base, const char *prompt,
    const char *negative G_GNUC_UNUSED, GCancellable *cancellable,
    GError **error)
{
  VidgenMiniModel *model = (VidgenMiniModel *)base;
  g_autoptr (GArray) tokens =
      vidgen_mini_tokenizer_encode (model->tokenizer, prompt);

  vidgen_recorder_set_cancellable (model->recorder, cancellable);
  vidgen_mini_text_upload (
      model->text, model->file, (const guint32 *)tokens->data, tokens->len);
  vidgen_mini_text_record (model->text, model->recorder, tokens->len);
  if (!vidgen_recorder_finish (model->recorder, cancellable, error))
    return NULL;
  return vidgen_mini_conditioning_new (model->config, model->identity,
      vidgen_mini_text_states (model->text), tokens->len);
}

static gboolean
mini_check_conditioning (VidgenModel *base, GBytes *data)
{
  const VidgenMiniModel *model = (const VidgenMiniModel *)base;

  return vidgen_mini_conditioning_check (model->config, model->identity, data);
}

static GBytes *
mini_blend (VidgenModel *base, GBytes *from, GBytes *to, double weight)
{
  const VidgenMiniModel *model = (const VidgenMiniModel *)base;

  return vidgen_mini_conditioning_blend (
      model->config, model->identity, from, to, weight);
}

static void
mini_list_published (GArray *list)
{
  g_autoptr (VidgenModel) model = vidgen_model_open (EMBEDDED_NAME, NULL);
  VidgenPublished mini = { .family = "mini",
    .name = EMBEDDED_NAME,
    .title = "joint video and sound of procedural scenes",
    .licence = "LGPL-2.1-or-later" };

  if (!model)
    return;
  mini.format = vidgen_model_info (model)->native;
  mini.memory_bytes = vidgen_model_memory_needed (model, &mini.format);
  g_array_append_val (list, mini);
}

const VidgenFamily vidgen_mini_family = {
  .name = "mini",
  .probe = mini_probe,
  .open = mini_open,
  .free = mini_free,
  .memory_needed = mini_memory_needed,
  .load = mini_load,
  .complete = mini_complete,
  .encode = mini_encode,
  .check_conditioning = mini_check_conditioning,
  .blend = mini_blend,
  .stream_new = vidgen_mini_stream_new,
  .stream_free = vidgen_mini_stream_free,
  .stream_set_picture = vidgen_mini_stream_set_picture,
  .stream_restart = vidgen_mini_stream_restart,
  .stream_next = vidgen_mini_stream_next,
  .stream_stats = vidgen_mini_stream_stats,
  .list_published = mini_list_published,
};
