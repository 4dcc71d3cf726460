/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <gio/gio.h>

#include "gst-plugin/tools/verbs.h"
#include "models/model.h"

typedef struct {
  char *device, *cache_dir, *negative;
  GStrv words; /* the model, then prompts */
} Options;

static void
clear (Options *options)
{
  g_free (options->device);
  g_free (options->cache_dir);
  g_free (options->negative);
  g_strfreev (options->words);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear)

static gboolean
parse (Options *options, GStrv arguments, GError **error)
{
  const GOptionEntry entries[] = {
    { "negative", 'n', 0, G_OPTION_ARG_STRING, &options->negative,
        "what to guide away from, where the model does that", "TEXT" },
    { "device", 'd', 0, G_OPTION_ARG_STRING, &options->device,
        "GPU by index, UUID or part of its name", "DEVICE" },
    { "cache-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->cache_dir,
        "pipeline and conditioning cache", "FOLDER" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->words,
        NULL, "MODEL PROMPT…" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_auto (GStrv) copy = g_strdupv (arguments);

  g_option_context_set_summary (context,
      "Encodes prompts for the model in a folder and keeps them there, in\n"
      "'prompts', so that a machine without room for the text encoder can "
      "play\n"
      "them.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse_strv (context, &copy, error))
    return FALSE;
  if (options->words && g_strv_length (options->words) >= 2)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
      "vidgen encode takes a model and prompts");
  return FALSE;
}

static void
set_cache (const Options *options, VidgenModel *model, VidgenDevice *device)
{
  g_autofree char *path =
      options->cache_dir
          ? g_strdup (options->cache_dir)
          : g_build_filename (g_get_user_cache_dir (), "vidgensrc", NULL);

  vidgen_device_set_cache_dir (device, path);
  vidgen_model_set_cache_dir (model, path);
}

static gboolean
encode_all (const Options *options, VidgenModel *model, VidgenDevice *device,
    GError **error)
{
  for (guint i = 1; options->words[i]; i++) {
    if (!vidgen_model_keep_prompt (
            model, device, options->words[i], options->negative, NULL, error))
      return FALSE;
    g_print ("%s\n", options->words[i]);
  }
  vidgen_device_save_cache (device);
  return TRUE;
}

gboolean
vidgen_encode (GStrv arguments, GError **error)
{
  g_auto (Options) options = { 0 };
  g_autoptr (VidgenModel) model = NULL;
  g_autoptr (VidgenDevice) device = NULL;

  if (!parse (&options, arguments, error))
    return FALSE;
  model = vidgen_model_open (options.words[0], error);
  if (!model)
    return FALSE;
  device = vidgen_device_open (options.device, error);
  if (!device)
    return FALSE;
  set_cache (&options, model, device);
  return encode_all (&options, model, device, error);
}
