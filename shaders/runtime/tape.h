/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/recorder.h"

G_BEGIN_DECLS

/* Launches, copies and clears that are recorded once and run many times.
 *
 * A tape belongs to the recorder that recorded it: only that recorder plays it,
 * on that recorder's thread, and the tape is freed before the recorder. It owns
 * its commands and copies of the launches' parameters, but holds no reference
 * to the memories of their spans, which must outlive it.
 *
 * Everything but the contents of memory is fixed: spans, shapes, seeds,
 * factors. What changes from run to run lies in `words`, memory that the host
 * writes and the launches of the tape read.
 *
 * A tape stays good for as long as its memories live. It is cut into submits
 * by what was known of the kernels when it was recorded;
 * vidgen_tape_is_stale() tells when that has proved far off, and recording anew
 * is worth while. After a device is lost it fails like all else.
 */
typedef struct _VidgenTape VidgenTape;

/* What follows is recorded and not run, up to vidgen_recorder_end_tape(); what
 * was recorded before is submitted. In between there is no submit, finish or
 * play. `words`: what every run of the tape writes first; mapped memory of a
 * size that is a multiple of 4, read by this tape alone, or absent. Not in
 * PREPARE mode. */
void vidgen_recorder_begin_tape (VidgenRecorder *recorder, VidgenSpan words);
/* NULL when the recorder has failed; vidgen_recorder_finish() then tells why.
 */
VidgenTape *vidgen_recorder_end_tape (VidgenRecorder *recorder);
/* Waits where the tape is in flight. NULL is accepted. */
void vidgen_tape_free (VidgenTape *tape);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenTape, vidgen_tape_free)

/* Runs the tape after everything that was recorded or played before, as the
 * same launches would run if they were recorded now: in submits, at most two in
 * flight, with a check for cancel before each. Returns when the last is
 * submitted. `words` has as many bytes as the tape's words and is written when
 * no earlier run of the tape is in flight any more. */
void vidgen_recorder_play (
    VidgenRecorder *recorder, VidgenTape *tape, const void *words);

/* Begins a run, or goes on with one, as far as that takes no waiting; the next
 * vidgen_recorder_play() of the tape runs the rest, with the words that the run
 * has begun with. What is recorded or played in between runs in between. A
 * cancel, or what fails of the run short of a lost device, is no failure here:
 * the next play then starts anew. What was recorded before and is not submitted
 * yet is submitted first, without a check for cancel; when that fails the
 * recorder has failed. The host device, where nothing runs beside the host,
 * stops half-way. */
void vidgen_recorder_play_ahead (
    VidgenRecorder *recorder, VidgenTape *tape, const void *words);
/* Gives up the run that was begun: the next one starts anew. What was submitted
 * of it still runs. */
void vidgen_tape_rewind (VidgenTape *tape);

/* Waits until what was played of the tape, and everything before it, has run;
 * what it wrote may be read by the host then. That takes two submits at most,
 * so there is no check for cancel. Reports the times of what has run since the
 * last report, as finish does. FALSE when the recorder has failed;
 * vidgen_recorder_finish() then tells why and makes it usable again. */
gboolean vidgen_recorder_await (VidgenRecorder *recorder, VidgenTape *tape);

gboolean vidgen_tape_is_stale (const VidgenTape *tape);

G_END_DECLS
