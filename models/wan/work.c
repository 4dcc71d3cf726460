/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/work.h"

#include <string.h>

#include "shaders/unpatchify.h"

#define PIECE 3 /* frames that a layer works on at once, at least */

/* Steps of a chunk, for the plan. */
enum { STEP_SAMPLE, STEP_DECODE };

VidgenWanShape
vidgen_wan_work_shape (
    const VidgenWanPreset *preset, const VidgenFormat *format)
{
  const guint pixels = VIDGEN_DECODER_SCALE * VIDGEN_WAN_PATCH;

  return (VidgenWanShape){ .columns = format->width / pixels,
    .rows = format->height / pixels,
    .chunk = preset->chunk,
    .piece = MIN (preset->chunk, PIECE),
    .window = preset->window,
    .prompts = preset->guidance > 1 ? 2 : 1,
    .type = preset->cache,
    .keeps = !preset->clip,
    .max_frames = !preset->clip && preset->change == VIDGEN_WAN_RECACHE
                      ? preset->window
                      : preset->chunk };
}

/* Values of one frame of latents. */
static guint64
frame_values (const VidgenWanShape *shape)
{
  return (guint64)shape->columns * shape->rows * VIDGEN_WAN_VALUES;
}

static guint
reach (const VidgenWanWork *work)
{
  return vidgen_decoder_reach (work->model->parts->decoder);
}

static guint
history_frames (const VidgenWanWork *work)
{
  return MAX (work->shape.window, reach (work));
}

static guint64
largest_picture_bytes (const VidgenFormat *format)
{
  guint64 largest = 0;

  for (guint i = 0; i < VIDGEN_PICTURE_FORMATS; i++) {
    VidgenPictureLayout layout;

    vidgen_picture_layout (i, format->width, format->height, &layout);
    largest = MAX (largest, layout.size);
  }
  return largest;
}

static guint64
readback_bytes (const VidgenWanWork *work)
{
  return largest_picture_bytes (&work->format) * VIDGEN_DECODER_STEPS *
         work->preset->chunk;
}

static guint
latent_side (guint tokens)
{
  return VIDGEN_WAN_PATCH * tokens;
}

static void
plan (VidgenWanWork *work)
{
  const guint64 values = frame_values (&work->shape);

  work->plan = vidgen_plan_new ();
  vidgen_wan_transformer_plan (&work->transformer, &work->model->config,
      &work->shape, work->plan, STEP_SAMPLE, STEP_SAMPLE);
  vidgen_wan_latents_plan (&work->latents, &work->shape, work->preset->clip,
      work->plan, STEP_SAMPLE, STEP_DECODE);
  if (work->shape.keeps) {
    for (guint i = 0; i < G_N_ELEMENTS (work->history); i++)
      vidgen_plan_keep (
          work->plan, &work->history[i], history_frames (work) * values);
    vidgen_plan_add (work->plan, &work->again, work->shape.max_frames * values,
        STEP_SAMPLE, STEP_SAMPLE);
  }
  vidgen_plan_add (work->plan, &work->latent, values, STEP_DECODE, STEP_DECODE);
  vidgen_plan_add (work->plan, &work->picture,
      largest_picture_bytes (&work->format) * VIDGEN_DECODER_STEPS / 4,
      STEP_DECODE, STEP_DECODE);
}

guint64
vidgen_wan_work_init (VidgenWanWork *work, const VidgenWanModel *model,
    const VidgenFormat *format, guint64 seed)
{
  *work = (VidgenWanWork){ .model = model,
    .preset = model->parts->preset,
    .format = *format,
    .seed = seed,
    .shape = vidgen_wan_work_shape (model->parts->preset, format),
    .next_latent = VIDGEN_WAN_NOWHERE };
  plan (work);
  return vidgen_plan_bytes (work->plan) +
         vidgen_wan_transformer_bytes (&model->config, &work->shape) +
         vidgen_decoder_stream_bytes (model->parts->decoder,
             latent_side (work->shape.columns),
             latent_side (work->shape.rows)) +
         readback_bytes (work);
}

