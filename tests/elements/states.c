/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Changes of state: in any order, at any moment, promptly and without a
 * trace. */

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#include "gst-plugin/gstvidgensrc.h"
#include "tests/elements/holdings.h"
#include "tests/elements/rig.h"

#define ROUNDS 50
#define MOST_US G_USEC_PER_SEC

/* Sanitizers make everything slower. */
static gint64
limit_us (gint64 us)
{
  return g_getenv ("VIDGEN_SANITIZED") ? 5 * us : us;
}

static const GstState ladder[] = { GST_STATE_NULL, GST_STATE_READY,
  GST_STATE_PAUSED, GST_STATE_PLAYING };

static void
reach (Rig *rig, GstState state)
{
  rig_state (rig, state);
  g_assert_cmpint (
      gst_element_get_state (rig->pipeline, NULL, NULL, 10 * GST_SECOND), ==,
      GST_STATE_CHANGE_SUCCESS);
}

static void
test_every_pair (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  for (guint from = 0; from < G_N_ELEMENTS (ladder); from++) {
    for (guint to = 0; to < G_N_ELEMENTS (ladder); to++) {
      reach (rig, ladder[from]);
      reach (rig, ladder[to]);
    }
  }
  rig_state (rig, GST_STATE_NULL);
  g_assert_cmpint (fake.models, ==, 0);
  g_assert_cmpint (fake.streams, ==, 0);
}

/* Once it has changed, the error of a stream that leads nowhere may come. */
static void
change_to (GstElement *element, GstState state)
{
  GstState current;

  g_assert_cmpint (
      gst_element_set_state (element, state), !=, GST_STATE_CHANGE_FAILURE);
  gst_element_get_state (element, &current, NULL, 10 * GST_SECOND);
  g_assert_cmpint (current, ==, state);
}

/* Without a pipeline and with nothing linked, as gst-plugins-base tests the
 * states of every element. */
static void
test_alone (void)
{
  static const GstState sequences[][6] = {
    { GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED,
        GST_STATE_READY, GST_STATE_NULL },
    { GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_PAUSED,
        GST_STATE_READY, GST_STATE_NULL },
    { GST_STATE_READY, GST_STATE_NULL, GST_STATE_PLAYING, GST_STATE_NULL,
        GST_STATE_PAUSED, GST_STATE_NULL },
  };

  fake_reset ();
  for (guint live = 0; live < 2; live++) {
    g_autoptr (GstElement) src =
        gst_object_ref_sink (g_object_new (GST_TYPE_VIDGEN_SRC, "model", "fake",
            "device", "host", "is-live", live, NULL));
    for (guint i = 0; i < G_N_ELEMENTS (sequences); i++) {
      for (guint k = 0; k < G_N_ELEMENTS (sequences[i]); k++)
        change_to (src, sequences[i][k]);
    }
  }
  g_assert_cmpint (fake.models, ==, 0);
  g_assert_cmpint (fake.streams, ==, 0);
}

static void
test_quick_changes (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);

  fake_reset ();
  fake.load_us = 3000;
  fake.chunk_us = 1000;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  for (guint i = 0; i < 200; i++) {
    rig_state (rig, ladder[g_rand_int_range (rand, 0, 4)]);
    if (i % 10 == 0)
      g_usleep (g_rand_int_range (rand, 0, 5000));
    if (i % 50 == 0)
      g_object_set (rig->src, "is-live", i % 100 == 0, NULL);
  }
  rig_state (rig, GST_STATE_NULL);
  g_assert_cmpint (fake.models, ==, 0);
}

static void
remove_folder (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree char *file = g_build_filename (path, name, NULL);
    g_remove (file);
  }
  g_dir_close (dir);
  g_rmdir (path);
}

/* Whether that was done in time. */
static gboolean
leave (Rig *rig, GstState state)
{
  const gint64 start = g_get_monotonic_time ();

  rig_state (rig, state);
  return g_get_monotonic_time () - start < limit_us (MOST_US);
}

