/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/sampler.h"

#include <math.h>

#include "models/wan/unipc.h"
#include "shaders/noise.h"

#define TIMES 1000.0
#define CLIP_START 0.999
/* Purposes of the noise, by step. */
#define PURPOSES 16

static double
shifted (double sigma, double shift)
{
  return shift * sigma / (1 + (shift - 1) * sigma);
}

static void
init (VidgenWanSchedule *schedule, guint n_steps, double shift, double start)
{
  *schedule =
      (VidgenWanSchedule){ .n_steps = MIN (n_steps, VIDGEN_WAN_MAX_STEPS - 1) };
  for (guint i = 0; i < schedule->n_steps; i++)
    schedule->sigmas[i] =
        shifted (start * (1 - (double)i / schedule->n_steps), shift);
}

void
vidgen_wan_schedule_init (
    VidgenWanSchedule *schedule, guint n_steps, double shift)
{
  init (schedule, n_steps, shift, 1);
}

void
vidgen_wan_schedule_init_clip (
    VidgenWanSchedule *schedule, guint n_steps, double shift)
{
  init (schedule, n_steps, shift, CLIP_START);
  schedule->whole_times = TRUE;
}

void
vidgen_wan_schedule_set (const VidgenWanSchedule *schedule, double context_time,
    VidgenWanTransformer *transformer, VidgenRecorder *recorder)
{
  double times[VIDGEN_WAN_MAX_STEPS];

  for (guint i = 0; i < schedule->n_steps; i++) {
    times[i] = TIMES * schedule->sigmas[i];
    if (schedule->whole_times)
      times[i] = floor (times[i]);
  }
  times[schedule->n_steps] = context_time;
  vidgen_wan_transformer_set_times (
      transformer, recorder, times, schedule->n_steps + 1);
}

void
vidgen_wan_latents_plan (VidgenWanLatents *latents, const VidgenWanShape *shape,
    gboolean clip, VidgenPlan *plan, guint first, guint last)
{
  const guint64 count =
      (guint64)shape->chunk * shape->columns * shape->rows * VIDGEN_WAN_VALUES;

  vidgen_plan_add (plan, &latents->x, count, first, last);
  vidgen_plan_add (plan, &latents->v, count, first, last);
  vidgen_plan_add (plan, &latents->clean, count, first, last);
  if (!clip)
    return;
  vidgen_plan_add (plan, &latents->start, count, first, last);
  for (guint i = 0; i < G_N_ELEMENTS (latents->data); i++)
    vidgen_plan_add (plan, &latents->data[i], count, first, last);
}

/* out = x_factor * x + v_factor * v + noise_factor * noise of the step */
static void
record_mix (VidgenRecorder *recorder, const VidgenWanSample *sample, guint step,
    VidgenNoise mix)
{
  mix.count = (guint)(mix.out.size / 4);
  mix.seed = sample->seed;
  mix.chunk = sample->chunk;
  mix.position = sample->position;
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
    .positions = sample->positions,
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
    .positions = sample->positions,
    .time = sample->schedule->n_steps,
    .x = latents->clean,
    .name = "context" };

  for (guint step = 0; step < sample->schedule->n_steps; step++)
    record_step (transformer, recorder, latents, sample, step);
  vidgen_tap (sample->tap, recorder, latents->clean, "x0");
  vidgen_wan_transformer_record (transformer, recorder, &context);
}

/* out = x_factor * x + v_factor * v */
static void
record_sum (VidgenRecorder *recorder, VidgenSpan x, double x_factor,
    VidgenSpan v, double v_factor, VidgenSpan out)
{
  const VidgenNoise sum = { .count = (guint)(out.size / 4),
    .x_factor = (float)x_factor,
    .v_factor = (float)v_factor,
    .x = x,
    .v = v,
    .out = out };

  vidgen_noise (recorder, &sum);
}

/* The estimate of the data at x, guided, in `data`. */
static void
record_estimate (const VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, const VidgenWanLatents *latents,
    const VidgenWanSample *sample, guint step, VidgenSpan data)
{
  const double sigma = sample->schedule->sigmas[step];
  const double guidance = sample->guidance;
  const guint n_prompts = guidance == 1 ? 1 : 2;

  for (guint prompt = 0; prompt < n_prompts; prompt++) {
    g_autofree char *name =
        g_strdup_printf ("step%u%s", step, prompt ? ".negative" : "");
    const VidgenWanPass pass = { .view = sample->view,
      .positions = sample->positions,
      .time = step,
      .prompt = prompt,
      .x = latents->x,
      .v = latents->v,
      .name = name };

    vidgen_wan_transformer_record (transformer, recorder, &pass);
    record_sum (recorder, prompt ? data : latents->x, 1, latents->v,
        -sigma * (prompt ? 1 - guidance : guidance), data);
  }
}

/* x from `start` and the estimates of the data. */
static void
record_solve (VidgenRecorder *recorder, const VidgenWanLatents *latents,
    const VidgenUnipcStep *factors, VidgenSpan data, VidgenSpan earlier,
    VidgenSpan later)
{
  record_sum (
      recorder, latents->start, factors->x, data, factors->data, latents->x);
  if (factors->earlier != 0)
    record_sum (recorder, latents->x, 1, earlier, factors->earlier, latents->x);
  if (factors->later != 0)
    record_sum (recorder, latents->x, 1, later, factors->later, latents->x);
}

void
vidgen_wan_sample_clip (const VidgenWanTransformer *transformer,
    VidgenRecorder *recorder, const VidgenWanLatents *latents,
    const VidgenWanSample *sample)
{
  const VidgenWanSchedule *schedule = sample->schedule;
  const guint n_steps = schedule->n_steps;

  record_mix (recorder, sample, 0,
      (VidgenNoise){ .noise_factor = 1, .out = latents->x });
  for (guint step = 0; step < n_steps; step++) {
    const VidgenSpan data = latents->data[step % 3];
    const VidgenSpan before = latents->data[(step + 2) % 3];
    const VidgenSpan long_before = latents->data[(step + 1) % 3];
    VidgenUnipcStep factors =
        vidgen_unipc_predict (schedule->sigmas, n_steps, step);

    record_estimate (transformer, recorder, latents, sample, step, data);
    if (step > 0) {
      const VidgenUnipcStep again =
          vidgen_unipc_correct (schedule->sigmas, n_steps, step - 1);

      record_solve (recorder, latents, &again, before, long_before, data);
    }
    vidgen_recorder_copy (recorder, latents->start, latents->x);
    record_solve (recorder, latents, &factors, data, before, VIDGEN_SPAN_NONE);
    vidgen_tap (sample->tap, recorder, latents->x, "step%u.x", step);
  }
  vidgen_recorder_copy (recorder, latents->clean, latents->x);
}
