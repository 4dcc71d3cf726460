/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* What gst-inspect-1.0 shows of the element, read as it reads it. */

#include <stdlib.h>
#include <string.h>

#include "gst-plugin/gstvidgensrc.h"
#include "tests/elements/fakemodel.h"

#define GOLDEN VIDGEN_SOURCE_ROOT "/tests/elements/inspect.txt"
#define SOURCE VIDGEN_SOURCE_ROOT "/gst-plugin/gstvidgensrc.c"
#define LAUNCH "gst-launch-1.0 "

GST_PLUGIN_STATIC_DECLARE (vidgen);

static GstElementFactory *
find_factory (void)
{
  GstElementFactory *factory = gst_element_factory_find ("vidgensrc");

  g_assert_nonnull (factory);
  return factory;
}

static void
describe_plugin (GString *text, GstElementFactory *factory)
{
  g_autoptr (GstPlugin) plugin =
      gst_plugin_feature_get_plugin (GST_PLUGIN_FEATURE (factory));

  g_string_append_printf (text,
      "plugin: %s: %s\nlicense: %s\nsource: %s\npackage: %s\norigin: %s\n",
      gst_plugin_get_name (plugin), gst_plugin_get_description (plugin),
      gst_plugin_get_license (plugin), gst_plugin_get_source (plugin),
      gst_plugin_get_package (plugin), gst_plugin_get_origin (plugin));
}

static gint
by_type_name (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (
      g_type_name (*(const GType *)a), g_type_name (*(const GType *)b));
}

static void
describe_type (GString *text)
{
  guint n;
  g_autofree GType *interfaces = g_type_interfaces (GST_TYPE_VIDGEN_SRC, &n);

  g_string_append (text, "type:");
  for (GType type = GST_TYPE_VIDGEN_SRC; type; type = g_type_parent (type))
    g_string_append_printf (text, " %s", g_type_name (type));
  g_string_append (text, "\ninterfaces:");
  qsort (interfaces, n, sizeof *interfaces, by_type_name);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, " %s", g_type_name (interfaces[i]));
  g_string_append_c (text, '\n');
}

static void
describe_caps (GString *text, const GstStaticPadTemplate *pad)
{
  g_autoptr (GstCaps) caps =
      gst_static_caps_get ((GstStaticCaps *)&pad->static_caps);

  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    g_autofree char *fields =
        gst_structure_to_string (gst_caps_get_structure (caps, i));
    g_string_append_printf (text, "    %s\n", fields);
  }
}

static void
describe_factory (GString *text)
{
  static const char *const keys[] = { GST_ELEMENT_METADATA_LONGNAME,
    GST_ELEMENT_METADATA_KLASS, GST_ELEMENT_METADATA_DESCRIPTION,
    GST_ELEMENT_METADATA_AUTHOR, NULL };
  g_autoptr (GstElementFactory) factory = find_factory ();
  const char *const *protocols =
      gst_element_factory_get_uri_protocols (factory);
  const GList *templates =
      gst_element_factory_get_static_pad_templates (factory);

  describe_plugin (text, factory);
  describe_type (text);
  for (guint i = 0; keys[i]; i++)
    g_string_append_printf (text, "%s: %s\n", keys[i],
        gst_element_factory_get_metadata (factory, keys[i]));
  g_string_append_printf (text, "rank: %u\n",
      gst_plugin_feature_get_rank (GST_PLUGIN_FEATURE (factory)));
  for (guint i = 0; protocols && protocols[i]; i++)
    g_string_append_printf (text, "uri: %s://\n", protocols[i]);
  for (const GList *l = templates; l; l = l->next) {
    const GstStaticPadTemplate *pad = l->data;
    g_string_append_printf (text, "pad: %s %s %s\n", pad->name_template,
        pad->direction == GST_PAD_SRC ? "src" : "sink",
        pad->presence == GST_PAD_ALWAYS ? "always" : "not always");
    describe_caps (text, pad);
  }
}

static void
describe_enum (GString *text, GParamSpecEnum *spec)
{
  const GEnumClass *klass = spec->enum_class;

  g_string_append_printf (text, "%s",
      g_enum_get_value (spec->enum_class, spec->default_value)->value_nick);
  for (guint i = 0; i < klass->n_values; i++)
    g_string_append_printf (text, "\n    %d %s: %s", klass->values[i].value,
        klass->values[i].value_nick, klass->values[i].value_name);
}

