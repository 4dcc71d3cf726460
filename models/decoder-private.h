/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/convolution.h"
#include "models/decoder.h"
#include "models/pool.h"

G_BEGIN_DECLS

/* Images are kept as floats where weights are and those of a stream take no
 * more than this, else as halves. */
#define VIDGEN_DECODER_MAX_FLOAT_BYTES (G_GUINT64_CONSTANT (512) << 20)

/* What a kind of decoder implements; models/decoder.c does the rest. */
typedef struct {
  const char *name;
  guint reach;
  gboolean (*probe) (const VidgenCheckpoint *checkpoint);
  /* An empty decoder, and its weights listed in it. */
  VidgenDecoder *(*create) (void);
  gboolean (*list) (VidgenDecoder *decoder, GError **error);
  void (*free) (VidgenDecoder *decoder);

  /* A stream whose buffers are wished for in its pool. */
  VidgenDecoderStream *(*stream_create) (
      const VidgenDecoder *decoder, guint columns, guint rows);
  void (*stream_free) (VidgenDecoderStream *stream);
  void (*stream_forget) (VidgenDecoderStream *stream);
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
};

struct _VidgenDecoderStream {
  const VidgenDecoder *decoder;
  guint columns, rows;
  VidgenPool *pool;
  gboolean at_start; /* the next latent is the first of all */
};

extern const VidgenDecoderKind vidgen_taehv_kind;
extern const VidgenDecoderKind vidgen_wan_vae_kind;

/* The standardisation of the latents that Wan's decoders were trained on. */
extern const float vidgen_wan_latent_mean[VIDGEN_DECODER_CHANNELS];
extern const float vidgen_wan_latent_std[VIDGEN_DECODER_CHANNELS];

G_END_DECLS
