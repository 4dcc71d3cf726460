/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "shaders/runtime/error.h"
#include "shaders/runtime/faults.h"
#include "shaders/runtime/watch.h"
#ifdef VIDGEN_SHADERS
#include "shaders/runtime/memory-private.h"
#include "shaders/runtime/pipelines.h"
#endif
#include "tests/kernels/harness.h"
#include "tests/kernels/probe.h"

#define COUNT 1000

static VidgenSpan
part (VidgenMemory *memory, guint number)
{
  return vidgen_span_cut (
      vidgen_memory_span (memory), 4 * COUNT * number, 4 * COUNT);
}

static void
add_one (VidgenRecorder *recorder, VidgenSpan out, VidgenSpan x)
{
  const VidgenProbe probe = {
    .count = COUNT, .x = x, .out = out, .add = 1, .repeat = 1
  };

  vidgen_probe (recorder, &probe);
}

/* The barriers that launching a -> b, then c -> d takes; the numbers are of
 * parts of one memory. */
static guint
count_barriers (VidgenDevice *device, guint a, guint b, guint c, guint d)
{
  g_autoptr (VidgenMemory) memory =
      vidgen_probe_memory (device, 4 * COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  guint n_barriers;

  add_one (recorder, part (memory, b), part (memory, a));
  add_one (recorder, part (memory, d), part (memory, c));
  n_barriers = vidgen_recorder_n_barriers (recorder);
  vidgen_probe_finish (recorder);
  return n_barriers;
}

static void
test_barriers (VidgenDevice *device)
{
  g_assert_cmpuint (count_barriers (device, 0, 1, 1, 2), ==, 1);
  g_assert_cmpuint (count_barriers (device, 0, 1, 2, 0), ==, 1);
  g_assert_cmpuint (count_barriers (device, 0, 1, 2, 1), ==, 1);
  g_assert_cmpuint (count_barriers (device, 0, 1, 0, 2), ==, 0);
  g_assert_cmpuint (count_barriers (device, 0, 1, 2, 3), ==, 0);
}

static void
test_barrier_transfers (VidgenDevice *device)
{
  g_autoptr (VidgenMemory) memory =
      vidgen_probe_memory (device, 4 * COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autofree float *values = NULL;

  vidgen_recorder_copy (recorder, part (memory, 1), part (memory, 0));
  g_assert_cmpuint (vidgen_recorder_n_barriers (recorder), ==, 0);
  add_one (recorder, part (memory, 2), part (memory, 1));
  g_assert_cmpuint (vidgen_recorder_n_barriers (recorder), ==, 1);
  vidgen_recorder_clear (recorder, part (memory, 3));
  g_assert_cmpuint (vidgen_recorder_n_barriers (recorder), ==, 1);
  vidgen_recorder_clear (recorder, part (memory, 1));
  g_assert_cmpuint (vidgen_recorder_n_barriers (recorder), ==, 2);
  vidgen_probe_finish (recorder);
  values = vidgen_probe_read (memory);
  for (guint i = 0; i < COUNT; i++) {
    g_assert_cmpfloat (values[i], ==, (float)i);
    g_assert_cmpfloat (values[COUNT + i], ==, 0);
    g_assert_cmpfloat (values[2 * COUNT + i], ==, (float)i + 1);
    g_assert_cmpfloat (values[3 * COUNT + i], ==, 0);
  }
}

static void
test_chain (VidgenDevice *device)
{
  g_autoptr (VidgenMemory) memory =
      vidgen_probe_memory (device, 2 * COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autofree float *values = NULL;

  for (guint i = 0; i < 300; i++) {
    add_one (recorder, part (memory, (i + 1) % 2), part (memory, i % 2));
    if (i % 7 == 0)
      g_assert_true (vidgen_recorder_submit (recorder, NULL, NULL));
  }
  vidgen_probe_finish (recorder);
  values = vidgen_probe_read (memory);
  for (guint i = 0; i < COUNT; i++)
    g_assert_cmpfloat (values[i], ==, (float)i + 300);
}

static void
expect_failure (
    VidgenRecorder *recorder, GQuark domain, gint code, const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (vidgen_recorder_finish (recorder, NULL, &error));
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, words));
}

#ifdef VIDGEN_CHECKS
static void
test_overrun (VidgenDevice *device)
{
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  VidgenSpan span = vidgen_memory_span (memory);

  span.offset = 4;
  add_one (recorder, span, VIDGEN_SPAN_NONE);
  expect_failure (
      recorder, VIDGEN_ERROR, VIDGEN_ERROR_INVALID, "\"out\" of probe");

  span.offset = G_MAXUINT64 - 3;
  add_one (recorder, vidgen_memory_span (memory), span);
  expect_failure (
      recorder, VIDGEN_ERROR, VIDGEN_ERROR_INVALID, "\"x\" of probe");

  span.offset = 4;
  vidgen_recorder_clear (recorder, span);
  expect_failure (recorder, VIDGEN_ERROR, VIDGEN_ERROR_INVALID, "clear");

  add_one (recorder, vidgen_memory_span (memory), VIDGEN_SPAN_NONE);
  vidgen_probe_finish (recorder);
}

static void
test_short_span (VidgenDevice *device)
{
  g_autoptr (VidgenMemory) memory =
      vidgen_probe_memory (device, 2 * COUNT, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);

  add_one (recorder,
      vidgen_span_cut (vidgen_memory_span (memory), 0, 4 * COUNT - 1),
      VIDGEN_SPAN_NONE);
  expect_failure (recorder, VIDGEN_ERROR, VIDGEN_ERROR_INVALID, "\"out\"");
}

static void
test_foreign_memory (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) host = vidgen_device_open ("host", &error);
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (host, COUNT, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);

  add_one (recorder, vidgen_memory_span (memory), VIDGEN_SPAN_NONE);
  if (host == device)
    vidgen_probe_finish (recorder);
  else
    expect_failure (
        recorder, VIDGEN_ERROR, VIDGEN_ERROR_INVALID, "another device");
}
#endif

