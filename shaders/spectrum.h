/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* Noise spectra from band gains (see shaders/bands.h):
 *
 *   out[frame][channel][k] = sqrt (hop) * gain_k * gauss (index)
 *
 * gain_k is the noise gain of levels[frame + 1] interpolated linearly over the
 * bands' centres at (k + 0.5) * sample_rate / (2 hop) Hz, held at the ends;
 * gauss is the stream of shaders/noise.h at index
 * (frame * 2 + channel) * hop + k. out: f32 [frames * 2][padded], zero from
 * hop on, padded being vidgen_spectrum_padded (hop). hop is a multiple of 2.
 */
typedef struct {
  guint frames, bands, hop;
  float sample_rate;
  guint64 seed;
  guint64 chunk;
  VidgenSpan position; /* as of VidgenNoise; may be absent */
  guint32 purpose;
  VidgenSpan levels; /* f32 [frames + 1][2][bands][3] */
  VidgenSpan edges;  /* f32 [bands + 1], Hz */
  VidgenSpan out;
} VidgenSpectrum;

void vidgen_spectrum (VidgenRecorder *recorder, const VidgenSpectrum *spectrum);
void vidgen_spectrum_reference (const VidgenSpectrum *spectrum);

/* `hop` rounded up to a multiple of 4. */
guint vidgen_spectrum_padded (guint hop);
/* The inverse MDCT with a sine window as a gemm weight: f32 [2 hop][padded],
 * B[n][k] of models/mini/FORMAT.md section 5, zero for k >= hop. */
void vidgen_spectrum_imdct (guint hop, float *weight);

G_END_DECLS
