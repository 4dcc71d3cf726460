/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/wan.h"

#include "models/checkpoint/file.h"
#include "models/wan/loaded.h"
#include "models/wan/room.h"
#include "models/wan/stream.h"
#include "models/wan/tell.h"

#define FAMILY "wan"
#define FPS 16
#define SAMPLE_RATE 48000
#define PICTURE_STEP 16
#define MIN_PICTURE 16
#define MAX_PICTURE 1920
#define MAX_GUIDANCE 20
#define PROMPTS_FOLDER "prompts"
/* Grows whenever the same text becomes other rows. */
#define ENCODING "2"

static const char *const prompts[] = {
  "A red fox walks through a snowy forest at dawn, its fur glowing in the low "
  "sun, snow falling softly, the camera following from the side.",
  "Waves roll onto a black sand beach under a stormy sky, foam running up the "
  "shore, seen from a drone that flies slowly forward.",
  "A street market in Hanoi at night, neon signs mirrored in wet asphalt, "
  "people with umbrellas passing by, cinematic, shallow depth of field.",
  NULL
};

static gboolean
wan_probe (const char *location)
{
  return vidgen_wan_parts_probe (location);
}

const guint8 *
vidgen_wan_model_identity (const VidgenWanModel *model)
{
  return model->parts->text ? model->identity : NULL;
}

static void
wan_free (VidgenModel *base)
{
  VidgenWanModel *model = (VidgenWanModel *)base;

  vidgen_wan_room_leave (model);
  vidgen_wan_loaded_unref (model->loaded);
  vidgen_wan_parts_free (model->parts);
  g_free (model->key);
  g_free (model->encoder);
  g_free (model);
}

static void
fill_info (VidgenWanModel *model)
{
  const VidgenWanPreset *preset = model->parts->preset;
  const gboolean guided = preset->guidance > 1;
  const guint later = VIDGEN_DECODER_STEPS * preset->chunk;
  const guint first = later - VIDGEN_DECODER_STEPS + VIDGEN_DECODER_FIRST;

  model->base.info = (VidgenModelInfo){ .family = FAMILY,
    .name = preset->name,
    .width = { MIN_PICTURE, MAX_PICTURE, PICTURE_STEP },
    .height = { MIN_PICTURE, MAX_PICTURE, PICTURE_STEP },
    .native = { preset->width, preset->height, FPS, 1 },
    .sample_rate = SAMPLE_RATE,
    .kinds = VIDGEN_CONDITION_TEXT | (guided ? VIDGEN_CONDITION_NEGATIVE : 0),
    .steps = vidgen_wan_preset_steps (preset),
    .default_steps = preset->steps,
    .guidance_min = 1,
    .guidance_max = guided ? MAX_GUIDANCE : 1,
    .default_guidance = preset->guidance,
    .first_chunk_frames = first,
    .chunk_frames = preset->clip ? first : later,
    .prompts = prompts };
}

/* What stands for the weights, so far as can be told without reading them. */
static char *
make_key (const VidgenWanParts *parts)
{
  g_autofree char *transformer = vidgen_file_key (parts->path);
  g_autofree char *decoder = vidgen_file_key (parts->decoder_path);
  g_autofree char *lora =
      parts->lora_path ? vidgen_file_key (parts->lora_path) : g_strdup ("");

  return g_strdup_printf ("%s %s %d %s %s", transformer,
      parts->preset->part ? parts->preset->part : "", parts->preset->halves,
      decoder, lora);
}

/* Checks every tensor. */
static gboolean
count_weights (VidgenWanModel *model, GError **error)
{
  const VidgenWanParts *parts = model->parts;
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();
  VidgenWanWeights weights;
  const gboolean good = vidgen_wan_weights_list (
      &weights, &model->config, parts->names, parts->loras, upload, error);

  model->weights_bytes =
      vidgen_upload_bytes (upload) + vidgen_decoder_bytes (parts->decoder);
  vidgen_wan_weights_clear (&weights);
  return good;
}

static gboolean
check_text (const VidgenWanModel *model, GError **error)
{
  const VidgenUmt5 *text = model->parts->text;

  if (!text || vidgen_umt5_size (text) == model->config.text_size)
    return TRUE;
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
      "The text encoder '%s' gives %u values a token, the transformer takes "
      "%u.",
      vidgen_umt5_path (text), vidgen_umt5_size (text),
      model->config.text_size);
  return FALSE;
}

