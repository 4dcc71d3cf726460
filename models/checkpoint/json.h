/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Parses `length` bytes of untrusted JSON whose root is an object. Refused as
 * VIDGEN_ERROR_FORMAT: bytes that are not UTF-8, nesting deeper than
 * `max_depth` (the parser recurses), an object with two members of one name.
 * `what` begins the message: "The header of 'x.safetensors'".
 */
JsonNode *vidgen_json_parse (const char *text, gsize length, guint max_depth,
    const char *what, GError **error);

G_END_DECLS
