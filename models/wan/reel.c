/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/reel.h"

#include <string.h>

#include "models/ahead.h"
#include "models/tapes.h"

G_STATIC_ASSERT (VIDGEN_WAN_REEL_SAMPLES >= VIDGEN_WAN_MAX_WINDOW);

/* In the words of a tape: the chunk's number, low half first, then the view's
 * positions. */
#define POSITIONS 16

struct _VidgenWanReel {
  VidgenWanWork *work;
  VidgenRecorder *recorder;
  VidgenMemory *memory;
  VidgenTapes *samples; /* by SampleKey */
  VidgenTapes *outputs; /* by OutputKey */
  gpointer words;       /* of the tape being played */
  VidgenAhead ahead;    /* of `samples` */
  gpointer ahead_words;
};

/* What is fixed on a tape that makes the latents of a chunk. */
typedef struct {
  double guidance;
  guint n_steps;
  guint n_slots;
  guint n_runs;
  VidgenWanRun runs[VIDGEN_WAN_MAX_WINDOW];
} SampleKey;

/* What is fixed on one that keeps and decodes them. */
typedef struct {
  guint newest;
  guint video, format, phase;
} OutputKey;

static guint
common_divisor (guint a, guint b)
{
  return b == 0 ? a : common_divisor (b, a % b);
}

guint
vidgen_wan_reel_samples (const VidgenWanShape *shape, guint sink)
{
  const guint ring = shape->window - sink;
  const guint filling = (shape->window - 1) / shape->chunk;
  const guint filled = ring / common_divisor (ring, shape->chunk);

  return MIN (filling + filled, VIDGEN_WAN_REEL_SAMPLES);
}

static guint
n_samples (const VidgenWanWork *work)
{
  return vidgen_wan_reel_samples (&work->shape, work->preset->sink);
}

static gsize
words_bytes (const VidgenWanWork *work)
{
  return POSITIONS + vidgen_wan_transformer_positions_bytes (
                         &work->model->config, work->shape.window);
}

guint64
vidgen_wan_reel_bytes (const VidgenWanWork *work)
{
  return vidgen_tapes_bytes (n_samples (work), words_bytes (work));
}

VidgenWanReel *
vidgen_wan_reel_new (
    VidgenWanWork *work, VidgenRecorder *recorder, GError **error)
{
  const gsize bytes = words_bytes (work);
  VidgenWanReel *reel;
  VidgenMemory *memory = vidgen_memory_new (work->model->base.device,
      vidgen_wan_reel_bytes (work), VIDGEN_MEMORY_UPLOAD, error);

  if (!memory)
    return NULL;
  reel = g_new0 (VidgenWanReel, 1);
  reel->work = work;
  reel->recorder = recorder;
  reel->memory = memory;
  reel->samples = vidgen_tapes_new (recorder, n_samples (work),
      sizeof (SampleKey), vidgen_memory_span (memory), bytes);
  reel->outputs = vidgen_tapes_new (recorder, VIDGEN_WAN_REEL_OUTPUTS,
      sizeof (OutputKey), VIDGEN_SPAN_NONE, 0);
  reel->words = g_malloc0 (bytes);
  reel->ahead_words = g_malloc0 (bytes);
  return reel;
}

void
vidgen_wan_reel_free (VidgenWanReel *reel)
{
  if (!reel)
    return;
  vidgen_tapes_free (reel->samples);
  vidgen_tapes_free (reel->outputs);
  vidgen_memory_unref (reel->memory);
  g_free (reel->words);
  g_free (reel->ahead_words);
  g_free (reel);
}

guint
vidgen_wan_reel_n_tapes (const VidgenWanReel *reel)
{
  return vidgen_tapes_count (reel->samples) +
         vidgen_tapes_count (reel->outputs);
}

void
vidgen_wan_reel_forget_ahead (VidgenWanReel *reel)
{
  vidgen_ahead_forget (&reel->ahead);
}

static void
fill_sample_key (SampleKey *key, const VidgenWanReel *reel,
    const VidgenWanJob *job, const VidgenWanView *view)
{
  memset (key, 0, sizeof *key);
  key->guidance = reel->work->preset->clip ? job->guidance : 0;
  key->n_steps = job->schedule.n_steps;
  key->n_slots = view->n_slots;
  key->n_runs = view->n_runs;
  memcpy (key->runs, view->runs, view->n_runs * sizeof *key->runs);
}

