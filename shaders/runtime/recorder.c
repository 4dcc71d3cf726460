/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "shaders/runtime/device-private.h"
#include "shaders/runtime/recorder-private.h"

VidgenRecorder *
vidgen_recorder_new (
    VidgenDevice *device, VidgenRecorderMode mode, GError **error)
{
  return device->klass->recorder_new (device, mode, error);
}

void
vidgen_recorder_init (VidgenRecorder *recorder,
    const VidgenRecorderClass *klass, VidgenDevice *device,
    VidgenRecorderMode mode)
{
  recorder->klass = klass;
  recorder->device = vidgen_device_ref (device);
  recorder->mode = mode;
  recorder->hazards = vidgen_hazards_new ();
  recorder->stages = g_array_new (FALSE, TRUE, sizeof (VidgenStageTime));
  recorder->reported = g_array_new (FALSE, TRUE, sizeof (VidgenStageTime));
  recorder->stage = "";
}

void
vidgen_recorder_free (VidgenRecorder *recorder)
{
  VidgenDevice *device;

  if (!recorder)
    return;
  device = recorder->device;
  recorder->klass->finish (recorder, NULL, NULL);
  vidgen_hazards_free (recorder->hazards);
  g_array_unref (recorder->stages);
  g_array_unref (recorder->reported);
  g_clear_error (&recorder->error);
  g_clear_object (&recorder->cancellable);
  recorder->klass->free (recorder);
  vidgen_device_unref (device);
}

VidgenDevice *
vidgen_recorder_device (VidgenRecorder *recorder)
{
  return recorder->device;
}

void
vidgen_recorder_set_cancellable (
    VidgenRecorder *recorder, GCancellable *cancellable)
{
  g_set_object (&recorder->cancellable, cancellable);
}

static VidgenSpan
access_span (const VidgenAccess *access)
{
  VidgenSpan span = access->span;

  if (access->bytes)
    span.size = access->bytes;
  return span;
}

#ifdef VIDGEN_CHECKS
static gboolean
check_access (VidgenRecorder *recorder, const char *kernel,
    const VidgenAccess *access, GError **error)
{
  const VidgenSpan *span = &access->span;
  guint64 size;

  if (!span->memory)
    return TRUE;
  size = vidgen_memory_size (span->memory);
  if (vidgen_memory_device (span->memory) != recorder->device) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The range \"%s\" of %s lies on another device.", access->name, kernel);
    return FALSE;
  }
  if (span->offset > size || span->size > size - span->offset) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "The range \"%s\" of %s, %" G_GUINT64_FORMAT
        " bytes at %" G_GUINT64_FORMAT ", ends outside its memory of "
        "%" G_GUINT64_FORMAT " bytes.",
        access->name, kernel, span->size, span->offset, size);
    return FALSE;
  }
  if (access->bytes > span->size) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
        "%s touches %" G_GUINT64_FORMAT " bytes of its range \"%s\", which "
        "has %" G_GUINT64_FORMAT ".",
        kernel, access->bytes, access->name, span->size);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_clear (VidgenRecorder *recorder, VidgenSpan span)
{
  if (!span.memory ||
      (span.offset % 4 == 0 &&
          (span.size % 4 == 0 ||
              span.offset + span.size == vidgen_memory_size (span.memory))))
    return TRUE;
  g_set_error (&recorder->error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
      "A clear of %" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT
      " is not of whole words.",
      span.size, span.offset);
  return FALSE;
}

static gboolean
check_accesses (VidgenRecorder *recorder, const char *kernel,
    const VidgenAccess *accesses, guint n_accesses)
{
  for (guint i = 0; i < n_accesses; i++)
    if (!check_access (recorder, kernel, &accesses[i], &recorder->error))
      return FALSE;
  return TRUE;
}
#else
static gboolean
check_clear (
    VidgenRecorder *recorder G_GNUC_UNUSED, VidgenSpan span G_GNUC_UNUSED)
{
  return TRUE;
}

static gboolean
check_accesses (VidgenRecorder *recorder G_GNUC_UNUSED,
    const char *kernel G_GNUC_UNUSED,
    const VidgenAccess *accesses G_GNUC_UNUSED, guint n_accesses G_GNUC_UNUSED)
{
  return TRUE;
}
#endif

static gboolean
check_groups (VidgenRecorder *recorder, const VidgenDispatch *dispatch)
{
  const guint *limit = recorder->device->caps.max_group_count;

  for (guint i = 0; i < 3; i++)
    if (dispatch->groups[i] > limit[i]) {
      g_set_error (&recorder->error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
          "%s has %u groups in direction %u, the device takes %u.",
          dispatch->kernel->name, dispatch->groups[i], i, limit[i]);
      return FALSE;
    }
  return TRUE;
}

static gboolean
order_accesses (
    VidgenRecorder *recorder, const VidgenAccess *accesses, guint n_accesses)
{
  gboolean barrier = FALSE;

  for (guint i = 0; i < n_accesses && !barrier; i++)
    barrier = accesses[i].span.memory &&
              vidgen_hazards_conflict (recorder->hazards,
                  access_span (&accesses[i]), accesses[i].write);
  if (barrier) {
    vidgen_hazards_clear (recorder->hazards);
    recorder->n_barriers++;
  }
  for (guint i = 0; i < n_accesses; i++)
    if (accesses[i].span.memory)
      vidgen_hazards_add (
          recorder->hazards, access_span (&accesses[i]), accesses[i].write);
  return barrier;
}

