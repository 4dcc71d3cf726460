/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/error.h"
#include "shaders/runtime/faults.h"

G_BEGIN_DECLS

typedef struct _VidgenVulkan VidgenVulkan;

struct _VidgenDevice {
  guint n_refs; /* guarded by the table of open devices */
  VidgenDeviceCaps caps;
  VidgenVulkan *vulkan; /* NULL: the host device */

  GMutex lock; /* guards what follows */
  guint64 memory_used, memory_peak;
  gboolean lost;
  VidgenFault fault;
  guint fault_after;
  gboolean watch;
  GMutex reference_lock; /* held around a watched reference */
};

/* Accounts `size` bytes; FALSE and NO_MEMORY when a fault says so. */
gboolean vidgen_device_take_memory (
    VidgenDevice *device, guint64 size, GError **error);
void vidgen_device_give_memory (VidgenDevice *device, guint64 size);

/* Before each submit: FALSE and DEVICE_LOST when the device is lost, or a
 * fault loses it now. */
gboolean vidgen_device_check_submit (VidgenDevice *device, GError **error);
void vidgen_device_set_lost (VidgenDevice *device);

G_END_DECLS
