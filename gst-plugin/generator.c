/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/generator.h"

void
vidgen_settings_copy (VidgenSettings *to, const VidgenSettings *from)
{
  const VidgenSettings copy = {
    .prompt = g_strdup (from->prompt),
    .negative_prompt = g_strdup (from->negative_prompt),
    .steps = from->steps,
    .guidance = from->guidance,
    .transition_ns = from->transition_ns,
  };

  vidgen_settings_clear (to);
  *to = copy;
}

void
vidgen_settings_clear (VidgenSettings *settings)
{
  g_clear_pointer (&settings->prompt, g_free);
  g_clear_pointer (&settings->negative_prompt, g_free);
}

static gboolean
same_prompt (const VidgenSettings *a, const VidgenSettings *b)
{
  return g_strcmp0 (a->prompt, b->prompt) == 0 &&
         g_strcmp0 (a->negative_prompt, b->negative_prompt) == 0;
}

gboolean
vidgen_settings_equal (const VidgenSettings *a, const VidgenSettings *b)
{
  return same_prompt (a, b) && a->steps == b->steps &&
         a->guidance == b->guidance;
}

struct _VidgenGenerator {
  VidgenModel *model;
  const VidgenModelInfo *info;
  VidgenDevice *device;
  guint64 seed;
  gboolean forward_only;

  VidgenStream *stream;
  VidgenFormat format;
  guint64 first_frame; /* of the stream */
  guint64 first_chunk;

  VidgenSettings settings;
  VidgenConditioning *conditioning; /* of `settings` */
  gboolean settings_pending, prompt_pending, prompt_new;
  gboolean stream_fresh; /* its first chunk needs settings */
};

VidgenGenerator *
vidgen_generator_new (VidgenModel *model, VidgenDevice *device, guint64 seed,
    gboolean forward_only)
{
  VidgenGenerator *generator = g_new0 (VidgenGenerator, 1);

  generator->model = vidgen_model_ref (model);
  generator->info = vidgen_model_info (model);
  generator->device = vidgen_device_ref (device);
  generator->seed = seed;
  generator->forward_only = forward_only;
  return generator;
}

void
vidgen_generator_free (VidgenGenerator *generator)
{
  if (!generator)
    return;
  vidgen_stream_free (generator->stream);
  vidgen_conditioning_unref (generator->conditioning);
  vidgen_settings_clear (&generator->settings);
  vidgen_model_unref (generator->model);
  vidgen_device_unref (generator->device);
  g_free (generator);
}

gboolean
vidgen_generator_load (VidgenGenerator *generator, VidgenLoadProgress progress,
    gpointer user_data, GCancellable *cancellable, GError **error)
{
  return vidgen_model_load (generator->model, generator->device, progress,
      user_data, cancellable, error);
}

static double
guidance_of (const VidgenModelInfo *info, const VidgenSettings *settings)
{
  return settings->guidance < 0 ? info->default_guidance : settings->guidance;
}

static gboolean
check_settings (
    const VidgenModelInfo *info, const VidgenSettings *settings, GError **error)
{
  const double guidance = guidance_of (info, settings);
  const guint *steps = info->steps;

  if (guidance < info->guidance_min || guidance > info->guidance_max) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The guidance scale %g is outside %g to %g, which the model %s takes.",
        guidance, info->guidance_min, info->guidance_max, info->name);
    return FALSE;
  }
  while (*steps != 0 && *steps != settings->steps)
    steps++;
  if (settings->steps != 0 && *steps == 0) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The model %s cannot make a chunk in %u steps.", info->name,
        settings->steps);
    return FALSE;
  }
  return TRUE;
}

static const char *
prompt_of (const VidgenModelInfo *info, const VidgenSettings *settings)
{
  if (settings->prompt)
    return settings->prompt;
  return info->prompts && info->prompts[0] ? info->prompts[0] : "";
}

gboolean
vidgen_generator_set (VidgenGenerator *generator,
    const VidgenSettings *settings, GCancellable *cancellable, GError **error)
{
  if (!check_settings (generator->info, settings, error))
    return FALSE;
  if (!generator->conditioning ||
      !same_prompt (&generator->settings, settings)) {
    g_autofree char *prompt = vidgen_model_complete (generator->model,
        prompt_of (generator->info, settings), generator->seed);
    VidgenConditioning *conditioning = vidgen_model_encode (generator->model,
        prompt, settings->negative_prompt, cancellable, error);
    if (!conditioning)
      return FALSE;
    generator->prompt_new = generator->conditioning != NULL;
    generator->prompt_pending = TRUE;
    vidgen_conditioning_unref (generator->conditioning);
    generator->conditioning = conditioning;
  }
  vidgen_settings_copy (&generator->settings, settings);
  generator->settings_pending = TRUE;
  return TRUE;
}

