/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/linear.h"
#include "models/lora.h"
#include "models/upload.h"
#include "models/wan/config.h"

G_BEGIN_DECLS

/* The transformer's weights on a device; immutable once they are there. */

typedef struct {
  VidgenLinear q, k, v, out;
  VidgenSpan q_gain, k_gain; /* [size] */
} VidgenWanAttention;

typedef struct {
  VidgenWanAttention self, cross;
  VidgenSpan cross_gain, cross_shift; /* [size]: of the norm before `cross` */
  VidgenLinear fc1, fc2;
  VidgenSpan modulation; /* [6][size] */
} VidgenWanBlock;

/* Values that are put in another order on their way. */
typedef struct {
  const VidgenTensor *tensor;
  float scale;
  VidgenUploadEdit edit;
} VidgenWanPart;

typedef struct {
  VidgenLinear patch, text1, text2, time1, time2, time_projection;
  VidgenLinear head;          /* its rows in the order of a token's values */
  VidgenSpan head_modulation; /* [2][size] */
  VidgenWanBlock *blocks;
  guint n_blocks;
  VidgenWanPart head_weight, head_bias;
} VidgenWanWeights;

/* Finds every tensor by its original name and checks its shape, and lists it
 * in `upload`, on which the spans then wait; `loras` (ended by NULL, may be
 * NULL) are merged into them on the way and stay until then. Error: FORMAT,
 * naming the tensor. */
gboolean vidgen_wan_weights_list (VidgenWanWeights *weights,
    const VidgenWanConfig *config, const VidgenNames *names,
    VidgenLora *const *loras, VidgenUpload *upload, GError **error);
void vidgen_wan_weights_clear (VidgenWanWeights *weights);

G_END_DECLS
