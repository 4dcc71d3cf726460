/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/context.h"

static guint
slot_of (const VidgenWanContext *context, guint64 frame)
{
  const guint sink = context->sink;

  if (frame < sink)
    return (guint)frame;
  return sink + (guint)((frame - sink) % (context->window - sink));
}

/* What is seen when frame `end` - 1 is the newest. */
static void
see (const VidgenWanContext *context, guint64 end, VidgenWanView *view)
{
  guint64 first;

  view->n_slots = (guint)MIN (end, context->window);
  first = end - view->n_slots;
  for (guint i = 0; i < view->n_slots; i++) {
    const guint64 frame = i < context->sink ? i : first + i;

    view->positions[slot_of (context, frame)] =
        context->relative ? i : (double)frame;
  }
}

static void
find_runs (const VidgenWanContext *context, guint64 first, guint count,
    guint max_run, VidgenWanView *view)
{
  view->n_frames = count;
  view->n_runs = 0;
  for (guint i = 0; i < count; i++) {
    const guint slot = slot_of (context, first + i);
    VidgenWanRun *run = &view->runs[MAX (view->n_runs, 1) - 1];

    if (view->n_runs == 0 || run->count == max_run ||
        slot != run->slot + run->count)
      view->runs[view->n_runs++] =
          (VidgenWanRun){ .first = i, .count = 1, .slot = slot };
    else
      run->count++;
  }
}

void
vidgen_wan_context_next (const VidgenWanContext *context, guint count,
    guint max_run, VidgenWanView *view)
{
  see (context, context->frames + count, view);
  find_runs (context, context->frames, count, max_run, view);
}

void
vidgen_wan_context_advance (VidgenWanContext *context, guint count)
{
  context->frames += count;
}

guint64
vidgen_wan_context_again (
    const VidgenWanContext *context, guint max_run, VidgenWanView *view)
{
  const guint64 frames = context->frames;
  const guint64 first = frames <= context->window
                            ? 0
                            : frames - (context->window - context->sink);

  see (context, frames, view);
  find_runs (context, first, (guint)(frames - first), max_run, view);
  return first;
}

void
vidgen_wan_context_forget (VidgenWanContext *context)
{
  context->frames = 0;
}
