/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/memory.h"

G_BEGIN_DECLS

/* The ranges touched since the last barrier, and whether a new launch may run
 * beside them. Compares memories by identity only. Not thread-safe. */
typedef struct _VidgenHazards VidgenHazards;

VidgenHazards *vidgen_hazards_new (void);
void vidgen_hazards_free (VidgenHazards *hazards);

/* Whether touching `span` must wait: it overlaps an earlier write, or it is a
 * write and overlaps an earlier read. */
gboolean vidgen_hazards_conflict (
    const VidgenHazards *hazards, VidgenSpan span, gboolean write);
void vidgen_hazards_add (
    VidgenHazards *hazards, VidgenSpan span, gboolean write);
void vidgen_hazards_clear (VidgenHazards *hazards);

G_END_DECLS
