/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/model.h"

#include <errno.h>
#include <string.h>

#include "models/checkpoint/safetensors.h"
#include "models/conditioning-cache.h"
#include "models/family.h"
#include "models/history.h"
#include "models/mini/mini.h"
#include "models/wan/wan.h"

static const VidgenFamily *const families[] = { &vidgen_mini_family,
  &vidgen_wan_family };
static GPtrArray *registered;

void
vidgen_model_register_family (const VidgenFamily *family)
{
  if (!registered)
    registered = g_ptr_array_new ();
  g_ptr_array_insert (registered, 0, (gpointer)family);
}

const VidgenFamily *
vidgen_model_family (guint index)
{
  return index < G_N_ELEMENTS (families) ? families[index] : NULL;
}

static const VidgenFamily *
find_family (const char *location)
{
  for (guint i = 0; registered && i < registered->len; i++) {
    const VidgenFamily *family = g_ptr_array_index (registered, i);
    if (family->probe (location))
      return family;
  }
  for (guint i = 0; i < G_N_ELEMENTS (families); i++) {
    if (families[i]->probe (location))
      return families[i];
  }
  return NULL;
}

const char *const *
vidgen_model_embedded (void)
{
  static const char *names[2];
  static gsize done;

  if (g_once_init_enter (&done)) {
    names[0] = vidgen_mini_embedded_name ();
    g_once_init_leave (&done, 1);
  }
  return names;
}

/* Says why no family takes `location`. */
static void
explain (const char *location, GError **error)
{
  g_autofree char *embedded =
      g_strjoinv (", ", (char **)vidgen_model_embedded ());
  g_autoptr (VidgenSafetensors) file = NULL;
  const char *format;

  if (!g_file_test (location, G_FILE_TEST_IS_REGULAR)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
        "'%s' is %s. Embedded models: %s.", location,
        g_file_test (location, G_FILE_TEST_IS_DIR)
            ? "a folder without a checkpoint that is known"
            : "neither an embedded model nor a file or folder",
        *embedded ? embedded : "none");
    return;
  }
  file = vidgen_safetensors_open (location, error);
  if (!file)
    return;
  format = vidgen_safetensors_metadata (file, "format");
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
      "'%s' belongs to no model family that is known (metadata 'format': "
      "'%s').",
      location, format ? format : "");
}

VidgenModel *
vidgen_model_open (const char *location, GError **error)
{
  const VidgenFamily *family;
  VidgenModel *model;

  g_return_val_if_fail (location != NULL, NULL);
  family = find_family (location);
  if (!family) {
    explain (location, error);
    return NULL;
  }
  model = family->open (location, error);
  if (!model)
    return NULL;
  g_atomic_ref_count_init (&model->references);
  g_mutex_init (&model->lock);
  model->family = family;
  return model;
}

VidgenModel *
vidgen_model_ref (VidgenModel *model)
{
  g_atomic_ref_count_inc (&model->references);
  return model;
}

void
vidgen_model_unref (VidgenModel *model)
{
  VidgenDevice *device;

  if (!model || !g_atomic_ref_count_dec (&model->references))
    return;
  device = model->device;
  g_mutex_clear (&model->lock);
  g_free (model->cache_dir);
  g_free (model->prompts_dir);
  model->family->free (model);
  vidgen_device_unref (device);
}

const VidgenModelInfo *
vidgen_model_info (const VidgenModel *model)
{
  return &model->info;
}

guint
vidgen_model_chunk_frames (const VidgenModelInfo *info, guint64 chunk)
{
  return chunk == 0 ? info->first_chunk_frames : info->chunk_frames;
}

guint64
vidgen_model_chunk_start (const VidgenModelInfo *info, guint64 chunk)
{
  if (chunk == 0)
    return 0;
  return info->first_chunk_frames + (chunk - 1) * info->chunk_frames;
}

guint64
vidgen_model_chunk_of (const VidgenModelInfo *info, guint64 frame)
{
  if (frame < info->first_chunk_frames)
    return 0;
  return 1 + (frame - info->first_chunk_frames) / info->chunk_frames;
}

