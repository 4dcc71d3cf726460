/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/stream.h"

#include <string.h>

#include "models/mini/context.h"
#include "models/mini/step.h"
#include "models/tapes.h"
#include "shaders/picture.h"

/* Latents of the chunk being made and of those its decoding depends on; a
 * multiple of the two copies of what is carried on, so that tapes are few. */
#define LATENTS 4
G_STATIC_ASSERT (LATENTS > VIDGEN_MINI_DECODER_REACH);

/* More than a stream takes in turns, of two kinds of requests. */
#define OUTPUT_TAPES 12
#define WORDS_BYTES 8

/* The spans of a stream, all in one plan. */
typedef struct {
  VidgenMiniTransformer transformer;
  VidgenMiniDecoder decoder;
  VidgenMiniSound sound;
  VidgenSpan video;            /* standardised video tokens */
  VidgenSpan latents[LATENTS]; /* the same of the last chunks, by chunk */
  VidgenSpan audio;            /* standardised audio tokens */
  VidgenSpan picture;
} Parts;

typedef struct {
  VidgenStream base;
  const VidgenMiniConfig *config;
  VidgenPlan *plan;
  VidgenRecorder *recorder;
  VidgenMemory *upload;   /* the prompt's states, then the words of tapes */
  VidgenMemory *readback; /* pictures, then samples */
  VidgenMemory *picture;  /* video tokens of a first picture, or NULL */
  Parts parts;
  VidgenMiniContext context;
  /* What vidgen_mini_transformer_prompt() last worked on; NULL: do it. */
  GBytes *prompt;
  const VidgenMiniSchedule *schedule;
  guint64 next_decoded; /* the chunk that the decoder's memory is right for */
  VidgenTapes *samples; /* by SampleKey */
  VidgenTapes *outputs; /* by OutputKey */
  gboolean without_tapes;
  VidgenTape *ahead; /* of `samples`, a run of which has begun; or NULL */
  guint64 ahead_chunk;
  VidgenMiniContext ahead_context;
  VidgenStreamStats stats;
} MiniStream;

/* What is fixed on a tape that makes the tokens of a chunk. */
typedef struct {
  VidgenMiniView view;
  guint n_text;
  const VidgenMiniSchedule *schedule;
} SampleKey;

/* What is fixed on one that makes pictures and sound of them. */
typedef struct {
  guint latents;
  guint decoder_copy, decoder_starts;
  guint sound_copy, sound_starts;
  guint video, audio, format;
} OutputKey;

static guint64
largest_picture_bytes (const VidgenMiniConfig *config)
{
  guint64 largest = 0;

  for (guint i = 0; i < VIDGEN_PICTURE_FORMATS; i++) {
    VidgenPictureLayout layout;

    vidgen_picture_layout (
        i, config->video.width, config->video.height, &layout);
    largest = MAX (largest, layout.size);
  }
  return largest;
}

static guint64
picture_bytes (const VidgenMiniConfig *config)
{
  return largest_picture_bytes (config) * config->chunk.frames;
}

static guint64
states_bytes (const VidgenMiniConfig *config)
{
  return 4 * (guint64)config->text.tokens * config->text.size;
}

static guint64
words_start (const VidgenMiniConfig *config)
{
  return (states_bytes (config) + VIDGEN_SPAN_ALIGNMENT - 1) /
         VIDGEN_SPAN_ALIGNMENT * VIDGEN_SPAN_ALIGNMENT;
}

/* What a stream takes in turns: the chunks that it begins with, a window and
 * one chunk over and over, and the same where a prompt's change has moved it.
 */
static guint
sample_tapes (const VidgenMiniConfig *config)
{
  return 3 * (config->context.window + 1) + 1;
}

static guint64
upload_bytes (const VidgenMiniConfig *config)
{
  return words_start (config) +
         (guint64)(sample_tapes (config) + OUTPUT_TAPES) *
             VIDGEN_TAPES_WORDS_BYTES;
}

static guint64
readback_bytes (const VidgenMiniConfig *config)
{
  return picture_bytes (config) + 8 * (guint64)config->chunk.samples;
}

