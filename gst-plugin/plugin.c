/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <gst/gst.h>

#include "gst-plugin/gstvidgensrc.h"

#define PACKAGE "vidgensrc"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (vidgensrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, vidgen,
    "Video and sound from diffusion models in Vulkan compute shaders",
    plugin_init, VIDGEN_VERSION, "LGPL", PACKAGE,
    "Unknown package origin")
