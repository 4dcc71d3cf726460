/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/stream.h"

#include <string.h>

#include "models/wan/reel.h"
#include "models/wan/room.h"

typedef struct {
  VidgenStream base;
  const VidgenWanModel *model;
  const VidgenWanPreset *preset;
  VidgenRecorder *recorder;
  VidgenWanWork work;
  VidgenWanReel *reel;
  gboolean without_tapes;
  VidgenWanContext context;
  GBytes *prompt;             /* that is set; NULL: set it */
  VidgenWanSchedule schedule; /* that is set; no steps: set it */
  VidgenStreamStats stats;
  VidgenWanModel *taken_from; /* whose room it takes; NULL: not yet */
} WanStream;

static WanStream *
new_planned (
    const VidgenWanModel *model, const VidgenFormat *format, guint64 seed)
{
  WanStream *stream = g_new0 (WanStream, 1);

  stream->model = model;
  stream->preset = model->parts->preset;
  stream->context = (VidgenWanContext){ .window = stream->preset->window,
    .sink = stream->preset->sink,
    .relative = stream->preset->relative };
  stream->stats.memory_bytes =
      vidgen_wan_work_init (&stream->work, model, format, seed);
  stream->stats.memory_bytes += vidgen_wan_reel_bytes (&stream->work);
  return stream;
}

guint64
vidgen_wan_stream_bytes (
    const VidgenWanModel *model, const VidgenFormat *format)
{
  WanStream *stream = new_planned (model, format, 0);
  const guint64 bytes = stream->stats.memory_bytes;

  vidgen_wan_stream_free (&stream->base);
  return bytes;
}

static gboolean
allocate (WanStream *stream, GError **error)
{
  if (!vidgen_wan_work_allocate (&stream->work, error))
    return FALSE;
  stream->recorder = vidgen_recorder_new (
      stream->model->base.device, VIDGEN_RECORDER_RUN, error);
  if (!stream->recorder)
    return FALSE;
  stream->reel = vidgen_wan_reel_new (&stream->work, stream->recorder, error);
  return stream->reel != NULL;
}

void
vidgen_wan_stream_free (VidgenStream *base)
{
  WanStream *stream = (WanStream *)base;

  if (stream->taken_from)
    vidgen_wan_room_give (stream->taken_from, stream->stats.memory_bytes);
  vidgen_wan_reel_free (stream->reel);
  vidgen_recorder_free (stream->recorder);
  vidgen_wan_work_clear (&stream->work);
  g_clear_pointer (&stream->prompt, g_bytes_unref);
  g_free (stream);
}

void
vidgen_wan_stream_restart (VidgenStream *base)
{
  WanStream *stream = (WanStream *)base;

  vidgen_wan_reel_forget_ahead (stream->reel);
  vidgen_wan_context_forget (&stream->context);
  vidgen_wan_work_restart (&stream->work);
}

void
vidgen_wan_stream_set_tap (VidgenStream *base, const VidgenTap *tap)
{
  vidgen_wan_work_set_tap (&((WanStream *)base)->work, tap);
}

void
vidgen_wan_stream_set_tapes (VidgenStream *base, gboolean tapes)
{
  ((WanStream *)base)->without_tapes = !tapes;
}

VidgenRecorder *
vidgen_wan_stream_recorder (VidgenStream *base)
{
  return ((WanStream *)base)->recorder;
}

guint
vidgen_wan_stream_n_tapes (VidgenStream *base)
{
  return vidgen_wan_reel_n_tapes (((WanStream *)base)->reel);
}

static void
record (WanStream *stream, VidgenRecorder *recorder, const VidgenWanJob *job)
{
  if (job->again)
    vidgen_wan_work_record_again (&stream->work, recorder, job);
  vidgen_wan_work_record_sample (&stream->work, recorder, job);
  vidgen_wan_work_record_output (&stream->work, recorder, job);
}

/* Records the work on a prompt or schedule that is not the last one's; until
 * it has succeeded none is set. */
static void
renew (WanStream *stream, VidgenWanJob *job)
{
  GBytes *conditioning = stream->base.settings.conditioning;

  if (stream->schedule.n_steps != job->schedule.n_steps) {
    stream->schedule.n_steps = 0;
    vidgen_wan_reel_forget_ahead (stream->reel);
    vidgen_wan_work_record_schedule (&stream->work, stream->recorder, job);
  }
  if (stream->prompt && g_bytes_equal (stream->prompt, conditioning))
    return;
  g_clear_pointer (&stream->prompt, g_bytes_unref);
  vidgen_wan_reel_forget_ahead (stream->reel);
  vidgen_wan_work_record_text (&stream->work, stream->recorder, conditioning);
  if (stream->preset->clip || stream->context.frames == 0)
    return;
  if (stream->preset->change == VIDGEN_WAN_CUT &&
      stream->base.settings.prompt_started)
    vidgen_wan_context_forget (&job->context);
  job->again = stream->preset->change == VIDGEN_WAN_RECACHE &&
               !stream->base.settings.blending;
}

