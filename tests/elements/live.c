/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Live output, on a clock that the test turns. */

#include <gst/check/gsttestclock.h>
#include <math.h>

#include "tests/elements/rig.h"

#define BUFFER_TIME ((guint64)500 * GST_MSECOND)
#define EPOCH (7 * GST_SECOND)

typedef struct {
  Rig *rig;
  GstTestClock *clock;
} Live;

static void
live_init (Live *live)
{
  live->rig = rig_new (RIG_BOTH);
  live->clock = GST_TEST_CLOCK (gst_test_clock_new_with_start_time (EPOCH));
  gst_pipeline_use_clock (
      GST_PIPELINE (live->rig->pipeline), GST_CLOCK (live->clock));
  g_object_set (
      live->rig->src, "is-live", TRUE, "buffer-time", BUFFER_TIME, NULL);
}

static void
live_clear (Live *live)
{
  rig_free (live->rig);
  gst_object_unref (live->clock);
}

/* Lets both pads have their next slot. */
static void
turn (Live *live, guint slots)
{
  for (guint i = 0; i < slots; i++) {
    const guint video = rig_received (live->rig, RIG_VIDEO);
    const guint audio = rig_received (live->rig, RIG_AUDIO);
    GList *ids = NULL;

    gst_test_clock_wait_for_multiple_pending_ids (live->clock, 2, &ids);
    gst_test_clock_set_time (
        live->clock, MAX (gst_test_clock_id_list_get_latest_time (ids),
                         gst_clock_get_time (GST_CLOCK (live->clock))));
    gst_test_clock_process_id_list (live->clock, ids);
    g_list_free_full (ids, gst_clock_id_unref);
    rig_wait_buffers (live->rig, RIG_VIDEO, video + 1);
    rig_wait_buffers (live->rig, RIG_AUDIO, audio + 1);
  }
}

static guint64
stat_uint64 (const Live *live, const char *field)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (live->rig->src, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, field, &value));
  return value;
}

static double
attainment (const Live *live)
{
  g_autoptr (GstStructure) stats = NULL;
  double value = 0;

  g_object_get (live->rig->src, "stats", &stats, NULL);
  g_assert_true (
      gst_structure_get_double (stats, "deadline-attainment", &value));
  return value;
}

/* Until so much content lies ahead. */
static void
await_level (const Live *live, guint64 ns)
{
  for (guint i = 0; stat_uint64 (live, "queue-level") < ns; i++) {
    g_assert_cmpuint (i, <, 20000);
    g_usleep (1000);
  }
}

static void
await_chunks (gint chunks)
{
  for (guint i = 0; g_atomic_int_get (&fake.chunks) < chunks; i++) {
    g_assert_cmpuint (i, <, 20000);
    g_usleep (1000);
  }
}

static void
test_no_preroll (void)
{
  Live live;

  fake_reset ();
  live_init (&live);
  g_assert_cmpint (gst_element_set_state (live.rig->pipeline, GST_STATE_PAUSED),
      ==, GST_STATE_CHANGE_NO_PREROLL);
  await_level (&live, BUFFER_TIME);
  g_usleep (20000);
  g_assert_cmpuint (rig_received (live.rig, RIG_VIDEO), ==, 0);
  g_assert_cmpuint (rig_received (live.rig, RIG_AUDIO), ==, 0);
  live_clear (&live);
}

static void
test_pace (void)
{
  Live live;

  fake_reset ();
  live_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  for (guint i = 0; i < 40; i++) {
    GstClockTime next;
    GList *ids = NULL;
    gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, &ids);
    g_list_free_full (ids, gst_clock_id_unref);
    next = gst_test_clock_get_next_entry_time (live.clock);
    g_assert_cmpuint (
        next, ==, EPOCH + gst_util_uint64_scale (i, GST_SECOND, 16));
    g_assert_cmpuint (rig_received (live.rig, RIG_VIDEO), ==, i);
    turn (&live, 1);
    g_assert_cmpuint (rig_received (live.rig, RIG_VIDEO), ==, i + 1);
  }
  g_assert_cmpfloat (attainment (&live), ==, 1);
  rig_state (live.rig, GST_STATE_NULL);
  rig_assert_clip (live.rig, 40, 60000);
  live_clear (&live);
}

