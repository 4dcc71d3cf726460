/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* What is negotiated, and pictures and sound in it. */

#include <gst/audio/audio.h>
#include <math.h>

#include "tests/elements/rig.h"

static void
set_filter (Rig *rig, RigPad pad, const char *description)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (description);

  g_object_set (rig->tracks[pad].filter, "caps", caps, NULL);
}

static GstCaps *
caps_of (const Rig *rig, RigPad pad, guint i)
{
  return g_ptr_array_index (rig->tracks[pad].caps, i);
}

static void
assert_caps (const Rig *rig, RigPad pad, const char *description)
{
  g_autoptr (GstCaps) expected = gst_caps_from_string (description);
  g_autofree char *text = gst_caps_to_string (caps_of (rig, pad, 0));

  if (!gst_caps_is_subset (caps_of (rig, pad, 0), expected))
    g_error ("%s, not %s", text, description);
}

static void
test_native (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 3, NULL);
  rig_run (rig);
  assert_caps (rig, RIG_VIDEO,
      "video/x-raw, format = I420, width = 32, height = 16, "
      "framerate = 16/1, pixel-aspect-ratio = 1/1, "
      "interlace-mode = progressive, colorimetry = bt709, "
      "chroma-site = mpeg2");
  assert_caps (rig, RIG_AUDIO,
      "audio/x-raw, format = F32LE, layout = interleaved, rate = 24000, "
      "channels = 2");
}

static void
test_video_formats (void)
{
  static const char *const formats[] = { "I420", "NV12", "RGBA", "BGRx",
    "RGB" };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *filter =
        g_strdup_printf ("video/x-raw, format = %s", formats[i]);
    g_autofree char *colour = g_strconcat (
        filter, i < 2 ? ", colorimetry = bt709" : ", colorimetry = sRGB", NULL);
    fake_reset ();
    g_autoptr (Rig) rig = rig_new (RIG_BOTH);
    set_filter (rig, RIG_VIDEO, filter);
    g_object_set (rig->src, "num-buffers", 20, NULL);
    rig_run (rig);
    assert_caps (rig, RIG_VIDEO, colour);
    rig_assert_clip (rig, 20, 30000);
  }
}

