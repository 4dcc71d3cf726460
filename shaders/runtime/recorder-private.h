/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/hazards.h"
#include "shaders/runtime/tape.h"

G_BEGIN_DECLS

struct _VidgenTape {
  VidgenRecorder *recorder;
  VidgenSpan words;
  guint n_played; /* parts of the run that has begun */
};

/* The recorder of one kind of device. `barrier` says that what is recorded
 * must wait for everything before it. Each reports the first failure in
 * `error`; nothing but finish and free_tape is called afterwards. */
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

  /* An empty tape; while recorder->tape is set, dispatch, copy and clear add to
   * it. end_tape is called once, when all is recorded. */
  VidgenTape *(*new_tape) (VidgenRecorder *recorder);
  gboolean (*end_tape) (VidgenRecorder *recorder, GError **error);
  void (*free_tape) (VidgenTape *tape);
  /* From part n_played on, which is set; `words` are written before part 0. To
   * the end, or with `ahead` as far as that takes no waiting. */
  gboolean (*play) (VidgenTape *tape, const void *words, gboolean ahead,
      GCancellable *cancellable, GError **error);
  gboolean (*await) (VidgenTape *tape, GError **error);
  gboolean (*is_stale) (const VidgenTape *tape);
} VidgenRecorderClass;

struct _VidgenRecorder {
  const VidgenRecorderClass *klass;
  VidgenDevice *device;
  VidgenRecorderMode mode;
  VidgenHazards *hazards;
  guint n_barriers;
  guint n_submits;
  guint64 n_recorded;
  GCancellable *cancellable; /* checked where no other is given */
  GError *error;             /* the first one, until finish */
  VidgenTape *tape;          /* that is being recorded */
  const char *stage;         /* of what is recorded next */
  GArray *stages;            /* VidgenStageTime, since the last report */
  GArray *reported;          /* of the last report */
};

void vidgen_recorder_init (VidgenRecorder *recorder,
    const VidgenRecorderClass *klass, VidgenDevice *device,
    VidgenRecorderMode mode);
void vidgen_recorder_add_time (VidgenRecorder *recorder, const char *stage,
    guint64 time_ns, double operations);
void vidgen_recorder_report_times (VidgenRecorder *recorder);
void vidgen_tape_write_words (const VidgenTape *tape, const void *words);

VidgenRecorder *vidgen_host_recorder_new (
    VidgenDevice *device, VidgenRecorderMode mode, GError **error);

G_END_DECLS
