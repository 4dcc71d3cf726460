/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/pixelnorm.h"

#include "tests/kernels/harness.h"

static VidgenTestType
test_type (VidgenType type)
{
  return type == VIDGEN_F16 ? VIDGEN_TEST_F16 : VIDGEN_TEST_F32;
}

static void
run (VidgenKernelTest *test, guint pixels, guint channels, VidgenType type,
    VidgenType out_type, VidgenActivation activation, double scale, double gain)
{
  const guint64 values = (guint64)pixels * channels;
  const VidgenPixelnorm norm = {
    .pixels = pixels,
    .channels = channels,
    .x = vidgen_kernel_test_input (test, test_type (type), values, scale),
    .type = type,
    .gain = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, channels, gain),
    .activation = activation,
    .out = vidgen_kernel_test_output (
        test, test_type (out_type), 1, values, values),
    .out_type = out_type,
  };

  VIDGEN_KERNEL_TEST_RUN (test, pixelnorm, &norm);
}

static void
test_random (VidgenKernelTest *test)
{
  run (test, vidgen_kernel_test_int (test, 1, 200),
      4 * vidgen_kernel_test_int (test, 1, 40),
      vidgen_kernel_test_int (test, 0, 1), vidgen_kernel_test_int (test, 0, 1),
      vidgen_kernel_test_int (test, 0, 1), 3.0, 2.0);
}

static void
test_in_place (VidgenKernelTest *test)
{
  const guint pixels = vidgen_kernel_test_int (test, 1, 50);
  const guint channels = 4 * vidgen_kernel_test_int (test, 1, 20);
  const guint64 values = (guint64)pixels * channels;
  const VidgenType type = vidgen_kernel_test_int (test, 0, 1);
  const VidgenSpan x =
      vidgen_kernel_test_inout (test, test_type (type), 1, values, values, 1.0);
  const VidgenPixelnorm norm = { .pixels = pixels,
    .channels = channels,
    .x = x,
    .type = type,
    .gain = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, channels, 1.0),
    .activation = VIDGEN_SILU,
    .out = x,
    .out_type = type };

  VIDGEN_KERNEL_TEST_RUN (test, pixelnorm, &norm);
}

/* No epsilon takes part while there is anything to tell apart. */
static void
test_tiny (VidgenKernelTest *test)
{
  run (test, 5, 16, VIDGEN_F32, VIDGEN_F32, VIDGEN_LINEAR, 1e-6, 2.0);
}

static void
test_zero (VidgenKernelTest *test)
{
  run (test, 5, 16, VIDGEN_F32, VIDGEN_F16, VIDGEN_SILU, 0.0, 2.0);
}

/* Many of the values are beyond what halves hold. */
static void
test_large (VidgenKernelTest *test)
{
  run (test, 50, 16, vidgen_kernel_test_int (test, 0, 1), VIDGEN_F16,
      vidgen_kernel_test_int (test, 0, 1), 1.0, 2e5);
}

static void
test_vae (VidgenKernelTest *test)
{
  run (test, 52 * 30, 384, VIDGEN_F32, VIDGEN_F16, VIDGEN_SILU, 1.0, 2.0);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_kernel_test_add ("/pixelnorm/random", test_random);
  vidgen_kernel_test_add ("/pixelnorm/in-place", test_in_place);
  vidgen_kernel_test_add ("/pixelnorm/tiny", test_tiny);
  vidgen_kernel_test_add_fixed ("/pixelnorm/zero", test_zero);
  vidgen_kernel_test_add ("/pixelnorm/large", test_large);
  vidgen_kernel_test_add_fixed ("/pixelnorm/vae", test_vae);
  return g_test_run ();
}
