/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/gstvidgenuri.h"

#include <math.h>
#include <string.h>

#include "gst-plugin/gstvidgencaps.h"

static const char *const property_keys[] = { "prompt", "negative-prompt",
  "seed", "steps", "guidance-scale", "transition-time", "duration",
  "num-buffers", "is-live", "buffer-time", "use-buffering", "on-underrun",
  NULL };
static const char *const time_keys[] = { "transition-time", "duration",
  "buffer-time", NULL };

static gboolean
parse_double (const char *text, double *number)
{
  char *end;

  *number = g_ascii_strtod (text, &end);
  return *text != '\0' && !g_ascii_isspace (*text) && *end == '\0' &&
         isfinite (*number);
}

static gboolean
parse_seconds (const char *text, GValue *value)
{
  double seconds;

  if (!parse_double (text, &seconds) || seconds < 0 || seconds > 1e9)
    return FALSE;
  g_value_set_uint64 (value, (guint64)(seconds * GST_SECOND + 0.5));
  return TRUE;
}

static gboolean
parse_boolean (const char *text, GValue *value)
{
  const gboolean yes = strcmp (text, "true") == 0 || strcmp (text, "1") == 0;

  g_value_set_boolean (value, yes);
  return yes || strcmp (text, "false") == 0 || strcmp (text, "0") == 0;
}

static gboolean
parse_enum (const char *text, GValue *value)
{
  GEnumClass *klass = g_type_class_ref (G_VALUE_TYPE (value));
  const GEnumValue *item = g_enum_get_value_by_nick (klass, text);

  if (item)
    g_value_set_enum (value, item->value);
  g_type_class_unref (klass);
  return item != NULL;
}

static gboolean
parse_integer (const char *text, GValue *value)
{
  guint64 whole;
  gint64 number;

  switch (G_VALUE_TYPE (value)) {
  case G_TYPE_UINT64:
    if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, &whole, NULL))
      return FALSE;
    g_value_set_uint64 (value, whole);
    return TRUE;
  case G_TYPE_UINT:
    if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT, &whole, NULL))
      return FALSE;
    g_value_set_uint (value, whole);
    return TRUE;
  case G_TYPE_INT:
    if (!g_ascii_string_to_signed (text, 10, G_MININT, G_MAXINT, &number, NULL))
      return FALSE;
    g_value_set_int (value, number);
    return TRUE;
  default:
    return FALSE;
  }
}

static gboolean
parse_value (const char *key, const char *text, GValue *value)
{
  double number;

  if (g_strv_contains (time_keys, key))
    return parse_seconds (text, value);
  if (G_VALUE_HOLDS_ENUM (value))
    return parse_enum (text, value);
  switch (G_VALUE_TYPE (value)) {
  case G_TYPE_STRING:
    g_value_set_string (value, text);
    return g_utf8_validate (text, -1, NULL);
  case G_TYPE_BOOLEAN:
    return parse_boolean (text, value);
  case G_TYPE_DOUBLE:
    if (!parse_double (text, &number))
      return FALSE;
    g_value_set_double (value, number);
    return TRUE;
  default:
    return parse_integer (text, value);
  }
}

static gboolean
parse_property (GObjectClass *klass, const char *key, const char *text,
    GstStructure *structure)
{
  GParamSpec *spec = g_object_class_find_property (klass, key);
  GValue value = G_VALUE_INIT;

  g_value_init (&value, spec->value_type);
  if (!parse_value (key, text, &value) ||
      g_param_value_validate (spec, &value)) {
    g_value_unset (&value);
    return FALSE;
  }
  gst_structure_take_value (structure, key, &value);
  return TRUE;
}

static gboolean
parse_size (const char *key, const char *text, GstStructure *structure)
{
  guint64 size;

  if (!g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT, &size, NULL))
    return FALSE;
  gst_structure_set (structure, key, G_TYPE_INT, (gint)size, NULL);
  return TRUE;
}

static gboolean
parse_framerate (const char *text, GstStructure *structure)
{
  g_auto (GStrv) parts = g_strsplit (text, "/", 2);
  guint64 n, d = 1;

  if (!parts[0] ||
      !g_ascii_string_to_unsigned (parts[0], 10, 1, G_MAXINT, &n, NULL) ||
      (parts[1] &&
          !g_ascii_string_to_unsigned (parts[1], 10, 1, G_MAXINT, &d, NULL)))
    return FALSE;
  gst_structure_set (
      structure, "framerate", GST_TYPE_FRACTION, (gint)n, (gint)d, NULL);
  return TRUE;
}

static gboolean
parse_pair (GObjectClass *klass, const char *key, const char *text,
    GstStructure *structure, GError **error)
{
  gboolean valid;

  if (strcmp (key, "width") == 0 || strcmp (key, "height") == 0) {
    valid = text && parse_size (key, text, structure);
  } else if (strcmp (key, "framerate") == 0) {
    valid = text && parse_framerate (text, structure);
  } else if (g_strv_contains (property_keys, key)) {
    valid = text && parse_property (klass, key, text, structure);
  } else {
    g_autofree char *shown = g_utf8_make_valid (key, -1);
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
        "A vidgen URI has no key \"%s\".", shown);
    return FALSE;
  }
  if (!valid)
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
        "\"%s\" is no value for the key \"%s\" of a vidgen URI.",
        text && g_utf8_validate (text, -1, NULL) ? text : "", key);
  return valid;
}

