/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* What the element tells on the bus and in its statistics, and what it says
 * of itself. */

#include <math.h>

#include "gst-plugin/gstvidgensrc.h"
#include "tests/elements/rig.h"

GST_PLUGIN_STATIC_DECLARE (vidgen);

static void
test_progress (void)
{
  static const struct {
    GstProgressType type;
    const char *code;
  } expected[] = {
    { GST_PROGRESS_TYPE_START, "load" },
    { GST_PROGRESS_TYPE_CONTINUE, "load" },
    { GST_PROGRESS_TYPE_COMPLETE, "load" },
    { GST_PROGRESS_TYPE_START, "warmup" },
    { GST_PROGRESS_TYPE_COMPLETE, "warmup" },
  };
  guint seen = 0;

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 3, NULL);
  rig_run (rig);
  for (guint i = 0; i < rig->messages->len; i++) {
    GstMessage *message = g_ptr_array_index (rig->messages, i);
    g_autofree char *code = NULL;
    GstProgressType type;
    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_PROGRESS)
      continue;
    gst_message_parse_progress (message, &type, &code, NULL);
    g_assert_cmpuint (seen, <, G_N_ELEMENTS (expected));
    g_assert_cmpint (type, ==, expected[seen].type);
    g_assert_cmpstr (code, ==, expected[seen].code);
    seen++;
  }
  g_assert_cmpuint (seen, ==, G_N_ELEMENTS (expected));
}

static void
test_chunks (void)
{
  guint64 next = 0;

  fake_reset ();
  fake.chunk_us = 2000;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 40, NULL);
  rig_run (rig);
  for (guint i = 0; i < rig->messages->len; i++) {
    GstMessage *message = g_ptr_array_index (rig->messages, i);
    const GstStructure *chunk = gst_message_get_structure (message);
    guint64 number, took, level;
    if (!gst_message_has_name (message, "vidgen-chunk"))
      continue;
    g_assert_true (gst_structure_get_uint64 (chunk, "chunk", &number));
    g_assert_true (gst_structure_get_uint64 (chunk, "generation-time", &took));
    g_assert_true (gst_structure_get_uint64 (chunk, "queue-level", &level));
    g_assert_cmpuint (number, ==, next++);
    g_assert_cmpuint (took, >=, 2 * GST_MSECOND);
    g_assert_cmpuint (level, <=, GST_SECOND + GST_SECOND / 4);
  }
  g_assert_cmpuint (next, ==, 11);
}

static void
test_stats (void)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 chunks, frames, first, underruns, device;
  double factor, attainment;

  fake_reset ();
  fake.chunk_us = 2000;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 40, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait (rig, GST_MESSAGE_EOS);
  g_object_get (rig->src, "stats", &stats, NULL);
  g_assert_true (gst_structure_has_name (stats, "vidgen-stats"));
  g_assert_true (gst_structure_get (stats, "chunks", G_TYPE_UINT64, &chunks,
      "frames", G_TYPE_UINT64, &frames, "time-to-first-chunk", G_TYPE_UINT64,
      &first, "real-time-factor", G_TYPE_DOUBLE, &factor, "underruns",
      G_TYPE_UINT64, &underruns, "deadline-attainment", G_TYPE_DOUBLE,
      &attainment, "device-time", G_TYPE_UINT64, &device, NULL));
  g_assert_true (
      gst_structure_has_field_typed (stats, "peak-memory", G_TYPE_UINT64));
  g_assert_cmpuint (chunks, ==, 11);
  g_assert_cmpuint (frames, ==, 40);
  g_assert_cmpuint (first, >=, 2 * GST_MSECOND);
  g_assert_cmpuint (first, <, 10 * GST_SECOND);
  /* 250 ms of content in a little more than 2 ms each. */
  g_assert_cmpfloat (factor, >, 1);
  g_assert_cmpfloat (factor, <, 125);
  g_assert_cmpuint (underruns, ==, 0);
  g_assert_cmpfloat (attainment, ==, 1);
  g_assert_cmpuint (device, ==, 1000);
}

static GArray *
buffering_percents (const Rig *rig)
{
  GArray *percents = g_array_new (FALSE, FALSE, sizeof (gint));

  for (guint i = 0; i < rig->messages->len; i++) {
    GstMessage *message = g_ptr_array_index (rig->messages, i);
    gint percent;
    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_BUFFERING)
      continue;
    gst_message_parse_buffering (message, &percent);
    g_array_append_val (percents, percent);
  }
  return percents;
}

