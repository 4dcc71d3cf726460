/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/pool.h"

#define MAX_MEMORY_BYTES (G_GUINT64_CONSTANT (512) << 20)

typedef struct {
  VidgenSpan *span;
  guint64 bytes;
} Wish;

struct _VidgenPool {
  GArray *wishes;
  GPtrArray *memories;
};

VidgenPool *
vidgen_pool_new (void)
{
  VidgenPool *pool = g_new0 (VidgenPool, 1);

  pool->wishes = g_array_new (FALSE, FALSE, sizeof (Wish));
  pool->memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  return pool;
}

void
vidgen_pool_free (VidgenPool *pool)
{
  if (!pool)
    return;
  g_array_unref (pool->wishes);
  g_ptr_array_unref (pool->memories);
  g_free (pool);
}

void
vidgen_pool_add (VidgenPool *pool, VidgenSpan *span, guint64 bytes)
{
  const Wish wish = { span, bytes };

  g_array_append_val (pool->wishes, wish);
}

static guint64
aligned (guint64 bytes)
{
  return (bytes + VIDGEN_SPAN_ALIGNMENT - 1) / VIDGEN_SPAN_ALIGNMENT *
         VIDGEN_SPAN_ALIGNMENT;
}

guint64
vidgen_pool_bytes (const VidgenPool *pool)
{
  guint64 bytes = 0;

  for (guint i = 0; i < pool->wishes->len; i++)
    bytes += aligned (g_array_index (pool->wishes, Wish, i).bytes);
  return bytes;
}

/* One memory for the wishes from `first` on that fit it; returns the first
 * that does not, or 0 on error. */
static guint
allocate_from (
    VidgenPool *pool, guint first, VidgenDevice *device, GError **error)
{
  const Wish *wishes = (const Wish *)pool->wishes->data;
  guint64 size = aligned (wishes[first].bytes), offset = 0;
  VidgenMemory *memory;
  guint end;

  for (end = first + 1; end < pool->wishes->len; end++) {
    if (size + aligned (wishes[end].bytes) > MAX_MEMORY_BYTES)
      break;
    size += aligned (wishes[end].bytes);
  }
  memory = vidgen_memory_new (device, size, VIDGEN_MEMORY_DEVICE, error);
  if (!memory)
    return 0;
  g_ptr_array_add (pool->memories, memory);
  for (guint i = first; i < end; i++) {
    *wishes[i].span =
        vidgen_span_cut (vidgen_memory_span (memory), offset, wishes[i].bytes);
    offset += aligned (wishes[i].bytes);
  }
  return end;
}

gboolean
vidgen_pool_allocate (VidgenPool *pool, VidgenDevice *device, GError **error)
{
  guint next = 0;

  while (next < pool->wishes->len) {
    next = allocate_from (pool, next, device, error);
    if (next == 0)
      return FALSE;
  }
  return TRUE;
}