static void
identify (VidgenWanModel *model)
{
  const VidgenWanPreset *preset = model->parts->preset;
  GString *text = g_string_new (ENCODING " ");

  vidgen_umt5_identify (model->parts->text, model->identity);
  for (guint i = 0; i < G_N_ELEMENTS (model->identity); i++)
    g_string_append_printf (text, "%02x", model->identity[i]);
  if (preset->guidance > 1 && preset->negative)
    g_string_append_printf (text, " %s", preset->negative);
  model->encoder = g_string_free (text, FALSE);
}

static gboolean
read_parts (VidgenWanModel *model, const char *location, GError **error)
{
  model->parts = vidgen_wan_parts_open (location, error);
  if (!model->parts || !vidgen_wan_config_read (&model->config,
                           model->parts->names, model->parts->config, error))
    return FALSE;
  model->config.halves = model->parts->preset->halves;
  return count_weights (model, error) && check_text (model, error);
}

static VidgenModel *
wan_open (const char *location, GError **error)
{
  VidgenWanModel *model = g_new0 (VidgenWanModel, 1);

  vidgen_wan_room_join (model);
  if (!read_parts (model, location, error)) {
    wan_free (&model->base);
    return NULL;
  }
  model->key = make_key (model->parts);
  model->base.prompts_dir =
      g_build_filename (model->parts->folder, PROMPTS_FOLDER, NULL);
  if (model->parts->text)
    identify (model);
  fill_info (model);
  return &model->base;
}

static guint64
wan_memory_needed (const VidgenModel *base, const VidgenFormat *format)
{
  const VidgenWanModel *model = (const VidgenWanModel *)base;
  const VidgenUmt5 *text = model->parts->text;

  return model->weights_bytes + (text ? vidgen_umt5_bytes (text) : 0) +
         vidgen_wan_stream_bytes (model, format);
}

typedef struct {
  VidgenLoadProgress report;
  gpointer user_data;
  double told;
} Progress;

static void
on_loaded (double fraction, gpointer user_data)
{
  Progress *progress = user_data;

  progress->told = MAX (progress->told, fraction);
  if (progress->report)
    progress->report ("load", progress->told, progress->user_data);
}

/* Whether what failed for want of memory may be tried again: there is more
 * now. */
static gboolean
make_room (VidgenWanModel *model, GError **cause)
{
  if (!g_error_matches (*cause, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY) ||
      !vidgen_wan_room_make (model))
    return FALSE;
  g_clear_error (cause);
  return TRUE;
}

static VidgenWanLoaded *
get_loaded (VidgenWanModel *model, VidgenDevice *device, Progress *progress,
    GCancellable *cancellable, GError **error)
{
  return vidgen_wan_loaded_get (model->key, model->parts, &model->config,
      device, on_loaded, progress, cancellable, error);
}

static gboolean
wan_load (VidgenModel *base, VidgenDevice *device, VidgenLoadProgress report,
    gpointer user_data, GCancellable *cancellable, GError **error)
{
  VidgenWanModel *model = (VidgenWanModel *)base;
  Progress progress = { .report = report, .user_data = user_data };
  GError *cause = NULL;

  model->loaded = get_loaded (model, device, &progress, cancellable, &cause);
  if (!model->loaded && make_room (model, &cause))
    model->loaded = get_loaded (model, device, &progress, cancellable, &cause);
  if (cause)
    g_propagate_error (error, cause);
  return model->loaded != NULL;
}

typedef struct {
  const VidgenModel *model;
  double first, share, told;
} EncodeProgress;

static void
on_encoded (double fraction, gpointer user_data)
{
  EncodeProgress *progress = user_data;

  progress->told =
      MAX (progress->told, progress->first + fraction * progress->share);
  vidgen_model_tell (progress->model, "encode", progress->told);
}

static float *
run_encoder (VidgenWanModel *model, const char *text, EncodeProgress *progress,
    guint *rows, GCancellable *cancellable, GError **error)
{
  VidgenUmt5 *encoder = model->parts->text;
  float *states = NULL;

  g_mutex_lock (&model->text_lock);
  vidgen_umt5_set_room (encoder, vidgen_wan_room_bytes (model));
  if (vidgen_umt5_load (encoder, model->base.device, error))
    states = vidgen_umt5_encode (encoder, text, model->config.text_rows, rows,
        on_encoded, progress, cancellable, error);
  g_mutex_unlock (&model->text_lock);
  return states;
}

