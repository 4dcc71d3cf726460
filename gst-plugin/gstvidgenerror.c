/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/gstvidgenerror.h"

#include <gio/gio.h>

#include "shaders/runtime/error.h"

static gint
resource_code (const GError *error)
{
  if (error->domain == VIDGEN_ERROR) {
    switch ((VidgenError)error->code) {
    case VIDGEN_ERROR_NOT_FOUND:
    case VIDGEN_ERROR_NO_DEVICE:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    case VIDGEN_ERROR_NO_MEMORY:
      return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
    case VIDGEN_ERROR_INVALID:
    case VIDGEN_ERROR_UNSUPPORTED:
      return GST_RESOURCE_ERROR_SETTINGS;
    case VIDGEN_ERROR_FORMAT:
    case VIDGEN_ERROR_DEVICE_LOST:
    case VIDGEN_ERROR_FAILED:
      break;
    }
    return GST_RESOURCE_ERROR_FAILED;
  }
  if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return GST_RESOURCE_ERROR_NOT_FOUND;
  return GST_RESOURCE_ERROR_FAILED;
}

void
gst_vidgen_error_translate (const GError *error, GQuark *domain, gint *code)
{
  if (g_error_matches (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT)) {
    *domain = GST_STREAM_ERROR;
    *code = GST_STREAM_ERROR_FORMAT;
  } else if (error->domain == GST_CORE_ERROR ||
             error->domain == GST_STREAM_ERROR ||
             error->domain == GST_LIBRARY_ERROR) {
    *domain = error->domain;
    *code = error->code;
  } else {
    *domain = GST_RESOURCE_ERROR;
    *code = resource_code (error);
  }
}

void
gst_vidgen_error_post (
    GstElement *element, GstMessageType type, const GError *error)
{
  GQuark domain;
  gint code;

  gst_vidgen_error_translate (error, &domain, &code);
  gst_element_message_full (element, type, domain, code,
      g_strdup (error->message),
      g_strdup_printf ("%s %d", g_quark_to_string (error->domain), error->code),
      __FILE__, GST_FUNCTION, __LINE__);
}

GstMessage *
gst_vidgen_error_of_child (GstElement *element, GstMessage *message)
{
  g_autoptr (GError) error = NULL, own = NULL;
  g_autofree char *debug = NULL;
  const GstStructure *details = NULL;
  gint flow = GST_FLOW_ERROR;

  gst_message_parse_error (message, &error, &debug);
  gst_message_parse_error_details (message, &details);
  if (details)
    gst_structure_get_int (details, "flow-return", &flow);
  if (flow == GST_FLOW_NOT_NEGOTIATED)
    own = g_error_new (GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
        "Downstream takes none of the formats that the model makes.");
  else if (flow == GST_FLOW_NOT_LINKED)
    own = g_error_new (GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED,
        "Neither the video nor the audio pad is linked.");
  gst_message_unref (message);
  return gst_message_new_error (GST_OBJECT (element), own ? own : error, debug);
}