gboolean
vidgen_wan_work_allocate (VidgenWanWork *work, GError **error)
{
  const VidgenWanLoaded *loaded = work->model->loaded;
  VidgenDevice *device = work->model->base.device;

  work->transformer.weights = &loaded->weights;
  if (!vidgen_plan_allocate (work->plan, device, error) ||
      !vidgen_wan_transformer_allocate (&work->transformer, device, error))
    return FALSE;
  work->decoder = vidgen_decoder_stream_new (loaded->decoder,
      latent_side (work->shape.columns), latent_side (work->shape.rows), error);
  if (!work->decoder)
    return FALSE;
  work->readback = vidgen_memory_new (
      device, readback_bytes (work), VIDGEN_MEMORY_READBACK, error);
  return work->readback != NULL;
}

void
vidgen_wan_work_clear (VidgenWanWork *work)
{
  vidgen_decoder_stream_free (work->decoder);
  vidgen_wan_transformer_clear (&work->transformer);
  vidgen_memory_unref (work->readback);
  vidgen_plan_free (work->plan);
}

void
vidgen_wan_work_set_tap (VidgenWanWork *work, const VidgenTap *tap)
{
  work->tap = tap;
  work->transformer.tap = tap;
}

void
vidgen_wan_work_restart (VidgenWanWork *work)
{
  work->next_latent = VIDGEN_WAN_NOWHERE;
  work->newest = 0;
}

void
vidgen_wan_work_view (
    const VidgenWanWork *work, const VidgenWanJob *job, VidgenWanView *view)
{
  vidgen_wan_context_next (
      &job->context, work->shape.chunk, work->shape.piece, view);
}

static guint64
first_latent (const VidgenWanWork *work, const VidgenWanJob *job)
{
  return job->chunk * work->shape.chunk;
}

static VidgenSpan
frames_of (
    const VidgenWanWork *work, VidgenSpan latents, guint64 first, guint count)
{
  const guint64 values = frame_values (&work->shape);

  return vidgen_floats (latents, first * values, count * values);
}

/* A frame that is kept of those before the chunk. */
static VidgenSpan
frame_before (
    const VidgenWanWork *work, const VidgenWanJob *job, guint64 number)
{
  return frames_of (work, work->history[work->newest],
      number + history_frames (work) - first_latent (work, job), 1);
}

void
vidgen_wan_work_record_text (
    VidgenWanWork *work, VidgenRecorder *recorder, GBytes *conditioning)
{
  vidgen_recorder_stage (recorder, "text");
  for (guint i = 0; i < work->shape.prompts; i++) {
    const VidgenWanPrompt prompt =
        vidgen_wan_conditioning_prompt (conditioning, i);

    vidgen_wan_transformer_set_prompt (
        &work->transformer, recorder, i, prompt.states, prompt.rows);
  }
}

void
vidgen_wan_work_record_schedule (
    VidgenWanWork *work, VidgenRecorder *recorder, const VidgenWanJob *job)
{
  vidgen_recorder_stage (recorder, "text");
  vidgen_wan_schedule_set (&job->schedule, 0, &work->transformer, recorder);
}

void
vidgen_wan_work_record_again (
    VidgenWanWork *work, VidgenRecorder *recorder, const VidgenWanJob *job)
{
  const guint64 values = frame_values (&work->shape);
  VidgenWanView view;
  const guint64 first =
      vidgen_wan_context_again (&job->context, work->shape.piece, &view);
  const guint64 number = first_latent (work, job) - job->context.frames + first;
  const VidgenWanPass pass = { .view = &view,
    .time = job->schedule.n_steps,
    .x = vidgen_floats (work->again, 0, view.n_frames * values),
    .place = 1,
    .name = "recache" };

  vidgen_recorder_stage (recorder, "transformer");
  for (guint i = 0; i < view.n_frames; i++)
    vidgen_recorder_copy (recorder,
        vidgen_floats (work->again, i * values, values),
        frame_before (work, job, number + i));
  vidgen_wan_transformer_record (&work->transformer, recorder, &pass);
}

