/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* vidgen:// and what players make of it. */

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gst-plugin/gstvidgenoptions.h"
#include "gst-plugin/gstvidgensrc.h"
#include "tests/elements/rig.h"

static gboolean
set_uri (Rig *rig, const char *uri, GError **error)
{
  return gst_uri_handler_set_uri (GST_URI_HANDLER (rig->src), uri, error);
}

static void
test_every_key (void)
{
  const char *uri =
      "vidgen://fake?prompt=ocean%20waves%2C%20%C3%A4&negative-prompt=people"
      "&seed=18446744073709551615&steps=4&guidance-scale=2.5"
      "&transition-time=0.25&duration=1.5&num-buffers=20&is-live=false"
      "&buffer-time=0.125&use-buffering=false&on-underrun=stall"
      "&width=48&height=24&framerate=16/1";
  g_autofree char *model = NULL, *prompt = NULL, *negative = NULL;
  g_autofree char *same = NULL;
  guint64 seed, transition, duration, buffer;
  gboolean live, buffering;
  double guidance;
  gint count, underrun;
  guint steps;

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_autoptr (GError) error = NULL;
  set_uri (rig, uri, &error);
  g_assert_no_error (error);
  g_object_get (rig->src, "model", &model, "prompt", &prompt, "negative-prompt",
      &negative, "seed", &seed, "steps", &steps, "guidance-scale", &guidance,
      "transition-time", &transition, "duration", &duration, "num-buffers",
      &count, "is-live", &live, "buffer-time", &buffer, "use-buffering",
      &buffering, "on-underrun", &underrun, NULL);
  g_assert_cmpstr (model, ==, "fake");
  g_assert_cmpstr (prompt, ==, "ocean waves, \xc3\xa4");
  g_assert_cmpstr (negative, ==, "people");
  g_assert_cmpuint (seed, ==, G_MAXUINT64);
  g_assert_cmpuint (steps, ==, 4);
  g_assert_cmpfloat (guidance, ==, 2.5);
  g_assert_cmpuint (transition, ==, 250 * GST_MSECOND);
  g_assert_cmpuint (duration, ==, 1500 * GST_MSECOND);
  g_assert_cmpint (count, ==, 20);
  g_assert_false (live);
  g_assert_cmpuint (buffer, ==, 125 * GST_MSECOND);
  g_assert_false (buffering);
  g_assert_cmpint (underrun, ==, VIDGEN_UNDERRUN_STALL);
  same = gst_uri_handler_get_uri (GST_URI_HANDLER (rig->src));
  g_assert_cmpstr (same, ==, uri);

  rig_run (rig);
  rig_assert_clip (rig, 20, 30000);
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("video/x-raw, width = 48, height = 24");
  g_assert_true (gst_caps_is_subset (
      g_ptr_array_index (rig->tracks[RIG_VIDEO].caps, 0), caps));
}

static void
test_path (void)
{
  g_autofree char *model = NULL;
  gboolean buffering;

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_assert_true (set_uri (rig, "vidgen:///a%20folder/of.weights", NULL));
  g_object_get (rig->src, "model", &model, "use-buffering", &buffering, NULL);
  g_assert_cmpstr (model, ==, "/a folder/of.weights");
  g_assert_true (buffering);
}

static void
assert_not_opened (const char *path)
{
  g_autofree char *uri = g_strconcat ("vidgen://", path, "?seed=1", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);

  g_assert_true (set_uri (rig, uri, NULL));
  rig_state (rig, GST_STATE_READY);
  GstMessage *message = rig_wait (rig, GST_MESSAGE_ERROR);
  rig_assert_error (message, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, path));
}

/* What is no file neither blocks the one who sets the URI nor the start, which
 * names it. */
