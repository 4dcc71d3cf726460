/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/backend.h"

static void
set_absent (GError **error)
{
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE,
      "This build has no shaders (-Dshaders=false); only the device \"host\" "
      "can be opened.");
}

VidgenInstance *
vidgen_instance_open (GError **error)
{
  set_absent (error);
  return NULL;
}

void
vidgen_instance_close (VidgenInstance *instance G_GNUC_UNUSED)
{
}

GArray *
vidgen_vulkan_list (GError **error)
{
  set_absent (error);
  return NULL;
}

gboolean
vidgen_vulkan_open (VidgenDevice *device G_GNUC_UNUSED,
    guint index G_GNUC_UNUSED, GError **error)
{
  set_absent (error);
  return FALSE;
}
