/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* Overlap-add of the noise, the tones, and the way of the two channels to left
 * and right (see shaders/bands.h):
 *
 *   sample n of frame i = noise[i-1][hop + n] + noise[i][n] + sum over bands of
 *                         A(n) cos (2 pi phase(n))
 *
 * noise: f32 [(frames + 1) * 2][2 hop], frame-major then channel; its first
 * two rows are the last frame of the chunk before: the kernel does not move
 * them, the caller copies rows 2 * frames, 2 * frames + 1 to rows 0, 1 after
 * the launch. levels and phases as vidgen_bands() leaves them.
 * out: f32 [frames * hop][2], left then right, clamped to -1..1: the channels
 * as they are, or (mid + side) / sqrt 2 and (mid - side) / sqrt 2.
 */
typedef struct {
  guint frames, bands, hop;
  float sample_rate;
  gboolean mid_side; /* what the channels are, otherwise left and right */
  VidgenSpan noise;
  VidgenSpan levels;
  VidgenSpan phases;
  VidgenSpan out;
} VidgenWaveform;

void vidgen_waveform (VidgenRecorder *recorder, const VidgenWaveform *waveform);
void vidgen_waveform_reference (const VidgenWaveform *waveform);

G_END_DECLS