static void
test_too_many_groups (VidgenDevice *device)
{
  const guint limit = vidgen_device_caps (device)->max_group_count[1];
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  const VidgenProbe probe = { .count = COUNT,
    .out = vidgen_memory_span (memory),
    .columns = 1,
    .rows = limit + 1,
    .planes = 1 };

  if (limit == G_MAXUINT)
    return;
  vidgen_probe (recorder, &probe);
  expect_failure (recorder, VIDGEN_ERROR, VIDGEN_ERROR_INVALID, "groups");
}

/* The launch whose write is not declared is what a barrier would depend on. */
static void
test_undeclared_write (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  VidgenProbe probe = { .count = COUNT,
    .out = vidgen_memory_span (memory),
    .add = 1,
    .repeat = 1,
    .hidden_writes = 1 };

  if (vidgen_watch_has_sanitizer ()) {
    g_test_skip ("the sanitizer reports it first");
    return;
  }
  vidgen_device_watch (device, TRUE);
  vidgen_probe (recorder, &probe);
  expect_failure (
      recorder, VIDGEN_ERROR, VIDGEN_ERROR_INVALID, "probe wrote at byte 399");
  probe.hidden_writes = 0;
  vidgen_probe (recorder, &probe);
  vidgen_probe_finish (recorder);
}

