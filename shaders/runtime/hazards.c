/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/hazards.h"

typedef struct {
  VidgenSpan span;
  gboolean write;
} Touched;

struct _VidgenHazards {
  GArray *touched;
};

VidgenHazards *
vidgen_hazards_new (void)
{
  VidgenHazards *hazards = g_new (VidgenHazards, 1);

  hazards->touched = g_array_new (FALSE, FALSE, sizeof (Touched));
  return hazards;
}

void
vidgen_hazards_free (VidgenHazards *hazards)
{
  if (!hazards)
    return;
  g_array_unref (hazards->touched);
  g_free (hazards);
}

static gboolean
spans_overlap (const VidgenSpan *a, const VidgenSpan *b)
{
  return a->memory == b->memory && a->offset < b->offset + b->size &&
         b->offset < a->offset + a->size;
}

gboolean
vidgen_hazards_conflict (
    const VidgenHazards *hazards, VidgenSpan span, gboolean write)
{
  for (guint i = 0; i < hazards->touched->len; i++) {
    const Touched *touched = &g_array_index (hazards->touched, Touched, i);

    if ((write || touched->write) && spans_overlap (&touched->span, &span))
      return TRUE;
  }
  return FALSE;
}

void
vidgen_hazards_add (VidgenHazards *hazards, VidgenSpan span, gboolean write)
{
  const Touched touched = { span, write };

  g_array_append_val (hazards->touched, touched);
}

void
vidgen_hazards_clear (VidgenHazards *hazards)
{
  g_array_set_size (hazards->touched, 0);
}
