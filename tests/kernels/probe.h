/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/recorder.h"

G_BEGIN_DECLS

/* A kernel that does little and can be told to lie, to test the runtime:
 *
 *   out[i] = x[i] + add + add + ... (`repeat` times)
 *
 * over `count` f32 values; x may be absent (0).
 */
typedef struct {
  guint count;
  VidgenSpan x;
  VidgenSpan out;
  float add;
  guint repeat;
  guint group_size; /* 0: 64 */
  /* Zero, or the grid that the groups lie in; it must be exactly enough. */
  guint columns, rows, planes;
  double operations; /* as claimed; 0: count * repeat */
  /* Lies: how many of the values at the end are not declared. */
  guint hidden_reads, hidden_writes;
} VidgenProbe;

void vidgen_probe (VidgenRecorder *recorder, const VidgenProbe *probe);
void vidgen_probe_reference (const VidgenProbe *probe);

/* The devices that a test of the runtime runs on: registers /PATH/host and
 * /PATH/vulkan, the second skipped where there is no Vulkan device. */
typedef void (*VidgenRuntimeTestFunc) (VidgenDevice *device);
void vidgen_runtime_test_add (const char *path, VidgenRuntimeTestFunc func);

/* A recorder that runs; and its end, where an error fails the test. */
VidgenRecorder *vidgen_probe_recorder_new (VidgenDevice *device);
void vidgen_probe_finish (VidgenRecorder *recorder);

/* Memory of `count` values, 0, 1, 2, ... when `counting`, else 0. */
VidgenMemory *vidgen_probe_memory (
    VidgenDevice *device, guint count, gboolean counting);
/* The values of a memory, to be freed. */
float *vidgen_probe_read (VidgenMemory *memory);

G_END_DECLS
