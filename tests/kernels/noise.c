/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/noise.h"

#include <math.h>

#include "tests/kernels/harness.h"

static guint64
random_64 (VidgenKernelTest *test)
{
  const guint64 high = vidgen_kernel_test_int (test, 0, G_MAXUINT32 - 1);

  return high << 32 | vidgen_kernel_test_int (test, 0, G_MAXUINT32 - 1);
}

static VidgenNoise
random_noise (VidgenKernelTest *test, guint count)
{
  return (VidgenNoise){
    .count = count,
    .seed = random_64 (test),
    .chunk = random_64 (test),
    .purpose = vidgen_kernel_test_int (test, 0, 1000),
    .x_factor = (float)vidgen_kernel_test_real (test, -2, 2),
    .v_factor = (float)vidgen_kernel_test_real (test, -2, 2),
    .noise_factor = (float)vidgen_kernel_test_real (test, -2, 2),
  };
}

static void
test_random (VidgenKernelTest *test)
{
  const guint count = vidgen_kernel_test_int (test, 1, 5000);
  VidgenNoise noise = random_noise (test, count);

  if (vidgen_kernel_test_int (test, 0, 3) == 0)
    noise.noise_factor = 0;
  if (vidgen_kernel_test_int (test, 0, 3) > 0)
    noise.x = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, count, 2);
  if (vidgen_kernel_test_int (test, 0, 3) > 0)
    noise.v = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, count, 2);
  if (vidgen_kernel_test_int (test, 0, 1) > 0) {
    const guint64 chunk = random_64 (test);

    noise.position = vidgen_kernel_test_data (test, &chunk, sizeof chunk);
  }
  noise.out =
      vidgen_kernel_test_output (test, VIDGEN_TEST_F32, 1, count, count);
  VIDGEN_KERNEL_TEST_RUN (test, noise, &noise);
}

static void
test_in_place (VidgenKernelTest *test)
{
  const guint count = vidgen_kernel_test_int (test, 1, 500);
  VidgenNoise noise = random_noise (test, count);

  noise.x =
      vidgen_kernel_test_inout (test, VIDGEN_TEST_F32, 1, count, count, 2);
  noise.v = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, count, 2);
  noise.out = noise.x;
  VIDGEN_KERNEL_TEST_RUN (test, noise, &noise);
}

/* One draw in 2^22 falls where a naive ln u loses its digits. */
static void
test_long (VidgenKernelTest *test)
{
  const guint count = 1 << 20;
  VidgenNoise noise = random_noise (test, count);

  noise.noise_factor = 1;
  noise.out =
      vidgen_kernel_test_output (test, VIDGEN_TEST_F32, 1, count, count);
  VIDGEN_KERNEL_TEST_RUN (test, noise, &noise);
}

/* Published with the generator (Random123, kat_vectors). */
static void
test_philox (void)
{
  static const struct {
    guint32 counter[4], key[2], words[4];
  } cases[] = {
    { { 0, 0, 0, 0 }, { 0, 0 },
        { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
    { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
        { 0xffffffff, 0xffffffff },
        { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
    { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
        { 0xa4093822, 0x299f31d0 },
        { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint32 words[4];

    vidgen_philox (cases[i].counter, cases[i].key, words);
    g_assert_cmpmem (words, sizeof words, cases[i].words, sizeof words);
  }
}

/* The first values under seed 0 follow from the published words. */
static void
test_gauss (void)
{
  const double u = (0x6627e8d5 + 0.5) / 4294967296.0;
  const double a = 0xe169c58d / 4294967296.0;
  const double u2 = (0xbc57ac4c + 0.5) / 4294967296.0;
  const double a2 = 0x9b00dbd8 / 4294967296.0;
  const double expected[4] = { sqrt (-2 * log (u)) * cos (2 * G_PI * a),
    sqrt (-2 * log (u)) * sin (2 * G_PI * a),
    sqrt (-2 * log (u2)) * cos (2 * G_PI * a2),
    sqrt (-2 * log (u2)) * sin (2 * G_PI * a2) };
  float values[4];

  vidgen_noise_fill (0, 0, 0, 0, 4, values);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpfloat_with_epsilon (values[i], expected[i], 1e-7);
}

static void
test_random_access (void)
{
  float whole[64], part[64];

  vidgen_noise_fill (1, 2, 3, 0, 64, whole);
  for (guint first = 0; first < 12; first++) {
    vidgen_noise_fill (1, 2, 3, first, 64 - first, part);
    g_assert_cmpmem (whole + first, (64 - first) * sizeof *part, part,
        (64 - first) * sizeof *part);
  }
}

/* Every part of the key and of the counter changes the stream. */
static void
test_independent (void)
{
  static const struct {
    guint64 seed, chunk;
    guint32 purpose;
  } keys[] = { { 0, 0, 0 }, { 1, 0, 0 }, { 1ull << 32, 0, 0 }, { 0, 1, 0 },
    { 0, 1ull << 32, 0 }, { 0, 0, 1 } };
  float first[G_N_ELEMENTS (keys)];

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    vidgen_noise_fill (
        keys[i].seed, keys[i].chunk, keys[i].purpose, 0, 1, &first[i]);
    for (guint j = 0; j < i; j++)
      g_assert_cmpfloat (first[i], !=, first[j]);
  }
}

static void
test_moments (void)
{
  const guint count = 1 << 20;
  g_autofree float *values = g_new (float, count);
  double sums[5] = { 0 }, neighbours = 0;

  vidgen_noise_fill (42, 7, 0, 0, count, values);
  for (guint i = 0; i < count; i++) {
    for (guint power = 1; power <= 4; power++)
      sums[power] += pow (values[i], power) / count;
    neighbours += (double)values[i] * values[(i + 1) % count] / count;
  }
  /* Five standard deviations each. */
  g_assert_cmpfloat_with_epsilon (sums[1], 0, 5 * sqrt (1.0 / count));
  g_assert_cmpfloat_with_epsilon (sums[2], 1, 5 * sqrt (2.0 / count));
  g_assert_cmpfloat_with_epsilon (sums[3], 0, 5 * sqrt (15.0 / count));
  g_assert_cmpfloat_with_epsilon (sums[4], 3, 5 * sqrt (96.0 / count));
  g_assert_cmpfloat_with_epsilon (neighbours, 0, 5 * sqrt (1.0 / count));
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/noise/philox", test_philox);
  g_test_add_func ("/noise/gauss", test_gauss);
  g_test_add_func ("/noise/random-access", test_random_access);
  g_test_add_func ("/noise/independent", test_independent);
  g_test_add_func ("/noise/moments", test_moments);
  vidgen_kernel_test_add ("/noise/random", test_random);
  vidgen_kernel_test_add ("/noise/in-place", test_in_place);
  vidgen_kernel_test_add_fixed ("/noise/long", test_long);
  return g_test_run ();
}
