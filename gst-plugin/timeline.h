/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where frames and samples lie in time, from integer counters alone: a time is
 * always scaled from its counter, so that no error accumulates. Immutable once
 * filled. A frame's samples are those from samples_before (frame) up to
 * samples_before (frame + 1); the last frame of a clip may have one more.
 */
typedef struct {
  guint fps_n, fps_d; /* frames a second */
  guint rate;         /* Hz */
  guint64 frames;     /* G_MAXUINT64: endless */
} VidgenTimeline;

#define VIDGEN_ENDLESS G_MAXUINT64

/* floor (frame * 1e9 * fps_d / fps_n) */
guint64 vidgen_timeline_frame_ns (
    const VidgenTimeline *timeline, guint64 frame);
/* floor (sample * 1e9 / rate) */
guint64 vidgen_timeline_sample_ns (
    const VidgenTimeline *timeline, guint64 sample);
/* The frame shown at a time: the last that does not begin after it. */
guint64 vidgen_timeline_frame_at (const VidgenTimeline *timeline, guint64 ns);
/* The sample nearest to a time. */
guint64 vidgen_timeline_sample_at (const VidgenTimeline *timeline, guint64 ns);
/* The fewest frames that last at least `ns`; at least 1. */
guint64 vidgen_timeline_frames_in (const VidgenTimeline *timeline, guint64 ns);
/* floor (frame * rate * fps_d / fps_n) */
guint64 vidgen_timeline_samples_before (
    const VidgenTimeline *timeline, guint64 frame);
/* The same for content, which at the end of a clip is rounded to nearest. */
guint64 vidgen_timeline_content_before (
    const VidgenTimeline *timeline, guint64 frame);
/* The end of the clip; G_MAXUINT64 when endless. */
guint64 vidgen_timeline_end_ns (const VidgenTimeline *timeline);

/* What each slot of the output carries. Slot i is output frame i with its
 * samples; it shows a content frame, in order and without a gap, or is a
 * filler that repeats the content before it. Decided slots are kept as runs
 * until they are forgotten. Not thread-safe.
 */
typedef struct {
  GArray *runs;
  guint64 end;     /* the first slot that is not decided yet */
  guint64 content; /* the content frame that comes next */
} VidgenSlots;

typedef struct {
  guint64 slot;
  guint64 content; /* of a filler: the content frame repeated */
  gboolean filler;
  guint64 run_index; /* how many slots of the same kind went before it */
  gboolean resumes;  /* the first content behind fillers */
} VidgenPlace;

void vidgen_slots_init (VidgenSlots *slots);
void vidgen_slots_clear (VidgenSlots *slots);
/* Nothing is decided; slot `frame` will carry content `frame`, or a filler. */
void vidgen_slots_reset (VidgenSlots *slots, guint64 frame);
void vidgen_slots_add_content (VidgenSlots *slots);
/* At least one content frame must have gone before. */
void vidgen_slots_add_filler (VidgenSlots *slots);
/* `slot` must be decided and not forgotten. */
VidgenPlace vidgen_slots_find (const VidgenSlots *slots, guint64 slot);
/* Slots before `slot` are not asked for any more. */
void vidgen_slots_forget (VidgenSlots *slots, guint64 slot);

G_END_DECLS
