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

/* A launch, copy or clear of a tape. */
typedef struct {
  const char *stage;
  VidgenDispatch dispatch; /* without a kernel: a copy; its params are owned */
  VidgenSpan dst, src;     /* of a copy; without src a clear */
} Entry;

typedef struct {
  VidgenTape base;
  GArray *entries; /* Entry */
} HostTape;

static void
entry_clear (gpointer data)
{
  g_free ((gpointer)((Entry *)data)->dispatch.params);
}

static void
add_entry (VidgenRecorder *recorder, Entry entry)
{
  entry.stage = recorder->stage;
  g_array_append_val (((HostTape *)recorder->tape)->entries, entry);
}

static gboolean
run_dispatch (VidgenRecorder *recorder, const char *stage,
    const VidgenDispatch *dispatch, GError **error)
{
  const guint64 start_ns = host_time_ns ();

  if (!host_may_launch (recorder, error) ||
      !host_run_reference (recorder->device, dispatch, error))
    return FALSE;
  vidgen_recorder_add_time (
      recorder, stage, host_time_ns () - start_ns, dispatch->operations);
  return TRUE;
}

/* Without src a clear. */
static gboolean
run_transfer (VidgenRecorder *recorder, const char *stage, VidgenSpan dst,
    VidgenSpan src, GError **error)
{
  const guint64 start_ns = host_time_ns ();

  if (!host_may_launch (recorder, error))
    return FALSE;
  g_mutex_lock (&recorder->device->reference_lock);
  if (src.memory)
    memmove (vidgen_span_map (dst), vidgen_span_map (src), dst.size);
  else
    memset (vidgen_span_map (dst), 0, dst.size);
  g_mutex_unlock (&recorder->device->reference_lock);
  vidgen_recorder_add_time (recorder, stage, host_time_ns () - start_ns, 0);
  return TRUE;
}

static gboolean
host_dispatch (VidgenRecorder *recorder, const VidgenDispatch *dispatch,
    gboolean barrier G_GNUC_UNUSED, GError **error)
{
  Entry entry = { .dispatch = *dispatch };

  if (recorder->mode == VIDGEN_RECORDER_PREPARE)
    return TRUE;
  if (!recorder->tape)
    return run_dispatch (recorder, recorder->stage, dispatch, error);
  entry.dispatch.push = NULL;
  entry.dispatch.params = g_memdup2 (dispatch->params, dispatch->params_bytes);
  add_entry (recorder, entry);
  return TRUE;
}

static gboolean
host_copy (VidgenRecorder *recorder, VidgenSpan dst, VidgenSpan src,
    gboolean barrier G_GNUC_UNUSED, GError **error)
{
  if (!recorder->tape)
    return run_transfer (recorder, recorder->stage, dst, src, error);
  add_entry (recorder, (Entry){ .dst = dst, .src = src });
  return TRUE;
}

static gboolean
host_clear (VidgenRecorder *recorder, VidgenSpan dst,
    gboolean barrier G_GNUC_UNUSED, GError **error)
{
  return host_copy (recorder, dst, VIDGEN_SPAN_NONE, FALSE, error);
}

static VidgenTape *
host_new_tape (VidgenRecorder *recorder G_GNUC_UNUSED)
{
  HostTape *tape = g_new0 (HostTape, 1);

  tape->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (tape->entries, entry_clear);
  return &tape->base;
}

static gboolean
host_end_tape (
    VidgenRecorder *recorder G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  return TRUE;
}

static void
host_free_tape (VidgenTape *tape)
{
  g_array_unref (((HostTape *)tape)->entries);
  g_free (tape);
}

static gboolean
run_entry (VidgenRecorder *recorder, const Entry *entry, GError **error)
{
  return entry->dispatch.kernel
             ? run_dispatch (recorder, entry->stage, &entry->dispatch, error)
             : run_transfer (
                   recorder, entry->stage, entry->dst, entry->src, error);
}

static gboolean
host_play (VidgenTape *tape, const void *words, gboolean ahead,
    GCancellable *cancellable G_GNUC_UNUSED, GError **error)
{
  const GArray *entries = ((HostTape *)tape)->entries;
  const guint end = ahead ? entries->len / 2 : entries->len;

  if (tape->n_played == 0)
    vidgen_tape_write_words (tape, words);
  for (; tape->n_played < end; tape->n_played++)
    if (!run_entry (tape->recorder,
            &g_array_index (entries, Entry, tape->n_played), error))
      return FALSE;
  return TRUE;
}

static gboolean
host_await (VidgenTape *tape G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  return TRUE;
}

static gboolean
host_is_stale (const VidgenTape *tape G_GNUC_UNUSED)
{
  return FALSE;
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
  .new_tape = host_new_tape,
  .end_tape = host_end_tape,
  .free_tape = host_free_tape,
  .play = host_play,
  .await = host_await,
  .is_stale = host_is_stale,
};

VidgenRecorder *
vidgen_host_recorder_new (
    VidgenDevice *device, VidgenRecorderMode mode, GError **error G_GNUC_UNUSED)
{
  VidgenRecorder *recorder = g_new0 (VidgenRecorder, 1);

  vidgen_recorder_init (recorder, &host_class, device, mode);
  return recorder;
}
