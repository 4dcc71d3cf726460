/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/ahead.h"

static void
run (const VidgenAhead *ahead, VidgenRecorder *recorder)
{
  if (ahead->tape)
    vidgen_recorder_play_ahead (recorder, ahead->tape, ahead->words);
}

void
vidgen_ahead_begin (VidgenAhead *ahead, VidgenRecorder *recorder,
    VidgenTape *tape, guint64 chunk, gconstpointer words)
{
  *ahead = (VidgenAhead){ tape, chunk, words };
  run (ahead, recorder);
}

gboolean
vidgen_ahead_await (
    VidgenAhead *ahead, VidgenRecorder *recorder, VidgenTape *output)
{
  if (!vidgen_recorder_await (recorder, output)) {
    vidgen_ahead_forget (ahead);
    return FALSE;
  }
  run (ahead, recorder);
  return TRUE;
}

void
vidgen_ahead_take (VidgenAhead *ahead, VidgenTape *tape, guint64 chunk)
{
  if (tape != ahead->tape || chunk != ahead->chunk)
    vidgen_ahead_forget (ahead);
  ahead->tape = NULL;
}

void
vidgen_ahead_forget (VidgenAhead *ahead)
{
  if (ahead->tape)
    vidgen_tape_rewind (ahead->tape);
  ahead->tape = NULL;
}
