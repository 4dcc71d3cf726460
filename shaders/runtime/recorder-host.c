/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "shaders/runtime/device-private.h"
#include "shaders/runtime/recorder-private.h"
#include "shaders/runtime/watch.h"

static guint64
host_time_ns (void)
{
  return (guint64)g_get_monotonic_time () * 1000;
}

static gboolean
host_may_launch (VidgenRecorder *recorder, GError **error)
{
  return !g_cancellable_set_error_if_cancelled (recorder->cancellable, error) &&
         vidgen_device_check_submit (recorder->device, error);
}

static gboolean
host_run_reference (
    VidgenDevice *device, const VidgenDispatch *dispatch, GError **error)
{
  gboolean watch, ok;

  g_mutex_lock (&device->lock);
  watch = device->watch;
  g_mutex_unlock (&device->lock);
  if (!watch && !vidgen_watch_has_sanitizer ()) {
    dispatch->reference (dispatch->params);
    return TRUE;
  }
  g_mutex_lock (&device->reference_lock);
  ok = vidgen_watch_reference (dispatch, watch, error);
  g_mutex_unlock (&device->reference_lock);
  return ok;
}

static gboolean
host_dispatch (VidgenRecorder *recorder, const VidgenDispatch *dispatch,
    gboolean barrier G_GNUC_UNUSED, GError **error)
{
  const guint64 start_ns = host_time_ns ();

  if (recorder->mode == VIDGEN_RECORDER_PREPARE)
    return TRUE;
  if (!host_may_launch (recorder, error) ||
      !host_run_reference (recorder->device, dispatch, error))
    return FALSE;
  vidgen_recorder_add_time (recorder, recorder->stage,
      host_time_ns () - start_ns, dispatch->operations);
  return TRUE;
}

static gboolean
host_copy (VidgenRecorder *recorder, VidgenSpan dst, VidgenSpan src,
    gboolean barrier G_GNUC_UNUSED, GError **error)
{
  const guint64 start_ns = host_time_ns ();

  if (!host_may_launch (recorder, error))
    return FALSE;
  g_mutex_lock (&recorder->device->reference_lock);
  memmove (vidgen_span_map (dst), vidgen_span_map (src), dst.size);
  g_mutex_unlock (&recorder->device->reference_lock);
  vidgen_recorder_add_time (
      recorder, recorder->stage, host_time_ns () - start_ns, 0);
  return TRUE;
}

static gboolean
host_clear (VidgenRecorder *recorder, VidgenSpan dst,
    gboolean barrier G_GNUC_UNUSED, GError **error)
{
  if (!host_may_launch (recorder, error))
    return FALSE;
  g_mutex_lock (&recorder->device->reference_lock);
  memset (vidgen_span_map (dst), 0, dst.size);
  g_mutex_unlock (&recorder->device->reference_lock);
  return TRUE;
}

static gboolean
host_check_cancelled (VidgenRecorder *recorder G_GNUC_UNUSED,
    GCancellable *cancellable, GError **error)
{
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gboolean
host_compile (VidgenRecorder *recorder G_GNUC_UNUSED,
    VidgenProgressFunc progress G_GNUC_UNUSED, gpointer user_data G_GNUC_UNUSED,
    GCancellable *cancellable, GError **error)
{
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static void
host_free (VidgenRecorder *recorder)
{
  g_free (recorder);
}

static const VidgenRecorderClass host_class = {
  .dispatch = host_dispatch,
  .copy = host_copy,
  .clear = host_clear,
  .submit = host_check_cancelled,
  .finish = host_check_cancelled,
  .compile = host_compile,
  .free = host_free,
};

VidgenRecorder *
vidgen_host_recorder_new (
    VidgenDevice *device, VidgenRecorderMode mode, GError **error G_GNUC_UNUSED)
{
  VidgenRecorder *recorder = g_new0 (VidgenRecorder, 1);

  vidgen_recorder_init (recorder, &host_class, device, mode);
  return recorder;
}
