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

/* Many of the values, and most of the ranges, are beyond what halves hold. */
static void
test_large (VidgenKernelTest *test)
{
  const VidgenType type = vidgen_kernel_test_int (test, 0, 1);

  run (test, 50, 4 * vidgen_kernel_test_int (test, 1, 4), type,
      type == VIDGEN_F16 ? 65504 : 2e5);
}

static void
test_vae (VidgenKernelTest *test)
{
  run (test, 16 * 208, 96, VIDGEN_F16, 1.0);
}

/* Makes of values what is left of them. */
static void
pack_and_unpack (guint pixels, guint channels, float *values)
{
  const guint count = pixels * channels;
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  g_autoptr (VidgenMemory) memory = NULL;
  VidgenPixelpack pack = { .pixels = pixels, .channels = channels };
  VidgenSpan span;

  g_assert_no_error (error);
  memory = vidgen_memory_new (device, 4096, VIDGEN_MEMORY_DEVICE, &error);
  g_assert_no_error (error);
  span = vidgen_memory_span (memory);
  pack.x = vidgen_span_cut (span, 0, 4 * count);
  pack.out =
      vidgen_span_cut (span, 2048, vidgen_pixelpack_bytes (channels, pixels));
  memcpy (vidgen_span_map (pack.x), values, 4 * count);
  vidgen_pixelpack_reference (&pack);
  for (guint i = 0; i < count; i++)
    values[i] = vidgen_pixelpack_value (
        channels, vidgen_span_map (pack.out), i / channels, i % channels);
}

/* What is unpacked is what was packed. */
static void
test_precision (void)
{
  enum { PIXELS = 7, CHANNELS = 20 };
  float x[PIXELS * CHANNELS], unpacked[PIXELS * CHANNELS];

  for (guint i = 0; i < PIXELS * CHANNELS; i++)
    x[i] = unpacked[i] = (float)g_test_rand_double_range (-0.3, 5);
  pack_and_unpack (PIXELS, CHANNELS, unpacked);
  for (guint i = 0; i < PIXELS * CHANNELS; i++)
    g_assert_cmpfloat_with_epsilon (x[i], unpacked[i], 5.3 / 255 + 5.3 / 2048);
}

/* No half becomes infinite: what is beyond ends at the largest, and what is
 * further than that above its pixel's lowest value does so too. Lowest values,
 * highest values and ranges that end so are counted. */
static void
test_bounds (void)
{
  static const float expected[] = { -65504, -65504, 0, 0, /* a range too wide */
    65504, 65504, 65504, 65504, -65504, -65504, -65504, -65504, 0, 65504, 65504,
    0 };
  float x[] = { -1e6f, -65504, 1, 1e6f, 65504, 1e6f, 1e30f, 70000, -1e30f,
    -65504, -1e6f, -70000, 0, 65504, 65600, 0 };
  const guint n_clamped = vidgen_half_n_clamped ();

  pack_and_unpack (G_N_ELEMENTS (x) / 4, 4, x);
  g_assert_cmpuint (vidgen_half_n_clamped () - n_clamped, ==, 6);
  for (guint i = 0; i < G_N_ELEMENTS (x); i++)
    g_assert_cmpfloat (x[i], ==, expected[i]);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/pixelpack/precision", test_precision);
  g_test_add_func ("/pixelpack/bounds", test_bounds);
  vidgen_kernel_test_add ("/pixelpack/random", test_random);
  vidgen_kernel_test_add ("/pixelpack/flat", test_flat);
  vidgen_kernel_test_add ("/pixelpack/large", test_large);
  vidgen_kernel_test_add_fixed ("/pixelpack/vae", test_vae);
  return g_test_run ();
}