static void
test_sizes (void)
{
  static const char *const sizes[][2] = {
    { "width = 64, height = 64", "width = 64, height = 64" },
    { "width = 48", "width = 48, height = 16" },
    { "width = (int) [ 40, 60 ]", "width = 48, height = 16" },
    { "height = (int) [ 30, 100 ]", "width = 32, height = 32" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree char *filter = g_strconcat ("video/x-raw, ", sizes[i][0], NULL);
    g_autofree char *expected =
        g_strconcat ("video/x-raw, ", sizes[i][1], NULL);
    fake_reset ();
    g_autoptr (Rig) rig = rig_new (RIG_BOTH);
    set_filter (rig, RIG_VIDEO, filter);
    g_object_set (rig->src, "num-buffers", 10, NULL);
    rig_run (rig);
    assert_caps (rig, RIG_VIDEO, expected);
    rig_assert_clip (rig, 10, 15000);
  }
}

static void
test_impossible (void)
{
  static const struct {
    RigPad pad;
    const char *filter;
  } cases[] = { { RIG_VIDEO, "video/x-raw, width = 33" },
    { RIG_VIDEO, "video/x-raw, framerate = 25/1" },
    { RIG_VIDEO, "video/x-raw, format = GRAY8" },
    { RIG_AUDIO, "audio/x-raw, rate = 11025" },
    { RIG_AUDIO, "audio/x-raw, channels = 6" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    fake_reset ();
    g_autoptr (Rig) rig = rig_new (RIG_BOTH);
    set_filter (rig, cases[i].pad, cases[i].filter);
    g_object_set (rig->src, "num-buffers", 4, NULL);
    rig_state (rig, GST_STATE_PLAYING);
    rig_assert_error (rig_wait (rig, GST_MESSAGE_ERROR), GST_CORE_ERROR,
        GST_CORE_ERROR_NEGOTIATION);
    rig_state (rig, GST_STATE_NULL);
    rig_read (rig);
    g_assert_cmpuint (rig_count (rig, GST_MESSAGE_ERROR), ==, 1);

    g_object_set (rig->tracks[cases[i].pad].filter, "caps", NULL, NULL);
    rig_clear (rig);
    rig_run (rig);
    rig_assert_clip (rig, 4, 6000);
  }
}

static void
run_sound (Rig *rig, const char *filter, GArray **sound)
{
  set_filter (rig, RIG_AUDIO, filter);
  g_object_set (rig->src, "num-buffers", 10, NULL);
  rig_run (rig);
  assert_caps (rig, RIG_AUDIO, filter);
  *sound = rig_sound (rig);
}

static void
test_mono (void)
{
  const guint prompt = fake_prompt ("an example");
  g_autoptr (GArray) sound = NULL;

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  run_sound (rig, "audio/x-raw, channels = 1", &sound);
  g_assert_cmpuint (sound->len, ==, 15000);
  for (guint i = 0; i < sound->len; i++)
    g_assert_cmpfloat (g_array_index (sound, float, i), ==,
        0.5f * (fake_left (i, prompt) + fake_right (i)));
}

static void
test_s16 (void)
{
  const guint prompt = fake_prompt ("an example");
  g_autoptr (GArray) sound = NULL;

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  run_sound (rig, "audio/x-raw, format = S16LE", &sound);
  const gint16 *samples = (const gint16 *)sound->data;
  g_assert_cmpuint (sound->len, ==, 15000);
  for (guint i = 0; i < 15000; i++) {
    g_assert_cmpint (GINT16_FROM_LE (samples[2 * i]), ==,
        lrintf (fake_left (i, prompt) * 32767));
    g_assert_cmpint (GINT16_FROM_LE (samples[2 * i + 1]), ==,
        lrintf (fake_right (i) * 32767));
  }
}

static void
change_filter (Rig *rig, const char *description)
{
  g_autoptr (GstCaps) wanted = gst_caps_from_string (description);
  gboolean arrived = FALSE;

  rig_wait_buffers (rig, RIG_VIDEO, rig_received (rig, RIG_VIDEO) + 10);
  set_filter (rig, RIG_VIDEO, description);
  for (guint i = 0; !arrived; i++) {
    g_assert_cmpuint (i, <, 20000);
    g_usleep (1000);
    g_mutex_lock (&rig->lock);
    arrived = gst_caps_is_subset (
        caps_of (rig, RIG_VIDEO, rig->tracks[RIG_VIDEO].caps->len - 1), wanted);
    g_mutex_unlock (&rig->lock);
  }
}

/* Frames made for the old caps are converted, so that none is lost; a new size
 * begins a new stream of the model. */
static void
test_renegotiation (void)
{
  guint changes = 0, starts = 0;

  fake_reset ();
  fake.chunk_us = 3000;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  set_filter (rig, RIG_VIDEO, "video/x-raw, format = I420");
  g_object_set (rig->src, "buffer-time", (guint64)500 * GST_MSECOND, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  change_filter (rig, "video/x-raw, format = RGBA, width = 32");
  change_filter (rig, "video/x-raw, format = NV12, width = 64, height = 32");
  change_filter (rig, "video/x-raw, format = RGB, width = 16");
  rig_wait_buffers (rig, RIG_VIDEO, rig_received (rig, RIG_VIDEO) + 20);
  rig_state (rig, GST_STATE_NULL);

  for (guint i = 0; i < rig->tracks[RIG_VIDEO].buffers->len; i++) {
    const GstBuffer *buffer = rig_buffer (rig, RIG_VIDEO, i);
    const guint frame = rig_content (rig, i).frame;
    g_assert_cmpuint (
        GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (i, GST_SECOND, 16));
    if (i == 0)
      continue;
    changes += !gst_caps_is_equal (
        caps_of (rig, RIG_VIDEO, i), caps_of (rig, RIG_VIDEO, i - 1));
    if (frame != rig_content (rig, i - 1).frame + 1) {
      g_assert_cmpuint (frame, ==, 0);
      starts++;
    }
  }
  g_assert_cmpuint (changes, ==, 3);
  g_assert_cmpuint (starts, ==, 2);
}

static GstPadProbeReturn
offer_pool (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  GstVideoAlignment alignment;
  GstVideoInfo video_info;
  GstStructure *config;
  GstCaps *caps;

  (void)pad;
  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  gst_query_parse_allocation (query, &caps, NULL);
  g_assert_true (gst_video_info_from_caps (&video_info, caps));
  gst_video_alignment_reset (&alignment);
  alignment.padding_left = 16;
  alignment.padding_right = 14;
  alignment.padding_top = 2;
  GstBufferPool *pool = gst_video_buffer_pool_new ();
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, video_info.size, 2, 4);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_config_add_option (
      config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
  gst_buffer_pool_config_set_video_alignment (config, &alignment);
  g_assert_true (gst_buffer_pool_set_config (pool, config));
  gst_query_add_allocation_pool (query, pool, video_info.size, 2, 4);
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  *(GstBufferPool **)user_data = pool;
  return GST_PAD_PROBE_HANDLED;
}

static GstPadProbeReturn
check_pool (
    G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  const GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstBufferPool *const *pool = user_data;

  g_assert_true (buffer->pool == *pool);
  return GST_PAD_PROBE_OK;
}

/* Pictures go into downstream's buffers, whatever their strides. */
static void
test_pool (void)
{
  static const char *const formats[] = { "I420", "NV12", "RGB" };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *filter =
        g_strdup_printf ("video/x-raw, format = %s", formats[i]);
    GstBufferPool *pool = NULL;
    fake_reset ();
    g_autoptr (Rig) rig = rig_new (RIG_BOTH);
    g_autoptr (GstPad) pad =
        gst_element_get_static_pad (rig->tracks[RIG_VIDEO].filter, "sink");
    set_filter (rig, RIG_VIDEO, filter);
    gst_pad_add_probe (
        pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, offer_pool, &pool, NULL);
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, check_pool, &pool, NULL);
    g_object_set (rig->src, "num-buffers", 20, NULL);
    rig_run (rig);
    g_assert_nonnull (pool);
    const GstVideoMeta *meta =
        gst_buffer_get_video_meta (rig_buffer (rig, RIG_VIDEO, 0));
    g_assert_nonnull (meta);
    rig_assert_clip (rig, 20, 30000);
    gst_object_unref (pool);
  }
}

static void
test_caps_before_ready (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (rig->src, "video");
  g_autoptr (GstCaps) before = gst_pad_query_caps (pad, NULL);
  g_autoptr (GstCaps) wide =
      gst_caps_from_string ("video/x-raw, format = I420, width = 1921");
  g_assert_true (gst_caps_can_intersect (before, wide));
  rig_state (rig, GST_STATE_READY);
  g_autoptr (GstCaps) after = gst_pad_query_caps (pad, NULL);
  g_assert_false (gst_caps_can_intersect (after, wide));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/caps/native", test_native);
  g_test_add_func ("/caps/video-formats", test_video_formats);
  g_test_add_func ("/caps/sizes", test_sizes);
  g_test_add_func ("/caps/impossible", test_impossible);
  g_test_add_func ("/caps/mono", test_mono);
  g_test_add_func ("/caps/s16", test_s16);
  g_test_add_func ("/caps/renegotiation", test_renegotiation);
  g_test_add_func ("/caps/pool", test_pool);
  g_test_add_func ("/caps/before-ready", test_caps_before_ready);
  return g_test_run ();
}