/* The output begins where the clock is once the buffer is full. */
static void
test_start_waits_for_buffer (void)
{
  Live live;

  fake_reset ();
  fake.ration = 2;
  live_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  await_chunks (2);
  g_usleep (20000);
  g_assert_cmpuint (gst_test_clock_peek_id_count (live.clock), ==, 0);
  gst_test_clock_advance_time (live.clock, 3 * GST_SECOND);
  g_atomic_int_set (&fake.ration, -1);
  turn (&live, 5);
  for (guint i = 0; i < 5; i++) {
    const GstClockTime pts =
        3 * GST_SECOND + gst_util_uint64_scale (i, GST_SECOND, 16);
    g_assert_cmpuint (
        GST_BUFFER_PTS (rig_buffer (live.rig, RIG_VIDEO, i)), ==, pts);
    g_assert_cmpuint (
        GST_BUFFER_PTS (rig_buffer (live.rig, RIG_AUDIO, i)), ==, pts);
  }
  live_clear (&live);
}

/* Plays 8 frames, then fillers while nothing comes or too little does, then
 * content again; returns at slot `slots`. */
static void
run_dry (Live *live, guint slots)
{
  fake.ration = 3; /* 11 frames, of which 8 fill the buffer */
  live_init (live);
  rig_state (live->rig, GST_STATE_PLAYING);
  turn (live, 11);
  turn (live, 4);
  g_atomic_int_set (&fake.ration, 1);
  await_chunks (4);
  await_level (live, 4 * GST_SECOND / 16);
  turn (live, 3);
  g_atomic_int_set (&fake.ration, -1);
  await_level (live, BUFFER_TIME);
  turn (live, slots - 18);
}

static void
assert_pictures_of_dry_run (const Rig *rig, guint slots)
{
  for (guint i = 0; i < slots; i++) {
    const guint content = i < 11 ? i : i < 18 ? 10 : i - 7;
    const GstBuffer *buffer = rig_buffer (rig, RIG_VIDEO, i);
    g_assert_cmpuint (rig_content (rig, i).frame, ==, content);
    g_assert_cmpuint (
        GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (i, GST_SECOND, 16));
    g_assert_cmpint (
        GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT) != 0, ==,
        i == 0 || i == 18);
  }
}

static void
assert_sound_of_dry_run (const Rig *rig, guint slots)
{
  g_autoptr (GArray) sound = rig_sound (rig);
  const guint fade = 24000 / 50;

  g_assert_cmpuint (sound->len, ==, 2 * 1500 * slots);
  for (guint i = 0; i < sound->len / 2; i++) {
    const guint slot = i / 1500;
    const float left = g_array_index (sound, float, 2 * i);
    const float right = g_array_index (sound, float, 2 * i + 1);
    if (i > 0)
      g_assert_cmpfloat (
          fabsf (left - g_array_index (sound, float, 2 * i - 2)), <, 0.02);
    if (slot < 11)
      g_assert_cmpfloat (right, ==, fake_right (i));
    else if (slot >= 18 && i >= 18 * 1500 + fade)
      g_assert_cmpfloat (right, ==, fake_right (i - 7 * 1500));
    else if (i >= 11 * 1500 + fade && slot < 18)
      g_assert_cmpfloat (right, ==, 0);
  }
  for (guint i = 0; i < slots; i++) {
    const GstBuffer *buffer = rig_buffer (rig, RIG_AUDIO, i);
    g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, i * 1500);
    g_assert_false (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
  }
}

static void
test_repeat (void)
{
  Live live;

  fake_reset ();
  run_dry (&live, 30);
  g_assert_cmpuint (stat_uint64 (&live, "underruns"), ==, 1);
  g_assert_cmpuint (stat_uint64 (&live, "frames"), ==, 30);
  g_assert_cmpfloat (fabs (attainment (&live) - 23.0 / 30), <, 1e-9);
  rig_state (live.rig, GST_STATE_NULL);
  assert_pictures_of_dry_run (live.rig, 30);
  assert_sound_of_dry_run (live.rig, 30);
  live_clear (&live);
}

static void
test_qos_message (void)
{
  GstClockTime running, timestamp;
  gboolean is_live;
  Live live;

  fake_reset ();
  run_dry (&live, 20);
  gst_message_parse_qos (rig_wait (live.rig, GST_MESSAGE_QOS), &is_live,
      &running, NULL, &timestamp, NULL);
  g_assert_true (is_live);
  g_assert_cmpuint (timestamp, ==, gst_util_uint64_scale (11, GST_SECOND, 16));
  rig_read (live.rig);
  g_assert_cmpuint (rig_count (live.rig, GST_MESSAGE_QOS), ==, 1);
  live_clear (&live);
}

