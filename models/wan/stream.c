/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/stream.h"

#include <string.h>

#include "models/wan/room.h"
#include "models/wan/sampler.h"
#include "shaders/unpatchify.h"

#define PIECE 3 /* frames that a layer works on at once, at least */
#define NOWHERE G_MAXUINT64

/* Steps of a chunk, for the plan. */
enum { STEP_SAMPLE, STEP_DECODE };

typedef struct {
  VidgenStream base;
  const VidgenWanModel *model;
  const VidgenWanPreset *preset;
  VidgenWanShape shape;
  VidgenPlan *plan;
  VidgenRecorder *recorder;
  VidgenMemory *readback; /* a chunk's pictures */
  VidgenDecoderStream *decoder;

  VidgenWanTransformer transformer;
  VidgenWanLatents latents;
  VidgenSpan history; /* newest latents as tokens, by number */
  VidgenSpan again;   /* those in the cache, in order */
  VidgenSpan past;    /* newest latents as pictures, by number */
  VidgenSpan picture; /* of one latent */

  VidgenWanContext context;
  GBytes *prompt;             /* that is set; NULL: set it */
  VidgenWanSchedule schedule; /* that is set; no steps: set it */
  guint64 next_latent; /* that the decoder's caches are right for, or NOWHERE */
  const VidgenTap *tap;
  VidgenStreamStats stats;
  VidgenWanModel *taken_from; /* whose room it takes; NULL: not yet */
} WanStream;

/* One chunk to record. */
typedef struct {
  guint64 chunk;
  const VidgenChunkRequest *request;
  VidgenWanSchedule schedule;
  VidgenWanContext context; /* before the chunk */
  gboolean again;           /* what is remembered is to be made anew */
} Job;