guint64
vidgen_model_samples_before (
    const VidgenModelInfo *info, const VidgenFormat *format, guint64 frame)
{
  const guint64 rate = (guint64)info->sample_rate * format->fps_d;
  const guint64 whole = rate / format->fps_n, rest = rate % format->fps_n;
  const guint64 turns = frame / format->fps_n, left = frame % format->fps_n;

  return frame * whole + turns * rest + left * rest / format->fps_n;
}

guint64
vidgen_model_memory_needed (
    const VidgenModel *model, const VidgenFormat *format)
{
  return model->family->memory_needed (model, format);
}

gboolean
vidgen_model_load (VidgenModel *model, VidgenDevice *device,
    VidgenLoadProgress progress, gpointer user_data, GCancellable *cancellable,
    GError **error)
{
  gboolean good = TRUE;

  g_mutex_lock (&model->lock);
  if (model->device && model->device != device) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The model is loaded on the device '%s' already.",
        vidgen_device_caps (model->device)->name);
    good = FALSE;
  } else if (!model->device) {
    model->device = vidgen_device_ref (device);
    good = model->family->load (
        model, device, progress, user_data, cancellable, error);
    if (!good)
      g_clear_pointer (&model->device, vidgen_device_unref);
  }
  g_mutex_unlock (&model->lock);
  return good;
}

struct _VidgenConditioning {
  gatomicrefcount references;
  GBytes *bytes;
};

static VidgenConditioning *
wrap (GBytes *bytes)
{
  VidgenConditioning *conditioning;

  if (!bytes)
    return NULL;
  conditioning = g_new (VidgenConditioning, 1);
  g_atomic_ref_count_init (&conditioning->references);
  conditioning->bytes = bytes;
  return conditioning;
}

static gboolean
check_prompt (const char *prompt, const char *what, GError **error)
{
  const gsize length = strlen (prompt);

  if (length > VIDGEN_PROMPT_MAX_BYTES) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The %s has %" G_GSIZE_FORMAT " bytes, at most %d are allowed.", what,
        length, VIDGEN_PROMPT_MAX_BYTES);
    return FALSE;
  }
  if (!g_utf8_validate_len (prompt, length, NULL)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The %s is not UTF-8.", what);
    return FALSE;
  }
  return TRUE;
}

void
vidgen_model_set_progress (
    VidgenModel *model, VidgenLoadProgress progress, gpointer user_data)
{
  model->progress = progress;
  model->progress_data = user_data;
}

void
vidgen_model_tell (const VidgenModel *model, const char *phase, double fraction)
{
  if (model->progress)
    model->progress (phase, fraction, model->progress_data);
}

void
vidgen_model_set_cache_dir (VidgenModel *model, const char *path)
{
  g_mutex_lock (&model->lock);
  g_free (model->cache_dir);
  model->cache_dir =
      path ? g_build_filename (path, "conditionings", NULL) : NULL;
  g_mutex_unlock (&model->lock);
}

/* A prompt that was kept beside the weights depends on no encoder by its name:
 * what is in it tells. */
static char *
kept_key (const VidgenModel *model, const char *prompt, const char *negative)
{
  return vidgen_conditioning_cache_key (
      model->family->name, "", prompt, negative);
}

static GBytes *
read_kept (VidgenModel *model, const char *folder, const char *key)
{
  g_autoptr (GBytes) kept =
      folder ? vidgen_conditioning_cache_read (folder, key) : NULL;

  return kept && model->family->check_conditioning (model, kept)
             ? g_steal_pointer (&kept)
             : NULL;
}

/* By way of the cache where that is worth it. */
static GBytes *
encode_anew (VidgenModel *model, const char *prompt, const char *negative,
    GCancellable *cancellable, GError **error)
{
  const VidgenFamily *family = model->family;
  const char *identity = model->cache_dir && family->encoder_identity
                             ? family->encoder_identity (model)
                             : NULL;
  g_autofree char *key = NULL;
  GBytes *bytes;

  if (!identity)
    return family->encode (model, prompt, negative, cancellable, error);
  key =
      vidgen_conditioning_cache_key (family->name, identity, prompt, negative);
  bytes = read_kept (model, model->cache_dir, key);
  if (bytes)
    return bytes;
  bytes = family->encode (model, prompt, negative, cancellable, error);
  if (bytes)
    vidgen_conditioning_cache_write (
        model->cache_dir, key, bytes, VIDGEN_CONDITIONING_CACHE_BYTES);
  return bytes;
}

