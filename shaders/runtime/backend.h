/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/device-private.h"

G_BEGIN_DECLS

/* What Vulkan gives to device.c; with -Dshaders=false there is none of it and
 * each reports NO_DEVICE. */

/* libvulkan and one VkInstance, opened when the first user comes and closed
 * with the last; the library itself stays loaded. Refcounted, thread-safe.
 * Errors: NO_DEVICE, naming libvulkan when that is what is missing. */
typedef struct _VidgenInstance VidgenInstance;

VidgenInstance *vidgen_instance_open (GError **error);
void vidgen_instance_close (VidgenInstance *instance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenInstance, vidgen_instance_close)

/* The usable devices as complete VidgenDeviceCaps. */
GArray *vidgen_vulkan_list (GError **error);

/* Opens device number `index` of the list, of which `device` has the caps
 * already, and sets its klass and vulkan. */
gboolean vidgen_vulkan_open (VidgenDevice *device, guint index, GError **error);

G_END_DECLS
