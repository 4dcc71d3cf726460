/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/memory.h"

G_BEGIN_DECLS

/* Buffers that live as long as the pool, in few memories, none of which is
 * larger than devices allow: what a VidgenPlan is for buffers that come and go.
 * Not thread-safe. */
typedef struct _VidgenPool VidgenPool;

VidgenPool *vidgen_pool_new (void);
/* The spans end with it. */
void vidgen_pool_free (VidgenPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenPool, vidgen_pool_free)

/* `bytes` bytes, at least 1; *span is set by vidgen_pool_allocate(). */
void vidgen_pool_add (VidgenPool *pool, VidgenSpan *span, guint64 bytes);

guint64 vidgen_pool_bytes (const VidgenPool *pool);
/* Errors as vidgen_memory_new(). */
gboolean vidgen_pool_allocate (
    VidgenPool *pool, VidgenDevice *device, GError **error);

G_END_DECLS