static GBytes *
encode (VidgenModel *model, const char *prompt, const char *negative,
    GCancellable *cancellable, GError **error)
{
  g_autofree char *key = kept_key (model, prompt, negative);
  GBytes *bytes = read_kept (model, model->prompts_dir, key);

  return bytes ? bytes
               : encode_anew (model, prompt, negative, cancellable, error);
}

static gboolean
check_prompts (const VidgenModel *model, const char *prompt,
    const char *negative, GError **error)
{
  if (!check_prompt (prompt, "prompt", error) ||
      (negative && !check_prompt (negative, "negative prompt", error)))
    return FALSE;
  if (!negative || model->info.kinds & VIDGEN_CONDITION_NEGATIVE)
    return TRUE;
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED,
      "The model '%s' takes no negative prompt.", model->info.name);
  return FALSE;
}

static gboolean
write_kept (
    const VidgenModel *model, const char *key, GBytes *bytes, GError **error)
{
  g_autofree char *path = g_build_filename (model->prompts_dir, key, NULL);
  g_autoptr (GBytes) file = vidgen_conditioning_cache_seal (key, bytes);
  g_autoptr (GError) cause = NULL;
  gsize size;
  const char *data = g_bytes_get_data (file, &size);

  if (g_mkdir_with_parents (model->prompts_dir, 0777) == 0 &&
      g_file_set_contents_full (path, data, (gssize)size,
          G_FILE_SET_CONTENTS_CONSISTENT, 0666, &cause))
    return TRUE;
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FAILED,
      "The folder '%s' cannot be written: %s.", model->prompts_dir,
      cause ? cause->message : g_strerror (errno));
  return FALSE;
}

/* Under the lock. */
static GBytes *
encode_on (VidgenModel *model, VidgenDevice *device, const char *prompt,
    const char *negative, GCancellable *cancellable, GError **error)
{
  const gboolean lent = !model->device;
  GBytes *bytes;

  if (lent)
    model->device = vidgen_device_ref (device);
  bytes = encode_anew (model, prompt, negative, cancellable, error);
  if (lent)
    g_clear_pointer (&model->device, vidgen_device_unref);
  return bytes;
}

gboolean
vidgen_model_keep_prompt (VidgenModel *model, VidgenDevice *device,
    const char *prompt, const char *negative, GCancellable *cancellable,
    GError **error)
{
  g_autofree char *key = kept_key (model, prompt, negative);
  g_autoptr (GBytes) bytes = NULL;

  if (!check_prompts (model, prompt, negative, error))
    return FALSE;
  if (!model->prompts_dir || !model->family->encodes_unloaded) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED,
        "Prompts of the model '%s' need not be kept: to encode them costs "
        "nearly nothing.",
        model->info.name);
    return FALSE;
  }
  g_mutex_lock (&model->lock);
  bytes = encode_on (model, device, prompt, negative, cancellable, error);
  g_mutex_unlock (&model->lock);
  return bytes && write_kept (model, key, bytes, error);
}

char *
vidgen_model_complete (
    const VidgenModel *model, const char *prompt, guint64 seed)
{
  g_autofree char *whole = NULL;

  if (model->family->complete && g_utf8_validate (prompt, -1, NULL))
    whole = model->family->complete (model, prompt, seed);
  if (!whole || strlen (whole) > VIDGEN_PROMPT_MAX_BYTES)
    return g_strdup (prompt);
  return g_steal_pointer (&whole);
}

VidgenConditioning *
vidgen_model_encode (VidgenModel *model, const char *prompt,
    const char *negative, GCancellable *cancellable, GError **error)
{
  GBytes *bytes;

  g_return_val_if_fail (model->device != NULL, NULL);
  if (!check_prompts (model, prompt, negative, error))
    return NULL;
  g_mutex_lock (&model->lock);
  bytes = encode (model, prompt, negative, cancellable, error);
  g_mutex_unlock (&model->lock);
  return wrap (bytes);
}

VidgenConditioning *
vidgen_conditioning_ref (VidgenConditioning *conditioning)
{
  g_atomic_ref_count_inc (&conditioning->references);
  return conditioning;
}

