/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/work.h"

#include <string.h>

#include "models/mini/step.h"
#include "shaders/picture.h"

static guint64
largest_picture_bytes (const VidgenMiniDecoder *decoder)
{
  guint64 largest = 0;

  for (guint i = 0; i < VIDGEN_PICTURE_FORMATS; i++) {
    VidgenPictureLayout layout;

    vidgen_picture_layout (i, vidgen_mini_decoder_width (decoder),
        vidgen_mini_decoder_height (decoder), &layout);
    largest = MAX (largest, layout.size);
  }
  return largest;
}

static guint64
picture_bytes (const VidgenMiniWork *work)
{
  return largest_picture_bytes (&work->decoder) * work->config->chunk.frames;
}

static guint64
states_bytes (const VidgenMiniConfig *config)
{
  return 4 * (guint64)config->text.tokens * config->text.size;
}

static guint64
readback_bytes (const VidgenMiniWork *work)
{
  return picture_bytes (work) + 8 * (guint64)work->config->chunk.samples;
}

static VidgenPlan *
plan_spans (VidgenMiniWork *work)
{
  const VidgenMiniConfig *config = work->config;
  VidgenPlan *plan = vidgen_plan_new ();
  const guint64 latent = (guint64)vidgen_mini_video_tokens (config) *
                         vidgen_mini_video_values (config);

  vidgen_mini_transformer_plan (&work->transformer, config, plan);
  vidgen_mini_decoder_plan (&work->decoder, plan);
  vidgen_mini_sound_plan (&work->sound, config, plan);
  vidgen_plan_add (plan, &work->video, latent, VIDGEN_MINI_STEP_TRANSFORMER,
      VIDGEN_MINI_STEP_DECODE_IN);
  for (guint i = 0; i < VIDGEN_MINI_LATENTS; i++)
    vidgen_plan_keep (plan, &work->latents[i], latent);
  vidgen_plan_add (plan, &work->audio,
      (guint64)config->sound.tokens * config->sound.token_size,
      VIDGEN_MINI_STEP_TRANSFORMER, VIDGEN_MINI_STEP_SOUND);
  vidgen_plan_add (plan, &work->picture, picture_bytes (work) / 4,
      VIDGEN_MINI_STEP_PICTURE, VIDGEN_MINI_STEP_PICTURE);
  return plan;
}

guint64
vidgen_mini_work_bytes (const VidgenMiniConfig *config, gboolean wide)
{
  VidgenMiniWork work = { .config = config,
    .decoder = { .config = config, .wide = wide } };
  g_autoptr (VidgenPlan) plan = plan_spans (&work);

  return vidgen_plan_bytes (plan) + states_bytes (config) +
         readback_bytes (&work);
}

gboolean
vidgen_mini_work_init (VidgenMiniWork *work, const VidgenMiniModel *model,
    guint64 seed, gboolean wide, GError **error)
{
  const VidgenMiniConfig *config = model->config;
  VidgenDevice *device = model->base.device;

  *work = (VidgenMiniWork){ .config = config, .seed = seed };
  work->transformer.config = config;
  work->transformer.weights = &model->weights->transformer;
  work->decoder.config = config;
  work->decoder.weights = &model->weights->decoder;
  work->decoder.wide = wide;
  work->sound.config = config;
  work->sound.weights = &model->weights->sound;
  work->plan = plan_spans (work);
  if (!vidgen_plan_allocate (work->plan, device, error))
    return FALSE;
  work->upload = vidgen_memory_new (
      device, states_bytes (config), VIDGEN_MEMORY_UPLOAD, error);
  if (!work->upload)
    return FALSE;
  work->readback = vidgen_memory_new (
      device, readback_bytes (work), VIDGEN_MEMORY_READBACK, error);
  return work->readback != NULL;
}

void
vidgen_mini_work_clear (VidgenMiniWork *work)
{
  vidgen_plan_free (work->plan);
  vidgen_memory_unref (work->upload);
  vidgen_memory_unref (work->readback);
}

void
vidgen_mini_work_record_prompt (
    VidgenMiniWork *work, VidgenRecorder *recorder, const VidgenMiniJob *job)
{
  const VidgenSpan upload = vidgen_memory_span (work->upload);
  const guint64 count = (guint64)job->n_text * work->config->text.size;

  vidgen_recorder_stage (recorder, "text");
  vidgen_recorder_copy (
      recorder, work->transformer.states, vidgen_floats (upload, 0, count));
  vidgen_mini_transformer_prompt (
      &work->transformer, recorder, job->n_text, job->schedule);
}

void
vidgen_mini_work_record_sample (
    VidgenMiniWork *work, VidgenRecorder *recorder, const VidgenMiniJob *job)
{
  const VidgenMiniSample sample = { .seed = work->seed,
    .chunk = job->chunk,
    .position = job->position,
    .schedule = job->schedule,
    .n_text = job->n_text,
    .view = job->view,
    .video = work->video,
    .audio = work->audio };

  vidgen_recorder_stage (recorder, "transformer");
  vidgen_mini_transformer_sample (&work->transformer, recorder, &sample);
}

