/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* What ready-made players make of vidgen:// URIs. */

#include <gst/pbutils/pbutils.h>

#include "gst-plugin/gstvidgensrc.h"
#include "tests/elements/fakemodel.h"

#define URI "vidgen://fake?duration=2&prompt=ocean"
#define FRAMES 32
#define SAMPLES 48000
#define PATIENCE (60 * GST_SECOND)
/* Of a frame that is still shown; a busy machine must not count. */
#define MAX_LATENESS (1500 * (gint64)GST_MSECOND)

typedef struct {
  GstElement *pipeline;
  gint frames, samples, titles; /* that reached the sinks, atomic */
  guint streams;                /* in the newest collection */
  guint pauses;
  gboolean buffers; /* follows BUFFERING messages */
} Player;

static void
use_host (G_GNUC_UNUSED GstElement *player, GstElement *source,
    G_GNUC_UNUSED gpointer user_data)
{
  g_object_set (source, "device", "host", NULL);
}

static void
count_buffer (Player *player, GstPad *pad, GstBuffer *buffer)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  gint channels;

  if (gst_structure_get_int (structure, "channels", &channels))
    g_atomic_int_add (&player->samples,
        gst_buffer_get_size (buffer) / (channels * sizeof (float)));
  else
    g_atomic_int_inc (&player->frames);
}

static GstPadProbeReturn
count (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Player *player = user_data;
  g_autofree char *title = NULL;
  GstTagList *tags;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    count_buffer (player, pad, GST_PAD_PROBE_INFO_BUFFER (info));
  } else if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) ==
             GST_EVENT_TAG) {
    gst_event_parse_tag (GST_PAD_PROBE_INFO_EVENT (info), &tags);
    if (gst_tag_list_get_string (tags, GST_TAG_TITLE, &title))
      g_atomic_int_add (&player->titles, g_str_equal (title, "ocean"));
  }
  return GST_PAD_PROBE_OK;
}

static GstElement *
make_sink (Player *player)
{
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");

  g_object_set (sink, "sync", TRUE, "max-lateness", MAX_LATENESS, NULL);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, count,
      player, NULL);
  return sink;
}

static void
on_buffering (Player *player, GstMessage *message)
{
  gint percent;

  gst_message_parse_buffering (message, &percent);
  if (!player->buffers)
    return;
  player->pauses +=
      percent < 100 && GST_STATE_TARGET (player->pipeline) == GST_STATE_PLAYING;
  gst_element_set_state (
      player->pipeline, percent < 100 ? GST_STATE_PAUSED : GST_STATE_PLAYING);
}

static void
on_message (Player *player, GstMessage *message)
{
  g_autoptr (GstStreamCollection) collection = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    gst_message_parse_error (message, &error, &debug);
    g_error ("%s (%s)", error->message, debug);
    break;
  case GST_MESSAGE_BUFFERING:
    on_buffering (player, message);
    break;
  case GST_MESSAGE_STREAM_COLLECTION:
    gst_message_parse_stream_collection (message, &collection);
    player->streams = gst_stream_collection_get_size (collection);
    break;
  default:
    break;
  }
}

/* Plays to the end, as an application would. */
static void
play_out (Player *player)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (player->pipeline);
  gboolean ended = FALSE;

  fake_start (
      player->pipeline, player->buffers ? GST_STATE_PAUSED : GST_STATE_PLAYING);
  while (!ended) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop (bus, PATIENCE);
    g_assert_nonnull (message);
    on_message (player, message);
    ended = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  }
}

static void
run_playbin (const char *name, Player *player)
{
  fake_reset ();
  player->pipeline = gst_element_factory_make (name, NULL);
  g_object_set (player->pipeline, "uri", URI, "video-sink", make_sink (player),
      "audio-sink", make_sink (player), NULL);
  g_signal_connect (
      player->pipeline, "source-setup", G_CALLBACK (use_host), NULL);
  play_out (player);
  gst_element_set_state (player->pipeline, GST_STATE_NULL);
  gst_object_unref (player->pipeline);
  g_assert_cmpint (player->frames, ==, FRAMES);
  g_assert_cmpint (player->samples, ==, SAMPLES);
  g_assert_cmpint (player->titles, >=, 2);
}

static void
test_playbin3 (void)
{
  Player player = { 0 };

  run_playbin ("playbin3", &player);
  g_assert_cmpuint (player.streams, ==, 2);
}

static void
test_playbin (void)
{
  Player player = { 0 };

  run_playbin ("playbin", &player);
}

/* A pipeline that sinks with a state change of their own come to while it goes
 * to PLAYING may forget that it plays, and then never tells of the end. */
