/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/spectrum.h"

#include <math.h>

#include "shaders/bands.h"
#include "shaders/noise.h"
#include "tests/kernels/harness.h"

static void
test_random (VidgenKernelTest *test)
{
  const guint frames = vidgen_kernel_test_int (test, 1, 9);
  const guint bands = vidgen_kernel_test_int (test, 1, 40);
  const guint hop = 2 * vidgen_kernel_test_int (test, 1, 150);
  const guint padded = vidgen_spectrum_padded (hop);
  g_autofree float *edges = g_new (float, bands + 1);
  VidgenSpectrum spectrum = {
    .frames = frames,
    .bands = bands,
    .hop = hop,
    .sample_rate = (float)vidgen_kernel_test_int (test, 8000, 48000),
    .seed = vidgen_kernel_test_int (test, 0, 1000000),
    .chunk = vidgen_kernel_test_int (test, 0, 1000000),
    .purpose = 4,
  };

  for (guint i = 0; i <= bands; i++)
    edges[i] = (i > 0 ? edges[i - 1] : 0) +
               (float)vidgen_kernel_test_real (test, 20, 800);
  spectrum.edges =
      vidgen_kernel_test_data (test, edges, (bands + 1) * sizeof *edges);
  if (vidgen_kernel_test_int (test, 0, 1) > 0) {
    const guint64 chunk = (guint64)spectrum.seed << 33 | spectrum.chunk;

    spectrum.position = vidgen_kernel_test_data (test, &chunk, sizeof chunk);
    spectrum.chunk = 0;
  }
  spectrum.levels = vidgen_kernel_test_input (
      test, VIDGEN_TEST_F32, (frames + 1) * 2 * bands * VIDGEN_BAND_LEVELS, 1);
  spectrum.out = vidgen_kernel_test_output (
      test, VIDGEN_TEST_F32, 1, 2 * frames * padded, 2 * frames * padded);
  VIDGEN_KERNEL_TEST_RUN (test, spectrum, &spectrum);
}

/* Two bands, gains 1 and 3, centres 100 and 300 Hz; bins at 50, 150 … Hz. */
static void
test_gains (void)
{
  static const float edges[3] = { 0, 200, 400 };
  static const double expected[6] = { 1, 1.5, 2.5, 3, 3, 3 };
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  g_autoptr (VidgenMemory) memory = NULL;
  VidgenSpan span;
  VidgenSpectrum spectrum = { .frames = 1,
    .bands = 2,
    .hop = 6,
    .sample_rate = 1200,
    .seed = 5,
    .chunk = 6,
    .purpose = 4 };
  float noise[12], *levels, *out;

  g_assert_no_error (error);
  memory = vidgen_memory_new (device, 1024, VIDGEN_MEMORY_DEVICE, &error);
  g_assert_no_error (error);
  span = vidgen_memory_span (memory);
  spectrum.levels = vidgen_span_cut (span, 0, 96);
  spectrum.edges = vidgen_span_cut (span, 256, 12);
  spectrum.out = vidgen_span_cut (span, 512, 64);
  levels = vidgen_span_map (spectrum.levels);
  out = vidgen_span_map (spectrum.out);
  memcpy (vidgen_span_map (spectrum.edges), edges, sizeof edges);
  for (guint channel = 0; channel < 2; channel++)
    for (guint band = 0; band < 2; band++)
      levels[((2 + channel) * 2 + band) * VIDGEN_BAND_LEVELS] =
          (float)(1 + 2 * band) * (1 + channel);
  vidgen_spectrum_reference (&spectrum);
  vidgen_noise_fill (5, 6, 4, 0, 12, noise);
  for (guint i = 0; i < 12; i++)
    g_assert_cmpfloat_with_epsilon (out[i / 6 * 8 + i % 6],
        sqrt (6) * (1 + i / 6) * expected[i % 6] * noise[i], 1e-5);
  for (guint i = 6; i < 8; i++)
    g_assert_cmpfloat (out[i], ==, 0);
}

/* The overlapping frames of the transform and its transpose, which with this
 * window is its inverse, give the signal back where two frames meet. */
static void
test_reconstruction (void)
{
  enum { HOP = 10, FRAMES = 4, LENGTH = (FRAMES + 1) * HOP };
  const guint padded = vidgen_spectrum_padded (HOP);
  g_autofree float *weight = g_new (float, 2 * HOP * padded);
  float signal[LENGTH];
  double back[LENGTH] = { 0 };

  vidgen_noise_fill (1, 1, 1, 0, LENGTH, signal);
  vidgen_spectrum_imdct (HOP, weight);
  for (guint frame = 0; frame < FRAMES; frame++) {
    for (guint k = 0; k < HOP; k++) {
      double bin = 0;

      for (guint n = 0; n < 2 * HOP; n++)
        bin += (double)weight[n * padded + k] * signal[frame * HOP + n];
      for (guint n = 0; n < 2 * HOP; n++)
        back[frame * HOP + n] += bin * weight[n * padded + k];
    }
  }
  for (guint i = HOP; i < LENGTH - HOP; i++)
    g_assert_cmpfloat_with_epsilon (back[i], signal[i], 1e-6);
  for (guint n = 0; n < 2 * HOP; n++)
    for (guint k = HOP; k < padded; k++)
      g_assert_cmpfloat (weight[n * padded + k], ==, 0);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/spectrum/gains", test_gains);
  g_test_add_func ("/spectrum/reconstruction", test_reconstruction);
  vidgen_kernel_test_add ("/spectrum/random", test_random);
  return g_test_run ();
}
