/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/tools/scene.h"

#include <math.h>
#include <stdio.h>

#define MAX_SIZE 8192
#define MAX_FPS 240

void
vidgen_scene_clear (VidgenScene *scene)
{
  g_free (scene->model);
  g_free (scene->prompt);
  g_free (scene->device);
  *scene = (VidgenScene){ 0 };
}

gboolean
vidgen_scene_read_size (const char *name, const char *value, guint *width,
    guint *height, GError **error)
{
  char rest;

  if (sscanf (value, "%ux%u%c", width, height, &rest) == 2 && *width >= 16 &&
      *height >= 16 && *width <= MAX_SIZE && *height <= MAX_SIZE &&
      !((*width | *height) & 1))
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "%s takes WIDTHxHEIGHT, two even numbers from 16 to %d, not '%s'", name,
      MAX_SIZE, value);
  return FALSE;
}

static gboolean
parse_size (const char *name, const char *value, gpointer data, GError **error)
{
  VidgenScene *scene = data;

  return vidgen_scene_read_size (
      name, value, &scene->width, &scene->height, error);
}

static gboolean
parse_fps (const char *name, const char *value, gpointer data, GError **error)
{
  VidgenScene *scene = data;
  char rest;
  int n;

  scene->fps_d = 1;
  n = sscanf (value, "%u/%u%c", &scene->fps_n, &scene->fps_d, &rest);
  if ((n == 2 || (n == 1 && !g_strstr_len (value, -1, "/"))) &&
      g_ascii_isdigit (value[strlen (value) - 1]) && scene->fps_n &&
      scene->fps_d && scene->fps_n / scene->fps_d <= MAX_FPS)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "%s takes frames a second, a number or a fraction up to %d, not '%s'",
      name, MAX_FPS, value);
  return FALSE;
}

static gboolean
check (const VidgenScene *scene, GError **error)
{
  const char *message = NULL;

  if (!(scene->seconds >= 0 && scene->seconds <= 1e9))
    message = "--seconds takes a number that is not negative";
  else if (scene->seed < 0)
    message = "--seed takes a number that is not negative";
  else if (scene->prompt && !g_utf8_validate (scene->prompt, -1, NULL))
    message = "a prompt must be UTF-8";
  if (message)
    g_set_error_literal (
        error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, message);
  return !message;
}

GStrv
vidgen_scene_parse (VidgenScene *scene, const GOptionEntry *more,
    const char *usage, const char *summary, guint n_words, GStrv arguments,
    GError **error)
{
  const GOptionEntry entries[] = {
    { "prompt", 'p', 0, G_OPTION_ARG_STRING, &scene->prompt,
        "What to generate (default: the model's first example)", "TEXT" },
    { "seconds", 's', 0, G_OPTION_ARG_DOUBLE, &scene->seconds,
        "How long (default: until it is ended; of a file 6)", "N" },
    { "size", 0, 0, G_OPTION_ARG_CALLBACK, parse_size, "Size of the picture",
        "WxH" },
    { "fps", 0, 0, G_OPTION_ARG_CALLBACK, parse_fps, "Frames a second", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &scene->seed,
        "Another seed, another scene", "N" },
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &scene->model,
        "Name of an embedded model, or a checkpoint (default: mini)", "MODEL" },
    { "device", 'd', 0, G_OPTION_ARG_STRING, &scene->device,
        "GPU by index, UUID or part of its name", "DEVICE" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (usage);
  GOptionGroup *group = g_option_group_new ("", "", "", scene, NULL);
  g_auto (GStrv) words = g_strdupv (arguments);

  g_option_context_set_summary (context, summary);
  if (more)
    g_option_group_add_entries (group, more);
  g_option_group_add_entries (group, entries);
  g_option_context_set_main_group (context, group);
  if (!g_option_context_parse_strv (context, &words, error) ||
      !check (scene, error))
    return NULL;
  if (g_strv_length (words) != n_words + 1) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "usage: %s %s",
        words[0], usage);
    return NULL;
  }
  return g_steal_pointer (&words);
}

VidgenModel *
vidgen_scene_open (VidgenScene *scene, GError **error)
{
  VidgenModel *model =
      vidgen_model_open (scene->model ? scene->model : "mini", error);

  if (model && !scene->prompt)
    scene->prompt = g_strdup (vidgen_model_info (model)->prompts[0]);
  return model;
}

GstClockTime
vidgen_scene_duration (const VidgenScene *scene)
{
  if (scene->seconds <= 0)
    return GST_CLOCK_TIME_NONE;
  return (GstClockTime)(scene->seconds * GST_SECOND + 0.5);
}

void
vidgen_scene_add_source (const VidgenScene *scene, VidgenLaunch *launch)
{
  vidgen_launch_add (launch, "vidgensrc name=s");
  if (scene->model)
    vidgen_launch_add_string (launch, "model", scene->model);
  if (scene->device)
    vidgen_launch_add_string (launch, "device", scene->device);
  if (scene->seed)
    vidgen_launch_add (launch, "seed=%" G_GINT64_FORMAT, scene->seed);
  if (scene->seconds > 0)
    vidgen_launch_add (
        launch, "duration=%" G_GUINT64_FORMAT, vidgen_scene_duration (scene));
  if (scene->prompt)
    vidgen_launch_add_string (launch, "prompt", scene->prompt);
}

gboolean
vidgen_scene_add_aac (VidgenLaunch *launch, GError **error)
{
  static const char *const encoders[] = { "fdkaacenc", "avenc_aac",
    "voaacenc" };

  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++) {
    g_autoptr (GstElementFactory) factory =
        gst_element_factory_find (encoders[i]);

    if (!factory)
      continue;
    vidgen_launch_add (launch,
        "! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2 "
        "! %s bitrate=128000 ! aacparse",
        encoders[i]);
    return TRUE;
  }
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
      "no AAC encoder: install one of fdkaacenc, avenc_aac, voaacenc");
  return FALSE;
}