static VidgenPlan *
plan_parts (Parts *parts, const VidgenMiniConfig *config)
{
  VidgenPlan *plan = vidgen_plan_new ();
  const guint64 latent = (guint64)vidgen_mini_video_tokens (config) *
                         vidgen_mini_video_values (config);

  vidgen_mini_transformer_plan (&parts->transformer, config, plan);
  vidgen_mini_decoder_plan (&parts->decoder, config, plan);
  vidgen_mini_sound_plan (&parts->sound, config, plan);
  vidgen_plan_add (plan, &parts->video, latent, VIDGEN_MINI_STEP_TRANSFORMER,
      VIDGEN_MINI_STEP_DECODE_IN);
  for (guint i = 0; i < LATENTS; i++)
    vidgen_plan_keep (plan, &parts->latents[i], latent);
  vidgen_plan_add (plan, &parts->audio,
      (guint64)config->sound.tokens * config->sound.token_size,
      VIDGEN_MINI_STEP_TRANSFORMER, VIDGEN_MINI_STEP_SOUND);
  vidgen_plan_add (plan, &parts->picture, picture_bytes (config) / 4,
      VIDGEN_MINI_STEP_PICTURE, VIDGEN_MINI_STEP_PICTURE);
  return plan;
}

guint64
vidgen_mini_stream_bytes (const VidgenMiniConfig *config)
{
  Parts parts = { 0 };
  g_autoptr (VidgenPlan) plan = plan_parts (&parts, config);

  return vidgen_plan_bytes (plan) + upload_bytes (config) +
         readback_bytes (config);
}

static gboolean
allocate (MiniStream *stream, VidgenMiniModel *model, GError **error)
{
  VidgenDevice *device = model->base.device;
  Parts *parts = &stream->parts;

  stream->plan = plan_parts (parts, model->config);
  parts->transformer.config = model->config;
  parts->transformer.weights = &model->weights->transformer;
  parts->decoder.config = model->config;
  parts->decoder.weights = &model->weights->decoder;
  parts->sound.config = model->config;
  parts->sound.weights = &model->weights->sound;
  if (!vidgen_plan_allocate (stream->plan, device, error))
    return FALSE;
  stream->upload = vidgen_memory_new (
      device, upload_bytes (model->config), VIDGEN_MEMORY_UPLOAD, error);
  if (!stream->upload)
    return FALSE;
  stream->readback = vidgen_memory_new (
      device, readback_bytes (model->config), VIDGEN_MEMORY_READBACK, error);
  return stream->readback != NULL;
}

static VidgenTapes *
new_tapes (MiniStream *stream, guint n, guint first, gsize key_bytes)
{
  const VidgenSpan words = vidgen_span_cut (vidgen_memory_span (stream->upload),
      words_start (stream->config) + first * VIDGEN_TAPES_WORDS_BYTES,
      n * VIDGEN_TAPES_WORDS_BYTES);

  return vidgen_tapes_new (stream->recorder, n, key_bytes, words, WORDS_BYTES);
}

VidgenStream *
vidgen_mini_stream_new (VidgenModel *base,
    const VidgenStreamParams *params G_GNUC_UNUSED, GError **error)
{
  VidgenMiniModel *model = (VidgenMiniModel *)base;
  MiniStream *stream = g_new0 (MiniStream, 1);
  guint n_samples;

  stream->config = model->config;
  vidgen_mini_context_init (&stream->context, model->config);
  vidgen_mini_context_init (&stream->ahead_context, model->config);
  stream->stats.memory_bytes = vidgen_mini_stream_bytes (model->config);
  stream->recorder =
      vidgen_recorder_new (base->device, VIDGEN_RECORDER_RUN, error);
  if (!stream->recorder || !allocate (stream, model, error)) {
    vidgen_mini_stream_free (&stream->base);
    return NULL;
  }
  n_samples = sample_tapes (stream->config);
  stream->samples = new_tapes (stream, n_samples, 0, sizeof (SampleKey));
  stream->outputs =
      new_tapes (stream, OUTPUT_TAPES, n_samples, sizeof (OutputKey));
  return &stream->base;
}

