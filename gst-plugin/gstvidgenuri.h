/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

#include "models/model.h"

G_BEGIN_DECLS

#define GST_VIDGEN_URI_SCHEME "vidgen"

/* Reads vidgen://MODEL?KEY=VALUE&… or vidgen:///PATH?…: a structure whose
 * fields are properties of `klass` by name and type ("model" among them), and
 * "width", "height" (int) and "framerate" (fraction). Times are decimal
 * seconds. Errors: GST_URI_ERROR_BAD_URI, naming the key and its value.
 * Transfer full.
 */
GstStructure *gst_vidgen_uri_parse (
    const char *uri, GObjectClass *klass, GError **error);

/* Whether a model makes pictures of the "width", "height" and "framerate" in
 * `fields`, where they are given. Errors: as above. */
gboolean gst_vidgen_uri_check (
    const GstStructure *fields, const VidgenModelInfo *info, GError **error);

G_END_DECLS
