/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/plan.h"

typedef struct {
  VidgenSpan *span;
  guint id;
} Wish;

struct _VidgenPlan {
  VidgenArena *arena;
  GArray *wishes;
};

VidgenPlan *
vidgen_plan_new (void)
{
  VidgenPlan *plan = g_new0 (VidgenPlan, 1);

  plan->arena = vidgen_arena_new ();
  plan->wishes = g_array_new (FALSE, FALSE, sizeof (Wish));
  return plan;
}

void
vidgen_plan_free (VidgenPlan *plan)
{
  if (!plan)
    return;
  vidgen_arena_free (plan->arena);
  g_array_unref (plan->wishes);
  g_free (plan);
}

static void
request (
    VidgenPlan *plan, VidgenSpan *span, guint64 count, guint first, guint last)
{
  const Wish wish = { span,
    vidgen_arena_request (plan->arena, 4 * count, first, last) };

  g_array_append_val (plan->wishes, wish);
}

void
vidgen_plan_add (
    VidgenPlan *plan, VidgenSpan *span, guint64 count, guint first, guint last)
{
  request (plan, span, count, first, last);
}

void
vidgen_plan_keep (VidgenPlan *plan, VidgenSpan *span, guint64 count)
{
  request (plan, span, count, 0, G_MAXUINT);
}

guint64
vidgen_plan_bytes (VidgenPlan *plan)
{
  return vidgen_arena_size (plan->arena);
}

gboolean
vidgen_plan_allocate (VidgenPlan *plan, VidgenDevice *device, GError **error)
{
  if (!vidgen_arena_allocate (plan->arena, device, error))
    return FALSE;
  for (guint i = 0; i < plan->wishes->len; i++) {
    const Wish *wish = &g_array_index (plan->wishes, Wish, i);
    *wish->span = vidgen_arena_span (plan->arena, wish->id);
  }
  return TRUE;
}