static void
commit (WanStream *stream, const VidgenWanJob *job)
{
  if (!stream->prompt)
    stream->prompt = g_bytes_ref (stream->base.settings.conditioning);
  stream->schedule = job->schedule;
  stream->context = job->context;
  if (!stream->preset->clip)
    vidgen_wan_context_advance (&stream->context, stream->preset->chunk);
  vidgen_wan_work_advance (&stream->work, job);
}

static void
keep_stats (WanStream *stream)
{
  guint n_stages;
  const VidgenStageTime *times =
      vidgen_recorder_times (stream->recorder, &n_stages);
  VidgenStreamStats *stats = &stream->stats;

  stats->chunks++;
  stats->n_stages = 0;
  for (guint i = 0; i < n_stages && stats->n_stages < VIDGEN_MAX_STAGES; i++) {
    if (!*times[i].stage)
      continue;
    stats->stages[stats->n_stages].name = times[i].stage;
    stats->stages[stats->n_stages].time_ns = times[i].time_ns;
    stats->stages[stats->n_stages++].operations = times[i].operations;
    stats->total_device_ns += times[i].time_ns;
  }
}

static VidgenWanJob
make_job (const WanStream *stream, guint64 chunk, guint steps,
    const VidgenChunkRequest *request)
{
  VidgenWanJob job = { .chunk = chunk,
    .request = request,
    .context = stream->context,
    .guidance = stream->base.settings.guidance };

  if (chunk == 0 && !stream->preset->clip)
    steps = MAX (steps, stream->preset->first_steps);
  if (stream->preset->clip)
    vidgen_wan_schedule_init_clip (&job.schedule, steps, stream->preset->shift);
  else
    vidgen_wan_schedule_init (&job.schedule, steps, stream->preset->shift);
  return job;
}

/* The chunk after this one may be begun where it needs nothing that is not
 * there yet: it has the same schedule, and no prompt that has just changed and
 * may be on its way to another. */
static gboolean
make_taped (WanStream *stream, const VidgenWanJob *job,
    GCancellable *cancellable, GError **error)
{
  VidgenWanJob next = make_job (
      stream, job->chunk + 1, stream->base.settings.steps, job->request);
  const gboolean known = !stream->base.settings.conditioning_changed &&
                         next.schedule.n_steps == job->schedule.n_steps;

  if (!stream->preset->clip)
    vidgen_wan_context_advance (&next.context, stream->preset->chunk);
  return vidgen_wan_reel_make (
      stream->reel, job, known ? &next : NULL, cancellable, error);
}

static gboolean
make_fresh (WanStream *stream, const VidgenWanJob *job,
    GCancellable *cancellable, GError **error)
{
  vidgen_wan_reel_forget_ahead (stream->reel);
  record (stream, stream->recorder, job);
  return vidgen_recorder_finish (stream->recorder, cancellable, error);
}

VidgenChunk *
vidgen_wan_stream_next (VidgenStream *base, const VidgenChunkRequest *request,
    GCancellable *cancellable, GError **error)
{
  WanStream *stream = (WanStream *)base;
  const gboolean taped = !stream->without_tapes && !stream->work.tap;
  VidgenWanJob job =
      make_job (stream, base->position, base->settings.steps, request);

  vidgen_recorder_set_cancellable (stream->recorder, cancellable);
  renew (stream, &job);
  if (!(taped ? make_taped : make_fresh) (stream, &job, cancellable, error))
    return NULL;
  commit (stream, &job);
  keep_stats (stream);
  return vidgen_wan_work_read_back (&stream->work, &job);
}

void
vidgen_wan_stream_stats (const VidgenStream *stream, VidgenStreamStats *stats)
{
  *stats = ((const WanStream *)stream)->stats;
}

static void
on_compiled (guint done, guint total, gpointer user_data)
{
  vidgen_model_tell (user_data, "warmup", total ? (double)done / total : 1);
}

/* How many frames at once that see how many slots work has been recorded for: a
 * bit each, by slots. */
typedef struct {
  guint32 samples[VIDGEN_WAN_MAX_WINDOW + 1];
  guint32 all[VIDGEN_WAN_MAX_WINDOW + 1];
} Shapes;