VidgenWanShape
vidgen_wan_stream_shape (
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
past_frames (const WanStream *stream)
{
  return stream->shape.chunk +
         vidgen_decoder_reach (stream->model->parts->decoder);
}

static guint
history_frames (const WanStream *stream)
{
  return stream->shape.chunk + stream->shape.window;
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
readback_bytes (const WanStream *stream, const VidgenFormat *format)
{
  return largest_picture_bytes (format) * VIDGEN_DECODER_STEPS *
         stream->preset->chunk;
}

static void
plan (WanStream *stream, const VidgenFormat *format)
{
  const guint64 values = frame_values (&stream->shape);

  stream->plan = vidgen_plan_new ();
  vidgen_wan_transformer_plan (&stream->transformer, &stream->model->config,
      &stream->shape, stream->plan, STEP_SAMPLE, STEP_SAMPLE);
  vidgen_wan_latents_plan (&stream->latents, &stream->shape,
      stream->preset->clip, stream->plan, STEP_SAMPLE, STEP_DECODE);
  if (stream->shape.keeps) {
    vidgen_plan_keep (
        stream->plan, &stream->history, history_frames (stream) * values);
    vidgen_plan_add (stream->plan, &stream->again,
        stream->shape.max_frames * values, STEP_SAMPLE, STEP_SAMPLE);
  }
  vidgen_plan_keep (stream->plan, &stream->past, past_frames (stream) * values);
  vidgen_plan_add (stream->plan, &stream->picture,
      largest_picture_bytes (format) * VIDGEN_DECODER_STEPS / 4, STEP_DECODE,
      STEP_DECODE);
}

static WanStream *
new_planned (const VidgenWanModel *model, const VidgenFormat *format)
{
  WanStream *stream = g_new0 (WanStream, 1);

  stream->model = model;
  stream->preset = model->parts->preset;
  stream->shape = vidgen_wan_stream_shape (stream->preset, format);
  stream->context = (VidgenWanContext){ .window = stream->preset->window,
    .sink = stream->preset->sink,
    .relative = stream->preset->relative };
  stream->next_latent = NOWHERE;
  plan (stream, format);
  return stream;
}

static guint64
stream_bytes (const WanStream *stream, const VidgenFormat *format)
{
  return vidgen_plan_bytes (stream->plan) +
         vidgen_wan_transformer_bytes (&stream->model->config, &stream->shape) +
         vidgen_decoder_stream_bytes (stream->model->parts->decoder,
             VIDGEN_WAN_PATCH * stream->shape.columns,
             VIDGEN_WAN_PATCH * stream->shape.rows) +
         readback_bytes (stream, format);
}

guint64
vidgen_wan_stream_bytes (
    const VidgenWanModel *model, const VidgenFormat *format)
{
  WanStream *stream = new_planned (model, format);
  const guint64 bytes = stream_bytes (stream, format);

  vidgen_wan_stream_free (&stream->base);
  return bytes;
}

static gboolean
allocate (WanStream *stream, const VidgenFormat *format, GError **error)
{
  VidgenDevice *device = stream->model->base.device;

  stream->transformer.weights = &stream->model->loaded->weights;
  if (!vidgen_plan_allocate (stream->plan, device, error) ||
      !vidgen_wan_transformer_allocate (&stream->transformer, device, error))
    return FALSE;
  stream->decoder = vidgen_decoder_stream_new (stream->model->loaded->decoder,
      VIDGEN_WAN_PATCH * stream->shape.columns,
      VIDGEN_WAN_PATCH * stream->shape.rows, error);
  if (!stream->decoder)
    return FALSE;
  stream->readback = vidgen_memory_new (
      device, readback_bytes (stream, format), VIDGEN_MEMORY_READBACK, error);
  if (!stream->readback)
    return FALSE;
  stream->recorder = vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, error);
  return stream->recorder != NULL;
}

void
vidgen_wan_stream_free (VidgenStream *base)
{
  WanStream *stream = (WanStream *)base;

  if (stream->taken_from)
    vidgen_wan_room_give (stream->taken_from, stream->stats.memory_bytes);
  vidgen_recorder_free (stream->recorder);
  vidgen_decoder_stream_free (stream->decoder);
  vidgen_wan_transformer_clear (&stream->transformer);
  vidgen_memory_unref (stream->readback);
  vidgen_plan_free (stream->plan);
  g_clear_pointer (&stream->prompt, g_bytes_unref);
  g_free (stream);
}

void
vidgen_wan_stream_restart (VidgenStream *base)
{
  WanStream *stream = (WanStream *)base;

  vidgen_wan_context_forget (&stream->context);
  stream->next_latent = NOWHERE;
}

void
vidgen_wan_stream_set_tap (VidgenStream *base, const VidgenTap *tap)
{
  WanStream *stream = (WanStream *)base;

  stream->tap = tap;
  stream->transformer.tap = tap;
}

static VidgenSpan
ring_frame (
    const WanStream *stream, VidgenSpan ring, guint n_frames, guint64 number)
{
  const guint64 values = frame_values (&stream->shape);

  return vidgen_floats (ring, number % n_frames * values, values);
}

static VidgenSpan
clean_frame (const WanStream *stream, guint frame)
{
  const guint64 values = frame_values (&stream->shape);

  return vidgen_floats (stream->latents.clean, frame * values, values);
}

static guint64
first_latent (const WanStream *stream, const Job *job)
{
  return job->chunk * stream->shape.chunk;
}

/* The frames in the cache go through the network again, clean. */
static void
record_again (WanStream *stream, VidgenRecorder *recorder, const Job *job)
{
  const guint64 values = frame_values (&stream->shape);
  VidgenWanView view;
  const guint64 first =
      vidgen_wan_context_again (&job->context, stream->shape.piece, &view);
  const guint64 number =
      first_latent (stream, job) - job->context.frames + first;
  const VidgenWanPass pass = { .view = &view,
    .time = job->schedule.n_steps,
    .x = vidgen_floats (stream->again, 0, view.n_frames * values),
    .place = 1,
    .name = "recache" };

  for (guint i = 0; i < view.n_frames; i++)
    vidgen_recorder_copy (recorder,
        vidgen_floats (stream->again, i * values, values),
        ring_frame (
            stream, stream->history, history_frames (stream), number + i));
  vidgen_wan_transformer_record (&stream->transformer, recorder, &pass);
}

static void
record_sample (WanStream *stream, VidgenRecorder *recorder, const Job *job)
{
  VidgenWanView view;
  const VidgenWanSample sample = { .seed = stream->base.params.seed,
    .chunk = job->chunk,
    .schedule = &job->schedule,
    .view = &view,
    .guidance = stream->base.settings.guidance,
    .tap = stream->tap };

  vidgen_wan_context_next (
      &job->context, stream->shape.chunk, stream->shape.piece, &view);
  vidgen_recorder_stage (recorder, "transformer");
  if (job->again)
    record_again (stream, recorder, job);
  if (stream->preset->clip)
    vidgen_wan_sample_clip (
        &stream->transformer, recorder, &stream->latents, &sample);
  else
    vidgen_wan_sample_chunk (
        &stream->transformer, recorder, &stream->latents, &sample);
}

/* Keeps the chunk's latents for the decoder, and for when the cache is made
 * anew. */
static void
record_latents (WanStream *stream, VidgenRecorder *recorder, const Job *job)
{
  const guint64 first = first_latent (stream, job);

  for (guint i = 0; i < stream->shape.chunk; i++) {
    const VidgenUnpatchify unpatchify = { .rows = stream->shape.rows,
      .columns = stream->shape.columns,
      .channels = VIDGEN_WAN_CHANNELS,
      .patch = VIDGEN_WAN_PATCH,
      .tokens = clean_frame (stream, i),
      .out =
          ring_frame (stream, stream->past, past_frames (stream), first + i) };

    vidgen_unpatchify (recorder, &unpatchify);
    if (stream->shape.keeps)
      vidgen_recorder_copy (recorder,
          ring_frame (
              stream, stream->history, history_frames (stream), first + i),
          clean_frame (stream, i));
  }
}

static guint64
record_picture (WanStream *stream, VidgenRecorder *recorder, const Job *job,
    VidgenSpan rgb, guint n_pictures, guint64 offset)
{
  VidgenPicture picture = { .frames = n_pictures,
    .width = stream->base.params.format.width,
    .height = stream->base.params.format.height,
    .format = job->request->picture_format,
    .rgb = rgb };
  VidgenPictureLayout layout;
  guint64 bytes;

  vidgen_picture_layout (
      picture.format, picture.width, picture.height, &layout);
  bytes = (guint64)layout.size * n_pictures;
  picture.out = vidgen_span_cut (stream->picture, 0, bytes);
  vidgen_recorder_stage (recorder, "output");
  vidgen_picture (recorder, &picture);
  vidgen_recorder_copy (recorder,
      vidgen_span_cut (vidgen_memory_span (stream->readback), offset, bytes),
      picture.out);
  return bytes;
}

/* Decodes the chunk, after the latents that its pictures depend on where the
 * decoder's caches are not right for it. */
static void
record_decode (WanStream *stream, VidgenRecorder *recorder, const Job *job)
{
  const guint64 first = first_latent (stream, job);
  const guint64 start = stream->preset->clip ? first : 0;
  guint64 latent = first, offset = 0;

  if (stream->next_latent != first || latent == start) {
    latent -= MIN (
        latent - start, vidgen_decoder_reach (stream->model->parts->decoder));
    vidgen_decoder_stream_reset (stream->decoder, latent == start);
  }
  stream->next_latent = NOWHERE;
  for (; latent < first + stream->shape.chunk; latent++) {
    VidgenSpan rgb;
    guint n_pictures;

    vidgen_recorder_stage (recorder, "decode");
    n_pictures = vidgen_decoder_stream_record (stream->decoder, recorder,
        ring_frame (stream, stream->past, past_frames (stream), latent), &rgb);
    if (latent >= first)
      offset += record_picture (stream, recorder, job, rgb, n_pictures, offset);
  }
}

static void
record (WanStream *stream, VidgenRecorder *recorder, const Job *job)
{
  record_sample (stream, recorder, job);
  record_latents (stream, recorder, job);
  if (job->request->video)
    record_decode (stream, recorder, job);
}

static void
record_text (WanStream *stream, VidgenRecorder *recorder, GBytes *conditioning)
{
  vidgen_recorder_stage (recorder, "text");
  for (guint i = 0; i < stream->shape.prompts; i++) {
    const VidgenWanPrompt prompt =
        vidgen_wan_conditioning_prompt (conditioning, i);

    vidgen_wan_transformer_set_prompt (
        &stream->transformer, recorder, i, prompt.states, prompt.rows);
  }
}

/* Records the work on a prompt or schedule that is not the last one's; until
 * it has succeeded none is set. */
static void
renew (WanStream *stream, Job *job)
{
  GBytes *conditioning = stream->base.settings.conditioning;

  if (stream->schedule.n_steps != job->schedule.n_steps) {
    stream->schedule.n_steps = 0;
    vidgen_recorder_stage (stream->recorder, "text");
    vidgen_wan_schedule_set (
        &job->schedule, 0, &stream->transformer, stream->recorder);
  }
  if (stream->prompt && g_bytes_equal (stream->prompt, conditioning))
    return;
  g_clear_pointer (&stream->prompt, g_bytes_unref);
  record_text (stream, stream->recorder, conditioning);
  if (stream->preset->clip || stream->context.frames == 0)
    return;
  if (stream->preset->change == VIDGEN_WAN_CUT &&
      stream->base.settings.prompt_started)
    vidgen_wan_context_forget (&job->context);
  job->again = stream->preset->change == VIDGEN_WAN_RECACHE &&
               !stream->base.settings.blending;
}

static void
commit (WanStream *stream, const Job *job)
{
  if (!stream->prompt)
    stream->prompt = g_bytes_ref (stream->base.settings.conditioning);
  stream->schedule = job->schedule;
  stream->context = job->context;
  if (!stream->preset->clip)
    vidgen_wan_context_advance (&stream->context, stream->shape.chunk);
  if (job->request->video)
    stream->next_latent = first_latent (stream, job) + stream->shape.chunk;
}

static void
keep_stats (WanStream *stream)
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

static guint
chunk_frames (const WanStream *stream, guint64 chunk)
{
  return vidgen_model_chunk_frames (&stream->model->base.info, chunk);
}

static VidgenChunk *
read_back (const WanStream *stream, const Job *job)
{
  const VidgenChunkRequest *request = job->request;
  const VidgenFormat *format = &stream->base.params.format;
  const guint frames = chunk_frames (stream, job->chunk);
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
        vidgen_span_map (vidgen_memory_span (stream->readback)), bytes);
  chunk->frames = frames;
  chunk->width = format->width;
  chunk->height = format->height;
  chunk->has_video = request->video;
  chunk->picture_format = request->picture_format;
  chunk->layout = layout;
  return chunk;
}