static void
await_percent (Rig *rig, gint wanted)
{
  gint percent;

  do
    gst_message_parse_buffering (
        rig_wait (rig, GST_MESSAGE_BUFFERING), &percent);
  while (percent != wanted);
}

/* Empty to full before the start, and again, up to the end, after it has run
 * dry and has been paused as players do: what runs on may end before it is told
 * that nothing is missing. */
static void
test_buffering (void)
{
  fake_reset ();
  fake.ration = 0;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "use-buffering", TRUE, "num-buffers", 30, NULL);
  for (guint i = 0; i < RIG_PADS; i++)
    g_object_set (rig->tracks[i].sink, "sync", FALSE, NULL);
  rig_state (rig, GST_STATE_PAUSED);
  await_percent (rig, 0);
  g_atomic_int_set (&fake.ration, 5);
  await_percent (rig, 100);
  rig_state (rig, GST_STATE_PLAYING);
  await_percent (rig, 0);
  gst_element_set_state (rig->pipeline, GST_STATE_PAUSED);
  g_atomic_int_set (&fake.ration, -1);
  await_percent (rig, 100);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait (rig, GST_MESSAGE_EOS);
  g_autoptr (GArray) percents = buffering_percents (rig);
  g_assert_cmpint (g_array_index (percents, gint, 0), ==, 0);
  g_assert_cmpint (g_array_index (percents, gint, percents->len - 1), ==, 100);
  for (guint i = 1; i < percents->len; i++)
    g_assert_cmpint (g_array_index (percents, gint, i), !=,
        g_array_index (percents, gint, i - 1));
}

typedef struct {
  gboolean busy;
  gint percent, in, out;
  gint64 left, start, stop;
} Buffered;

/* The newest message tells the same. */
static void
assert_told (const Rig *rig, const Buffered *expected)
{
  GstMessage *newest = NULL;
  GstBufferingMode mode;
  gint in, out;
  gint64 left;

  for (guint i = 0; i < rig->messages->len; i++) {
    GstMessage *message = g_ptr_array_index (rig->messages, i);
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_BUFFERING)
      newest = message;
  }
  g_assert_nonnull (newest);
  gst_message_parse_buffering_stats (newest, &mode, &in, &out, &left);
  g_assert_cmpint (mode, ==, GST_BUFFERING_STREAM);
  g_assert_cmpint (in, ==, expected->in);
  g_assert_cmpint (out, ==, expected->out);
  g_assert_cmpint (left, ==, expected->left);
}

static Buffered
query_buffered (GstElement *element, GstFormat format)
{
  g_autoptr (GstQuery) query = gst_query_new_buffering (format);
  GstBufferingMode mode;
  GstFormat answered;
  Buffered b;

  g_assert_true (gst_element_query (element, query));
  gst_query_parse_buffering_percent (query, &b.busy, &b.percent);
  gst_query_parse_buffering_stats (query, &mode, &b.in, &b.out, &b.left);
  gst_query_parse_buffering_range (query, &answered, &b.start, &b.stop, NULL);
  g_assert_cmpint (mode, ==, GST_BUFFERING_STREAM);
  g_assert_cmpint (answered, ==, format);
  return b;
}

/* What lies ahead can be asked for, at the source and at the pipeline, and is
 * what the messages tell: here frame 0 is in the sinks, the 10 or the 18 behind
 * it are ahead of 16 at least, and the clip has 60. */