static void
test_undeclared_read (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = NULL;
  g_autoptr (VidgenMemory) x = NULL;
  g_autoptr (VidgenMemory) out = NULL;
  g_autoptr (VidgenRecorder) recorder = NULL;
  VidgenProbe probe = { .count = COUNT, .hidden_reads = 2 };

  if (!vidgen_watch_has_sanitizer ()) {
    g_test_skip ("needs a build with AddressSanitizer");
    return;
  }
  if (!g_test_subprocess ()) {
    g_test_trap_subprocess (NULL, 0, 0);
    g_test_trap_assert_failed ();
    g_test_trap_assert_stderr ("*use-after-poison*");
    return;
  }
  device = vidgen_device_open ("host", &error);
  x = vidgen_probe_memory (device, COUNT, TRUE);
  out = vidgen_probe_memory (device, COUNT, FALSE);
  recorder = vidgen_probe_recorder_new (device);
  probe.x = vidgen_memory_span (x);
  probe.out = vidgen_memory_span (out);
  vidgen_probe (recorder, &probe);
}

/* Claims 10 s of work by any guess, so that it is cut into many submits. */
static void
test_split (VidgenDevice *device)
{
  static const guint grids[][3] = { { 1000, 1, 1 }, { 1, 1000, 1 },
    { 1, 1, 1000 }, { 10, 10, 10 }, { 7, 11, 13 } };
  guint n_submits;

  for (guint i = 0; i < G_N_ELEMENTS (grids); i++) {
    const guint count = 64 * grids[i][0] * grids[i][1] * grids[i][2] - 5;
    g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, count, TRUE);
    g_autoptr (VidgenMemory) out = vidgen_probe_memory (device, count, FALSE);
    g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
    g_autofree float *values = NULL;
    const VidgenProbe probe = { .count = count,
      .x = vidgen_memory_span (memory),
      .out = vidgen_memory_span (out),
      .add = 2,
      .repeat = 1,
      .group_size = 64,
      .columns = grids[i][0],
      .rows = grids[i][1],
      .planes = grids[i][2],
      .operations = i ? 1e9 : 1e12 };

    vidgen_probe (recorder, &probe);
    vidgen_probe_finish (recorder);
    n_submits = vidgen_recorder_n_submits (recorder);
    if (vidgen_device_caps (device)->type == VIDGEN_DEVICE_HOST)
      g_assert_cmpuint (n_submits, ==, 0);
    else if (!i)
      g_assert_cmpuint (n_submits, >, 10);
    values = vidgen_probe_read (out);
    for (guint j = 0; j < count; j++)
      g_assert_cmpfloat (values[j], ==, (float)j + 2);
  }
}

/* Whatever was guessed at first, submits settle near VIDGEN_SUBMIT_MS; a busy
 * machine has ten rounds to show it. Where the device is too fast to tell,
 * nothing is. */
static void
test_submit_length (VidgenDevice *device)
{
  const guint count = 1 << 16;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, count, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  const VidgenProbe probe = {
    .count = count, .out = vidgen_memory_span (memory), .add = 1, .repeat = 500
  };
  gboolean settled = FALSE;

  if (vidgen_device_caps (device)->type == VIDGEN_DEVICE_HOST)
    return;
  for (guint round = 0; round < 10 && !settled; round++) {
    const guint n_before = vidgen_recorder_n_submits (recorder);
    const VidgenStageTime *times;
    double submit_ms;
    guint n;

    for (guint i = 0; i < 16; i++)
      vidgen_probe (recorder, &probe);
    vidgen_probe_finish (recorder);
    times = vidgen_recorder_times (recorder, &n);
    if (times[0].time_ns < 4e6 * VIDGEN_SUBMIT_MS)
      return;
    submit_ms = (double)times[0].time_ns / 1e6 /
                (vidgen_recorder_n_submits (recorder) - n_before);
    g_test_message ("%.1f ms a submit", submit_ms);
    settled = round && submit_ms > VIDGEN_SUBMIT_MS / 5.0 &&
              submit_ms < VIDGEN_SUBMIT_MS * 3.0;
  }
  g_assert_true (settled);
}