static Job
make_job (const WanStream *stream, guint64 chunk, guint steps,
    const VidgenChunkRequest *request)
{
  Job job = { .chunk = chunk, .request = request, .context = stream->context };

  if (chunk == 0 && !stream->preset->clip)
    steps = MAX (steps, stream->preset->first_steps);
  if (stream->preset->clip)
    vidgen_wan_schedule_init_clip (&job.schedule, steps, stream->preset->shift);
  else
    vidgen_wan_schedule_init (&job.schedule, steps, stream->preset->shift);
  return job;
}

VidgenChunk *
vidgen_wan_stream_next (VidgenStream *base, const VidgenChunkRequest *request,
    GCancellable *cancellable, GError **error)
{
  WanStream *stream = (WanStream *)base;
  Job job = make_job (stream, base->position, base->settings.steps, request);

  vidgen_recorder_set_cancellable (stream->recorder, cancellable);
  renew (stream, &job);
  record (stream, stream->recorder, &job);
  if (!vidgen_recorder_finish (stream->recorder, cancellable, error))
    return NULL;
  commit (stream, &job);
  keep_stats (stream);
  return read_back (stream, &job);
}

void
vidgen_wan_stream_stats (const VidgenStream *stream, VidgenStreamStats *stats)
{
  *stats = ((const WanStream *)stream)->stats;
}

