/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* What is negotiated, and pictures and sound in it. */

#include <gst/audio/audio.h>
#include <math.h>

#include "tests/elements/rig.h"

GST_PLUGIN_STATIC_DECLARE (vidgen);

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
run_size (gboolean coupled, const char *asked, const char *made)
{
  g_autofree char *filter = g_strconcat ("video/x-raw, ", asked, NULL);
  g_autofree char *expected = g_strconcat ("video/x-raw, ", made, NULL);

  fake_reset ();
  fake.coupled = coupled;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  set_filter (rig, RIG_VIDEO, filter);
  g_object_set (rig->src, "num-buffers", 10, NULL);
  rig_run (rig);
  assert_caps (rig, RIG_VIDEO, expected);
  rig_assert_clip (rig, 10, 15000);
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

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    run_size (FALSE, sizes[i][0], sizes[i][1]);
}

/* Where width and height belong together one of them says both, and what is
 * left open is the native size. */
static void
test_coupled_sizes (void)
{
  static const char native[] = "width = 32, height = 16";
  static const char twice[] = "width = 64, height = 32";
  static const char *const sizes[][2] = {
    { twice, twice },
    { "width = 64", twice },
    { "height = 32", twice },
    { "width = (int) [ 40, 1000 ]", twice },
    { native, native },
    { "width = (int) [ 1, 1000 ]", native },
    { "height = (int) { 32, 16 }", native },
    { "format = NV12, width = (int) [ 40, 1000 ]", twice },
    { "format = RGBA", native },
  };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    run_size (TRUE, sizes[i][0], sizes[i][1]);
}

/* Odd sizes round the chroma up. */
static void
test_odd_sizes (void)
{
  static const char *const formats[] = { "I420", "NV12", "RGBA", "BGRx",
    "RGB" };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *filter = g_strdup_printf (
        "video/x-raw, format = %s, width = 33, height = 17", formats[i]);
    fake_reset ();
    fake.size_step = 1;
    g_autoptr (Rig) rig = rig_new (RIG_BOTH);
    set_filter (rig, RIG_VIDEO, filter);
    g_object_set (rig->src, "num-buffers", 10, NULL);
    rig_run (rig);
    assert_caps (rig, RIG_VIDEO, filter);
    rig_assert_clip (rig, 10, 15000);
  }
}

