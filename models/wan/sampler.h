/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/wan/transformer.h"

G_BEGIN_DECLS

/* How noise becomes latents. x = (1 - sigma) * latents + sigma * noise, and the
 * network gives noise - latents at the time 1000 * sigma. */

typedef struct {
  guint n_steps;
  double sigmas[VIDGEN_WAN_MAX_STEPS]; /* and a 0 after the last */
  gboolean whole_times;
} VidgenWanSchedule;

/* `n_steps` even steps from 1 down, of which 0 would be the next, moved by
 * `shift`: sigma becomes shift * sigma / (1 + (shift - 1) * sigma). With shift
 * 5 that is what the few-step students were trained for: 1, 0.9375, 0.8333 and
 * 0.625 in four steps. */
void vidgen_wan_schedule_init (
    VidgenWanSchedule *schedule, guint n_steps, double shift);
/* The steps that the model the students come from takes: from 0.999 down, and
 * the network is told of whole times only. */
void vidgen_wan_schedule_init_clip (
    VidgenWanSchedule *schedule, guint n_steps, double shift);

/* Records the modulation of a schedule's times, and after them that of
 * `context_time`. */
void vidgen_wan_schedule_set (const VidgenWanSchedule *schedule,
    double context_time, VidgenWanTransformer *transformer,
    VidgenRecorder *recorder);

/* Latents of one chunk while it is made. */
typedef struct {
  VidgenSpan x, v;
  VidgenSpan clean;          /* out */
  VidgenSpan start, data[3]; /* of clips only */
} VidgenWanLatents;

void vidgen_wan_latents_plan (VidgenWanLatents *latents,
    const VidgenWanShape *shape, gboolean clip, VidgenPlan *plan, guint first,
    guint last);

typedef struct {
  guint64 seed, chunk;
  VidgenSpan position;  /* where the chunk is read from, as of VidgenNoise */
  VidgenSpan positions; /* the view's, as of VidgenWanPass */
  const VidgenWanSchedule *schedule; /* that was set */
  const VidgenWanView *view;
  double guidance; /* of a clip; 1: none */
  const VidgenTap *tap;
} VidgenWanSample;

/* Makes a chunk as the causal students do: each step estimates clean latents,
 * which fresh noise takes to the next step (Yin et al., "Improved Distribution
 * Matching Distillation", 2024); a last pass over them leaves their keys and
 * values in the cache. */
void vidgen_wan_sample_chunk (const VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, const VidgenWanLatents *latents,
    const VidgenWanSample *sample);

/* Makes a clip as the model they come from does: by the solver of
 * models/wan/unipc.h, guided away from prompt 1 (Ho and Salimans,
 * "Classifier-Free Diffusion Guidance", 2022). */
void vidgen_wan_sample_clip (const VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, const VidgenWanLatents *latents,
    const VidgenWanSample *sample);

G_END_DECLS
