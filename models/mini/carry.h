/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/plan.h"
#include "shaders/runtime/recorder.h"

G_BEGIN_DECLS

/* What one chunk leaves to the next, in two copies: a chunk reads the one and
 * writes the other, and only a chunk that succeeded is followed by
 * vidgen_mini_carry_flip(). So a chunk that failed leaves no trace. */
typedef struct {
  VidgenSpan copies[2];
  guint current;
} VidgenMiniCarry;

static inline void
vidgen_mini_carry_plan (VidgenMiniCarry *carry, VidgenPlan *plan, guint64 count)
{
  carry->current = 0;
  vidgen_plan_keep (plan, &carry->copies[0], count);
  vidgen_plan_keep (plan, &carry->copies[1], count);
}

/* Records: `to` becomes what the chunk before left, or zeros at the start. */
static inline void
vidgen_mini_carry_read (const VidgenMiniCarry *carry, VidgenRecorder *recorder,
    gboolean at_start, VidgenSpan to)
{
  if (at_start)
    vidgen_recorder_clear (recorder, to);
  else
    vidgen_recorder_copy (recorder, to, carry->copies[carry->current]);
}

static inline void
vidgen_mini_carry_write (
    const VidgenMiniCarry *carry, VidgenRecorder *recorder, VidgenSpan from)
{
  vidgen_recorder_copy (recorder, carry->copies[!carry->current], from);
}

static inline void
vidgen_mini_carry_flip (VidgenMiniCarry *carry)
{
  carry->current = !carry->current;
}

G_END_DECLS
