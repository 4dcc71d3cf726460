/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gio/gio.h>
#include <stdint.h>

#include "shaders/runtime/memory.h"

G_BEGIN_DECLS

/* A recorder takes launches and copies in order and runs them on its device.
 *
 * It places barriers from the ranges that each launch declares: a launch waits
 * for earlier ones whose writes overlap its reads or writes, or whose reads
 * overlap its writes, and for nothing else. It cuts what it has recorded into
 * submits of at most about VIDGEN_SUBMIT_MS of work by the device's measured
 * rate (a larger dispatch is cut into ranges of groups), keeps at most two in
 * flight, and checks for cancel between them.
 *
 * Launch functions return nothing: the first error is kept, what follows is
 * dropped, and vidgen_recorder_finish() reports it. A recorder belongs to one
 * thread at a time; several recorders may use one device at once.
 *
 * In a build with -Dchecks=true (the default of debug builds) a declared range
 * outside its memory, or a span smaller than what a kernel's shape needs, is
 * refused: the recorder fails with INVALID, naming kernel and range.
 */
typedef struct _VidgenRecorder VidgenRecorder;

#define VIDGEN_SUBMIT_MS 50
#define VIDGEN_MAX_CONSTANTS 12
#define VIDGEN_MAX_PUSH_BYTES 128
#define VIDGEN_MAX_ACCESSES 16

/* One compiled shader. Static data of the file that launches it. */
typedef struct {
  const char *name;
  const guint32 *spirv;
  gsize spirv_bytes;
} VidgenKernel;

/* The initialiser of a VidgenKernel in a file that has included "NAME.spv.h";
 * how that file comes about is told in shaders/meson.build. */
/* clang-format off */
#ifdef VIDGEN_SHADERS
#define VIDGEN_KERNEL(name) { #name, name##_spirv, sizeof (name##_spirv) }
#else
#define VIDGEN_KERNEL(name) { #name, NULL, 0 }
#endif
/* clang-format on */

/* A range that a launch touches. An absent span counts as no access. */
typedef struct {
  const char *name; /* as in the shader, for messages */
  VidgenSpan span;
  gboolean write;
  guint64 bytes; /* touched from the start of the span, what the shape needs;
                    0: the whole span. More than the span has is refused. */
} VidgenAccess;

/* Computes on the host what the kernel does; `params` is the launch function's
 * parameter struct. Spans are read through vidgen_span_map(). */
typedef void (*VidgenReference) (const void *params);

/* One launch. All pointers are read during the call only, but the memories of
 * its spans must live until vidgen_recorder_finish() or, where it is recorded
 * on a tape, for as long as the tape does. Specialisation constants
 * 0 .. n_constants-1; a shader takes its group size from constants 0, 1, 2
 * (local_size_x_id = 0 and so on). No count of groups exceeds the device's
 * max_group_count; a launch may run in parts, so that gl_WorkGroupID is right
 * and gl_NumWorkGroups is not. */
typedef struct {
  const VidgenKernel *kernel;
  guint32 constants[VIDGEN_MAX_CONSTANTS];
  guint n_constants;
  guint subgroup_size; /* that the kernel must run with; 0: any */
  const void *push;
  gsize push_bytes;
  VidgenAccess accesses[VIDGEN_MAX_ACCESSES];
  guint n_accesses;
  guint32 groups[3];
  double operations; /* floating-point operations, for cutting submits */
  VidgenReference reference;
  const void *params;
  gsize params_bytes; /* all of them: there is no pointer to others inside */
} VidgenDispatch;

/* What a recorder does with its launches. */
typedef enum {
  VIDGEN_RECORDER_RUN,
  VIDGEN_RECORDER_PREPARE /* only collects the pipelines that are needed */
} VidgenRecorderMode;

typedef struct {
  const char *stage; /* as given to vidgen_recorder_stage() */
  guint64 time_ns;   /* device time between its first and last launch */
  double operations;
} VidgenStageTime;

typedef void (*VidgenProgressFunc) (
    guint done, guint total, gpointer user_data);

VidgenRecorder *vidgen_recorder_new (
    VidgenDevice *device, VidgenRecorderMode mode, GError **error);
/* Waits for what is in flight. */
void vidgen_recorder_free (VidgenRecorder *recorder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenRecorder, vidgen_recorder_free)

VidgenDevice *vidgen_recorder_device (VidgenRecorder *recorder);

/* What cuts between submits check, and submit and finish when they are given
 * none: a launch that would submit after a cancel fails instead. The recorder
 * holds a reference; NULL: none. */
void vidgen_recorder_set_cancellable (
    VidgenRecorder *recorder, GCancellable *cancellable);

/* Called by the launch functions of shaders/ only. */
void vidgen_recorder_dispatch (
    VidgenRecorder *recorder, const VidgenDispatch *dispatch);

/* Copies min(dst.size, src.size) bytes; sizes and offsets are multiples of 4.
 */
void vidgen_recorder_copy (
    VidgenRecorder *recorder, VidgenSpan dst, VidgenSpan src);
/* Fills with zeros; offset is a multiple of 4, and so is size unless the span
 * ends with its memory. */
void vidgen_recorder_clear (VidgenRecorder *recorder, VidgenSpan dst);

/* What follows, up to the next finish, belongs to `stage` (a static string) in
 * the timings. */
void vidgen_recorder_stage (VidgenRecorder *recorder, const char *stage);

/* Submits what is recorded, without waiting for it unless two submits are in
 * flight already. FALSE when the recorder has failed. */
gboolean vidgen_recorder_submit (
    VidgenRecorder *recorder, GCancellable *cancellable, GError **error);

/* Submits the rest and waits for everything. Afterwards the recorder is empty
 * and, unless the device is lost, usable again, whatever happened. Errors:
 * G_IO_ERROR_CANCELLED, the first launch's error, DEVICE_LOST, NO_MEMORY. */
gboolean vidgen_recorder_finish (
    VidgenRecorder *recorder, GCancellable *cancellable, GError **error);

/* In PREPARE mode: compiles the collected pipelines on several threads, then
 * forgets them. `progress` is called on the calling thread. May be NULL. */
gboolean vidgen_recorder_compile (VidgenRecorder *recorder,
    VidgenProgressFunc progress, gpointer user_data, GCancellable *cancellable,
    GError **error);

/* Times of the stages between the last two reports, that is finishes (and, see
 * shaders/runtime/tape.h, awaits), in the order in which they ran; valid until
 * the next report. On the host device host time around the launches; on a
 * device without timestamps host time around the submits, but for those that
 * had run unnoticed before they were waited for, which are not in it. */
const VidgenStageTime *vidgen_recorder_times (
    VidgenRecorder *recorder, guint *n_stages);

/* Since the recorder was made, for tests: launches, copies and clears that were
 * recorded (playing a tape adds none), barriers placed between them, and
 * submits (0 on the host device). */
guint64 vidgen_recorder_n_recorded (const VidgenRecorder *recorder);
guint vidgen_recorder_n_barriers (const VidgenRecorder *recorder);
guint vidgen_recorder_n_submits (const VidgenRecorder *recorder);

G_END_DECLS
