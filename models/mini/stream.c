/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/stream.h"

#include <string.h>

#include "models/mini/reel.h"

typedef struct {
  VidgenStream base;
  const VidgenMiniConfig *config;
  VidgenRecorder *recorder;
  VidgenMemory *picture; /* video tokens of a first picture, or NULL */
  VidgenMiniWork work;
  VidgenMiniContext context;
  /* What vidgen_mini_work_record_prompt() last worked on; NULL: do it. */
  GBytes *prompt;
  const VidgenMiniSchedule *schedule;
  VidgenMiniReel *reel;
  gboolean without_tapes;
  VidgenStreamStats stats;
} MiniStream;

static gboolean
is_wide (const VidgenMiniConfig *config, const VidgenFormat *format)
{
  return format->width > config->video.width;
}

guint64
vidgen_mini_stream_bytes (
    const VidgenMiniConfig *config, const VidgenFormat *format)
{
  return vidgen_mini_work_bytes (config, is_wide (config, format)) +
         vidgen_mini_reel_bytes (config);
}

static gboolean
allocate (MiniStream *stream, const VidgenMiniModel *model,
    const VidgenStreamParams *params, GError **error)
{
  const gboolean wide = is_wide (model->config, &params->format);
  VidgenDevice *device = model->base.device;

  stream->recorder = vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, error);
  if (!stream->recorder ||
      !vidgen_mini_work_init (&stream->work, model, params->seed, wide, error))
    return FALSE;
  stream->reel =
      vidgen_mini_reel_new (&stream->work, stream->recorder, device, error);
  return stream->reel != NULL;
}

VidgenStream *
vidgen_mini_stream_new (
    VidgenModel *base, const VidgenStreamParams *params, GError **error)
{
  const VidgenMiniModel *model = (const VidgenMiniModel *)base;
  MiniStream *stream = g_new0 (MiniStream, 1);

  stream->config = model->config;
  vidgen_mini_context_init (&stream->context, model->config);
  stream->stats.memory_bytes =
      vidgen_mini_stream_bytes (model->config, &params->format);
  if (!allocate (stream, model, params, error)) {
    vidgen_mini_stream_free (&stream->base);
    return NULL;
  }
  return &stream->base;
}

void
vidgen_mini_stream_free (VidgenStream *base)
{
  MiniStream *stream = (MiniStream *)base;

  vidgen_mini_reel_free (stream->reel);
  vidgen_recorder_free (stream->recorder);
  vidgen_mini_work_clear (&stream->work);
  vidgen_memory_unref (stream->picture);
  vidgen_mini_context_clear (&stream->context);
  g_clear_pointer (&stream->prompt, g_bytes_unref);
  g_free (stream);
}

void
vidgen_mini_stream_restart (VidgenStream *base)
{
  MiniStream *stream = (MiniStream *)base;

  vidgen_mini_reel_forget_ahead (stream->reel);
  vidgen_mini_context_reset (&stream->context);
  vidgen_mini_work_restart (&stream->work);
}

void
vidgen_mini_stream_set_tap (VidgenStream *base, const VidgenTap *tap)
{
  MiniStream *stream = (MiniStream *)base;

  stream->work.transformer.tap = tap;
  stream->work.decoder.tap = tap;
  stream->work.sound.tap = tap;
}

void
vidgen_mini_stream_set_tapes (VidgenStream *base, gboolean tapes)
{
  ((MiniStream *)base)->without_tapes = !tapes;
}

VidgenRecorder *
vidgen_mini_stream_recorder (VidgenStream *base)
{
  return ((MiniStream *)base)->recorder;
}

/* What the chunk at position 0 counts as: a first picture is chunk 0. */
static guint64
first_chunk (const MiniStream *stream)
{
  return stream->picture ? 1 : 0;
}

/* Latents [height][width][channels] to standardised tokens [V][values]. */
static void
write_tokens (const VidgenMiniModel *model, const float *latent, float *tokens)
{
  const VidgenMiniConfig *config = model->config;
  const float *mean =
      (gpointer)vidgen_safetensors_find (model->file, "latent.mean")->data;
  const float *std =
      (gpointer)vidgen_safetensors_find (model->file, "latent.std")->data;
  const guint columns = vidgen_mini_columns (config);
  const guint side = config->latent.patch;
  const guint values = vidgen_mini_video_values (config);

  for (guint token = 0; token < vidgen_mini_video_tokens (config); token++) {
    for (guint value = 0; value < values; value++) {
      const guint channel = value / side / side;
      const gsize row = token / columns * side + value / side % side;
      const gsize column = token % columns * side + value % side;
      const gsize pixel = row * columns * side + column;

      *tokens++ =
          (latent[pixel * config->latent.channels + channel] - mean[value]) /
          std[value];
    }
  }
}

