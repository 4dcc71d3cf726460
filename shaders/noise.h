/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* One step of a sampler, with Gaussian noise made in place:
 *
 *   out[i] = x_factor * x[i] + v_factor * v[i] + noise_factor * n(i)
 *
 * n is a counter-based stream: Philox4x32-10 (Salmon et al., "Parallel Random
 * Numbers: As Easy as 1, 2, 3", 2011) with key (seed low, seed high) and
 * counter (i/4, chunk low, chunk high, purpose), and Box-Muller: with
 * u = (word + 0.5) * 2^-32 of words 0 and 2 and a = word * 2^-32 of words 1
 * and 3, values 0, 1 are sqrt (-2 ln u) * (cos, sin) (2 pi a) of words 0, 1,
 * values 2, 3 of words 2, 3. Thus content depends on (seed, chunk, purpose,
 * i) alone. x and v may be absent (factor ignored); with noise_factor 0 none
 * is computed. Dense f32, count >= 1. out may be x or v. Where there is
 * `position`, two u32, low half first, the chunk is read from there when the
 * launch runs.
 */
typedef struct {
  guint count;
  guint64 seed;
  guint64 chunk;
  VidgenSpan position; /* may be absent */
  guint32 purpose;
  float x_factor, v_factor, noise_factor;
  VidgenSpan x;
  VidgenSpan v;
  VidgenSpan out;
} VidgenNoise;

void vidgen_noise (VidgenRecorder *recorder, const VidgenNoise *noise);
void vidgen_noise_reference (const VidgenNoise *noise);

/* The chunk that `position` holds, or `chunk` where that is absent; on the
 * host.
 */
guint64 vidgen_noise_chunk (VidgenSpan position, guint64 chunk);

/* The stream n alone, on the host: n(first) .. n(first + count - 1). */
void vidgen_noise_fill (guint64 seed, guint64 chunk, guint32 purpose,
    guint first, guint count, float *out);

/* One block of the generator: Philox4x32-10 of `counter` under `key`. */
void vidgen_philox (
    const guint32 counter[4], const guint32 key[2], guint32 words[4]);

G_END_DECLS
