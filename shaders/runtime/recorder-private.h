/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/hazards.h"
#include "shaders/runtime/recorder.h"

G_BEGIN_DECLS

/* The recorder of one kind of device. `barrier` says that what is recorded
 * must wait for everything before it. Each reports the first failure in
 * `error`; nothing but finish is called afterwards. */
typedef struct {
  gboolean (*dispatch) (VidgenRecorder *recorder,
      const VidgenDispatch *dispatch, gboolean barrier, GError **error);
  gboolean (*copy) (VidgenRecorder *recorder, VidgenSpan dst, VidgenSpan src,
      gboolean barrier, GError **error);
  gboolean (*clear) (VidgenRecorder *recorder, VidgenSpan dst, gboolean barrier,
      GError **error);
  gboolean (*submit) (
      VidgenRecorder *recorder, GCancellable *cancellable, GError **error);
  /* Waits for all submits, also after a failure or a cancel, and forgets what
   * was not submitted. May be called again. */
  gboolean (*finish) (
      VidgenRecorder *recorder, GCancellable *cancellable, GError **error);
  gboolean (*compile) (VidgenRecorder *recorder, VidgenProgressFunc progress,
      gpointer user_data, GCancellable *cancellable, GError **error);
  void (*free) (VidgenRecorder *recorder);
} VidgenRecorderClass;

struct _VidgenRecorder {
  const VidgenRecorderClass *klass;
  VidgenDevice *device;
  VidgenRecorderMode mode;
  VidgenHazards *hazards;
  guint n_barriers;
  guint n_submits;
  GCancellable *cancellable; /* checked where no other is given */
  GError *error;             /* the first one, until finish */
  GArray *stages;            /* VidgenStageTime, of the current run */
  guint stage;               /* index into stages */
  GArray *reported;          /* of the run before */
};

void vidgen_recorder_init (VidgenRecorder *recorder,
    const VidgenRecorderClass *klass, VidgenDevice *device,
    VidgenRecorderMode mode);
void vidgen_recorder_add_time (
    VidgenRecorder *recorder, guint stage, guint64 time_ns, double operations);

VidgenRecorder *vidgen_host_recorder_new (
    VidgenDevice *device, VidgenRecorderMode mode, GError **error);

G_END_DECLS
