/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Presets: scenes that are saved and loaded, and those that are shipped. */

#include <string.h>

#include "gst-plugin/gstvidgensrc.h"
#include "models/model.h"
#include "tests/elements/fakemodel.h"

#define NAME "vidgen-test"

static GstElement *
new_source (void)
{
  return gst_object_ref_sink (g_object_new (GST_TYPE_VIDGEN_SRC, NULL));
}

/* A scene comes back; how and where it is played stays. */
static void
test_round_trip (void)
{
  static const char text[] = " waves, \"calm\" \\ \303\251 = ; #[x]\n";
  g_autofree char *prompt = NULL, *negative = NULL, *model = NULL;
  g_autofree char *device = NULL;
  g_autoptr (GstElement) src = new_source ();
  guint64 seed, transition, buffer;
  gboolean live;
  guint steps;
  double guidance;

  g_object_set (src, "model", "some/path", "prompt", text, "negative-prompt",
      "noise", "seed", G_MAXUINT64, "steps", 4, "guidance-scale", 2.5,
      "transition-time", (guint64)7, "device", "one", "is-live", TRUE,
      "buffer-time", (guint64)1, NULL);
  if (!gst_preset_save_preset (GST_PRESET (src), NAME)) {
    g_test_skip ("presets cannot be written here");
    return;
  }
  g_object_set (src, "model", "mini", "prompt", "other", "negative-prompt",
      NULL, "seed", (guint64)1, "steps", 1, "guidance-scale", -1.0,
      "transition-time", (guint64)0, "device", "two", "is-live", FALSE,
      "buffer-time", (guint64)2, NULL);
  g_assert_true (gst_preset_load_preset (GST_PRESET (src), NAME));
  g_object_get (src, "model", &model, "prompt", &prompt, "negative-prompt",
      &negative, "seed", &seed, "steps", &steps, "guidance-scale", &guidance,
      "transition-time", &transition, "device", &device, "is-live", &live,
      "buffer-time", &buffer, NULL);
  g_assert_cmpstr (model, ==, "some/path");
  g_assert_cmpstr (prompt, ==, text);
  g_assert_cmpstr (negative, ==, "noise");
  g_assert_cmpuint (seed, ==, G_MAXUINT64);
  g_assert_cmpuint (steps, ==, 4);
  g_assert_cmpfloat (guidance, ==, 2.5);
  g_assert_cmpuint (transition, ==, 7);
  g_assert_cmpstr (device, ==, "two");
  g_assert_false (live);
  g_assert_cmpuint (buffer, ==, 2);
  g_assert_true (gst_preset_delete_preset (GST_PRESET (src), NAME));
  g_assert_false (gst_preset_load_preset (GST_PRESET (src), NAME));
}

/* Each is a scene that the shipped model was trained to show. */
static void
test_shipped (void)
{
  g_autoptr (GstElement) src = new_source ();
  g_auto (GStrv) names = gst_preset_get_preset_names (GST_PRESET (src));
  g_autoptr (VidgenModel) model = vidgen_model_open ("mini", NULL);

  g_assert_nonnull (names);
  g_assert_cmpuint (g_strv_length (names), >=, 6);
  for (guint i = 0; names[i]; i++) {
    g_autofree char *prompt = NULL, *comment = NULL;
    g_assert_true (gst_preset_load_preset (GST_PRESET (src), names[i]));
    g_object_get (src, "prompt", &prompt, NULL);
    g_test_message ("%s: %s", names[i], prompt);
    g_assert_true (
        gst_preset_get_meta (GST_PRESET (src), names[i], "comment", &comment));
    if (model)
      g_assert_true (
          g_strv_contains (vidgen_model_info (model)->prompts, prompt));
  }
}

int
main (int argc, char **argv)
{
  g_setenv ("GST_PRESET_PATH", VIDGEN_SOURCE_ROOT "/gst-plugin", TRUE);
  gst_init (&argc, &argv);
  fake_leave_in_order ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/presets/round-trip", test_round_trip);
  g_test_add_func ("/presets/shipped", test_shipped);
  return g_test_run ();
}
