/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Members of an untrusted object: NULL, or `otherwise`, where there is none of
 * the type. They belong to the object. */
JsonObject *vidgen_json_object (JsonObject *object, const char *key);
JsonArray *vidgen_json_array (JsonObject *object, const char *key);
const char *vidgen_json_string (JsonObject *object, const char *key);
gboolean vidgen_json_boolean (
    JsonObject *object, const char *key, gboolean otherwise);
/* From 0 on; -1 where there is none. */
gint64 vidgen_json_count (JsonObject *object, const char *key);

/* Sets FORMAT, "'name': what." Returns FALSE. */
gboolean vidgen_json_fail (GError **error, const char *name, const char *what,
    ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS
