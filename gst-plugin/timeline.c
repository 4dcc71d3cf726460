/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/timeline.h"

#include <gst/gst.h>

guint64
vidgen_timeline_frame_ns (const VidgenTimeline *timeline, guint64 frame)
{
  return gst_util_uint64_scale (
      frame, GST_SECOND * timeline->fps_d, timeline->fps_n);
}

guint64
vidgen_timeline_sample_ns (const VidgenTimeline *timeline, guint64 sample)
{
  return gst_util_uint64_scale (sample, GST_SECOND, timeline->rate);
}

guint64
vidgen_timeline_frame_at (const VidgenTimeline *timeline, guint64 ns)
{
  guint64 frame =
      gst_util_uint64_scale (ns, timeline->fps_n, GST_SECOND * timeline->fps_d);

  /* Scaling twice rounds down twice, which can lose a frame. */
  while (vidgen_timeline_frame_ns (timeline, frame + 1) <= ns)
    frame++;
  return frame;
}

guint64
vidgen_timeline_sample_at (const VidgenTimeline *timeline, guint64 ns)
{
  return gst_util_uint64_scale_round (ns, timeline->rate, GST_SECOND);
}

guint64
vidgen_timeline_frames_in (const VidgenTimeline *timeline, guint64 ns)
{
  const guint64 frames = gst_util_uint64_scale_ceil (
      ns, timeline->fps_n, GST_SECOND * timeline->fps_d);

  return MAX (frames, 1);
}

guint64
vidgen_timeline_samples_before (const VidgenTimeline *timeline, guint64 frame)
{
  return gst_util_uint64_scale (
      frame, (guint64)timeline->rate * timeline->fps_d, timeline->fps_n);
}

guint64
vidgen_timeline_content_before (const VidgenTimeline *timeline, guint64 frame)
{
  if (frame < timeline->frames)
    return vidgen_timeline_samples_before (timeline, frame);
  return gst_util_uint64_scale_round (timeline->frames,
      (guint64)timeline->rate * timeline->fps_d, timeline->fps_n);
}

guint64
vidgen_timeline_end_ns (const VidgenTimeline *timeline)
{
  if (timeline->frames == VIDGEN_ENDLESS)
    return G_MAXUINT64;
  return vidgen_timeline_frame_ns (timeline, timeline->frames);
}

typedef struct {
  guint64 slot;    /* the first of the run */
  guint64 content; /* which it carries; of fillers, the one that follows */
  gboolean filler;
} Run;

void
vidgen_slots_init (VidgenSlots *slots)
{
  slots->runs = g_array_new (FALSE, FALSE, sizeof (Run));
  vidgen_slots_reset (slots, 0);
}

void
vidgen_slots_clear (VidgenSlots *slots)
{
  g_clear_pointer (&slots->runs, g_array_unref);
}

void
vidgen_slots_reset (VidgenSlots *slots, guint64 frame)
{
  g_array_set_size (slots->runs, 0);
  slots->end = slots->content = frame;
}

static const Run *
run_at (const VidgenSlots *slots, guint i)
{
  return &g_array_index (slots->runs, Run, i);
}

static void
add (VidgenSlots *slots, gboolean filler)
{
  const guint n = slots->runs->len;

  if (n == 0 || run_at (slots, n - 1)->filler != filler) {
    const Run run = { slots->end, slots->content, filler };
    g_array_append_val (slots->runs, run);
  }
  slots->end++;
  if (!filler)
    slots->content++;
}

void
vidgen_slots_add_content (VidgenSlots *slots)
{
  add (slots, FALSE);
}

void
vidgen_slots_add_filler (VidgenSlots *slots)
{
  g_return_if_fail (slots->content > 0);
  add (slots, TRUE);
}

VidgenPlace
vidgen_slots_find (const VidgenSlots *slots, guint64 slot)
{
  guint i = slots->runs->len;
  VidgenPlace place = { .slot = slot };

  g_return_val_if_fail (slot < slots->end, place);
  while (i > 1 && run_at (slots, i - 1)->slot > slot)
    i--;
  const Run *run = run_at (slots, i - 1);
  place.filler = run->filler;
  place.run_index = slot - run->slot;
  place.content =
      run->filler ? run->content - 1 : run->content + place.run_index;
  place.resumes = !run->filler && i > 1 && place.run_index == 0;
  return place;
}

void
vidgen_slots_forget (VidgenSlots *slots, guint64 slot)
{
  guint n = 0;

  /* The run before is kept too: it tells whether content resumes. */
  while (n + 2 < slots->runs->len && run_at (slots, n + 2)->slot <= slot)
    n++;
  if (n > 0)
    g_array_remove_range (slots->runs, 0, n);
}
