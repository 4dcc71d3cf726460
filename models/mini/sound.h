/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/carry.h"
#include "models/mini/loader.h"
#include "models/tap.h"

G_BEGIN_DECLS

/* The sound synthesiser of models/mini/FORMAT.md section 5, on the kernels of
 * shaders/bands.h. */

typedef struct {
  VidgenLinear basis;
  VidgenSpan edges; /* [bands + 1], Hz */
  VidgenSpan imdct; /* [2 hop][padded hop] */
} VidgenMiniSoundWeights;

void vidgen_mini_sound_list (VidgenMiniSoundWeights *weights,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader);

typedef struct {
  const VidgenMiniConfig *config;
  const VidgenMiniSoundWeights *weights;
  const VidgenTap *tap;

  VidgenMiniCarry last_levels, last_phases, last_noise;
  VidgenSpan padded;
  VidgenSpan values, levels, phases, spectrum, noise;
  VidgenSpan samples; /* out: [samples][2] */
} VidgenMiniSound;

void vidgen_mini_sound_plan (
    VidgenMiniSound *sound, const VidgenMiniConfig *config, VidgenPlan *plan);

typedef struct {
  VidgenSpan tokens; /* standardised */
  guint64 seed, chunk;
  VidgenSpan position; /* where the chunk is read from, as of VidgenNoise */
  gboolean at_start;   /* silence came before */
  gboolean wanted;     /* or the samples are left out */
} VidgenMiniSounding;

/* Turns the audio tokens of a chunk into samples. Until
 * vidgen_mini_sound_advance() what the chunk before left is kept. */
void vidgen_mini_sound_record (VidgenMiniSound *sound, VidgenRecorder *recorder,
    const VidgenMiniSounding *sounding);
void vidgen_mini_sound_advance (VidgenMiniSound *sound);

G_END_DECLS
