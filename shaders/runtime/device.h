/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A compute device: one VkDevice with one compute queue, or the host device,
 * which runs every kernel's C reference synchronously and whose addresses are
 * pointers. libvulkan is opened by the first call that needs it, never at
 * load time. Every function here is thread-safe.
 *
 * The floor is Vulkan 1.3 with bufferDeviceAddress, timelineSemaphore,
 * scalarBlockLayout, synchronization2, maintenance4, subgroupSizeControl and
 * computeFullSubgroups; devices below it do not exist for this library.
 *
 * Environment: VIDGEN_VULKAN_LIBRARY names the loader (libvulkan.so.1);
 * VIDGEN_VALIDATION=1 turns the validation layer on, whose warnings and errors
 * become criticals; VIDGEN_MASK hides capabilities, as shaders/runtime/mask.h
 * tells; for tests, see also shaders/runtime/faults.h.
 */
typedef struct _VidgenDevice VidgenDevice;

typedef enum {
  VIDGEN_DEVICE_HOST,
  VIDGEN_DEVICE_CPU,
  VIDGEN_DEVICE_INTEGRATED,
  VIDGEN_DEVICE_DISCRETE,
  VIDGEN_DEVICE_OTHER
} VidgenDeviceType;

/* Matrices of halves, m x k and k x n, that are multiplied into f32. */
typedef struct {
  guint m, n, k;     /* 0: not at all */
  guint invocations; /* of a group; 0 where subgroups multiply */
} VidgenMatrixShape;

/* What kernels choose by. Filled once when the device opens. */
typedef struct {
  char name[256];
  char driver[256]; /* name and version of the driver */
  char uuid[37];    /* 8-4-4-4-12 */
  VidgenDeviceType type;
  guint32 api_version; /* as VK_MAKE_API_VERSION, 0 for the host device */
  guint subgroup_size; /* the size that pipelines run with by default */
  guint min_subgroup_size, max_subgroup_size;
  gboolean subgroup_ballot, subgroup_shuffle;
  guint shared_memory_bytes;
  guint max_group_invocations;
  guint max_group_count[3];
  guint64 memory_bytes;           /* of the largest device-local heap */
  guint64 max_allocation_bytes;   /* of one VidgenMemory */
  gboolean float16;               /* shaderFloat16 */
  gboolean storage16;             /* storageBuffer16BitAccess */
  VidgenMatrixShape matrix;       /* what subgroups multiply (with
                                     VK_KHR_cooperative_matrix) */
  VidgenMatrixShape group_matrix; /* what sizes of matrices of a group are
                                     multiples of (VK_NV_cooperative_matrix2) */
  double timestamp_period_ns;     /* 0: no timestamps */
} VidgenDeviceCaps;

/* Opens the device called `name`: NULL or "auto" takes the first hardware
 * device (discrete before integrated before other), and a CPU device only when
 * there is no other; "host" is the host device; otherwise an index into
 * vidgen_device_list(), a UUID, or a case-insensitive part of a name.
 * A device that is open already is shared, unless it is lost. Errors:
 * NO_DEVICE, NO_MEMORY.
 */
VidgenDevice *vidgen_device_open (const char *name, GError **error);
VidgenDevice *vidgen_device_ref (VidgenDevice *device);
void vidgen_device_unref (VidgenDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenDevice, vidgen_device_unref)

const VidgenDeviceCaps *vidgen_device_caps (VidgenDevice *device);

/* The Vulkan devices of this machine in the driver's order, as an array of
 * VidgenDeviceCaps (of which only name, driver, uuid, type, api_version and
 * memory_bytes are set). Errors: NO_DEVICE when there is no loader or none.
 */
GArray *vidgen_device_list (GError **error);

/* Where the pipeline cache lives; NULL: nowhere. Takes effect for pipelines
 * compiled later. The file is named by the driver's cache UUID, written whole
 * and renamed; a damaged or foreign one is ignored and replaced.
 */
void vidgen_device_set_cache_dir (VidgenDevice *device, const char *path);
/* Writes the pipeline cache if it grew. Failures are logged, not reported. */
void vidgen_device_save_cache (VidgenDevice *device);

/* Bytes of VidgenMemory that live on the device now, and at most so far. */
guint64 vidgen_device_memory_used (VidgenDevice *device);
guint64 vidgen_device_memory_peak (VidgenDevice *device);

/* Since the device opened: how many VidgenMemory were made, and how many
 * pipelines (none on the host device). */
guint64 vidgen_device_n_allocations (VidgenDevice *device);
guint64 vidgen_device_n_pipelines (VidgenDevice *device);

/* Once a submission has failed with DEVICE_LOST every later one does. */
gboolean vidgen_device_is_lost (VidgenDevice *device);

G_END_DECLS
