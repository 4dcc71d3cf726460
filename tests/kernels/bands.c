/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/bands.h"

#include <math.h>

#include "tests/kernels/harness.h"

#define MAX_VALUES (12 * VIDGEN_BAND_KINDS * 2 * 12)

/* Edges at even whole numbers of Hz, so that centres and half widths are. */
static VidgenSpan
draw_edges (VidgenKernelTest *test, guint bands)
{
  g_autofree float *edges = g_new (float, bands + 1);

  for (guint i = 0; i <= bands; i++)
    edges[i] = (i > 0 ? edges[i - 1] : 40) +
               2 * (float)vidgen_kernel_test_int (test, 1, 300);
  return vidgen_kernel_test_data (test, edges, (bands + 1) * sizeof *edges);
}

/* Any values, but no tones: all comes to the noise gains and the phases must
 * carry over. */
static void
test_noise (VidgenKernelTest *test)
{
  const guint frames = vidgen_kernel_test_int (test, 1, 12);
  const guint bands = vidgen_kernel_test_int (test, 1, 40);
  const guint row = 2 * bands;
  const VidgenBands params = {
    .frames = frames,
    .bands = bands,
    .hop = vidgen_kernel_test_int (test, 10, 300),
    .sample_rate = (float)vidgen_kernel_test_int (test, 8000, 48000),
    .tonality_floor = 0.12f,
    .values = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, frames * VIDGEN_BAND_KINDS * row, 10),
    .edges = draw_edges (test, bands),
    .levels = vidgen_kernel_test_inout (test, VIDGEN_TEST_F32, 1,
        (frames + 1) * row * VIDGEN_BAND_LEVELS,
        (frames + 1) * row * VIDGEN_BAND_LEVELS, 0),
    .phases = vidgen_kernel_test_inout (
        test, VIDGEN_TEST_F32, 1, (frames + 1) * row, (frames + 1) * row, 0.5),
  };

  VIDGEN_KERNEL_TEST_RUN (test, bands, &params);
}

/* Silent or loud, tonality a power of two, and an offset that makes the
 * frequency a whole number: with a power of two as sample rate and hop every
 * phase is exact, none is rounded to the other side of a whole turn. */
static void
draw_tones (VidgenKernelTest *test, guint frames, guint bands, float *values)
{
  const guint row = 2 * bands;

  for (guint frame = 0; frame < frames; frame++) {
    for (guint i = 0; i < row; i++) {
      float *first = values + frame * VIDGEN_BAND_KINDS * row + i;
      const float tonality =
          ldexpf (1, -(int)vidgen_kernel_test_int (test, 0, 4));
      const float offset = (float)vidgen_kernel_test_int (test, 0, 2) - 1;

      first[0] = vidgen_kernel_test_int (test, 0, 2) == 0
                     ? -200
                     : (float)vidgen_kernel_test_real (test, -60, 5);
      first[row] = tonality;
      first[2 * row] = MAX (tonality, 0.125f) * offset;
    }
  }
}

static void
test_tones (VidgenKernelTest *test)
{
  const guint frames = vidgen_kernel_test_int (test, 1, 12);
  const guint bands = vidgen_kernel_test_int (test, 1, 12);
  const guint row = 2 * bands;
  float values[MAX_VALUES];
  VidgenBands params = {
    .frames = frames,
    .bands = bands,
    .tonal_bands = vidgen_kernel_test_int (test, 1, bands),
    .hop = 128,
    .sample_rate = 16384,
    .tonality_floor = 0.12f,
  };

  draw_tones (test, frames, bands, values);
  params.values = vidgen_kernel_test_data (
      test, values, frames * VIDGEN_BAND_KINDS * row * sizeof *values);
  params.edges = draw_edges (test, bands);
  params.levels = vidgen_kernel_test_inout (test, VIDGEN_TEST_F32, 1,
      (frames + 1) * row * VIDGEN_BAND_LEVELS,
      (frames + 1) * row * VIDGEN_BAND_LEVELS, 0);
  params.phases = vidgen_kernel_test_inout (
      test, VIDGEN_TEST_F32, 1, (frames + 1) * row, (frames + 1) * row, 0);
  VIDGEN_KERNEL_TEST_RUN (test, bands, &params);
}

/* One band of 900 to 1100 Hz at 8000 Hz on the host, mid then side. */
typedef struct {
  VidgenMemory *memory;
  VidgenBands bands;
  float *values, *levels, *phases;
} OneBand;

