/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/tape.h"

#include "shaders/noise.h"
#include "shaders/runtime/error.h"
#include "shaders/runtime/faults.h"
#include "tests/kernels/harness.h"
#include "tests/kernels/probe.h"

#define COUNT 128 /* one group, which is not cut */
#define HUGE_CLAIM 1e15

static gboolean
on_host (VidgenDevice *device)
{
  return vidgen_device_caps (device)->type == VIDGEN_DEVICE_HOST;
}

static VidgenRecorder *
recorder_new (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  VidgenRecorder *recorder =
      vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);

  g_assert_no_error (error);
  return recorder;
}

static void
finish (VidgenRecorder *recorder)
{
  g_autoptr (GError) error = NULL;

  vidgen_recorder_finish (recorder, NULL, &error);
  g_assert_no_error (error);
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
  g_autoptr (VidgenRecorder) recorder = recorder_new (device);
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
  finish (recorder);
  assert_added (memory, 1);

  for (guint i = 0; i < 50; i++) {
    g_autofree float *values = NULL;

    vidgen_recorder_play (recorder, tape, NULL);
    add (recorder, span, 10, 0);
    if (i % 3 == 0)
      vidgen_recorder_play (recorder, tape, NULL);
    else
      add (recorder, span, 5, 0);
    finish (recorder);
    values = vidgen_probe_read (memory);
    g_assert_cmpfloat (values[0], ==, i % 3 == 0 ? 3 : 18);
    vidgen_recorder_clear (recorder, span);
    add (recorder, span, 7, 0);
    finish (recorder);
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
  g_autoptr (VidgenRecorder) recorder = recorder_new (device);
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
  finish (recorder);

  noise.position = VIDGEN_SPAN_NONE;
  adding.x = adding.out = vidgen_memory_span (sum);
  for (guint64 chunk = 0; chunk < 40; chunk++) {
    noise.chunk = chunk | chunk << 33;
    vidgen_noise (recorder, &noise);
    vidgen_noise (recorder, &adding);
  }
  finish (recorder);
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
  g_autoptr (VidgenRecorder) recorder = recorder_new (device);
  g_autoptr (VidgenTape) tape =
      long_tape (recorder, vidgen_memory_span (memory), n, HUGE_CLAIM);
  guint n_submits = vidgen_recorder_n_submits (recorder), n_ahead;

  vidgen_recorder_play_ahead (recorder, tape, NULL);
  n_ahead = vidgen_recorder_n_submits (recorder) - n_submits;
  g_assert_cmpuint (n_ahead, ==, on_host (device) ? 0 : 2);
  vidgen_recorder_play (recorder, tape, NULL);
  finish (recorder);
  assert_added (memory, n);

  vidgen_recorder_play (recorder, tape, NULL);
  finish (recorder);
  assert_added (memory, 2 * n);

  vidgen_recorder_play_ahead (recorder, tape, NULL);
  finish (recorder);
  vidgen_tape_rewind (tape);
  n_ahead = on_host (device) ? n / 2 : 2;
  assert_added (memory, 2 * n + n_ahead);
  vidgen_recorder_play (recorder, tape, NULL);
  finish (recorder);
  assert_added (memory, 3 * n + n_ahead);

  for (guint i = 0; i < 100; i++) {
    vidgen_recorder_play_ahead (recorder, tape, NULL);
    finish (recorder);
  }
  vidgen_recorder_play (recorder, tape, NULL);
  finish (recorder);
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
  g_autoptr (VidgenRecorder) recorder = recorder_new (device);
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
    g_assert_cmpuint (count_stage (recorder, "first"), ==, 1);
    vidgen_recorder_play (recorder, second, NULL);
  }
  finish (recorder);
}

/* Some of its submits run, then none; afterwards it plays as before. */
static void
test_cancel (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = recorder_new (device);
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
  finish (recorder);
  assert_added (memory, 4 + 2);
}

#ifdef VIDGEN_CHECKS
/* A launch that is refused leaves no tape behind. */
static void
test_refused (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = recorder_new (device);
  VidgenSpan span = vidgen_memory_span (memory);

  vidgen_recorder_begin_tape (recorder, VIDGEN_SPAN_NONE);
  add (recorder, span, 1, 0);
  span.offset = 4;
  add (recorder, span, 1, 0);
  g_assert_null (vidgen_recorder_end_tape (recorder));
  g_assert_false (vidgen_recorder_finish (recorder, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
  add (recorder, vidgen_memory_span (memory), 1, 0);
  finish (recorder);
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
  g_autoptr (VidgenRecorder) recorder = recorder_new (device);
  g_autoptr (VidgenTape) tape =
      long_tape (recorder, vidgen_memory_span (memory), 4, HUGE_CLAIM);

  vidgen_device_inject (device, VIDGEN_FAULT_DEVICE_LOST, 2);
  vidgen_recorder_play (recorder, tape, NULL);
  vidgen_device_inject (device, VIDGEN_FAULT_NONE, 0);
  g_assert_false (vidgen_recorder_finish (recorder, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_DEVICE_LOST);
}

/* How many submits a run of the tape takes. */
static guint
count_submits (VidgenRecorder *recorder, VidgenTape *tape)
{
  const guint before = vidgen_recorder_n_submits (recorder);

  vidgen_recorder_play (recorder, tape, NULL);
  finish (recorder);
  return vidgen_recorder_n_submits (recorder) - before;
}

/* What claims far too much work is cut too fine. That shows, and recording anew
 * then ends with a tape of few submits that is stale no more. */
static void
test_stale (VidgenDevice *device)
{
  const double claim = 1e9;
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, COUNT, TRUE);
  g_autoptr (VidgenRecorder) recorder = recorder_new (device);
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
  vidgen_runtime_test_add ("/runtime/tape/stale", test_stale);
  vidgen_runtime_test_add ("/runtime/tape/lost", test_lost);
  return g_test_run ();
}