#ifdef VIDGEN_SHADERS
/* However short or long submits seem to be, what is learnt stays usable. */
static void
test_learn (VidgenDevice *device)
{
  VidgenPipeline pipeline = { VK_NULL_HANDLE, 0.01 };
  VidgenPipelines *pipelines;

  if (vidgen_device_caps (device)->type == VIDGEN_DEVICE_HOST)
    return;
  pipelines = device->vulkan->pipelines;
  for (guint i = 0; i < 10000; i++)
    vidgen_pipeline_learn (
        pipelines, &pipeline, pipeline.ns_per_operation / 8, 1);
  g_assert_cmpfloat (pipeline.ns_per_operation, >, 0);
  for (guint i = 0; i < 10000; i++)
    vidgen_pipeline_learn (
        pipelines, &pipeline, pipeline.ns_per_operation * 8, 1);
  g_assert_cmpfloat (pipeline.ns_per_operation, <, 1e9);
  vidgen_pipeline_learn (pipelines, &pipeline, 0.5, 1);
  g_assert_cmpfloat_with_epsilon (pipeline.ns_per_operation, 0.5, 1e-9);
}

static PFN_vkCreateComputePipelines create_pipelines;
static VkPipelineShaderStageCreateFlags created_flags;

static VKAPI_ATTR VkResult VKAPI_CALL
note_flags (VkDevice device, VkPipelineCache cache, guint32 n,
    const VkComputePipelineCreateInfo *infos,
    const VkAllocationCallbacks *allocator, VkPipeline *made)
{
  created_flags = infos->stage.flags;
  return create_pipelines (device, cache, n, infos, allocator, made);
}

/* Lanes that share loads are all there, where the size of a group allows. */
static void
test_full_subgroups (VidgenDevice *device)
{
  const guint size = vidgen_device_caps (device)->max_subgroup_size;
  const VkPipelineShaderStageCreateFlags full =
      VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT |
      VK_PIPELINE_SHADER_STAGE_CREATE_ALLOW_VARYING_SUBGROUP_SIZE_BIT;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  VidgenProbe probe = { .count = COUNT, .out = vidgen_memory_span (memory) };

  if (vidgen_device_caps (device)->type == VIDGEN_DEVICE_HOST)
    return;
  create_pipelines = device->vulkan->CreateComputePipelines;
  device->vulkan->CreateComputePipelines = note_flags;
  probe.group_size = 2 * size;
  vidgen_probe (recorder, &probe);
  g_assert_cmpuint (created_flags, ==, full);
  probe.group_size = 2 * size - 1;
  vidgen_probe (recorder, &probe);
  g_assert_cmpuint (created_flags, ==, 0);
  vidgen_probe_finish (recorder);
  device->vulkan->CreateComputePipelines = create_pipelines;
}

static guint n_invalidated;

static VKAPI_ATTR VkResult VKAPI_CALL
count_invalidated (VkDevice device G_GNUC_UNUSED, guint32 n,
    const VkMappedMemoryRange *ranges G_GNUC_UNUSED)
{
  n_invalidated += n;
  return VK_SUCCESS;
}

/* Whatever writes to memory that is not coherent, the host sees it. */
static void
test_not_coherent (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) memory =
      vidgen_memory_new (device, 4 * COUNT, VIDGEN_MEMORY_READBACK, &error);
  g_autoptr (VidgenMemory) other = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  const VidgenSpan span = vidgen_memory_span (memory);
  PFN_vkInvalidateMappedMemoryRanges invalidate;

  if (vidgen_device_caps (device)->type == VIDGEN_DEVICE_HOST)
    return;
  invalidate = device->vulkan->InvalidateMappedMemoryRanges;
  device->vulkan->InvalidateMappedMemoryRanges = count_invalidated;
  memory->coherent = FALSE;
  n_invalidated = 0;
  add_one (recorder, span, vidgen_memory_span (other));
  add_one (recorder, span, vidgen_memory_span (other));
  vidgen_probe_finish (recorder);
  g_assert_cmpuint (n_invalidated, ==, 1);
  vidgen_recorder_clear (recorder, span);
  vidgen_probe_finish (recorder);
  g_assert_cmpuint (n_invalidated, ==, 2);
  vidgen_recorder_copy (recorder, span, vidgen_memory_span (other));
  vidgen_probe_finish (recorder);
  g_assert_cmpuint (n_invalidated, ==, 3);
  add_one (recorder, vidgen_memory_span (other), span);
  vidgen_probe_finish (recorder);
  g_assert_cmpuint (n_invalidated, ==, 3);
  device->vulkan->InvalidateMappedMemoryRanges = invalidate;
}
#endif

