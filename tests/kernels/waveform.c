/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/waveform.h"

#include <math.h>

#include "shaders/bands.h"
#include "tests/kernels/harness.h"

/* Tones that keep to their band, a third of them silent. The noise gain is
 * not this kernel's. */
static VidgenSpan
draw_levels (VidgenKernelTest *test, guint frames, guint bands)
{
  const guint row = 2 * bands;
  const guint count = (frames + 1) * row * VIDGEN_BAND_LEVELS;
  g_autofree float *levels = g_new (float, count);

  for (guint pair = 0; pair < row; pair++) {
    const double centre_hz = vidgen_kernel_test_real (test, 40, 11000);

    for (guint frame = 0; frame <= frames; frame++) {
      float *level = levels + (frame * row + pair) * VIDGEN_BAND_LEVELS;

      level[0] = NAN;
      level[1] = vidgen_kernel_test_int (test, 0, 2)
                     ? (float)vidgen_kernel_test_real (test, 0, 0.3)
                     : 0;
      level[2] = (float)(centre_hz * vidgen_kernel_test_real (test, 0.9, 1.1));
    }
  }
  return vidgen_kernel_test_data (test, levels, count * sizeof *levels);
}

static void
run (VidgenKernelTest *test, guint frames, guint bands, guint hop,
    float sample_rate)
{
  const guint count = frames * hop * 2;
  const VidgenWaveform waveform = {
    .frames = frames,
    .bands = bands,
    .hop = hop,
    .sample_rate = sample_rate,
    .mid_side = vidgen_kernel_test_int (test, 0, 1) != 0,
    .noise = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, (frames + 1) * 2 * 2 * hop, 0.3),
    .levels = draw_levels (test, frames, bands),
    .phases = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, (frames + 1) * 2 * bands, 1),
    .out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, 1, count, count),
  };

  VIDGEN_KERNEL_TEST_RUN (test, waveform, &waveform);
}

static void
test_random (VidgenKernelTest *test)
{
  const guint frames = vidgen_kernel_test_int (test, 1, 6);
  const guint bands = vidgen_kernel_test_int (test, 1, 20);
  const guint hop = vidgen_kernel_test_int (test, 1, 300);

  run (test, frames, bands, hop,
      (float)vidgen_kernel_test_int (test, 22050, 48000));
}

/* A quarter of a second, for --bench. */
static void
test_chunk (VidgenKernelTest *test)
{
  run (test, 24, 32, 250, 24000);
}

/* A steady 1000 Hz of amplitude 0.5 in the first channel at 8000 Hz, noise
 * that overlaps to 0.25 in the second. */
static void
test_known (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  g_autoptr (VidgenMemory) memory = NULL;
  VidgenSpan span;
  VidgenWaveform waveform = {
    .frames = 1, .bands = 1, .hop = 16, .sample_rate = 8000
  };
  float *noise, *levels, *out;

  g_assert_no_error (error);
  memory = vidgen_memory_new (device, 4096, VIDGEN_MEMORY_DEVICE, &error);
  g_assert_no_error (error);
  span = vidgen_memory_span (memory);
  waveform.noise = vidgen_span_cut (span, 0, 512);
  waveform.levels = vidgen_span_cut (span, 1024, 48);
  waveform.phases = vidgen_span_cut (span, 2048, 16);
  waveform.out = vidgen_span_cut (span, 3072, 128);
  noise = vidgen_span_map (waveform.noise);
  levels = vidgen_span_map (waveform.levels);
  out = vidgen_span_map (waveform.out);
  for (guint n = 0; n < 16; n++) {
    noise[1 * 32 + 16 + n] = 0.2f;
    noise[3 * 32 + n] = 0.05f;
  }
  for (guint frame = 0; frame < 2; frame++) {
    levels[frame * 6 + 1] = 0.5f;
    levels[frame * 6 + 2] = 1000;
  }
  for (guint n = 0; n < 16; n++) {
    const double tone = 0.5 * cos (2 * G_PI * n / 8), hum = 0.25;

    waveform.mid_side = FALSE;
    vidgen_waveform_reference (&waveform);
    g_assert_cmpfloat_with_epsilon (out[2 * n], tone, 1e-6);
    g_assert_cmpfloat_with_epsilon (out[2 * n + 1], hum, 1e-6);
    waveform.mid_side = TRUE;
    vidgen_waveform_reference (&waveform);
    g_assert_cmpfloat_with_epsilon (out[2 * n], (tone + hum) / G_SQRT2, 1e-6);
    g_assert_cmpfloat_with_epsilon (
        out[2 * n + 1], (tone - hum) / G_SQRT2, 1e-6);
  }
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/waveform/known", test_known);
  vidgen_kernel_test_add ("/waveform/random", test_random);
  vidgen_kernel_test_add_fixed ("/waveform/chunk", test_chunk);
  return g_test_run ();
}
