/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Plays scenes one after another and writes raw pictures and sound to standard
 * output, for programs that measure them:
 *   vidgen-takes model=FILE steps=1 <takes >records
 * Each argument is a property of vidgensrc, each line of standard input a take,
 * its fields between tabs:
 *   SEED FRAMES PROMPT [FRAME PROMPT]…
 * A later prompt is set when FRAME frames have come out; it takes effect at the
 * next chunk generated. A record is a line, KIND SIZE, and SIZE bytes:
 *   picture  text: width, height, frame rate (n/d)
 *   sound    text: sample rate, channels
 *   video    one picture, R G B, without padding
 *   audio    32-bit floats, little-endian, channels interleaved
 *   applied  text: the stream time in nanoseconds from which a prompt is seen
 *   end      nothing; the take is whole
 * Picture comes before video, sound before audio, end last, all else in the
 * order in which it came out. After an error nothing more is written and the
 * exit code is 1.
 */

#include <stdio.h>

#include <gst/app/gstappsink.h>
#include <gst/audio/audio.h>
#include <gst/gst.h>
#include <gst/video/video.h>

typedef struct {
  guint64 frame;
  const char *prompt;
} Change;

typedef struct {
  GstElement *pipeline, *source;
  GstAppSink *video, *audio;
  GMutex lock; /* of standard output and of what follows */
  GstVideoInfo picture;
  gboolean heard;
  guint64 frames;
  GArray *changes; /* of Change */
  guint next_change;
} Takes;

#define SINK "appsink max-buffers=4 sync=false name="

static gboolean
write_record (const char *kind, const void *data, gsize size_bytes)
{
  return printf ("%s %" G_GSIZE_FORMAT "\n", kind, size_bytes) > 0 &&
         fwrite (data, 1, size_bytes, stdout) == size_bytes;
}

static gboolean
write_text (const char *kind, const char *text)
{
  return write_record (kind, text, strlen (text));
}

static gboolean
write_picture (const GstVideoInfo *info, GstBuffer *buffer)
{
  const gsize row_bytes = (gsize)GST_VIDEO_INFO_WIDTH (info) * 3;
  const gsize height = GST_VIDEO_INFO_HEIGHT (info);
  g_autofree guint8 *packed = g_malloc (row_bytes * height);
  GstVideoFrame frame;

  if (!gst_video_frame_map (&frame, info, buffer, GST_MAP_READ))
    return FALSE;
  for (gsize y = 0; y < height; y++)
    memcpy (packed + y * row_bytes,
        (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) +
            y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
        row_bytes);
  gst_video_frame_unmap (&frame);
  return write_record ("video", packed, row_bytes * height);
}

static gboolean
write_sound (GstBuffer *buffer)
{
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return FALSE;
  const gboolean written = write_record ("audio", map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return written;
}

/* Before the first sample of a sink. */
static gboolean
tell_format (Takes *takes, GstAppSink *sink, GstCaps *caps)
{
  GstAudioInfo sound;

  if (sink == takes->video) {
    if (GST_VIDEO_INFO_FORMAT (&takes->picture) != GST_VIDEO_FORMAT_UNKNOWN)
      return TRUE;
    if (!gst_video_info_from_caps (&takes->picture, caps))
      return FALSE;
    g_autofree char *text =
        g_strdup_printf ("%d %d %d/%d", GST_VIDEO_INFO_WIDTH (&takes->picture),
            GST_VIDEO_INFO_HEIGHT (&takes->picture),
            GST_VIDEO_INFO_FPS_N (&takes->picture),
            GST_VIDEO_INFO_FPS_D (&takes->picture));
    return write_text ("picture", text);
  }
  if (takes->heard)
    return TRUE;
  if (!gst_audio_info_from_caps (&sound, caps))
    return FALSE;
  g_autofree char *text = g_strdup_printf (
      "%d %d", GST_AUDIO_INFO_RATE (&sound), GST_AUDIO_INFO_CHANNELS (&sound));
  takes->heard = TRUE;
  return write_text ("sound", text);
}

static void
change_prompt (Takes *takes)
{
  while (takes->next_change < takes->changes->len) {
    const Change *change =
        &g_array_index (takes->changes, Change, takes->next_change);
    if (takes->frames < change->frame)
      return;
    g_object_set (takes->source, "prompt", change->prompt, NULL);
    takes->next_change++;
  }
}

static GstFlowReturn
take_sample (GstAppSink *sink, gpointer user_data)
{
  Takes *takes = user_data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  gboolean written = FALSE;

  if (!sample)
    return GST_FLOW_EOS;
  g_mutex_lock (&takes->lock);
  if (tell_format (takes, sink, gst_sample_get_caps (sample))) {
    GstBuffer *buffer = gst_sample_get_buffer (sample);
    const gboolean seen = sink == takes->video;
    written =
        seen ? write_picture (&takes->picture, buffer) : write_sound (buffer);
    if (seen) {
      takes->frames++;
      change_prompt (takes);
    }
  }
  g_mutex_unlock (&takes->lock);
  return written ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static gboolean
tell_applied (Takes *takes, GstMessage *message)
{
  const GstStructure *told = gst_message_get_structure (message);
  guint64 time_ns = 0;

  gst_structure_get_uint64 (told, "stream-time", &time_ns);
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, time_ns);
  g_mutex_lock (&takes->lock);
  const gboolean written = write_text ("applied", text);
  g_mutex_unlock (&takes->lock);
  return written;
}

static gboolean
wait_for_end (Takes *takes, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (takes->pipeline);

  for (;;) {
    g_autoptr (GstMessage) message =
        gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
            GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
      return write_text ("end", "") && fflush (stdout) == 0;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error (message, error, NULL);
      return FALSE;
    }
    if (gst_message_has_name (message, "vidgen-prompt-applied") &&
        takes->next_change && !tell_applied (takes, message))
      return FALSE;
  }
}