static void
test_no_file (void)
{
  static const char *const names[] = { "model.safetensors", "model.gguf",
    "model.pth", "config.json" };
  g_autofree char *folder = g_dir_make_tmp ("vidgen-XXXXXX", NULL);
  g_autofree char *missing = g_build_filename (folder, "missing", NULL);

  fake_reset ();
  assert_not_opened (missing);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *pipe = g_build_filename (folder, names[i], NULL);
    g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
    assert_not_opened (pipe);
    assert_not_opened (folder);
  }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *pipe = g_build_filename (folder, names[i], NULL);
    g_assert_cmpint (g_unlink (pipe), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
test_bad (void)
{
  static const struct {
    const char *uri;
    const char *named;
  } cases[] = {
    { "vidgen://", "NAME" },
    { "vidgen:///", "NAME" },
    { "vidgen://mini/extra", "NAME" },
    { "vidgen://me@mini", "user" },
    { "vidgen://me:secret@mini?seed=1", "user" },
    { "vidgen://@mini", "user" },
    { "vidgen://mini:80", "port" },
    { "vidgen://mini#end", "fragment" },
    { "vidgen://mini?seed=1#end", "fragment" },
    { "vidgen://mini?colour=red", "colour" },
    { "vidgen://mini?device=0", "device" },
    { "vidgen://mini?cache-dir=/tmp", "cache-dir" },
    { "vidgen://mini?stats=1", "stats" },
    { "vidgen://mini?seed=-1", "seed" },
    { "vidgen://mini?seed=18446744073709551616", "seed" },
    { "vidgen://mini?seed=", "seed" },
    { "vidgen://mini?seed", "seed" },
    { "vidgen://mini?steps=two", "steps" },
    { "vidgen://mini?steps=100000", "steps" },
    { "vidgen://mini?duration=1s", "duration" },
    { "vidgen://mini?duration=-1", "duration" },
    { "vidgen://mini?duration=inf", "duration" },
    { "vidgen://mini?duration=nan", "duration" },
    { "vidgen://mini?duration=9223372037", "duration" },
    { "vidgen://mini?guidance-scale=1000", "guidance-scale" },
    { "vidgen://mini?num-buffers=-2", "num-buffers" },
    { "vidgen://mini?is-live=maybe", "is-live" },
    { "vidgen://mini?on-underrun=panic", "on-underrun" },
    { "vidgen://mini?width=0", "width" },
    { "vidgen://mini?height=-2", "height" },
    { "vidgen://mini?framerate=0", "framerate" },
    { "vidgen://mini?framerate=x", "framerate" },
    { "vidgen://mini?framerate=16/1x", "framerate" },
    { "vidgen://mini?framerate=16/-2147483648", "framerate" },
    { "vidgen://mini?framerate=4294967312", "framerate" },
    { "vidgen://mini?prompt=%FF%FE", "prompt" },
    { "vidgen://mini?prompt=a%00b", "prompt" },
    { "vidgen://mini?seed=1&pro%00mpt=a", "pro%00mpt" },
    { "vidgen://mini?%zz=a", "%zz" },
    { "vidgen://mini?seed=1%", "seed" },
    { "vidgen://mini?%FF=a", "key" },
    { "vidgen://%FF", "UTF-8" },
    { "vidgen:///a%FF", "UTF-8" },
    { "vidgen:///a%00b", "%00" },
  };

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_assert_true (set_uri (rig, "vidgen://fake?seed=3", NULL));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *model = NULL;
    guint64 seed;

    if (set_uri (rig, cases[i].uri, &error))
      g_error ("%s was taken", cases[i].uri);
    g_assert_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI);
    if (!strstr (error->message, cases[i].named))
      g_error ("%s: %s", cases[i].uri, error->message);
    /* Nothing has changed. */
    g_object_get (rig->src, "model", &model, "seed", &seed, NULL);
    g_assert_cmpstr (model, ==, "fake");
    g_assert_cmpuint (seed, ==, 3);
  }
}

static void
test_bad_state (void)
{
  g_autoptr (GError) error = NULL;

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  rig_state (rig, GST_STATE_PAUSED);
  g_assert_false (set_uri (rig, "vidgen://fake", &error));
  g_assert_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE);
}

/* A size or rate that the model does not make is as bad as one that nothing
 * makes, and is named. */