/* What other URIs have and this one has no use for. */
static gboolean
check_parts (const GstUri *uri, GError **error)
{
  const char *part = NULL;

  if (gst_uri_get_userinfo (uri))
    part = "user";
  else if (gst_uri_get_port (uri) != GST_URI_NO_PORT)
    part = "port";
  else if (gst_uri_get_fragment (uri))
    part = "fragment";
  if (part)
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
        "A vidgen URI has no %s.", part);
  return !part;
}

static gboolean
parse_model (const GstUri *uri, GstStructure *structure, GError **error)
{
  const char *host = gst_uri_get_host (uri);
  g_autofree char *path = gst_uri_get_path (uri);
  const gboolean has_host = host && *host;
  const gboolean has_path = path && *path && strcmp (path, "/") != 0;

  if (has_host == has_path) {
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
        "A vidgen URI names one model: vidgen://NAME or vidgen:///PATH.");
    return FALSE;
  }
  const char *model = has_host ? host : path;
  if (!g_utf8_validate (model, -1, NULL)) {
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
        "The model that a vidgen URI names is not valid UTF-8.");
    return FALSE;
  }
  gst_structure_set (structure, "model", G_TYPE_STRING, model, NULL);
  return TRUE;
}

static gboolean
parse_query (const GstUri *uri, GObjectClass *klass, GstStructure *structure,
    GError **error)
{
  GHashTable *table = gst_uri_get_query_table (uri);
  gboolean valid = TRUE;
  GHashTableIter iter;
  gpointer key, text;

  if (!table)
    return TRUE;
  g_hash_table_iter_init (&iter, table);
  while (valid && g_hash_table_iter_next (&iter, &key, &text))
    valid = parse_pair (klass, key, text, structure, error);
  g_hash_table_unref (table);
  return valid;
}

static gboolean
is_escape (const char *text)
{
  return g_ascii_isxdigit (text[1]) && g_ascii_isxdigit (text[2]) &&
         !g_str_has_prefix (text, "%00");
}

/* GstUri crashes on a key with a bad escape. */
static gboolean
check_escapes (const char *text, GError **error)
{
  static const char separators[] = "/?&#";
  const char *part = text;

  for (const char *c = text; *c; c++) {
    if (strchr (separators, *c))
      part = c + 1;
    if (*c == '%' && !is_escape (c)) {
      g_autofree char *shown =
          g_utf8_make_valid (part, strcspn (part, separators));
      g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
          "\"%s\" in a vidgen URI holds an escape of no character.", shown);
      return FALSE;
    }
  }
  return TRUE;
}

GstStructure *
gst_vidgen_uri_parse (const char *text, GObjectClass *klass, GError **error)
{
  if (!check_escapes (text, error))
    return NULL;

  g_autoptr (GstUri) uri = gst_uri_from_string (text);
  g_autoptr (GstStructure) structure = gst_structure_new_empty ("vidgen-uri");

  if (!uri || g_strcmp0 (gst_uri_get_scheme (uri), GST_VIDGEN_URI_SCHEME)) {
    g_set_error (
        error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, "This is no vidgen URI.");
    return NULL;
  }
  if (!check_parts (uri, error) || !parse_model (uri, structure, error) ||
      !parse_query (uri, klass, structure, error))
    return NULL;
  return g_steal_pointer (&structure);
}

gboolean
gst_vidgen_uri_check (
    const GstStructure *fields, const VidgenModelInfo *info, GError **error)
{
  static const char *const names[] = { "width", "height", "framerate", NULL };
  g_autoptr (GstCaps) made = gst_vidgen_caps_video (info);
  g_autoptr (GstCaps) together = gst_caps_new_empty_simple ("video/x-raw");
  g_autofree char *sizes = NULL;

  for (guint i = 0; names[i]; i++) {
    const GValue *value = gst_structure_get_value (fields, names[i]);
    if (!value)
      continue;
    g_autoptr (GstCaps) asked = gst_caps_new_empty_simple ("video/x-raw");
    gst_caps_set_value (asked, names[i], value);
    gst_caps_set_value (together, names[i], value);
    if (gst_caps_can_intersect (made, asked))
      continue;
    g_autofree char *shown = gst_value_serialize (value);
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
        "\"%s\" is no value for the key \"%s\" of a vidgen URI with the model "
        "%s.",
        shown, names[i], info->name);
    return FALSE;
  }
  if (gst_caps_can_intersect (made, together))
    return TRUE;
  sizes = vidgen_model_tell_sizes (info);
  g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
      "The keys \"width\" and \"height\" of a vidgen URI do not go together: "
      "the model %s makes pictures of %s.",
      info->name, sizes);
  return FALSE;
}