void
vidgen_conditioning_unref (VidgenConditioning *conditioning)
{
  if (!conditioning || !g_atomic_ref_count_dec (&conditioning->references))
    return;
  g_bytes_unref (conditioning->bytes);
  g_free (conditioning);
}

GBytes *
vidgen_conditioning_serialise (const VidgenConditioning *conditioning)
{
  return g_bytes_ref (conditioning->bytes);
}

VidgenConditioning *
vidgen_conditioning_parse (VidgenModel *model, GBytes *data, GError **error)
{
  gsize size;
  const guint8 *start = g_bytes_get_data (data, &size);
  g_autoptr (GBytes) aligned = g_bytes_new (start, size);

  if (!model->family->check_conditioning (model, aligned)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The encoded prompt is damaged or was made by other weights than "
        "those of '%s'.",
        model->info.name);
    return NULL;
  }
  return wrap (g_steal_pointer (&aligned));
}

static gboolean
check_format (
    const VidgenModelInfo *info, const VidgenFormat *format, GError **error)
{
  const VidgenFormat *native = &info->native;

  if (!vidgen_model_makes_size (info, format->width, format->height)) {
    g_autofree char *sizes = vidgen_model_tell_sizes (info);

    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The model '%s' makes pictures of %s, not of %u x %u.", info->name,
        sizes, format->width, format->height);
    return FALSE;
  }
  if ((guint64)format->fps_n * native->fps_d !=
          (guint64)native->fps_n * format->fps_d ||
      format->fps_n == 0) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The model '%s' makes %u/%u frames a second, not %u/%u.", info->name,
        native->fps_n, native->fps_d, format->fps_n, format->fps_d);
    return FALSE;
  }
  return TRUE;
}

/* Makes the settings those of the chunk at the stream's position. */
static void
settle (VidgenStream *stream)
{
  const VidgenHistory *history = stream->history;
  const guint64 chunk = stream->position;
  GBytes *old = stream->settings.conditioning;

  stream->settings.conditioning =
      vidgen_history_conditioning (history, stream->model, chunk);
  stream->settings.conditioning_changed = chunk == 0;
  if (chunk > 0) {
    g_autoptr (GBytes) before =
        vidgen_history_conditioning (history, stream->model, chunk - 1);
    stream->settings.conditioning_changed =
        !g_bytes_equal (before, stream->settings.conditioning);
  }
  stream->settings.prompt_started =
      vidgen_history_prompt_starts (history, chunk);
  stream->settings.blending = vidgen_history_blends (history, chunk);
  stream->settings.steps = vidgen_history_steps (history, chunk);
  stream->settings.guidance = vidgen_history_guidance (history, chunk);
  g_clear_pointer (&old, g_bytes_unref);
}

static VidgenConditioning *
first_conditioning (VidgenModel *model, GError **error)
{
  if (model->family->blank)
    return wrap (model->family->blank (model));
  return vidgen_model_encode (model, "", NULL, NULL, error);
}

VidgenStream *
vidgen_stream_new (
    VidgenModel *model, const VidgenStreamParams *params, GError **error)
{
  g_autoptr (VidgenConditioning) first = NULL;
  VidgenStream *stream;

  g_return_val_if_fail (model->device != NULL, NULL);
  if (!check_format (&model->info, &params->format, error))
    return NULL;
  first = first_conditioning (model, error);
  if (!first)
    return NULL;
  stream = model->family->stream_new (model, params, error);
  if (!stream)
    return NULL;
  stream->model = vidgen_model_ref (model);
  stream->params = *params;
  stream->history = vidgen_history_new ();
  vidgen_history_set_conditioning (stream->history, model, 0, first->bytes, 0);
  vidgen_history_set_steps (stream->history, 0, model->info.default_steps);
  vidgen_history_set_guidance (
      stream->history, 0, model->info.default_guidance);
  settle (stream);
  return stream;
}

void
vidgen_stream_free (VidgenStream *stream)
{
  VidgenModel *model;

  if (!stream)
    return;
  model = stream->model;
  g_clear_pointer (&stream->settings.conditioning, g_bytes_unref);
  vidgen_history_free (stream->history);
  model->family->stream_free (stream);
  vidgen_model_unref (model);
}

guint64
vidgen_stream_position (const VidgenStream *stream)
{
  return stream->position;
}

