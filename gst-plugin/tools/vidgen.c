/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <locale.h>
#include <stdio.h>

#include <gst/gst.h>

#include "gst-plugin/tools/verbs.h"

static const struct {
  const char *name;
  const char *help;
  gboolean (*run) (GStrv arguments, GError **error);
  gboolean plays; /* needs the plugin */
} verbs[] = {
  { "demo", "generate a few seconds, in a window or into a file", vidgen_demo,
      TRUE },
  { "rtmp", "stream live to an RTMP server", vidgen_rtmp, TRUE },
  { "bench", "measure this machine's speed", vidgen_bench, FALSE },
  { "prompts", "print what can be asked for, with examples", vidgen_prompts,
      FALSE },
  { "models", "tell which models there are, or check a folder", vidgen_models,
      FALSE },
  { "encode", "encode prompts beside a model", vidgen_encode, FALSE },
};

static void
print_help (void)
{
  g_print ("Usage: vidgen VERB [OPTION…]\n\n"
           "Generates video with sound from a prompt, by a diffusion model on "
           "the GPU.\n\n");
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    g_print ("  %-10s%s\n", verbs[i].name, verbs[i].help);
  g_print ("\nvidgen VERB --help tells a verb's options. Version %s.\n",
      VIDGEN_VERSION);
}

/* An installed tool finds the plugin it was installed with, also where
 * GStreamer does not look. */
static gboolean
find_plugin (GError **error)
{
  g_autoptr (GstElementFactory) factory =
      gst_element_factory_find ("vidgensrc");

  if (!factory) {
    gst_registry_scan_path (gst_registry_get (), VIDGEN_PLUGIN_DIR);
    factory = gst_element_factory_find ("vidgensrc");
  }
  if (!factory)
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "the element vidgensrc is neither in %s nor where GST_PLUGIN_PATH_1_0 "
        "points",
        VIDGEN_PLUGIN_DIR);
  return factory != NULL;
}

static gboolean
run_verb (GStrv arguments, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (arguments[1], verbs[i].name)) {
      g_autofree char *name = g_strdup_printf ("vidgen %s", verbs[i].name);

      g_set_prgname (name);
      g_free (arguments[1]);
      arguments[1] = g_strdup (name);
      return (!verbs[i].plays || find_plugin (error)) &&
             verbs[i].run (arguments + 1, error);
    }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
      "there is no verb '%s'; vidgen --help tells those there are",
      arguments[1]);
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  if (argc < 2 || g_str_equal (argv[1], "--help") ||
      g_str_equal (argv[1], "-h")) {
    print_help ();
    return argc < 2;
  }
  arguments = g_strdupv (argv);
  gst_init (NULL, NULL);
  if (run_verb (arguments, &error))
    return 0;
  fprintf (stderr, "vidgen: %s\n", error->message);
  return 1;
}