static void
fill_words (const VidgenWanReel *reel, guint64 chunk, const VidgenWanView *view,
    gpointer words)
{
  guint32 *halves = words;

  halves[0] = (guint32)chunk;
  halves[1] = (guint32)(chunk >> 32);
  vidgen_wan_transformer_write_positions (&reel->work->model->config, view,
      (gpointer)((guint8 *)words + POSITIONS));
}

static VidgenTape *
record_sample (VidgenWanReel *reel, const VidgenWanJob *job,
    const VidgenWanView *view, const SampleKey *key)
{
  const VidgenSpan words = vidgen_tapes_begin (reel->samples, key);
  VidgenWanJob taped = *job;

  taped.position = vidgen_span_cut (words, 0, 2 * sizeof (guint32));
  taped.positions = vidgen_span_cut (words, POSITIONS,
      vidgen_wan_transformer_positions_bytes (
          &reel->work->model->config, view->n_slots));
  vidgen_wan_work_record_sample (reel->work, reel->recorder, &taped);
  return vidgen_tapes_end (reel->samples);
}

/* Makes the chunk's latents, or goes on with what was begun ahead. */
static void
play_sample (VidgenWanReel *reel, const VidgenWanJob *job)
{
  VidgenWanView view;
  VidgenTape *tape;
  SampleKey key;

  vidgen_wan_work_view (reel->work, job, &view);
  fill_sample_key (&key, reel, job, &view);
  tape = vidgen_tapes_find (reel->samples, &key);
  vidgen_ahead_take (&reel->ahead, tape, job->chunk);
  if (!tape)
    tape = record_sample (reel, job, &view, &key);
  if (!tape)
    return;
  fill_words (reel, job->chunk, &view, reel->words);
  vidgen_recorder_play (reel->recorder, tape, reel->words);
}

static void
fill_output_key (
    const VidgenWanReel *reel, OutputKey *key, const VidgenWanJob *job)
{
  *key = (OutputKey){ .newest = reel->work->newest };
  if (!job->request->video)
    return;
  key->video = TRUE;
  key->format = job->request->picture_format;
  key->phase = vidgen_decoder_stream_phase (reel->work->decoder);
}

/* Keeps and decodes them; the tape that does, or NULL. */
static VidgenTape *
play_output (VidgenWanReel *reel, const VidgenWanJob *job)
{
  VidgenTape *tape;
  OutputKey key;

  if (job->request->video &&
      !vidgen_wan_work_decoder_is_ready (reel->work, job)) {
    vidgen_wan_work_record_output (reel->work, reel->recorder, job);
    return NULL;
  }
  fill_output_key (reel, &key, job);
  tape = vidgen_tapes_find (reel->outputs, &key);
  if (tape) {
    vidgen_wan_work_skip_output (reel->work, job);
  } else {
    vidgen_tapes_begin (reel->outputs, &key);
    vidgen_wan_work_record_output (reel->work, reel->recorder, job);
    tape = vidgen_tapes_end (reel->outputs);
  }
  if (tape)
    vidgen_recorder_play (reel->recorder, tape, NULL);
  return tape;
}

/* Begins with the latents of the chunk after this one, all of which is
 * submitted, if that takes no recording. What they leave in the cache lies
 * where the oldest frames did that this chunk sees: from here on it cannot be
 * made again. */
static void
look_ahead (VidgenWanReel *reel, const VidgenWanJob *next)
{
  VidgenWanView view;
  SampleKey key;

  if (!next)
    return;
  vidgen_wan_work_view (reel->work, next, &view);
  fill_sample_key (&key, reel, next, &view);
  fill_words (reel, next->chunk, &view, reel->ahead_words);
  vidgen_ahead_begin (&reel->ahead, reel->recorder,
      vidgen_tapes_find (reel->samples, &key), next->chunk, reel->ahead_words);
}

gboolean
vidgen_wan_reel_make (VidgenWanReel *reel, const VidgenWanJob *job,
    const VidgenWanJob *next, GCancellable *cancellable, GError **error)
{
  VidgenTape *output;

  if (job->again)
    vidgen_wan_work_record_again (reel->work, reel->recorder, job);
  play_sample (reel, job);
  output = play_output (reel, job);
  if (output) {
    look_ahead (reel, next);
    if (vidgen_ahead_await (&reel->ahead, reel->recorder, output))
      return TRUE;
  }
  return vidgen_recorder_finish (reel->recorder, cancellable, error);
}
