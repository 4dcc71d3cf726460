/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/arena.h"

G_BEGIN_DECLS

/* A VidgenArena that remembers where the spans are wanted. Steps of a chunk,
 * in the order of recording: */
typedef enum {
  VIDGEN_MINI_STEP_TEXT,
  VIDGEN_MINI_STEP_TRANSFORMER,
  VIDGEN_MINI_STEP_DECODE_IN,
  VIDGEN_MINI_STEP_DECODE_1,
  VIDGEN_MINI_STEP_DECODE_2,
  VIDGEN_MINI_STEP_DECODE_3,
  VIDGEN_MINI_STEP_DECODE_4,
  VIDGEN_MINI_STEP_PICTURE,
  VIDGEN_MINI_STEP_SOUND
} VidgenMiniStep;

typedef struct _VidgenMiniPlan VidgenMiniPlan;

VidgenMiniPlan *vidgen_mini_plan_new (void);
/* The spans point into the plan's memory and end with it. */
void vidgen_mini_plan_free (VidgenMiniPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenMiniPlan, vidgen_mini_plan_free)

/* `count` floats that live from `first` to `last`; *span is set by
 * vidgen_mini_plan_allocate(). */
void vidgen_mini_plan_add (VidgenMiniPlan *plan, VidgenSpan *span,
    guint64 count, VidgenMiniStep first, VidgenMiniStep last);
/* Floats that keep their values from chunk to chunk. */
void vidgen_mini_plan_keep (
    VidgenMiniPlan *plan, VidgenSpan *span, guint64 count);

guint64 vidgen_mini_plan_bytes (VidgenMiniPlan *plan);
/* Errors as vidgen_arena_allocate(). */
gboolean vidgen_mini_plan_allocate (
    VidgenMiniPlan *plan, VidgenDevice *device, GError **error);

G_END_DECLS
