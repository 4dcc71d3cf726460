/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <gio/gio.h>

#include "gst-plugin/tools/verbs.h"
#include "models/model.h"

static void
print_published (const VidgenPublished *published)
{
  g_autofree char *file = g_format_size (published->file_bytes);
  g_autofree char *memory = g_format_size (published->memory_bytes);

  if (published->name)
    g_print ("\n%s: %s\n", published->name, published->title);
  else
    g_print ("\n%s\n", published->title);
  g_print ("  %s\n", published->source ? published->source : "embedded");
  g_print ("  licence %s", published->licence);
  if (published->file_bytes)
    g_print (", file of %s", file);
  g_print ("\n");
  if (published->memory_bytes)
    g_print ("  %u x %u at %.4g frames a second need %s of device memory\n",
        published->format.width, published->format.height,
        (double)published->format.fps_n / published->format.fps_d, memory);
}

static void
print_all (void)
{
  g_autoptr (GArray) list = vidgen_model_published ();
  const char *family = NULL;

  for (guint i = 0; i < list->len; i++) {
    const VidgenPublished *published =
        &g_array_index (list, VidgenPublished, i);

    if (g_strcmp0 (family, published->family) != 0)
      g_print ("%sFamily %s\n", family ? "\n" : "", published->family);
    family = published->family;
    print_published (published);
  }
}

static gboolean
check (const char *location, GError **error)
{
  gboolean playable;
  g_autofree char *report = vidgen_model_check (location, &playable);

  g_print ("%s", report);
  if (!playable)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "'%s' is no model that can be played", location);
  return playable;
}

gboolean
vidgen_models (GStrv arguments, GError **error)
{
  const guint n = g_strv_length (arguments);

  if (n == 2 && g_str_equal (arguments[1], "--help")) {
    g_print (
        "Usage: vidgen models\n"
        "       vidgen models check PATH\n\n"
        "Tells which models there are, where they are published, under "
        "which licence, and\nhow much memory they need; or what the folder "
        "or file PATH holds and whether it\ncan be played, as the property "
        "model of vidgensrc.\n");
    return TRUE;
  }
  if (n == 3 && g_str_equal (arguments[1], "check"))
    return check (arguments[2], error);
  if (n == 1) {
    print_all ();
    return TRUE;
  }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
      "vidgen models takes nothing, or check and a path");
  return FALSE;
}
