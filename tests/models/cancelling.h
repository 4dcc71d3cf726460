/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/model.h"

G_BEGIN_DECLS

/* The next chunk, or NULL if it was cancelled: after a few submits or, where
 * there are none, some of the time that a chunk takes; `try` tells how many and
 * how much. One at a time. */
VidgenChunk *cancelling_next (VidgenStream *stream,
    const VidgenChunkRequest *request, guint try, guint64 chunk_us);

G_END_DECLS