/* The machine may be busy for a moment, but not in most of the tries. */
static void
assert_in_time (guint in_time, guint tries)
{
  g_assert_cmpuint (in_time, >, tries * 3 / 4);
}

static gboolean
leave_once (Rig *rig, guint round)
{
  rig_state (rig, round % 2 ? GST_STATE_PLAYING : GST_STATE_PAUSED);
  if (round % 3)
    g_usleep (2000 * (round % 7));
  else
    rig_wait_element (rig, "vidgen-chunk");
  const gboolean in_time =
      leave (rig, round % 4 ? GST_STATE_NULL : GST_STATE_READY);
  rig_read (rig);
  g_ptr_array_set_size (rig->messages, 0);
  rig_clear (rig);
  return in_time;
}

static void
leave_often (Rig *rig)
{
  Holdings before = { 0 };
  guint in_time = 0;

  for (guint i = 0; i < 2 * ROUNDS; i++) {
    if (i == ROUNDS)
      before = holdings_now ();
    in_time += leave_once (rig, i);
  }
  assert_in_time (in_time, 2 * ROUNDS);
  rig_state (rig, GST_STATE_NULL);
  const Holdings after = holdings_settled (before.threads + 2);
  g_assert_cmpuint (after.descriptors, <=, before.descriptors);
  g_assert_cmpuint (after.threads, <=, before.threads + 2);
  if (!g_getenv ("VIDGEN_SANITIZED"))
    g_assert_cmpuint (
        after.resident_bytes, <, before.resident_bytes + (4 << 20));
}

static void
test_leave_often (void)
{
  fake_reset ();
  fake.chunk_us = 20000;
  fake.load_us = 5000;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  leave_often (rig);
  g_assert_cmpint (fake.models, ==, 0);
  g_assert_cmpint (fake.streams, ==, 0);
}

static void
test_leave_often_live (void)
{
  fake_reset ();
  fake.chunk_us = 20000;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "is-live", TRUE, "buffer-time",
      (guint64)100 * GST_MSECOND, NULL);
  leave_often (rig);
}

static void
leave_tiny (const char *device, guint rounds)
{
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  guint in_time = 0;

  g_object_set (rig->src, "device", device, "model",
      VIDGEN_SOURCE_ROOT "/tests/data/tiny.safetensors", NULL);
  for (guint i = 0; i < rounds; i++)
    in_time += leave_once (rig, i);
  assert_in_time (in_time, rounds);
}

static void
test_leave_mini (void)
{
  fake_reset ();
  leave_tiny ("host", ROUNDS);
}

static void
test_leave_mini_vulkan (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("auto", &error);

  if (!device) {
    g_test_skip (error->message);
    return;
  }
  fake_reset ();
  leave_tiny ("auto", 8);
}

/* The folder of the cache may change although the model stays open. */
static void
test_other_cache_vulkan (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("auto", &error);
  g_autofree char *folder = NULL;

  if (!device) {
    g_test_skip (error->message);
    return;
  }
  folder = g_dir_make_tmp ("vidgen-XXXXXX", &error);
  g_assert_no_error (error);
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "device", "auto", "num-buffers", 1, "model",
      VIDGEN_SOURCE_ROOT "/tests/data/tiny.safetensors", NULL);
  rig_state (rig, GST_STATE_READY);
  g_object_set (rig->src, "cache-dir", folder, NULL);
  rig_run (rig);
  g_assert_cmpuint (holdings_count_files (folder), >, 0);
  remove_folder (folder);
}

