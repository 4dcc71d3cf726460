/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/work.h"

G_BEGIN_DECLS

/* The tapes of a stream, by what is fixed on them: what makes the tokens of a
 * chunk by where what it sees lies in the cache, how long the prompt is and the
 * schedule; what makes pictures and sound of them by what is asked for and by
 * which copies of what a chunk leaves to the next are in use. Both are recorded
 * when first needed and played from then on; which chunk it is a tape reads
 * from its words.
 *
 * While a chunk's pictures are made the tokens of the next are begun, where
 * they have a tape; if the next chunk is another one after all, that work is
 * forgotten. Of the recorder's thread.
 */
typedef struct _VidgenMiniReel VidgenMiniReel;

/* Device memory that a reel takes. */
guint64 vidgen_mini_reel_bytes (const VidgenMiniConfig *config);

/* Recorder and work outlive the reel; `device` is theirs. Errors as
 * vidgen_memory_new(). */
VidgenMiniReel *vidgen_mini_reel_new (VidgenMiniWork *work,
    VidgenRecorder *recorder, VidgenDevice *device, GError **error);
void vidgen_mini_reel_free (VidgenMiniReel *reel);

/* Makes the chunk, but for a decoder that is not ready: what that takes is rare
 * and recorded each time. `context`, as before the chunk, where the next one
 * may be begun, or NULL. On success what was made can be read back, and work
 * and context are still those of this chunk. Errors as
 * vidgen_recorder_finish(). */
gboolean vidgen_mini_reel_make (VidgenMiniReel *reel, const VidgenMiniJob *job,
    const VidgenMiniContext *context, GCancellable *cancellable,
    GError **error);

/* Forgets what was begun ahead: before anything else is recorded that writes
 * what it reads, or reads what it writes. */
void vidgen_mini_reel_forget_ahead (VidgenMiniReel *reel);

G_END_DECLS