static void
on_compiled (guint done, guint total, gpointer user_data)
{
  vidgen_model_tell (user_data, "warmup", total ? (double)done / total : 1);
}

/* Compiles what the first chunks need, on several threads. */
static gboolean
warm_up (WanStream *stream, GError **error)
{
  const VidgenChunkRequest request = { .video = TRUE };
  g_autoptr (VidgenRecorder) recorder = vidgen_recorder_new (
      stream->model->base.device, VIDGEN_RECORDER_PREPARE, error);
  g_autoptr (GBytes) nothing =
      vidgen_wan_conditioning_new (NULL, stream->model->config.text_size,
          (VidgenWanPrompt){ 0 }, (VidgenWanPrompt){ 0 });
  Job job = make_job (stream, 0, stream->preset->steps, &request);

  if (!recorder)
    return FALSE;
  vidgen_wan_schedule_set (&job.schedule, 0, &stream->transformer, recorder);
  record_text (stream, recorder, nothing);
  record (stream, recorder, &job);
  if (!stream->preset->clip) {
    vidgen_wan_context_advance (&job.context, stream->shape.chunk);
    job.chunk = 1;
    job.again = stream->preset->change == VIDGEN_WAN_RECACHE;
    record (stream, recorder, &job);
  }
  stream->next_latent = NOWHERE;
  return vidgen_recorder_compile (
      recorder, on_compiled, (gpointer)&stream->model->base, NULL, error);
}

static VidgenStream *
new_stream (VidgenModel *base, const VidgenStreamParams *params, GError **error)
{
  WanStream *stream =
      new_planned ((const VidgenWanModel *)base, &params->format);

  stream->base.params = *params;
  stream->stats.memory_bytes = stream_bytes (stream, &params->format);
  if (allocate (stream, &params->format, error) && warm_up (stream, error)) {
    stream->taken_from = (VidgenWanModel *)base;
    vidgen_wan_room_take (stream->taken_from, stream->stats.memory_bytes);
    return &stream->base;
  }
  vidgen_wan_stream_free (&stream->base);
  return NULL;
}

VidgenStream *
vidgen_wan_stream_new (
    VidgenModel *base, const VidgenStreamParams *params, GError **error)
{
  g_autoptr (GError) cause = NULL;
  VidgenStream *stream = new_stream (base, params, &cause);

  if (stream)
    return stream;
  if (g_error_matches (cause, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY) &&
      vidgen_wan_room_make ((VidgenWanModel *)base))
    return new_stream (base, params, error);
  g_propagate_error (error, g_steal_pointer (&cause));
  return NULL;
}
