/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/tape.h"

G_BEGIN_DECLS

/* The run of a tape that a stream has begun for the chunk after the one that it
 * makes. Zeroed: none. Of the recorder's thread. */
typedef struct {
  VidgenTape *tape; /* NULL: none */
  guint64 chunk;
  gconstpointer words;
} VidgenAhead;

/* Begins a run for the chunk, all of what is before which is submitted; nothing
 * where `tape` is NULL. The words stay until the run has ended or is forgotten.
 */
void vidgen_ahead_begin (VidgenAhead *ahead, VidgenRecorder *recorder,
    VidgenTape *tape, guint64 chunk, gconstpointer words);
/* As vidgen_recorder_await() of what the chunk before is read from; goes on
 * with the run then, or forgets it. */
gboolean vidgen_ahead_await (
    VidgenAhead *ahead, VidgenRecorder *recorder, VidgenTape *output);
/* `tape`, or NULL what has none yet, is to be played for the chunk: a run that
 * was begun for that goes on, any other is forgotten. */
void vidgen_ahead_take (VidgenAhead *ahead, VidgenTape *tape, guint64 chunk);
/* Forgets the run: the tape's next one starts anew. */
void vidgen_ahead_forget (VidgenAhead *ahead);

G_END_DECLS
