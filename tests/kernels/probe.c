/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/kernels/probe.h"

#include <string.h>

#include "shaders/runtime/error.h"

#include "probe.spv.h"

static const VidgenKernel probe_kernel = VIDGEN_KERNEL (probe);

void
vidgen_probe_reference (const VidgenProbe *probe)
{
  const float *x = vidgen_span_map (probe->x);
  float *out = vidgen_span_map (probe->out);

  for (guint i = 0; i < probe->count; i++) {
    float sum = x ? x[i] : 0.0f;

    for (guint j = 0; j < probe->repeat; j++)
      sum += probe->add;
    out[i] = sum;
  }
}

static void
reference (const void *params)
{
  vidgen_probe_reference (params);
}

void
vidgen_probe (VidgenRecorder *recorder, const VidgenProbe *probe)
{
  const guint group_size = probe->group_size ? probe->group_size : 64;
  const guint n_groups = (probe->count + group_size - 1) / group_size;
  const guint columns = probe->columns ? probe->columns : n_groups;
  const guint rows = probe->columns ? probe->rows : 1;
  const struct {
    guint64 x, out;
    guint32 count, columns, rows, repeat;
    float add;
  } push = { vidgen_span_address (probe->x), vidgen_span_address (probe->out),
    probe->count, columns, rows, probe->repeat, probe->add };
  const VidgenDispatch dispatch = {
    .kernel = &probe_kernel,
    .constants = { group_size, 1, 1 },
    .n_constants = 3,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = {
        { "x", probe->x, FALSE,
            4 * (guint64) (probe->count - probe->hidden_reads) },
        { "out", probe->out, TRUE,
            4 * (guint64) (probe->count - probe->hidden_writes) },
    },
    .n_accesses = 2,
    .groups = { columns, rows, probe->columns ? probe->planes : 1 },
    .operations = probe->operations > 0
                      ? probe->operations
                      : (double) probe->count * probe->repeat,
    .reference = reference,
    .params = probe,
    .params_bytes = sizeof *probe,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}

typedef struct {
  VidgenRuntimeTestFunc func;
  const char *device;
} Registered;

static void
run_registered (gconstpointer data)
{
  const Registered *registered = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device =
      vidgen_device_open (registered->device, &error);

  if (device) {
    registered->func (device);
    return;
  }
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE);
  g_test_skip (error->message);
}

void
vidgen_runtime_test_add (const char *path, VidgenRuntimeTestFunc func)
{
  static const char *const devices[][2] = { { "host", "host" },
    { "auto", "vulkan" } };

  for (guint i = 0; i < G_N_ELEMENTS (devices); i++) {
    g_autofree char *name = g_strdup_printf ("%s/%s", path, devices[i][1]);
    Registered *registered = g_new (Registered, 1);

    *registered = (Registered){ func, devices[i][0] };
    g_test_add_data_func_full (name, registered, run_registered, g_free);
  }
}

static void
copy (VidgenMemory *dst, VidgenMemory *src)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenRecorder) recorder = vidgen_recorder_new (
      vidgen_memory_device (dst), VIDGEN_RECORDER_RUN, &error);

  g_assert_no_error (error);
  vidgen_recorder_copy (
      recorder, vidgen_memory_span (dst), vidgen_memory_span (src));
  vidgen_recorder_finish (recorder, NULL, &error);
  g_assert_no_error (error);
}

VidgenRecorder *
vidgen_probe_recorder_new (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  VidgenRecorder *recorder =
      vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);

  g_assert_no_error (error);
  return recorder;
}

void
vidgen_probe_finish (VidgenRecorder *recorder)
{
  g_autoptr (GError) error = NULL;

  vidgen_recorder_finish (recorder, NULL, &error);
  g_assert_no_error (error);
}

VidgenMemory *
vidgen_probe_memory (VidgenDevice *device, guint count, gboolean counting)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) staging = NULL;
  VidgenMemory *memory =
      vidgen_memory_new (device, 4 * count, VIDGEN_MEMORY_DEVICE, &error);
  float *values;

  g_assert_no_error (error);
  if (!counting)
    return memory;
  staging = vidgen_memory_new (device, 4 * count, VIDGEN_MEMORY_UPLOAD, &error);
  g_assert_no_error (error);
  values = vidgen_span_map (vidgen_memory_span (staging));
  for (guint i = 0; i < count; i++)
    values[i] = (float)i;
  copy (memory, staging);
  return memory;
}

float *
vidgen_probe_read (VidgenMemory *memory)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) staging =
      vidgen_memory_new (vidgen_memory_device (memory),
          vidgen_memory_size (memory), VIDGEN_MEMORY_READBACK, &error);

  g_assert_no_error (error);
  copy (staging, memory);
  return g_memdup2 (vidgen_span_map (vidgen_memory_span (staging)),
      vidgen_memory_size (memory));
}