static void
test_impossible (void)
{
  static const struct {
    RigPad pad;
    gboolean coupled;
    const char *filter;
  } cases[] = { { RIG_VIDEO, FALSE, "video/x-raw, width = 33" },
    { RIG_VIDEO, FALSE, "video/x-raw, framerate = 25/1" },
    { RIG_VIDEO, FALSE, "video/x-raw, format = GRAY8" },
    { RIG_VIDEO, TRUE, "video/x-raw, width = 64, height = 16" },
    { RIG_VIDEO, TRUE, "video/x-raw, width = 32, height = 32" },
    { RIG_VIDEO, TRUE, "video/x-raw, width = (int) [ 33, 63 ]" },
    { RIG_AUDIO, FALSE, "audio/x-raw, rate = 11025" },
    { RIG_AUDIO, FALSE, "audio/x-raw, channels = 6" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    fake_reset ();
    fake.coupled = cases[i].coupled;
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
change_filter (Rig *rig, RigPad pad, const char *description)
{
  g_autoptr (GstCaps) wanted = gst_caps_from_string (description);
  gboolean arrived = FALSE;

  rig_wait_buffers (rig, pad, rig_received (rig, pad) + 10);
  set_filter (rig, pad, description);
  for (guint i = 0; !arrived; i++) {
    g_assert_cmpuint (i, <, 20000);
    g_usleep (1000);
    g_mutex_lock (&rig->lock);
    arrived = gst_caps_is_subset (
        caps_of (rig, pad, rig->tracks[pad].caps->len - 1), wanted);
    g_mutex_unlock (&rig->lock);
  }
}

/* Until the frames for the caps before have gone by, and the first of the new
 * stream has come. */
static void
change_size (Rig *rig, const char *description)
{
  const guint before = rig_received (rig, RIG_VIDEO);
  gboolean started = FALSE;

  change_filter (rig, RIG_VIDEO, description);
  for (guint i = before; !started; i++) {
    rig_wait_buffers (rig, RIG_VIDEO, i + 1);
    g_mutex_lock (&rig->lock);
    started = rig_content (rig, i).frame == 0;
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
  change_filter (rig, RIG_VIDEO, "video/x-raw, format = RGBA, width = 32");
  change_size (rig, "video/x-raw, format = NV12, width = 64, height = 32");
  change_size (rig, "video/x-raw, format = RGB, width = 16");
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

static guint
width_of (const Rig *rig, guint i)
{
  gint width;

  g_assert_true (gst_structure_get_int (
      gst_caps_get_structure (caps_of (rig, RIG_VIDEO, i), 0), "width",
      &width));
  return width;
}

/* To twice the native size and back while it plays; each is a cut. */
static void
test_coupled_renegotiation (void)
{
  static const guint widths[] = { 32, 64, 32 };
  guint at = 0, starts = 0;

  fake_reset ();
  fake.coupled = TRUE;
  fake.chunk_us = 3000;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 10);
  change_size (rig, "video/x-raw, width = 64");
  change_size (rig, "video/x-raw, width = 32");
  rig_state (rig, GST_STATE_NULL);

  for (guint i = 0; i < rig->tracks[RIG_VIDEO].buffers->len; i++) {
    g_assert_cmpuint (GST_BUFFER_PTS (rig_buffer (rig, RIG_VIDEO, i)), ==,
        gst_util_uint64_scale (i, GST_SECOND, 16));
    if (width_of (rig, i) != widths[at])
      at++;
    g_assert_cmpuint (at, <, G_N_ELEMENTS (widths));
    g_assert_cmpuint (width_of (rig, i), ==, widths[at]);
    starts += rig_content (rig, i).frame == 0;
  }
  g_assert_cmpuint (at, ==, G_N_ELEMENTS (widths) - 1);
  g_assert_cmpuint (starts, ==, 3);
}

static Rig *
open_wide (const char *filter, gint frames)
{
  Rig *rig = rig_new (RIG_BOTH);

  g_object_set (rig->src, "seed", (guint64)9, "num-buffers", frames, "model",
      VIDGEN_SOURCE_ROOT "/tests/data/tiny-wide.safetensors", NULL);
  set_filter (rig, RIG_VIDEO, filter);
  return rig;
}

static VidgenStream *
open_wide_stream (guint scale)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  g_autoptr (VidgenModel) model = vidgen_model_open (
      VIDGEN_SOURCE_ROOT "/tests/data/tiny-wide.safetensors", &error);
  g_autoptr (VidgenConditioning) prompt = NULL;
  VidgenStreamParams params = { .seed = 9 };
  VidgenStream *stream;

  params.format = vidgen_model_info (model)->native;
  params.format.width *= scale;
  params.format.height *= scale;
  vidgen_model_load (model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  prompt = vidgen_model_encode (
      model, vidgen_model_info (model)->prompts[0], NULL, NULL, &error);
  stream = vidgen_stream_new (model, &params, &error);
  g_assert_no_error (error);
  vidgen_stream_set_conditioning (stream, prompt, 0);
  return stream;
}

static char *
checksum_of_pictures (VidgenStream *stream, guint chunks)
{
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_RGB, TRUE };
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  for (guint i = 0; i < chunks; i++) {
    g_autoptr (VidgenChunk) chunk =
        vidgen_stream_next (stream, &request, NULL, NULL);
    g_checksum_update (
        checksum, chunk->pictures, (gsize)chunk->frames * chunk->layout.size);
  }
  return g_strdup (g_checksum_get_string (checksum));
}

/* What is sent at twice the size was made at twice the size, beside the sound
 * of the native one. */
static void
test_wide (void)
{
  fake_reset ();
  g_autoptr (Rig) small = open_wide ("video/x-raw, format = RGB", 8);
  g_autoptr (Rig) large =
      open_wide ("video/x-raw, format = RGB, width = 96, height = 64", 8);
  g_autoptr (VidgenStream) stream = open_wide_stream (2);
  g_autofree char *made = checksum_of_pictures (stream, 2);

  rig_run (small);
  rig_run (large);
  g_assert_cmpuint (width_of (small, 0), ==, 48);
  g_assert_cmpuint (width_of (large, 0), ==, 96);
  g_autofree char *sent = rig_checksum (large, RIG_VIDEO);
  g_autofree char *small_sound = rig_checksum (small, RIG_AUDIO);
  g_autofree char *large_sound = rig_checksum (large, RIG_AUDIO);
  g_assert_cmpstr (sent, ==, made);
  g_assert_cmpstr (small_sound, ==, large_sound);
}

/* Until the first picture comes of a stream of that scale. */
static void
wait_for_first (Rig *rig, guint from, guint scale)
{
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_RGB, TRUE };
  g_autoptr (VidgenStream) stream = open_wide_stream (scale);
  g_autoptr (VidgenChunk) chunk =
      vidgen_stream_next (stream, &request, NULL, NULL);
  gboolean found = FALSE;

  for (guint i = from; !found; i++) {
    g_assert_cmpuint (i, <, from + 1000);
    rig_wait_buffers (rig, RIG_VIDEO, i + 1);
    g_mutex_lock (&rig->lock);
    found = gst_buffer_get_size (rig_buffer (rig, RIG_VIDEO, i)) ==
                chunk->layout.size &&
            gst_buffer_memcmp (rig_buffer (rig, RIG_VIDEO, i), 0,
                chunk->pictures, chunk->layout.size) == 0;
    g_mutex_unlock (&rig->lock);
  }
}

/* A model of the real family between both sizes, each of which it makes. */
static void
test_wide_renegotiation (void)
{
  static const guint widths[] = { 48, 96, 48 };
  guint at = 0, before;

  fake_reset ();
  g_autoptr (Rig) rig = open_wide ("video/x-raw, format = RGB", -1);
  rig_state (rig, GST_STATE_PLAYING);
  change_filter (rig, RIG_VIDEO, "video/x-raw, format = RGB, width = 96");
  wait_for_first (rig, 0, 2);
  before = rig_received (rig, RIG_VIDEO);
  change_filter (rig, RIG_VIDEO, "video/x-raw, format = RGB, width = 48");
  wait_for_first (rig, before, 1);
  rig_state (rig, GST_STATE_NULL);
  for (guint i = 0; i < rig->tracks[RIG_VIDEO].buffers->len; i++) {
    at += width_of (rig, i) != widths[at];
    g_assert_cmpuint (at, <, G_N_ELEMENTS (widths));
    g_assert_cmpuint (width_of (rig, i), ==, widths[at]);
    g_assert_cmpuint (GST_BUFFER_PTS (rig_buffer (rig, RIG_VIDEO, i)), ==,
        gst_util_uint64_scale (i, GST_SECOND, 16));
  }
  g_assert_cmpuint (at, ==, G_N_ELEMENTS (widths) - 1);
}

static void
check_sound (const GstAudioInfo *info, GstBuffer *buffer)
{
  const guint prompt = fake_prompt ("an example");
  const gboolean mono = GST_AUDIO_INFO_CHANNELS (info) == 1;
  const guint64 first = GST_BUFFER_OFFSET (buffer);
  const guint samples = GST_BUFFER_OFFSET_END (buffer) - first;
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_assert_cmpuint (map.size, ==, samples * GST_AUDIO_INFO_BPF (info));
  for (guint i = 0; i < samples; i++) {
    const float left = fake_left (first + i, prompt);
    const float value = mono ? 0.5f * (left + fake_right (first + i)) : left;
    const guint8 *at = map.data + i * GST_AUDIO_INFO_BPF (info);
    if (GST_AUDIO_INFO_FORMAT (info) == GST_AUDIO_FORMAT_S16LE)
      g_assert_cmpint (
          (gint16)GST_READ_UINT16_LE (at), ==, lrintf (value * 32767));
    else
      g_assert_cmpfloat (GST_READ_FLOAT_LE (at), ==, value);
  }
  gst_buffer_unmap (buffer, &map);
}

/* Not a sample is lost or doubled when the caps of sound change. */
static void
test_sound_renegotiation (void)
{
  guint64 next = 0;
  guint changes = 0;

  fake_reset ();
  fake.chunk_us = 3000;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  set_filter (rig, RIG_AUDIO, "audio/x-raw, format = F32LE, channels = 2");
  rig_state (rig, GST_STATE_PLAYING);
  change_filter (rig, RIG_AUDIO, "audio/x-raw, format = S16LE, channels = 1");
  change_filter (rig, RIG_AUDIO, "audio/x-raw, format = S16LE, channels = 2");
  change_filter (rig, RIG_AUDIO, "audio/x-raw, format = F32LE, channels = 1");
  rig_state (rig, GST_STATE_NULL);

  for (guint i = 0; i < rig->tracks[RIG_AUDIO].buffers->len; i++) {
    GstBuffer *buffer = rig_buffer (rig, RIG_AUDIO, i);
    GstAudioInfo info;
    g_assert_true (
        gst_audio_info_from_caps (&info, caps_of (rig, RIG_AUDIO, i)));
    g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, next);
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==,
        gst_util_uint64_scale (next, GST_SECOND, 24000));
    check_sound (&info, buffer);
    next = GST_BUFFER_OFFSET_END (buffer);
    changes += i > 0 && !gst_caps_is_equal (caps_of (rig, RIG_AUDIO, i),
                            caps_of (rig, RIG_AUDIO, i - 1));
  }
  g_assert_cmpuint (changes, ==, 3);
}

