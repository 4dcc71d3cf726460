/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/tape.h"

#include "shaders/noise.h"
#include "shaders/runtime/error.h"
#include "shaders/runtime/faults.h"
#include "shaders/runtime/memory-private.h"
#ifdef VIDGEN_SHADERS
#include "shaders/runtime/vulkan.h"
#endif
#include "tests/kernels/harness.h"
#include "tests/kernels/probe.h"

#define COUNT 128 /* one group, which is not cut */
#define HUGE_CLAIM 1e15
#define IDLE_US 400000

static gboolean
on_host (VidgenDevice *device)
{
  return vidgen_device_caps (device)->type == VIDGEN_DEVICE_HOST;
}

static gboolean
has_all_times (VidgenDevice *device)
{
  return on_host (device) ||
         vidgen_device_caps (device)->timestamp_period_ns > 0;
}

static void
add (VidgenRecorder *recorder, VidgenSpan span, float value, double operations)
{
  const VidgenProbe probe = { .count = COUNT,
    .x = span,
    .out = span,
    .add = value,
    .repeat = 1,
    .group_size = COUNT,
    .operations = operations };

  vidgen_probe (recorder, &probe);
}

/* An addition that claims enough work is a submit of its own. */
static VidgenTape *
long_tape (VidgenRecorder *recorder, VidgenSpan span, guint n, double claim)
{
  VidgenTape *tape;

  vidgen_recorder_begin_tape (recorder, VIDGEN_SPAN_NONE);
  for (guint i = 0; i < n; i++)
    add (recorder, span, 1, claim);
  tape = vidgen_recorder_end_tape (recorder);
  g_assert_nonnull (tape);
  return tape;
}

static void
assert_added (VidgenMemory *memory, guint value)
{
  g_autofree float *values = vidgen_probe_read (memory);

  for (guint i = 0; i < COUNT; i++)
    g_assert_cmpfloat (values[i], ==, (float)i + (float)value);
}

/* In order with what is recorded around it, as often as it is played, and
 * nothing of it before. */
static void
test_order (VidgenDevice *device)
{
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenMemory) seen = vidgen_probe_memory (device, COUNT, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autoptr (VidgenTape) tape = NULL;
  const VidgenSpan span = vidgen_memory_span (memory);

  add (recorder, span, 1, 0);
  vidgen_recorder_begin_tape (recorder, VIDGEN_SPAN_NONE);
  vidgen_recorder_copy (recorder, vidgen_memory_span (seen), span);
  add (recorder, span, 2, 0);
  vidgen_recorder_clear (recorder, vidgen_span_cut (span, 0, 4));
  add (recorder, span, 3, 0);
  tape = vidgen_recorder_end_tape (recorder);
  g_assert_nonnull (tape);
  vidgen_probe_finish (recorder);
  assert_added (memory, 1);

  for (guint i = 0; i < 50; i++) {
    g_autofree float *values = NULL;

    vidgen_recorder_play (recorder, tape, NULL);
    add (recorder, span, 10, 0);
    if (i % 3 == 0)
      vidgen_recorder_play (recorder, tape, NULL);
    else
      add (recorder, span, 5, 0);
    vidgen_probe_finish (recorder);
    values = vidgen_probe_read (memory);
    g_assert_cmpfloat (values[0], ==, i % 3 == 0 ? 3 : 18);
    vidgen_recorder_clear (recorder, span);
    add (recorder, span, 7, 0);
    vidgen_probe_finish (recorder);
  }
  {
    g_autofree float *values = vidgen_probe_read (seen);

    g_assert_cmpfloat (values[COUNT - 1], ==, 7);
  }
}

/* What is played is what was recorded, to the byte, and nothing is recorded
 * for it; the words of a run are its own, however fast runs follow. */
