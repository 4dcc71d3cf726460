/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/elements/liverig.h"

void
live_rig_init (LiveRig *live)
{
  live->rig = rig_new (RIG_BOTH);
  live->clock =
      GST_TEST_CLOCK (gst_test_clock_new_with_start_time (LIVE_EPOCH));
  gst_pipeline_use_clock (
      GST_PIPELINE (live->rig->pipeline), GST_CLOCK (live->clock));
  g_object_set (
      live->rig->src, "is-live", TRUE, "buffer-time", LIVE_BUFFER_TIME, NULL);
}

void
live_rig_clear (LiveRig *live)
{
  rig_free (live->rig);
  gst_object_unref (live->clock);
}

void
live_rig_turn (LiveRig *live, guint slots)
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

void
live_rig_play (LiveRig *live, guint slots)
{
  const guint64 frame_ns =
      gst_util_uint64_scale (GST_SECOND, fake.fps_d, fake.fps_n);

  for (guint i = 0; i < slots; i++) {
    live_rig_await_level (live, frame_ns);
    live_rig_turn (live, 1);
  }
}

guint64
live_rig_stat (const LiveRig *live, const char *field)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (live->rig->src, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, field, &value));
  return value;
}

double
live_rig_attainment (const LiveRig *live)
{
  g_autoptr (GstStructure) stats = NULL;
  double value = 0;

  g_object_get (live->rig->src, "stats", &stats, NULL);
  g_assert_true (
      gst_structure_get_double (stats, "deadline-attainment", &value));
  return value;
}

void
live_rig_await_level (const LiveRig *live, guint64 ns)
{
  for (guint i = 0; live_rig_stat (live, "queue-level") < ns; i++) {
    g_assert_cmpuint (i, <, 20000);
    g_usleep (1000);
  }
}

void
live_rig_await_chunks (gint chunks)
{
  for (guint i = 0; g_atomic_int_get (&fake.chunks) < chunks; i++) {
    g_assert_cmpuint (i, <, 20000);
    g_usleep (1000);
  }
}

void
live_rig_run_dry (LiveRig *live, guint slots)
{
  fake.ration = 3; /* 11 frames, of which 8 fill the buffer */
  live_rig_init (live);
  rig_state (live->rig, GST_STATE_PLAYING);
  live_rig_turn (live, 11);
  live_rig_turn (live, 4);
  g_atomic_int_set (&fake.ration, 1);
  live_rig_await_chunks (4);
  live_rig_await_level (live, 4 * GST_SECOND / 16);
  live_rig_turn (live, 3);
  g_atomic_int_set (&fake.ration, -1);
  live_rig_await_level (live, LIVE_BUFFER_TIME);
  live_rig_play (live, slots - 18);
}
