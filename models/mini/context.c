/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/context.h"

#include <string.h>

#define EMPTY G_MAXUINT64
#define NO_SLOT G_MAXUINT

void
vidgen_mini_context_init (
    VidgenMiniContext *context, const VidgenMiniConfig *config)
{
  context->window = config->context.window;
  context->sink = config->context.sink;
  context->slots = vidgen_mini_slots (config);
  context->chunk_of = g_new (guint64, context->slots);
  vidgen_mini_context_reset (context);
}

void
vidgen_mini_context_clear (VidgenMiniContext *context)
{
  g_clear_pointer (&context->chunk_of, g_free);
}

void
vidgen_mini_context_copy (
    VidgenMiniContext *context, const VidgenMiniContext *from)
{
  memcpy (context->chunk_of, from->chunk_of,
      context->slots * sizeof *context->chunk_of);
  context->run_start = from->run_start;
  context->sink_slot = from->sink_slot;
}

void
vidgen_mini_context_reset (VidgenMiniContext *context)
{
  for (guint i = 0; i < context->slots; i++)
    context->chunk_of[i] = EMPTY;
  context->run_start = 0;
  context->sink_slot = NO_SLOT;
}

/* The age at which `chunk` sees the slot, 0: not at all. */
static guint
age_of_slot (const VidgenMiniContext *context, guint slot, guint64 chunk,
    gboolean prompt_started)
{
  const guint64 held = context->chunk_of[slot];

  if (held == EMPTY)
    return 0;
  if (held + context->window >= chunk)
    return (guint)(chunk - held);
  return slot == context->sink_slot && !prompt_started ? context->window + 1
                                                       : 0;
}

static void
add_to_runs (VidgenMiniView *view, guint slot)
{
  const guint last = view->n_runs - 1;

  if (view->n_runs && view->runs[last].first + view->runs[last].count == slot) {
    view->runs[last].count++;
    return;
  }
  g_return_if_fail (view->n_runs < VIDGEN_MINI_MAX_RUNS);
  view->runs[view->n_runs].first = slot;
  view->runs[view->n_runs++].count = 1;
}

void
vidgen_mini_context_view (const VidgenMiniContext *context, guint64 chunk,
    gboolean prompt_started, VidgenMiniView *view)
{
  memset (view, 0, sizeof *view);
  view->slot = NO_SLOT;
  for (guint slot = 0; slot < context->slots; slot++) {
    const guint age = age_of_slot (context, slot, chunk, prompt_started);

    if (age) {
      view->seen[view->n_seen].slot = slot;
      view->seen[view->n_seen++].age = age;
    } else if (view->slot == NO_SLOT) {
      view->slot = slot;
    } else {
      continue;
    }
    add_to_runs (view, slot);
  }
}

void
vidgen_mini_context_commit (VidgenMiniContext *context, guint64 chunk,
    gboolean prompt_started, guint slot)
{
  if (prompt_started) {
    context->run_start = chunk;
    context->sink_slot = NO_SLOT;
  }
  context->chunk_of[slot] = chunk;
  if (chunk == context->run_start && context->sink)
    context->sink_slot = slot;
}