static void
test_buffering_query (void)
{
  g_autoptr (GstStructure) stats = NULL;
  double factor = 0;

  fake_reset ();
  fake.ration = 3;
  fake.chunk_us = 5000;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "use-buffering", TRUE, "num-buffers", 60, NULL);
  rig_state (rig, GST_STATE_PAUSED);
  await_percent (rig, 62);
  const Buffered part = query_buffered (rig->src, GST_FORMAT_TIME);
  g_assert_true (part.busy);
  g_assert_cmpint (part.percent, ==, 62);
  assert_told (rig, &part);
  g_assert_cmpint (part.start, ==, GST_SECOND / 16);
  g_assert_cmpint (part.stop, ==, 11 * GST_SECOND / 16);
  /* I420 of 32x16 and 24 kHz in stereo, in floats. */
  g_assert_cmpint (ABS (part.out - 16 * (32 * 24 + 1500 * 8)), <, 2000);
  g_object_get (rig->src, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_double (stats, "real-time-factor", &factor));
  g_assert_cmpfloat (fabs (part.in - part.out * factor), <, 1 + factor);
  /* Six frames more. */
  g_assert_cmpfloat (fabs (part.left - 375 / factor), <=, 1);

  g_atomic_int_set (&fake.ration, -1);
  await_percent (rig, 100);
  const Buffered whole = query_buffered (rig->pipeline, GST_FORMAT_PERCENT);
  g_assert_false (whole.busy);
  g_assert_cmpint (whole.percent, ==, 100);
  g_assert_cmpint (whole.left, ==, 0);
  g_assert_cmpint (whole.start, ==, GST_FORMAT_PERCENT_MAX / 60);
  g_assert_cmpint (whole.stop, ==, GST_FORMAT_PERCENT_MAX * 19 / 60);
  const Buffered frames = query_buffered (rig->src, GST_FORMAT_DEFAULT);
  g_assert_cmpint (frames.start, ==, 1);
  g_assert_cmpint (frames.stop, ==, 19);
  const Buffered bytes = query_buffered (rig->src, GST_FORMAT_BYTES);
  g_assert_cmpint (bytes.percent, ==, 100);
  g_assert_cmpint (bytes.start, ==, -1);
}

static void
test_no_buffering (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 60, NULL);
  rig_run (rig);
  g_assert_cmpuint (rig_count (rig, GST_MESSAGE_BUFFERING), ==, 0);
}

/* Generation runs no further ahead than the buffer. */
static void
test_bounded (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "buffer-time", (guint64)500 * GST_MSECOND, NULL);
  rig_state (rig, GST_STATE_PAUSED);
  rig_wait (rig, GST_MESSAGE_ASYNC_DONE);
  g_usleep (50000);
  /* One frame in each sink and less than a chunk over eight frames. */
  g_assert_cmpint (g_atomic_int_get (&fake.chunks), <=, 4);
}

/* The same plugin, linked into a program. */
static void
test_static_registration (void)
{
  GST_PLUGIN_STATIC_REGISTER (vidgen);
  g_autoptr (GstElementFactory) factory =
      gst_element_factory_find ("vidgensrc");
  g_assert_nonnull (factory);
  g_assert_cmpstr (
      gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_KLASS),
      ==, "Source/Video/Audio");
  g_assert_cmpint (gst_element_factory_get_uri_type (factory), ==, GST_URI_SRC);
  const GList *templates =
      gst_element_factory_get_static_pad_templates (factory);
  g_assert_cmpuint (g_list_length ((GList *)templates), ==, 2);
  for (const GList *l = templates; l; l = l->next) {
    const GstStaticPadTemplate *template = l->data;
    g_assert_cmpint (template->presence, ==, GST_PAD_ALWAYS);
    g_assert_cmpint (template->direction, ==, GST_PAD_SRC);
  }
  g_autoptr (GstElement) made =
      gst_element_make_from_uri (GST_URI_SRC, "vidgen://fake", NULL, NULL);
  g_assert_true (GST_IS_VIDGEN_SRC (made));
  gst_object_ref_sink (made);
}

/* An unnamed link takes the video pad. */
static void
test_first_pad (void)
{
  g_autoptr (GstElement) src = g_object_new (GST_TYPE_VIDGEN_SRC, NULL);
  GstPad *first;

  gst_object_ref_sink (src);
  first = src->srcpads->data;
  g_assert_cmpstr (GST_PAD_NAME (first), ==, "video");
  g_assert_true (GST_OBJECT_FLAG_IS_SET (src, GST_ELEMENT_FLAG_SOURCE));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/messages/progress", test_progress);
  g_test_add_func ("/messages/chunks", test_chunks);
  g_test_add_func ("/messages/stats", test_stats);
  g_test_add_func ("/messages/buffering", test_buffering);
  g_test_add_func ("/messages/buffering-query", test_buffering_query);
  g_test_add_func ("/messages/no-buffering", test_no_buffering);
  g_test_add_func ("/messages/bounded", test_bounded);
  g_test_add_func (
      "/messages/02-static-registration", test_static_registration);
  g_test_add_func ("/messages/first-pad", test_first_pad);
  return g_test_run ();
}
