/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/memory-private.h"

#include "shaders/runtime/device-private.h"

VidgenMemory *
vidgen_memory_new (
    VidgenDevice *device, guint64 size, VidgenMemoryKind kind, GError **error)
{
  const VidgenDeviceCaps *caps = vidgen_device_caps (device);
  VidgenMemory *memory;

  if (!size || size > caps->max_allocation_bytes) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY,
        "One allocation on %s holds 1 to %" G_GUINT64_FORMAT
        " bytes, not %" G_GUINT64_FORMAT ".",
        caps->name, caps->max_allocation_bytes, size);
    return NULL;
  }
  if (!vidgen_device_take_memory (device, size, error))
    return NULL;

  memory = g_new0 (VidgenMemory, 1);
  memory->n_refs = 1;
  memory->device = vidgen_device_ref (device);
  memory->kind = kind;
  memory->size = size;
  if (!device->klass->allocate (memory, error)) {
    vidgen_memory_unref (memory);
    return NULL;
  }
  return memory;
}

VidgenMemory *
vidgen_memory_ref (VidgenMemory *memory)
{
  g_atomic_int_inc (&memory->n_refs);
  return memory;
}

void
vidgen_memory_unref (VidgenMemory *memory)
{
  if (!memory || !g_atomic_int_dec_and_test (&memory->n_refs))
    return;
  memory->device->klass->release (memory);
  vidgen_device_give_memory (memory->device, memory->size);
  vidgen_device_unref (memory->device);
  g_free (memory);
}

guint64
vidgen_memory_size (const VidgenMemory *memory)
{
  return memory->size;
}

VidgenDevice *
vidgen_memory_device (const VidgenMemory *memory)
{
  return memory->device;
}

VidgenSpan
vidgen_memory_span (VidgenMemory *memory)
{
  return (VidgenSpan){ memory, 0, memory->size };
}

VidgenSpan
vidgen_span_cut (VidgenSpan span, guint64 offset, guint64 size)
{
  g_return_val_if_fail (
      offset <= span.size && size <= span.size - offset, VIDGEN_SPAN_NONE);
  return (VidgenSpan){ span.memory, span.offset + offset, size };
}

guint64
vidgen_span_address (VidgenSpan span)
{
  return span.memory ? span.memory->address + span.offset : 0;
}

void *
vidgen_span_map (VidgenSpan span)
{
  return span.memory && span.memory->mapped ? span.memory->mapped + span.offset
                                            : NULL;
}
