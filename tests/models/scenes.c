/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* That the embedded model follows its prompt: clips of two families are told
 * apart by statistics that were fitted to rendered clips. */

#include <math.h>
#include <string.h>

#include "tests/models/fixture.h"
#include "tests/models/statistics.h"

#define SEEDS 10
#define NEEDED 9
#define SECONDS 3

static const char *const families[] = { "ocean", "campfire" };

/* The features of a small clip that a formula gives, as statistics.py computes
 * them. */
static void
test_features (void)
{
  enum { FRAMES = 5, HEIGHT = 14, WIDTH = 20, SAMPLES = 4003 };
  static const double should[STATISTICS_FEATURES] = { 0.375193277, 0.460235294,
    0.505120448, 0.569210084, 0.614095238, 0.630296919, 0.539555556,
    0.412339869, 0.345359477, 0.465703081, 0.51632493, 0.566946779, 0.638140056,
    0.602711485, 0.498442577, 0.379581699, 0.339372549, 0.406248366,
    0.524957983, 0.581316527, 0.623333333, 0.620728291, 0.497815126,
    0.374901961, 0.335588235, 0.415849673, 0.496111111, -0.687601805,
    -0.527729928, -0.559880137, -0.665630758, -0.57409066, -0.550873041,
    -0.576764107, -0.612428188, -0.619965255, -2.43643479, -1.64035492,
    -1.58473765, -1.41115587, -1.54979317, -1.5452223, -1.34057297, -1.44730929,
    -1.16895201, 0.00182642139, 0.00182642139 };
  g_autofree guint8 *rgb = g_new (guint8, FRAMES * HEIGHT * WIDTH * 3);
  g_autofree float *samples = g_new (float, 2 * SAMPLES);
  double is[STATISTICS_FEATURES];
  guint8 *pixel = rgb;

  for (guint f = 0; f < FRAMES; f++)
    for (guint y = 0; y < HEIGHT; y++)
      for (guint x = 0; x < WIDTH; x++)
        for (guint c = 0; c < 3; c++)
          *pixel++ =
              (guint8)(7 * y + 13 * x + 29 * c + 31 * f * f + x * y * f % 17);
  for (guint i = 0; i < SAMPLES; i++) {
    samples[2 * i] = (float)(i * i % 701 / 701.0 - 0.5);
    samples[2 * i + 1] = (float)(i * 7 % 97 / 97.0 * 0.5 - 0.25);
  }
  statistics_features (rgb, FRAMES, WIDTH, HEIGHT, samples, SAMPLES, is);
  for (guint i = 0; i < STATISTICS_FEATURES; i++)
    g_assert_cmpfloat_with_epsilon (is[i], should[i], 2e-6);
}

static void
append_pictures (GByteArray *rgb, const VidgenChunk *chunk)
{
  for (guint frame = 0; frame < chunk->frames; frame++) {
    const guint8 *picture = chunk->pictures + (gsize)frame * chunk->layout.size;

    for (guint y = 0; y < chunk->height; y++)
      g_byte_array_append (rgb,
          picture + chunk->layout.offset[0] +
              (gsize)y * chunk->layout.stride[0],
          3 * chunk->width);
  }
}

/* The family that a clip looks and sounds like. */
static const char *
tell (
    VidgenModel *model, const Scenes *scenes, const char *family, guint64 seed)
{
  const VidgenModelInfo *info = vidgen_model_info (model);
  const guint frames = SECONDS * info->native.fps_n / info->native.fps_d;
  g_autoptr (VidgenStream) stream =
      fixture_stream (model, seed, scenes_prompt (scenes, family));
  g_autoptr (GByteArray) rgb = g_byte_array_new ();
  g_autoptr (GByteArray) sound = g_byte_array_new ();
  double features[STATISTICS_FEATURES];

  for (guint made = 0; made < frames; made += info->chunk_frames) {
    g_autoptr (VidgenChunk) chunk = fixture_next (stream);

    append_pictures (rgb, chunk);
    g_byte_array_append (sound, (const guint8 *)chunk->sound,
        chunk->samples * 2 * sizeof (float));
  }
  statistics_features (rgb->data, frames, info->native.width,
      info->native.height, (const float *)sound->data,
      sound->len / (2 * sizeof (float)), features);
  return scenes_tell (scenes, features);
}

static void
test_told_apart (void)
{
  g_autofree char *path = fixture_path ("tests/models/scenes.json");
  g_autoptr (Scenes) scenes = scenes_read (path);
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();
  g_autoptr (VidgenModel) model = device ? fixture_load_mini (device) : NULL;
  guint right = 0;

  if (!model)
    return;
  for (guint64 seed = 0; seed < SEEDS; seed++) {
    const char *one = tell (model, scenes, families[0], seed);
    const char *other = tell (model, scenes, families[1], seed);

    g_test_message ("seed %u: %s, %s", (guint)seed, one, other);
    if (g_str_equal (one, families[0]) && g_str_equal (other, families[1]))
      right++;
  }
  g_assert_cmpuint (right, >=, NEEDED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scenes/features", test_features);
  g_test_add_func ("/scenes/told-apart", test_told_apart);
  return g_test_run ();
}