static void
on_pad_added (G_GNUC_UNUSED GstElement *source, GstPad *pad, gpointer user_data)
{
  Player *player = user_data;
  GstElement *sink = make_sink (player);
  g_autoptr (GstPad) sink_pad = gst_element_get_static_pad (sink, "sink");

  g_object_set (sink, "async", FALSE, NULL);
  gst_bin_add (GST_BIN (player->pipeline), sink);
  gst_element_sync_state_with_parent (sink);
  g_assert_cmpint (gst_pad_link (pad, sink_pad), ==, GST_PAD_LINK_OK);
}

static void
run_decodebin (const char *name)
{
  GstElement *decoder = gst_element_factory_make (name, NULL);
  Player player = { .pipeline = gst_pipeline_new (NULL) };

  fake_reset ();
  g_object_set (decoder, "uri", URI, NULL);
  g_signal_connect (decoder, "source-setup", G_CALLBACK (use_host), NULL);
  g_signal_connect (decoder, "pad-added", G_CALLBACK (on_pad_added), &player);
  gst_bin_add (GST_BIN (player.pipeline), decoder);
  play_out (&player);
  gst_element_set_state (player.pipeline, GST_STATE_NULL);
  gst_object_unref (player.pipeline);
  g_assert_cmpint (player.frames, ==, FRAMES);
  g_assert_cmpint (player.samples, ==, SAMPLES);
}

static void
test_uridecodebin3 (void)
{
  run_decodebin ("uridecodebin3");
}

static void
test_uridecodebin (void)
{
  run_decodebin ("uridecodebin");
}

static void
test_discoverer (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstDiscoverer) discoverer =
      gst_discoverer_new (30 * GST_SECOND, &error);

  fake_reset ();
  g_assert_no_error (error);
  g_signal_connect (discoverer, "source-setup", G_CALLBACK (use_host), NULL);
  g_autoptr (GstDiscovererInfo) info =
      gst_discoverer_discover_uri (discoverer, URI, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (
      gst_discoverer_info_get_duration (info), ==, 2 * GST_SECOND);
  g_assert_true (gst_discoverer_info_get_seekable (info));
  g_assert_false (gst_discoverer_info_get_live (info));
  GList *videos = gst_discoverer_info_get_video_streams (info);
  GList *audios = gst_discoverer_info_get_audio_streams (info);
  g_assert_cmpuint (g_list_length (videos), ==, 1);
  g_assert_cmpuint (g_list_length (audios), ==, 1);
  g_assert_cmpuint (gst_discoverer_video_info_get_width (videos->data), ==, 32);
  g_assert_cmpuint (
      gst_discoverer_audio_info_get_sample_rate (audios->data), ==, 24000);
  gst_discoverer_stream_info_list_free (videos);
  gst_discoverer_stream_info_list_free (audios);
}

static guint
count_streams (GstMessage *message)
{
  const GstStructure *topology = gst_message_get_structure (message);

  return gst_value_list_get_size (gst_structure_get_value (topology, "next"));
}

/* Holds up whoever tells of one stream while the other pad's thread goes on. */
static GstBusSyncReply
hold_up (G_GNUC_UNUSED GstBus *bus, GstMessage *message,
    G_GNUC_UNUSED gpointer user_data)
{
  if (gst_message_has_name (message, "stream-topology") &&
      count_streams (message) < 2)
    g_usleep (200000);
  return GST_BUS_PASS;
}

/* Seeks while one stream is told of and the other pad's thread wants to. */
static GstBusSyncReply
seek_on_topology (
    G_GNUC_UNUSED GstBus *bus, GstMessage *message, gpointer user_data)
{
  static gint sought; /* atomic */

  if (gst_message_has_name (message, "stream-topology") &&
      count_streams (message) < 2 &&
      g_atomic_int_compare_and_exchange (&sought, FALSE, TRUE)) {
    g_usleep (200000);
    g_assert_true (gst_element_seek_simple (
        user_data, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SECOND));
  }
  return GST_BUS_PASS;
}

/* Of the topologies that the pads' threads tell the last has both streams,
 * whatever whoever hears of one does meanwhile. */