/* Where frames do not hold whole samples, fillers keep the count. */
static void
test_no_drift (void)
{
  Live live;

  fake_reset ();
  fake.fps_n = 7;
  fake.ration = 2;
  live_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  turn (&live, 7);
  for (guint round = 0; round < 12; round++) {
    turn (&live, 1 + round % 4);
    const gint made = g_atomic_int_get (&fake.chunks);
    g_atomic_int_set (&fake.ration, 1);
    await_chunks (made + 1);
    await_level (&live, BUFFER_TIME);
    turn (&live, 4);
  }
  rig_state (live.rig, GST_STATE_NULL);
  guint64 sample = 0;
  for (guint i = 0; i < live.rig->tracks[RIG_AUDIO].buffers->len; i++) {
    const GstBuffer *buffer = rig_buffer (live.rig, RIG_AUDIO, i);
    const gint64 due = gst_util_uint64_scale (i, 24000, 7);
    g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, sample);
    g_assert_cmpint (ABS ((gint64)sample - due), <=, 1);
    sample = GST_BUFFER_OFFSET_END (buffer);
  }
  live_clear (&live);
}

static void
test_stall (void)
{
  Live live;

  fake_reset ();
  fake.ration = 3;
  live_init (&live);
  gst_util_set_object_arg (G_OBJECT (live.rig->src), "on-underrun", "stall");
  rig_state (live.rig, GST_STATE_PLAYING);
  turn (&live, 11);
  gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
  gst_test_clock_crank (live.clock);
  gst_test_clock_crank (live.clock);
  gst_test_clock_advance_time (live.clock, 5 * GST_SECOND);
  g_usleep (20000);
  g_assert_cmpuint (rig_received (live.rig, RIG_VIDEO), ==, 11);
  g_atomic_int_set (&fake.ration, -1);
  rig_wait_buffers (live.rig, RIG_VIDEO, 12);
  rig_wait_buffers (live.rig, RIG_AUDIO, 12);
  await_level (&live, BUFFER_TIME);
  turn (&live, 6);
  g_assert_cmpuint (stat_uint64 (&live, "underruns"), ==, 1);
  rig_state (live.rig, GST_STATE_NULL);
  for (guint i = 0; i < 18; i++) {
    g_assert_cmpuint (rig_content (live.rig, i).frame, ==, i);
    g_assert_cmpuint (GST_BUFFER_PTS (rig_buffer (live.rig, RIG_VIDEO, i)), ==,
        gst_util_uint64_scale (i, GST_SECOND, 16));
  }
  live_clear (&live);
}

static void
test_error (void)
{
  Live live;

  fake_reset ();
  fake.ration = 3;
  live_init (&live);
  gst_util_set_object_arg (G_OBJECT (live.rig->src), "on-underrun", "error");
  rig_state (live.rig, GST_STATE_PLAYING);
  turn (&live, 11);
  gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
  gst_test_clock_crank (live.clock);
  rig_assert_error (rig_wait (live.rig, GST_MESSAGE_ERROR), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_FAILED);
  gst_test_clock_crank (live.clock);
  g_usleep (20000);
  rig_read (live.rig);
  g_assert_cmpuint (rig_count (live.rig, GST_MESSAGE_ERROR), ==, 1);
  live_clear (&live);
}

/* A pause shifts nothing: running time stands still. */
static void
test_pause (void)
{
  Live live;

  fake_reset ();
  live_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  for (guint round = 0; round < 5; round++) {
    turn (&live, 7);
    gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
    rig_state (live.rig, GST_STATE_PAUSED);
    gst_test_clock_advance_time (live.clock, 10 * GST_SECOND + round);
    rig_state (live.rig, GST_STATE_PLAYING);
  }
  rig_state (live.rig, GST_STATE_NULL);
  rig_assert_clip (live.rig, 35, 35 * 1500);
  live_clear (&live);
}

