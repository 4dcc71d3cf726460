/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/arena.h"

typedef struct {
  guint64 size;
  guint64 offset;
  guint first, last;
} Request;

struct _VidgenArena {
  GArray *requests; /* Request, by number */
  GPtrArray *placed;
  guint64 size;
  gboolean planned;
  VidgenMemory *memory;
};

VidgenArena *
vidgen_arena_new (void)
{
  VidgenArena *arena = g_new0 (VidgenArena, 1);

  arena->requests = g_array_new (FALSE, FALSE, sizeof (Request));
  arena->placed = g_ptr_array_new ();
  return arena;
}

void
vidgen_arena_free (VidgenArena *arena)
{
  if (!arena)
    return;
  g_array_unref (arena->requests);
  g_ptr_array_unref (arena->placed);
  vidgen_memory_unref (arena->memory);
  g_free (arena);
}

guint
vidgen_arena_request (VidgenArena *arena, guint64 size, guint first, guint last)
{
  const Request request = { size, 0, first, last };

  g_return_val_if_fail (!arena->memory && first <= last, G_MAXUINT);
  arena->planned = FALSE;
  g_array_append_val (arena->requests, request);
  return arena->requests->len - 1;
}

static guint64
align_up (guint64 bytes)
{
  return (bytes + VIDGEN_SPAN_ALIGNMENT - 1) &
         ~(guint64)(VIDGEN_SPAN_ALIGNMENT - 1);
}

static gint
compare_size (gconstpointer a, gconstpointer b)
{
  const Request *x = *(const Request *const *)a;
  const Request *y = *(const Request *const *)b;

  if (x->size != y->size)
    return x->size > y->size ? -1 : 1;
  return x < y ? -1 : x > y;
}

static gint
compare_offset (gconstpointer a, gconstpointer b)
{
  const Request *x = *(const Request *const *)a;
  const Request *y = *(const Request *const *)b;

  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void
place (VidgenArena *arena, Request *request)
{
  guint64 offset = 0;

  for (guint i = 0; i < arena->placed->len; i++) {
    const Request *other = g_ptr_array_index (arena->placed, i);

    if (other->first > request->last || other->last < request->first)
      continue;
    if (other->offset >= offset + request->size)
      break;
    offset = MAX (offset, align_up (other->offset + other->size));
  }
  request->offset = offset;
  arena->size = MAX (arena->size, align_up (offset + request->size));
  g_ptr_array_add (arena->placed, request);
  g_ptr_array_sort (arena->placed, compare_offset);
}

guint64
vidgen_arena_size (VidgenArena *arena)
{
  g_autoptr (GPtrArray) order = NULL;

  if (arena->planned)
    return arena->size;
  order = g_ptr_array_new ();
  for (guint i = 0; i < arena->requests->len; i++)
    g_ptr_array_add (order, &g_array_index (arena->requests, Request, i));
  g_ptr_array_sort (order, compare_size);
  g_ptr_array_set_size (arena->placed, 0);
  arena->size = 0;
  for (guint i = 0; i < order->len; i++)
    place (arena, g_ptr_array_index (order, i));
  arena->planned = TRUE;
  return arena->size;
}

gboolean
vidgen_arena_allocate (VidgenArena *arena, VidgenDevice *device, GError **error)
{
  const guint64 size = vidgen_arena_size (arena);

  g_return_val_if_fail (!arena->memory, FALSE);
  arena->memory =
      vidgen_memory_new (device, MAX (size, 1), VIDGEN_MEMORY_DEVICE, error);
  return arena->memory != NULL;
}

VidgenSpan
vidgen_arena_span (const VidgenArena *arena, guint id)
{
  const Request *request;

  g_return_val_if_fail (
      arena->memory && id < arena->requests->len, VIDGEN_SPAN_NONE);
  request = &g_array_index (arena->requests, Request, id);
  return (VidgenSpan){ arena->memory, request->offset, request->size };
}