void
vidgen_mini_stream_free (VidgenStream *base)
{
  MiniStream *stream = (MiniStream *)base;

  vidgen_tapes_free (stream->samples);
  vidgen_tapes_free (stream->outputs);
  vidgen_recorder_free (stream->recorder);
  vidgen_plan_free (stream->plan);
  vidgen_memory_unref (stream->upload);
  vidgen_memory_unref (stream->readback);
  vidgen_memory_unref (stream->picture);
  vidgen_mini_context_clear (&stream->context);
  vidgen_mini_context_clear (&stream->ahead_context);
  g_clear_pointer (&stream->prompt, g_bytes_unref);
  g_free (stream);
}

static void
forget_ahead (MiniStream *stream)
{
  if (stream->ahead)
    vidgen_tape_rewind (stream->ahead);
  stream->ahead = NULL;
}

void
vidgen_mini_stream_restart (VidgenStream *base)
{
  MiniStream *stream = (MiniStream *)base;

  forget_ahead (stream);
  vidgen_mini_context_reset (&stream->context);
  stream->next_decoded = 0;
}

void
vidgen_mini_stream_set_tap (VidgenStream *base, const VidgenTap *tap)
{
  MiniStream *stream = (MiniStream *)base;

  stream->parts.transformer.tap = tap;
  stream->parts.decoder.tap = tap;
  stream->parts.sound.tap = tap;
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

/* One chunk to record. */
typedef struct {
  guint64 chunk;
  VidgenSpan position; /* where it is read from, as of VidgenNoise */
  const VidgenChunkRequest *request;
  const VidgenMiniView *view;
  const VidgenMiniSchedule *schedule;
  guint n_text;
  gboolean prompt_started;
} Job;

static void
record_prompt (MiniStream *stream, VidgenRecorder *recorder, const Job *job)
{
  Parts *parts = &stream->parts;
  const VidgenSpan upload = vidgen_memory_span (stream->upload);
  const guint64 count = (guint64)job->n_text * stream->config->text.size;

  vidgen_recorder_stage (recorder, "text");
  vidgen_recorder_copy (
      recorder, parts->transformer.states, vidgen_floats (upload, 0, count));
  vidgen_mini_transformer_prompt (
      &parts->transformer, recorder, job->n_text, job->schedule);
}

static void
record_sample (MiniStream *stream, VidgenRecorder *recorder, const Job *job)
{
  Parts *parts = &stream->parts;
  const VidgenMiniSample sample = { .seed = stream->base.params.seed,
    .chunk = job->chunk,
    .position = job->position,
    .schedule = job->schedule,
    .n_text = job->n_text,
    .view = job->view,
    .video = parts->video,
    .audio = parts->audio };

  vidgen_recorder_stage (recorder, "transformer");
  vidgen_mini_transformer_sample (&parts->transformer, recorder, &sample);
}

/* Whether what the decoder remembers is right for the chunk. */
static gboolean
decoder_is_ready (const MiniStream *stream, const Job *job)
{
  return stream->next_decoded == job->chunk;
}

/* Decodes the chunk, after those that its memory depends on where that is not
 * right for it. */
static void
record_decode (MiniStream *stream, VidgenRecorder *recorder, const Job *job)
{
  Parts *parts = &stream->parts;
  const gboolean ready = decoder_is_ready (stream, job);
  const guint64 first =
      ready ? job->chunk
            : job->chunk - MIN (job->chunk, VIDGEN_MINI_DECODER_REACH);

  vidgen_recorder_stage (recorder, "decode");
  for (guint64 chunk = first; chunk <= job->chunk; chunk++) {
    const gboolean at_start = chunk == 0 || (chunk == first && !ready);

    vidgen_mini_decoder_record (
        &parts->decoder, recorder, parts->latents[chunk % LATENTS], at_start);
    if (chunk < job->chunk)
      vidgen_mini_decoder_advance (&parts->decoder);
  }
}

static void
record_picture (
    MiniStream *stream, VidgenRecorder *recorder, VidgenPictureFormat format)
{
  const VidgenMiniConfig *config = stream->config;
  VidgenPicture picture = { .frames = config->chunk.frames,
    .width = config->video.width,
    .height = config->video.height,
    .format = format,
    .rgb = stream->parts.decoder.rgb };
  VidgenPictureLayout layout;
  guint64 bytes;

  vidgen_picture_layout (format, picture.width, picture.height, &layout);
  bytes = (guint64)layout.size * picture.frames;
  picture.out = vidgen_span_cut (stream->parts.picture, 0, bytes);
  vidgen_recorder_stage (recorder, "output");
  vidgen_picture (recorder, &picture);
  vidgen_recorder_copy (
      recorder, vidgen_memory_span (stream->readback), picture.out);
}

static VidgenSpan
samples_readback (const MiniStream *stream)
{
  return vidgen_span_cut (vidgen_memory_span (stream->readback),
      picture_bytes (stream->config),
      8 * (guint64)stream->config->chunk.samples);
}

static void
record_sound (MiniStream *stream, VidgenRecorder *recorder, const Job *job)
{
  Parts *parts = &stream->parts;
  const VidgenMiniSounding sounding = { .tokens = parts->audio,
    .seed = stream->base.params.seed,
    .chunk = job->chunk,
    .position = job->position,
    .at_start = job->chunk == first_chunk (stream),
    .wanted = job->request->audio };

  vidgen_recorder_stage (recorder, "sound");
  vidgen_mini_sound_record (&parts->sound, recorder, &sounding);
  if (job->request->audio) {
    vidgen_recorder_stage (recorder, "output");
    vidgen_recorder_copy (
        recorder, samples_readback (stream), parts->sound.samples);
  }
}

static void
record_output (MiniStream *stream, VidgenRecorder *recorder, const Job *job)
{
  vidgen_recorder_stage (recorder, "transformer");
  vidgen_recorder_copy (recorder, stream->parts.latents[job->chunk % LATENTS],
      stream->parts.video);
  if (job->request->video) {
    record_decode (stream, recorder, job);
    record_picture (stream, recorder, job->request->picture_format);
  }
  record_sound (stream, recorder, job);
}

static void
record (MiniStream *stream, VidgenRecorder *recorder, const Job *job)
{
  record_sample (stream, recorder, job);
  record_output (stream, recorder, job);
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

static VidgenChunk *
read_back (const MiniStream *stream, const VidgenChunkRequest *request)
{
  const VidgenMiniConfig *config = stream->config;
  const VidgenSpan pictures = vidgen_memory_span (stream->readback);
  VidgenPictureLayout layout = { 0 };
  VidgenChunk *chunk;
  gsize bytes = 0;

  if (request->video) {
    vidgen_picture_layout (request->picture_format, config->video.width,
        config->video.height, &layout);
    bytes = (gsize)layout.size * config->chunk.frames;
  }
  chunk = vidgen_chunk_new (bytes, request->audio ? config->chunk.samples : 0);
  if (request->video)
    memcpy (vidgen_chunk_pictures (chunk), vidgen_span_map (pictures), bytes);
  if (request->audio)
    memcpy (vidgen_chunk_sound (chunk),
        vidgen_span_map (samples_readback (stream)),
        8 * (gsize)config->chunk.samples);
  chunk->frames = config->chunk.frames;
  chunk->width = config->video.width;
  chunk->height = config->video.height;
  chunk->has_video = request->video;
  chunk->picture_format = request->picture_format;
  chunk->layout = layout;
  chunk->samples = config->chunk.samples;
  return chunk;
}

/* Records the work on a prompt or schedule that is not the last one's. */
static void
renew_prompt (MiniStream *stream, const Job *job)
{
  GBytes *prompt = stream->base.settings.conditioning;

  if (stream->prompt == prompt && stream->schedule == job->schedule)
    return;
  forget_ahead (stream);
  g_clear_pointer (&stream->prompt, g_bytes_unref);
  memcpy (vidgen_span_map (vidgen_memory_span (stream->upload)),
      vidgen_mini_conditioning_states (prompt),
      4 * (gsize)job->n_text * stream->config->text.size);
  record_prompt (stream, stream->recorder, job);
}

/* Reads the first picture as the chunk before the one at position 0. */
static void
read_picture (MiniStream *stream, const Job *job)
{
  Parts *parts = &stream->parts;
  VidgenMiniView view;
  const VidgenMiniSample sample = { .seed = stream->base.params.seed,
    .schedule = job->schedule,
    .n_text = job->n_text,
    .view = &view,
    .video = parts->latents[0],
    .audio = parts->audio };

  forget_ahead (stream);
  vidgen_mini_context_reset (&stream->context);
  vidgen_mini_context_view (&stream->context, 0, FALSE, &view);
  vidgen_recorder_stage (stream->recorder, "transformer");
  vidgen_recorder_copy (
      stream->recorder, sample.video, vidgen_memory_span (stream->picture));
  vidgen_recorder_clear (stream->recorder, sample.audio);
  vidgen_mini_transformer_read (&parts->transformer, stream->recorder, &sample);
  vidgen_mini_context_commit (&stream->context, 0, FALSE, view.slot);
}

static void
commit (MiniStream *stream, const Job *job)
{
  if (!stream->prompt)
    stream->prompt = g_bytes_ref (stream->base.settings.conditioning);
  stream->schedule = job->schedule;
  vidgen_mini_context_commit (
      &stream->context, job->chunk, job->prompt_started, job->view->slot);
  if (job->request->video) {
    vidgen_mini_decoder_advance (&stream->parts.decoder);
    stream->next_decoded = job->chunk + 1;
  }
  vidgen_mini_sound_advance (&stream->parts.sound);
}

typedef struct {
  guint32 halves[WORDS_BYTES / 4]; /* low one first */
} Words;

static Words
words_of (guint64 chunk)
{
  return (Words){ { (guint32)chunk, (guint32)(chunk >> 32) } };
}

static void
fill_sample_key (SampleKey *key, const Job *job)
{
  memset (key, 0, sizeof *key);
  key->view = *job->view;
  key->n_text = job->n_text;
  key->schedule = job->schedule;
}

static void
play (MiniStream *stream, VidgenTape *tape, const Job *job)
{
  const Words words = words_of (job->chunk);

  if (tape)
    vidgen_recorder_play (stream->recorder, tape, &words);
}

/* Makes the chunk's tokens, or goes on with what was begun ahead. */
static void
play_sample (MiniStream *stream, const Job *job)
{
  VidgenTape *tape;
  SampleKey key;

  fill_sample_key (&key, job);
  tape = vidgen_tapes_find (stream->samples, &key);
  if (tape != stream->ahead || job->chunk != stream->ahead_chunk)
    forget_ahead (stream);
  stream->ahead = NULL;
  if (!tape) {
    Job taped = *job;

    taped.position = vidgen_tapes_begin (stream->samples, &key);
    record_sample (stream, stream->recorder, &taped);
    tape = vidgen_tapes_end (stream->samples);
  }
  play (stream, tape, job);
}

static void
fill_output_key (const MiniStream *stream, OutputKey *key, const Job *job)
{
  *key = (OutputKey){ .latents = job->chunk % LATENTS,
    .sound_copy = stream->parts.sound.last_levels.current,
    .sound_starts = job->chunk == first_chunk (stream),
    .audio = job->request->audio };
  if (!job->request->video)
    return;
  key->video = TRUE;
  key->format = job->request->picture_format;
  key->decoder_copy = stream->parts.decoder.memory1.current;
  key->decoder_starts = job->chunk == 0;
}

/* Makes pictures and sound; the tape that does, or NULL. */
static VidgenTape *
play_output (MiniStream *stream, const Job *job)
{
  VidgenTape *tape;
  OutputKey key;

  if (job->request->video && !decoder_is_ready (stream, job)) {
    record_output (stream, stream->recorder, job);
    return NULL;
  }
  fill_output_key (stream, &key, job);
  tape = vidgen_tapes_find (stream->outputs, &key);
  if (!tape) {
    Job taped = *job;

    taped.position = vidgen_tapes_begin (stream->outputs, &key);
    record_output (stream, stream->recorder, &taped);
    tape = vidgen_tapes_end (stream->outputs);
  }
  play (stream, tape, job);
  return tape;
}

static void
play_ahead (MiniStream *stream)
{
  const Words words = words_of (stream->ahead_chunk);

  if (stream->ahead)
    vidgen_recorder_play_ahead (stream->recorder, stream->ahead, &words);
}

/* Begins with the tokens of the chunk after this one, all of which is
 * submitted, if that takes no recording. They go where the oldest lies that
 * this chunk sees: from here on it cannot be made again. A prompt that has just
 * changed may be on its way to another. */
static void
look_ahead (MiniStream *stream, const Job *job)
{
  VidgenMiniView view;
  Job next = *job;
  SampleKey key;

  if (stream->base.settings.conditioning_changed)
    return;
  next.chunk++;
  next.view = &view;
  vidgen_mini_context_copy (&stream->ahead_context, &stream->context);
  vidgen_mini_context_commit (
      &stream->ahead_context, job->chunk, job->prompt_started, job->view->slot);
  vidgen_mini_context_view (&stream->ahead_context, next.chunk, FALSE, &view);
  fill_sample_key (&key, &next);
  stream->ahead = vidgen_tapes_find (stream->samples, &key);
  stream->ahead_chunk = next.chunk;
  play_ahead (stream);
}

static gboolean
make_taped (MiniStream *stream, const Job *job, GCancellable *cancellable,
    GError **error)
{
  VidgenTape *output;

  play_sample (stream, job);
  output = play_output (stream, job);
  if (output) {
    look_ahead (stream, job);
    if (vidgen_recorder_await (stream->recorder, output)) {
      play_ahead (stream);
      return TRUE;
    }
  }
  forget_ahead (stream);
  return vidgen_recorder_finish (stream->recorder, cancellable, error);
}

static gboolean
make_fresh (MiniStream *stream, const Job *job, GCancellable *cancellable,
    GError **error)
{
  forget_ahead (stream);
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
      !stream->without_tapes && !stream->parts.transformer.tap;
  VidgenMiniView view;
  const Job job = { .chunk = base->position + first_chunk (stream),
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
  return read_back (stream, request);
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
  Job job = { .request = &request, .view = &view };

  for (guint i = 1; i <= config->text.tokens; i++)
    vidgen_mini_text_record (model->text, recorder, i);
  job.schedule = &config->schedules[0];
  for (job.n_text = 1; job.n_text <= config->text.tokens; job.n_text++)
    record_prompt (stream, recorder, &job);
  job.n_text = 1;
  for (guint i = 1; i < config->n_schedules; i++) {
    job.schedule = &config->schedules[i];
    record_prompt (stream, recorder, &job);
  }
  for (job.chunk = 0; job.chunk <= stream->context.slots; job.chunk++) {
    vidgen_mini_context_view (&stream->context, job.chunk, FALSE, &view);
    stream->next_decoded = job.chunk;
    record (stream, recorder, &job);
    vidgen_mini_context_commit (&stream->context, job.chunk, FALSE, view.slot);
  }
  for (guint i = 0; i < VIDGEN_PICTURE_FORMATS; i++)
    record_picture (stream, recorder, i);
}

/* Drivers of CPUs compile when a pipeline first runs. */
static gboolean
run_once (MiniStream *stream, GCancellable *cancellable, GError **error)
{
  const VidgenMiniConfig *config = stream->config;
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_I420, TRUE };
  const VidgenMiniView view = { .n_runs = 1, .runs = { { 0, 1 } } };
  const Job job = { .request = &request,
    .view = &view,
    .schedule = vidgen_mini_schedule (config, config->steps),
    .n_text = config->text.tokens };

  vidgen_recorder_set_cancellable (stream->recorder, cancellable);
  record_prompt (stream, stream->recorder, &job);
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
  VidgenStream *stream = vidgen_mini_stream_new (&model->base, NULL, error);
  gboolean good;

  if (!stream)
    return FALSE;
  good = warm_up (
      (MiniStream *)stream, model, progress, user_data, cancellable, error);
  vidgen_mini_stream_free (stream);
  return good;
}
