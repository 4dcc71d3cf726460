/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/pixelpack.h"

#include "tests/kernels/harness.h"

static void
run (VidgenKernelTest *test, guint pixels, guint channels, VidgenType type,
    double scale)
{
  const guint64 bytes = vidgen_pixelpack_bytes (channels, pixels);
  const VidgenPixelpack pack = {
    .pixels = pixels,
    .channels = channels,
    .x = vidgen_kernel_test_input (test,
        type == VIDGEN_F16 ? VIDGEN_TEST_F16 : VIDGEN_TEST_F32,
        (guint64)pixels * channels, scale),
    .type = type,
    .out = vidgen_kernel_test_output (test, VIDGEN_TEST_U8, 1, bytes, bytes),
  };

  VIDGEN_KERNEL_TEST_RUN (test, pixelpack, &pack);
}

static void
test_random (VidgenKernelTest *test)
{
  run (test, vidgen_kernel_test_int (test, 1, 200),
      4 * vidgen_kernel_test_int (test, 1, 40),
      vidgen_kernel_test_int (test, 0, 1),
      vidgen_kernel_test_real (test, 0.1, 30.0));
}

/* Pixels all of whose channels are the same. */
static void
test_flat (VidgenKernelTest *test)
{
  run (test, 5, 16, VIDGEN_F32, 0.0);
}

static void
test_vae (VidgenKernelTest *test)
{
  run (test, 16 * 208, 96, VIDGEN_F16, 1.0);
}

/* What is unpacked is what was packed. */
static void
test_precision (void)
{
  enum { PIXELS = 7, CHANNELS = 20 };
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  g_autoptr (VidgenMemory) memory = NULL;
  VidgenPixelpack pack = { .pixels = PIXELS, .channels = CHANNELS };
  VidgenSpan span;
  float *x;

  g_assert_no_error (error);
  memory = vidgen_memory_new (device, 4096, VIDGEN_MEMORY_DEVICE, &error);
  g_assert_no_error (error);
  span = vidgen_memory_span (memory);
  pack.x = vidgen_span_cut (span, 0, 4 * PIXELS * CHANNELS);
  pack.out =
      vidgen_span_cut (span, 2048, vidgen_pixelpack_bytes (CHANNELS, PIXELS));
  x = vidgen_span_map (pack.x);
  for (guint i = 0; i < PIXELS * CHANNELS; i++)
    x[i] = (float)g_test_rand_double_range (-0.3, 5);
  vidgen_pixelpack_reference (&pack);
  for (guint i = 0; i < PIXELS * CHANNELS; i++)
    g_assert_cmpfloat_with_epsilon (x[i],
        vidgen_pixelpack_value (
            CHANNELS, vidgen_span_map (pack.out), i / CHANNELS, i % CHANNELS),
        5.3 / 255 + 5.3 / 2048);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/pixelpack/precision", test_precision);
  vidgen_kernel_test_add ("/pixelpack/random", test_random);
  vidgen_kernel_test_add ("/pixelpack/flat", test_flat);
  vidgen_kernel_test_add_fixed ("/pixelpack/vae", test_vae);
  return g_test_run ();
}
