/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* What a clip that is not live carries: every frame and sample once, exactly
 * stamped, ending where it should. */

#include <gst/check/gstharness.h>

#include "gst-plugin/gstvidgensrc.h"
#include "tests/elements/rig.h"

static guint64
rounded_samples (guint frames)
{
  return gst_util_uint64_scale_round (
      frames, (guint64)fake.rate * fake.fps_d, fake.fps_n);
}

static void
assert_sound (const Rig *rig, guint64 samples)
{
  g_autoptr (GArray) sound = rig_sound (rig);
  const guint prompt = fake_prompt ("an example");

  for (guint64 i = 0; i < samples; i++) {
    g_assert_cmpfloat (
        g_array_index (sound, float, 2 * i), ==, fake_left (i, prompt));
    g_assert_cmpfloat (
        g_array_index (sound, float, 2 * i + 1), ==, fake_right (i));
  }
}

static void
test_num_buffers (void)
{
  static const guint lengths[] = { 1, 2, 3, 4, 7, 16, 17, 50 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    fake_reset ();
    g_autoptr (Rig) rig = rig_new (RIG_BOTH);
    g_object_set (rig->src, "num-buffers", lengths[i], NULL);
    rig_run (rig);
    rig_assert_clip (rig, lengths[i], rounded_samples (lengths[i]));
    assert_sound (rig, rounded_samples (lengths[i]));
  }
}

static void
test_odd_rates (void)
{
  static const guint rates[][3] = { { 24000, 1001, 44100 },
    { 30000, 1001, 48000 }, { 7, 1, 24000 }, { 7, 1, 22050 } };

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    for (guint frames = 20; frames < 28; frames++) {
      fake_reset ();
      fake.fps_n = rates[i][0];
      fake.fps_d = rates[i][1];
      fake.rate = rates[i][2];
      g_autoptr (Rig) rig = rig_new (RIG_BOTH);
      g_object_set (rig->src, "num-buffers", frames, NULL);
      rig_run (rig);
      rig_assert_clip (rig, frames, rounded_samples (frames));
    }
  }
}

static void
test_no_buffers (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 0, NULL);
  rig_run (rig);
  rig_assert_clip (rig, 0, 0);
}

static void
test_duration (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "duration", 2 * GST_SECOND, NULL);
  rig_state (rig, GST_STATE_PAUSED);
  rig_wait (rig, GST_MESSAGE_ASYNC_DONE);
  gint64 duration;
  g_assert_true (
      gst_element_query_duration (rig->pipeline, GST_FORMAT_TIME, &duration));
  g_assert_cmpint (duration, ==, 2 * GST_SECOND);
  g_assert_true (
      gst_element_query_duration (rig->src, GST_FORMAT_TIME, &duration));
  g_assert_cmpint (duration, ==, 2 * GST_SECOND);
  rig_run (rig);
  rig_assert_clip (rig, 32, 48000);
}

/* Too long to be told in a signed time: the longest that can be. */
static void
test_longest (void)
{
  static const char *const pads[] = { "video", "audio" };

  fake_reset ();
  fake.ration = 20;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "duration", GST_CLOCK_TIME_NONE - 1, NULL);
  rig_state (rig, GST_STATE_PAUSED);
  rig_wait (rig, GST_MESSAGE_ASYNC_DONE);
  for (guint i = 0; i < RIG_PADS; i++) {
    g_autoptr (GstPad) pad = gst_element_get_static_pad (rig->src, pads[i]);
    gint64 duration;
    g_assert_true (gst_pad_query_duration (pad, GST_FORMAT_TIME, &duration));
    g_assert_cmpint (duration, >, G_MAXINT64 - (gint64)GST_SECOND);
  }
}

static void
test_earlier_end_wins (void)
{
  fake_reset ();
  g_autoptr (Rig) a = rig_new (RIG_BOTH);
  g_object_set (a->src, "duration", 2 * GST_SECOND, "num-buffers", 5, NULL);
  rig_run (a);
  rig_assert_clip (a, 5, 7500);

  g_autoptr (Rig) b = rig_new (RIG_BOTH);
  g_object_set (b->src, "duration", GST_SECOND, "num-buffers", 500, NULL);
  rig_run (b);
  rig_assert_clip (b, 16, 24000);
}

static void
test_one_pad (void)
{
  for (guint pad = 0; pad < RIG_PADS; pad++) {
    fake_reset ();
    g_autoptr (Rig) rig = rig_new (1 << pad);
    g_object_set (rig->src, "num-buffers", 48, NULL);
    rig_run (rig);
    rig_assert_clip (rig, 48, 72000);
    g_assert_cmpint (fake.last_video, ==, pad == RIG_VIDEO);
    g_assert_cmpint (fake.last_audio, ==, pad == RIG_AUDIO);
  }
}

