/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/wan/wan-private.h"

G_BEGIN_DECLS

/* The stream functions of VidgenFamily for `wan`.
 *
 * Without video in a request nothing is decoded; latents are kept, and the
 * first chunk that wants video again decodes those that its pictures depend
 * on. Of a preset that makes clips every chunk is a clip of its own.
 *
 * What the device is told is recorded once a shape (models/wan/reel.h). The
 * rare rest (a prompt, a schedule, what is remembered made anew, decoding
 * again, everything under a tap) is recorded each time. The next chunk is begun
 * ahead only where prompt and schedule stand still.
 */
VidgenStream *vidgen_wan_stream_new (
    VidgenModel *model, const VidgenStreamParams *params, GError **error);
void vidgen_wan_stream_free (VidgenStream *stream);
void vidgen_wan_stream_restart (VidgenStream *stream);
VidgenChunk *vidgen_wan_stream_next (VidgenStream *stream,
    const VidgenChunkRequest *request, GCancellable *cancellable,
    GError **error);
void vidgen_wan_stream_stats (
    const VidgenStream *stream, VidgenStreamStats *stats);

/* Device memory of one stream. */
guint64 vidgen_wan_stream_bytes (
    const VidgenWanModel *model, const VidgenFormat *format);

/* For tests; NULL takes it off. The tap stays the caller's. */
void vidgen_wan_stream_set_tap (VidgenStream *stream, const VidgenTap *tap);
/* For tests and measurements: without tapes everything is recorded each time,
 * and nothing begun ahead. */
void vidgen_wan_stream_set_tapes (VidgenStream *stream, gboolean tapes);
/* For tests; of the stream. */
VidgenRecorder *vidgen_wan_stream_recorder (VidgenStream *stream);
/* For tests: tapes that the stream holds. */
guint vidgen_wan_stream_n_tapes (VidgenStream *stream);

G_END_DECLS
