/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Shows vidgensrc in a window, with an entry below whose text becomes the
 * prompt when Enter is pressed:
 *   example-window "rain at night" seed=3
 * The first argument is the first prompt, each other one a property. */

#include <gst/app/gstappsink.h>
#include <gst/video/video.h>
#include <gtk/gtk.h>

typedef struct {
  GtkApplication *app;
  GtkPicture *picture;
  GstElement *pipeline, *source;
  char **arguments;
  gboolean failed;
} Example;

/* Without gtk4paintablesink pictures become textures here. */
#define TEXTURES "video/x-raw, format=RGBA ! appsink name=video max-buffers=1"

static gboolean
has_paintable_sink (void)
{
  g_autoptr (GstElementFactory) factory =
      gst_element_factory_find ("gtk4paintablesink");

  return factory != NULL;
}

static gboolean
show (gpointer user_data)
{
  Example *example = user_data;
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (example->pipeline), "video");
  g_autoptr (GstSample) sample =
      gst_app_sink_try_pull_sample (GST_APP_SINK (sink), 0);
  GstVideoInfo info;
  GstVideoFrame frame;

  if (!sample ||
      !gst_video_info_from_caps (&info, gst_sample_get_caps (sample)) ||
      !gst_video_frame_map (
          &frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ))
    return G_SOURCE_REMOVE;
  const gsize stride = GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);
  g_autoptr (GBytes) bytes = g_bytes_new (
      GST_VIDEO_FRAME_PLANE_DATA (&frame, 0), stride * info.height);
  g_autoptr (GdkTexture) texture = gdk_memory_texture_new (
      info.width, info.height, GDK_MEMORY_R8G8B8A8, bytes, stride);
  gst_video_frame_unmap (&frame);
  gtk_picture_set_paintable (example->picture, GDK_PAINTABLE (texture));
  return G_SOURCE_REMOVE;
}

/* On GStreamer's thread; GTK may be called from the main one only. */
static GstFlowReturn
on_sample (G_GNUC_UNUSED GstAppSink *sink, gpointer user_data)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, show, user_data, NULL);
  return GST_FLOW_OK;
}

static void
connect_picture (Example *example, GstElement *sink)
{
  GstAppSinkCallbacks callbacks = { .new_sample = on_sample };

  if (GST_IS_APP_SINK (sink)) {
    gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, example, NULL);
  } else {
    g_autoptr (GdkPaintable) paintable = NULL;
    g_object_get (sink, "paintable", &paintable, NULL);
    gtk_picture_set_paintable (example->picture, paintable);
  }
}

static gboolean
make_pipeline (Example *example, GError **error)
{
  g_autofree char *properties = g_strjoinv (" ", example->arguments + 2);
  g_autofree char *description = g_strdup_printf (
      "vidgensrc name=source is-live=true %s "
      "source.video ! queue ! videoconvert ! %s "
      "source.audio ! queue ! audioconvert ! audioresample ! autoaudiosink",
      properties,
      has_paintable_sink () ? "gtk4paintablesink name=video" : TEXTURES);

  example->pipeline = gst_parse_launch_full (
      description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (!example->pipeline)
    return FALSE;
  example->source = gst_bin_get_by_name (GST_BIN (example->pipeline), "source");
  g_object_set (example->source, "prompt", example->arguments[1], NULL);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (example->pipeline), "video");
  connect_picture (example, sink);
  return TRUE;
}

static void
stop (Example *example, const GError *error)
{
  g_printerr ("%s\n", error->message);
  example->failed = TRUE;
  g_application_quit (G_APPLICATION (example->app));
}

static gboolean
on_message (G_GNUC_UNUSED GstBus *bus, GstMessage *message, gpointer user_data)
{
  Example *example = user_data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;
    gst_message_parse_error (message, &error, NULL);
    stop (example, error);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_LATENCY) {
    gst_bin_recalculate_latency (GST_BIN (example->pipeline));
  } else if (gst_message_has_name (message, "vidgen-prompt-applied")) {
    const char *prompt = gst_structure_get_string (
        gst_message_get_structure (message), "prompt");
    g_print ("now: %s\n", prompt);
    gtk_window_set_title (
        gtk_application_get_active_window (example->app), prompt);
  }
  return G_SOURCE_CONTINUE;
}

static void
on_entered (GtkEntry *entry, gpointer user_data)
{
  const Example *example = user_data;

  g_object_set (example->source, "prompt",
      gtk_editable_get_text (GTK_EDITABLE (entry)), NULL);
}

static void
make_window (Example *example)
{
  GtkWidget *window = gtk_application_window_new (example->app);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *picture = gtk_picture_new ();
  GtkWidget *entry = gtk_entry_new ();

  example->picture = GTK_PICTURE (picture);
  gtk_widget_set_vexpand (picture, TRUE);
  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), "What comes next?");
  g_signal_connect (entry, "activate", G_CALLBACK (on_entered), example);
  gtk_box_append (GTK_BOX (box), picture);
  gtk_box_append (GTK_BOX (box), entry);
  gtk_window_set_child (GTK_WINDOW (window), box);
  gtk_window_set_title (GTK_WINDOW (window), example->arguments[1]);
  gtk_window_set_default_size (GTK_WINDOW (window), 768, 490);
  gtk_window_present (GTK_WINDOW (window));
  gtk_widget_grab_focus (entry);
}

static void
on_activate (G_GNUC_UNUSED GApplication *app, gpointer user_data)
{
  Example *example = user_data;
  g_autoptr (GError) error = NULL;

  make_window (example);
  if (!make_pipeline (example, &error)) {
    stop (example, error);
    return;
  }
  g_autoptr (GstBus) bus = gst_element_get_bus (example->pipeline);
  gst_bus_add_watch (bus, on_message, example);
  gst_element_set_state (example->pipeline, GST_STATE_PLAYING);
}

int
main (int argc, char **argv)
{
  Example example = { .arguments = argv };

  gst_init (&argc, &argv);
  if (argc < 2) {
    g_printerr ("Which prompt comes first?\n");
    return 1;
  }
  example.app = gtk_application_new (NULL, G_APPLICATION_NON_UNIQUE);
  g_signal_connect (
      example.app, "activate", G_CALLBACK (on_activate), &example);
  g_application_run (G_APPLICATION (example.app), 0, NULL);
  if (example.pipeline)
    gst_element_set_state (example.pipeline, GST_STATE_NULL);
  gst_clear_object (&example.source);
  gst_clear_object (&example.pipeline);
  g_object_unref (example.app);
  return example.failed;
}
