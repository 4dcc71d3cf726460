/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/sound.h"

#include <string.h>

#include "models/mini/step.h"
#include "shaders/bands.h"
#include "shaders/gemm.h"
#include "shaders/spectrum.h"
#include "shaders/waveform.h"

#define CHANNELS 2
#define NOISE_SOUND 4

static void
make_edges (const VidgenMiniConfig *config,
    const VidgenSafetensors *file G_GNUC_UNUSED, guint index G_GNUC_UNUSED,
    float *out)
{
  memcpy (out, config->sound.band_edges_hz,
      (config->sound.bands + 1) * sizeof *out);
}

static void
make_imdct (const VidgenMiniConfig *config,
    const VidgenSafetensors *file G_GNUC_UNUSED, guint index G_GNUC_UNUSED,
    float *out)
{
  vidgen_spectrum_imdct (config->sound.hop, out);
}

static guint
frame_values (const VidgenMiniConfig *config)
{
  return VIDGEN_BAND_KINDS * CHANNELS * config->sound.bands;
}

void
vidgen_mini_sound_list (VidgenMiniSoundWeights *weights,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader)
{
  const gsize hop = config->sound.hop;

  vidgen_mini_loader_linear (loader, &weights->basis, "sound.basis",
      config->sound.frames_per_token * frame_values (config),
      config->sound.token_size, vidgen_mini_padded_audio_values (config), TRUE);
  vidgen_mini_loader_made (
      loader, &weights->edges, config->sound.bands + 1, make_edges, 0);
  vidgen_mini_loader_made (loader, &weights->imdct,
      2 * hop * vidgen_spectrum_padded ((guint)hop), make_imdct, 0);
}

void
vidgen_mini_sound_plan (
    VidgenMiniSound *sound, const VidgenMiniConfig *config, VidgenPlan *plan)
{
  const VidgenMiniStep now = VIDGEN_MINI_STEP_SOUND;
  const guint64 frames = vidgen_mini_sound_frames (config);
  const guint64 hop = config->sound.hop;
  const guint64 bands = CHANNELS * (guint64)config->sound.bands;

  vidgen_plan_add (
      plan, &sound->values, frames * frame_values (config), now, now);
  vidgen_plan_add (plan, &sound->levels, (frames + 1) * bands * 3, now, now);
  vidgen_plan_add (plan, &sound->phases, (frames + 1) * bands, now, now);
  vidgen_plan_add (plan, &sound->spectrum,
      frames * CHANNELS * vidgen_spectrum_padded ((guint)hop), now, now);
  vidgen_plan_add (
      plan, &sound->noise, (frames + 1) * CHANNELS * 2 * hop, now, now);
  vidgen_plan_add (plan, &sound->samples, frames * hop * CHANNELS, now, now);
  vidgen_plan_keep (plan, &sound->padded,
      (guint64)config->sound.tokens * vidgen_mini_padded_audio_values (config));
  vidgen_mini_carry_plan (&sound->last_levels, plan, bands * 3);
  vidgen_mini_carry_plan (&sound->last_phases, plan, bands);
  vidgen_mini_carry_plan (&sound->last_noise, plan, CHANNELS * 2 * hop);
}

static void
record_values (
    const VidgenMiniSound *sound, VidgenRecorder *recorder, VidgenSpan tokens)
{
  const VidgenMiniConfig *config = sound->config;
  const VidgenLinear *basis = &sound->weights->basis;

  vidgen_project (recorder, basis, config->sound.tokens,
      (VidgenProduct){ .a = vidgen_pad (recorder, tokens, config->sound.tokens,
                           config->sound.token_size, sound->padded, basis->in),
          .out = sound->values });
  vidgen_tap (sound->tap, recorder, sound->values, "sound");
}

