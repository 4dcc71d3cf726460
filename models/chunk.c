/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/family.h"

/* A chunk, its samples and its pictures are one allocation. */
typedef struct {
  VidgenChunk chunk;
  gatomicrefcount references;
} Counted;

#define ALIGNMENT 64

static gsize
aligned (gsize bytes)
{
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

VidgenChunk *
vidgen_chunk_new (gsize picture_bytes, guint samples)
{
  const gsize head = aligned (sizeof (Counted));
  const gsize sound = aligned (samples * 2 * sizeof (float));
  Counted *counted = g_malloc (head + sound + picture_bytes);
  guint8 *start = (guint8 *)counted;

  *counted = (Counted){ .chunk = { .samples = samples } };
  g_atomic_ref_count_init (&counted->references);
  if (samples)
    counted->chunk.sound = (float *)(start + head);
  if (picture_bytes)
    counted->chunk.pictures = start + head + sound;
  return &counted->chunk;
}

guint8 *
vidgen_chunk_pictures (VidgenChunk *chunk)
{
  return (guint8 *)chunk->pictures;
}

float *
vidgen_chunk_sound (VidgenChunk *chunk)
{
  return (float *)chunk->sound;
}

VidgenChunk *
vidgen_chunk_ref (VidgenChunk *chunk)
{
  g_atomic_ref_count_inc (&((Counted *)chunk)->references);
  return chunk;
}

void
vidgen_chunk_unref (VidgenChunk *chunk)
{
  if (chunk && g_atomic_ref_count_dec (&((Counted *)chunk)->references))
    g_free (chunk);
}
