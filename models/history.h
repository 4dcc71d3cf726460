/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/family.h"

G_BEGIN_DECLS

/* The changes of a stream's settings by the chunk at which they took effect,
 * so that a stream that has gone back makes them again. */
typedef struct _VidgenHistory VidgenHistory;

VidgenHistory *vidgen_history_new (void);
void vidgen_history_free (VidgenHistory *history);

/* A change at `chunk`; forgets those of the same kind at `chunk` or later. At
 * chunk 0 there is nothing to blend from. */
void vidgen_history_set_conditioning (VidgenHistory *history,
    VidgenModel *model, guint64 chunk, GBytes *conditioning,
    guint blend_chunks);
void vidgen_history_set_steps (
    VidgenHistory *history, guint64 chunk, guint steps);
void vidgen_history_set_guidance (
    VidgenHistory *history, guint64 chunk, double scale);

/* Forgets what does not matter to `chunk` and later. */
void vidgen_history_forget_before (VidgenHistory *history, guint64 chunk);
/* How many changes are remembered. */
guint vidgen_history_length (const VidgenHistory *history);

/* What holds at `chunk`. Each kind must have been set at chunk 0. */
GBytes *vidgen_history_conditioning (
    const VidgenHistory *history, VidgenModel *model, guint64 chunk);
gboolean vidgen_history_prompt_starts (
    const VidgenHistory *history, guint64 chunk);
/* Whether it lies between two prompts. */
gboolean vidgen_history_blends (const VidgenHistory *history, guint64 chunk);
guint vidgen_history_steps (const VidgenHistory *history, guint64 chunk);
double vidgen_history_guidance (const VidgenHistory *history, guint64 chunk);

G_END_DECLS
