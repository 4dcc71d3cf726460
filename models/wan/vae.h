/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/decoder-private.h"

G_BEGIN_DECLS

/* The decoder of Wan 2.1's variational autoencoder, of the published code
 * (wan/modules/vae.py) or of diffusers (AutoencoderKLWan), which differ in
 * names only. A middle of two residual blocks around attention over each
 * frame, then four stages, of which the first three double the size and the
 * first two also the frames. Every convolution over time sees the two frames
 * before its own; numbers of channels and blocks are the checkpoint's.
 *
 * A stream keeps, of every convolution over time but the last, the inputs of
 * the two frames before, and of the last one two sums of three channels. It
 * works by strips of rows between images that take each other's place. All that
 * is f32 where weights are and it takes at most VIDGEN_DECODER_MAX_FLOAT_BYTES,
 * else f16. Where that would take more than VIDGEN_DECODER_MAX_HALF_BYTES, a
 * GiB, as at 832x480, the inputs that blocks keep are packed into bytes
 * (shaders/pixelpack.h), which takes about half: of each pixel its lowest value
 * and its range as halves, of each channel the square root of where in the
 * range it lies, so that a value is off by 1/255 of its pixel's range at most.
 * On random weights that costs less than 2 % of any picture and 1 % of all
 * together, as L2 norms (vae-packed in tests/models/decoders.c); a picture
 * depends on the latents of vidgen_decoder_reach() only, so that it does not
 * add up over time. /decoders/memory there holds a stream of 832x480 to a GiB.
 */

#define VIDGEN_WAN_VAE_STAGES 4
#define VIDGEN_WAN_VAE_MAX_BLOCKS 8

typedef struct {
  VidgenSpan gain1, gain2;
  VidgenConvolution conv1, conv2;
  VidgenConvolution shortcut; /* where the channels change */
} VidgenWanVaeBlock;

typedef struct {
  guint n_blocks;
  VidgenWanVaeBlock blocks[VIDGEN_WAN_VAE_MAX_BLOCKS];
  guint in, out;             /* channels */
  gboolean grows;            /* in time */
  VidgenConvolution time[2]; /* by the frame that it makes */
  VidgenConvolution up;      /* but in the last stage */
} VidgenWanVaeStage;

typedef struct {
  VidgenDecoder decoder;
  VidgenConvolution unquantise; /* of the normalised latent */
  VidgenConvolution in;
  VidgenWanVaeBlock middle[2];
  VidgenSpan attention_gain;
  VidgenConvolution qkv, project;
  VidgenWanVaeStage stages[VIDGEN_WAN_VAE_STAGES];
  VidgenSpan out_gain;
  VidgenConvolution out[3]; /* what a frame gives the picture two after it,
                               the next one, and its own */
} VidgenWanVae;

gboolean vidgen_wan_vae_probe (const VidgenCheckpoint *checkpoint);
/* Lists the weights for upload. Error: FORMAT. */
gboolean vidgen_wan_vae_list (VidgenWanVae *vae, GError **error);

G_END_DECLS