/* The rows of `text`, of which the empty one has one, that of the end; none
 * where it is NULL. */
static gboolean
encode_text (VidgenWanModel *model, const char *text, EncodeProgress *progress,
    VidgenWanPrompt *prompt, float **states, GCancellable *cancellable,
    GError **error)
{
  GError *cause = NULL;

  *prompt = (VidgenWanPrompt){ 0 };
  *states = NULL;
  if (!text)
    return TRUE;
  if (!model->parts->text) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED,
        "No text encoder lies beside '%s', so only prompts that were encoded "
        "before can be played.",
        model->parts->path);
    return FALSE;
  }
  on_encoded (0, progress);
  *states =
      run_encoder (model, text, progress, &prompt->rows, cancellable, &cause);
  if (!*states && make_room (model, &cause))
    *states =
        run_encoder (model, text, progress, &prompt->rows, cancellable, &cause);
  if (cause)
    g_propagate_error (error, cause);
  prompt->states = *states;
  return *states != NULL;
}

static GBytes *
wan_blank (VidgenModel *base)
{
  const VidgenWanModel *model = (const VidgenWanModel *)base;

  return vidgen_wan_conditioning_new (vidgen_wan_model_identity (model),
      model->config.text_size, (VidgenWanPrompt){ 0 }, (VidgenWanPrompt){ 0 });
}

static GBytes *
wan_encode (VidgenModel *base, const char *text, const char *negative,
    GCancellable *cancellable, GError **error)
{
  VidgenWanModel *model = (VidgenWanModel *)base;
  const VidgenWanPreset *preset = model->parts->preset;
  const gboolean guided = preset->guidance > 1;
  const char *away_text =
      guided ? (negative ? negative : preset->negative) : NULL;
  EncodeProgress progress = { .model = base, .share = away_text ? 0.5 : 1 };
  g_autofree float *states = NULL;
  g_autofree float *negative_states = NULL;
  VidgenWanPrompt prompt, away;

  if (!model->parts->text && !*text && !negative)
    return wan_blank (base);
  if (!encode_text (
          model, text, &progress, &prompt, &states, cancellable, error))
    return NULL;
  progress.first = progress.share;
  if (!encode_text (model, away_text, &progress, &away, &negative_states,
          cancellable, error))
    return NULL;
  return vidgen_wan_conditioning_new (
      vidgen_wan_model_identity (model), model->config.text_size, prompt, away);
}

static const char *
wan_encoder_identity (const VidgenModel *model)
{
  return ((const VidgenWanModel *)model)->encoder;
}

static gboolean
wan_check_conditioning (VidgenModel *base, GBytes *data)
{
  const VidgenWanModel *model = (const VidgenWanModel *)base;

  return vidgen_wan_conditioning_check (data, vidgen_wan_model_identity (model),
      model->config.text_size, model->config.text_rows);
}

static GBytes *
wan_blend (VidgenModel *base, GBytes *from, GBytes *to, double weight)
{
  const VidgenWanModel *model = (const VidgenWanModel *)base;

  return vidgen_wan_conditioning_blend (
      model->config.text_size, from, to, weight);
}

const VidgenFamily vidgen_wan_family = {
  .name = FAMILY,
  .probe = wan_probe,
  .open = wan_open,
  .free = wan_free,
  .memory_needed = wan_memory_needed,
  .load = wan_load,
  .encode = wan_encode,
  .encoder_identity = wan_encoder_identity,
  .encodes_unloaded = TRUE,
  .check_conditioning = wan_check_conditioning,
  .blank = wan_blank,
  .blend = wan_blend,
  .stream_new = vidgen_wan_stream_new,
  .stream_free = vidgen_wan_stream_free,
  .stream_restart = vidgen_wan_stream_restart,
  .stream_next = vidgen_wan_stream_next,
  .stream_stats = vidgen_wan_stream_stats,
  .list_published = vidgen_wan_list_published,
  .tell_files = vidgen_wan_tell_files,
};
