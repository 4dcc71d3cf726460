/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/reel.h"

#include <string.h>

#include "models/ahead.h"
#include "models/tapes.h"

/* More than a stream takes in turns, of two kinds of requests. */
#define OUTPUT_TAPES 12
#define WORDS_BYTES 8

typedef struct {
  guint32 halves[WORDS_BYTES / 4]; /* low one first */
} Words;

struct _VidgenMiniReel {
  VidgenMiniWork *work;
  VidgenRecorder *recorder;
  VidgenMemory *words;
  VidgenTapes *samples; /* by SampleKey */
  VidgenTapes *outputs; /* by OutputKey */
  VidgenAhead ahead;    /* of `samples` */
  Words ahead_words;
  VidgenMiniContext ahead_context;
};

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

/* What a stream takes in turns: the chunks that it begins with, a window and
 * one chunk over and over, and the same where a prompt's change has moved it.
 */
static guint
sample_tapes (const VidgenMiniConfig *config)
{
  return 3 * (config->context.window + 1) + 1;
}

guint64
vidgen_mini_reel_bytes (const VidgenMiniConfig *config)
{
  return vidgen_tapes_bytes (sample_tapes (config) + OUTPUT_TAPES, WORDS_BYTES);
}

static VidgenTapes *
new_tapes (VidgenMiniReel *reel, guint n, guint first, gsize key_bytes)
{
  const VidgenSpan words = vidgen_span_cut (vidgen_memory_span (reel->words),
      vidgen_tapes_bytes (first, WORDS_BYTES),
      vidgen_tapes_bytes (n, WORDS_BYTES));

  return vidgen_tapes_new (reel->recorder, n, key_bytes, words, WORDS_BYTES);
}

VidgenMiniReel *
vidgen_mini_reel_new (VidgenMiniWork *work, VidgenRecorder *recorder,
    VidgenDevice *device, GError **error)
{
  const guint n_samples = sample_tapes (work->config);
  VidgenMiniReel *reel = g_new0 (VidgenMiniReel, 1);

  reel->work = work;
  reel->recorder = recorder;
  vidgen_mini_context_init (&reel->ahead_context, work->config);
  reel->words = vidgen_memory_new (device,
      vidgen_mini_reel_bytes (work->config), VIDGEN_MEMORY_UPLOAD, error);
  if (!reel->words) {
    vidgen_mini_reel_free (reel);
    return NULL;
  }
  reel->samples = new_tapes (reel, n_samples, 0, sizeof (SampleKey));
  reel->outputs = new_tapes (reel, OUTPUT_TAPES, n_samples, sizeof (OutputKey));
  return reel;
}

void
vidgen_mini_reel_free (VidgenMiniReel *reel)
{
  if (!reel)
    return;
  vidgen_tapes_free (reel->samples);
  vidgen_tapes_free (reel->outputs);
  vidgen_memory_unref (reel->words);
  vidgen_mini_context_clear (&reel->ahead_context);
  g_free (reel);
}

void
vidgen_mini_reel_forget_ahead (VidgenMiniReel *reel)
{
  vidgen_ahead_forget (&reel->ahead);
}

static Words
words_of (guint64 chunk)
{
  return (Words){ { (guint32)chunk, (guint32)(chunk >> 32) } };
}

static void
fill_sample_key (SampleKey *key, const VidgenMiniJob *job)
{
  memset (key, 0, sizeof *key);
  key->view = *job->view;
  key->n_text = job->n_text;
  key->schedule = job->schedule;
}

static void
play (VidgenMiniReel *reel, VidgenTape *tape, const VidgenMiniJob *job)
{
  const Words words = words_of (job->chunk);

  if (tape)
    vidgen_recorder_play (reel->recorder, tape, &words);
}

/* Makes the chunk's tokens, or goes on with what was begun ahead. */
static void
play_sample (VidgenMiniReel *reel, const VidgenMiniJob *job)
{
  VidgenTape *tape;
  SampleKey key;

  fill_sample_key (&key, job);
  tape = vidgen_tapes_find (reel->samples, &key);
  vidgen_ahead_take (&reel->ahead, tape, job->chunk);
  if (!tape) {
    VidgenMiniJob taped = *job;

    taped.position = vidgen_tapes_begin (reel->samples, &key);
    vidgen_mini_work_record_sample (reel->work, reel->recorder, &taped);
    tape = vidgen_tapes_end (reel->samples);
  }
  play (reel, tape, job);
}

static void
fill_output_key (
    const VidgenMiniReel *reel, OutputKey *key, const VidgenMiniJob *job)
{
  *key = (OutputKey){ .latents = job->chunk % VIDGEN_MINI_LATENTS,
    .sound_copy = reel->work->sound.last_levels.current,
    .sound_starts = job->at_start,
    .audio = job->request->audio };
  if (!job->request->video)
    return;
  key->video = TRUE;
  key->format = job->request->picture_format;
  key->decoder_copy = reel->work->decoder.memory1.current;
  key->decoder_starts = job->chunk == 0;
}

/* Makes pictures and sound; the tape that does, or NULL. */
static VidgenTape *
play_output (VidgenMiniReel *reel, const VidgenMiniJob *job)
{
  VidgenTape *tape;
  OutputKey key;

  if (job->request->video &&
      !vidgen_mini_work_decoder_is_ready (reel->work, job)) {
    vidgen_mini_work_record_output (reel->work, reel->recorder, job);
    return NULL;
  }
  fill_output_key (reel, &key, job);
  tape = vidgen_tapes_find (reel->outputs, &key);
  if (!tape) {
    VidgenMiniJob taped = *job;

    taped.position = vidgen_tapes_begin (reel->outputs, &key);
    vidgen_mini_work_record_output (reel->work, reel->recorder, &taped);
    tape = vidgen_tapes_end (reel->outputs);
  }
  play (reel, tape, job);
  return tape;
}

/* Begins with the tokens of the chunk after this one, all of which is
 * submitted, if that takes no recording. They go where the oldest lies that
 * this chunk sees: from here on it cannot be made again. */
static void
look_ahead (VidgenMiniReel *reel, const VidgenMiniJob *job,
    const VidgenMiniContext *context)
{
  VidgenMiniView view;
  VidgenMiniJob next = *job;
  SampleKey key;

  if (!context)
    return;
  next.chunk++;
  next.view = &view;
  vidgen_mini_context_copy (&reel->ahead_context, context);
  vidgen_mini_context_commit (
      &reel->ahead_context, job->chunk, job->prompt_started, job->view->slot);
  vidgen_mini_context_view (&reel->ahead_context, next.chunk, FALSE, &view);
  fill_sample_key (&key, &next);
  reel->ahead_words = words_of (next.chunk);
  vidgen_ahead_begin (&reel->ahead, reel->recorder,
      vidgen_tapes_find (reel->samples, &key), next.chunk, &reel->ahead_words);
}

gboolean
vidgen_mini_reel_make (VidgenMiniReel *reel, const VidgenMiniJob *job,
    const VidgenMiniContext *context, GCancellable *cancellable, GError **error)
{
  VidgenTape *output;

  play_sample (reel, job);
  output = play_output (reel, job);
  if (output) {
    look_ahead (reel, job, context);
    if (vidgen_ahead_await (&reel->ahead, reel->recorder, output))
      return TRUE;
  }
  return vidgen_recorder_finish (reel->recorder, cancellable, error);
}
