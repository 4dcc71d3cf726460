/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/reel.h"

struct _VidgenReel {
  GArray *entries;
  gsize bytes;
};

static gsize
chunk_bytes (const VidgenChunk *chunk)
{
  gsize bytes = sizeof *chunk;

  if (chunk->has_video)
    bytes += (gsize)chunk->frames * chunk->layout.size;
  if (chunk->sound)
    bytes += (gsize)chunk->samples * 2 * sizeof *chunk->sound;
  return bytes;
}

static void
clear_entry (gpointer data)
{
  VidgenReelEntry *entry = data;

  vidgen_chunk_unref (entry->chunk);
}

VidgenReel *
vidgen_reel_new (void)
{
  VidgenReel *reel = g_new0 (VidgenReel, 1);

  reel->entries = g_array_new (FALSE, FALSE, sizeof (VidgenReelEntry));
  g_array_set_clear_func (reel->entries, clear_entry);
  return reel;
}

void
vidgen_reel_free (VidgenReel *reel)
{
  if (!reel)
    return;
  g_array_unref (reel->entries);
  g_free (reel);
}

static const VidgenReelEntry *
entry_at (const VidgenReel *reel, guint i)
{
  return &g_array_index (reel->entries, VidgenReelEntry, i);
}

static guint64
entry_end (const VidgenReelEntry *entry)
{
  return entry->first_frame + entry->chunk->frames;
}

/* The first entry that ends behind `frame`. */
static guint
lower_bound (const VidgenReel *reel, guint64 frame)
{
  guint low = 0, high = reel->entries->len;

  while (low < high) {
    const guint middle = low + (high - low) / 2;
    if (entry_end (entry_at (reel, middle)) <= frame)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void
remove_entries (VidgenReel *reel, guint first, guint n)
{
  for (guint i = first; i < first + n; i++)
    reel->bytes -= chunk_bytes (entry_at (reel, i)->chunk);
  if (n > 0)
    g_array_remove_range (reel->entries, first, n);
}

void
vidgen_reel_insert (VidgenReel *reel, guint64 first_frame, VidgenChunk *chunk)
{
  const guint i = lower_bound (reel, first_frame);
  const VidgenReelEntry entry = { vidgen_chunk_ref (chunk), first_frame };

  if (i < reel->entries->len && entry_at (reel, i)->first_frame == first_frame)
    remove_entries (reel, i, 1);
  g_array_insert_val (reel->entries, i, entry);
  reel->bytes += chunk_bytes (chunk);
}

const VidgenReelEntry *
vidgen_reel_find (const VidgenReel *reel, guint64 frame)
{
  const guint i = lower_bound (reel, frame);

  if (i == reel->entries->len || entry_at (reel, i)->first_frame > frame)
    return NULL;
  return entry_at (reel, i);
}

guint64
vidgen_reel_end_from (const VidgenReel *reel, guint64 frame)
{
  for (guint i = lower_bound (reel, frame); i < reel->entries->len; i++) {
    const VidgenReelEntry *entry = entry_at (reel, i);
    if (entry->first_frame > frame)
      break;
    frame = entry_end (entry);
  }
  return frame;
}

gsize
vidgen_reel_bytes_from (const VidgenReel *reel, guint64 frame)
{
  gsize bytes = 0;

  for (guint i = lower_bound (reel, frame); i < reel->entries->len; i++) {
    const VidgenReelEntry *entry = entry_at (reel, i);
    const guint64 end = entry_end (entry);
    if (entry->first_frame > frame)
      break;
    bytes += (guint64)chunk_bytes (entry->chunk) * (end - frame) /
             entry->chunk->frames;
    frame = end;
  }
  return bytes;
}

void
vidgen_reel_drop_from (VidgenReel *reel, guint64 frame)
{
  guint n = reel->entries->len;

  while (n > 0 && entry_at (reel, n - 1)->first_frame >= frame)
    n--;
  remove_entries (reel, n, reel->entries->len - n);
}

void
vidgen_reel_trim (VidgenReel *reel, guint64 frame, gsize keep_bytes)
{
  const guint passed = lower_bound (reel, frame);
  gsize bytes = reel->bytes;
  guint n = 0;

  while (n < passed && bytes > keep_bytes)
    bytes -= chunk_bytes (entry_at (reel, n++)->chunk);
  remove_entries (reel, 0, n);
}

gsize
vidgen_reel_bytes (const VidgenReel *reel)
{
  return reel->bytes;
}

guint
vidgen_reel_length (const VidgenReel *reel)
{
  return reel->entries->len;
}
