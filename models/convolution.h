/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/checkpoint.h"
#include "models/upload.h"
#include "shaders/conv3d.h"

G_BEGIN_DECLS

/* A published convolution as vidgen_conv3d() takes it. */
typedef struct {
  guint in, out, taps, kernel;
  VidgenSpan weight;
  VidgenType type; /* halves stay halves, all else is f32 */
  VidgenSpan bias; /* absent where the layer has none */
} VidgenConvolution;

/* What convolutions are made of: a checkpoint and the upload that will hold
 * them. Lives until the upload has run. */
typedef struct _VidgenConvolutions VidgenConvolutions;

/* Both outlive it. */
VidgenConvolutions *vidgen_convolutions_new (
    VidgenCheckpoint *checkpoint, VidgenUpload *upload);
void vidgen_convolutions_free (VidgenConvolutions *convolutions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenConvolutions, vidgen_convolutions_free)

/* How a layer is published and what becomes of it on the way to the device. */
typedef struct {
  const char *weight, *bias; /* names; bias may be NULL */
  guint in, taps, kernel;    /* [out][in][taps][kernel][kernel], or, unless
                                `over_time`, [out][taps * in][kernel][kernel] */
  gboolean over_time;
  gboolean one_tap; /* only `tap` of the taps is taken */
  guint tap;
  guint out;          /* 0: as many as there are, from `first` on */
  guint first;        /* the first output that is taken */
  const char *before; /* of a 1x1 convolution without bias that comes before
                         this one and is merged into it, or NULL */
  guint before_first; /* the first of its outputs that is taken */
  const float *std, *mean; /* [in]: inputs are to be x * std + mean; or NULL,
                              and with kernel 1 and one tap only */
  float gain, offset;      /* outputs are to be y * gain + offset; gain 0: 1 */
} VidgenConvolutionWish;

/* Checks shapes and lists the layer for upload; *convolution stays where it is.
 * std and mean live until the upload has run. Error: FORMAT, which names the
 * tensor. */
gboolean vidgen_convolutions_add (VidgenConvolutions *convolutions,
    VidgenConvolution *convolution, const VidgenConvolutionWish *wish,
    GError **error);
/* A vector of `count` values, whatever its dimensions of 1. */
gboolean vidgen_convolutions_add_vector (VidgenConvolutions *convolutions,
    VidgenSpan *span, const char *name, guint count, GError **error);

/* After the upload: whether all values were finite. Error: FORMAT. */
gboolean vidgen_convolutions_check (
    const VidgenConvolutions *convolutions, GError **error);

/* Records the layer; of `conv` everything that the layer knows is set, and
 * `scale` where it is 0. */
void vidgen_convolve (VidgenRecorder *recorder,
    const VidgenConvolution *convolution, VidgenConv3d conv);

G_END_DECLS
