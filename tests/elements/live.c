/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Live output, on a clock that the test turns. */

#include <math.h>

#include "tests/elements/liverig.h"

static void
test_no_preroll (void)
{
  LiveRig live;

  fake_reset ();
  live_rig_init (&live);
  g_assert_cmpint (gst_element_set_state (live.rig->pipeline, GST_STATE_PAUSED),
      ==, GST_STATE_CHANGE_NO_PREROLL);
  live_rig_await_level (&live, LIVE_BUFFER_TIME);
  g_usleep (20000);
  g_assert_cmpuint (rig_received (live.rig, RIG_VIDEO), ==, 0);
  g_assert_cmpuint (rig_received (live.rig, RIG_AUDIO), ==, 0);
  live_rig_clear (&live);
}

static void
test_pace (void)
{
  LiveRig live;

  fake_reset ();
  live_rig_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  for (guint i = 0; i < 40; i++) {
    GstClockTime next;
    GList *ids = NULL;
    gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, &ids);
    g_list_free_full (ids, gst_clock_id_unref);
    next = gst_test_clock_get_next_entry_time (live.clock);
    g_assert_cmpuint (
        next, ==, LIVE_EPOCH + gst_util_uint64_scale (i, GST_SECOND, 16));
    g_assert_cmpuint (rig_received (live.rig, RIG_VIDEO), ==, i);
    live_rig_play (&live, 1);
    g_assert_cmpuint (rig_received (live.rig, RIG_VIDEO), ==, i + 1);
  }
  g_assert_cmpfloat (live_rig_attainment (&live), ==, 1);
  rig_state (live.rig, GST_STATE_NULL);
  rig_assert_clip (live.rig, 40, 60000);
  live_rig_clear (&live);
}

/* The output begins where the clock is once the buffer is full. */
static void
test_start_waits_for_buffer (void)
{
  LiveRig live;

  fake_reset ();
  fake.ration = 2;
  live_rig_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  live_rig_await_chunks (2);
  g_usleep (20000);
  g_assert_cmpuint (gst_test_clock_peek_id_count (live.clock), ==, 0);
  gst_test_clock_advance_time (live.clock, 3 * GST_SECOND);
  g_atomic_int_set (&fake.ration, -1);
  live_rig_play (&live, 5);
  for (guint i = 0; i < 5; i++) {
    const GstClockTime pts =
        3 * GST_SECOND + gst_util_uint64_scale (i, GST_SECOND, 16);
    g_assert_cmpuint (
        GST_BUFFER_PTS (rig_buffer (live.rig, RIG_VIDEO, i)), ==, pts);
    g_assert_cmpuint (
        GST_BUFFER_PTS (rig_buffer (live.rig, RIG_AUDIO, i)), ==, pts);
  }
  live_rig_clear (&live);
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
  LiveRig live;

  fake_reset ();
  live_rig_run_dry (&live, 30);
  g_assert_cmpuint (live_rig_stat (&live, "underruns"), ==, 1);
  g_assert_cmpuint (live_rig_stat (&live, "frames"), ==, 30);
  g_assert_cmpfloat (fabs (live_rig_attainment (&live) - 23.0 / 30), <, 1e-9);
  rig_state (live.rig, GST_STATE_NULL);
  assert_pictures_of_dry_run (live.rig, 30);
  assert_sound_of_dry_run (live.rig, 30);
  live_rig_clear (&live);
}

/* Tells when, how late, behind how many frames, and how far generation is from
 * real time. */