/* The default and the range. */
static void
describe_values (GString *text, GParamSpec *spec)
{
  if (G_IS_PARAM_SPEC_STRING (spec)) {
    const char *string = G_PARAM_SPEC_STRING (spec)->default_value;
    g_string_append (text, string ? string : "(NULL)");
  } else if (G_IS_PARAM_SPEC_UINT64 (spec)) {
    const GParamSpecUInt64 *range = G_PARAM_SPEC_UINT64 (spec);
    g_string_append_printf (text,
        "%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
        range->default_value, range->minimum, range->maximum);
  } else if (G_IS_PARAM_SPEC_UINT (spec)) {
    const GParamSpecUInt *range = G_PARAM_SPEC_UINT (spec);
    g_string_append_printf (text, "%u, %u to %u", range->default_value,
        range->minimum, range->maximum);
  } else if (G_IS_PARAM_SPEC_INT (spec)) {
    const GParamSpecInt *range = G_PARAM_SPEC_INT (spec);
    g_string_append_printf (text, "%d, %d to %d", range->default_value,
        range->minimum, range->maximum);
  } else if (G_IS_PARAM_SPEC_DOUBLE (spec)) {
    const GParamSpecDouble *range = G_PARAM_SPEC_DOUBLE (spec);
    g_string_append_printf (text, "%g, %g to %g", range->default_value,
        range->minimum, range->maximum);
  } else if (G_IS_PARAM_SPEC_BOOLEAN (spec)) {
    g_string_append (
        text, G_PARAM_SPEC_BOOLEAN (spec)->default_value ? "true" : "false");
  } else if (G_IS_PARAM_SPEC_ENUM (spec)) {
    describe_enum (text, G_PARAM_SPEC_ENUM (spec));
  } else {
    g_string_append (text, "no default");
  }
}

static const char *
when_mutable (const GParamSpec *spec)
{
  if (!(spec->flags & G_PARAM_WRITABLE))
    return "read-only";
  if (spec->flags & GST_PARAM_MUTABLE_PLAYING)
    return "changes in PLAYING";
  if (spec->flags & GST_PARAM_MUTABLE_PAUSED)
    return "changes in PAUSED";
  return spec->flags & GST_PARAM_MUTABLE_READY ? "changes in READY"
                                               : "changes in NULL";
}

static void
describe_property (GString *text, GParamSpec *spec)
{
  g_string_append_printf (text, "%s: %s, %s%s\n    %s\n    ", spec->name,
      g_type_name (spec->value_type), when_mutable (spec),
      spec->flags & GST_PARAM_CONTROLLABLE ? ", controllable" : "",
      g_param_spec_get_blurb (spec));
  describe_values (text, spec);
  g_string_append_c (text, '\n');
}

static gint
by_name (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (
      (*(GParamSpec *const *)a)->name, (*(GParamSpec *const *)b)->name);
}

static GPtrArray *
own_properties (GObjectClass *klass)
{
  GPtrArray *own = g_ptr_array_new ();
  guint n;
  g_autofree GParamSpec **specs = g_object_class_list_properties (klass, &n);

  for (guint i = 0; i < n; i++) {
    if (specs[i]->owner_type == GST_TYPE_VIDGEN_SRC)
      g_ptr_array_add (own, specs[i]);
  }
  g_ptr_array_sort (own, by_name);
  return own;
}

static void
test_complete (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *golden = NULL;
  g_autofree guint *signals = NULL;
  GObjectClass *klass = g_type_class_ref (GST_TYPE_VIDGEN_SRC);
  g_autoptr (GPtrArray) specs = own_properties (klass);
  guint n_signals;

  describe_factory (text);
  for (guint i = 0; i < specs->len; i++)
    describe_property (text, g_ptr_array_index (specs, i));
  signals = g_signal_list_ids (GST_TYPE_VIDGEN_SRC, &n_signals);
  g_string_append_printf (text, "signals: %u\n", n_signals);
  g_type_class_unref (klass);

  g_assert_true (g_file_get_contents (GOLDEN, &golden, NULL, NULL));
  if (!g_str_equal (text->str, golden))
    g_error ("%s differs from:\n%s", GOLDEN, text->str);
}

