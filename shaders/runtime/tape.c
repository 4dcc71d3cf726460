/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "shaders/runtime/error.h"
#include "shaders/runtime/recorder-private.h"

void
vidgen_recorder_begin_tape (VidgenRecorder *recorder, VidgenSpan words)
{
  g_return_if_fail (recorder->mode == VIDGEN_RECORDER_RUN && !recorder->tape);
  vidgen_recorder_submit (recorder, NULL, NULL);
  recorder->tape = recorder->klass->new_tape (recorder);
  recorder->tape->recorder = recorder;
  recorder->tape->words = words;
}

VidgenTape *
vidgen_recorder_end_tape (VidgenRecorder *recorder)
{
  VidgenTape *tape = recorder->tape;
  gboolean good = !recorder->error;

  g_return_val_if_fail (tape != NULL, NULL);
  if (good)
    good = recorder->klass->end_tape (recorder, &recorder->error);
  recorder->tape = NULL;
  vidgen_hazards_clear (recorder->hazards);
  if (good)
    return tape;
  vidgen_tape_free (tape);
  return NULL;
}

void
vidgen_tape_free (VidgenTape *tape)
{
  if (tape)
    tape->recorder->klass->free_tape (tape);
}

void
vidgen_tape_write_words (const VidgenTape *tape, const void *words)
{
  if (tape->words.memory)
    memcpy (vidgen_span_map (tape->words), words, tape->words.size);
}

void
vidgen_recorder_play (
    VidgenRecorder *recorder, VidgenTape *tape, const void *words)
{
  if (vidgen_recorder_submit (recorder, NULL, NULL))
    recorder->klass->play (
        tape, words, FALSE, recorder->cancellable, &recorder->error);
  tape->n_played = 0;
}

void
vidgen_recorder_play_ahead (
    VidgenRecorder *recorder, VidgenTape *tape, const void *words)
{
  g_autoptr (GError) error = NULL;

  if (recorder->error || g_cancellable_is_cancelled (recorder->cancellable))
    return;
  vidgen_hazards_clear (recorder->hazards);
  if (!recorder->klass->submit (recorder, NULL, &recorder->error) ||
      recorder->klass->play (tape, words, TRUE, recorder->cancellable, &error))
    return;
  tape->n_played = 0;
  if (g_error_matches (error, VIDGEN_ERROR, VIDGEN_ERROR_DEVICE_LOST))
    recorder->error = g_steal_pointer (&error);
}

void
vidgen_tape_rewind (VidgenTape *tape)
{
  tape->n_played = 0;
}

gboolean
vidgen_recorder_await (VidgenRecorder *recorder, VidgenTape *tape)
{
  if (!recorder->error)
    recorder->klass->await (tape, &recorder->error);
  if (recorder->error)
    return FALSE;
  vidgen_recorder_report_times (recorder);
  return TRUE;
}

gboolean
vidgen_tape_is_stale (const VidgenTape *tape)
{
  return tape->recorder->klass->is_stale (tape);
}