static void
test_qos_message (void)
{
  const GstClockTime due = gst_util_uint64_scale (11, GST_SECOND, 16);
  const GstClockTime late = 20 * GST_MSECOND;
  GstClockTime timestamp;
  gint64 jitter;
  guint64 processed, dropped;
  double proportion, factor = 0;
  gint quality;
  gboolean is_live;
  GstFormat format;
  LiveRig live;

  fake_reset ();
  fake.ration = 3;
  fake.chunk_us = 2000;
  live_rig_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  live_rig_turn (&live, 11);
  gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
  gst_test_clock_set_time (live.clock, LIVE_EPOCH + due + late);
  live_rig_turn (&live, 1);
  GstMessage *message = rig_wait (live.rig, GST_MESSAGE_QOS);
  gst_message_parse_qos (message, &is_live, NULL, NULL, &timestamp, NULL);
  gst_message_parse_qos_values (message, &jitter, &proportion, &quality);
  gst_message_parse_qos_stats (message, &format, &processed, &dropped);
  g_assert_true (is_live);
  g_assert_cmpuint (timestamp, ==, due);
  g_assert_cmpint (jitter, ==, late);
  g_autoptr (GstStructure) stats = NULL;
  g_object_get (live.rig->src, "stats", &stats, NULL);
  gst_structure_get_double (stats, "real-time-factor", &factor);
  g_assert_cmpfloat (fabs (proportion * factor - 1), <, 1e-6);
  g_assert_cmpint (quality, ==, 1000000);
  g_assert_cmpint (format, ==, GST_FORMAT_BUFFERS);
  g_assert_cmpuint (processed, ==, 11);
  g_assert_cmpuint (dropped, ==, 0);
  rig_read (live.rig);
  g_assert_cmpuint (rig_count (live.rig, GST_MESSAGE_QOS), ==, 1);
  live_rig_clear (&live);
}

