/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Takes pictures and sound out of vidgensrc, and changes the prompt two
 * seconds into the stream:
 *   example-appsink "rain at night" duration=6000000000 seed=3
 * The first argument is the new prompt, each other one a property. */

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#define CHANGE_AT (2 * GST_SECOND)

typedef struct {
  GstElement *pipeline, *source;
  GstAppSink *video, *audio;
  const char *new_prompt; /* NULL once it is set */
  gboolean failed;
} Example;

#define SINK "appsink max-buffers=1 sync=false name="

static GstElement *
make_pipeline (char **properties, GError **error)
{
  g_autofree char *words = g_strjoinv (" ", properties);
  g_autofree char *description = g_strdup_printf (
      "vidgensrc name=source %s "
      "source.video ! video/x-raw, format=RGB ! " SINK "video "
      "source.audio ! audio/x-raw, format=S16LE ! " SINK "audio",
      words);

  return gst_parse_launch_full (
      description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
}

/* Returns FALSE behind an error. */
static gboolean
read_bus (Example *example)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (example->pipeline);
  GstMessage *message;

  while ((message = gst_bus_pop (bus))) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      g_autoptr (GError) error = NULL;
      gst_message_parse_error (message, &error, NULL);
      g_printerr ("%s\n", error->message);
      example->failed = TRUE;
    } else if (gst_message_has_name (message, "vidgen-prompt-applied")) {
      const GstStructure *told = gst_message_get_structure (message);
      guint64 time = 0;
      gst_structure_get_uint64 (told, "stream-time", &time);
      g_print ("prompt \"%s\" from %" GST_TIME_FORMAT "\n",
          gst_structure_get_string (told, "prompt"), GST_TIME_ARGS (time));
    }
    gst_message_unref (message);
  }
  return !example->failed;
}

/* Returns FALSE at the end. */
static gboolean
take (Example *example, GstAppSink *sink)
{
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);

  if (!sample)
    return FALSE;
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  const GstStructure *format =
      gst_caps_get_structure (gst_sample_get_caps (sample), 0);
  GstMapInfo map;

  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    g_print ("%s %" GST_TIME_FORMAT " %" G_GSIZE_FORMAT " bytes\n",
        gst_structure_get_name (format),
        GST_TIME_ARGS (GST_BUFFER_PTS (buffer)), map.size);
    gst_buffer_unmap (buffer, &map);
  }
  if (example->new_prompt && GST_BUFFER_PTS (buffer) >= CHANGE_AT) {
    g_object_set (example->source, "prompt", example->new_prompt, NULL);
    example->new_prompt = NULL;
  }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Example example = { 0 };

  gst_init (&argc, &argv);
  if (argc > 1)
    example.pipeline = make_pipeline (argv + 2, &error);
  if (!example.pipeline) {
    g_printerr ("%s\n", error ? error->message : "Which prompt comes next?");
    return 1;
  }
  example.new_prompt = argv[1];
  GstBin *bin = GST_BIN (example.pipeline);
  example.source = gst_bin_get_by_name (bin, "source");
  example.video = GST_APP_SINK (gst_bin_get_by_name (bin, "video"));
  example.audio = GST_APP_SINK (gst_bin_get_by_name (bin, "audio"));

  gboolean more = gst_element_set_state (example.pipeline, GST_STATE_PLAYING) !=
                  GST_STATE_CHANGE_FAILURE;
  while (read_bus (&example) && more) {
    const gboolean seen = take (&example, example.video);
    const gboolean heard = take (&example, example.audio);
    more = seen || heard;
  }
  gst_element_set_state (example.pipeline, GST_STATE_NULL);
  gst_object_unref (example.source);
  gst_object_unref (example.video);
  gst_object_unref (example.audio);
  gst_object_unref (example.pipeline);
  return example.failed;
}