gboolean
vidgen_mini_work_decoder_is_ready (
    const VidgenMiniWork *work, const VidgenMiniJob *job)
{
  return work->next_decoded == job->chunk;
}

/* Decodes the chunk, after those that its memory depends on where that is not
 * right for it. */
static void
record_decode (
    VidgenMiniWork *work, VidgenRecorder *recorder, const VidgenMiniJob *job)
{
  const gboolean ready = vidgen_mini_work_decoder_is_ready (work, job);
  const guint64 first =
      ready ? job->chunk
            : job->chunk - MIN (job->chunk, VIDGEN_MINI_DECODER_REACH);

  vidgen_recorder_stage (recorder, "decode");
  for (guint64 chunk = first; chunk <= job->chunk; chunk++) {
    const gboolean at_start = chunk == 0 || (chunk == first && !ready);

    vidgen_mini_decoder_record (&work->decoder, recorder,
        work->latents[chunk % VIDGEN_MINI_LATENTS], at_start);
    if (chunk < job->chunk)
      vidgen_mini_decoder_advance (&work->decoder);
  }
}

void
vidgen_mini_work_record_picture (
    VidgenMiniWork *work, VidgenRecorder *recorder, VidgenPictureFormat format)
{
  VidgenPicture picture = { .frames = work->config->chunk.frames,
    .width = vidgen_mini_decoder_width (&work->decoder),
    .height = vidgen_mini_decoder_height (&work->decoder),
    .format = format,
    .rgb = work->decoder.rgb };
  VidgenPictureLayout layout;
  guint64 bytes;

  vidgen_picture_layout (format, picture.width, picture.height, &layout);
  bytes = (guint64)layout.size * picture.frames;
  picture.out = vidgen_span_cut (work->picture, 0, bytes);
  vidgen_recorder_stage (recorder, "output");
  vidgen_picture (recorder, &picture);
  vidgen_recorder_copy (
      recorder, vidgen_memory_span (work->readback), picture.out);
}

static VidgenSpan
samples_readback (const VidgenMiniWork *work)
{
  return vidgen_span_cut (vidgen_memory_span (work->readback),
      picture_bytes (work), 8 * (guint64)work->config->chunk.samples);
}

static void
record_sound (
    VidgenMiniWork *work, VidgenRecorder *recorder, const VidgenMiniJob *job)
{
  const VidgenMiniSounding sounding = { .tokens = work->audio,
    .seed = work->seed,
    .chunk = job->chunk,
    .position = job->position,
    .at_start = job->at_start,
    .wanted = job->request->audio };

  vidgen_recorder_stage (recorder, "sound");
  vidgen_mini_sound_record (&work->sound, recorder, &sounding);
  if (job->request->audio) {
    vidgen_recorder_stage (recorder, "output");
    vidgen_recorder_copy (
        recorder, samples_readback (work), work->sound.samples);
  }
}

void
vidgen_mini_work_record_output (
    VidgenMiniWork *work, VidgenRecorder *recorder, const VidgenMiniJob *job)
{
  vidgen_recorder_stage (recorder, "transformer");
  vidgen_recorder_copy (
      recorder, work->latents[job->chunk % VIDGEN_MINI_LATENTS], work->video);
  if (job->request->video) {
    record_decode (work, recorder, job);
    vidgen_mini_work_record_picture (
        work, recorder, job->request->picture_format);
  }
  record_sound (work, recorder, job);
}

void
vidgen_mini_work_advance (VidgenMiniWork *work, const VidgenMiniJob *job)
{
  if (job->request->video) {
    vidgen_mini_decoder_advance (&work->decoder);
    work->next_decoded = job->chunk + 1;
  }
  vidgen_mini_sound_advance (&work->sound);
}

void
vidgen_mini_work_restart (VidgenMiniWork *work)
{
  work->next_decoded = 0;
}

VidgenChunk *
vidgen_mini_work_read_back (
    const VidgenMiniWork *work, const VidgenChunkRequest *request)
{
  const VidgenMiniConfig *config = work->config;
  const guint width = vidgen_mini_decoder_width (&work->decoder);
  const guint height = vidgen_mini_decoder_height (&work->decoder);
  const VidgenSpan pictures = vidgen_memory_span (work->readback);
  VidgenPictureLayout layout = { 0 };
  VidgenChunk *chunk;
  gsize bytes = 0;

  if (request->video) {
    vidgen_picture_layout (request->picture_format, width, height, &layout);
    bytes = (gsize)layout.size * config->chunk.frames;
  }
  chunk = vidgen_chunk_new (bytes, request->audio ? config->chunk.samples : 0);
  if (request->video)
    memcpy (vidgen_chunk_pictures (chunk), vidgen_span_map (pictures), bytes);
  if (request->audio)
    memcpy (vidgen_chunk_sound (chunk),
        vidgen_span_map (samples_readback (work)),
        8 * (gsize)config->chunk.samples);
  chunk->frames = config->chunk.frames;
  chunk->width = width;
  chunk->height = height;
  chunk->has_video = request->video;
  chunk->picture_format = request->picture_format;
  chunk->layout = layout;
  chunk->samples = config->chunk.samples;
  return chunk;
}