/* Where frames do not hold whole samples, fillers keep the count. */
static void
test_no_drift (void)
{
  LiveRig live;

  fake_reset ();
  fake.fps_n = 7;
  fake.ration = 2;
  live_rig_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  live_rig_turn (&live, 7);
  for (guint round = 0; round < 12; round++) {
    live_rig_turn (&live, 1 + round % 4);
    const gint made = g_atomic_int_get (&fake.chunks);
    g_atomic_int_set (&fake.ration, 1);
    live_rig_await_chunks (made + 1);
    live_rig_await_level (&live, LIVE_BUFFER_TIME);
    live_rig_turn (&live, 4);
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
  live_rig_clear (&live);
}

static void
test_stall (void)
{
  LiveRig live;

  fake_reset ();
  fake.ration = 3;
  live_rig_init (&live);
  gst_util_set_object_arg (G_OBJECT (live.rig->src), "on-underrun", "stall");
  rig_state (live.rig, GST_STATE_PLAYING);
  live_rig_turn (&live, 11);
  gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
  gst_test_clock_crank (live.clock);
  gst_test_clock_crank (live.clock);
  gst_test_clock_advance_time (live.clock, 5 * GST_SECOND);
  g_usleep (20000);
  g_assert_cmpuint (rig_received (live.rig, RIG_VIDEO), ==, 11);
  g_atomic_int_set (&fake.ration, -1);
  rig_wait_buffers (live.rig, RIG_VIDEO, 12);
  rig_wait_buffers (live.rig, RIG_AUDIO, 12);
  live_rig_await_level (&live, LIVE_BUFFER_TIME);
  live_rig_turn (&live, 6);
  g_assert_cmpuint (live_rig_stat (&live, "underruns"), ==, 1);
  rig_state (live.rig, GST_STATE_NULL);
  for (guint i = 0; i < 18; i++) {
    g_assert_cmpuint (rig_content (live.rig, i).frame, ==, i);
    g_assert_cmpuint (GST_BUFFER_PTS (rig_buffer (live.rig, RIG_VIDEO, i)), ==,
        gst_util_uint64_scale (i, GST_SECOND, 16));
  }
  live_rig_clear (&live);
}

static void
test_error (void)
{
  LiveRig live;

  fake_reset ();
  fake.ration = 3;
  live_rig_init (&live);
  gst_util_set_object_arg (G_OBJECT (live.rig->src), "on-underrun", "error");
  rig_state (live.rig, GST_STATE_PLAYING);
  live_rig_turn (&live, 11);
  gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
  gst_test_clock_crank (live.clock);
  rig_assert_error (rig_wait (live.rig, GST_MESSAGE_ERROR), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_FAILED);
  gst_test_clock_crank (live.clock);
  g_usleep (20000);
  rig_read (live.rig);
  g_assert_cmpuint (rig_count (live.rig, GST_MESSAGE_ERROR), ==, 1);
  live_rig_clear (&live);
}

/* A pause shifts nothing: running time stands still. */
static void
test_pause (void)
{
  LiveRig live;

  fake_reset ();
  live_rig_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  for (guint round = 0; round < 5; round++) {
    live_rig_play (&live, 7);
    gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
    rig_state (live.rig, GST_STATE_PAUSED);
    gst_test_clock_advance_time (live.clock, 10 * GST_SECOND + round);
    rig_state (live.rig, GST_STATE_PLAYING);
  }
  rig_state (live.rig, GST_STATE_NULL);
  rig_assert_clip (live.rig, 35, 35 * 1500);
  live_rig_clear (&live);
}

static void
test_clip_ends (void)
{
  LiveRig live;

  fake_reset ();
  live_rig_init (&live);
  g_object_set (live.rig->src, "num-buffers", 4, NULL);
  rig_state (live.rig, GST_STATE_PLAYING);
  live_rig_play (&live, 4);
  gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
  g_assert_false (rig_has_event (live.rig, RIG_VIDEO, GST_EVENT_EOS));
  gst_test_clock_crank (live.clock);
  gst_test_clock_crank (live.clock);
  rig_wait (live.rig, GST_MESSAGE_EOS);
  g_assert_cmpuint (gst_clock_get_time (GST_CLOCK (live.clock)), ==,
      LIVE_EPOCH + gst_util_uint64_scale (4, GST_SECOND, 16));
  rig_state (live.rig, GST_STATE_NULL);
  rig_assert_clip (live.rig, 4, 6000);
  live_rig_clear (&live);
}

/* Fillers end with the content even if the buffer never fills again. */
static void
test_end_behind_underrun (void)
{
  LiveRig live;

  fake_reset ();
  fake.ration = 3;
  live_rig_init (&live);
  g_object_set (live.rig->src, "num-buffers", 13, NULL);
  rig_state (live.rig, GST_STATE_PLAYING);
  live_rig_turn (&live, 14);
  g_atomic_int_set (&fake.ration, -1);
  live_rig_await_level (&live, 2 * GST_SECOND / 16);
  live_rig_turn (&live, 2);
  gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
  gst_test_clock_crank (live.clock);
  gst_test_clock_crank (live.clock);
  rig_wait (live.rig, GST_MESSAGE_EOS);
  g_assert_cmpuint (rig_received (live.rig, RIG_VIDEO), ==, 16);
  g_assert_cmpuint (rig_content (live.rig, 15).frame, ==, 12);
  live_rig_clear (&live);
}

static GstClockTime
query_latency (const LiveRig *live, RigPad pad)
{
  g_autoptr (GstPad) src_pad = gst_element_get_static_pad (
      live->rig->src, pad == RIG_AUDIO ? "audio" : "video");
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime least, most;
  gboolean is_live;

  g_assert_true (gst_pad_query (src_pad, query));
  gst_query_parse_latency (query, &is_live, &least, &most);
  g_assert_true (is_live);
  g_assert_cmpuint (most, >=, least);
  return least;
}

/* Content that comes `late` behind its time, for the twelfth frame. */
static void
stall_once (LiveRig *live, GstClockTime late)
{
  fake.ration = 3;
  live_rig_init (live);
  gst_util_set_object_arg (G_OBJECT (live->rig->src), "on-underrun", "stall");
  rig_state (live->rig, GST_STATE_PLAYING);
  live_rig_turn (live, 11);
  g_assert_cmpuint (query_latency (live, RIG_VIDEO), ==, GST_SECOND / 16);
  gst_test_clock_wait_for_multiple_pending_ids (live->clock, 2, NULL);
  gst_test_clock_crank (live->clock);
  gst_test_clock_crank (live->clock);
  gst_test_clock_advance_time (live->clock, late);
  rig_read (live->rig);
  g_ptr_array_set_size (live->rig->messages, 0);
  g_atomic_int_set (&fake.ration, -1);
  rig_wait_buffers (live->rig, RIG_VIDEO, 12);
  rig_wait_buffers (live->rig, RIG_AUDIO, 12);
  rig_read (live->rig);
}

/* The latency is how late slots leave; that it grew is told. */
static void
test_latency (void)
{
  LiveRig live;

  fake_reset ();
  stall_once (&live, 2 * GST_SECOND);
  g_assert_cmpuint (rig_count (live.rig, GST_MESSAGE_LATENCY), ==, 1);
  for (guint pad = 0; pad < RIG_PADS; pad++)
    g_assert_cmpuint (query_latency (&live, pad), ==, 2 * GST_SECOND);
  live_rig_clear (&live);
}

/* It stays at the most that was measured, even when slots leave in time again:
 * what sinks wait for must cover the next stall too, and to let it shrink would
 * make them skip. The next start begins anew. */
static void
test_latency_stays (void)
{
  LiveRig live;

  fake_reset ();
  stall_once (&live, 2 * GST_SECOND);
  g_ptr_array_set_size (live.rig->messages, 0);
  /* 32 of them are due at once. */
  live_rig_play (&live, 42);
  rig_read (live.rig);
  g_assert_cmpuint (rig_count (live.rig, GST_MESSAGE_LATENCY), ==, 0);
  g_assert_cmpuint (query_latency (&live, RIG_VIDEO), ==, 2 * GST_SECOND);
  rig_state (live.rig, GST_STATE_READY);
  rig_state (live.rig, GST_STATE_PLAYING);
  live_rig_play (&live, 10);
  g_assert_cmpuint (query_latency (&live, RIG_VIDEO), ==, GST_SECOND / 16);
  live_rig_clear (&live);
}

/* Up to a frame more is not told, but answered. */
static void
test_little_latency (void)
{
  const GstClockTime late = 100 * GST_MSECOND;
  LiveRig live;

  fake_reset ();
  stall_once (&live, late);
  g_assert_cmpuint (rig_count (live.rig, GST_MESSAGE_LATENCY), ==, 0);
  g_assert_cmpuint (query_latency (&live, RIG_AUDIO), ==, late);
  live_rig_clear (&live);
}

/* Not before as much as buffer-time is there, and never much more. */
static void
test_buffer_time (void)
{
  static const guint times_ms[] = { 0, 63, 250, 1000, 3000 };

  for (guint i = 0; i < G_N_ELEMENTS (times_ms); i++) {
    const guint64 time = times_ms[i] * GST_MSECOND;
    const guint frames = MAX ((times_ms[i] * 16 + 999) / 1000, 1);
    const gint chunks = frames <= 3 ? 1 : 1 + (frames - 3 + 3) / 4;
    LiveRig live;

    fake_reset ();
    fake.ration = chunks - 1;
    live_rig_init (&live);
    g_object_set (live.rig->src, "buffer-time", time, NULL);
    rig_state (live.rig, GST_STATE_PLAYING);
    live_rig_await_chunks (chunks - 1);
    g_usleep (10000);
    g_assert_cmpuint (gst_test_clock_peek_id_count (live.clock), ==, 0);
    g_atomic_int_set (&fake.ration, -1);
    gst_test_clock_wait_for_multiple_pending_ids (live.clock, 2, NULL);
    g_usleep (10000);
    g_assert_cmpint (g_atomic_int_get (&fake.chunks), ==, chunks);
    g_assert_cmpuint (live_rig_stat (&live, "queue-level"), >=, time);
    live_rig_clear (&live);
  }
}

typedef struct {
  guint64 chunks, made_ns, generation_ns;
} Told;

static Told
told_of_chunks (const Rig *rig)
{
  Told told = { 0 };

  for (guint i = 0; i < rig->messages->len; i++) {
    GstMessage *message = g_ptr_array_index (rig->messages, i);
    guint64 took, number;
    if (!gst_message_has_name (message, "vidgen-chunk"))
      continue;
    const GstStructure *chunk = gst_message_get_structure (message);
    g_assert_true (gst_structure_get_uint64 (chunk, "chunk", &number));
    g_assert_true (gst_structure_get_uint64 (chunk, "generation-time", &took));
    g_assert_cmpuint (number, ==, told.chunks);
    told.chunks++;
    told.made_ns += gst_util_uint64_scale (number ? 4 : 3, GST_SECOND, 16);
    told.generation_ns += took;
  }
  return told;
}

/* What the statistics say is what the messages and the pads say. */
static void
test_statistics (void)
{
  g_autoptr (GstStructure) stats = NULL;
  guint fillers = 0;
  double factor = 0;
  LiveRig live;

  fake_reset ();
  fake.chunk_us = 1000;
  live_rig_run_dry (&live, 30);
  live_rig_await_level (&live, LIVE_BUFFER_TIME);
  rig_wait (live.rig, GST_MESSAGE_QOS);
  g_usleep (20000);
  rig_read (live.rig);
  const Told told = told_of_chunks (live.rig);
  for (guint i = 1; i < 30; i++)
    fillers +=
        rig_content (live.rig, i).frame == rig_content (live.rig, i - 1).frame;
  const guint64 shown_ns = gst_util_uint64_scale (30 - fillers, GST_SECOND, 16);
  g_assert_cmpuint (live_rig_stat (&live, "chunks"), ==, told.chunks);
  g_assert_cmpuint (
      live_rig_stat (&live, "frames"), ==, rig_received (live.rig, RIG_VIDEO));
  g_assert_cmpuint (live_rig_stat (&live, "underruns"), ==,
      rig_count (live.rig, GST_MESSAGE_QOS));
  g_assert_cmpuint (
      live_rig_stat (&live, "queue-level"), ==, told.made_ns - shown_ns);
  g_assert_cmpfloat (
      fabs (live_rig_attainment (&live) - (30.0 - fillers) / 30), <, 1e-9);
  g_object_get (live.rig->src, "stats", &stats, NULL);
  gst_structure_get_double (stats, "real-time-factor", &factor);
  g_assert_cmpfloat (
      fabs (factor * told.generation_ns / told.made_ns - 1), <, 1e-6);
  live_rig_clear (&live);
}

/* The pipeline's clock counts, whatever it is: this one goes half as fast as
 * the system's. */
static void
test_other_clock (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_autoptr (GstClock) clock =
      gst_object_ref_sink (g_object_new (GST_TYPE_SYSTEM_CLOCK, NULL));
  GstClockTime internal, external, n, d;
  gst_clock_get_calibration (clock, &internal, &external, &n, &d);
  gst_clock_set_calibration (
      clock, gst_clock_get_internal_time (clock), 3600 * GST_SECOND, 1, 2);
  g_assert_null (gst_element_provide_clock (rig->src));
  g_assert_false (
      GST_OBJECT_FLAG_IS_SET (rig->src, GST_ELEMENT_FLAG_PROVIDE_CLOCK));
  gst_pipeline_use_clock (GST_PIPELINE (rig->pipeline), clock);
  g_object_set (rig->src, "is-live", TRUE, "buffer-time",
      (guint64)125 * GST_MSECOND, NULL);
  const gint64 start = g_get_monotonic_time ();
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 9);
  g_assert_cmpint (g_get_monotonic_time () - start, >, 750000);
  rig_state (rig, GST_STATE_NULL);
  g_assert_cmpuint (GST_BUFFER_PTS (rig_buffer (rig, RIG_VIDEO, 8)) -
                        GST_BUFFER_PTS (rig_buffer (rig, RIG_VIDEO, 0)),
      ==, GST_SECOND / 2);
}

