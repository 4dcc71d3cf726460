/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/waveform.h"

#include <math.h>

#include "shaders/bands.h"
#include "waveform.spv.h"

#define GROUP_SIZE 64
#define SAMPLES 4 /* of an invocation, as in waveform.comp */

static const VidgenKernel waveform_kernel = VIDGEN_KERNEL (waveform);

static double
tone_sample (const VidgenWaveform *waveform, guint frame, guint pair, guint m)
{
  const float *phases = vidgen_span_map (waveform->phases);
  const float *levels = vidgen_span_map (waveform->levels);
  const guint hop = waveform->hop;
  const guint row = 2 * waveform->bands;
  const float *before = levels + (frame * row + pair) * VIDGEN_BAND_LEVELS;
  const float *after = before + row * VIDGEN_BAND_LEVELS;
  const double part = (double)m / hop;
  double from_hz, to_hz, cycles;

  vidgen_band_glide (before, after, &from_hz, &to_hz);
  cycles = phases[frame * row + pair] +
           (from_hz * m + (to_hz - from_hz) * m * m / (2.0 * hop)) /
               waveform->sample_rate;
  return ((1 - part) * before[1] + part * after[1]) * cos (2 * G_PI * cycles);
}

static double
channel_sample (
    const VidgenWaveform *waveform, guint frame, guint channel, guint m)
{
  const float *noise = vidgen_span_map (waveform->noise);
  const guint hop = waveform->hop;
  double sum = (double)noise[(frame * 2 + channel) * 2 * hop + hop + m] +
               noise[((frame + 1) * 2 + channel) * 2 * hop + m];

  for (guint band = 0; band < waveform->bands; band++)
    sum += tone_sample (waveform, frame, channel * waveform->bands + band, m);
  return sum;
}

void
vidgen_waveform_reference (const VidgenWaveform *waveform)
{
  float *out = vidgen_span_map (waveform->out);

  for (guint frame = 0; frame < waveform->frames; frame++) {
    for (guint m = 0; m < waveform->hop; m++) {
      const double first = channel_sample (waveform, frame, 0, m);
      const double second = channel_sample (waveform, frame, 1, m);
      const gboolean mid_side = waveform->mid_side;
      const double left = mid_side ? (first + second) / G_SQRT2 : first;
      const double right = mid_side ? (first - second) / G_SQRT2 : second;

      *out++ = (float)CLAMP (left, -1.0, 1.0);
      *out++ = (float)CLAMP (right, -1.0, 1.0);
    }
  }
}

static void
reference (const void *params)
{
  vidgen_waveform_reference (params);
}

void
vidgen_waveform (VidgenRecorder *recorder, const VidgenWaveform *waveform)
{
  const guint frames = waveform->frames, hop = waveform->hop;
  const guint64 phases_bytes = 4 * (guint64)(frames + 1) * 2 * waveform->bands;
  const struct {
    guint64 noise, levels, phases, out;
    guint32 frames, bands, hop;
    float sample_rate;
    guint32 mid_side;
  } push = {
    vidgen_span_address (waveform->noise),
    vidgen_span_address (waveform->levels),
    vidgen_span_address (waveform->phases),
    vidgen_span_address (waveform->out),
    frames,
    waveform->bands,
    hop,
    waveform->sample_rate,
    waveform->mid_side ? 1 : 0,
  };
  const VidgenDispatch dispatch = {
    .kernel = &waveform_kernel,
    .constants = { GROUP_SIZE, 1, 1 },
    .n_constants = 3,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "noise", waveform->noise, FALSE,
                      4 * (guint64)(frames + 1) * 2 * 2 * hop },
        { "levels", waveform->levels, FALSE,
            VIDGEN_BAND_LEVELS * phases_bytes },
        { "phases", waveform->phases, FALSE, phases_bytes },
        { "out", waveform->out, TRUE, 4 * (guint64)frames * hop * 2 } },
    .n_accesses = 4,
    .groups = { vidgen_groups (hop, SAMPLES * GROUP_SIZE), frames, 1 },
    .operations = 60.0 * frames * hop * waveform->bands,
    .reference = reference,
    .params = waveform,
    .params_bytes = sizeof *waveform,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
