/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/json-fields.h"

#include "shaders/runtime/error.h"

JsonObject *
vidgen_json_object (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);

  return node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node)
                                               : NULL;
}

JsonArray *
vidgen_json_array (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);

  return node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node)
                                              : NULL;
}

/* A value of the type, or NULL. */
static JsonNode *
get_value (JsonObject *object, const char *key, GType type)
{
  JsonNode *node = json_object_get_member (object, key);

  return node && JSON_NODE_HOLDS_VALUE (node) &&
                 json_node_get_value_type (node) == type
             ? node
             : NULL;
}

const char *
vidgen_json_string (JsonObject *object, const char *key)
{
  JsonNode *node = get_value (object, key, G_TYPE_STRING);

  return node ? json_node_get_string (node) : NULL;
}

gboolean
vidgen_json_boolean (JsonObject *object, const char *key, gboolean otherwise)
{
  JsonNode *node = get_value (object, key, G_TYPE_BOOLEAN);

  return node ? json_node_get_boolean (node) : otherwise;
}

gint64
vidgen_json_count (JsonObject *object, const char *key)
{
  JsonNode *node = get_value (object, key, G_TYPE_INT64);

  return node ? MAX (json_node_get_int (node), -1) : -1;
}

gboolean
vidgen_json_fail (GError **error, const char *name, const char *what, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, what);
  message = g_strdup_vprintf (what, arguments);
  va_end (arguments);
  g_set_error (
      error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT, "'%s': %s.", name, message);
  return FALSE;
}