void
vidgen_wan_work_record_sample (
    VidgenWanWork *work, VidgenRecorder *recorder, const VidgenWanJob *job)
{
  VidgenWanView view;
  const VidgenWanSample sample = { .seed = work->seed,
    .chunk = job->chunk,
    .position = job->position,
    .positions = job->positions,
    .schedule = &job->schedule,
    .view = &view,
    .guidance = job->guidance,
    .tap = work->tap };

  vidgen_wan_work_view (work, job, &view);
  vidgen_recorder_stage (recorder, "transformer");
  if (work->preset->clip)
    vidgen_wan_sample_clip (
        &work->transformer, recorder, &work->latents, &sample);
  else
    vidgen_wan_sample_chunk (
        &work->transformer, recorder, &work->latents, &sample);
}

/* The chunk's latents take the place of the oldest ones. */
static void
record_history (VidgenWanWork *work, VidgenRecorder *recorder)
{
  const guint chunk = work->shape.chunk;
  const guint stay = history_frames (work) - chunk;
  const VidgenSpan from = work->history[work->newest];
  const VidgenSpan to = work->history[!work->newest];

  if (stay > 0)
    vidgen_recorder_copy (recorder, frames_of (work, to, 0, stay),
        frames_of (work, from, chunk, stay));
  vidgen_recorder_copy (recorder, frames_of (work, to, stay, chunk),
      frames_of (work, work->latents.clean, 0, chunk));
}

static guint64
record_picture (VidgenWanWork *work, VidgenRecorder *recorder,
    const VidgenWanJob *job, VidgenSpan rgb, guint n_pictures, guint64 offset)
{
  VidgenPicture picture = { .frames = n_pictures,
    .width = work->format.width,
    .height = work->format.height,
    .format = job->request->picture_format,
    .rgb = rgb };
  VidgenPictureLayout layout;
  guint64 bytes;

  vidgen_picture_layout (
      picture.format, picture.width, picture.height, &layout);
  bytes = (guint64)layout.size * n_pictures;
  picture.out = vidgen_span_cut (work->picture, 0, bytes);
  vidgen_recorder_stage (recorder, "output");
  vidgen_picture (recorder, &picture);
  vidgen_recorder_copy (recorder,
      vidgen_span_cut (vidgen_memory_span (work->readback), offset, bytes),
      picture.out);
  return bytes;
}

/* Decodes the next latent, given as tokens; returns the number of pictures. */
static guint
record_latent (VidgenWanWork *work, VidgenRecorder *recorder, VidgenSpan tokens,
    VidgenSpan *rgb)
{
  const VidgenUnpatchify unpatchify = { .rows = work->shape.rows,
    .columns = work->shape.columns,
    .channels = VIDGEN_WAN_CHANNELS,
    .patch = VIDGEN_WAN_PATCH,
    .tokens = tokens,
    .out = work->latent };

  vidgen_recorder_stage (recorder, "decode");
  vidgen_unpatchify (recorder, &unpatchify);
  return vidgen_decoder_stream_record (
      work->decoder, recorder, work->latent, rgb);
}

/* The number of the latent that stream or clip begins with. */
static guint64
start_of (const VidgenWanWork *work, const VidgenWanJob *job)
{
  return work->preset->clip ? first_latent (work, job) : 0;
}

gboolean
vidgen_wan_work_decoder_is_ready (VidgenWanWork *work, const VidgenWanJob *job)
{
  const guint64 first = first_latent (work, job);

  if (first == start_of (work, job)) {
    vidgen_decoder_stream_reset (work->decoder, TRUE);
    work->next_latent = first;
  }
  return work->next_latent == first;
}

