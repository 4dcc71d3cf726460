/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/watch.h"

#include <string.h>

#include "shaders/runtime/error.h"
#include "shaders/runtime/memory-private.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAVE_ADDRESS_SANITIZER 1
#endif

#ifdef HAVE_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

typedef struct {
  VidgenMemory *memory;
  guint8 *before;
} Watched;

static gboolean
is_listed (const Watched *watched, guint n_watched, const VidgenMemory *memory)
{
  for (guint i = 0; i < n_watched; i++)
    if (watched[i].memory == memory)
      return TRUE;
  return FALSE;
}

static guint
list_memories (const VidgenDispatch *dispatch, Watched *watched)
{
  guint n = 0;

  for (guint i = 0; i < dispatch->n_accesses; i++) {
    VidgenMemory *memory = dispatch->accesses[i].span.memory;

    if (memory && memory->kind == VIDGEN_MEMORY_DEVICE &&
        !is_listed (watched, n, memory))
      watched[n++] = (Watched){ memory, NULL };
  }
  return n;
}

static guint64
touched_bytes (const VidgenAccess *access)
{
  return access->bytes ? access->bytes : access->span.size;
}

static void
poison_undeclared (
    const VidgenDispatch *dispatch, const Watched *watched, guint n_watched)
{
  for (guint i = 0; i < n_watched; i++)
    ASAN_POISON_MEMORY_REGION (
        watched[i].memory->mapped, watched[i].memory->size);
  for (guint i = 0; i < dispatch->n_accesses; i++)
    if (dispatch->accesses[i].span.memory)
      ASAN_UNPOISON_MEMORY_REGION (vidgen_span_map (dispatch->accesses[i].span),
          touched_bytes (&dispatch->accesses[i]));
}

static void
unpoison (const Watched *watched, guint n_watched)
{
  for (guint i = 0; i < n_watched; i++)
    ASAN_UNPOISON_MEMORY_REGION (
        watched[i].memory->mapped, watched[i].memory->size);
}

static gboolean
is_declared_write (const VidgenDispatch *dispatch, const VidgenMemory *memory,
    guint64 offset, guint64 *end)
{
  for (guint i = 0; i < dispatch->n_accesses; i++) {
    const VidgenAccess *access = &dispatch->accesses[i];

    *end = access->span.offset + touched_bytes (access);
    if (access->write && access->span.memory == memory &&
        offset >= access->span.offset && offset < *end)
      return TRUE;
  }
  return FALSE;
}

static gboolean
compare_undeclared (
    const VidgenDispatch *dispatch, const Watched *watched, GError **error)
{
  const VidgenMemory *memory = watched->memory;
  guint64 end;

  if (!memcmp (memory->mapped, watched->before, memory->size))
    return TRUE;
  for (guint64 i = 0; i < memory->size; i++) {
    if (memory->mapped[i] == watched->before[i])
      continue;
    if (is_declared_write (dispatch, memory, i, &end)) {
      i = end - 1;
      continue;
    }
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "%s wrote at byte %" G_GUINT64_FORMAT " of a memory of "
        "%" G_GUINT64_FORMAT " bytes, which it had not declared.",
        dispatch->kernel->name, i, memory->size);
    return FALSE;
  }
  return TRUE;
}

gboolean
vidgen_watch_reference (
    const VidgenDispatch *dispatch, gboolean compare, GError **error)
{
  Watched watched[VIDGEN_MAX_ACCESSES];
  const guint n_watched = list_memories (dispatch, watched);
  gboolean ok = TRUE;

  for (guint i = 0; i < n_watched && compare; i++)
    watched[i].before =
        g_memdup2 (watched[i].memory->mapped, watched[i].memory->size);
  poison_undeclared (dispatch, watched, n_watched);
  dispatch->reference (dispatch->params);
  unpoison (watched, n_watched);
  for (guint i = 0; i < n_watched && compare; i++) {
    ok = ok && compare_undeclared (dispatch, &watched[i], error);
    g_free (watched[i].before);
  }
  return ok;
}

gboolean
vidgen_watch_has_sanitizer (void)
{
#ifdef HAVE_ADDRESS_SANITIZER
  return TRUE;
#else
  return FALSE;
#endif
}