static void
test_no_pad (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (0);
  rig_state (rig, GST_STATE_PLAYING);
  GstMessage *error = rig_wait (rig, GST_MESSAGE_ERROR);
  rig_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED);
  rig_state (rig, GST_STATE_NULL);
  rig_read (rig);
  g_assert_cmpuint (rig_count (rig, GST_MESSAGE_ERROR), ==, 1);
}

static GstPadProbeReturn
drop_links (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  gint *left = user_data;

  if ((*left)-- > 0)
    return GST_PAD_PROBE_OK;
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_NOT_LINKED;
  (void)pad;
  return GST_PAD_PROBE_HANDLED;
}

/* A branch that comes loose further down must not hold the other one up. */
static void
test_loose_branch (void)
{
  gint left = 3;

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (rig->tracks[RIG_AUDIO].filter, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, drop_links, &left, NULL);
  g_object_set (rig->src, "num-buffers", 100, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 100);
  rig_wait (rig, GST_MESSAGE_EOS);
  g_assert_cmpuint (rig_received (rig, RIG_AUDIO), ==, 4);
  g_assert_cmpuint (rig_received (rig, RIG_VIDEO), ==, 100);
}

/* What it loses, it finds again at once, before the source hears of the loss.
 */
static GstPadProbeReturn
link_meanwhile (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  gint *left = user_data;

  if ((*left)-- <= 0)
    return GST_PAD_PROBE_OK;
  gst_pad_push_event (pad, gst_event_new_reconfigure ());
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_NOT_LINKED;
  return GST_PAD_PROBE_HANDLED;
}

/* A branch that is linked while a buffer comes back from it is linked. */
static void
test_linked_meanwhile (void)
{
  gint left = 2;

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (rig->tracks[RIG_AUDIO].filter, "sink");
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BUFFER, link_meanwhile, &left, NULL);
  g_object_set (rig->src, "num-buffers", 50, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);
  g_assert_cmpuint (rig_received (rig, RIG_VIDEO), ==, 50);
  const GstBuffer *last =
      rig_buffer (rig, RIG_AUDIO, rig->tracks[RIG_AUDIO].buffers->len - 1);
  g_assert_cmpuint (GST_BUFFER_OFFSET_END (last), ==, 50 * 1500);
  g_assert_cmpuint (rig_received (rig, RIG_AUDIO), ==, 50);
  /* Two are lost: what follows each does not go on from it. */
  for (guint i = 0; i < 50; i++)
    g_assert_cmpint (GST_BUFFER_FLAG_IS_SET (rig_buffer (rig, RIG_AUDIO, i),
                         GST_BUFFER_FLAG_DISCONT) != 0,
        ==, i <= 2);
}

static void
test_linked_later (void)
{
  fake_reset ();
  fake.ration = 20;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 400, "buffer-time",
      (guint64)250 * GST_MSECOND, NULL);
  g_object_set (rig->tracks[RIG_AUDIO].sink, "async", FALSE, NULL);
  gst_element_unlink_pads (
      rig->src, "audio", rig->tracks[RIG_AUDIO].filter, "sink");
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 50);
  g_assert_cmpuint (rig_received (rig, RIG_AUDIO), ==, 0);
  g_assert_true (gst_element_link_pads (
      rig->src, "audio", rig->tracks[RIG_AUDIO].filter, "sink"));
  g_atomic_int_set (&fake.ration, -1);
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);

  g_assert_cmpuint (rig->tracks[RIG_VIDEO].buffers->len, ==, 400);
  const GstBuffer *first = rig_buffer (rig, RIG_AUDIO, 0);
  const GstBuffer *last =
      rig_buffer (rig, RIG_AUDIO, rig->tracks[RIG_AUDIO].buffers->len - 1);
  const guint64 start = GST_BUFFER_OFFSET (first);
  g_assert_cmpuint (start, >=, 50 * 1500);
  g_assert_cmpuint (start % 1500, ==, 0);
  g_assert_true (GST_BUFFER_FLAG_IS_SET (first, GST_BUFFER_FLAG_DISCONT));
  g_assert_cmpuint (GST_BUFFER_OFFSET_END (last), ==, 400 * 1500);
  g_autoptr (GArray) sound = rig_sound (rig);
  g_assert_cmpuint (sound->len, ==, 2 * (400 * 1500 - start));
  for (guint64 i = 0; i < sound->len / 2; i++)
    g_assert_cmpfloat (
        g_array_index (sound, float, 2 * i + 1), ==, fake_right (start + i));
}