static gpointer
cancel_later (gpointer data)
{
  g_usleep (50000);
  g_cancellable_cancel (data);
  return NULL;
}

/* Hours of work, told truthfully: after the cancel nothing more is submitted,
 * and at most two submits are waited for. */
static void
test_cancel (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (VidgenMemory) memory =
      vidgen_probe_memory (device, 1 << 16, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  const VidgenProbe probe = { .count = 1 << 16,
    .out = vidgen_memory_span (memory),
    .add = 1,
    .repeat = 2000 };
  GThread *thread = g_thread_new ("cancel", cancel_later, cancellable);
  gint64 start_us, time_us;
  guint n_submits;

  vidgen_recorder_set_cancellable (recorder, cancellable);
  while (!g_cancellable_is_cancelled (cancellable))
    vidgen_probe (recorder, &probe);
  start_us = g_get_monotonic_time ();
  n_submits = vidgen_recorder_n_submits (recorder);
  for (guint i = 0; i < 100000; i++)
    vidgen_probe (recorder, &probe);
  g_assert_false (vidgen_recorder_finish (recorder, cancellable, &error));
  time_us = g_get_monotonic_time () - start_us;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (vidgen_recorder_n_submits (recorder), ==, n_submits);
  g_test_message ("over %.0f ms after the cancel", (double)time_us / 1000);
  g_assert_cmpint (time_us, <, 5000000);
  g_thread_join (thread);

  g_cancellable_reset (cancellable);
  add_one (recorder, vidgen_memory_span (memory), VIDGEN_SPAN_NONE);
  vidgen_probe_finish (recorder);
}

static void
test_first_error_wins (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autofree float *values = NULL;

  add_one (recorder, vidgen_memory_span (memory), VIDGEN_SPAN_NONE);
  g_cancellable_cancel (cancellable);
  g_assert_false (vidgen_recorder_submit (recorder, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  add_one (recorder, vidgen_memory_span (memory), vidgen_memory_span (memory));
  g_assert_false (vidgen_recorder_finish (recorder, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  vidgen_recorder_clear (recorder, vidgen_memory_span (memory));
  add_one (recorder, vidgen_memory_span (memory), vidgen_memory_span (memory));
  vidgen_probe_finish (recorder);
  values = vidgen_probe_read (memory);
  g_assert_cmpfloat (values[COUNT - 1], ==, 1);
}

static gpointer
run_chain (gpointer device)
{
  for (guint i = 0; i < 5; i++)
    test_chain (device);
  return NULL;
}

static void
test_threads (VidgenDevice *device)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("chain", run_chain, device);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static void
test_times (VidgenDevice *device)
{
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  const VidgenProbe probe = {
    .count = COUNT, .out = vidgen_memory_span (memory), .add = 1, .repeat = 1000
  };
  const VidgenStageTime *times;
  guint n;

  vidgen_recorder_stage (recorder, "first");
  vidgen_probe (recorder, &probe);
  vidgen_recorder_stage (recorder, "second");
  vidgen_probe (recorder, &probe);
  vidgen_probe (recorder, &probe);
  vidgen_recorder_stage (recorder, "first");
  vidgen_probe (recorder, &probe);
  vidgen_probe_finish (recorder);
  times = vidgen_recorder_times (recorder, &n);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpstr (times[0].stage, ==, "first");
  g_assert_cmpstr (times[1].stage, ==, "second");
  for (guint i = 0; i < n; i++) {
    g_assert_cmpfloat_with_epsilon (times[i].operations, 2e6, 1);
    g_assert_cmpuint (times[i].time_ns, >, 0);
    g_assert_cmpuint (
        times[i].time_ns, <, 10 * G_GUINT64_CONSTANT (1000000000));
  }
  vidgen_probe_finish (recorder);
  vidgen_recorder_times (recorder, &n);
  g_assert_cmpuint (n, ==, 0);
}

static void
note_progress (guint done, guint total, gpointer user_data)
{
  guint *noted = user_data;

  g_assert_cmpuint (done, ==, *noted + 1);
  g_assert_cmpuint (done, <=, total);
  *noted = done;
}

static void
test_prepare (VidgenDevice *device)
{
  const gboolean on_host =
      vidgen_device_caps (device)->type == VIDGEN_DEVICE_HOST;
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (device, VIDGEN_RECORDER_PREPARE, &error);
  g_autofree float *values = NULL;
  VidgenProbe probe = { .count = COUNT, .add = 1, .repeat = 1 };
  guint noted = 0;

  g_assert_no_error (error);
  probe.out = vidgen_memory_span (memory);
  for (guint i = 0; i < 20; i++) {
    probe.group_size = 1 + i % 10;
    vidgen_probe (recorder, &probe);
  }
  vidgen_recorder_clear (recorder, vidgen_memory_span (memory));
  vidgen_recorder_compile (recorder, note_progress, &noted, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (noted, ==, on_host ? 0 : 10);

  noted = 0;
  vidgen_recorder_compile (recorder, note_progress, &noted, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (noted, ==, 0);

  probe.group_size = 32;
  vidgen_probe (recorder, &probe);
  g_cancellable_cancel (cancellable);
  g_assert_false (
      vidgen_recorder_compile (recorder, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  values = vidgen_probe_read (memory);
  g_assert_cmpfloat (values[COUNT - 1], ==, COUNT - 1);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_runtime_test_add ("/runtime/recorder/barriers", test_barriers);
  vidgen_runtime_test_add (
      "/runtime/recorder/barrier-transfers", test_barrier_transfers);
  vidgen_runtime_test_add ("/runtime/recorder/chain", test_chain);
#ifdef VIDGEN_CHECKS
  vidgen_runtime_test_add ("/runtime/recorder/overrun", test_overrun);
  vidgen_runtime_test_add ("/runtime/recorder/short-span", test_short_span);
  vidgen_runtime_test_add (
      "/runtime/recorder/foreign-memory", test_foreign_memory);
#endif
  vidgen_runtime_test_add (
      "/runtime/recorder/too-many-groups", test_too_many_groups);
  g_test_add_func ("/runtime/recorder/undeclared-write", test_undeclared_write);
  g_test_add_func ("/runtime/recorder/undeclared-read", test_undeclared_read);
  vidgen_runtime_test_add ("/runtime/recorder/split", test_split);
  vidgen_runtime_test_add (
      "/runtime/recorder/submit-length", test_submit_length);
#ifdef VIDGEN_SHADERS
  vidgen_runtime_test_add ("/runtime/recorder/learn", test_learn);
  vidgen_runtime_test_add (
      "/runtime/recorder/full-subgroups", test_full_subgroups);
  vidgen_runtime_test_add ("/runtime/recorder/not-coherent", test_not_coherent);
#endif
  vidgen_runtime_test_add ("/runtime/recorder/cancel", test_cancel);
  vidgen_runtime_test_add (
      "/runtime/recorder/first-error-wins", test_first_error_wins);
  vidgen_runtime_test_add ("/runtime/recorder/threads", test_threads);
  vidgen_runtime_test_add ("/runtime/recorder/times", test_times);
  vidgen_runtime_test_add ("/runtime/recorder/prepare", test_prepare);
  return g_test_run ();
}
