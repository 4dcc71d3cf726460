/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/ceiling.h"

#include "tests/kernels/harness.h"

static void
run (VidgenKernelTest *test, VidgenMatrixShape matrix)
{
  VidgenCeiling ceiling = {
    .groups = vidgen_kernel_test_int (test, 1, 9),
    .turns = vidgen_kernel_test_int (test, 1, 20),
    .scale = (float)vidgen_kernel_test_int (test, 1, 15) / 16.0f,
    .shift = (float)vidgen_kernel_test_int (test, 1, 15) / 16.0f,
    .matrix = matrix,
    .lanes = 64,
  };

  ceiling.out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, 1,
      vidgen_ceiling_values (&ceiling), vidgen_ceiling_values (&ceiling));
  VIDGEN_KERNEL_TEST_RUN (test, ceiling, &ceiling);
}

static void
test_plain (VidgenKernelTest *test)
{
  run (test, (VidgenMatrixShape){ 0 });
}

/* The shapes are the device's, also for the reference's turn. */
static void
test_subgroup (VidgenKernelTest *test)
{
  run (test, vidgen_kernel_test_target_caps (test)->matrix);
}

static void
test_group (VidgenKernelTest *test)
{
  run (test, vidgen_kernel_test_target_caps (test)->group_matrix);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_kernel_test_add ("/ceiling/plain", test_plain);
  vidgen_kernel_test_add_fixed ("/ceiling/subgroup", test_subgroup);
  vidgen_kernel_test_add_fixed ("/ceiling/group", test_group);
  return g_test_run ();
}
