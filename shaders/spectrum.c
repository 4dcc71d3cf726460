/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/spectrum.h"

#include <math.h>

#include "shaders/bands.h"
#include "shaders/noise.h"
#include "spectrum.spv.h"

#define GROUP_SIZE 64

static const VidgenKernel spectrum_kernel = VIDGEN_KERNEL (spectrum);

guint
vidgen_spectrum_padded (guint hop)
{
  return (hop + 3) / 4 * 4;
}

void
vidgen_spectrum_imdct (guint hop, float *weight)
{
  const guint padded = vidgen_spectrum_padded (hop);

  for (guint n = 0; n < 2 * hop; n++) {
    const double window =
        sqrt (2.0 / hop) * sin (G_PI * (n + 0.5) / (2.0 * hop));

    for (guint k = 0; k < padded; k++) {
      const double angle = G_PI / hop * (n + 0.5 + hop / 2.0) * (k + 0.5);

      weight[(gsize)n * padded + k] =
          k < hop ? (float)(window * cos (angle)) : 0;
    }
  }
}

static double
centre (const float *edges, guint band)
{
  return ((double)edges[band] + edges[band + 1]) / 2;
}

static double
gain_at (
    const float *levels, const float *edges, guint n_bands, double frequency_hz)
{
  guint band = 0;
  double low, high, part;

  if (n_bands == 1 || frequency_hz <= centre (edges, 0))
    return levels[0];
  if (frequency_hz >= centre (edges, n_bands - 1))
    return levels[(n_bands - 1) * VIDGEN_BAND_LEVELS];
  while (centre (edges, band + 1) < frequency_hz)
    band++;
  low = centre (edges, band);
  high = centre (edges, band + 1);
  part = (frequency_hz - low) / (high - low);
  return (1 - part) * levels[band * VIDGEN_BAND_LEVELS] +
         part * levels[(band + 1) * VIDGEN_BAND_LEVELS];
}

void
vidgen_spectrum_reference (const VidgenSpectrum *spectrum)
{
  const guint hop = spectrum->hop;
  const guint padded = vidgen_spectrum_padded (hop);
  const float *edges = vidgen_span_map (spectrum->edges);
  const float *levels = vidgen_span_map (spectrum->levels);
  float *out = vidgen_span_map (spectrum->out);
  const guint64 chunk =
      vidgen_noise_chunk (spectrum->position, spectrum->chunk);

  for (guint row = 0; row < 2 * spectrum->frames; row++) {
    const float *gains =
        levels + (row + 2) * spectrum->bands * VIDGEN_BAND_LEVELS;
    float *bins = out + (gsize)row * padded;

    vidgen_noise_fill (
        spectrum->seed, chunk, spectrum->purpose, row * hop, hop, bins);
    for (guint k = 0; k < hop; k++) {
      const double frequency_hz =
          (k + 0.5) * spectrum->sample_rate / (2.0 * hop);

      bins[k] = (float)(bins[k] * sqrt (hop) *
                        gain_at (gains, edges, spectrum->bands, frequency_hz));
    }
    for (guint k = hop; k < padded; k++)
      bins[k] = 0;
  }
}

static void
reference (const void *params)
{
  vidgen_spectrum_reference (params);
}

void
vidgen_spectrum (VidgenRecorder *recorder, const VidgenSpectrum *spectrum)
{
  const guint rows = 2 * spectrum->frames;
  const guint padded = vidgen_spectrum_padded (spectrum->hop);
  const guint64 levels_bytes =
      4 * (guint64)VIDGEN_BAND_LEVELS * (rows + 2) * spectrum->bands;
  const struct {
    guint64 levels, edges, out, position;
    guint32 seed[2], chunk[2];
    guint32 purpose, rows, bands, hop, padded;
    float sample_rate;
  } push = {
    vidgen_span_address (spectrum->levels),
    vidgen_span_address (spectrum->edges),
    vidgen_span_address (spectrum->out),
    vidgen_span_address (spectrum->position),
    { (guint32)spectrum->seed, (guint32)(spectrum->seed >> 32) },
    { (guint32)spectrum->chunk, (guint32)(spectrum->chunk >> 32) },
    spectrum->purpose,
    rows,
    spectrum->bands,
    spectrum->hop,
    padded,
    spectrum->sample_rate,
  };
  const VidgenDispatch dispatch = {
    .kernel = &spectrum_kernel,
    .constants = { GROUP_SIZE, 1, 1 },
    .n_constants = 3,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "levels", spectrum->levels, FALSE, levels_bytes },
        { "edges", spectrum->edges, FALSE, 4 * (spectrum->bands + 1) },
        { "out", spectrum->out, TRUE, 4 * (guint64)rows * padded },
        { "position", spectrum->position, FALSE, 8 } },
    .n_accesses = 4,
    .groups = { vidgen_groups (padded, 2 * GROUP_SIZE), rows, 1 },
    .operations = 100.0 * rows * padded,
    .reference = reference,
    .params = spectrum,
    .params_bytes = sizeof *spectrum,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
