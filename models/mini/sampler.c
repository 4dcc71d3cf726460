/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/pass.h"
#include "shaders/noise.h"

/* Purposes of the noise. */
enum { NOISE_VIDEO, NOISE_AUDIO, NOISE_CONTEXT_VIDEO, NOISE_CONTEXT_AUDIO };

/* out = x_factor * x + v_factor * v + noise_factor * noise, of both kinds */
typedef struct {
  VidgenSpan video_x, audio_x, video_out, audio_out;
  guint purpose; /* of the video's noise; the audio's is the next */
  double x_factor, v_factor, noise_factor;
} Mix;

static void
record_noise (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniSample *sample, const Mix *mix,
    gboolean is_audio)
{
  const VidgenSpan x = is_audio ? mix->audio_x : mix->video_x;
  const VidgenSpan out = is_audio ? mix->audio_out : mix->video_out;
  const VidgenSpan v = is_audio ? transformer->audio_v : transformer->video_v;
  const VidgenNoise noise = { .count = (guint)(out.size / 4),
    .seed = sample->seed,
    .chunk = sample->chunk,
    .position = sample->position,
    .purpose = mix->purpose + (is_audio ? 1 : 0),
    .x_factor = (float)mix->x_factor,
    .v_factor = (float)mix->v_factor,
    .noise_factor = (float)mix->noise_factor,
    .x = x,
    .v = mix->v_factor != 0 ? v : VIDGEN_SPAN_NONE,
    .out = out };

  vidgen_noise (recorder, &noise);
}

static void
record_mix_both (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniSample *sample, Mix mix)
{
  record_noise (transformer, recorder, sample, &mix, FALSE);
  record_noise (transformer, recorder, sample, &mix, TRUE);
}

static void
record_step (const VidgenMiniTransformer *transformer, VidgenRecorder *recorder,
    const VidgenMiniSample *sample, guint step)
{
  const double t = sample->schedule->times[step];
  const VidgenMiniPass pass = { sample, step, FALSE };
  Mix noisy = { .video_x = sample->video,
    .audio_x = sample->audio,
    .video_out = transformer->video_x,
    .audio_out = transformer->audio_x,
    .purpose = NOISE_VIDEO + 16 * step,
    .x_factor = 1 - t,
    .noise_factor = t };

  if (step == 0)
    noisy.video_x = noisy.audio_x = VIDGEN_SPAN_NONE;
  record_mix_both (transformer, recorder, sample, noisy);
  vidgen_mini_pass_record (transformer, recorder, &pass);
  record_mix_both (transformer, recorder, sample,
      (Mix){ .video_x = transformer->video_x,
          .audio_x = transformer->audio_x,
          .video_out = sample->video,
          .audio_out = sample->audio,
          .x_factor = 1,
          .v_factor = -t });
  vidgen_tap (
      transformer->tap, recorder, sample->video, "step%u.x0.video", step);
  vidgen_tap (
      transformer->tap, recorder, sample->audio, "step%u.x0.audio", step);
}

void
vidgen_mini_transformer_read (VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniSample *sample)
{
  const double t = transformer->config->context.timestep;
  const VidgenMiniPass pass = { sample, sample->schedule->n_steps, TRUE };

  record_mix_both (transformer, recorder, sample,
      (Mix){ .video_x = sample->video,
          .audio_x = sample->audio,
          .video_out = transformer->video_x,
          .audio_out = transformer->audio_x,
          .purpose = NOISE_CONTEXT_VIDEO,
          .x_factor = 1 - t,
          .noise_factor = t });
  vidgen_mini_pass_record (transformer, recorder, &pass);
}

void
vidgen_mini_transformer_sample (VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniSample *sample)
{
  const VidgenMiniView *view = sample->view;

  for (guint i = 0; i < view->n_seen; i++)
    vidgen_mini_pass_turn (
        transformer, recorder, view->seen[i].slot, view->seen[i].age);
  for (guint step = 0; step < sample->schedule->n_steps; step++)
    record_step (transformer, recorder, sample, step);
  vidgen_mini_transformer_read (transformer, recorder, sample);
}
