/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/tools/contactsheet.h"
#include "gst-plugin/tools/play.h"
#include "gst-plugin/tools/scene.h"
#include "gst-plugin/tools/verbs.h"

#define DEFAULT_SECONDS 6
#define DEFAULT_WIDTH 768 /* about */
#define DEFAULT_OUT "vidgensrc-demo.mp4"
#define SHEET_PICTURE_WIDTH 384

typedef struct {
  VidgenScene scene;
  guint made_width, made_height; /* by the model; scaled to the scene's size */
  char *out;                     /* NULL: a window */
} Demo;

static gboolean
has_display (void)
{
  const char *x11 = g_getenv ("DISPLAY");
  const char *wayland = g_getenv ("WAYLAND_DISPLAY");

  return (x11 && *x11) || (wayland && *wayland);
}

/* The model's own size times a whole number, which keeps its proportions. */
static void
choose_size (VidgenScene *scene, const VidgenFormat *native)
{
  guint factor = MAX (1, (DEFAULT_WIDTH + native->width / 2) / native->width);

  if (scene->width)
    return;
  scene->width = native->width * factor;
  scene->height = native->height * factor;
}

/* The largest size of the model's own within the one that is wanted. */
static void
choose_made (Demo *demo, const VidgenModelInfo *info)
{
  const guint *scale = info->scales;

  demo->made_width = info->native.width;
  demo->made_height = info->native.height;
  for (; scale && *scale; scale++) {
    if (*scale * info->native.width > demo->scene.width ||
        *scale * info->native.height > demo->scene.height)
      continue;
    demo->made_width = *scale * info->native.width;
    demo->made_height = *scale * info->native.height;
  }
  if (!vidgen_model_makes_size (info, demo->scene.width, demo->scene.height))
    return;
  demo->made_width = demo->scene.width;
  demo->made_height = demo->scene.height;
}

static void
add_picture (const Demo *demo, VidgenLaunch *launch)
{
  const VidgenScene *scene = &demo->scene;

  vidgen_launch_add (launch, "s.video ! video/x-raw,width=%u,height=%u",
      demo->made_width, demo->made_height);
  vidgen_launch_add (launch, "! queue ! videoscale method=lanczos");
  if (scene->fps_n)
    vidgen_launch_add (launch,
        "! videorate ! video/x-raw,width=%u,height=%u,"
        "pixel-aspect-ratio=1/1,framerate=%u/%u",
        scene->width, scene->height, scene->fps_n, scene->fps_d);
  else
    vidgen_launch_add (launch,
        "! video/x-raw,width=%u,height=%u,pixel-aspect-ratio=1/1", scene->width,
        scene->height);
  vidgen_launch_add (launch, "! videoconvert");
}

static gboolean
add_file (const Demo *demo, VidgenLaunch *launch, GError **error)
{
  vidgen_launch_add (launch, "-e");
  vidgen_scene_add_source (&demo->scene, launch);
  add_picture (demo, launch);
  vidgen_launch_add (launch,
      "! video/x-raw,format=I420 "
      "! x264enc speed-preset=veryfast pass=qual quantizer=20 ! h264parse "
      "! mp4mux name=m ! filesink");
  vidgen_launch_add_string (launch, "location", demo->out);
  vidgen_launch_add (launch, "s.audio ! queue");
  if (!vidgen_scene_add_aac (launch, error))
    return FALSE;
  vidgen_launch_add (launch, "! m.");
  return TRUE;
}

static void
add_window (const Demo *demo, VidgenLaunch *launch)
{
  vidgen_scene_add_source (&demo->scene, launch);
  vidgen_launch_add (launch, "use-buffering=true");
  add_picture (demo, launch);
  vidgen_launch_add (launch,
      "! autovideosink s.audio ! queue ! audioconvert ! audioresample "
      "! autoaudiosink");
}

static gboolean
play_in_window (GstElement *pipeline, GError **error)
{
  const VidgenPlay play = { .length = GST_CLOCK_TIME_NONE, .prompts = TRUE };

  g_print ("Type another prompt at any time.\n");
  return vidgen_play (pipeline, &play, error);
}

static char *
sheet_path (const char *out)
{
  return g_strdup_printf ("%.*s.png", (int)(strlen (out) - 4), out);
}

static gboolean
write_file (const Demo *demo, GstElement *pipeline, GError **error)
{
  const VidgenPlay play = {
    .length = vidgen_scene_duration (&demo->scene),
  };
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "video");
  g_autoptr (VidgenContactSheet) sheet =
      vidgen_contact_sheet_new (pad, play.length);
  g_autofree char *path = sheet_path (demo->out);

  if (!vidgen_play (pipeline, &play, error) ||
      !vidgen_contact_sheet_write (sheet, SHEET_PICTURE_WIDTH, path, error))
    return FALSE;
  g_print ("Wrote %s and %s\n", demo->out, path);
  return TRUE;
}

/* A file has an end, a window need not. */
static gboolean
choose_output (Demo *demo, GError **error)
{
  if (!demo->out && !has_display ())
    demo->out = g_strdup (DEFAULT_OUT);
  if (demo->out && demo->scene.seconds <= 0)
    demo->scene.seconds = DEFAULT_SECONDS;
  if (!demo->out || g_str_has_suffix (demo->out, ".mp4"))
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "--out takes the name of an .mp4 file, not '%s'", demo->out);
  return FALSE;
}

static gboolean
run (Demo *demo, GError **error)
{
  g_autoptr (VidgenModel) model = NULL;
  g_autoptr (VidgenLaunch) launch = vidgen_launch_new ();
  g_autoptr (GstElement) pipeline = NULL;
  g_autofree char *line = NULL;

  if (!choose_output (demo, error) ||
      !(model = vidgen_scene_open (&demo->scene, error)))
    return FALSE;
  choose_size (&demo->scene, &vidgen_model_info (model)->native);
  choose_made (demo, vidgen_model_info (model));
  if (!demo->out)
    add_window (demo, launch);
  else if (!add_file (demo, launch, error))
    return FALSE;
  if (!(pipeline = vidgen_launch_parse (launch, error)))
    return FALSE;
  gst_object_ref_sink (pipeline);
  line = vidgen_launch_to_shell (launch);
  g_print ("Prompt: %s\nThe same with GStreamer's own tool:\n  %s\n",
      demo->scene.prompt, line);
  if (demo->out)
    return write_file (demo, pipeline, error);
  return play_in_window (pipeline, error);
}

gboolean
vidgen_demo (GStrv arguments, GError **error)
{
  Demo demo = { 0 };
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &demo.out,
        "Write an MP4 and a contact sheet (.png) beside it, also where there "
        "is a display",
        "FILE.mp4" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_auto (GStrv) words = vidgen_scene_parse (&demo.scene, entries, "",
      "Generates a few seconds of picture and sound: in a window where there "
      "is a\ndisplay, where each line on standard input is a new prompt; "
      "otherwise into\n" DEFAULT_OUT
      ", 6 seconds long, and a contact sheet beside it.",
      0, arguments, error);
  gboolean done = words && run (&demo, error);

  vidgen_scene_clear (&demo.scene);
  g_free (demo.out);
  return done;
}
