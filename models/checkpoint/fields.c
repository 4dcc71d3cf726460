/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/fields.h"

#include "shaders/runtime/error.h"

void
vidgen_fields_fail (VidgenFields *fields, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  if (fields->failed)
    return;
  fields->failed = TRUE;
  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (fields->error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
      "'%s': the config's %s.", fields->file, message);
}

static JsonNode *
get_node (VidgenFields *fields, const VidgenSection *section, const char *key)
{
  JsonNode *node =
      section->object ? json_object_get_member (section->object, key) : NULL;

  if (!node)
    vidgen_fields_fail (fields, "%s%s is missing", section->path, key);
  return node;
}

VidgenSection
vidgen_fields_section (VidgenFields *fields, const VidgenSection *parent,
    const char *key, const char *path)
{
  JsonNode *node = get_node (fields, parent, key);
  VidgenSection section = { NULL, path };

  if (node && JSON_NODE_HOLDS_OBJECT (node))
    section.object = json_node_get_object (node);
  else
    vidgen_fields_fail (fields, "%s%s is not an object", parent->path, key);
  return section;
}

static gboolean
is_number (JsonNode *node)
{
  const GType type = json_node_get_value_type (node);

  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
}

static double
check_number (VidgenFields *fields, JsonNode *node, const char *path,
    const char *key, double min, double max)
{
  double value;

  if (!node || !is_number (node)) {
    vidgen_fields_fail (fields, "%s%s is not a number", path, key);
    return min;
  }
  value = json_node_get_double (node);
  if (value >= min && value <= max)
    return value;
  vidgen_fields_fail (
      fields, "%s%s is %g, outside %g … %g", path, key, value, min, max);
  return min;
}

guint
vidgen_fields_check_count (VidgenFields *fields, JsonNode *node,
    const char *path, const char *key, guint min, guint max)
{
  if (node && json_node_get_value_type (node) != G_TYPE_INT64)
    vidgen_fields_fail (fields, "%s%s is not a whole number", path, key);
  return (guint)check_number (fields, node, path, key, min, max);
}

double
vidgen_fields_number (VidgenFields *fields, const VidgenSection *section,
    const char *key, double min, double max)
{
  return check_number (
      fields, get_node (fields, section, key), section->path, key, min, max);
}

guint
vidgen_fields_count (VidgenFields *fields, const VidgenSection *section,
    const char *key, guint min, guint max)
{
  return vidgen_fields_check_count (
      fields, get_node (fields, section, key), section->path, key, min, max);
}

guint
vidgen_fields_multiple (VidgenFields *fields, const VidgenSection *section,
    const char *key, guint step, guint max)
{
  const guint value = vidgen_fields_count (fields, section, key, step, max);

  if (value % step)
    vidgen_fields_fail (fields, "%s%s is %u, not a multiple of %u",
        section->path, key, value, step);
  return value;
}

static JsonArray *
check_array (VidgenFields *fields, JsonNode *node, const char *path,
    const char *key, guint min, guint max)
{
  JsonArray *array =
      node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (array && json_array_get_length (array) >= min &&
      json_array_get_length (array) <= max)
    return array;
  vidgen_fields_fail (
      fields, "%s%s is not an array of %u to %u", path, key, min, max);
  return NULL;
}

JsonArray *
vidgen_fields_array (VidgenFields *fields, const VidgenSection *section,
    const char *key, guint min, guint max)
{
  return check_array (
      fields, get_node (fields, section, key), section->path, key, min, max);
}

double *
vidgen_fields_numbers (VidgenFields *fields, const VidgenSection *section,
    const char *key, guint min, guint max, guint *n_values)
{
  JsonArray *array = vidgen_fields_array (fields, section, key, min, max);
  double *values;

  *n_values = array ? json_array_get_length (array) : 0;
  values = g_new0 (double, *n_values + 1);
  for (guint i = 0; i < *n_values; i++)
    values[i] = check_number (fields, json_array_get_element (array, i),
        section->path, key, -1e9, 1e9);
  return values;
}

char *
vidgen_fields_string (
    VidgenFields *fields, const VidgenSection *section, const char *key)
{
  JsonNode *node = get_node (fields, section, key);

  if (node && json_node_get_value_type (node) == G_TYPE_STRING)
    return g_strdup (json_node_get_string (node));
  vidgen_fields_fail (fields, "%s%s is not a string", section->path, key);
  return NULL;
}

char **
vidgen_fields_check_strings (VidgenFields *fields, JsonNode *node,
    const char *path, const char *key, guint min, guint max)
{
  JsonArray *array = check_array (fields, node, path, key, min, max);
  const guint n = array ? json_array_get_length (array) : 0;
  g_autoptr (GStrvBuilder) strings = g_strv_builder_new ();

  for (guint i = 0; i < n; i++) {
    JsonNode *element = json_array_get_element (array, i);
    const gboolean good = json_node_get_value_type (element) == G_TYPE_STRING &&
                          *json_node_get_string (element);

    if (good)
      g_strv_builder_add (strings, json_node_get_string (element));
    else
      vidgen_fields_fail (
          fields, "%s%s holds something that is not a text", path, key);
  }
  return g_strv_builder_end (strings);
}

char **
vidgen_fields_strings (VidgenFields *fields, const VidgenSection *section,
    const char *key, guint min, guint max)
{
  return vidgen_fields_check_strings (
      fields, get_node (fields, section, key), section->path, key, min, max);
}
