/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/wan/vae.h"

G_BEGIN_DECLS

/* One stream of the decoder, and what its parts share. */

/* What a causal convolution saw: its inputs of the two frames before. */
typedef struct {
  VidgenSpan frames[2];
  gboolean packed; /* into bytes */
  guint newest;
  guint held;
} VidgenWanVaePast;

typedef struct {
  VidgenWanVaePast first, second;
} VidgenWanVaeBlockPast;

typedef struct {
  VidgenWanVaeBlockPast blocks[VIDGEN_WAN_VAE_MAX_BLOCKS];
  VidgenWanVaePast time;
  VidgenSpan entry;   /* room for what enters the level */
  VidgenSpan widened; /* its image, where that has other channels */
  VidgenSpan grown;   /* a frame that growing in time has made */
  /* Rows of a block's inputs, of what its first convolution makes of them, and
   * of that as its second one takes it. */
  VidgenSpan inputs, made, middles;
} VidgenWanVaeLevel;

typedef struct {
  VidgenDecoderStream stream;
  VidgenType type;
  gboolean packed; /* large pasts are packed into bytes */
  VidgenWanVaePast in;
  VidgenSpan latent;
  VidgenWanVaeBlockPast middle[2];
  VidgenWanVaeLevel levels[VIDGEN_WAN_VAE_STAGES];
  /* What the frames before give the next picture and the one after it. */
  VidgenSpan sums[2];
  guint pictures_held;
  VidgenSpan qkv, attended;
  VidgenSpan rgb;
  guint pictures;
  gboolean is_first;
} VidgenWanVaeStream;

static inline guint
vidgen_wan_vae_rows (const VidgenWanVaeStream *self, guint level)
{
  return self->stream.rows << level;
}

static inline guint
vidgen_wan_vae_width (const VidgenWanVaeStream *self, guint level)
{
  return self->stream.columns << level;
}

static inline guint64
vidgen_wan_vae_pixels (const VidgenWanVaeStream *self, guint level)
{
  return (guint64)vidgen_wan_vae_rows (self, level) *
         vidgen_wan_vae_width (self, level);
}

static inline guint64
vidgen_wan_vae_row_bytes (
    const VidgenWanVaeStream *self, guint level, guint channels)
{
  return vidgen_type_size (
      self->type, (guint64)vidgen_wan_vae_width (self, level) * channels);
}

static inline const VidgenWanVae *
vidgen_wan_vae_weights (const VidgenWanVaeStream *self)
{
  return (const VidgenWanVae *)self->stream.decoder;
}

static inline const VidgenWanVaeStage *
vidgen_wan_vae_stage (const VidgenWanVaeStream *self, guint level)
{
  return &vidgen_wan_vae_weights (self)->stages[level];
}

/* Whether the level's image is doubled as it is, and nothing else needs it. */
static inline gboolean
vidgen_wan_vae_doubles (const VidgenWanVaeStream *self, guint level)
{
  return level + 1 < VIDGEN_WAN_VAE_STAGES &&
         !vidgen_wan_vae_stage (self, level)->grows;
}

static inline guint64
vidgen_wan_vae_image_bytes (
    const VidgenWanVaeStream *self, guint level, guint channels)
{
  return vidgen_wan_vae_rows (self, level) *
         vidgen_wan_vae_row_bytes (self, level, channels);
}

/* Where things lie, vae-plan.c. */

/* A stream whose buffers are wished for; images are halves, and large pasts
 * packed, where memory would otherwise be more than the decoder says. */
VidgenDecoderStream *vidgen_wan_vae_stream_create (
    const VidgenDecoder *decoder, guint columns, guint rows);
/* Of a row that is kept. */
guint64 vidgen_wan_vae_past_row_bytes (const VidgenWanVaeStream *self,
    const VidgenWanVaePast *past, guint level, guint channels);
/* Rows that a strip makes. */
guint vidgen_wan_vae_strip_rows (const VidgenWanVaeStream *self, guint level);
/* What enters a level, and the image that it makes of it; one and the same
 * where the channels stay as they are. */
VidgenSpan vidgen_wan_vae_entry (const VidgenWanVaeStream *self, guint level);
VidgenSpan vidgen_wan_vae_image (const VidgenWanVaeStream *self, guint level);

/* Layers and what they remember, vae-block.c. */

/* Rows `first` to `end - 1` of an image. */
VidgenSpan vidgen_wan_vae_cut_rows (const VidgenWanVaeStream *self,
    VidgenSpan image, guint level, guint channels, guint first, guint end);
/* `conv` of an image of the level, from the stream's type to the same. */
void vidgen_wan_vae_convolve (VidgenWanVaeStream *self,
    VidgenRecorder *recorder, const VidgenConvolution *layer, guint level,
    VidgenConv3d conv);
void vidgen_wan_vae_normalise (VidgenWanVaeStream *self,
    VidgenRecorder *recorder, guint pixels, guint channels, VidgenSpan x,
    VidgenSpan gain, VidgenActivation activation, VidgenSpan out);
/* Gives a causal convolution its inputs, of which the newest one is `now`. */
void vidgen_wan_vae_look_back (
    const VidgenWanVaePast *past, VidgenSpan now, VidgenConv3d *conv);
/* Keeps `now` for the frames that follow. */
void vidgen_wan_vae_remember (VidgenWanVaeStream *self,
    VidgenRecorder *recorder, VidgenWanVaePast *past, guint level,
    guint channels, VidgenSpan now);
/* From x into `out`, which is x where the channels stay as they are. */
void vidgen_wan_vae_record_block (VidgenWanVaeStream *self,
    VidgenRecorder *recorder, const VidgenWanVaeBlock *block,
    VidgenWanVaeBlockPast *past, guint level, VidgenSpan x, VidgenSpan out);

G_END_DECLS
