/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/context.h"
#include "models/mini/loader.h"
#include "models/plan.h"
#include "models/tap.h"

G_BEGIN_DECLS

/* The joint transformer of models/mini/FORMAT.md section 3, and its sampler. */

typedef struct {
  VidgenLinear qkv, text_kv, out, fc1, fc2;
  VidgenSpan modulation_bias; /* [6][D]: modulation.bias + the layer's table */
  VidgenSpan query_scale;     /* [heads] */
} VidgenMiniLayer;

typedef struct {
  VidgenLinear video_in, audio_in, time1, time2, pool, modulation;
  VidgenLinear final_modulation, video_out, audio_out;
  VidgenSpan token_embedding; /* [V + A][D] */
  VidgenSpan times;           /* [sum of steps + 1][time_size] */
  VidgenSpan rotations;       /* [ages][V + A][head / 2][2] */
  VidgenMiniLayer *layers;
} VidgenMiniTransformerWeights;

void vidgen_mini_transformer_list (VidgenMiniTransformerWeights *weights,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader);
void vidgen_mini_transformer_clear (VidgenMiniTransformerWeights *weights);

/* One stream's caches and working memory. D values a row; N = V + A. */
typedef struct {
  const VidgenMiniConfig *config;
  const VidgenMiniTransformerWeights *weights;
  const VidgenTap *tap;

  VidgenSpan states;           /* [text.tokens][text.size] */
  VidgenSpan text_kv;          /* [layers][text.tokens][2 D] */
  VidgenSpan text_key;         /* [layers][text.tokens][D], normalised */
  VidgenSpan modulation;       /* [layers][steps + 1][6 D] */
  VidgenSpan final_modulation; /* [steps + 1][2 D] */
  VidgenSpan key, value;       /* [layers][slots][N][D]; keys as projected */
  VidgenSpan turned;           /* as key; normalised, at this chunk's ages */
  VidgenSpan pooled, time_inner, time_state;
  VidgenSpan h, normed, query_raw, query, mixed, inner;
  VidgenSpan video_x, video_v, video_padded;
  VidgenSpan audio_x, audio_v, audio_padded;
} VidgenMiniTransformer;

void vidgen_mini_transformer_plan (VidgenMiniTransformer *transformer,
    const VidgenMiniConfig *config, VidgenPlan *plan);

/* What depends on the prompt and the schedule alone: keys and values of the
 * text, modulation of every timestep. `states` holds n_text rows. */
void vidgen_mini_transformer_prompt (VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, guint n_text, const VidgenMiniSchedule *schedule);

typedef struct {
  guint64 seed, chunk;
  VidgenSpan position; /* where the chunk is read from, as of VidgenNoise */
  const VidgenMiniSchedule *schedule;
  guint n_text;
  const VidgenMiniView *view;
  VidgenSpan video; /* out: [V][channels * patch^2], standardised */
  VidgenSpan audio; /* out: [A][token_size] */
} VidgenMiniSample;

/* Puts the keys and values of given tokens, video and audio, into the slot of
 * the view, as those of a chunk that was made. The keys that the view sees have
 * been turned. */
void vidgen_mini_transformer_read (VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniSample *sample);

/* Makes the tokens of a chunk and puts its keys and values into its slot. */
void vidgen_mini_transformer_sample (VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniSample *sample);

G_END_DECLS
