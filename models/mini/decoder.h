/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/block.h"
#include "models/mini/carry.h"
#include "models/tap.h"

G_BEGIN_DECLS

/* The streaming video decoder of models/mini/FORMAT.md section 4. What it
 * remembers of the chunks before are two feature maps; they depend on the two
 * chunks before and on nothing older. */

#define VIDGEN_MINI_DECODER_REACH 2

typedef struct {
  VidgenMiniConv in, up1, up2, out;
  VidgenMiniConv up3, wide; /* where the config has decoder.wide */
  VidgenMiniBlock blocks[4];
  VidgenSpan mean, std; /* [padded video values] */
} VidgenMiniDecoderWeights;

void vidgen_mini_decoder_list (VidgenMiniDecoderWeights *weights,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader);

typedef struct {
  const VidgenMiniConfig *config;
  const VidgenMiniDecoderWeights *weights;
  const VidgenTap *tap;
  gboolean wide; /* the size of its pictures, of a config with decoder.wide */

  VidgenMiniCarry memory1, memory3;
  VidgenSpan padded; /* tokens, where they need padding */
  VidgenSpan latent;
  /* [1 + steps][height][width][channels]: the frame before, then the chunk's */
  VidgenSpan input1, input3;
  VidgenSpan inner1, output1, inner2, output2;
  VidgenSpan inner3, output3;
  VidgenSpan input4, inner4, output4;
  VidgenSpan widened;
  VidgenSpan rgb; /* out: [4][height][width][3] */
} VidgenMiniDecoder;

/* The size of pictures. */
guint vidgen_mini_decoder_width (const VidgenMiniDecoder *decoder);
guint vidgen_mini_decoder_height (const VidgenMiniDecoder *decoder);

/* `wide` and `config` are set. */
void vidgen_mini_decoder_plan (VidgenMiniDecoder *decoder, VidgenPlan *plan);

/* Decodes the standardised tokens of a chunk into rgb. `at_start`: nothing is
 * remembered. Until vidgen_mini_decoder_advance() the memory of the chunk
 * before is kept. */
void vidgen_mini_decoder_record (VidgenMiniDecoder *decoder,
    VidgenRecorder *recorder, VidgenSpan tokens, gboolean at_start);
/* The launches of the size that is not its own, for a recorder that prepares;
 * nothing if there is none. */
void vidgen_mini_decoder_prepare_other (
    const VidgenMiniDecoder *decoder, VidgenRecorder *recorder);
/* What comes next follows the chunk that was recorded. */
void vidgen_mini_decoder_advance (VidgenMiniDecoder *decoder);

G_END_DECLS