static void
test_clip_ends (void)
{
  Live live;

  fake_reset ();
  live_init (&live);
  g_object_set (live.rig->src, "num-buffers", 4, NULL);
  rig_state (live.rig, GST_STATE_PLAYING);
  turn (&live, 4);
  gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
  g_assert_false (rig_has_event (live.rig, RIG_VIDEO, GST_EVENT_EOS));
  gst_test_clock_crank (live.clock);
  gst_test_clock_crank (live.clock);
  rig_wait (live.rig, GST_MESSAGE_EOS);
  g_assert_cmpuint (gst_clock_get_time (GST_CLOCK (live.clock)), ==,
      EPOCH + gst_util_uint64_scale (4, GST_SECOND, 16));
  rig_state (live.rig, GST_STATE_NULL);
  rig_assert_clip (live.rig, 4, 6000);
  live_clear (&live);
}

/* Fillers end with the content even if the buffer never fills again. */
static void
test_end_behind_underrun (void)
{
  Live live;

  fake_reset ();
  fake.ration = 3;
  live_init (&live);
  g_object_set (live.rig->src, "num-buffers", 13, NULL);
  rig_state (live.rig, GST_STATE_PLAYING);
  turn (&live, 14);
  g_atomic_int_set (&fake.ration, -1);
  await_level (&live, 2 * GST_SECOND / 16);
  turn (&live, 2);
  gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
  gst_test_clock_crank (live.clock);
  gst_test_clock_crank (live.clock);
  rig_wait (live.rig, GST_MESSAGE_EOS);
  g_assert_cmpuint (rig_received (live.rig, RIG_VIDEO), ==, 16);
  g_assert_cmpuint (rig_content (live.rig, 15).frame, ==, 12);
  live_clear (&live);
}

static void
test_latency (void)
{
  GstClockTime least, most;
  gboolean is_live;
  Live live;

  fake_reset ();
  live_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  turn (&live, 2);
  for (guint pad = 0; pad < RIG_PADS; pad++) {
    g_autoptr (GstPad) src_pad =
        gst_element_get_static_pad (live.rig->src, pad ? "audio" : "video");
    g_autoptr (GstQuery) query = gst_query_new_latency ();
    g_assert_true (gst_pad_query (src_pad, query));
    gst_query_parse_latency (query, &is_live, &least, &most);
    g_assert_true (is_live);
    g_assert_cmpuint (least, ==, GST_SECOND / 16);
    g_assert_cmpuint (most, >=, least);
  }
  live_clear (&live);
}

/* A prompt that meets an underrun shows when its message says. */
static void
test_prompt_behind_underrun (void)
{
  guint64 chunk = 0, time = 0;
  Live live;

  fake_reset ();
  fake.ration = 3;
  live_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  turn (&live, 11);
  g_object_set (live.rig->src, "prompt", "thunder", NULL);
  turn (&live, 5);
  g_atomic_int_set (&fake.ration, -1);
  await_level (&live, BUFFER_TIME);
  turn (&live, 10);
  const GstStructure *applied =
      rig_wait_element (live.rig, "vidgen-prompt-applied");
  gst_structure_get_uint64 (applied, "chunk", &chunk);
  gst_structure_get_uint64 (applied, "stream-time", &time);
  rig_state (live.rig, GST_STATE_NULL);
  g_assert_cmpuint (chunk, >=, 3);
  guint first = 0;
  while (rig_content (live.rig, first).prompt != fake_prompt ("thunder"))
    first++;
  g_assert_cmpuint (
      GST_BUFFER_PTS (rig_buffer (live.rig, RIG_VIDEO, first)), ==, time);
  g_assert_cmpuint (
      rig_content (live.rig, first).frame, ==, 3 + (chunk - 1) * 4);
  live_clear (&live);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/live/no-preroll", test_no_preroll);
  g_test_add_func ("/live/pace", test_pace);
  g_test_add_func ("/live/start-waits-for-buffer", test_start_waits_for_buffer);
  g_test_add_func ("/live/repeat", test_repeat);
  g_test_add_func ("/live/qos-message", test_qos_message);
  g_test_add_func ("/live/no-drift", test_no_drift);
  g_test_add_func ("/live/stall", test_stall);
  g_test_add_func ("/live/error", test_error);
  g_test_add_func ("/live/pause", test_pause);
  g_test_add_func ("/live/clip-ends", test_clip_ends);
  g_test_add_func ("/live/end-behind-underrun", test_end_behind_underrun);
  g_test_add_func ("/live/latency", test_latency);
  g_test_add_func ("/live/prompt-behind-underrun", test_prompt_behind_underrun);
  return g_test_run ();
}
