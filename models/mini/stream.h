/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/mini-private.h"

G_BEGIN_DECLS

/* The stream functions of VidgenFamily for `mini`.
 *
 * What a request leaves out: without video, decoding, conversion and readback;
 * the latents of the last chunks are kept, and the first chunk that wants
 * video again decodes those that its memory depends on. Without audio, the
 * waveform and its readback.
 *
 * What the device is told is recorded once a shape (models/mini/reel.h). The
 * rare rest (a prompt, a first picture, decoding again, everything under a tap)
 * is recorded each time. The next chunk is begun ahead only where the prompt
 * stands still.
 */
VidgenStream *vidgen_mini_stream_new (
    VidgenModel *model, const VidgenStreamParams *params, GError **error);
void vidgen_mini_stream_free (VidgenStream *stream);
void vidgen_mini_stream_restart (VidgenStream *stream);
gboolean vidgen_mini_stream_set_picture (VidgenStream *stream,
    const guint8 *rgb, guint width, guint height, guint stride, GError **error);
VidgenChunk *vidgen_mini_stream_next (VidgenStream *stream,
    const VidgenChunkRequest *request, GCancellable *cancellable,
    GError **error);
void vidgen_mini_stream_stats (
    const VidgenStream *stream, VidgenStreamStats *stats);

/* Device memory of one stream. */
guint64 vidgen_mini_stream_bytes (
    const VidgenMiniConfig *config, const VidgenFormat *format);

/* Compiles every pipeline that a stream of this model can need. Errors as
 * vidgen_recorder_compile(). */
gboolean vidgen_mini_stream_warm_up (VidgenMiniModel *model,
    VidgenProgressFunc progress, gpointer user_data, GCancellable *cancellable,
    GError **error);

/* For tests; NULL takes it off. The tap stays the caller's. */
void vidgen_mini_stream_set_tap (VidgenStream *stream, const VidgenTap *tap);
/* For tests and measurements: without tapes everything is recorded each time,
 * and nothing begun ahead. */
void vidgen_mini_stream_set_tapes (VidgenStream *stream, gboolean tapes);
/* For tests; of the stream. */
VidgenRecorder *vidgen_mini_stream_recorder (VidgenStream *stream);

G_END_DECLS
