/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/tools/sender.h"

#include <gst/app/app.h>
#include <gst/video/video.h>

#define TICK_MS 100
#define MIN_PAUSE_S 1
#define MAX_PAUSE_S 15
#define MAX_LAG_NS (15 * GST_SECOND)
#define ATTEMPT_US (15 * G_USEC_PER_SEC)
#define RECENT_NS (30 * GST_SECOND)
#define FINISH_NS (10 * GST_SECOND)
/* Not live, so that the muxer waits for an encoder that is late on a busy
 * machine, rather than send out of order. */
#define BRANCH                                                                 \
  "flvmux name=mux streamable=true ! rtmp2sink name=sink sync=false "          \
  "appsrc name=picture format=time max-bytes=0 ! mux.video "                   \
  "appsrc name=sound format=time max-bytes=0 ! mux.audio"

struct _VidgenSender {
  GstElement *pipeline;
  GstAppSink *picture_sink;
  GstAppSink *sound_sink;
  char *url;
  GstElement *branch; /* NULL: there is none until the pause is over */
  gulong probe;
  guint watch;
  guint tick;
  guint retry;
  guint pause_s;
  gint64 connect_us; /* when it began to connect; 0: it has not yet */
  gboolean connected;
  gboolean was_connected; /* ever */

  GMutex lock;        /* of what follows */
  guint connect;      /* is due */
  GstAppSrc *picture; /* NULL: nothing is sent now */
  GstAppSrc *sound;
  GstClockTime begin; /* running time of the first picture sent, or NONE */
  GQueue recent;      /* GstSample: sound until then */
};

static void
clear_branch (VidgenSender *sender)
{
  g_mutex_lock (&sender->lock);
  gst_clear_object (&sender->picture);
  gst_clear_object (&sender->sound);
  sender->begin = GST_CLOCK_TIME_NONE;
  g_clear_handle_id (&sender->connect, g_source_remove);
  g_mutex_unlock (&sender->lock);
  sender->connected = FALSE;
  sender->connect_us = 0;
  g_clear_handle_id (&sender->watch, g_source_remove);
  g_clear_handle_id (&sender->tick, g_source_remove);
  if (sender->branch)
    gst_element_set_state (sender->branch, GST_STATE_NULL);
  gst_clear_object (&sender->branch);
}

static void lose (VidgenSender *sender, const char *reason);

static gboolean
start_again (gpointer data)
{
  VidgenSender *sender = data;

  sender->retry = 0;
  if (!vidgen_sender_start (sender, NULL))
    lose (sender, NULL);
  return G_SOURCE_REMOVE;
}

static void
tell_loss (VidgenSender *sender, const char *reason)
{
  g_autoptr (GError) error =
      g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE,
          "the connection is lost (%s); trying again", reason);

  gst_element_post_message (sender->pipeline,
      gst_message_new_warning (GST_OBJECT (sender->pipeline), error, NULL));
}

static void
tell_success (VidgenSender *sender)
{
  g_autoptr (GError) info = g_error_new_literal (
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE, "connected again");

  gst_element_post_message (sender->pipeline,
      gst_message_new_info (GST_OBJECT (sender->pipeline), info, NULL));
}

static void
lose (VidgenSender *sender, const char *reason)
{
  if (sender->connected) {
    tell_loss (sender, reason);
    sender->pause_s = MIN_PAUSE_S;
  } else {
    sender->pause_s = MIN (2 * sender->pause_s, MAX_PAUSE_S);
  }
  clear_branch (sender);
  sender->retry = g_timeout_add_seconds (sender->pause_s, start_again, sender);
}

static void
take_error (VidgenSender *sender, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  if (!sender->was_connected) {
    gst_element_post_message (sender->pipeline, gst_message_ref (message));
    clear_branch (sender);
    return;
  }
  gst_message_parse_error (message, &error, NULL);
  lose (sender, error->message);
}

static gboolean
take_message (GstBus *bus G_GNUC_UNUSED, GstMessage *message, gpointer data)
{
  VidgenSender *sender = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    take_error (sender, message);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    lose (sender, "the server ended it");
  return sender->watch ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* rtmp2sink counts bytes from when the server has agreed to a stream. */
static gboolean
has_connection (VidgenSender *sender)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (sender->branch), "sink");
  g_autoptr (GstStructure) stats = NULL;
  guint64 bytes = 0;

  g_object_get (sink, "stats", &stats, NULL);
  return stats && gst_structure_get_uint64 (stats, "out-bytes-total", &bytes) &&
         bytes;
}

