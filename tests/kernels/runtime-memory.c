/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "shaders/runtime/arena.h"
#include "shaders/runtime/error.h"
#include "tests/kernels/harness.h"
#include "tests/kernels/probe.h"

static void
test_accounting (VidgenDevice *device)
{
  const guint64 used = vidgen_device_memory_used (device);
  g_autoptr (GError) error = NULL;
  VidgenMemory *small =
      vidgen_memory_new (device, 1000, VIDGEN_MEMORY_DEVICE, &error);
  VidgenMemory *large =
      vidgen_memory_new (device, 50000, VIDGEN_MEMORY_UPLOAD, &error);
  guint64 peak;

  g_assert_no_error (error);
  g_assert_cmpuint (vidgen_memory_size (small), ==, 1000);
  g_assert_true (vidgen_memory_device (small) == device);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, used + 51000);
  peak = vidgen_device_memory_peak (device);
  g_assert_cmpuint (peak, >=, used + 51000);
  vidgen_memory_ref (large);
  vidgen_memory_unref (large);
  vidgen_memory_unref (large);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, used + 1000);
  vidgen_memory_unref (small);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, used);
  g_assert_cmpuint (vidgen_device_memory_peak (device), ==, peak);
}

static void
test_zeroed (VidgenDevice *device)
{
  static const VidgenMemoryKind kinds[] = { VIDGEN_MEMORY_DEVICE,
    VIDGEN_MEMORY_UPLOAD, VIDGEN_MEMORY_READBACK };

  for (guint round = 0; round < 4; round++)
    for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
      g_autoptr (GError) error = NULL;
      g_autoptr (VidgenMemory) memory =
          vidgen_memory_new (device, 4 * 10001, kinds[i], &error);
      g_autoptr (VidgenRecorder) recorder =
          vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);
      const VidgenProbe dirty = { .count = 10001,
        .out = vidgen_memory_span (memory),
        .add = 1,
        .repeat = 1 };
      g_autofree float *values = vidgen_probe_read (memory);

      for (guint j = 0; j < dirty.count; j++)
        g_assert_cmpfloat (values[j], ==, 0);
      vidgen_probe (recorder, &dirty);
      vidgen_recorder_finish (recorder, NULL, &error);
      g_assert_no_error (error);
    }
}

static void
test_odd_size (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMemory) memory =
      vidgen_memory_new (device, 1021, VIDGEN_MEMORY_READBACK, &error);
  g_autoptr (VidgenMemory) other =
      vidgen_memory_new (device, 1021, VIDGEN_MEMORY_UPLOAD, &error);
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);
  const guint8 *got = vidgen_span_map (vidgen_memory_span (memory));

  g_assert_no_error (error);
  memset (vidgen_span_map (vidgen_memory_span (other)), 7, 1021);
  vidgen_recorder_copy (recorder, vidgen_memory_span (memory),
      vidgen_span_cut (vidgen_memory_span (other), 1, 1020));
  vidgen_recorder_finish (recorder, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (got[0], ==, 7);
  g_assert_cmpuint (got[1019], ==, 7);
  g_assert_cmpuint (got[1020], ==, 0);
}

