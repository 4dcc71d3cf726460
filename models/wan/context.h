/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Which slots of the cache hold which frames of latents, and where in time
 * those are said to be: the first `sink` frames stay, the others go round the
 * remaining slots, so that the cache holds at most `window` frames, those being
 * made included. Bookkeeping only. One thread at a time.
 *
 * With relative positions the frames in the cache are counted from its first
 * one on, as in LongLive's endless variant, so that no position is ever beyond
 * the window; with absolute ones each frame keeps its number, as in
 * Self-Forcing. While nothing has been dropped the two are the same.
 */
#define VIDGEN_WAN_MAX_WINDOW 64

typedef struct {
  guint window, sink; /* sink < window <= VIDGEN_WAN_MAX_WINDOW */
  gboolean relative;
  guint64 frames; /* made so far */
} VidgenWanContext;

/* Frames that lie together in the cache, `first` being counted from the first
 * frame of the view. */
typedef struct {
  guint first, count;
  guint slot;
} VidgenWanRun;

/* Frames to work on and what they see: slots 0 to `n_slots` - 1. */
typedef struct {
  guint n_frames;
  guint n_runs;
  VidgenWanRun runs[VIDGEN_WAN_MAX_WINDOW];
  guint n_slots;
  double positions[VIDGEN_WAN_MAX_WINDOW]; /* by slot */
} VidgenWanView;

/* The next `count` frames, in runs of at most `max_run`. Their slots are those
 * of the oldest frames but the sink. `count` is at most window, and at most
 * window - sink once more than that have been made. */
void vidgen_wan_context_next (const VidgenWanContext *context, guint count,
    guint max_run, VidgenWanView *view);
/* They have been made. */
void vidgen_wan_context_advance (VidgenWanContext *context, guint count);

/* The frames in the cache, to be made anew, the sink only where nothing has
 * been dropped yet. Returns the number of the first one. */
guint64 vidgen_wan_context_again (
    const VidgenWanContext *context, guint max_run, VidgenWanView *view);

/* Forgets all frames; positions start anew. */
void vidgen_wan_context_forget (VidgenWanContext *context);

G_END_DECLS