static void
test_words (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) words =
      vidgen_memory_new (device, 512, VIDGEN_MEMORY_UPLOAD, &error);
  g_autoptr (VidgenMemory) out =
      vidgen_memory_new (device, 4 * COUNT, VIDGEN_MEMORY_READBACK, &error);
  g_autoptr (VidgenMemory) all = vidgen_probe_memory (device, COUNT, FALSE);
  g_autoptr (VidgenMemory) sum = vidgen_probe_memory (device, COUNT, FALSE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autoptr (VidgenTape) tape = NULL;
  VidgenNoise noise = { .count = COUNT,
    .seed = 5,
    .position = vidgen_span_cut (vidgen_memory_span (words), 256, 8),
    .noise_factor = 1,
    .out = vidgen_memory_span (out) };
  VidgenNoise adding = { .count = COUNT,
    .x_factor = 1,
    .v_factor = 1,
    .x = vidgen_memory_span (all),
    .v = vidgen_memory_span (out),
    .out = vidgen_memory_span (all) };
  guint64 n_recorded;

  g_assert_no_error (error);
  vidgen_recorder_begin_tape (recorder, noise.position);
  vidgen_noise (recorder, &noise);
  vidgen_noise (recorder, &adding);
  tape = vidgen_recorder_end_tape (recorder);
  n_recorded = vidgen_recorder_n_recorded (recorder);
  g_assert_cmpuint (n_recorded, ==, 2);
  for (guint64 chunk = 0; chunk < 40; chunk++)
    vidgen_recorder_play (recorder, tape, &(guint64){ chunk | chunk << 33 });
  g_assert_cmpuint (vidgen_recorder_n_recorded (recorder), ==, n_recorded);
  vidgen_probe_finish (recorder);

  noise.position = VIDGEN_SPAN_NONE;
  adding.x = adding.out = vidgen_memory_span (sum);
  for (guint64 chunk = 0; chunk < 40; chunk++) {
    noise.chunk = chunk | chunk << 33;
    vidgen_noise (recorder, &noise);
    vidgen_noise (recorder, &adding);
  }
  vidgen_probe_finish (recorder);
  g_assert_cmpuint (vidgen_recorder_n_recorded (recorder), ==, n_recorded + 80);
  {
    g_autofree float *played = vidgen_probe_read (all);
    g_autofree float *recorded = vidgen_probe_read (sum);

    g_assert_cmpmem (played, 4 * COUNT, recorded, 4 * COUNT);
    g_assert_cmpfloat (played[0], !=, 0);
  }
}

/* Of a run that was begun ahead the rest is run; one that was given up is run
 * anew. */
static void
test_ahead (VidgenDevice *device)
{
  const guint n = 10;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autoptr (VidgenTape) tape =
      long_tape (recorder, vidgen_memory_span (memory), n, HUGE_CLAIM);
  guint n_submits = vidgen_recorder_n_submits (recorder), n_ahead;

  vidgen_recorder_play_ahead (recorder, tape, NULL);
  n_ahead = vidgen_recorder_n_submits (recorder) - n_submits;
  g_assert_cmpuint (n_ahead, ==, on_host (device) ? 0 : 2);
  vidgen_recorder_play (recorder, tape, NULL);
  vidgen_probe_finish (recorder);
  assert_added (memory, n);

  vidgen_recorder_play (recorder, tape, NULL);
  vidgen_probe_finish (recorder);
  assert_added (memory, 2 * n);

  vidgen_recorder_play_ahead (recorder, tape, NULL);
  vidgen_probe_finish (recorder);
  vidgen_tape_rewind (tape);
  n_ahead = on_host (device) ? n / 2 : 2;
  assert_added (memory, 2 * n + n_ahead);
  vidgen_recorder_play (recorder, tape, NULL);
  vidgen_probe_finish (recorder);
  assert_added (memory, 3 * n + n_ahead);

  for (guint i = 0; i < 100; i++) {
    vidgen_recorder_play_ahead (recorder, tape, NULL);
    vidgen_probe_finish (recorder);
  }
  vidgen_recorder_play (recorder, tape, NULL);
  vidgen_probe_finish (recorder);
  assert_added (memory, 4 * n + n_ahead);
}

static guint
count_stage (VidgenRecorder *recorder, const char *stage)
{
  guint n, count = 0;
  const VidgenStageTime *times = vidgen_recorder_times (recorder, &n);

  for (guint i = 0; i < n; i++)
    count += g_str_equal (times[i].stage, stage);
  return count;
}