static void
test_silent_model (void)
{
  fake_reset ();
  fake.has_audio = FALSE;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 20, NULL);
  rig_run (rig);
  rig_assert_clip (rig, 20, 30000);
  g_autoptr (GArray) sound = rig_sound (rig);
  for (guint i = 0; i < sound->len; i++)
    g_assert_cmpfloat (g_array_index (sound, float, i), ==, 0);
  for (guint i = 0; i < rig->tracks[RIG_AUDIO].buffers->len; i++)
    g_assert_true (GST_BUFFER_FLAG_IS_SET (
        rig_buffer (rig, RIG_AUDIO, i), GST_BUFFER_FLAG_GAP));
}

static void
test_end_by_event (void)
{
  fake_reset ();
  fake.chunk_us = 2000;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 10);
  g_assert_true (gst_element_send_event (rig->pipeline, gst_event_new_eos ()));
  rig_wait (rig, GST_MESSAGE_EOS);
  g_assert_true (rig_has_event (rig, RIG_VIDEO, GST_EVENT_EOS));
  g_assert_true (rig_has_event (rig, RIG_AUDIO, GST_EVENT_EOS));
}

/* Also while no chunk comes. */
static void
test_end_while_waiting (void)
{
  fake_reset ();
  fake.ration = 4;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 15);
  rig_wait_buffers (rig, RIG_AUDIO, 15);
  g_assert_true (gst_element_send_event (rig->pipeline, gst_event_new_eos ()));
  rig_wait (rig, GST_MESSAGE_EOS);
}

static const char *
event_order (const Rig *rig, RigPad pad)
{
  GString *order = g_string_new (NULL);

  for (guint i = 0; i < rig->tracks[pad].events->len; i++) {
    GstEvent *event = g_ptr_array_index (rig->tracks[pad].events, i);
    g_string_append_printf (order, "%s ", GST_EVENT_TYPE_NAME (event));
  }
  const char *interned = g_intern_string (order->str);
  g_string_free (order, TRUE);
  return interned;
}

static GstEvent *
find_event (const Rig *rig, RigPad pad, GstEventType type)
{
  for (guint i = 0; i < rig->tracks[pad].events->len; i++) {
    GstEvent *event = g_ptr_array_index (rig->tracks[pad].events, i);
    if (GST_EVENT_TYPE (event) == type)
      return event;
  }
  g_error ("no %s event", gst_event_type_get_name (type));
}

static void
test_events (void)
{
  const char *const kinds[RIG_PADS] = { "video", "audio" };
  GstStreamCollection *collections[RIG_PADS];
  guint groups[RIG_PADS];

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 3, "seed", (guint64)7, NULL);
  rig_run (rig);
  for (guint pad = 0; pad < RIG_PADS; pad++) {
    const char *id;
    GstStream *stream;
    GstTagList *tags;
    g_autofree char *title = NULL, *comment = NULL;
    g_autofree char *kind = NULL;

    g_assert_cmpstr (event_order (rig, pad), ==,
        "stream-start stream-collection caps segment tag eos ");
    GstEvent *start = find_event (rig, pad, GST_EVENT_STREAM_START);
    gst_event_parse_stream_start (start, &id);
    g_assert_true (g_str_has_suffix (id, kinds[pad]));
    g_assert_true (gst_event_parse_group_id (start, &groups[pad]));
    gst_event_parse_stream (start, &stream);
    g_assert_nonnull (stream);
    kind = g_ascii_strdown (
        gst_stream_type_get_name (gst_stream_get_stream_type (stream)), -1);
    g_assert_cmpstr (kind, ==, kinds[pad]);
    gst_object_unref (stream);
    gst_event_parse_stream_collection (
        find_event (rig, pad, GST_EVENT_STREAM_COLLECTION), &collections[pad]);
    gst_event_parse_tag (find_event (rig, pad, GST_EVENT_TAG), &tags);
    g_assert_true (gst_tag_list_get_string (tags, GST_TAG_TITLE, &title));
    g_assert_cmpstr (title, ==, "an example");
    g_assert_true (gst_tag_list_get_string (tags, GST_TAG_COMMENT, &comment));
    g_assert_cmpstr (comment, ==, "model fake, seed 7");
  }
  g_assert_cmpuint (groups[0], ==, groups[1]);
  g_assert_true (collections[0] == collections[1]);
  g_assert_cmpuint (
      gst_stream_collection_get_size (collections[0]), ==, RIG_PADS);
  for (guint pad = 0; pad < RIG_PADS; pad++)
    gst_object_unref (collections[pad]);
  g_assert_cmpuint (rig_count (rig, GST_MESSAGE_STREAM_COLLECTION), >=, 1);
}

/* Up to the first buffer. */
static GstPadProbeReturn
write_order (G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer text)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    g_string_append (text, "buffer");
    return GST_PAD_PROBE_REMOVE;
  }
  g_string_append_printf (
      text, "%s ", GST_EVENT_TYPE_NAME (GST_PAD_PROBE_INFO_EVENT (info)));
  return GST_PAD_PROBE_OK;
}