/* Brings the decoder to where the chunk begins. */
static void
record_decode_before (
    VidgenWanWork *work, VidgenRecorder *recorder, const VidgenWanJob *job)
{
  const guint64 first = first_latent (work, job);
  const guint64 start = start_of (work, job);
  guint64 latent = first - MIN (first - start, reach (work));
  VidgenSpan rgb;

  vidgen_decoder_stream_reset (work->decoder, latent == start);
  for (; latent < first; latent++)
    record_latent (work, recorder, frame_before (work, job, latent), &rgb);
}

static void
record_decode (
    VidgenWanWork *work, VidgenRecorder *recorder, const VidgenWanJob *job)
{
  guint64 offset = 0;

  if (!vidgen_wan_work_decoder_is_ready (work, job))
    record_decode_before (work, recorder, job);
  work->next_latent = VIDGEN_WAN_NOWHERE;
  for (guint i = 0; i < work->shape.chunk; i++) {
    VidgenSpan rgb;
    const guint n_pictures = record_latent (
        work, recorder, frames_of (work, work->latents.clean, i, 1), &rgb);

    offset += record_picture (work, recorder, job, rgb, n_pictures, offset);
  }
}

void
vidgen_wan_work_record_output (
    VidgenWanWork *work, VidgenRecorder *recorder, const VidgenWanJob *job)
{
  if (work->shape.keeps)
    record_history (work, recorder);
  if (job->request->video)
    record_decode (work, recorder, job);
}

void
vidgen_wan_work_record_all_outputs (
    VidgenWanWork *work, VidgenRecorder *recorder)
{
  VidgenSpan rgb = VIDGEN_SPAN_NONE;
  VidgenChunkRequest request = { .video = TRUE };
  const VidgenWanJob job = { .request = &request };

  for (guint i = 0; i < VIDGEN_DECODER_PHASES; i++) {
    if (i % (VIDGEN_DECODER_PHASES / 2) == 0)
      vidgen_decoder_stream_reset (work->decoder, i == 0);
    record_latent (
        work, recorder, frames_of (work, work->latents.clean, 0, 1), &rgb);
  }
  for (guint i = 0; i < VIDGEN_PICTURE_FORMATS; i++) {
    request.picture_format = i;
    record_picture (work, recorder, &job, rgb, VIDGEN_DECODER_STEPS, 0);
    record_picture (work, recorder, &job, rgb, VIDGEN_DECODER_FIRST, 0);
  }
}

void
vidgen_wan_work_skip_output (VidgenWanWork *work, const VidgenWanJob *job)
{
  if (!job->request->video)
    return;
  work->next_latent = VIDGEN_WAN_NOWHERE;
  for (guint i = 0; i < work->shape.chunk; i++)
    vidgen_decoder_stream_skip (work->decoder);
}

void
vidgen_wan_work_advance (VidgenWanWork *work, const VidgenWanJob *job)
{
  if (work->shape.keeps)
    work->newest = !work->newest;
  if (job->request->video)
    work->next_latent = first_latent (work, job) + work->shape.chunk;
}

static guint
chunk_frames (const VidgenWanWork *work, guint64 chunk)
{
  return vidgen_model_chunk_frames (&work->model->base.info, chunk);
}

VidgenChunk *
vidgen_wan_work_read_back (const VidgenWanWork *work, const VidgenWanJob *job)
{
  const VidgenChunkRequest *request = job->request;
  const VidgenFormat *format = &work->format;
  const guint frames = chunk_frames (work, job->chunk);
  VidgenPictureLayout layout = { 0 };
  VidgenChunk *chunk;
  gsize bytes = 0;

  if (request->video) {
    vidgen_picture_layout (
        request->picture_format, format->width, format->height, &layout);
    bytes = (gsize)layout.size * frames;
  }
  chunk = vidgen_chunk_new (bytes, 0);
  if (request->video)
    memcpy (vidgen_chunk_pictures (chunk),
        vidgen_span_map (vidgen_memory_span (work->readback)), bytes);
  chunk->frames = frames;
  chunk->width = format->width;
  chunk->height = format->height;
  chunk->has_video = request->video;
  chunk->picture_format = request->picture_format;
  chunk->layout = layout;
  return chunk;
}
