/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Picture and sound that belong together arrive together, and with the content
 * that a run without any trouble has. */

#include <math.h>
#include <string.h>

#include "tests/elements/liverig.h"

#define MOST_NS ((gint64)GST_MSECOND)
#define FRAME_SAMPLES 1500
#define FADE (24000 / 50)

/* When each frame's content comes, less when it would in a run from 0. */
typedef struct {
  gboolean video, audio;
  gint64 video_ns, audio_ns;
} Offset;

static gint64
time_of (guint64 frame)
{
  return gst_util_uint64_scale (frame, GST_SECOND, 16);
}

static Offset *
offset_of (GArray *offsets, guint frame)
{
  if (frame >= offsets->len)
    g_array_set_size (offsets, frame + 1);
  return &g_array_index (offsets, Offset, frame);
}

static gboolean
is_filler (const Rig *rig, guint i)
{
  return i > 0 && rig_content (rig, i).frame == rig_content (rig, i - 1).frame;
}

static void
add_video (const Rig *rig, GArray *offsets)
{
  for (guint i = 0; i < rig->tracks[RIG_VIDEO].buffers->len; i++) {
    const guint frame = rig_content (rig, i).frame;
    if (is_filler (rig, i))
      continue;
    Offset *offset = offset_of (offsets, frame);
    offset->video = TRUE;
    offset->video_ns = (gint64)GST_BUFFER_PTS (rig_buffer (rig, RIG_VIDEO, i)) -
                       time_of (frame);
  }
}

/* By the last sample of each buffer, which no fade touches; it tells its
 * number on the right. */
static void
add_audio (const Rig *rig, GArray *offsets)
{
  for (guint i = 0; i < rig->tracks[RIG_AUDIO].buffers->len; i++) {
    GstBuffer *buffer = rig_buffer (rig, RIG_AUDIO, i);
    GstMapInfo map;
    g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
    const guint n = map.size / (2 * sizeof (float));
    const float right = ((const float *)(gpointer)map.data)[2 * n - 1];
    gst_buffer_unmap (buffer, &map);
    const guint sample = lrintf (right * 1048576);
    if (sample == 0)
      continue;
    Offset *offset = offset_of (offsets, sample / FRAME_SAMPLES);
    offset->audio = TRUE;
    offset->audio_ns =
        (gint64)GST_BUFFER_PTS (buffer) +
        (gint64)gst_util_uint64_scale (n - 1, GST_SECOND, 24000) -
        (gint64)gst_util_uint64_scale (sample, GST_SECOND, 24000);
  }
}

/* Of at least `frames` frames. */
static void
assert_in_step (const Rig *rig, guint frames)
{
  g_autoptr (GArray) offsets = g_array_new (FALSE, TRUE, sizeof (Offset));
  guint compared = 0;

  add_video (rig, offsets);
  add_audio (rig, offsets);
  for (guint i = 0; i < offsets->len; i++) {
    const Offset *offset = &g_array_index (offsets, Offset, i);
    if (!offset->video || !offset->audio)
      continue;
    g_assert_cmpint (ABS (offset->video_ns - offset->audio_ns), <=, MOST_NS);
    compared++;
  }
  g_assert_cmpuint (compared, >=, frames);
}

static void
test_clip (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 64, NULL);
  rig_run (rig);
  assert_in_step (rig, 64);
}

static const GstSegment *
newest_segment (const Rig *rig, RigPad pad)
{
  const GstSegment *segment = NULL;

  for (guint i = 0; i < rig->tracks[pad].events->len; i++) {
    GstEvent *event = g_ptr_array_index (rig->tracks[pad].events, i);
    if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
      gst_event_parse_segment (event, &segment);
  }
  return segment;
}

static void
test_seeks (void)
{
  static const gint64 targets_ms[] = { 1000, 30, 2517, 999 };

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 64, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_end (rig);
  for (guint i = 0; i < G_N_ELEMENTS (targets_ms); i++) {
    rig_clear (rig);
    g_assert_true (gst_element_seek_simple (rig->pipeline, GST_FORMAT_TIME,
        GST_SEEK_FLAG_FLUSH, targets_ms[i] * GST_MSECOND));
    rig_wait_end (rig);
    assert_in_step (rig, 64 - targets_ms[i] * 16 / 1000 - 1);
    g_assert_true (gst_segment_is_equal (
        newest_segment (rig, RIG_VIDEO), newest_segment (rig, RIG_AUDIO)));
  }
}

static void
test_pauses (void)
{
  LiveRig live;

  fake_reset ();
  live_rig_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  for (guint round = 0; round < 6; round++) {
    live_rig_play (&live, 5);
    gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
    rig_state (live.rig, GST_STATE_PAUSED);
    gst_test_clock_advance_time (live.clock, 3 * GST_SECOND + round * 7777777);
    rig_state (live.rig, GST_STATE_PLAYING);
  }
  rig_state (live.rig, GST_STATE_NULL);
  assert_in_step (live.rig, 30);
  live_rig_clear (&live);
}

static void
test_underrun (void)
{
  LiveRig live;

  fake_reset ();
  live_rig_run_dry (&live, 40);
  rig_state (live.rig, GST_STATE_NULL);
  assert_in_step (live.rig, 33);
  live_rig_clear (&live);
}

/* Until `frames` frames of content have come on both pads, however many fillers
 * did. */
