/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/turn3d.h"

#include "tests/kernels/harness.h"

static void
run (VidgenKernelTest *test, guint frames, guint tokens, guint heads,
    guint head_size, guint time_pairs, VidgenType type, gboolean in_place,
    double scale)
{
  const guint rows = frames * tokens, size = heads * head_size;
  const guint place_pairs = head_size / 2 - time_pairs;
  const VidgenTestType stored =
      type == VIDGEN_F16 ? VIDGEN_TEST_F16 : VIDGEN_TEST_F32;
  VidgenTurn3d turn = {
    .frames = frames,
    .tokens = tokens,
    .heads = heads,
    .head_size = head_size,
    .time_pairs = time_pairs,
    .type = type,
    .times = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, MAX (1, 2 * frames * time_pairs), 1.0),
    .places = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, MAX (1, 2 * tokens * place_pairs), 1.0),
  };

  if (in_place) {
    turn.x = turn.out =
        vidgen_kernel_test_inout (test, stored, rows, size, size, scale);
  } else {
    turn.x =
        vidgen_kernel_test_input (test, stored, (guint64)rows * size, scale);
    turn.out = vidgen_kernel_test_output (test, stored, rows, size, size);
  }
  VIDGEN_KERNEL_TEST_RUN (test, turn3d, &turn);
}

static void
test_random (VidgenKernelTest *test)
{
  const guint head_size = 2 * vidgen_kernel_test_int (test, 1, 20);

  run (test, vidgen_kernel_test_int (test, 1, 5),
      vidgen_kernel_test_int (test, 1, 30), vidgen_kernel_test_int (test, 1, 5),
      head_size, vidgen_kernel_test_int (test, 0, head_size / 2),
      vidgen_kernel_test_int (test, 0, 1) ? VIDGEN_F16 : VIDGEN_F32,
      vidgen_kernel_test_int (test, 0, 1), 2.0);
}

static void
test_1560x12x128 (VidgenKernelTest *test)
{
  run (test, 1, 1560, 12, 128, 22, VIDGEN_F32, FALSE, 2.0);
}

static void
test_halves (VidgenKernelTest *test)
{
  run (test, 1, 1560, 12, 128, 22, VIDGEN_F16, FALSE, 2.0);
}

/* Turned, many of the values are beyond what halves hold. */
static void
test_large (VidgenKernelTest *test)
{
  run (test, 2, 30, 3, 16, 3, VIDGEN_F16, FALSE, 65504.0);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_kernel_test_add ("/turn3d/random", test_random);
  vidgen_kernel_test_add_fixed ("/turn3d/1560x12x128", test_1560x12x128);
  vidgen_kernel_test_add_fixed ("/turn3d/1560x12x128-f16", test_halves);
  vidgen_kernel_test_add_fixed ("/turn3d/large", test_large);
  return g_test_run ();
}
