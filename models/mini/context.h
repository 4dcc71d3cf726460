/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/config.h"

G_BEGIN_DECLS

/* Which slots of the cache hold which chunks: the window of chunks before the
 * one being made, the sink, and a free slot for the one being made
 * (models/mini/FORMAT.md section 3, "Context"). Bookkeeping only; nothing
 * here touches the device. One thread at a time.
 */
typedef struct {
  guint window, sink, slots;
  guint64 *chunk_of; /* by slot; G_MAXUINT64: empty */
  guint64 run_start; /* first chunk of the prompt's run */
  guint sink_slot;   /* G_MAXUINT: none */
} VidgenMiniContext;

#define VIDGEN_MINI_MAX_SEEN (VIDGEN_MINI_MAX_WINDOW + 1)
#define VIDGEN_MINI_MAX_RUNS 3

/* What a chunk sees. */
typedef struct {
  guint slot; /* of the chunk itself */
  guint n_seen;
  struct {
    guint slot;
    guint age; /* chunks ago as positions go: 1 … window + 1 */
  } seen[VIDGEN_MINI_MAX_SEEN];
  guint n_runs; /* of slots that lie together, the chunk's own included */
  struct {
    guint first, count;
  } runs[VIDGEN_MINI_MAX_RUNS];
} VidgenMiniView;

void vidgen_mini_context_init (
    VidgenMiniContext *context, const VidgenMiniConfig *config);
void vidgen_mini_context_clear (VidgenMiniContext *context);
/* Both are of one configuration. */
void vidgen_mini_context_copy (
    VidgenMiniContext *context, const VidgenMiniContext *from);
/* As before chunk 0. */
void vidgen_mini_context_reset (VidgenMiniContext *context);

/* What `chunk` sees (what there is not is zero), the context being that of the
 * chunks before it; `prompt_started`: it is the first of a prompt's run. */
void vidgen_mini_context_view (const VidgenMiniContext *context, guint64 chunk,
    gboolean prompt_started, VidgenMiniView *view);
/* `chunk` has been made into the slot of its view. */
void vidgen_mini_context_commit (VidgenMiniContext *context, guint64 chunk,
    gboolean prompt_started, guint slot);

G_END_DECLS
