/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/names.h"

G_BEGIN_DECLS

/* The shapes of a T5 encoder whose layers have a position bias each. */
typedef struct {
  guint vocabulary; /* rows of the embedding */
  guint size;       /* of a token's state */
  guint heads, head_size;
  guint inner; /* of the gated layer */
  guint layers;
  guint buckets;  /* of distances, both directions together */
  guint distance; /* from which on all are one bucket */
} VidgenUmt5Config;

typedef enum {
  VIDGEN_UMT5_Q,
  VIDGEN_UMT5_K,
  VIDGEN_UMT5_V,
  VIDGEN_UMT5_O,
  VIDGEN_UMT5_GATE, /* the one that goes through the activation */
  VIDGEN_UMT5_UP,
  VIDGEN_UMT5_DOWN,
  VIDGEN_UMT5_MATRICES
} VidgenUmt5Matrix;

typedef struct {
  const VidgenTensor *weight;
  float scale; /* of scaled 8-bit floats, else 1 */
} VidgenUmt5Weight;

typedef struct {
  VidgenUmt5Weight matrices[VIDGEN_UMT5_MATRICES];
  const VidgenTensor *attention_norm, *inner_norm; /* [size] */
  const VidgenTensor *bias;                        /* [buckets][heads] */
} VidgenUmt5LayerWeights;

typedef struct {
  VidgenUmt5Config config;
  VidgenUmt5Weight embedding;
  const VidgenTensor *norm;
  VidgenUmt5LayerWeights *layers;
} VidgenUmt5Weights;

/* Whether the tensors are of such an encoder, in any of the layouts: Wan's own,
 * that of transformers (Comfy's too) or llama.cpp's. */
gboolean vidgen_umt5_weights_probe (const VidgenNames *names);

/* Finds all tensors and checks their shapes; no value is read but scales. `max
 * distance` is that of `config`, JSON as transformers publish it, which may be
 * NULL. The tensors live as long as `names`. Errors: FORMAT, naming `file` and
 * tensor. */
gboolean vidgen_umt5_weights_find (VidgenUmt5Weights *weights,
    const VidgenNames *names, const char *file, GBytes *config, GError **error);
void vidgen_umt5_weights_clear (VidgenUmt5Weights *weights);

/* SHA-256 of the tensors' names, types, shapes and of parts of their values. */
void vidgen_umt5_weights_sum (const VidgenUmt5Weights *weights, GChecksum *sum);

/* The bucket of a key `distance` tokens after the query (Raffel et al.,
 * "Exploring the Limits of Transfer Learning", 2020). */
guint vidgen_umt5_bucket (const VidgenUmt5Config *config, gint distance);

G_END_DECLS
