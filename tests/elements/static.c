/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* A program into which the plugin's static library is linked. */

#include <gst/gst.h>

GST_PLUGIN_STATIC_DECLARE (vidgen);

static void
test_registers (void)
{
  GST_PLUGIN_STATIC_REGISTER (vidgen);
  g_autoptr (GstPlugin) plugin =
      gst_registry_find_plugin (gst_registry_get (), "vidgen");
  g_assert_nonnull (plugin);
  g_assert_cmpstr (gst_plugin_get_license (plugin), ==, "LGPL");
  g_assert_cmpstr (gst_plugin_get_version (plugin), ==, VIDGEN_VERSION);
  g_assert_cmpstr (gst_plugin_get_source (plugin), ==, "vidgensrc");
  g_assert_null (gst_plugin_get_filename (plugin));
}

static void
test_plays (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "vidgensrc name=s num-buffers=4 device=host "
      "model=" VIDGEN_SOURCE_ROOT "/tests/data/tiny.safetensors "
      "s.video ! fakesink s.audio ! fakesink",
      &error);

  g_assert_no_error (error);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/static/02-registers", test_registers);
  g_test_add_func ("/static/02-plays", test_plays);
  return g_test_run ();
}