static void
test_topology (gconstpointer handler)
{
  g_autoptr (GError) error = NULL;
  Player player = { .pipeline = gst_pipeline_new (NULL) };
  g_autoptr (GstBus) bus = gst_element_get_bus (player.pipeline);
  GstElement *src = gst_element_make_from_uri (GST_URI_SRC, URI, NULL, &error);
  GstElement *video = make_sink (&player), *audio = make_sink (&player);
  guint streams = 0;

  fake_reset ();
  g_assert_no_error (error);
  use_host (NULL, src, NULL);
  gst_bin_add_many (GST_BIN (player.pipeline), src, video, audio, NULL);
  g_assert_true (gst_element_link_pads (src, "video", video, "sink"));
  g_assert_true (gst_element_link_pads (src, "audio", audio, "sink"));
  gst_bus_set_sync_handler (
      bus, *(const GstBusSyncHandler *)handler, src, NULL);
  gst_element_set_state (player.pipeline, GST_STATE_PLAYING);
  while (TRUE) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus, PATIENCE,
        GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT) {
      g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
      break;
    }
    if (gst_message_has_name (message, "stream-topology"))
      streams = count_streams (message);
  }
  gst_element_set_state (player.pipeline, GST_STATE_NULL);
  gst_object_unref (player.pipeline);
  g_assert_cmpuint (streams, ==, 2);
}

/* A player reports a bad URI in the words of the element. */
static void
test_bad_uri (void)
{
  static const char *const players[] = { "playbin", "playbin3" };

  for (guint i = 0; i < G_N_ELEMENTS (players); i++) {
    g_autoptr (GstElement) player =
        gst_object_ref_sink (gst_element_factory_make (players[i], NULL));
    g_autoptr (GstBus) bus = gst_element_get_bus (player);
    g_autoptr (GError) error = NULL;
    fake_reset ();
    g_object_set (player, "uri", "vidgen://fake?colour=red", NULL);
    gst_element_set_state (player, GST_STATE_PAUSED);
    g_autoptr (GstMessage) message =
        gst_bus_timed_pop_filtered (bus, PATIENCE, GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    gst_message_parse_error (message, &error, NULL);
    g_assert_nonnull (strstr (error->message, "colour"));
    gst_element_set_state (player, GST_STATE_NULL);
  }
}

static void
count_rendered (G_GNUC_UNUSED GstElement *sink, G_GNUC_UNUSED GstBuffer *buffer,
    G_GNUC_UNUSED GstPad *pad, gint *rendered)
{
  g_atomic_int_inc (rendered);
}

/* Plays two seconds that take more than three times as long to make; the frames
 * that a viewer sees. */
static gint
play_slowly (gboolean use_buffering, guint *pauses)
{
  Player player = { .pipeline = gst_pipeline_new (NULL),
    .buffers = use_buffering };
  GstElement *src = g_object_new (GST_TYPE_VIDGEN_SRC, "model", "fake",
      "device", "host", "num-buffers", FRAMES, "use-buffering", use_buffering,
      "buffer-time", GST_SECOND, NULL);
  GstElement *video = make_sink (&player), *audio = make_sink (&player);
  gint rendered = 0;

  fake_reset ();
  fake.chunk_us = 800000; /* for 250 ms */
  g_object_set (video, "signal-handoffs", TRUE, NULL);
  g_signal_connect (video, "handoff", G_CALLBACK (count_rendered), &rendered);
  gst_bin_add_many (GST_BIN (player.pipeline), src, video, audio, NULL);
  g_assert_true (gst_element_link_pads (src, "video", video, "sink"));
  g_assert_true (gst_element_link_pads (src, "audio", audio, "sink"));
  play_out (&player);
  gst_element_set_state (player.pipeline, GST_STATE_NULL);
  gst_object_unref (player.pipeline);
  *pauses = player.pauses;
  return rendered;
}

static void
test_smooth (void)
{
  guint pauses;

  g_assert_cmpint (play_slowly (TRUE, &pauses), ==, FRAMES);
  g_assert_cmpuint (pauses, >=, 1);
}

/* The model above is too slow for a player that does not pause. */
static void
test_not_smooth (void)
{
  guint pauses;

  g_assert_cmpint (play_slowly (FALSE, &pauses), <, FRAMES * 3 / 4);
  g_assert_cmpuint (pauses, ==, 0);
}

int
main (int argc, char **argv)
{
  static const GstBusSyncHandler slow = hold_up, seeking = seek_on_topology;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  GST_ELEMENT_REGISTER (vidgensrc, NULL);
  g_test_add_func ("/players/playbin3", test_playbin3);
  g_test_add_func ("/players/playbin", test_playbin);
  g_test_add_func ("/players/uridecodebin3", test_uridecodebin3);
  g_test_add_func ("/players/uridecodebin", test_uridecodebin);
  g_test_add_func ("/players/discoverer", test_discoverer);
  g_test_add_data_func ("/players/topology", &slow, test_topology);
  g_test_add_data_func ("/players/topology-seek", &seeking, test_topology);
  g_test_add_func ("/players/bad-uri", test_bad_uri);
  g_test_add_func ("/players/smooth", test_smooth);
  g_test_add_func ("/players/not-smooth", test_not_smooth);
  return g_test_run ();
}
