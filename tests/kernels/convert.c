/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/convert.h"

#include "tests/kernels/harness.h"

static void
run (VidgenKernelTest *test, guint rows, guint size, double scale)
{
  const VidgenConvert convert = { .rows = rows,
    .size = size,
    .x = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, (guint64)rows * size, scale),
    .out =
        vidgen_kernel_test_output (test, VIDGEN_TEST_F16, rows, size, size) };

  VIDGEN_KERNEL_TEST_RUN (test, convert, &convert);
}

static void
test_random (VidgenKernelTest *test)
{
  run (test, vidgen_kernel_test_int (test, 1, 30),
      4 * vidgen_kernel_test_int (test, 1, 150), 2.0);
}

/* Half of the values are beyond what halves hold. */
static void
test_large (VidgenKernelTest *test)
{
  run (test, 3, 64, 131008.0);
}

/* References count what they clamp. */
static void
test_counted (void)
{
  const guint before = vidgen_half_n_clamped ();

  g_assert_cmphex (vidgen_half_store (65504), ==, 0x7bff);
  g_assert_cmphex (vidgen_half_store (-65504), ==, 0xfbff);
  g_assert_cmpuint (vidgen_half_n_clamped () - before, ==, 0);
  g_assert_cmphex (vidgen_half_store (65505), ==, 0x7bff);
  g_assert_cmphex (vidgen_half_store (-1e300), ==, 0xfbff);
  g_assert_cmpuint (vidgen_half_n_clamped () - before, ==, 2);
}

static void
test_1560x1536 (VidgenKernelTest *test)
{
  run (test, 1560, 1536, 2.0);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/convert/counted", test_counted);
  vidgen_kernel_test_add ("/convert/random", test_random);
  vidgen_kernel_test_add_fixed ("/convert/large", test_large);
  vidgen_kernel_test_add_fixed ("/convert/1560x1536", test_1560x1536);
  return g_test_run ();
}
