/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/checkpoint.h"
#include "models/upload.h"
#include "shaders/runtime/recorder.h"

G_BEGIN_DECLS

/* What turns latents into pictures, one latent frame after the other, with
 * bounded caches. Two kinds of objects: a decoder is the weights (opened from a
 * checkpoint, put on a device, immutable then, shared by streams); a decoder
 * stream is one stream's caches and working memory (one thread at a time).
 *
 * All decoders here take 16 channels, make pictures of 8 times the latent's
 * width and height, and of a stream's first latent VIDGEN_DECODER_FIRST
 * pictures, of every other one VIDGEN_DECODER_STEPS.
 */
typedef struct _VidgenDecoder VidgenDecoder;
typedef struct _VidgenDecoderStream VidgenDecoderStream;

#define VIDGEN_DECODER_CHANNELS 16
#define VIDGEN_DECODER_SCALE 8
#define VIDGEN_DECODER_FIRST 1
#define VIDGEN_DECODER_STEPS 4

/* Tells the kind by the checkpoint's tensors and checks their shapes; reads no
 * values. Holds a reference of the checkpoint. Error: FORMAT. */
VidgenDecoder *vidgen_decoder_open (
    VidgenCheckpoint *checkpoint, GError **error);
void vidgen_decoder_free (VidgenDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenDecoder, vidgen_decoder_free)

/* Whether the checkpoint is one of a decoder. Cheap. */
gboolean vidgen_decoder_probe (const VidgenCheckpoint *checkpoint);

/* "taehv", "wan-vae" */
const char *vidgen_decoder_kind (const VidgenDecoder *decoder);
/* Latents that a picture depends on beside its own: a stream that was started
 * anew this many latents earlier gives the same pictures. */
guint vidgen_decoder_reach (const VidgenDecoder *decoder);
/* Device memory of the weights, and of a stream of latents of this size. */
guint64 vidgen_decoder_bytes (const VidgenDecoder *decoder);
guint64 vidgen_decoder_stream_bytes (
    const VidgenDecoder *decoder, guint columns, guint rows);

/* Puts the weights on `device`. Errors as vidgen_upload_run(). */
gboolean vidgen_decoder_load (VidgenDecoder *decoder, VidgenDevice *device,
    VidgenUploadProgress progress, gpointer user_data,
    GCancellable *cancellable, GError **error);

/* A stream of a loaded decoder, which outlives it, at its first latent; all
 * memory is allocated here. Error: NO_MEMORY. */
VidgenDecoderStream *vidgen_decoder_stream_new (
    VidgenDecoder *decoder, guint columns, guint rows, GError **error);
void vidgen_decoder_stream_free (VidgenDecoderStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenDecoderStream, vidgen_decoder_stream_free)

/* Forgets all latents. `at_start`: the next one is the first of all; otherwise
 * it comes from the middle, and pictures are right once `reach` latents have
 * been decoded. */
void vidgen_decoder_stream_reset (
    VidgenDecoderStream *stream, gboolean at_start);

/* Records the decoding of the next latent, f32 [rows][columns][16], normalised
 * as the transformer works with it. *rgb, f32 [pictures][height][width][3], -1
 * black to 1 white, perhaps a little beyond, is in the stream's memory and
 * lasts until the next record. Returns the number of pictures. When the
 * recorder fails the caches are undefined and the stream is to be reset. */
guint vidgen_decoder_stream_record (VidgenDecoderStream *stream,
    VidgenRecorder *recorder, VidgenSpan latent, VidgenSpan *rgb);

/* For what was recorded on tapes: where the stream is in what it repeats.
 * Streams of one decoder and size record the same for the next latent where
 * this is the same, but for whose memory it is. Of a stream's latents there are
 * VIDGEN_DECODER_PHASES at most, and from the fourth on it is one of two in
 * turns. */
#define VIDGEN_DECODER_PHASES 10
guint vidgen_decoder_stream_phase (const VidgenDecoderStream *stream);
/* The next latent is decoded by what was recorded in the same phase. */
void vidgen_decoder_stream_skip (VidgenDecoderStream *stream);

G_END_DECLS