static void
await_content (Rig *rig, guint frames)
{
  const LiveRig live = { .rig = rig };

  for (guint i = 0;
       live_rig_stat (&live, "frames") * live_rig_attainment (&live) < frames;
       i++) {
    g_assert_cmpuint (i, <, 60000);
    g_usleep (1000);
  }
  const guint slots = live_rig_stat (&live, "frames");
  for (guint pad = 0; pad < RIG_PADS; pad++)
    rig_wait_buffers (rig, pad, slots);
}

/* On the clock of the system, with a slow spell and a pause. */
static void
test_real_clock (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "is-live", TRUE, "buffer-time",
      (guint64)250 * GST_MSECOND, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 6);
  g_atomic_int_set (&fake.chunk_us, 600000);
  rig_wait_buffers (rig, RIG_VIDEO, 14);
  g_atomic_int_set (&fake.chunk_us, 0);
  rig_state (rig, GST_STATE_PAUSED);
  g_usleep (50000);
  rig_state (rig, GST_STATE_PLAYING);
  await_content (rig, 20);
  rig_state (rig, GST_STATE_NULL);
  assert_in_step (rig, 10);
}

static gboolean
same_bytes (GstBuffer *a, GstBuffer *b, gsize from)
{
  GstMapInfo map_a, map_b;

  g_assert_true (gst_buffer_map (a, &map_a, GST_MAP_READ));
  g_assert_true (gst_buffer_map (b, &map_b, GST_MAP_READ));
  const gboolean same =
      map_a.size == map_b.size && map_a.size > from &&
      memcmp (map_a.data + from, map_b.data + from, map_a.size - from) == 0;
  gst_buffer_unmap (a, &map_a);
  gst_buffer_unmap (b, &map_b);
  return same;
}

/* Fillers apart, a live run has the bytes of the clip; sound fades in behind
 * fillers. */
static void
assert_content_of (const Rig *live, const Rig *clip)
{
  const guint n = MIN (live->tracks[RIG_VIDEO].buffers->len,
      live->tracks[RIG_AUDIO].buffers->len);
  guint frame = 0;

  for (guint i = 0; i < n; i++) {
    if (is_filler (live, i))
      continue;
    const gsize fade =
        i > 0 && is_filler (live, i - 1) ? FADE * 2 * sizeof (float) : 0;
    g_assert_true (same_bytes (rig_buffer (live, RIG_VIDEO, i),
        rig_buffer (clip, RIG_VIDEO, frame), 0));
    g_assert_true (same_bytes (rig_buffer (live, RIG_AUDIO, i),
        rig_buffer (clip, RIG_AUDIO, frame), fade));
    frame++;
  }
  g_assert_cmpuint (frame, >=, 100);
}

static void
assert_equal_spans (const Rig *rig)
{
  for (guint i = 0; i < rig->tracks[RIG_VIDEO].buffers->len; i++)
    g_assert_cmpuint (GST_BUFFER_PTS (rig_buffer (rig, RIG_VIDEO, i)), ==,
        GST_BUFFER_PTS (rig_buffer (rig, RIG_AUDIO, i)));
}

static void
assert_no_clicks (const Rig *rig)
{
  g_autoptr (GArray) sound = rig_sound (rig);

  for (guint i = 1; i < sound->len / 2; i++)
    g_assert_cmpfloat (fabsf (g_array_index (sound, float, 2 * i) -
                              g_array_index (sound, float, 2 * i - 2)),
        <, 0.02);
}

/* Lets some chunks be made, as far as there is room for them. */
static void
make_some (const LiveRig *live, gint chunks)
{
  g_atomic_int_set (&fake.ration, chunks);
  for (guint i = 0; g_atomic_int_get (&fake.ration) > 0 &&
                    live_rig_stat (live, "queue-level") < LIVE_BUFFER_TIME;
       i++) {
    g_assert_cmpuint (i, <, 20000);
    g_usleep (1000);
  }
}

/* Underruns of many lengths. */
static void
test_same_content (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  LiveRig live;

  fake_reset ();
  g_autoptr (Rig) clip = rig_new (RIG_BOTH);
  g_object_set (clip->src, "num-buffers", 400, NULL);
  rig_run (clip);

  fake.ration = 3;
  live_rig_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  for (guint round = 0; round < 12; round++) {
    live_rig_turn (&live, g_rand_int_range (rand, 9, 16));
    make_some (&live, g_rand_int_range (rand, 2, 5));
  }
  g_atomic_int_set (&fake.ration, -1);
  live_rig_await_level (&live, LIVE_BUFFER_TIME);
  live_rig_play (&live, 20);
  g_assert_cmpuint (live_rig_stat (&live, "underruns"), >=, 4);
  rig_state (live.rig, GST_STATE_NULL);
  assert_content_of (live.rig, clip);
  assert_equal_spans (live.rig);
  assert_no_clicks (live.rig);
  live_rig_clear (&live);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/skew/13-clip", test_clip);
  g_test_add_func ("/skew/13-seeks", test_seeks);
  g_test_add_func ("/skew/13-pauses", test_pauses);
  g_test_add_func ("/skew/13-underrun", test_underrun);
  g_test_add_func ("/skew/13-real-clock", test_real_clock);
  g_test_add_func ("/skew/21-same-content", test_same_content);
  return g_test_run ();
}
