/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/bands.h"

#include <math.h>

#include "bands.spv.h"

#define GROUP_SIZE 32

static const VidgenKernel bands_kernel = VIDGEN_KERNEL (bands);

static void
level_from_values (const VidgenBands *bands, guint frame, guint channel,
    guint band, float level[VIDGEN_BAND_LEVELS])
{
  const float *values = vidgen_span_map (bands->values);
  const float *edges = vidgen_span_map (bands->edges);
  const guint stride = 2 * bands->bands;
  const guint first =
      frame * VIDGEN_BAND_KINDS * stride + channel * bands->bands + band;
  const double decibels = MIN (values[first], 0.0f);
  const double energy = MAX (pow (10.0, decibels / 10.0) - 1e-8, 0.0);
  const double low = edges[band], high = edges[band + 1];
  const double n_bins = (high - low) * 2.0 * bands->hop / bands->sample_rate;
  double tonality = CLAMP (values[first + stride], 0.0f, 1.0f);
  double offset;

  if (tonality < bands->tonality_floor || band >= bands->tonal_bands)
    tonality = 0;
  offset = values[first + 2 * stride] / MAX (tonality, 0.1);
  offset = CLAMP (offset, -1.2, 1.2);

  level[0] = (float)sqrt (energy * (1.0 - tonality) / MAX (n_bins, 0.3));
  level[1] = (float)sqrt (2.0 * energy * tonality);
  level[2] = (float)((low + high) / 2 + (high - low) / 2 * offset);
}

void
vidgen_band_glide (
    const float *before, const float *after, double *from_hz, double *to_hz)
{
  const gboolean starts = before[1] == 0, ends = after[1] == 0;

  *from_hz = starts && ends ? 0 : starts ? after[2] : before[2];
  *to_hz = starts && ends ? 0 : ends ? before[2] : after[2];
}

void
vidgen_bands_reference (const VidgenBands *bands)
{
  const guint row = 2 * bands->bands;
  float *levels = vidgen_span_map (bands->levels);
  float *phases = vidgen_span_map (bands->phases);

  memmove (levels, levels + (gsize)bands->frames * row * VIDGEN_BAND_LEVELS,
      row * VIDGEN_BAND_LEVELS * sizeof *levels);
  memmove (phases, phases + (gsize)bands->frames * row, row * sizeof *phases);
  for (guint frame = 0; frame < bands->frames; frame++) {
    for (guint pair = 0; pair < row; pair++) {
      const float *before = levels + (frame * row + pair) * VIDGEN_BAND_LEVELS;
      float *after = levels + ((frame + 1) * row + pair) * VIDGEN_BAND_LEVELS;
      double from_hz, to_hz, phase;

      level_from_values (
          bands, frame, pair / bands->bands, pair % bands->bands, after);
      vidgen_band_glide (before, after, &from_hz, &to_hz);
      phase = phases[frame * row + pair] +
              bands->hop * (from_hz + to_hz) / 2 / bands->sample_rate;
      phases[(frame + 1) * row + pair] = (float)(phase - floor (phase));
    }
  }
}

static void
reference (const void *params)
{
  vidgen_bands_reference (params);
}

void
vidgen_bands (VidgenRecorder *recorder, const VidgenBands *bands)
{
  const guint64 row_bytes = 4 * 2 * (guint64)bands->bands;
  const guint64 values_bytes = bands->frames * VIDGEN_BAND_KINDS * row_bytes;
  const guint64 phases_bytes = (bands->frames + 1) * row_bytes;
  const guint64 levels_bytes = VIDGEN_BAND_LEVELS * phases_bytes;
  const struct {
    guint64 values, edges, levels, phases;
    guint32 frames, bands, tonal_bands, hop;
    float sample_rate, tonality_floor;
  } push = {
    vidgen_span_address (bands->values),
    vidgen_span_address (bands->edges),
    vidgen_span_address (bands->levels),
    vidgen_span_address (bands->phases),
    bands->frames,
    bands->bands,
    bands->tonal_bands,
    bands->hop,
    bands->sample_rate,
    bands->tonality_floor,
  };
  const VidgenDispatch dispatch = {
    .kernel = &bands_kernel,
    .constants = { GROUP_SIZE, 1, 1 },
    .n_constants = 3,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "values", bands->values, FALSE, values_bytes },
        { "edges", bands->edges, FALSE, 4 * (bands->bands + 1) },
        { "levels", bands->levels, TRUE, levels_bytes },
        { "phases", bands->phases, TRUE, phases_bytes } },
    .n_accesses = 4,
    .groups = { vidgen_groups (2 * bands->bands, GROUP_SIZE), 1, 1 },
    .operations = 120.0 * bands->bands * bands->frames,
    .reference = reference,
    .params = bands,
    .params_bytes = sizeof *bands,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