gboolean
vidgen_mini_stream_set_picture (VidgenStream *base, const guint8 *rgb,
    guint width, guint height, guint stride, GError **error)
{
  MiniStream *stream = (MiniStream *)base;
  const VidgenMiniModel *model = (const VidgenMiniModel *)base->model;
  const VidgenMiniConfig *config = model->config;
  const gsize count = (gsize)vidgen_mini_video_tokens (config) *
                      vidgen_mini_video_values (config);
  g_autofree float *latent = g_new (float, count);
  VidgenMemory *picture;

  if (width != config->video.width || height != config->video.height) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "A first picture of %u x %u does not have the size %u x %u of '%s'.",
        width, height, config->video.width, config->video.height, config->name);
    return FALSE;
  }
  if (!vidgen_mini_encoder_still (&model->weights->encoder, config,
          model->base.device, rgb, stride, latent, error))
    return FALSE;
  picture = vidgen_memory_new (
      model->base.device, 4 * count, VIDGEN_MEMORY_UPLOAD, error);
  if (!picture)
    return FALSE;
  write_tokens (model, latent, vidgen_span_map (vidgen_memory_span (picture)));
  vidgen_memory_unref (stream->picture);
  stream->picture = picture;
  vidgen_mini_stream_restart (base);
  return TRUE;
}

static void
record (MiniStream *stream, VidgenRecorder *recorder, const VidgenMiniJob *job)
{
  vidgen_mini_work_record_sample (&stream->work, recorder, job);
  vidgen_mini_work_record_output (&stream->work, recorder, job);
}

static void
keep_stats (MiniStream *stream)
{
  guint n_stages;
  const VidgenStageTime *times =
      vidgen_recorder_times (stream->recorder, &n_stages);
  VidgenStreamStats *stats = &stream->stats;

  stats->chunks++;
  stats->n_stages = 0;
  for (guint i = 0; i < n_stages && stats->n_stages < VIDGEN_MAX_STAGES; i++) {
    if (!*times[i].stage)
      continue;
    stats->stages[stats->n_stages].name = times[i].stage;
    stats->stages[stats->n_stages].time_ns = times[i].time_ns;
    stats->stages[stats->n_stages++].operations = times[i].operations;
    stats->total_device_ns += times[i].time_ns;
  }
}

/* Records the work on a prompt or schedule that is not the last one's. */
static void
renew_prompt (MiniStream *stream, const VidgenMiniJob *job)
{
  GBytes *prompt = stream->base.settings.conditioning;

  if (stream->prompt == prompt && stream->schedule == job->schedule)
    return;
  vidgen_mini_reel_forget_ahead (stream->reel);
  g_clear_pointer (&stream->prompt, g_bytes_unref);
  memcpy (vidgen_span_map (vidgen_memory_span (stream->work.upload)),
      vidgen_mini_conditioning_states (prompt),
      4 * (gsize)job->n_text * stream->config->text.size);
  vidgen_mini_work_record_prompt (&stream->work, stream->recorder, job);
}

/* Reads the first picture as the chunk before the one at position 0. */
static void
read_picture (MiniStream *stream, const VidgenMiniJob *job)
{
  VidgenMiniWork *work = &stream->work;
  VidgenMiniView view;
  const VidgenMiniSample sample = { .seed = stream->base.params.seed,
    .schedule = job->schedule,
    .n_text = job->n_text,
    .view = &view,
    .video = work->latents[0],
    .audio = work->audio };

  vidgen_mini_reel_forget_ahead (stream->reel);
  vidgen_mini_context_reset (&stream->context);
  vidgen_mini_context_view (&stream->context, 0, FALSE, &view);
  vidgen_recorder_stage (stream->recorder, "transformer");
  vidgen_recorder_copy (
      stream->recorder, sample.video, vidgen_memory_span (stream->picture));
  vidgen_recorder_clear (stream->recorder, sample.audio);
  vidgen_mini_transformer_read (&work->transformer, stream->recorder, &sample);
  vidgen_mini_context_commit (&stream->context, 0, FALSE, view.slot);
}

static void
commit (MiniStream *stream, const VidgenMiniJob *job)
{
  if (!stream->prompt)
    stream->prompt = g_bytes_ref (stream->base.settings.conditioning);
  stream->schedule = job->schedule;
  vidgen_mini_context_commit (
      &stream->context, job->chunk, job->prompt_started, job->view->slot);
  vidgen_mini_work_advance (&stream->work, job);
}

/* A prompt that has just changed may be on its way to another. */
static gboolean
make_taped (MiniStream *stream, const VidgenMiniJob *job,
    GCancellable *cancellable, GError **error)
{
  const gboolean steady = !stream->base.settings.conditioning_changed;

  return vidgen_mini_reel_make (
      stream->reel, job, steady ? &stream->context : NULL, cancellable, error);
}

static gboolean
make_fresh (MiniStream *stream, const VidgenMiniJob *job,
    GCancellable *cancellable, GError **error)
{
  vidgen_mini_reel_forget_ahead (stream->reel);
  record (stream, stream->recorder, job);
  return vidgen_recorder_finish (stream->recorder, cancellable, error);
}