guint64
vidgen_stream_set_conditioning (
    VidgenStream *stream, VidgenConditioning *conditioning, guint blend_chunks)
{
  VidgenModel *model = stream->model;

  g_return_val_if_fail (
      model->family->check_conditioning (model, conditioning->bytes),
      stream->position);
  vidgen_history_set_conditioning (stream->history, model, stream->position,
      conditioning->bytes, blend_chunks);
  settle (stream);
  return stream->position;
}

static gboolean
takes_steps (const VidgenModelInfo *info, guint steps)
{
  for (const guint *known = info->steps; *known; known++) {
    if (*known == steps)
      return TRUE;
  }
  return FALSE;
}

gboolean
vidgen_stream_set_steps (VidgenStream *stream, guint steps, GError **error)
{
  const VidgenModelInfo *info = &stream->model->info;

  if (steps == 0)
    steps = info->default_steps;
  if (!takes_steps (info, steps)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The model '%s' does not work in %u steps.", info->name, steps);
    return FALSE;
  }
  vidgen_history_set_steps (stream->history, stream->position, steps);
  settle (stream);
  return TRUE;
}

gboolean
vidgen_stream_set_guidance (VidgenStream *stream, double scale, GError **error)
{
  const VidgenModelInfo *info = &stream->model->info;

  if (!(scale >= info->guidance_min && scale <= info->guidance_max)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The model '%s' takes a guidance scale of %g to %g, not %g.",
        info->name, info->guidance_min, info->guidance_max, scale);
    return FALSE;
  }
  vidgen_history_set_guidance (stream->history, stream->position, scale);
  settle (stream);
  return TRUE;
}

gboolean
vidgen_stream_set_picture (VidgenStream *stream, const guint8 *rgb, guint width,
    guint height, guint stride, GError **error)
{
  const VidgenFamily *family = stream->model->family;

  if (!family->stream_set_picture) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED,
        "The model '%s' works from text alone (T2V): it takes no first "
        "picture.",
        stream->model->info.name);
    return FALSE;
  }
  if (stream->position != 0 || width == 0 || height == 0 ||
      stride / 3 < width) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "A first picture of %u x %u, %u bytes a row, cannot be set before "
        "chunk %" G_GUINT64_FORMAT ".",
        width, height, stride, stream->position);
    return FALSE;
  }
  return family->stream_set_picture (stream, rgb, width, height, stride, error);
}

guint64
vidgen_stream_seek (VidgenStream *stream, guint64 chunk)
{
  g_return_val_if_fail (
      !stream->params.forward_only || chunk >= stream->position,
      stream->position);
  if (chunk < stream->position) {
    stream->model->family->stream_restart (stream);
    stream->position = 0;
    settle (stream);
  }
  return stream->position;
}

static guint64
device_time_ns (const VidgenStream *stream)
{
  VidgenStreamStats stats;
  guint64 sum_ns = 0;

  vidgen_stream_stats (stream, &stats);
  for (guint i = 0; i < stats.n_stages; i++)
    sum_ns += stats.stages[i].time_ns;
  return sum_ns;
}

VidgenChunk *
vidgen_stream_next (VidgenStream *stream, const VidgenChunkRequest *request,
    GCancellable *cancellable, GError **error)
{
  const VidgenModelInfo *info = &stream->model->info;
  const gint64 start_us = g_get_monotonic_time ();
  VidgenChunk *chunk;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  chunk =
      stream->model->family->stream_next (stream, request, cancellable, error);
  if (!chunk)
    return NULL;
  chunk->index = stream->position;
  chunk->first_frame = vidgen_model_chunk_start (info, stream->position);
  chunk->first_sample = vidgen_model_samples_before (
      info, &stream->params.format, chunk->first_frame);
  stream->position++;
  if (stream->params.forward_only)
    vidgen_history_forget_before (stream->history, stream->position - 1);
  settle (stream);
  chunk->time_ns = MAX ((guint64)(g_get_monotonic_time () - start_us) * 1000,
      device_time_ns (stream));
  return chunk;
}

void
vidgen_stream_stats (const VidgenStream *stream, VidgenStreamStats *stats)
{
  memset (stats, 0, sizeof *stats);
  stream->model->family->stream_stats (stream, stats);
}
