/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/convolution.h"
#include "models/decoder.h"
#include "models/plan.h"
#include "models/pool.h"

G_BEGIN_DECLS

/* Images are kept as floats where weights are and those of a stream take no
 * more than this, else as halves. */
#define VIDGEN_DECODER_MAX_FLOAT_BYTES (G_GUINT64_CONSTANT (512) << 20)
/* What is kept of frames before is packed into bytes where halves would take
 * more than this. */
#define VIDGEN_DECODER_MAX_HALF_BYTES (G_GUINT64_CONSTANT (1) << 30)
/* About the size of buffers for the strips of rows that work goes by. */
#define VIDGEN_DECODER_STRIP_BYTES (G_GUINT64_CONSTANT (4) << 20)

/* Latents after which the places of what is remembered repeat every two. */
#define VIDGEN_DECODER_SETTLED 3

/* What a kind of decoder implements; models/decoder.c does the rest. */
typedef struct {
  const char *name;
  guint reach;
  gboolean (*probe) (const VidgenCheckpoint *checkpoint);
  /* An empty decoder, and its weights listed in it. */
  VidgenDecoder *(*create) (void);
  gboolean (*list) (VidgenDecoder *decoder, GError **error);
  void (*free) (VidgenDecoder *decoder);

  /* A stream whose buffers are wished for in its pool and plan. */
  VidgenDecoderStream *(*stream_create) (
      const VidgenDecoder *decoder, guint columns, guint rows);
  void (*stream_free) (VidgenDecoderStream *stream);
  /* Makes what is remembered that of `n_latents` of the stream, that is where
   * it lies: from VIDGEN_DECODER_SETTLED on, any two more make no difference.
   */
  void (*stream_place) (VidgenDecoderStream *stream);
  /* Makes the pictures of one latent, from picture `skip` of
   * VIDGEN_DECODER_STEPS on. */
  VidgenSpan (*stream_record) (VidgenDecoderStream *stream,
      VidgenRecorder *recorder, VidgenSpan latent, guint skip);
} VidgenDecoderKind;

/* Kinds embed these as the first member of their own structs. */
struct _VidgenDecoder {
  const VidgenDecoderKind *kind;
  VidgenCheckpoint *checkpoint;
  VidgenUpload *upload;
  VidgenConvolutions *convolutions;
  VidgenDevice *device; /* NULL until loaded */
  GPtrArray *memories;
  /* As above, for tests to change. */
  guint64 max_float_bytes, max_half_bytes, strip_bytes;
};

struct _VidgenDecoderStream {
  const VidgenDecoder *decoder;
  guint columns, rows;
  VidgenPool *pool;
  VidgenPlan *plan;    /* of what does not outlive a frame; may be NULL */
  gboolean from_start; /* the first latent was, or is, the first of all */
  guint n_latents;     /* since then, by twos less where that is the same */
};

/* What pool and plan take; and to plan anew. */
guint64 vidgen_decoder_planned_bytes (const VidgenDecoderStream *stream);
void vidgen_decoder_drop_plan (VidgenDecoderStream *stream);

extern const VidgenDecoderKind vidgen_taehv_kind;
extern const VidgenDecoderKind vidgen_wan_vae_kind;

/* The standardisation of the latents that Wan's decoders were trained on. */
extern const float vidgen_wan_latent_mean[VIDGEN_DECODER_CHANNELS];
extern const float vidgen_wan_latent_std[VIDGEN_DECODER_CHANNELS];

G_END_DECLS
