/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/gstvidgenpreset.h"

#include <string.h>

static gboolean (*save_properties) (GstPreset *preset, const char *name);
static gboolean (*load_properties) (GstPreset *preset, const char *name);

/* GStreamer 1.22 escapes texts twice when it saves them and undoes that once
 * when it loads them: none with a blank comes back. So they are kept once more,
 * as they are. */
static const char *const texts[] = { "model", "prompt", "negative-prompt" };

static char *
meta_key (const char *property)
{
  return g_strconcat ("exact-", property, NULL);
}

static gboolean
save_preset (GstPreset *preset, const char *name)
{
  gboolean saved = save_properties (preset, name);

  for (guint i = 0; saved && i < G_N_ELEMENTS (texts); i++) {
    g_autofree char *key = meta_key (texts[i]);
    g_autofree char *text = NULL, *escaped = NULL, *quoted = NULL;
    g_object_get (preset, texts[i], &text, NULL);
    if (text) {
      escaped = g_strescape (text, NULL);
      quoted = g_strconcat ("\"", escaped, "\"", NULL);
    }
    saved = gst_preset_set_meta (preset, name, key, quoted);
  }
  return saved;
}

static void
load_text (GstPreset *preset, const char *name, const char *property)
{
  g_autofree char *key = meta_key (property);
  g_autofree char *quoted = NULL;

  gst_preset_get_meta (preset, name, key, &quoted);
  if (!quoted || strlen (quoted) < 2)
    return;
  quoted[strlen (quoted) - 1] = '\0';
  g_autofree char *text = g_strcompress (quoted + 1);
  g_object_set (preset, property, text, NULL);
}

static gboolean
load_preset (GstPreset *preset, const char *name)
{
  if (!load_properties (preset, name))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    load_text (preset, name, texts[i]);
  return TRUE;
}

static char **
get_property_names (G_GNUC_UNUSED GstPreset *preset)
{
  static const char *const names[] = { "model", "prompt", "negative-prompt",
    "seed", "steps", "guidance-scale", "transition-time", NULL };

  return g_strdupv ((char **)names);
}

void
gst_vidgen_preset_init (gpointer iface, G_GNUC_UNUSED gpointer iface_data)
{
  GstPresetInterface *preset = iface;

  save_properties = preset->save_preset;
  load_properties = preset->load_preset;
  preset->save_preset = save_preset;
  preset->load_preset = load_preset;
  preset->get_property_names = get_property_names;
}
