/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/norm.h"

#include "tests/kernels/harness.h"

static VidgenSpan
maybe_input (VidgenKernelTest *test, guint64 count)
{
  return vidgen_kernel_test_int (test, 0, 1)
             ? vidgen_kernel_test_input (test, VIDGEN_TEST_F32, count, 1.0)
             : VIDGEN_SPAN_NONE;
}

static void
test_random (VidgenKernelTest *test)
{
  const guint rows = vidgen_kernel_test_int (test, 1, 100);
  const guint size = 4 * vidgen_kernel_test_int (test, 1, 80);
  const VidgenNorm norm = {
    .rows = rows,
    .size = size,
    .center = vidgen_kernel_test_int (test, 0, 1),
    .gain = vidgen_kernel_test_int (test, 0, 1),
    .x = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, (guint64)rows * size, 3.0),
    .scale = maybe_input (test, size),
    .shift = maybe_input (test, size),
    .out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, rows, size, size),
  };

  VIDGEN_KERNEL_TEST_RUN (test, norm, &norm);
}

static void
test_in_place (VidgenKernelTest *test)
{
  const guint rows = vidgen_kernel_test_int (test, 1, 30);
  const guint size = 4 * vidgen_kernel_test_int (test, 1, 80);
  const VidgenSpan x =
      vidgen_kernel_test_inout (test, VIDGEN_TEST_F32, rows, size, size, 1.0);
  const VidgenNorm norm = {
    .rows = rows,
    .size = size,
    .x = x,
    .scale = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, size, 1.0),
    .shift = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, size, 1.0),
    .out = x,
  };

  VIDGEN_KERNEL_TEST_RUN (test, norm, &norm);
}

/* Where epsilon outweighs the mean square. */
static void
test_tiny (VidgenKernelTest *test)
{
  const VidgenNorm norm = {
    .rows = 3,
    .size = 20,
    .x = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, 60, 1e-4),
    .out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, 3, 20, 20),
  };

  VIDGEN_KERNEL_TEST_RUN (test, norm, &norm);
}

static void
test_88x192 (VidgenKernelTest *test)
{
  const VidgenNorm norm = {
    .rows = 88,
    .size = 192,
    .x = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, 88 * 192, 1.0),
    .scale = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, 192, 1.0),
    .shift = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, 192, 1.0),
    .out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, 88, 192, 192),
  };

  VIDGEN_KERNEL_TEST_RUN (test, norm, &norm);
}

static void
test_1560x1536_layer (VidgenKernelTest *test)
{
  const guint rows = 1560, size = 1536;
  const VidgenNorm norm = {
    .rows = rows,
    .size = size,
    .center = TRUE,
    .x = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, (guint64)rows * size, 1.0),
    .scale = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, size, 1.0),
    .shift = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, size, 1.0),
    .out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, rows, size, size),
  };

  VIDGEN_KERNEL_TEST_RUN (test, norm, &norm);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_kernel_test_add ("/norm/random", test_random);
  vidgen_kernel_test_add ("/norm/in-place", test_in_place);
  vidgen_kernel_test_add_fixed ("/norm/tiny", test_tiny);
  vidgen_kernel_test_add_fixed ("/norm/88x192", test_88x192);
  vidgen_kernel_test_add_fixed ("/norm/1560x1536-layer", test_1560x1536_layer);
  return g_test_run ();
}
