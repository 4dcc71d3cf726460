/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/rope.h"

#include <math.h>

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
  const guint groups = vidgen_kernel_test_int (test, 1, 4);
  const guint rows = vidgen_kernel_test_int (test, 1, 50);
  const guint heads = vidgen_kernel_test_int (test, 1, 7);
  const guint head_size = 4 * vidgen_kernel_test_int (test, 1, 16);
  const guint width = heads * head_size;
  VidgenRope rope = {
    .groups = groups,
    .rows = rows,
    .heads = heads,
    .head_size = head_size,
    .x_stride = width + vidgen_kernel_test_int (test, 0, 9),
    .table = maybe_input (test, (guint64)rows * head_size),
    .scale = maybe_input (test, heads),
    .out_stride = width + vidgen_kernel_test_int (test, 0, 9),
  };

  rope.x_group_stride =
      rows * rope.x_stride + vidgen_kernel_test_int (test, 0, 50);
  rope.x = vidgen_kernel_test_input (test, VIDGEN_TEST_F32,
      (guint64)(groups - 1) * rope.x_group_stride + (rows - 1) * rope.x_stride +
          width,
      2.0);
  rope.out_group_stride = rows * rope.out_stride;
  rope.out = vidgen_kernel_test_output (
      test, VIDGEN_TEST_F32, groups * rows, width, rope.out_stride);
  VIDGEN_KERNEL_TEST_RUN (test, rope, &rope);
}

/* Rows side by side and groups below one another, as heads' strides of a
 * joint projection lie. */
static void
test_group_gaps (VidgenKernelTest *test)
{
  const guint groups = vidgen_kernel_test_int (test, 2, 5);
  const guint width = 3 * 8;
  const VidgenRope rope = {
    .groups = groups,
    .rows = 1,
    .heads = 3,
    .head_size = 8,
    .x_stride = width,
    .x_group_stride = width,
    .x = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, (guint64)groups * width, 1.0),
    .table = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, 8, 1.0),
    .out_stride = width,
    .out_group_stride = width + 7,
    .out = vidgen_kernel_test_output (
        test, VIDGEN_TEST_F32, groups, width, width + 7),
  };

  VIDGEN_KERNEL_TEST_RUN (test, rope, &rope);
}

/* The cached chunks of a context. */
static void
test_context (VidgenKernelTest *test)
{
  const guint rows = 88, heads = 6, head_size = 32;
  const guint width = heads * head_size;
  const VidgenRope rope = {
    .groups = 6,
    .rows = rows,
    .heads = heads,
    .head_size = head_size,
    .x =
        vidgen_kernel_test_input (test, VIDGEN_TEST_F32, 6 * rows * width, 1.0),
    .x_stride = width,
    .x_group_stride = rows * width,
    .table =
        vidgen_kernel_test_input (test, VIDGEN_TEST_F32, rows * head_size, 1.0),
    .out = vidgen_kernel_test_output (
        test, VIDGEN_TEST_F32, 6 * rows, width, width),
    .out_stride = width,
    .out_group_stride = rows * width,
  };

  VIDGEN_KERNEL_TEST_RUN (test, rope, &rope);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_kernel_test_add ("/rope/random", test_random);
  vidgen_kernel_test_add ("/rope/group-gaps", test_group_gaps);
  vidgen_kernel_test_add_fixed ("/rope/context", test_context);
  return g_test_run ();
}