static gboolean
parse_number (const char *text, guint64 *value, GError **error)
{
  return g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, value, error);
}

/* The changes point into `fields`. */
static gboolean
prepare (Takes *takes, char **fields, GError **error)
{
  const guint count = g_strv_length (fields);
  guint64 seed, frames;

  if (count < 3 || count % 2 == 0) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "a take is SEED, FRAMES, PROMPT and pairs of FRAME and PROMPT; "
        "it has %u fields",
        count);
    return FALSE;
  }
  if (!parse_number (fields[0], &seed, error) ||
      !parse_number (fields[1], &frames, error))
    return FALSE;
  g_array_set_size (takes->changes, 0);
  for (guint i = 3; i < count; i += 2) {
    Change change = { .prompt = fields[i + 1] };
    if (!parse_number (fields[i], &change.frame, error))
      return FALSE;
    g_array_append_val (takes->changes, change);
  }
  takes->next_change = 0;
  takes->frames = 0;
  takes->heard = FALSE;
  gst_video_info_init (&takes->picture);
  g_object_set (takes->source, "seed", seed, "num-buffers", (gint)frames,
      "prompt", fields[2], NULL);
  return TRUE;
}

static gboolean
play (Takes *takes, const char *line, GError **error)
{
  g_auto (GStrv) fields = g_strsplit (line, "\t", -1);

  if (!prepare (takes, fields, error))
    return FALSE;
  gst_element_set_state (takes->pipeline, GST_STATE_PLAYING);
  const gboolean whole = wait_for_end (takes, error);
  gst_element_set_state (takes->pipeline, GST_STATE_READY);
  return whole;
}

static gboolean
play_all (Takes *takes, GError **error)
{
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (fileno (stdin));
  gboolean played = TRUE;

  while (played) {
    g_autofree char *line = NULL;
    gsize end;
    const GIOStatus status =
        g_io_channel_read_line (input, &line, NULL, &end, error);
    if (status == G_IO_STATUS_EOF)
      return TRUE;
    if (status != G_IO_STATUS_NORMAL)
      return FALSE;
    line[end] = '\0';
    played = play (takes, line, error);
  }
  return FALSE;
}

static gboolean
open_takes (Takes *takes, char **properties, GError **error)
{
  GstAppSinkCallbacks callbacks = { .new_sample = take_sample };
  g_autofree char *words = g_strjoinv (" ", properties);
  g_autofree char *description = g_strdup_printf (
      "vidgensrc name=source %s source.video ! video/x-raw, format=RGB "
      "! " SINK "video source.audio ! audio/x-raw, format=F32LE, channels=2 "
      "! " SINK "audio",
      words);

  takes->pipeline = gst_parse_launch_full (
      description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (!takes->pipeline)
    return FALSE;
  takes->source = gst_bin_get_by_name (GST_BIN (takes->pipeline), "source");
  takes->video =
      GST_APP_SINK (gst_bin_get_by_name (GST_BIN (takes->pipeline), "video"));
  takes->audio =
      GST_APP_SINK (gst_bin_get_by_name (GST_BIN (takes->pipeline), "audio"));
  gst_app_sink_set_callbacks (takes->video, &callbacks, takes, NULL);
  gst_app_sink_set_callbacks (takes->audio, &callbacks, takes, NULL);
  return TRUE;
}

static void
close_takes (Takes *takes)
{
  if (!takes->pipeline)
    return;
  gst_element_set_state (takes->pipeline, GST_STATE_NULL);
  gst_object_unref (takes->source);
  gst_object_unref (takes->video);
  gst_object_unref (takes->audio);
  gst_object_unref (takes->pipeline);
}

int
main (int argc, char **argv)
{
  Takes takes = { .changes = g_array_new (FALSE, FALSE, sizeof (Change)) };
  g_autoptr (GError) error = NULL;

  gst_init (&argc, &argv);
  g_mutex_init (&takes.lock);
  const gboolean played =
      open_takes (&takes, argv + 1, &error) && play_all (&takes, &error);
  if (!played)
    fprintf (
        stderr, "vidgen-takes: %s\n", error ? error->message : "cannot write");
  close_takes (&takes);
  g_mutex_clear (&takes.lock);
  g_array_unref (takes.changes);
  return !played;
}
