/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/sampler.h"

#include "shaders/noise.h"

#define TIMES 1000.0
/* Purposes of the noise, by step. */
#define PURPOSES 16

void
vidgen_wan_schedule_init (
    VidgenWanSchedule *schedule, guint n_steps, double shift)
{
  schedule->n_steps = MIN (n_steps, VIDGEN_WAN_MAX_STEPS - 1);
  for (guint i = 0; i < schedule->n_steps; i++) {
    const double sigma = 1 - (double)i / schedule->n_steps;

    schedule->sigmas[i] = shift * sigma / (1 + (shift - 1) * sigma);
  }
}

void
vidgen_wan_schedule_set (const VidgenWanSchedule *schedule, double context_time,
    VidgenWanTransformer *transformer, VidgenRecorder *recorder)
{
  double times[VIDGEN_WAN_MAX_STEPS];

  for (guint i = 0; i < schedule->n_steps; i++)
    times[i] = TIMES * schedule->sigmas[i];
  times[schedule->n_steps] = context_time;
  vidgen_wan_transformer_set_times (
      transformer, recorder, times, schedule->n_steps + 1);
}

void
vidgen_wan_latents_plan (VidgenWanLatents *latents, const VidgenWanShape *shape,
    VidgenPlan *plan, guint first, guint last)
{
  const guint64 count =
      (guint64)shape->chunk * shape->columns * shape->rows * VIDGEN_WAN_VALUES;

  vidgen_plan_add (plan, &latents->x, count, first, last);
  vidgen_plan_add (plan, &latents->v, count, first, last);
  vidgen_plan_add (plan, &latents->clean, count, first, last);
}

/* out = x_factor * x + v_factor * v + noise_factor * noise of the step */
static void
record_mix (VidgenRecorder *recorder, const VidgenWanSample *sample, guint step,
    VidgenNoise mix)
{
  mix.count = (guint)(mix.out.size / 4);
  mix.seed = sample->seed;
  mix.chunk = sample->chunk;
  mix.purpose = PURPOSES * step;
  vidgen_noise (recorder, &mix);
}

static void
record_step (const VidgenWanTransformer *transformer, VidgenRecorder *recorder,
    const VidgenWanLatents *latents, const VidgenWanSample *sample, guint step)
{
  const double sigma = sample->schedule->sigmas[step];
  g_autofree char *name = g_strdup_printf ("step%u", step);
  const VidgenWanPass pass = { .view = sample->view,
    .time = step,
    .x = latents->x,
    .v = latents->v,
    .name = name };

  record_mix (recorder, sample, step,
      (VidgenNoise){ .x = step ? latents->clean : VIDGEN_SPAN_NONE,
          .x_factor = (float)(1 - sigma),
          .noise_factor = (float)sigma,
          .out = latents->x });
  vidgen_wan_transformer_record (transformer, recorder, &pass);
  record_mix (recorder, sample, step,
      (VidgenNoise){ .x = latents->x,
          .v = latents->v,
          .x_factor = 1,
          .v_factor = (float)-sigma,
          .out = latents->clean });
}

void
vidgen_wan_sample_chunk (const VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, const VidgenWanLatents *latents,
    const VidgenWanSample *sample)
{
  const VidgenWanPass context = { .view = sample->view,
    .time = sample->schedule->n_steps,
    .x = latents->clean,
    .name = "context" };

  for (guint step = 0; step < sample->schedule->n_steps; step++)
    record_step (transformer, recorder, latents, sample, step);
  vidgen_tap (sample->tap, recorder, latents->clean, "x0");
  vidgen_wan_transformer_record (transformer, recorder, &context);
}

static void
record_euler (const VidgenWanTransformer *transformer, VidgenRecorder *recorder,
    const VidgenWanLatents *latents, const VidgenWanSample *sample, guint step)
{
  const VidgenWanSchedule *schedule = sample->schedule;
  const double next =
      step + 1 < schedule->n_steps ? schedule->sigmas[step + 1] : 0;
  const double change = next - schedule->sigmas[step];
  const guint n_prompts = sample->guidance == 1 ? 1 : 2;

  for (guint prompt = 0; prompt < n_prompts; prompt++) {
    g_autofree char *name =
        g_strdup_printf ("step%u%s", step, prompt ? ".negative" : "");
    const VidgenWanPass pass = { .view = sample->view,
      .time = step,
      .prompt = prompt,
      .x = latents->x,
      .v = latents->v,
      .name = name };

    vidgen_wan_transformer_record (transformer, recorder, &pass);
    record_mix (recorder, sample, step,
        (VidgenNoise){ .x = prompt ? latents->clean : latents->x,
            .v = latents->v,
            .x_factor = 1,
            .v_factor = (float)(change * (prompt ? 1 - sample->guidance
                                                 : sample->guidance)),
            .out = latents->clean });
  }
  vidgen_recorder_copy (recorder, latents->x, latents->clean);
}

void
vidgen_wan_sample_clip (const VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, const VidgenWanLatents *latents,
    const VidgenWanSample *sample)
{
  record_mix (recorder, sample, 0,
      (VidgenNoise){ .noise_factor = 1, .out = latents->x });
  for (guint step = 0; step < sample->schedule->n_steps; step++) {
    record_euler (transformer, recorder, latents, sample, step);
    vidgen_tap (sample->tap, recorder, latents->clean, "step%u.x", step);
  }
}