static guint32
shapes_of (const VidgenWanView *view)
{
  guint32 bits = 0;

  for (guint i = 0; i < view->n_runs; i++)
    bits |= 1u << view->runs[i].count;
  return bits;
}

/* What is remembered, where that takes more than chunks do. */
static void
prepare_again (WanStream *stream, VidgenRecorder *recorder, Shapes *shapes,
    const VidgenWanJob *job)
{
  VidgenWanView view;

  vidgen_wan_context_again (&job->context, stream->work.shape.piece, &view);
  if (shapes_of (&view) & ~shapes->all[view.n_slots])
    vidgen_wan_work_record_again (&stream->work, recorder, job);
  shapes->all[view.n_slots] |= shapes_of (&view);
}

static void
prepare_sample (WanStream *stream, VidgenRecorder *recorder, Shapes *shapes,
    const VidgenWanJob *job)
{
  VidgenWanView view;

  vidgen_wan_work_view (&stream->work, job, &view);
  if (shapes_of (&view) & ~shapes->samples[view.n_slots])
    vidgen_wan_work_record_sample (&stream->work, recorder, job);
  shapes->samples[view.n_slots] |= shapes_of (&view);
  shapes->all[view.n_slots] |= shapes_of (&view);
}

/* The first steps differ from each other, all that follow do not. */
#define STEPS 4

static void
prepare_chunks (WanStream *stream, VidgenRecorder *recorder)
{
  const guint n_chunks =
      vidgen_wan_reel_samples (&stream->work.shape, stream->preset->sink);
  VidgenWanJob job =
      make_job (stream, 0, MIN (stream->preset->steps, STEPS), NULL);
  Shapes shapes = { 0 };

  vidgen_wan_work_record_schedule (&stream->work, recorder, &job);
  for (guint i = 0; i < n_chunks; i++) {
    if (job.context.frames > 0 && stream->preset->change == VIDGEN_WAN_RECACHE)
      prepare_again (stream, recorder, &shapes, &job);
    prepare_sample (stream, recorder, &shapes, &job);
    if (!stream->preset->clip)
      vidgen_wan_context_advance (&job.context, stream->preset->chunk);
    job.chunk++;
  }
}

/* Whatever a stream may ever record. */
static void
prepare (WanStream *stream, VidgenRecorder *recorder)
{
  g_autoptr (GBytes) nothing =
      vidgen_wan_conditioning_new (NULL, stream->model->config.text_size,
          (VidgenWanPrompt){ 0 }, (VidgenWanPrompt){ 0 });
  const guint *steps = vidgen_wan_preset_steps (stream->preset);

  for (; *steps; steps++) {
    const VidgenWanJob job = make_job (stream, 1, *steps, NULL);

    vidgen_wan_work_record_schedule (&stream->work, recorder, &job);
  }
  vidgen_wan_work_record_text (&stream->work, recorder, nothing);
  prepare_chunks (stream, recorder);
  vidgen_wan_work_record_all_outputs (&stream->work, recorder);
  vidgen_wan_work_restart (&stream->work);
}

/* Compiles on several threads. */
static gboolean
warm_up (WanStream *stream, GError **error)
{
  g_autoptr (VidgenRecorder) recorder = vidgen_recorder_new (
      stream->model->base.device, VIDGEN_RECORDER_PREPARE, error);

  if (!recorder)
    return FALSE;
  prepare (stream, recorder);
  return vidgen_recorder_compile (
      recorder, on_compiled, (gpointer)&stream->model->base, NULL, error);
}

static VidgenStream *
new_stream (VidgenModel *base, const VidgenStreamParams *params, GError **error)
{
  WanStream *stream =
      new_planned ((const VidgenWanModel *)base, &params->format, params->seed);

  stream->base.params = *params;
  if (allocate (stream, error) && warm_up (stream, error)) {
    stream->taken_from = (VidgenWanModel *)base;
    vidgen_wan_room_take (stream->taken_from, stream->stats.memory_bytes);
    return &stream->base;
  }
  vidgen_wan_stream_free (&stream->base);
  return NULL;
}

VidgenStream *
vidgen_wan_stream_new (
    VidgenModel *base, const VidgenStreamParams *params, GError **error)
{
  g_autoptr (GError) cause = NULL;
  VidgenStream *stream = new_stream (base, params, &cause);

  if (stream)
    return stream;
  if (g_error_matches (cause, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY) &&
      vidgen_wan_room_make ((VidgenWanModel *)base))
    return new_stream (base, params, error);
  g_propagate_error (error, g_steal_pointer (&cause));
  return NULL;
}