static void
test_impossible_size (void)
{
  static const struct {
    gboolean coupled;
    const char *uri, *says;
  } cases[] = {
    { FALSE, "vidgen://fake?width=1000", "width" },
    { FALSE, "vidgen://fake?width=33", "width" },
    { FALSE, "vidgen://fake?height=7&width=32", "height" },
    { FALSE, "vidgen://fake?framerate=25", "framerate" },
    { TRUE, "vidgen://fake?width=48", "width" },
    { TRUE, "vidgen://fake?width=64&height=16", "32 x 16 or 64 x 32" },
    { TRUE, "vidgen://fake?height=32&width=32", "\"width\" and \"height\"" },
  };

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    fake.coupled = cases[i].coupled;
    g_assert_false (set_uri (rig, cases[i].uri, &error));
    g_assert_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI);
    g_assert_nonnull (strstr (error->message, cases[i].says));
  }
  g_assert_true (set_uri (rig, "vidgen://fake?num-buffers=3", NULL));
  rig_run (rig);
  rig_assert_clip (rig, 3, 4500);
}

/* Of a size that belongs together one part is enough. */
static void
test_half_size (void)
{
  static const char *const uris[] = {
    "vidgen://fake?num-buffers=3&width=64",
    "vidgen://fake?num-buffers=3&height=32",
    "vidgen://fake?num-buffers=3&height=32&width=64",
  };

  for (guint i = 0; i < G_N_ELEMENTS (uris); i++) {
    fake_reset ();
    fake.coupled = TRUE;
    g_autoptr (Rig) rig = rig_new (RIG_BOTH);
    g_autoptr (GstCaps) twice =
        gst_caps_from_string ("video/x-raw, width = 64, height = 32");
    g_assert_true (set_uri (rig, uris[i], NULL));
    rig_run (rig);
    rig_assert_clip (rig, 3, 4500);
    g_assert_true (gst_caps_is_subset (
        g_ptr_array_index (rig->tracks[RIG_VIDEO].caps, 0), twice));
  }
}

/* What one URI asked for does not stay when the next one does not; what was
 * set by hand does. */
static void
test_second_uri (void)
{
  g_autofree char *prompt = NULL, *device = NULL;
  guint64 seed, duration, buffer;
  gboolean buffering, live;
  gint count;

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "seed", (guint64)5, NULL);
  g_assert_true (set_uri (rig,
      "vidgen://fake?prompt=ocean&duration=2&buffer-time=3&is-live=true"
      "&use-buffering=false&width=48&height=24&num-buffers=7",
      NULL));
  g_assert_true (set_uri (rig, "vidgen://fake2?num-buffers=3", NULL));
  g_object_get (rig->src, "prompt", &prompt, "duration", &duration,
      "buffer-time", &buffer, "is-live", &live, "use-buffering", &buffering,
      "num-buffers", &count, "seed", &seed, "device", &device, NULL);
  g_assert_null (prompt);
  g_assert_cmpuint (duration, ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (buffer, ==, GST_SECOND);
  g_assert_false (live);
  g_assert_true (buffering);
  g_assert_cmpint (count, ==, 3);
  g_assert_cmpuint (seed, ==, 5);
  g_assert_cmpstr (device, ==, "host");
  rig_run (rig);
  rig_assert_clip (rig, 3, 4500);
  g_autoptr (GstCaps) native =
      gst_caps_from_string ("video/x-raw, width = 32, height = 16");
  g_assert_true (gst_caps_is_subset (
      g_ptr_array_index (rig->tracks[RIG_VIDEO].caps, 0), native));
}

static char *
query_uri (GstPad *pad)
{
  g_autoptr (GstQuery) query = gst_query_new_uri ();
  char *uri = NULL;

  if (gst_pad_query (pad, query))
    gst_query_parse_uri (query, &uri);
  return uri;
}

