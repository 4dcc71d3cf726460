/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

#define VIDGEN_CONV3D_TAPS 3

/* One image of a convolution over time, channels last, zero padding, stride 1,
 * as an implicit matrix product (no patches in memory):
 *
 *   y[r][c][o] = act (bias[o] + residual[r][c][o] +
 *       sum weight[o][tap][i][ky][kx] *
 *           x[tap][(r + ky - p) / scale][(c + kx - p) / scale][i])
 *
 * x are the images [height][width][in_channels] of `taps` moments, in the order
 * of the weight's taps; which moments those are, and where their images lie, is
 * the caller's affair, so that a causal layer that streams keeps the images of
 * the moments before in any places. An absent image is one of zeros and costs
 * nothing. y is [scale height][scale width][out_channels]: scale 2 is nearest
 * upsampling before the convolution, of which nothing is stored. kernel is 1 or
 * 3, p = (kernel - 1) / 2; scale is 1 or 2, with kernel 3 only.
 *
 * Rows `first_row` to `first_row + rows - 1` of y are made (rows = 0: all from
 * there on); residual and out begin at row `first_row`.
 *
 * The last of x may hold only some rows, enough for those that are made, from
 * row `x_row` of its image on. x is F32 or F16; where `packed` is set, all but
 * the last are packed by vidgen_pixelpack() instead. out and residual are F32
 * or F16, of which F16 takes an even number of out_channels; in F16 what is
 * beyond 65504 becomes that. in_channels is a multiple of 4. weight is packed
 * by vidgen_conv2d_pack() from [out_channels] [taps *
 * in_channels][kernel][kernel], F32 or F16. bias (f32) and residual may be
 * absent; act is relu or nothing. out overlaps nothing that is read but may be
 * residual.
 */
typedef struct {
  guint height, width;
  guint in_channels, out_channels;
  guint taps;
  guint kernel;
  guint scale;
  guint first_row, rows;
  VidgenSpan x[VIDGEN_CONV3D_TAPS];
  guint x_row;
  VidgenType type;
  gboolean packed;
  VidgenSpan weight;
  VidgenType weight_type;
  VidgenSpan bias;
  VidgenSpan residual;
  gboolean relu;
  VidgenSpan out;
  VidgenType out_type;
} VidgenConv3d;

void vidgen_conv3d (VidgenRecorder *recorder, const VidgenConv3d *conv);
void vidgen_conv3d_reference (const VidgenConv3d *conv);

G_END_DECLS