/* An await waits for its tape, not for what was begun after it. */
static void
test_await (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenMemory) out =
      vidgen_memory_new (device, 4 * COUNT, VIDGEN_MEMORY_READBACK, &error);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autoptr (VidgenTape) first = NULL;
  g_autoptr (VidgenTape) second =
      long_tape (recorder, vidgen_memory_span (memory), 4, HUGE_CLAIM);
  const float *values = vidgen_span_map (vidgen_memory_span (out));

  g_assert_no_error (error);
  vidgen_recorder_stage (recorder, "first");
  vidgen_recorder_begin_tape (recorder, VIDGEN_SPAN_NONE);
  add (recorder, vidgen_memory_span (memory), 1, 0);
  vidgen_recorder_copy (
      recorder, vidgen_memory_span (out), vidgen_memory_span (memory));
  first = vidgen_recorder_end_tape (recorder);
  for (guint i = 0; i < 20; i++) {
    vidgen_recorder_play (recorder, first, NULL);
    vidgen_recorder_play_ahead (recorder, second, NULL);
    g_assert_true (vidgen_recorder_await (recorder, first));
    g_assert_cmpfloat (values[COUNT - 1], ==, COUNT + 5.0f * (float)i);
    if (has_all_times (device))
      g_assert_cmpuint (count_stage (recorder, "first"), ==, 1);
    vidgen_recorder_play (recorder, second, NULL);
  }
  vidgen_probe_finish (recorder);
}