guint64
vidgen_generator_chunk_start (const VidgenGenerator *generator, guint64 frame)
{
  const guint64 base =
      frame >= generator->first_frame ? generator->first_frame : 0;
  const guint64 chunk = vidgen_model_chunk_of (generator->info, frame - base);

  return base + vidgen_model_chunk_start (generator->info, chunk);
}

static gboolean
same_format (const VidgenFormat *a, const VidgenFormat *b)
{
  return a->width == b->width && a->height == b->height &&
         a->fps_n == b->fps_n && a->fps_d == b->fps_d;
}

/* Whether the stream there is leads to `frame`. */
static gboolean
stream_leads_to (
    const VidgenGenerator *generator, guint64 frame, const VidgenFormat *format)
{
  return generator->stream && frame >= generator->first_frame &&
         same_format (&generator->format, format);
}

guint64
vidgen_generator_way_from (
    const VidgenGenerator *generator, guint64 frame, const VidgenFormat *format)
{
  if (!stream_leads_to (generator, frame, format))
    return generator->stream && frame >= generator->first_frame ? frame : 0;
  const guint64 position = vidgen_stream_position (generator->stream);
  const guint64 wanted =
      vidgen_model_chunk_of (generator->info, frame - generator->first_frame);
  return generator->first_frame +
         (position > wanted
                 ? 0
                 : vidgen_model_chunk_start (generator->info, position));
}

static gboolean
begin_stream (VidgenGenerator *generator, guint64 frame,
    const VidgenFormat *format, GError **error)
{
  const VidgenStreamParams params = { .seed = generator->seed,
    .format = *format,
    .forward_only = generator->forward_only };
  const gboolean continues =
      generator->stream && frame >= generator->first_frame;
  const guint64 chunk =
      continues
          ? generator->first_chunk + vidgen_stream_position (generator->stream)
          : 0;
  VidgenStream *stream = vidgen_stream_new (generator->model, &params, error);

  if (!stream)
    return FALSE;
  vidgen_stream_free (generator->stream);
  generator->stream = stream;
  generator->format = *format;
  generator->first_frame = continues ? frame : 0;
  generator->first_chunk = chunk;
  generator->settings_pending = TRUE;
  generator->prompt_pending = TRUE;
  generator->stream_fresh = TRUE;
  return TRUE;
}

static guint
blend_chunks (const VidgenGenerator *generator)
{
  const VidgenFormat *format = &generator->format;
  const double chunk_ns =
      1e9 * generator->info->chunk_frames * format->fps_d / format->fps_n;
  const double chunks = generator->settings.transition_ns / chunk_ns;

  if (!generator->prompt_new)
    return 0;
  return chunks < G_MAXUINT16 ? (guint)(chunks + 0.5) : G_MAXUINT16;
}

static gboolean
apply_settings (VidgenGenerator *generator, VidgenMade *made, GError **error)
{
  const VidgenSettings *settings = &generator->settings;

  if (!vidgen_stream_set_steps (generator->stream, settings->steps, error))
    return FALSE;
  if (generator->info->guidance_min < generator->info->guidance_max &&
      !vidgen_stream_set_guidance (
          generator->stream, guidance_of (generator->info, settings), error))
    return FALSE;
  if (generator->prompt_pending) {
    vidgen_stream_set_conditioning (
        generator->stream, generator->conditioning, blend_chunks (generator));
    made->prompt_applied = generator->prompt_new;
  }
  made->settings_applied = TRUE;
  return TRUE;
}

VidgenChunk *
vidgen_generator_next (VidgenGenerator *generator, guint64 frame,
    const VidgenFormat *format, const VidgenChunkRequest *request,
    VidgenMade *made, GCancellable *cancellable, GError **error)
{
  memset (made, 0, sizeof *made);
  if (!stream_leads_to (generator, frame, format) &&
      !begin_stream (generator, frame, format, error))
    return NULL;

  const guint64 wanted =
      vidgen_model_chunk_of (generator->info, frame - generator->first_frame);
  if (vidgen_stream_position (generator->stream) > wanted)
    vidgen_stream_seek (generator->stream, wanted);
  const guint64 index = vidgen_stream_position (generator->stream);

  if (generator->settings_pending &&
      (index == wanted || generator->stream_fresh) &&
      !apply_settings (generator, made, error))
    return NULL;
  VidgenChunk *chunk =
      vidgen_stream_next (generator->stream, request, cancellable, error);
  if (!chunk)
    return NULL;
  if (made->settings_applied) {
    generator->settings_pending = FALSE;
    generator->prompt_pending = FALSE;
    generator->prompt_new = FALSE;
    generator->stream_fresh = FALSE;
  }
  made->index = generator->first_chunk + index;
  made->first_frame = generator->first_frame + chunk->first_frame;
  return chunk;
}

void
vidgen_generator_stats (
    const VidgenGenerator *generator, VidgenStreamStats *stats)
{
  memset (stats, 0, sizeof *stats);
  if (generator->stream)
    vidgen_stream_stats (generator->stream, stats);
}
