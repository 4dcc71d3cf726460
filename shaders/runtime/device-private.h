/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/error.h"
#include "shaders/runtime/faults.h"
#include "shaders/runtime/recorder.h"

G_BEGIN_DECLS

typedef struct _VidgenVulkan VidgenVulkan;

/* What differs between the host device and Vulkan. */
typedef struct {
  /* Sets address and mapped, zeroed, of a memory whose other members are set;
   * errors as vidgen_memory_new(). Release also undoes half an allocation. */
  gboolean (*allocate) (VidgenMemory *memory, GError **error);
  void (*release) (VidgenMemory *memory);
  VidgenRecorder *(*recorder_new) (
      VidgenDevice *device, VidgenRecorderMode mode, GError **error);
  void (*set_cache_dir) (VidgenDevice *device, const char *path);
  void (*save_cache) (VidgenDevice *device);
  void (*close) (VidgenDevice *device);
} VidgenDeviceClass;

struct _VidgenDevice {
  guint n_refs; /* guarded by the table of open devices */
  const VidgenDeviceClass *klass;
  VidgenDeviceCaps caps;
  VidgenVulkan *vulkan; /* NULL: the host device */

  GMutex lock; /* guards what follows */
  guint64 memory_used, memory_peak;
  guint64 n_allocations, n_pipelines;
  gboolean lost;
  VidgenFault fault;
  guint fault_after;
  gboolean watch;
  GMutex reference_lock; /* held around a watched reference and what moves
                            bytes on the host device beside it */
};

/* Accounts `size` bytes; FALSE and NO_MEMORY when a fault says so. */
gboolean vidgen_device_take_memory (
    VidgenDevice *device, guint64 size, GError **error);
void vidgen_device_give_memory (VidgenDevice *device, guint64 size);
void vidgen_device_count_pipeline (VidgenDevice *device);

/* Before each submit: FALSE and DEVICE_LOST when the device is lost, or a
 * fault loses it now. */
gboolean vidgen_device_check_submit (VidgenDevice *device, GError **error);
void vidgen_device_set_lost (VidgenDevice *device);

/* The host device. */
#define VIDGEN_HOST_UUID "00000000-0000-0000-0000-000000000000"
extern const VidgenDeviceClass vidgen_host_class;
void vidgen_host_fill_caps (VidgenDeviceCaps *caps);

G_END_DECLS