static GstPadProbeReturn
count (G_GNUC_UNUSED GstPad *pad, G_GNUC_UNUSED GstPadProbeInfo *info,
    gpointer user_data)
{
  g_atomic_int_inc ((gint *)user_data);
  return GST_PAD_PROBE_OK;
}

static guint
frames_behind_videorate (const char *source)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *description = g_strconcat (source,
      " ! videorate ! video/x-raw, framerate=25/1 ! fakesink name=sink", NULL);
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  gint frames = 0;

  g_assert_no_error (error);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count, &frames, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return frames;
}

/* Another frame rate is left to videorate, as behind any source. */
static void
test_other_rate (void)
{
  g_autoptr (GstElementFactory) rate = gst_element_factory_find ("videorate");
  g_autoptr (GstElementFactory) other =
      gst_element_factory_find ("videotestsrc");

  if (!rate || !other) {
    g_test_skip ("there is no videorate or no videotestsrc");
    return;
  }
  GST_PLUGIN_STATIC_REGISTER (vidgen);
  fake_reset ();
  g_assert_cmpuint (frames_behind_videorate (
                        "vidgensrc model=fake device=host num-buffers=32"),
      ==,
      frames_behind_videorate (
          "videotestsrc num-buffers=32 ! video/x-raw,framerate=16/1"));
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
  g_test_add_func ("/caps/coupled-sizes", test_coupled_sizes);
  g_test_add_func ("/caps/odd-sizes", test_odd_sizes);
  g_test_add_func ("/caps/impossible", test_impossible);
  g_test_add_func ("/caps/mono", test_mono);
  g_test_add_func ("/caps/s16", test_s16);
  g_test_add_func ("/caps/renegotiation", test_renegotiation);
  g_test_add_func ("/caps/coupled-renegotiation", test_coupled_renegotiation);
  g_test_add_func ("/caps/wide", test_wide);
  g_test_add_func ("/caps/wide-renegotiation", test_wide_renegotiation);
  g_test_add_func ("/caps/sound-renegotiation", test_sound_renegotiation);
  g_test_add_func ("/caps/other-rate", test_other_rate);
  g_test_add_func ("/caps/before-ready", test_caps_before_ready);
  return g_test_run ();
}
