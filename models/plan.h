/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/arena.h"

G_BEGIN_DECLS

/* A VidgenArena that remembers where the spans are wanted. */
typedef struct _VidgenPlan VidgenPlan;

VidgenPlan *vidgen_plan_new (void);
/* The spans point into the plan's memory and end with it. */
void vidgen_plan_free (VidgenPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenPlan, vidgen_plan_free)

/* `count` floats that live from step `first` to step `last`; *span is set by
 * vidgen_plan_allocate(). */
void vidgen_plan_add (
    VidgenPlan *plan, VidgenSpan *span, guint64 count, guint first, guint last);
/* Floats that keep their values from chunk to chunk. */
void vidgen_plan_keep (VidgenPlan *plan, VidgenSpan *span, guint64 count);

guint64 vidgen_plan_bytes (VidgenPlan *plan);
/* Errors as vidgen_arena_allocate(). */
gboolean vidgen_plan_allocate (
    VidgenPlan *plan, VidgenDevice *device, GError **error);

G_END_DECLS