/* What is said to be the default is. */
static void
test_defaults (void)
{
  g_autoptr (GstElementFactory) factory = find_factory ();
  g_autoptr (GstElement) src =
      gst_object_ref_sink (gst_element_factory_create (factory, NULL));
  g_autoptr (GPtrArray) specs = own_properties (G_OBJECT_GET_CLASS (src));

  for (guint i = 0; i < specs->len; i++) {
    GParamSpec *spec = g_ptr_array_index (specs, i);
    GValue value = G_VALUE_INIT;
    if (!(spec->flags & G_PARAM_WRITABLE))
      continue;
    g_value_init (&value, spec->value_type);
    g_object_get_property (G_OBJECT (src), spec->name, &value);
    if (!g_param_value_defaults (spec, &value))
      g_error ("%s does not begin with its default", spec->name);
    g_value_unset (&value);
  }
}

/* The example launch lines of the documentation, without a window. */
static GPtrArray *
launch_lines (void)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *source = NULL;

  g_assert_true (g_file_get_contents (SOURCE, &source, NULL, NULL));
  g_auto (GStrv) blocks = g_strsplit (source, "|[", -1);
  for (guint i = 1; blocks[i]; i++) {
    g_autoptr (GString) line =
        g_string_new_len (blocks[i], strstr (blocks[i], "]|") - blocks[i]);
    g_string_replace (line, "\\\n *", "", 0);
    g_string_replace (line, "\n *", "", 0);
    g_string_replace (line, "autovideosink", "fakesink", 0);
    g_string_replace (line, "autoaudiosink", "fakesink", 0);
    g_strstrip (line->str);
    g_assert_true (g_str_has_prefix (line->str, LAUNCH));
    const char *pipeline = line->str + strlen (LAUNCH);
    if (g_str_has_prefix (pipeline, "-e "))
      pipeline += strlen ("-e ");
    g_ptr_array_add (lines, g_strdup (pipeline));
  }
  return lines;
}

static void
use_fake (GstElement *element)
{
  if (GST_IS_VIDGEN_SRC (element))
    g_object_set (element, "model", "fake", "device", "host", NULL);
}

static void
on_source (G_GNUC_UNUSED GstElement *player, GstElement *source,
    G_GNUC_UNUSED gpointer user_data)
{
  use_fake (source);
}

static void
on_element (const GValue *item, G_GNUC_UNUSED gpointer user_data)
{
  use_fake (g_value_get_object (item));
}

static void
prepare (GstElement *pipeline)
{
  GstIterator *elements;

  if (g_object_class_find_property (
          G_OBJECT_GET_CLASS (pipeline), "video-sink")) {
    g_object_set (pipeline, "video-sink",
        gst_element_factory_make ("fakesink", NULL), "audio-sink",
        gst_element_factory_make ("fakesink", NULL), NULL);
    g_signal_connect (pipeline, "source-setup", G_CALLBACK (on_source), NULL);
    return;
  }
  elements = gst_bin_iterate_elements (GST_BIN (pipeline));
  gst_iterator_foreach (elements, on_element, NULL);
  gst_iterator_free (elements);
}

static void
run_line (const char *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) element = gst_parse_launch (line, &error);

  g_assert_no_error (error);
  gst_object_ref_sink (element);
  prepare (element);
  g_autoptr (GstBus) bus = gst_element_get_bus (element);
  fake_start (element, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (!message || GST_MESSAGE_TYPE (message) != GST_MESSAGE_EOS)
    g_error ("%s did not play to its end", line);
  gst_element_set_state (element, GST_STATE_NULL);
}

static void
test_launch_lines (void)
{
  g_autoptr (GPtrArray) lines = launch_lines ();

  fake_reset ();
  g_assert_cmpuint (lines->len, >=, 4);
  for (guint i = 0; i < lines->len; i++)
    run_line (g_ptr_array_index (lines, i));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  fake_leave_in_order ();
  g_test_init (&argc, &argv, NULL);
  GST_PLUGIN_STATIC_REGISTER (vidgen);
  g_test_add_func ("/inspect/01-complete", test_complete);
  g_test_add_func ("/inspect/01-defaults", test_defaults);
  g_test_add_func ("/inspect/05-launch-lines", test_launch_lines);
  return g_test_run ();
}