static void
request_key_frame (VidgenSender *sender)
{
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (GST_ELEMENT (sender->picture_sink), "sink");

  gst_pad_push_event (pad, gst_video_event_new_upstream_force_key_unit (
                               GST_CLOCK_TIME_NONE, FALSE, 0));
}

static void
note_connection (VidgenSender *sender)
{
  if (sender->was_connected)
    tell_success (sender);
  sender->connected = sender->was_connected = TRUE;
}

/* One full queue alone waits for the encoder of the other. */
static gboolean
is_late (VidgenSender *sender)
{
  if (!sender->connected)
    return sender->was_connected && sender->connect_us &&
           g_get_monotonic_time () - sender->connect_us > ATTEMPT_US;
  return MIN (gst_app_src_get_current_level_time (sender->picture),
             gst_app_src_get_current_level_time (sender->sound)) > MAX_LAG_NS;
}

static gboolean
watch_connection (gpointer data)
{
  VidgenSender *sender = data;

  if (!sender->connected && has_connection (sender))
    note_connection (sender);
  if (!is_late (sender))
    return G_SOURCE_CONTINUE;
  sender->tick = 0;
  lose (sender, "the server falls behind");
  return G_SOURCE_REMOVE;
}

static gboolean
connect (gpointer data)
{
  VidgenSender *sender = data;
  GstBin *bin = GST_BIN (sender->branch);
  g_autoptr (GstElement) mux = gst_bin_get_by_name (bin, "mux");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (bin, "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (mux, "src");

  g_mutex_lock (&sender->lock);
  sender->connect = 0;
  g_mutex_unlock (&sender->lock);
  sender->connect_us = g_get_monotonic_time ();
  gst_element_set_locked_state (sink, FALSE);
  gst_element_sync_state_with_parent (sink);
  gst_pad_remove_probe (pad, sender->probe);
  return G_SOURCE_REMOVE;
}

static GstPadProbeReturn
note_muxed (GstPad *pad G_GNUC_UNUSED, GstPadProbeInfo *info G_GNUC_UNUSED,
    gpointer data)
{
  VidgenSender *sender = data;

  g_mutex_lock (&sender->lock);
  if (sender->picture && !sender->connect)
    sender->connect = g_idle_add (connect, sender);
  g_mutex_unlock (&sender->lock);
  return GST_PAD_PROBE_OK;
}

/* The sink connects when the muxer, which waits for picture and sound, has
 * something for it: to a stream without a packet, or with one of the picture
 * alone, nobody should be able to listen. */
static void
hold_sink (VidgenSender *sender)
{
  GstBin *bin = GST_BIN (sender->branch);
  g_autoptr (GstElement) mux = gst_bin_get_by_name (bin, "mux");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (bin, "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (mux, "src");

  g_object_set (sink, "location", sender->url, NULL);
  gst_element_set_locked_state (sink, TRUE);
  sender->probe = gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, note_muxed, sender, NULL);
}

gboolean
vidgen_sender_start (VidgenSender *sender, GError **error)
{
  g_autoptr (GstBus) bus = NULL;
  GstBin *bin;

  sender->branch =
      gst_parse_launch_full (BRANCH, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (!sender->branch)
    return FALSE;
  gst_object_ref_sink (sender->branch);
  hold_sink (sender);
  bin = GST_BIN (sender->branch);
  bus = gst_element_get_bus (sender->branch);
  sender->watch = gst_bus_add_watch (bus, take_message, sender);
  sender->tick = g_timeout_add (TICK_MS, watch_connection, sender);
  gst_element_set_state (sender->branch, GST_STATE_PLAYING);
  g_mutex_lock (&sender->lock);
  sender->picture = GST_APP_SRC (gst_bin_get_by_name (bin, "picture"));
  sender->sound = GST_APP_SRC (gst_bin_get_by_name (bin, "sound"));
  g_mutex_unlock (&sender->lock);
  request_key_frame (sender);
  return TRUE;
}

/* With running times, which every branch counts alike. */
static GstSample *
pull (GstAppSink *sink)
{
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  const GstSegment *segment;
  GstBuffer *buffer;
  GstSample *result;

  if (!sample)
    return NULL;
  segment = gst_sample_get_segment (sample);
  buffer = gst_buffer_copy (gst_sample_get_buffer (sample));
  GST_BUFFER_PTS (buffer) = gst_segment_to_running_time (
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  GST_BUFFER_DTS (buffer) = gst_segment_to_running_time (
      segment, GST_FORMAT_TIME, GST_BUFFER_DTS (buffer));
  result = gst_sample_new (buffer, gst_sample_get_caps (sample), NULL, NULL);
  gst_buffer_unref (buffer);
  return result;
}

static GstClockTime
sample_time (GstSample *sample)
{
  return GST_BUFFER_PTS (gst_sample_get_buffer (sample));
}

static void
send_recent_sound (VidgenSender *sender)
{
  GstSample *sample;

  while ((sample = g_queue_pop_head (&sender->recent))) {
    if (sample_time (sample) >= sender->begin)
      gst_app_src_push_sample (sender->sound, sample);
    gst_sample_unref (sample);
  }
}

static void
keep_recent_sound (VidgenSender *sender, GstSample *sample)
{
  const GstClockTime now = sample_time (sample);

  g_queue_push_tail (&sender->recent, gst_sample_ref (sample));
  while (sample_time (g_queue_peek_head (&sender->recent)) + RECENT_NS < now)
    gst_sample_unref (g_queue_pop_head (&sender->recent));
}

static GstFlowReturn
take_picture (GstAppSink *sink, gpointer data)
{
  VidgenSender *sender = data;
  g_autoptr (GstSample) sample = pull (sink);

  if (!sample)
    return GST_FLOW_OK;
  g_mutex_lock (&sender->lock);
  if (sender->picture && !GST_CLOCK_TIME_IS_VALID (sender->begin) &&
      !GST_BUFFER_FLAG_IS_SET (
          gst_sample_get_buffer (sample), GST_BUFFER_FLAG_DELTA_UNIT)) {
    sender->begin = sample_time (sample);
    send_recent_sound (sender);
  }
  if (GST_CLOCK_TIME_IS_VALID (sender->begin))
    gst_app_src_push_sample (sender->picture, sample);
  g_mutex_unlock (&sender->lock);
  return GST_FLOW_OK;
}

static GstFlowReturn
take_sound (GstAppSink *sink, gpointer data)
{
  VidgenSender *sender = data;
  g_autoptr (GstSample) sample = pull (sink);

  if (!sample || !GST_CLOCK_TIME_IS_VALID (sample_time (sample)))
    return GST_FLOW_OK;
  g_mutex_lock (&sender->lock);
  if (!GST_CLOCK_TIME_IS_VALID (sender->begin))
    keep_recent_sound (sender, sample);
  else if (sample_time (sample) >= sender->begin)
    gst_app_src_push_sample (sender->sound, sample);
  g_mutex_unlock (&sender->lock);
  return GST_FLOW_OK;
}

static GstAppSink *
connect_sink (VidgenSender *sender, const char *name,
    GstFlowReturn (*take) (GstAppSink *, gpointer))
{
  GstAppSinkCallbacks callbacks = { .new_sample = take };
  GstElement *sink = gst_bin_get_by_name (GST_BIN (sender->pipeline), name);

  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, sender, NULL);
  return GST_APP_SINK (sink);
}

VidgenSender *
vidgen_sender_new (GstElement *pipeline, const char *url)
{
  VidgenSender *sender = g_new0 (VidgenSender, 1);

  sender->pipeline = gst_object_ref (pipeline);
  sender->url = g_strdup (url);
  sender->pause_s = MIN_PAUSE_S;
  sender->begin = GST_CLOCK_TIME_NONE;
  g_mutex_init (&sender->lock);
  g_queue_init (&sender->recent);
  sender->picture_sink = connect_sink (sender, "picture", take_picture);
  sender->sound_sink = connect_sink (sender, "sound", take_sound);
  return sender;
}

void
vidgen_sender_finish (VidgenSender *sender)
{
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;

  if (!sender->connect_us)
    return;
  g_clear_handle_id (&sender->watch, g_source_remove);
  gst_app_src_end_of_stream (sender->picture);
  gst_app_src_end_of_stream (sender->sound);
  bus = gst_element_get_bus (sender->branch);
  message = gst_bus_timed_pop_filtered (
      bus, FINISH_NS, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
}

void
vidgen_sender_free (VidgenSender *sender)
{
  if (!sender)
    return;
  g_clear_handle_id (&sender->retry, g_source_remove);
  clear_branch (sender);
  g_queue_clear_full (&sender->recent, (GDestroyNotify)gst_sample_unref);
  gst_object_unref (sender->picture_sink);
  gst_object_unref (sender->sound_sink);
  gst_object_unref (sender->pipeline);
  g_mutex_clear (&sender->lock);
  g_free (sender->url);
  g_free (sender);
}
