/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/wan/work.h"

G_BEGIN_DECLS

/* The tapes of a stream, by what is fixed on them: what makes the latents of a
 * chunk by where it lies in the cache and how much that holds, the steps and
 * the guidance; what keeps and decodes them by which copy of the latents before
 * is the newest, where the decoder is and what is asked for. Both are recorded
 * when first needed and played from then on; which chunk it is, and where in
 * time the frames are that it sees, a tape reads from its words.
 *
 * While a chunk is decoded and read back the latents of the next are begun,
 * where they have a tape; if the next chunk is another one after all, that work
 * is forgotten. Of the recorder's thread.
 */
typedef struct _VidgenWanReel VidgenWanReel;

/* The most tapes that a reel holds, whatever is asked of it: of a chunk's
 * latents vidgen_wan_reel_samples(), of what is made of them
 * VIDGEN_WAN_REEL_OUTPUTS. */
#define VIDGEN_WAN_REEL_SAMPLES 64
#define VIDGEN_WAN_REEL_OUTPUTS 16
/* One a chunk while the cache fills, then one for each place in it where a
 * chunk comes to lie; and of those no more than VIDGEN_WAN_REEL_SAMPLES, which
 * is room for all such places. */
guint vidgen_wan_reel_samples (const VidgenWanShape *shape, guint sink);
/* Device memory that a reel takes. */
guint64 vidgen_wan_reel_bytes (const VidgenWanWork *work);

/* Recorder and work outlive the reel. Error: NO_MEMORY. */
VidgenWanReel *vidgen_wan_reel_new (
    VidgenWanWork *work, VidgenRecorder *recorder, GError **error);
void vidgen_wan_reel_free (VidgenWanReel *reel);

/* Makes the chunk, after what is remembered where that is to be made anew; that
 * and what a decoder needs that is not ready is rare and recorded each time.
 * `next`: the chunk after this one, as far as is known, where it may be begun,
 * or NULL. On success what was made can be read back. Errors as
 * vidgen_recorder_finish(). */
gboolean vidgen_wan_reel_make (VidgenWanReel *reel, const VidgenWanJob *job,
    const VidgenWanJob *next, GCancellable *cancellable, GError **error);

/* Forgets what was begun ahead: before anything else is recorded that writes
 * what it reads, or reads what it writes. */
void vidgen_wan_reel_forget_ahead (VidgenWanReel *reel);

/* For tests: tapes that there are. */
guint vidgen_wan_reel_n_tapes (const VidgenWanReel *reel);

G_END_DECLS