static void
one_band_open (OneBand *one, guint frames)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  VidgenSpan span;

  g_assert_no_error (error);
  one->memory = vidgen_memory_new (device, 4096, VIDGEN_MEMORY_DEVICE, &error);
  g_assert_no_error (error);
  span = vidgen_memory_span (one->memory);
  one->bands = (VidgenBands){
    .frames = frames,
    .bands = 1,
    .tonal_bands = 1,
    .hop = 100,
    .sample_rate = 8000,
    .tonality_floor = 0.12f,
    .values = vidgen_span_cut (span, 0, 1024),
    .edges = vidgen_span_cut (span, 1024, 8),
    .levels = vidgen_span_cut (span, 2048, 1024),
    .phases = vidgen_span_cut (span, 3072, 1024),
  };
  one->values = vidgen_span_map (one->bands.values);
  one->levels = vidgen_span_map (one->bands.levels);
  one->phases = vidgen_span_map (one->bands.phases);
  ((float *)vidgen_span_map (one->bands.edges))[0] = 900;
  ((float *)vidgen_span_map (one->bands.edges))[1] = 1100;
}

static void
one_band_set (
    OneBand *one, guint frame, float level, float tonality, float offset)
{
  for (guint channel = 0; channel < 2; channel++) {
    one->values[frame * 6 + channel] = level;
    one->values[frame * 6 + 2 + channel] = tonality;
    one->values[frame * 6 + 4 + channel] = tonality * offset;
  }
}

static void
test_known (void)
{
  static const float expected[][VIDGEN_BAND_LEVELS] = {
    { 0, 0, 0 },
    /* -20 dB, no tone: 1 % over 5 bins of 40 Hz */
    { 0.04472134f, 0, 1000 },
    /* 0 dB, all tone, above which there is nothing: sqrt 2 at 1050 Hz */
    { 0, 1.41421356f, 1050 },
    /* below the floor of the tonality */
    { 0.44721359f, 0, 1000 },
    { 0, 0, 1120 },
  };
  OneBand one;

  one_band_open (&one, 4);
  one_band_set (&one, 0, -20, 0, 0);
  one_band_set (&one, 1, 6, 1, 0.5f);
  one_band_set (&one, 2, 0, 0.119f, 0);
  one_band_set (&one, 3, -80, 1, 7);
  vidgen_bands_reference (&one.bands);
  for (guint row = 0; row < 5; row++)
    for (guint i = 0; i < 2 * VIDGEN_BAND_LEVELS; i++)
      g_assert_cmpfloat_with_epsilon (
          one.levels[row * 2 * VIDGEN_BAND_LEVELS + i],
          expected[row][i % VIDGEN_BAND_LEVELS],
          1e-6 * (1 + expected[row][i % VIDGEN_BAND_LEVELS]));
  /* Silence stays; then 1050 Hz over 100 samples is 13.125 turns, in and out;
   * then silence again. */
  g_assert_cmpfloat_with_epsilon (one.phases[2 * 1], 0, 1e-6);
  g_assert_cmpfloat_with_epsilon (one.phases[2 * 2], 0.125, 1e-6);
  g_assert_cmpfloat_with_epsilon (one.phases[2 * 3], 0.25, 1e-6);
  g_assert_cmpfloat_with_epsilon (one.phases[2 * 4], 0.25, 1e-6);
  vidgen_memory_unref (one.memory);
}

/* Four frames in two chunks are four frames in one. */
static void
test_chunks (void)
{
  OneBand one, two;

  one_band_open (&one, 4);
  one_band_open (&two, 2);
  for (guint frame = 0; frame < 4; frame++)
    one_band_set (&one, frame, -10, 0.6f, 0.3f * frame);
  vidgen_bands_reference (&one.bands);
  for (guint chunk = 0; chunk < 2; chunk++) {
    for (guint frame = 0; frame < 2; frame++)
      one_band_set (&two, frame, -10, 0.6f, 0.3f * (2 * chunk + frame));
    vidgen_bands_reference (&two.bands);
  }
  g_assert_cmpmem (one.levels + 2 * 6, 3 * 6 * sizeof (float), two.levels,
      3 * 6 * sizeof (float));
  g_assert_cmpmem (one.phases + 2 * 2, 3 * 2 * sizeof (float), two.phases,
      3 * 2 * sizeof (float));
  vidgen_memory_unref (one.memory);
  vidgen_memory_unref (two.memory);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/bands/known", test_known);
  g_test_add_func ("/bands/chunks", test_chunks);
  vidgen_kernel_test_add ("/bands/noise", test_noise);
  vidgen_kernel_test_add ("/bands/tones", test_tones);
  return g_test_run ();
}
