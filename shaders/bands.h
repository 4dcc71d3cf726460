/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* A parametric band synthesiser of stereo sound, in three kernels and one
 * matrix product; models/mini/FORMAT.md section 5 has the maths. The two
 * channels are left and right, or mid and side, which vidgen_waveform() alone
 * tells apart; a frame is `hop` samples, and a (band, channel) pair has noise over the whole band and one tone within it.
 *
 * The work of a chunk: vidgen_bands(), vidgen_spectrum(), a gemm of the
 * spectrum with vidgen_spectrum_imdct() as weight, vidgen_waveform(). A stream
 * keeps levels, phases and the last frame of the noise in device memory,
 * zeroed at its start.
 */

#define VIDGEN_BAND_KINDS 3  /* level in dB, tonality, tonality * offset */
#define VIDGEN_BAND_LEVELS 3 /* noise gain, tone amplitude, tone Hz */

/* Values to levels, and the phases at which each frame's tones begin.
 *
 * values: f32 [frames][VIDGEN_BAND_KINDS][2][bands].
 * edges: f32 [bands + 1], Hz, rising.
 * levels: f32 [frames + 1][2][bands][VIDGEN_BAND_LEVELS]. Row i + 1 is frame i;
 * row 0 is the last frame of the chunk before: row `frames` moves there first.
 * phases: f32 [frames + 1][2][bands], cycles in 0..1: row i is the phase at
 * the start of frame i; row `frames` moves to row 0 first.
 */
typedef struct {
  guint frames, bands, tonal_bands, hop;
  float sample_rate;
  float tonality_floor;
  VidgenSpan values;
  VidgenSpan edges;
  VidgenSpan levels;
  VidgenSpan phases;
} VidgenBands;

void vidgen_bands (VidgenRecorder *recorder, const VidgenBands *bands);
void vidgen_bands_reference (const VidgenBands *bands);

/* The frequencies in Hz from which and to which a tone glides between two of
 * its levels (float [VIDGEN_BAND_LEVELS]): a silent end takes the other's, two
 * silent ends give 0. For the references. */
void vidgen_band_glide (
    const float *before, const float *after, double *from_hz, double *to_hz);

G_END_DECLS