/* Whether that was done in time. */
static gboolean
leave_loading (void)
{
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  GstProgressType type;

  rig_state (rig, GST_STATE_PLAYING);
  rig_wait (rig, GST_MESSAGE_PROGRESS);
  const gboolean in_time = leave (rig, GST_STATE_READY);
  rig_read (rig);
  for (guint i = 0; i < rig->messages->len; i++) {
    GstMessage *message = g_ptr_array_index (rig->messages, i);
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_PROGRESS)
      gst_message_parse_progress (message, &type, NULL, NULL);
  }
  /* The bus drops what comes behind PAUSED; the last one that was read is not
   * the end of the load. */
  g_assert_cmpint (type, !=, GST_PROGRESS_TYPE_COMPLETE);
  return in_time;
}

static void
test_leave_while_loading (void)
{
  guint in_time = 0;

  fake_reset ();
  fake.load_us = 10 * G_USEC_PER_SEC;
  for (guint i = 0; i < 5; i++)
    in_time += leave_loading ();
  assert_in_time (in_time, 5);
}

/* The quickest of some tries, since the machine may be busy. */
static gint64
time_to (Rig *rig, GstState state, GstStateChangeReturn expected)
{
  gint64 best = G_MAXINT64;

  for (guint i = 0; i < 5; i++) {
    const gint64 start = g_get_monotonic_time ();
    g_assert_cmpint (
        gst_element_set_state (rig->pipeline, state), ==, expected);
    best = MIN (best, g_get_monotonic_time () - start);
    rig_state (rig, GST_STATE_NULL);
  }
  return best;
}

static void
test_ready_is_quick (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "model",
      VIDGEN_SOURCE_ROOT "/tests/data/tiny.safetensors", NULL);
  g_assert_cmpint (time_to (rig, GST_STATE_READY, GST_STATE_CHANGE_SUCCESS), <,
      limit_us (G_USEC_PER_SEC / 2));
}

static void
test_paused_returns_at_once (void)
{
  fake_reset ();
  fake.load_us = G_USEC_PER_SEC;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_assert_cmpint (time_to (rig, GST_STATE_PAUSED, GST_STATE_CHANGE_ASYNC), <,
      G_USEC_PER_SEC / 2);
}

static void
test_two_at_once (void)
{
  fake_reset ();
  fake.chunk_us = 1000;
  g_autoptr (Rig) a = rig_new (RIG_BOTH);
  g_autoptr (Rig) b = rig_new (RIG_BOTH);
  g_object_set (a->src, "num-buffers", 100, NULL);
  g_object_set (b->src, "num-buffers", 80, NULL);
  rig_state (a, GST_STATE_PLAYING);
  rig_state (b, GST_STATE_PLAYING);
  rig_wait (a, GST_MESSAGE_EOS);
  rig_wait (b, GST_MESSAGE_EOS);
  rig_state (a, GST_STATE_NULL);
  rig_state (b, GST_STATE_NULL);
  rig_assert_clip (a, 100, 150000);
  rig_assert_clip (b, 80, 120000);
}

static void
test_plays_again (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 20, NULL);
  for (guint i = 0; i < 3; i++) {
    rig_run (rig);
    rig_assert_clip (rig, 20, 30000);
    rig_clear (rig);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/states/06-every-pair", test_every_pair);
  g_test_add_func ("/states/06-alone", test_alone);
  g_test_add_func ("/states/06-quick-changes", test_quick_changes);
  g_test_add_func ("/states/07-leave-often", test_leave_often);
  g_test_add_func ("/states/10-leave-often-live", test_leave_often_live);
  g_test_add_func ("/states/28-leave-mini", test_leave_mini);
  g_test_add_func ("/states/leave-mini-vulkan", test_leave_mini_vulkan);
  g_test_add_func ("/states/other-cache-vulkan", test_other_cache_vulkan);
  g_test_add_func ("/states/07-leave-while-loading", test_leave_while_loading);
  g_test_add_func ("/states/07-ready-is-quick", test_ready_is_quick);
  g_test_add_func (
      "/states/07-paused-returns-at-once", test_paused_returns_at_once);
  g_test_add_func ("/states/28-two-at-once", test_two_at_once);
  g_test_add_func ("/states/06-plays-again", test_plays_again);
  return g_test_run ();
}
