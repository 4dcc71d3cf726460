/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/plan.h"

typedef struct {
  VidgenSpan *span;
  guint id;
} Wish;

struct _VidgenMiniPlan {
  VidgenArena *arena;
  GArray *wishes;
};

VidgenMiniPlan *
vidgen_mini_plan_new (void)
{
  VidgenMiniPlan *plan = g_new0 (VidgenMiniPlan, 1);

  plan->arena = vidgen_arena_new ();
  plan->wishes = g_array_new (FALSE, FALSE, sizeof (Wish));
  return plan;
}

void
vidgen_mini_plan_free (VidgenMiniPlan *plan)
{
  if (!plan)
    return;
  vidgen_arena_free (plan->arena);
  g_array_unref (plan->wishes);
  g_free (plan);
}

static void
request (VidgenMiniPlan *plan, VidgenSpan *span, guint64 count, guint first,
    guint last)
{
  const Wish wish = { span,
    vidgen_arena_request (plan->arena, 4 * count, first, last) };

  g_array_append_val (plan->wishes, wish);
}

void
vidgen_mini_plan_add (VidgenMiniPlan *plan, VidgenSpan *span, guint64 count,
    VidgenMiniStep first, VidgenMiniStep last)
{
  request (plan, span, count, first, last);
}

void
vidgen_mini_plan_keep (VidgenMiniPlan *plan, VidgenSpan *span, guint64 count)
{
  request (plan, span, count, 0, G_MAXUINT);
}

guint64
vidgen_mini_plan_bytes (VidgenMiniPlan *plan)
{
  return vidgen_arena_size (plan->arena);
}

gboolean
vidgen_mini_plan_allocate (
    VidgenMiniPlan *plan, VidgenDevice *device, GError **error)
{
  if (!vidgen_arena_allocate (plan->arena, device, error))
    return FALSE;
  for (guint i = 0; i < plan->wishes->len; i++) {
    const Wish *wish = &g_array_index (plan->wishes, Wish, i);
    *wish->span = vidgen_arena_span (plan->arena, wish->id);
  }
  return TRUE;
}