/* Some of its submits run, then none; afterwards it plays as before. */
static void
test_cancel (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autoptr (VidgenTape) tape =
      long_tape (recorder, vidgen_memory_span (memory), 4, HUGE_CLAIM);
  guint n_submits;

  vidgen_recorder_set_cancellable (recorder, cancellable);
  vidgen_recorder_play_ahead (recorder, tape, NULL);
  n_submits = vidgen_recorder_n_submits (recorder);
  g_cancellable_cancel (cancellable);
  vidgen_recorder_play (recorder, tape, NULL);
  g_assert_cmpuint (vidgen_recorder_n_submits (recorder), ==, n_submits);
  g_assert_false (vidgen_recorder_await (recorder, tape));
  g_assert_false (vidgen_recorder_finish (recorder, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_cancellable_reset (cancellable);
  vidgen_recorder_play (recorder, tape, NULL);
  vidgen_probe_finish (recorder);
  assert_added (memory, 4 + 2);
}

#ifdef VIDGEN_CHECKS
/* A launch that is refused leaves no tape behind. */
static void
test_refused (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  VidgenSpan span = vidgen_memory_span (memory);

  vidgen_recorder_begin_tape (recorder, VIDGEN_SPAN_NONE);
  add (recorder, span, 1, 0);
  span.offset = 4;
  add (recorder, span, 1, 0);
  g_assert_null (vidgen_recorder_end_tape (recorder));
  g_assert_false (vidgen_recorder_finish (recorder, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
  add (recorder, vidgen_memory_span (memory), 1, 0);
  vidgen_probe_finish (recorder);
  assert_added (memory, 1);
}
#endif

/* In the middle of a tape the device is lost; tape and recorder can still be
 * freed. */
static void
test_lost (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autoptr (VidgenTape) tape =
      long_tape (recorder, vidgen_memory_span (memory), 4, HUGE_CLAIM);

  vidgen_device_inject (device, VIDGEN_FAULT_DEVICE_LOST, 2);
  vidgen_recorder_play (recorder, tape, NULL);
  vidgen_device_inject (device, VIDGEN_FAULT_NONE, 0);
  g_assert_false (vidgen_recorder_finish (recorder, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_DEVICE_LOST);
}

/* What the host does after a run was begun is no time of the device, and says
 * nothing of the tape. */
static void
test_idle (VidgenDevice *device)
{
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autoptr (VidgenTape) tape = NULL;

  vidgen_recorder_stage (recorder, "idle");
  tape = long_tape (recorder, vidgen_memory_span (memory), 2, HUGE_CLAIM);
  for (guint i = 0; i < 8; i++) {
    const VidgenStageTime *times;
    guint n;

    vidgen_recorder_play_ahead (recorder, tape, NULL);
    g_usleep (IDLE_US);
    vidgen_recorder_play (recorder, tape, NULL);
    vidgen_probe_finish (recorder);
    times = vidgen_recorder_times (recorder, &n);
    for (guint j = 0; j < n; j++)
      g_assert_cmpuint (times[j].time_ns, <, IDLE_US * 1000);
    g_assert_false (vidgen_tape_is_stale (tape));
  }
}

#ifdef VIDGEN_SHADERS
static PFN_vkWaitSemaphores wait_semaphores;

static VKAPI_ATTR VkResult VKAPI_CALL
wait_and_fail (
    VkDevice device, const VkSemaphoreWaitInfo *info, guint64 ns G_GNUC_UNUSED)
{
  wait_semaphores (device, info, G_MAXUINT64);
  return VK_ERROR_OUT_OF_HOST_MEMORY;
}

/* A wait that fails while the next run is begun is told by the await. */
static void
test_failed_wait (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autoptr (VidgenTape) first = NULL;
  g_autoptr (VidgenTape) second = NULL;

  if (on_host (device))
    return;
  first = long_tape (recorder, vidgen_memory_span (memory), 1, 0);
  second = long_tape (recorder, vidgen_memory_span (memory), 1, 0);
  wait_semaphores = device->vulkan->WaitSemaphores;
  vidgen_recorder_play (recorder, first, NULL);
  device->vulkan->WaitSemaphores = wait_and_fail;
  vidgen_recorder_play_ahead (recorder, second, NULL);
  g_assert_false (vidgen_recorder_await (recorder, first));
  device->vulkan->WaitSemaphores = wait_semaphores;
  g_assert_false (vidgen_recorder_finish (recorder, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY);
  vidgen_tape_rewind (second);
  vidgen_recorder_play (recorder, second, NULL);
  vidgen_probe_finish (recorder);
  assert_added (memory, 3);
}

static VKAPI_ATTR VkResult VKAPI_CALL
refuse_submit (VkQueue queue G_GNUC_UNUSED, guint32 n G_GNUC_UNUSED,
    const VkSubmitInfo2 *infos G_GNUC_UNUSED, VkFence fence G_GNUC_UNUSED)
{
  return VK_ERROR_OUT_OF_HOST_MEMORY;
}

/* Of a submit that fails while a run is begun only that run may be lost. */
static void
test_failed_submit (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autoptr (VidgenTape) tape = NULL;
  PFN_vkQueueSubmit2 submit;

  if (on_host (device))
    return;
  tape = long_tape (recorder, vidgen_memory_span (memory), 1, 0);
  submit = device->vulkan->QueueSubmit2;
  device->vulkan->QueueSubmit2 = refuse_submit;
  vidgen_recorder_play_ahead (recorder, tape, NULL);
  device->vulkan->QueueSubmit2 = submit;
  vidgen_probe_finish (recorder);
  vidgen_recorder_play (recorder, tape, NULL);
  vidgen_probe_finish (recorder);
  assert_added (memory, 1);

  add (recorder, vidgen_memory_span (memory), 1, 0);
  device->vulkan->QueueSubmit2 = refuse_submit;
  vidgen_recorder_play_ahead (recorder, tape, NULL);
  device->vulkan->QueueSubmit2 = submit;
  g_assert_false (vidgen_recorder_finish (recorder, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY);
  assert_added (memory, 1);
}

static guint n_invalidated;

static VKAPI_ATTR VkResult VKAPI_CALL
count_invalidated (VkDevice device G_GNUC_UNUSED, guint32 n,
    const VkMappedMemoryRange *ranges G_GNUC_UNUSED)
{
  n_invalidated += n;
  return VK_SUCCESS;
}

/* What a tape wrote to memory that is not coherent is seen once it is waited
 * for, in whatever way, and the memory is not touched any more after that. */
static void
test_not_coherent (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) memory =
      vidgen_memory_new (device, 4 * COUNT, VIDGEN_MEMORY_READBACK, &error);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  g_autoptr (VidgenTape) first = NULL;
  g_autoptr (VidgenTape) second = NULL;
  PFN_vkInvalidateMappedMemoryRanges invalidate;

  if (on_host (device))
    return;
  invalidate = device->vulkan->InvalidateMappedMemoryRanges;
  device->vulkan->InvalidateMappedMemoryRanges = count_invalidated;
  memory->coherent = FALSE;
  n_invalidated = 0;
  first = long_tape (recorder, vidgen_memory_span (memory), 1, 0);
  second = long_tape (recorder, vidgen_memory_span (memory), 1, 0);
  vidgen_recorder_play (recorder, first, NULL);
  vidgen_recorder_play (recorder, first, NULL);
  vidgen_recorder_play (recorder, second, NULL);
  g_assert_true (vidgen_recorder_await (recorder, first));
  g_assert_cmpuint (n_invalidated, ==, 1);
  vidgen_probe_finish (recorder);
  g_assert_cmpuint (n_invalidated, ==, 2);
  vidgen_recorder_play (recorder, second, NULL);
  g_clear_pointer (&second, vidgen_tape_free);
  g_assert_cmpuint (n_invalidated, ==, 3);
  vidgen_recorder_play (recorder, first, NULL);
  g_assert_true (vidgen_recorder_await (recorder, first));
  g_assert_cmpuint (n_invalidated, ==, 4);
  g_clear_pointer (&first, vidgen_tape_free);
  g_clear_pointer (&memory, vidgen_memory_unref);
  vidgen_probe_finish (recorder);
  g_assert_cmpuint (n_invalidated, ==, 4);
  device->vulkan->InvalidateMappedMemoryRanges = invalidate;
}
#endif

/* How many submits a run of the tape takes. */
static guint
count_submits (VidgenRecorder *recorder, VidgenTape *tape)
{
  const guint before = vidgen_recorder_n_submits (recorder);

  vidgen_recorder_play (recorder, tape, NULL);
  vidgen_probe_finish (recorder);
  return vidgen_recorder_n_submits (recorder) - before;
}

/* What claims far too much work is cut too fine. That shows, and recording anew
 * then ends with a tape of few submits that is stale no more. */
static void
test_stale (VidgenDevice *device)
{
  const double claim = 1e9;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = vidgen_probe_recorder_new (device);
  VidgenTape *tape =
      long_tape (recorder, vidgen_memory_span (memory), 40, claim);
  const guint first = count_submits (recorder, tape);
  guint last = first, n_stale = 0;

  for (guint i = 0; i < 200; i++) {
    if (vidgen_tape_is_stale (tape)) {
      n_stale++;
      vidgen_tape_free (tape);
      tape = long_tape (recorder, vidgen_memory_span (memory), 40, claim);
    }
    last = count_submits (recorder, tape);
  }
  g_test_message (
      "from %u submits to %u, recorded %u times anew", first, last, n_stale);
  if (on_host (device))
    g_assert_cmpuint (n_stale, ==, 0);
  else
    g_assert_cmpuint (last, <=, first / 4);
  g_assert_cmpuint (n_stale, <, 20);
  vidgen_tape_free (tape);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_runtime_test_add ("/runtime/tape/order", test_order);
  vidgen_runtime_test_add ("/runtime/tape/words", test_words);
  vidgen_runtime_test_add ("/runtime/tape/ahead", test_ahead);
  vidgen_runtime_test_add ("/runtime/tape/await", test_await);
  vidgen_runtime_test_add ("/runtime/tape/cancel", test_cancel);
#ifdef VIDGEN_CHECKS
  vidgen_runtime_test_add ("/runtime/tape/refused", test_refused);
#endif
  vidgen_runtime_test_add ("/runtime/tape/idle", test_idle);
#ifdef VIDGEN_SHADERS
  vidgen_runtime_test_add ("/runtime/tape/failed-wait", test_failed_wait);
  vidgen_runtime_test_add ("/runtime/tape/failed-submit", test_failed_submit);
  vidgen_runtime_test_add ("/runtime/tape/not-coherent", test_not_coherent);
#endif
  vidgen_runtime_test_add ("/runtime/tape/stale", test_stale);
  vidgen_runtime_test_add ("/runtime/tape/lost", test_lost);
  return g_test_run ();
}