/* One pad in a harness, the other one loose. */
static void
test_order (void)
{
  static const char *const pads[] = { "video", "audio" };

  for (guint i = 0; i < G_N_ELEMENTS (pads); i++) {
    g_autoptr (GString) order = g_string_new (NULL);
    fake_reset ();
    g_autoptr (GstElement) src =
        gst_object_ref_sink (g_object_new (GST_TYPE_VIDGEN_SRC, "model", "fake",
            "device", "host", "num-buffers", 5, NULL));
    g_autoptr (GstPad) pad = gst_element_get_static_pad (src, pads[i]);
    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        write_order, order, NULL);
    GstHarness *harness = gst_harness_new_with_element (src, NULL, pads[i]);
    gst_harness_play (harness);
    for (guint n = 0; n < 5; n++) {
      g_autoptr (GstBuffer) buffer = gst_harness_pull (harness);
      g_assert_nonnull (buffer);
      g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==,
          gst_util_uint64_scale (n, GST_SECOND, 16));
    }
    g_assert_cmpstr (order->str, ==,
        "stream-start stream-collection caps segment tag buffer");
    gst_harness_teardown (harness);
  }
}

typedef struct {
  guint64 frames, samples;
  gboolean broken[RIG_PADS];
  guint64 video_end, audio_end; /* ns */
} LongRun;

static GstPadProbeReturn
count_video (G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  LongRun *run = data;
  const GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  run->broken[RIG_VIDEO] |=
      GST_BUFFER_PTS (buffer) !=
      gst_util_uint64_scale (run->frames, 1001 * GST_SECOND, 24000);
  run->broken[RIG_VIDEO] |= GST_BUFFER_OFFSET (buffer) != run->frames;
  run->frames++;
  run->video_end = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
  return GST_PAD_PROBE_DROP;
}

static GstPadProbeReturn
count_audio (G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  LongRun *run = data;
  const GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  run->broken[RIG_AUDIO] |=
      GST_BUFFER_PTS (buffer) !=
      gst_util_uint64_scale (run->samples, GST_SECOND, 22050);
  run->broken[RIG_AUDIO] |= GST_BUFFER_OFFSET (buffer) != run->samples;
  run->samples = GST_BUFFER_OFFSET_END (buffer);
  run->audio_end = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
  return GST_PAD_PROBE_DROP;
}

/* 100,000 frames, and no error has grown. */
static void
test_long_run (void)
{
  LongRun run = { 0 };

  fake_reset ();
  fake.fps_n = 24000;
  fake.fps_d = 1001;
  fake.rate = 22050;
  fake.chunk_frames = 50;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  const GstPadProbeCallback counters[] = { count_video, count_audio };
  for (guint i = 0; i < RIG_PADS; i++) {
    g_autoptr (GstPad) pad =
        gst_element_get_static_pad (rig->tracks[i].filter, "sink");
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, counters[i], &run, NULL);
  }
  g_object_set (rig->src, "num-buffers", 100000, NULL);
  rig_run (rig);
  g_assert_false (run.broken[RIG_VIDEO]);
  g_assert_false (run.broken[RIG_AUDIO]);
  g_assert_cmpuint (run.frames, ==, 100000);
  g_assert_cmpuint (run.samples, ==, rounded_samples (100000));
  g_assert_cmpuint (
      ABS ((gint64)(run.video_end - run.audio_end)), <=, GST_SECOND / 22050);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/clip/14-num-buffers", test_num_buffers);
  g_test_add_func ("/clip/12-odd-rates", test_odd_rates);
  g_test_add_func ("/clip/no-buffers", test_no_buffers);
  g_test_add_func ("/clip/duration", test_duration);
  g_test_add_func ("/clip/longest", test_longest);
  g_test_add_func ("/clip/14-earlier-end-wins", test_earlier_end_wins);
  g_test_add_func ("/clip/15-one-pad", test_one_pad);
  g_test_add_func ("/clip/15-no-pad", test_no_pad);
  g_test_add_func ("/clip/15-loose-branch", test_loose_branch);
  g_test_add_func ("/clip/15-linked-meanwhile", test_linked_meanwhile);
  g_test_add_func ("/clip/15-linked-later", test_linked_later);
  g_test_add_func ("/clip/silent-model", test_silent_model);
  g_test_add_func ("/clip/14-end-by-event", test_end_by_event);
  g_test_add_func ("/clip/14-end-while-waiting", test_end_while_waiting);
  g_test_add_func ("/clip/11-events", test_events);
  g_test_add_func ("/clip/11-order", test_order);
  g_test_add_func ("/clip/12-long-run", test_long_run);
  return g_test_run ();
}
