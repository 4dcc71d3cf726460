/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/device.h"

G_BEGIN_DECLS

/* One allocation on a device, its whole size one buffer. Refcounted; holds
 * its device. Reference counting is thread-safe, contents are not guarded.
 */
typedef struct _VidgenMemory VidgenMemory;

typedef enum {
  VIDGEN_MEMORY_DEVICE,  /* device-local, on a discrete GPU never the host's;
                            not mapped unless the host device */
  VIDGEN_MEMORY_UPLOAD,  /* mapped, written by the host, read by the device */
  VIDGEN_MEMORY_READBACK /* mapped and cached, read by the host */
} VidgenMemoryKind;

/* A range of a memory; a plain value that holds no reference. A zero span
 * (memory NULL) stands for "absent" where a kernel's parameter allows it.
 */
typedef struct {
  VidgenMemory *memory;
  guint64 offset; /* bytes */
  guint64 size;   /* bytes */
} VidgenSpan;

/* Every span that is planned or cut for kernels starts at a multiple of this,
 * so that 16-byte loads are aligned. */
#define VIDGEN_SPAN_ALIGNMENT 256

/* `size` is at least 1 and at most the device's max_allocation_bytes. New
 * memory is zeroed. Errors: NO_MEMORY (names size and what there was),
 * DEVICE_LOST.
 */
VidgenMemory *vidgen_memory_new (
    VidgenDevice *device, guint64 size, VidgenMemoryKind kind, GError **error);
VidgenMemory *vidgen_memory_ref (VidgenMemory *memory);
void vidgen_memory_unref (VidgenMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenMemory, vidgen_memory_unref)

guint64 vidgen_memory_size (const VidgenMemory *memory);
VidgenDevice *vidgen_memory_device (const VidgenMemory *memory);

/* The whole memory, or part of it; parts outside are a programming error. */
VidgenSpan vidgen_memory_span (VidgenMemory *memory);
VidgenSpan vidgen_span_cut (VidgenSpan span, guint64 offset, guint64 size);

/* The device address of the first byte; 0 for an absent span. */
guint64 vidgen_span_address (VidgenSpan span);
/* The host's pointer to the first byte, NULL where the memory is not mapped
 * or the span is absent. Host writes are visible to work submitted later;
 * device writes to the host after vidgen_recorder_finish(), and those of a tape
 * (shaders/runtime/tape.h) after vidgen_recorder_await() too. */
void *vidgen_span_map (VidgenSpan span);

#define VIDGEN_SPAN_NONE ((VidgenSpan){ NULL, 0, 0 })

G_END_DECLS
