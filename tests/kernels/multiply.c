/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/multiply.h"

#include "tests/kernels/harness.h"

static void
run (VidgenKernelTest *test, guint rows, guint size, guint where)
{
  const guint64 count = (guint64)rows * size;
  VidgenMultiply multiply = { .rows = rows, .size = size };

  multiply.a =
      where == 1 ? vidgen_kernel_test_inout (
                       test, VIDGEN_TEST_F32, rows, size, size, 2.0)
                 : vidgen_kernel_test_input (test, VIDGEN_TEST_F32, count, 2.0);
  multiply.b =
      where == 2 ? vidgen_kernel_test_inout (
                       test, VIDGEN_TEST_F32, rows, size, size, 2.0)
                 : vidgen_kernel_test_input (test, VIDGEN_TEST_F32, count, 2.0);
  multiply.out = where == 1   ? multiply.a
                 : where == 2 ? multiply.b
                              : vidgen_kernel_test_output (
                                    test, VIDGEN_TEST_F32, rows, size, size);
  VIDGEN_KERNEL_TEST_RUN (test, multiply, &multiply);
}

static void
test_random (VidgenKernelTest *test)
{
  run (test, vidgen_kernel_test_int (test, 1, 30),
      4 * vidgen_kernel_test_int (test, 1, 150),
      vidgen_kernel_test_int (test, 0, 2));
}

static void
test_64x10240 (VidgenKernelTest *test)
{
  run (test, 64, 10240, 0);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_kernel_test_add ("/multiply/random", test_random);
  vidgen_kernel_test_add_fixed ("/multiply/64x10240", test_64x10240);
  return g_test_run ();
}