/* The URI is known downstream, and names the streams. */
static void
test_query (void)
{
  static const char *const pads[RIG_PADS] = { "video", "audio" };
  static const char uri[] = "vidgen://fake?num-buffers=2&prompt=rain";
  g_autofree char *digest =
      g_compute_checksum_for_string (G_CHECKSUM_SHA256, uri, -1);

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  for (guint i = 0; i < RIG_PADS; i++) {
    g_autoptr (GstPad) pad = gst_element_get_static_pad (rig->src, pads[i]);
    g_assert_null (query_uri (pad));
  }
  g_assert_true (set_uri (rig, uri, NULL));
  rig_run (rig);
  for (guint i = 0; i < RIG_PADS; i++) {
    g_autoptr (GstPad) pad = gst_element_get_static_pad (rig->src, pads[i]);
    g_autofree char *answer = query_uri (pad);
    g_autofree char *expected = g_strconcat (digest, "/", pads[i], NULL);
    const char *id;
    g_assert_cmpstr (answer, ==, uri);
    gst_event_parse_stream_start (
        g_ptr_array_index (rig->tracks[i].events, 0), &id);
    g_assert_cmpstr (id, ==, expected);
  }
}

static void
use_host (G_GNUC_UNUSED GstBin *bin, G_GNUC_UNUSED GstBin *sub_bin,
    GstElement *element, G_GNUC_UNUSED gpointer user_data)
{
  if (GST_IS_VIDGEN_SRC (element))
    g_object_set (element, "device", "host", NULL);
}

typedef struct {
  gint video, audio; /* buffers */
} Counts;

static GstPadProbeReturn
count (GstPad *pad, G_GNUC_UNUSED GstPadProbeInfo *info, gpointer user_data)
{
  Counts *counts = user_data;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);

  g_atomic_int_inc (gst_structure_has_name (structure, "video/x-raw")
                        ? &counts->video
                        : &counts->audio);
  return GST_PAD_PROBE_DROP;
}

static void
on_pad_added (GstElement *source, GstPad *pad, gpointer counts)
{
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  g_autoptr (GstPad) sink_pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstObject) pipeline = gst_object_get_parent (GST_OBJECT (source));

  g_object_set (sink, "async", FALSE, NULL);
  gst_pad_add_probe (sink_pad, GST_PAD_PROBE_TYPE_BUFFER, count, counts, NULL);
  gst_bin_add (GST_BIN (pipeline), sink);
  gst_element_sync_state_with_parent (sink);
  g_assert_cmpint (gst_pad_link (pad, sink_pad), ==, GST_PAD_LINK_OK);
}

/* What players are built on takes both pads as they are. */
static void
test_source_bin (void)
{
  g_autoptr (GstElement) pipeline = gst_pipeline_new (NULL);
  GstElement *source = gst_element_factory_make ("urisourcebin", NULL);
  Counts counts = { 0 };

  fake_reset ();
  g_signal_connect (source, "deep-element-added", G_CALLBACK (use_host), NULL);
  g_signal_connect (source, "pad-added", G_CALLBACK (on_pad_added), &counts);
  g_object_set (source, "uri", "vidgen://fake?duration=2&prompt=ocean", NULL);
  gst_bin_add (GST_BIN (pipeline), source);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; g_atomic_int_get (&counts.video) < 32 ||
                    g_atomic_int_get (&counts.audio) < 32;
       i++) {
    g_assert_cmpuint (i, <, 20000);
    g_usleep (1000);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpint (counts.video, ==, 32);
  g_assert_cmpint (counts.audio, ==, 32);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  GST_ELEMENT_REGISTER (vidgensrc, NULL);
  g_test_add_func ("/uri/23-every-key", test_every_key);
  g_test_add_func ("/uri/path", test_path);
  g_test_add_func ("/uri/no-file", test_no_file);
  g_test_add_func ("/uri/23-bad", test_bad);
  g_test_add_func ("/uri/bad-state", test_bad_state);
  g_test_add_func ("/uri/23-impossible-size", test_impossible_size);
  g_test_add_func ("/uri/23-half-size", test_half_size);
  g_test_add_func ("/uri/23-second-uri", test_second_uri);
  g_test_add_func ("/uri/23-query", test_query);
  g_test_add_func ("/uri/source-bin", test_source_bin);
  return g_test_run ();
}
