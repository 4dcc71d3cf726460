/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/model.h"

G_BEGIN_DECLS

/* The chunks at hand, ordered by the content frame at which they begin: those
 * that wait to be shown and, in a clip, those that were. Not thread-safe.
 */
typedef struct _VidgenReel VidgenReel;

typedef struct {
  VidgenChunk *chunk;
  guint64 first_frame; /* in the session's count of content frames */
} VidgenReelEntry;

VidgenReel *vidgen_reel_new (void);
void vidgen_reel_free (VidgenReel *reel);

/* Takes a reference. A chunk that begins at the same frame is replaced. */
void vidgen_reel_insert (
    VidgenReel *reel, guint64 first_frame, VidgenChunk *chunk);
/* The entry that holds `frame`, or NULL; valid until the reel changes. */
const VidgenReelEntry *vidgen_reel_find (const VidgenReel *reel, guint64 frame);
/* The first frame from `frame` on that is not at hand. */
guint64 vidgen_reel_end_from (const VidgenReel *reel, guint64 frame);
/* Drops the chunks that begin at `frame` or later. */
void vidgen_reel_drop_from (VidgenReel *reel, guint64 frame);
/* Drops chunks that end at or before `frame`, the oldest first, while the reel
 * holds more than `keep_bytes`. */
void vidgen_reel_trim (VidgenReel *reel, guint64 frame, gsize keep_bytes);
/* What those from `frame` up to vidgen_reel_end_from() take, of a chunk that
 * `frame` lies in its share. */
gsize vidgen_reel_bytes_from (const VidgenReel *reel, guint64 frame);
gsize vidgen_reel_bytes (const VidgenReel *reel);
/* How many chunks it holds. */
guint vidgen_reel_length (const VidgenReel *reel);

G_END_DECLS
