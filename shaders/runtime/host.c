/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shaders/runtime/device-private.h"
#include "shaders/runtime/memory-private.h"
#include "shaders/runtime/recorder-private.h"

#define MAX_ALLOCATION_BYTES (G_GUINT64_CONSTANT (1) << 30)

void
vidgen_host_fill_caps (VidgenDeviceCaps *caps)
{
  *caps = (VidgenDeviceCaps){
    .name = "host",
    .driver = "C references",
    .uuid = VIDGEN_HOST_UUID,
    .type = VIDGEN_DEVICE_HOST,
    .subgroup_size = 1,
    .min_subgroup_size = 1,
    .max_subgroup_size = 1,
    .shared_memory_bytes = 32 * 1024,
    .max_group_invocations = 1024,
    .max_group_count = { 65535, 65535, 65535 },
    .max_allocation_bytes = MAX_ALLOCATION_BYTES,
    .memory_bytes =
        (guint64)sysconf (_SC_PHYS_PAGES) * (guint64)sysconf (_SC_PAGESIZE),
  };
}

static gboolean
host_allocate (VidgenMemory *memory, GError **error)
{
  void *bytes = NULL;

  if (posix_memalign (&bytes, VIDGEN_SPAN_ALIGNMENT, memory->size)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY,
        "Out of memory: %" G_GUINT64_FORMAT " bytes are needed and the host "
        "does not have them.",
        memory->size);
    return FALSE;
  }
  memset (bytes, 0, memory->size);
  memory->mapped = bytes;
  memory->address = (guintptr)bytes;
  return TRUE;
}

static void
host_release (VidgenMemory *memory)
{
  free (memory->mapped);
}

static void
host_set_cache_dir (
    VidgenDevice *device G_GNUC_UNUSED, const char *path G_GNUC_UNUSED)
{
}

static void
host_ignore (VidgenDevice *device G_GNUC_UNUSED)
{
}

const VidgenDeviceClass vidgen_host_class = {
  .allocate = host_allocate,
  .release = host_release,
  .recorder_new = vidgen_host_recorder_new,
  .set_cache_dir = host_set_cache_dir,
  .save_cache = host_ignore,
  .close = host_ignore,
};
