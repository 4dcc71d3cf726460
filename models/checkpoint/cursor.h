/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

/* Takes untrusted little-endian bytes one after another. What fails moves
 * nothing. */
typedef struct {
  const guint8 *data;
  gsize size;
  gsize at; /* never above size */
} VidgenCursor;

/* NULL where fewer than `bytes` are left. */
static inline const guint8 *
vidgen_cursor_take (VidgenCursor *cursor, guint64 bytes)
{
  const guint8 *taken = cursor->data + cursor->at;

  if (bytes > cursor->size - cursor->at)
    return NULL;
  cursor->at += bytes;
  return taken;
}

static inline gboolean
vidgen_cursor_read (VidgenCursor *cursor, void *value, gsize bytes)
{
  const guint8 *taken = vidgen_cursor_take (cursor, bytes);

  if (taken)
    memcpy (value, taken, bytes);
  return taken != NULL;
}

/* A number of `bytes`, 1 … 8, without sign. */
static inline gboolean
vidgen_cursor_number (VidgenCursor *cursor, gsize bytes, guint64 *value)
{
  guint64 read = 0;

  if (!vidgen_cursor_read (cursor, &read, bytes))
    return FALSE;
  *value = read;
  return TRUE;
}

G_END_DECLS