VidgenChunk *
vidgen_mini_stream_next (VidgenStream *base, const VidgenChunkRequest *request,
    GCancellable *cancellable, GError **error)
{
  MiniStream *stream = (MiniStream *)base;
  const gboolean at_picture = stream->picture && base->position == 0;
  const gboolean taped =
      !stream->without_tapes && !stream->work.transformer.tap;
  VidgenMiniView view;
  const VidgenMiniJob job = { .chunk = base->position + first_chunk (stream),
    .at_start = base->position == 0,
    .request = request,
    .view = &view,
    .schedule = vidgen_mini_schedule (stream->config, base->settings.steps),
    .n_text = vidgen_mini_conditioning_rows (
        stream->config, base->settings.conditioning),
    .prompt_started = base->settings.prompt_started && !at_picture };

  vidgen_recorder_set_cancellable (stream->recorder, cancellable);
  renew_prompt (stream, &job);
  if (at_picture)
    read_picture (stream, &job);
  vidgen_mini_context_view (
      &stream->context, job.chunk, job.prompt_started, &view);
  if (!(taped ? make_taped : make_fresh) (stream, &job, cancellable, error))
    return NULL;
  commit (stream, &job);
  keep_stats (stream);
  return vidgen_mini_work_read_back (&stream->work, request);
}

void
vidgen_mini_stream_stats (const VidgenStream *stream, VidgenStreamStats *stats)
{
  *stats = ((const MiniStream *)stream)->stats;
}

static void
prepare (MiniStream *stream, VidgenMiniModel *model, VidgenRecorder *recorder)
{
  const VidgenMiniConfig *config = model->config;
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_I420, TRUE };
  VidgenMiniView view;
  VidgenMiniJob job = { .request = &request, .view = &view };

  for (guint i = 1; i <= config->text.tokens; i++)
    vidgen_mini_text_record (model->text, recorder, i);
  job.schedule = &config->schedules[0];
  for (job.n_text = 1; job.n_text <= config->text.tokens; job.n_text++)
    vidgen_mini_work_record_prompt (&stream->work, recorder, &job);
  job.n_text = 1;
  for (guint i = 1; i < config->n_schedules; i++) {
    job.schedule = &config->schedules[i];
    vidgen_mini_work_record_prompt (&stream->work, recorder, &job);
  }
  for (job.chunk = 0; job.chunk <= stream->context.slots; job.chunk++) {
    vidgen_mini_context_view (&stream->context, job.chunk, FALSE, &view);
    job.at_start = job.chunk == 0;
    stream->work.next_decoded = job.chunk;
    record (stream, recorder, &job);
    vidgen_mini_context_commit (&stream->context, job.chunk, FALSE, view.slot);
  }
  for (guint i = 0; i < VIDGEN_PICTURE_FORMATS; i++)
    vidgen_mini_work_record_picture (&stream->work, recorder, i);
  vidgen_mini_decoder_prepare_other (&stream->work.decoder, recorder);
}

/* Drivers of CPUs compile when a pipeline first runs; what pictures of twice
 * the size need beside this waits for the first of them. */
static gboolean
run_once (MiniStream *stream, GCancellable *cancellable, GError **error)
{
  const VidgenMiniConfig *config = stream->config;
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_I420, TRUE };
  const VidgenMiniView view = { .n_runs = 1, .runs = { { 0, 1 } } };
  const VidgenMiniJob job = { .at_start = TRUE,
    .request = &request,
    .view = &view,
    .schedule = vidgen_mini_schedule (config, config->steps),
    .n_text = config->text.tokens };

  vidgen_recorder_set_cancellable (stream->recorder, cancellable);
  vidgen_mini_work_record_prompt (&stream->work, stream->recorder, &job);
  record (stream, stream->recorder, &job);
  return vidgen_recorder_finish (stream->recorder, cancellable, error);
}

static gboolean
warm_up (MiniStream *stream, VidgenMiniModel *model,
    VidgenProgressFunc progress, gpointer user_data, GCancellable *cancellable,
    GError **error)
{
  VidgenDevice *device = model->base.device;
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (device, VIDGEN_RECORDER_PREPARE, error);

  if (!recorder)
    return FALSE;
  prepare (stream, model, recorder);
  if (!vidgen_recorder_compile (
          recorder, progress, user_data, cancellable, error))
    return FALSE;
  return vidgen_device_caps (device)->type != VIDGEN_DEVICE_CPU ||
         run_once (stream, cancellable, error);
}

gboolean
vidgen_mini_stream_warm_up (VidgenMiniModel *model, VidgenProgressFunc progress,
    gpointer user_data, GCancellable *cancellable, GError **error)
{
  const VidgenStreamParams params = { .format = model->base.info.native };
  VidgenStream *stream = vidgen_mini_stream_new (&model->base, &params, error);
  gboolean good;

  if (!stream)
    return FALSE;
  good = warm_up (
      (MiniStream *)stream, model, progress, user_data, cancellable, error);
  vidgen_mini_stream_free (stream);
  return good;
}
