/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/wideattention.h"

#include "tests/kernels/harness.h"

static VidgenSpan
draw_rows (
    VidgenKernelTest *test, guint rows, guint size, guint stride, double scale)
{
  return vidgen_kernel_test_input (
      test, VIDGEN_TEST_F32, (guint64)(rows - 1) * stride + size, scale);
}

static void
run (VidgenKernelTest *test, guint rows, guint keys, guint size, guint gap,
    double scale)
{
  const guint stride = size + gap;
  const VidgenWideattention attention = {
    .rows = rows,
    .keys = keys,
    .head_size = size,
    .scale = 1 / sqrtf ((float)size),
    .q = draw_rows (test, rows, size, stride, scale),
    .q_stride = stride,
    .k = draw_rows (test, keys, size, stride, scale),
    .k_stride = stride,
    .v = draw_rows (test, keys, size, stride, 1.0),
    .v_stride = stride,
    .out =
        vidgen_kernel_test_output (test, VIDGEN_TEST_F32, rows, size, stride),
    .out_stride = stride,
  };

  VIDGEN_KERNEL_TEST_RUN (test, wideattention, &attention);
}

static void
test_random (VidgenKernelTest *test)
{
  run (test, vidgen_kernel_test_int (test, 1, 30),
      vidgen_kernel_test_int (test, 1, 70),
      4 * vidgen_kernel_test_int (test, 1, 30),
      4 * vidgen_kernel_test_int (test, 0, 2), 1.0);
}

/* Scores that leave the range of exp() unless the maximum is taken off. */
static void
test_large (VidgenKernelTest *test)
{
  run (test, 9, vidgen_kernel_test_int (test, 1, 40), 16, 0, 30.0);
}

static void
test_vae (VidgenKernelTest *test)
{
  run (test, 150, 150, 384, 768, 1.0);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_kernel_test_add ("/wideattention/random", test_random);
  vidgen_kernel_test_add ("/wideattention/large", test_large);
  vidgen_kernel_test_add_fixed ("/wideattention/vae", test_vae);
  return g_test_run ();
}