/* Rows that the kernel moves to row 0 before it writes the others. */
static void
record_bands (
    const VidgenMiniSound *sound, VidgenRecorder *recorder, gboolean at_start)
{
  const VidgenMiniConfig *config = sound->config;
  const guint64 frames = vidgen_mini_sound_frames (config);
  const guint64 bands = CHANNELS * (guint64)config->sound.bands;
  const VidgenSpan last_levels =
      vidgen_floats (sound->levels, frames * bands * 3, bands * 3);
  const VidgenSpan last_phases =
      vidgen_floats (sound->phases, frames * bands, bands);
  const VidgenBands params = { .frames = (guint)frames,
    .bands = config->sound.bands,
    .tonal_bands = config->sound.tonal_bands,
    .hop = config->sound.hop,
    .sample_rate = (float)config->audio.sample_rate,
    .tonality_floor = (float)config->sound.tonality_floor,
    .values = sound->values,
    .edges = sound->weights->edges,
    .levels = sound->levels,
    .phases = sound->phases };

  vidgen_mini_carry_read (&sound->last_levels, recorder, at_start, last_levels);
  vidgen_mini_carry_read (&sound->last_phases, recorder, at_start, last_phases);
  vidgen_bands (recorder, &params);
  vidgen_mini_carry_write (&sound->last_levels, recorder, last_levels);
  vidgen_mini_carry_write (&sound->last_phases, recorder, last_phases);
}

static void
record_noise (const VidgenMiniSound *sound, VidgenRecorder *recorder,
    const VidgenMiniSounding *sounding)
{
  const VidgenMiniConfig *config = sound->config;
  const guint frames = vidgen_mini_sound_frames (config);
  const guint hop = config->sound.hop;
  const guint padded = vidgen_spectrum_padded (hop);
  const guint64 row = 2 * (guint64)hop;
  const VidgenSpectrum spectrum = { .frames = frames,
    .bands = config->sound.bands,
    .hop = hop,
    .sample_rate = (float)config->audio.sample_rate,
    .seed = sounding->seed,
    .chunk = sounding->chunk,
    .position = sounding->position,
    .purpose = NOISE_SOUND,
    .levels = sound->levels,
    .edges = sound->weights->edges,
    .out = sound->spectrum };
  const VidgenGemm transform = { .m = frames * CHANNELS,
    .n = 2 * hop,
    .k = padded,
    .a = sound->spectrum,
    .a_stride = padded,
    .weight = sound->weights->imdct,
    .weight_type = VIDGEN_F32,
    .out =
        vidgen_floats (sound->noise, CHANNELS * row, frames * CHANNELS * row),
    .out_stride = 2 * hop };

  vidgen_mini_carry_read (&sound->last_noise, recorder, sounding->at_start,
      vidgen_floats (sound->noise, 0, CHANNELS * row));
  vidgen_spectrum (recorder, &spectrum);
  vidgen_gemm (recorder, &transform);
  vidgen_mini_carry_write (&sound->last_noise, recorder,
      vidgen_floats (sound->noise, frames * CHANNELS * row, CHANNELS * row));
}

void
vidgen_mini_sound_record (VidgenMiniSound *sound, VidgenRecorder *recorder,
    const VidgenMiniSounding *sounding)
{
  const VidgenMiniConfig *config = sound->config;
  const VidgenWaveform waveform = { .frames = vidgen_mini_sound_frames (config),
    .bands = config->sound.bands,
    .hop = config->sound.hop,
    .sample_rate = (float)config->audio.sample_rate,
    .mid_side = config->sound.mid_side,
    .noise = sound->noise,
    .levels = sound->levels,
    .phases = sound->phases,
    .out = sound->samples };

  record_values (sound, recorder, sounding->tokens);
  record_bands (sound, recorder, sounding->at_start);
  record_noise (sound, recorder, sounding);
  if (sounding->wanted)
    vidgen_waveform (recorder, &waveform);
}

void
vidgen_mini_sound_advance (VidgenMiniSound *sound)
{
  vidgen_mini_carry_flip (&sound->last_levels);
  vidgen_mini_carry_flip (&sound->last_phases);
  vidgen_mini_carry_flip (&sound->last_noise);
}
