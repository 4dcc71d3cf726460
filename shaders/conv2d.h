/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* Two-dimensional convolution of f32 images, channels last, zero padding,
 * stride 1, as an implicit matrix product (no patches in memory):
 *
 *   y[f][r][c][o] = bias[o] +
 *       sum weight[o][i][ky][kx] * act (in[f][r + ky - p][c + kx - p][i])
 *
 * `in` is [x ; previous] along the channels: x is [frames][height][width]
 * [in_channels], previous the same shape or absent (then weight has
 * in_channels inputs, else twice as many: x's first). To give a streaming
 * block its memory, keep one frame before x and pass that address as
 * previous: x and previous may overlap each other. act is relu or nothing.
 * kernel is 1 or 3, p = (kernel - 1) / 2. weight is packed by
 * vidgen_conv2d_pack(), F32 or F16. bias and residual may be absent; residual
 * has the shape of y and is added to it. out overlaps nothing that is read
 * but may be residual.
 *
 * With shuffle = 1 out is y. With shuffle = 2, and out_channels =
 * steps * C * 4, channel ((step * C + channel) * 2 + dy) * 2 + dx of (f, r, c)
 * becomes out[f * steps + step][2 r + dy][2 c + dx][channel], an image
 * [frames * steps][2 height][2 width][C] (Shi et al., "sub-pixel convolution",
 * 2016; steps turns channels into time), and there is no residual.
 *
 * Fastest where in_channels is a multiple of 4; x and previous then start at
 * multiples of 16 bytes.
 */
typedef struct {
  guint frames, height, width;
  guint in_channels, out_channels;
  guint kernel;
  VidgenSpan x;
  VidgenSpan previous;
  gboolean relu;
  VidgenSpan weight;
  VidgenType weight_type;
  VidgenSpan bias;
  VidgenSpan residual;
  guint shuffle;
  guint steps;
  VidgenSpan out;
} VidgenConv2d;

void vidgen_conv2d (VidgenRecorder *recorder, const VidgenConv2d *conv);
void vidgen_conv2d_reference (const VidgenConv2d *conv);

/* Bytes of a packed weight with `inputs` = all input channels. */
gsize vidgen_conv2d_packed_bytes (
    guint out_channels, guint inputs, guint kernel, VidgenType type);
/* Packs `src`, [out_channels][inputs][kernel][kernel] of `type`, for the
 * kernel above. The reference reads the packed form as well. */
void vidgen_conv2d_pack (guint out_channels, guint inputs, guint kernel,
    VidgenType type, const void *src, void *dst);
/* The inverse, as floats. */
void vidgen_conv2d_unpack (guint out_channels, guint inputs, guint kernel,
    VidgenType type, const void *src, float *dst);

/* Outputs that an invocation makes, and the packed weight keeps together. */
guint vidgen_conv2d_block (guint out_channels);
/* How many lanes of a subgroup fetch weights for one another, a constant of
 * the shader. */
guint vidgen_conv2d_lanes (const VidgenDeviceCaps *caps);

G_END_DECLS
