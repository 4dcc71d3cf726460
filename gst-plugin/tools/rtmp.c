/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/tools/play.h"
#include "gst-plugin/tools/scene.h"
#include "gst-plugin/tools/sender.h"
#include "gst-plugin/tools/verbs.h"

#define DEFAULT_WIDTH 1280
#define DEFAULT_HEIGHT 720
#define DEFAULT_FPS 30
#define DEFAULT_KBITS 2500
#define KEY_FRAME_SECONDS 2
#define SINK "appsink sync=false"
#define QUEUE "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0"

static guint
key_frame_distance (const VidgenScene *scene)
{
  return MAX (1, KEY_FRAME_SECONDS * scene->fps_n / scene->fps_d);
}

static gboolean
build_launch (
    const VidgenScene *scene, int kbits, VidgenLaunch *launch, GError **error)
{
  vidgen_launch_add (launch, "-e");
  vidgen_scene_add_source (scene, launch);
  vidgen_launch_add (launch, "is-live=true");
  vidgen_launch_add (launch,
      "s.video ! " QUEUE " ! videoscale add-borders=true "
      "! videorate skip-to-first=true "
      "! videoconvert ! video/x-raw,format=I420,width=%u,height=%u,"
      "pixel-aspect-ratio=1/1,framerate=%u/%u",
      scene->width, scene->height, scene->fps_n, scene->fps_d);
  vidgen_launch_add (launch,
      "! x264enc tune=zerolatency speed-preset=veryfast bitrate=%d "
      "key-int-max=%u bframes=0 ! h264parse "
      "! video/x-h264,stream-format=avc,alignment=au ! " SINK " name=picture",
      kbits, key_frame_distance (scene));
  vidgen_launch_add (launch, "s.audio ! " QUEUE);
  if (!vidgen_scene_add_aac (launch, error))
    return FALSE;
  vidgen_launch_add (launch,
      "! audio/mpeg,mpegversion=4,stream-format=raw ! " SINK " name=sound");
  return TRUE;
}

static void
choose_format (VidgenScene *scene)
{
  if (!scene->width) {
    scene->width = DEFAULT_WIDTH;
    scene->height = DEFAULT_HEIGHT;
  }
  if (!scene->fps_n) {
    scene->fps_n = DEFAULT_FPS;
    scene->fps_d = 1;
  }
}

static gboolean
check (const char *url, int kbits, GError **error)
{
  g_autofree char *scheme = g_uri_parse_scheme (url);

  if (!scheme || !g_str_has_prefix (scheme, "rtmp"))
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "'%s' is no RTMP address, which begins with rtmp:// or rtmps://", url);
  else if (kbits < 100 || kbits > 100000)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--bitrate takes kbit/s from 100 to 100000, not %d", kbits);
  else
    return TRUE;
  return FALSE;
}

static gboolean
run (VidgenScene *scene, const char *url, int kbits, GError **error)
{
  const VidgenPlay play = {
    .live = TRUE, .length = GST_CLOCK_TIME_NONE, .prompts = TRUE
  };
  g_autoptr (VidgenModel) model = NULL;
  g_autoptr (VidgenLaunch) launch = vidgen_launch_new ();
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (VidgenSender) sender = NULL;

  if (!check (url, kbits, error) || !(model = vidgen_scene_open (scene, error)))
    return FALSE;
  choose_format (scene);
  if (!build_launch (scene, kbits, launch, error) ||
      !(pipeline = vidgen_launch_parse (launch, error)))
    return FALSE;
  gst_object_ref_sink (pipeline);
  g_print ("Prompt: %s\nType another prompt at any time; interrupt to end.\n",
      scene->prompt);
  sender = vidgen_sender_new (pipeline, url);
  if (!vidgen_sender_start (sender, error) ||
      !vidgen_play (pipeline, &play, error))
    return FALSE;
  vidgen_sender_finish (sender);
  return TRUE;
}

gboolean
vidgen_rtmp (GStrv arguments, GError **error)
{
  VidgenScene scene = { 0 };
  int kbits = DEFAULT_KBITS;
  const GOptionEntry entries[] = {
    { "bitrate", 'b', 0, G_OPTION_ARG_INT, &kbits,
        "Of the picture, in kbit/s (default: 2500)", "N" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_auto (GStrv) words = vidgen_scene_parse (&scene, entries, "URL",
      "Streams live to an RTMP server until interrupted, by default in "
      "1280x720 with 30\nframes a second. Each line on standard input is a new "
      "prompt. A connection that\nis lost is made again; the scene goes on.",
      1, arguments, error);
  gboolean done = words && run (&scene, words[1], kbits, error);

  vidgen_scene_clear (&scene);
  return done;
}
