/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Reads an untrusted config key by key. The first error is kept, as FORMAT
 * naming file and key, and sets `failed`; what follows reports none, and a
 * value that failed is the least that was allowed. So a reader checks `failed`
 * where values meet, and once at the end. */
typedef struct {
  const char *file;
  GError **error;
  gboolean failed;
} VidgenFields;

/* An object, and how messages name what is in it: "video." */
typedef struct {
  JsonObject *object; /* NULL: was missing */
  const char *path;
} VidgenSection;

void vidgen_fields_fail (VidgenFields *fields, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

VidgenSection vidgen_fields_section (VidgenFields *fields,
    const VidgenSection *parent, const char *key, const char *path);

/* Within min … max, both included. */
double vidgen_fields_number (VidgenFields *fields, const VidgenSection *section,
    const char *key, double min, double max);
guint vidgen_fields_count (VidgenFields *fields, const VidgenSection *section,
    const char *key, guint min, guint max);
/* A multiple of `step`, `step` … max. */
guint vidgen_fields_multiple (VidgenFields *fields,
    const VidgenSection *section, const char *key, guint step, guint max);
/* `key` of `path` names the node in messages. */
guint vidgen_fields_check_count (VidgenFields *fields, JsonNode *node,
    const char *path, const char *key, guint min, guint max);

/* Arrays of min … max elements. NULL on error. */
JsonArray *vidgen_fields_array (VidgenFields *fields,
    const VidgenSection *section, const char *key, guint min, guint max);
/* Never NULL. Numbers within ±1e9. */
double *vidgen_fields_numbers (VidgenFields *fields,
    const VidgenSection *section, const char *key, guint min, guint max,
    guint *n_values);

/* NULL on error. */
char *vidgen_fields_string (
    VidgenFields *fields, const VidgenSection *section, const char *key);
/* Never NULL; none is empty. */
char **vidgen_fields_strings (VidgenFields *fields,
    const VidgenSection *section, const char *key, guint min, guint max);
char **vidgen_fields_check_strings (VidgenFields *fields, JsonNode *node,
    const char *path, const char *key, guint min, guint max);

G_END_DECLS
