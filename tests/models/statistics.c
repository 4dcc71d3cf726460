/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/models/statistics.h"

#include <json-glib/json-glib.h>
#include <math.h>

#define CELLS 9
#define OCTAVES 8
#define BLOCK 1500

typedef struct {
  const guint8 *rgb;
  guint frames, width, height;
} Clip;

static guint
cell_of (const Clip *clip, guint y, guint x)
{
  return 3 * (3 * y / clip->height) + 3 * x / clip->width;
}

static const guint8 *
pixel_of (const Clip *clip, guint frame, guint y, guint x)
{
  return clip->rgb + (((gsize)frame * clip->height + y) * clip->width + x) * 3;
}

static double
luma_of (const Clip *clip, guint frame, guint y, guint x)
{
  const guint8 *pixel = pixel_of (clip, frame, y, x);

  return (pixel[0] + pixel[1] + pixel[2]) / (3 * 255.0);
}

static void
colour_and_motion (const Clip *clip, double *colour, double *motion)
{
  guint pixels[CELLS] = { 0 };

  for (guint y = 0; y < clip->height; y++) {
    for (guint x = 0; x < clip->width; x++) {
      const guint cell = cell_of (clip, y, x);

      pixels[cell]++;
      for (guint frame = 0; frame < clip->frames; frame++) {
        for (guint c = 0; c < 3; c++)
          colour[3 * cell + c] += pixel_of (clip, frame, y, x)[c] / 255.0;
        if (frame > 0)
          motion[cell] += fabs (
              luma_of (clip, frame, y, x) - luma_of (clip, frame - 1, y, x));
      }
    }
  }
  for (guint cell = 0; cell < CELLS; cell++) {
    for (guint c = 0; c < 3; c++)
      colour[3 * cell + c] /= (double)pixels[cell] * clip->frames;
    motion[cell] = log10 (
        1e-3 + motion[cell] / ((double)pixels[cell] * (clip->frames - 1)));
  }
}

static double
deviation (const double *values, guint n)
{
  double mean = 0, square = 0;

  for (guint i = 0; i < n; i++)
    mean += values[i] / n;
  for (guint i = 0; i < n; i++)
    square += (values[i] - mean) * (values[i] - mean) / n;
  return sqrt (square);
}

static double
flicker_of (const Clip *clip)
{
  g_autofree double *means = g_new0 (double, clip->frames);

  for (guint frame = 0; frame < clip->frames; frame++)
    for (guint y = 0; y < clip->height; y++)
      for (guint x = 0; x < clip->width; x++)
        means[frame] +=
            luma_of (clip, frame, y, x) / ((double)clip->width * clip->height);
  return log10 (1e-3 + deviation (means, clip->frames));
}

static void
spectrum_of (const float *samples, guint n, double *spectrum)
{
  g_autofree double *x = g_new (double, n);

  for (guint i = 0; i < n; i++)
    x[i] = ((double)samples[2 * i] + samples[2 * i + 1]) / 2;
  for (guint octave = 0; octave < OCTAVES; octave++) {
    double energy = 0;

    n /= 2;
    for (guint i = 0; i < n; i++) {
      const double high = (x[2 * i] - x[2 * i + 1]) / sqrt (2);

      energy += high * high;
      x[i] = (x[2 * i] + x[2 * i + 1]) / sqrt (2);
    }
    spectrum[octave] = log10 (1e-7 + energy / n);
  }
}

static void
envelope_of (const float *samples, guint n_samples, double envelope[2])
{
  const guint n = n_samples / BLOCK;
  g_autofree double *power = g_new0 (double, n);
  double mean = 0, most = -G_MAXDOUBLE;

  for (guint i = 0; i < n; i++) {
    for (guint j = 2 * BLOCK * i; j < 2 * BLOCK * (i + 1); j++)
      power[i] += (double)samples[j] * samples[j] / (2 * BLOCK);
    power[i] = log10 (1e-7 + power[i]);
    mean += power[i] / n;
    most = MAX (most, power[i]);
  }
  envelope[0] = deviation (power, n);
  envelope[1] = most - mean;
}

void
statistics_features (const guint8 *rgb, guint frames, guint width, guint height,
    const float *samples, guint n_samples, double features[STATISTICS_FEATURES])
{
  const Clip clip = { rgb, frames, width, height };

  for (guint i = 0; i < STATISTICS_FEATURES; i++)
    features[i] = 0;
  colour_and_motion (&clip, features, features + 3 * CELLS);
  features[4 * CELLS] = flicker_of (&clip);
  spectrum_of (samples, n_samples, features + STATISTICS_PICTURE);
  envelope_of (samples, n_samples, features + STATISTICS_PICTURE + OCTAVES);
}

struct _Scenes {
  JsonParser *parser;
};

Scenes *
scenes_read (const char *path)
{
  Scenes *scenes = g_new0 (Scenes, 1);
  g_autoptr (GError) error = NULL;

  scenes->parser = json_parser_new ();
  json_parser_load_from_file (scenes->parser, path, &error);
  g_assert_no_error (error);
  return scenes;
}

void
scenes_free (Scenes *scenes)
{
  if (!scenes)
    return;
  g_object_unref (scenes->parser);
  g_free (scenes);
}

static JsonObject *
root_of (const Scenes *scenes)
{
  return json_node_get_object (json_parser_get_root (scenes->parser));
}

static JsonObject *
scene_of (const Scenes *scenes, guint index)
{
  return json_array_get_object_element (
      json_object_get_array_member (root_of (scenes), "scenes"), index);
}

static guint
n_scenes (const Scenes *scenes)
{
  return json_array_get_length (
      json_object_get_array_member (root_of (scenes), "scenes"));
}

const char *
scenes_prompt (const Scenes *scenes, const char *family)
{
  for (guint i = 0; i < n_scenes (scenes); i++) {
    JsonObject *scene = scene_of (scenes, i);
    if (g_str_equal (json_object_get_string_member (scene, "family"), family))
      return json_object_get_string_member (scene, "prompt");
  }
  g_error ("no scene is of the family '%s'", family);
}

/* Adds each scene's squared distance by one part of the features. */
static void
add_distances (
    JsonObject *part, const double *features, double *distances, guint n)
{
  JsonArray *mean = json_object_get_array_member (part, "mean");
  JsonArray *projection = json_object_get_array_member (part, "projection");
  JsonArray *centroids = json_object_get_array_member (part, "centroids");

  for (guint axis = 0; axis < json_array_get_length (projection); axis++) {
    JsonArray *row = json_array_get_array_element (projection, axis);
    double place = 0;

    for (guint i = 0; i < json_array_get_length (row); i++)
      place += json_array_get_double_element (row, i) *
               (features[i] - json_array_get_double_element (mean, i));
    for (guint i = 0; i < n; i++) {
      const double away =
          place - json_array_get_double_element (
                      json_array_get_array_element (centroids, i), axis);
      distances[i] += away * away;
    }
  }
}

const char *
scenes_tell (const Scenes *scenes, const double features[STATISTICS_FEATURES])
{
  const guint n = n_scenes (scenes);
  g_autofree double *distances = g_new0 (double, n);
  JsonObject *root = root_of (scenes);
  guint nearest = 0;

  add_distances (
      json_object_get_object_member (root, "picture"), features, distances, n);
  add_distances (json_object_get_object_member (root, "sound"),
      features + STATISTICS_PICTURE, distances, n);
  for (guint i = 1; i < n; i++) {
    if (distances[i] < distances[nearest])
      nearest = i;
  }
  return json_object_get_string_member (scene_of (scenes, nearest), "family");
}
