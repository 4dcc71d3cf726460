/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* The parametric band synthesiser, in three kernels and one matrix product. Mid and side are the two
 * channels throughout; a frame is `hop` samples.
 *
 * A stream keeps levels and phases in device memory, zeroed at the start. The
 * work of a chunk: vidgen_bands, vidgen_spectrum, a gemm of the
 * spectrum with vidgen_spectrum_imdct() as weight, vidgen_waveform.
 */

#define VIDGEN_BAND_KINDS 3 /* level, tonality, tonality * offset */

/* Levels of one frame, f32 [frames + 1][2][bands][3]: noise gain, tone
 * amplitude, tone frequency in Hz; row 0 is the last frame of the chunk before
 * and is carried over by vidgen_bands itself. */

/* Values to levels, and the phases at which each frame's tones begin.
 *
 * values: f32 [frames][3][2][bands]. edges: f32 [bands + 1], Hz.
 * levels: f32 [frames + 1][2][bands][3], in place: row `frames` moves to row 0
 * first, so a zeroed buffer starts a stream.
 * phases: f32 [frames + 1][2][bands], cycles in 0..1: the phase at the start
 * of each frame; row `frames` moves to row 0 first.
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

G_END_DECLS
