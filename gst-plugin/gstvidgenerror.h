/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The GStreamer domain and code of an error from below the element. */
void gst_vidgen_error_translate (
    const GError *error, GQuark *domain, gint *code);

/* Posts `error` as a message of `type`, GST_MESSAGE_ERROR or _WARNING. */
void gst_vidgen_error_post (
    GstElement *element, GstMessageType type, const GError *error);

/* An error message of a source inside `element` as one of the element, in
 * words about it. Transfers both. */
GstMessage *gst_vidgen_error_of_child (
    GstElement *element, GstMessage *message);

G_END_DECLS