/* A prompt that meets an underrun shows when its message says. */
static void
test_prompt_behind_underrun (void)
{
  guint64 chunk = 0, time = 0;
  LiveRig live;

  fake_reset ();
  fake.ration = 3;
  live_rig_init (&live);
  rig_state (live.rig, GST_STATE_PLAYING);
  live_rig_turn (&live, 11);
  g_object_set (live.rig->src, "prompt", "thunder", NULL);
  live_rig_turn (&live, 5);
  g_atomic_int_set (&fake.ration, -1);
  live_rig_await_level (&live, LIVE_BUFFER_TIME);
  live_rig_play (&live, 10);
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
  live_rig_clear (&live);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/live/08-no-preroll", test_no_preroll);
  g_test_add_func ("/live/30-pace", test_pace);
  g_test_add_func (
      "/live/08-start-waits-for-buffer", test_start_waits_for_buffer);
  g_test_add_func ("/live/21-repeat", test_repeat);
  g_test_add_func ("/live/21-qos-message", test_qos_message);
  g_test_add_func ("/live/12-no-drift", test_no_drift);
  g_test_add_func ("/live/21-stall", test_stall);
  g_test_add_func ("/live/21-error", test_error);
  g_test_add_func ("/live/30-pause", test_pause);
  g_test_add_func ("/live/30-clip-ends", test_clip_ends);
  g_test_add_func ("/live/21-end-behind-underrun", test_end_behind_underrun);
  g_test_add_func ("/live/20-latency", test_latency);
  g_test_add_func ("/live/20-latency-stays", test_latency_stays);
  g_test_add_func ("/live/20-little-latency", test_little_latency);
  g_test_add_func ("/live/20-buffer-time", test_buffer_time);
  g_test_add_func ("/live/statistics", test_statistics);
  g_test_add_func ("/live/30-other-clock", test_other_clock);
  g_test_add_func ("/live/prompt-behind-underrun", test_prompt_behind_underrun);
  return g_test_run ();
}
