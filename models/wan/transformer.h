/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/plan.h"
#include "models/tap.h"
#include "models/wan/context.h"
#include "models/wan/weights.h"

G_BEGIN_DECLS

/* The transformer of Wan 2.1 and of its causal students (Wan et al., 2025;
 * Huang et al., "Self Forcing", 2025), over a cache of keys and values.
 *
 * Latents are f32 [frames][rows][columns][16 * 2 * 2], the values of a token in
 * the order channel, row, column. Keys are cached before they turn, so that
 * their positions can change. Cached keys and values, those of the text too,
 * are of the shape's type; everything else is f32.
 */

#define VIDGEN_WAN_MAX_STEPS 64
#define VIDGEN_WAN_MAX_PROMPTS                                                 \
  2 /* the prompt, and the one guided away from                                \
     */

/* How a stream uses the network. */
typedef struct {
  guint columns, rows; /* of tokens in a frame */
  guint chunk;         /* frames that are made at once */
  guint piece;  /* frames that a layer works on at once: runs are no longer */
  guint window; /* frames that the cache holds */
  guint prompts;
  VidgenType type;  /* of cached keys and values, F32 or F16 */
  gboolean keeps;   /* the cache serves later chunks; else one layer's memory
                       serves all layers */
  guint max_frames; /* of one pass: chunk, or window where frames in the cache
                       are made anew */
} VidgenWanShape;

/* Keys and values of one layer, or of the text. */
typedef struct {
  VidgenSpan key, value;
} VidgenWanCache;

typedef struct {
  const VidgenWanConfig *config;
  const VidgenWanWeights *weights;
  const VidgenTap *tap;
  VidgenWanShape shape;

  GPtrArray *memories;        /* of what follows, down to `places` */
  VidgenWanCache *self;       /* by layer: [window][rows * columns][size] */
  VidgenWanCache *cross;      /* by prompt and layer: [text_rows][size] */
  VidgenSpan modulation;      /* [layers][times][6 size] */
  VidgenSpan head_modulation; /* [times][2 size] */
  VidgenSpan places;          /* [rows * columns][2 place pairs][2]: cos, sin */
  VidgenMemory *upload;
  guint n_times;

  VidgenSpan positions; /* [window][time pairs][2] */
  VidgenSpan states, text, text_inner;
  VidgenSpan times, time_inner, time_state, time_active, time_parts;
  VidgenSpan h;      /* [max_frames][rows * columns][size] */
  VidgenSpan turned; /* [window][rows * columns][size], as cached */
  VidgenSpan normed, query, mixed; /* [piece][rows * columns][size] */
  VidgenSpan inner;                /* [piece][rows * columns][ffn] */
} VidgenWanTransformer;

/* Device memory of a transformer of this shape. */
guint64 vidgen_wan_transformer_bytes (
    const VidgenWanConfig *config, const VidgenWanShape *shape);

/* What lives during a pass only is added to `plan`, from `first` to `last`;
 * the rest is allocated by vidgen_wan_transformer_allocate(). */
void vidgen_wan_transformer_plan (VidgenWanTransformer *transformer,
    const VidgenWanConfig *config, const VidgenWanShape *shape,
    VidgenPlan *plan, guint first, guint last);
/* Error: NO_MEMORY. */
gboolean vidgen_wan_transformer_allocate (
    VidgenWanTransformer *transformer, VidgenDevice *device, GError **error);
void vidgen_wan_transformer_clear (VidgenWanTransformer *transformer);

/* Records what depends on the times alone: the modulation of `n_times` times,
 * 0 to 1000. Until the recorder is finished no other call may follow on this
 * transformer that gives times. */
void vidgen_wan_transformer_set_times (VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, const double *times, guint n_times);

/* Records what depends on the prompt alone: keys and values of the text.
 * `states` is [n_rows][text_size]; likewise. */
void vidgen_wan_transformer_set_prompt (VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, guint prompt, const float *states, guint n_rows);

/* One evaluation. `x` and `v` are latents of the view's frames. Without `v`
 * only keys and values are made, of which the last layer's end the pass. */
typedef struct {
  const VidgenWanView *view;
  guint time; /* by its place among the times */
  guint prompt;
  VidgenSpan x, v;
  VidgenSpan positions; /* where they are read from when the pass runs, as
                           vidgen_wan_transformer_write_positions() leaves them;
                           or absent: they are written now */
  guint place; /* 0 or 1: where to, of the two areas of the upload buffer; a
                  recording uses each for one view */
  const char *name; /* for taps; NULL: none */
} VidgenWanPass;

void vidgen_wan_transformer_record (const VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, const VidgenWanPass *pass);

/* What was made for the cache, f32 rows, into it; nothing is done where it was
 * made there, since the cache is f32. */
void vidgen_wan_transformer_keep (const VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, guint rows, VidgenSpan made, VidgenSpan cached);

/* The area of the upload buffer that carries positions of `n_slots` slots. */
VidgenSpan vidgen_wan_transformer_positions (
    const VidgenWanTransformer *transformer, guint place, guint n_slots);
/* Bytes of `n_slots` slots' positions, and those of a view's. */
guint64 vidgen_wan_transformer_positions_bytes (
    const VidgenWanConfig *config, guint n_slots);
void vidgen_wan_transformer_write_positions (
    const VidgenWanConfig *config, const VidgenWanView *view, float *out);
/* (cos, sin) of the `index`th of `pairs` angles of an axis at `position`. */
void vidgen_wan_transformer_turn (
    double position, guint index, guint pairs, float out[2]);

G_END_DECLS