static void
test_too_large (VidgenDevice *device)
{
  const VidgenDeviceCaps *caps = vidgen_device_caps (device);
  const guint64 used = vidgen_device_memory_used (device);
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_memory_new (
      device, caps->max_allocation_bytes + 1, VIDGEN_MEMORY_DEVICE, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY);
  g_clear_error (&error);
  g_assert_null (vidgen_memory_new (device, 0, VIDGEN_MEMORY_DEVICE, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, used);
}

static void
test_spans (VidgenDevice *device)
{
  g_autoptr (VidgenMemory) memory = vidgen_probe_memory (device, 100, FALSE);
  const VidgenSpan span = vidgen_memory_span (memory);
  const VidgenSpan cut = vidgen_span_cut (span, 100, 300);

  g_assert_cmpuint (vidgen_span_address (span) % 16, ==, 0);
  g_assert_cmpuint (
      vidgen_span_address (cut), ==, vidgen_span_address (span) + 100);
  g_assert_cmpuint (vidgen_span_address (VIDGEN_SPAN_NONE), ==, 0);
  g_assert_null (vidgen_span_map (VIDGEN_SPAN_NONE));
  if (vidgen_device_caps (device)->type == VIDGEN_DEVICE_HOST)
    g_assert_cmpuint (
        (guintptr)vidgen_span_map (cut), ==, vidgen_span_address (cut));
  else
    g_assert_null (vidgen_span_map (cut));
}

typedef struct {
  guint64 size;
  guint first, last;
  guint id;
} Life;

static gboolean
lives_meet (const Life *a, const Life *b)
{
  return a->first <= b->last && b->first <= a->last;
}

static void
test_arena_random (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);

  for (guint round = 0; round < 50; round++) {
    g_autoptr (VidgenArena) arena = vidgen_arena_new ();
    const guint n = (guint)g_test_rand_int_range (1, 60);
    Life lives[60];
    guint64 total = 0, busiest = 0;

    for (guint i = 0; i < n; i++) {
      Life *life = &lives[i];

      life->first = (guint)g_test_rand_int_range (0, 30);
      life->last = life->first + (guint)g_test_rand_int_range (0, 6);
      life->size = (guint64)g_test_rand_int_range (1, 5000);
      life->id =
          vidgen_arena_request (arena, life->size, life->first, life->last);
      total += (life->size + 255) / 256 * 256;
    }
    for (guint step = 0; step < 36; step++) {
      guint64 live = 0;

      for (guint i = 0; i < n; i++)
        if (lives[i].first <= step && step <= lives[i].last)
          live += lives[i].size;
      busiest = MAX (busiest, live);
    }
    g_assert_cmpuint (vidgen_arena_size (arena), <=, total);
    g_assert_cmpuint (vidgen_arena_size (arena), >=, busiest);
    vidgen_arena_allocate (arena, device, &error);
    g_assert_no_error (error);
    for (guint i = 0; i < n; i++) {
      const VidgenSpan a = vidgen_arena_span (arena, lives[i].id);

      g_assert_cmpuint (a.size, ==, lives[i].size);
      g_assert_cmpuint (a.offset % VIDGEN_SPAN_ALIGNMENT, ==, 0);
      g_assert_cmpuint (a.offset + a.size, <=, vidgen_memory_size (a.memory));
      for (guint j = 0; j < i; j++) {
        const VidgenSpan b = vidgen_arena_span (arena, lives[j].id);

        if (lives_meet (&lives[i], &lives[j]))
          g_assert_true (
              a.offset + a.size <= b.offset || b.offset + b.size <= a.offset);
      }
    }
  }
}

static void
test_arena_shares (void)
{
  g_autoptr (VidgenArena) arena = vidgen_arena_new ();

  for (guint step = 0; step < 100; step++)
    vidgen_arena_request (arena, 4096, step, step + 1);
  vidgen_arena_request (arena, 256, 0, G_MAXUINT);
  g_assert_cmpuint (vidgen_arena_size (arena), ==, 2 * 4096 + 256);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_runtime_test_add ("/runtime/memory/accounting", test_accounting);
  vidgen_runtime_test_add ("/runtime/memory/zeroed", test_zeroed);
  vidgen_runtime_test_add ("/runtime/memory/odd-size", test_odd_size);
  vidgen_runtime_test_add ("/runtime/memory/too-large", test_too_large);
  vidgen_runtime_test_add ("/runtime/memory/spans", test_spans);
  g_test_add_func ("/runtime/arena/random", test_arena_random);
  g_test_add_func ("/runtime/arena/shares", test_arena_shares);
  return g_test_run ();
}
