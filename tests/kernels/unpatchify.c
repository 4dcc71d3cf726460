/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/unpatchify.h"

#include <math.h>

#include "tests/kernels/harness.h"

static void
test_random (VidgenKernelTest *test)
{
  const guint rows = vidgen_kernel_test_int (test, 1, 9);
  const guint columns = vidgen_kernel_test_int (test, 1, 9);
  const guint channels = vidgen_kernel_test_int (test, 1, 13);
  const guint patch = vidgen_kernel_test_int (test, 1, 3);
  const guint size = channels * patch * patch;
  const guint count = rows * columns * size;
  const VidgenUnpatchify unpatchify = {
    .rows = rows,
    .columns = columns,
    .channels = channels,
    .patch = patch,
    .bound = (float)vidgen_kernel_test_real (test, 0.1, 4),
    .tokens = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, count, 4),
    .std = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, size, 30),
    .mean = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, size, 1),
    .out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, 1, count, count),
  };

  VIDGEN_KERNEL_TEST_RUN (test, unpatchify, &unpatchify);
}

static void
test_bare (VidgenKernelTest *test)
{
  const guint rows = vidgen_kernel_test_int (test, 1, 9);
  const guint columns = vidgen_kernel_test_int (test, 1, 9);
  const guint count = rows * columns * 64;
  const VidgenUnpatchify unpatchify = {
    .rows = rows,
    .columns = columns,
    .channels = 16,
    .patch = 2,
    .tokens = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, count, 4),
    .out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, 1, count, count),
  };

  VIDGEN_KERNEL_TEST_RUN (test, unpatchify, &unpatchify);
}

/* Two tokens side by side, two channels, patches of two: where each value
 * goes, written out. */
static void
test_order (void)
{
  static const guint expected[16] = { 0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10,
    14, 11, 15 };
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  g_autoptr (VidgenMemory) memory = NULL;
  VidgenSpan span;
  VidgenUnpatchify unpatchify = {
    .rows = 1, .columns = 2, .channels = 2, .patch = 2, .bound = 2
  };
  float *values;

  g_assert_no_error (error);
  memory = vidgen_memory_new (
      device, 48 * sizeof *values, VIDGEN_MEMORY_DEVICE, &error);
  g_assert_no_error (error);
  span = vidgen_memory_span (memory);
  unpatchify.tokens = vidgen_span_cut (span, 0, 64);
  unpatchify.std = vidgen_span_cut (span, 64, 32);
  unpatchify.mean = vidgen_span_cut (span, 96, 32);
  unpatchify.out = vidgen_span_cut (span, 128, 64);
  values = vidgen_span_map (span);
  for (guint i = 0; i < 16; i++)
    values[i] = (float)i;
  for (guint i = 16; i < 24; i++) {
    values[i] = 0.5f;
    values[i + 8] = -1;
  }
  vidgen_unpatchify_reference (&unpatchify);
  for (guint i = 0; i < 16; i++)
    g_assert_cmpfloat_with_epsilon (
        values[32 + i], 2 * tanh ((0.5 * expected[i] - 1) / 2), 1e-6);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/unpatchify/order", test_order);
  vidgen_kernel_test_add ("/unpatchify/random", test_random);
  vidgen_kernel_test_add ("/unpatchify/bare", test_bare);
  return g_test_run ();
}
