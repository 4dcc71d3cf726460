/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/memory.h"

G_BEGIN_DECLS

/* Plans where activations lie in one memory. A request lives over a closed
 * interval of steps that the caller numbers as it likes; requests whose
 * intervals do not meet may share bytes. Not thread-safe.
 *
 * Greedy by size: largest first, each at the lowest offset that is free over
 * its whole life (Pisarchyk and Lee, "Efficient Memory Management for Deep
 * Neural Net Inference", 2020, section 5.3).
 */
typedef struct _VidgenArena VidgenArena;

VidgenArena *vidgen_arena_new (void);
void vidgen_arena_free (VidgenArena *arena);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenArena, vidgen_arena_free)

/* Requests `size` bytes over steps `first`..`last`; returns the number by
 * which vidgen_arena_span() knows it. Pass 0 and G_MAXUINT for "always". */
guint vidgen_arena_request (
    VidgenArena *arena, guint64 size, guint first, guint last);

/* The bytes that the plan needs. Plans if that has not been done. */
guint64 vidgen_arena_size (VidgenArena *arena);

/* Allocates the memory; no request may follow. Errors as vidgen_memory_new().
 */
gboolean vidgen_arena_allocate (
    VidgenArena *arena, VidgenDevice *device, GError **error);

/* The span of request `id`, of the size asked for. After allocate only. */
VidgenSpan vidgen_arena_span (const VidgenArena *arena, guint id);

G_END_DECLS