void
vidgen_recorder_dispatch (
    VidgenRecorder *recorder, const VidgenDispatch *dispatch)
{
  gboolean barrier;

  g_return_if_fail (!recorder->tape || dispatch->params_bytes > 0);
  if (recorder->error)
    return;
  if (!check_accesses (recorder, dispatch->kernel->name, dispatch->accesses,
          dispatch->n_accesses))
    return;
  if (!dispatch->groups[0] || !dispatch->groups[1] || !dispatch->groups[2] ||
      !check_groups (recorder, dispatch))
    return;
  recorder->n_recorded++;
  barrier = order_accesses (recorder, dispatch->accesses, dispatch->n_accesses);
  recorder->klass->dispatch (recorder, dispatch, barrier, &recorder->error);
}

void
vidgen_recorder_copy (VidgenRecorder *recorder, VidgenSpan dst, VidgenSpan src)
{
  VidgenAccess accesses[2] = { { .name = "src" },
    { .name = "dst", .write = TRUE } };

  if (recorder->error)
    return;
  dst.size = src.size = MIN (dst.size, src.size);
  accesses[0].span = src;
  accesses[1].span = dst;
  if (!check_accesses (recorder, "copy", accesses, 2))
    return;
  if (!dst.memory || !src.memory || !dst.size ||
      recorder->mode == VIDGEN_RECORDER_PREPARE)
    return;
  recorder->n_recorded++;
  recorder->klass->copy (recorder, dst, src,
      order_accesses (recorder, accesses, 2), &recorder->error);
}

void
vidgen_recorder_clear (VidgenRecorder *recorder, VidgenSpan dst)
{
  const VidgenAccess access = { .name = "dst", .span = dst, .write = TRUE };

  if (recorder->error || !check_accesses (recorder, "clear", &access, 1) ||
      !check_clear (recorder, dst))
    return;
  if (!dst.memory || !dst.size || recorder->mode == VIDGEN_RECORDER_PREPARE)
    return;
  recorder->n_recorded++;
  recorder->klass->clear (
      recorder, dst, order_accesses (recorder, &access, 1), &recorder->error);
}

void
vidgen_recorder_stage (VidgenRecorder *recorder, const char *stage)
{
  recorder->stage = stage;
}

void
vidgen_recorder_add_time (VidgenRecorder *recorder, const char *stage,
    guint64 time_ns, double operations)
{
  const VidgenStageTime added = { stage, time_ns, operations };

  for (guint i = 0; i < recorder->stages->len; i++) {
    VidgenStageTime *time =
        &g_array_index (recorder->stages, VidgenStageTime, i);

    if (!strcmp (time->stage, stage)) {
      time->time_ns += time_ns;
      time->operations += operations;
      return;
    }
  }
  g_array_append_val (recorder->stages, added);
}

static void
recorder_submit_rest (VidgenRecorder *recorder, GCancellable *cancellable)
{
  if (!recorder->error)
    recorder->klass->submit (recorder,
        cancellable ? cancellable : recorder->cancellable, &recorder->error);
  vidgen_hazards_clear (recorder->hazards);
}

gboolean
vidgen_recorder_submit (
    VidgenRecorder *recorder, GCancellable *cancellable, GError **error)
{
  recorder_submit_rest (recorder, cancellable);
  if (!recorder->error)
    return TRUE;
  if (error)
    *error = g_error_copy (recorder->error);
  return FALSE;
}

void
vidgen_recorder_report_times (VidgenRecorder *recorder)
{
  g_array_set_size (recorder->reported, 0);
  for (guint i = 0; i < recorder->stages->len; i++) {
    const VidgenStageTime *time =
        &g_array_index (recorder->stages, VidgenStageTime, i);

    if (time->time_ns || time->operations > 0)
      g_array_append_val (recorder->reported, *time);
  }
  g_array_set_size (recorder->stages, 0);
}

gboolean
vidgen_recorder_finish (
    VidgenRecorder *recorder, GCancellable *cancellable, GError **error)
{
  recorder_submit_rest (recorder, cancellable);
  recorder->klass->finish (recorder,
      cancellable ? cancellable : recorder->cancellable,
      recorder->error ? NULL : &recorder->error);
  vidgen_recorder_report_times (recorder);
  recorder->stage = "";
  if (!recorder->error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&recorder->error));
  return FALSE;
}

gboolean
vidgen_recorder_compile (VidgenRecorder *recorder, VidgenProgressFunc progress,
    gpointer user_data, GCancellable *cancellable, GError **error)
{
  gboolean ok = !recorder->error;

  if (ok)
    ok = recorder->klass->compile (
        recorder, progress, user_data, cancellable, error);
  else
    g_propagate_error (error, g_steal_pointer (&recorder->error));
  vidgen_hazards_clear (recorder->hazards);
  return ok;
}

const VidgenStageTime *
vidgen_recorder_times (VidgenRecorder *recorder, guint *n_stages)
{
  *n_stages = recorder->reported->len;
  return (const VidgenStageTime *)(void *)recorder->reported->data;
}

guint64
vidgen_recorder_n_recorded (const VidgenRecorder *recorder)
{
  return recorder->n_recorded;
}

guint
vidgen_recorder_n_barriers (const VidgenRecorder *recorder)
{
  return recorder->n_barriers;
}

guint
vidgen_recorder_n_submits (const VidgenRecorder *recorder)
{
  return recorder->n_submits;
}
