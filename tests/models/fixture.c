/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/models/fixture.h"

#include <math.h>
#include <string.h>

char *
fixture_path (const char *path)
{
  return g_build_filename (VIDGEN_SOURCE_ROOT, path, NULL);
}

GBytes *
fixture_unpack (const char *path)
{
  g_autofree char *full = fixture_path (path);
  g_autoptr (GFile) file = g_file_new_for_path (full);
  g_autoptr (GError) error = NULL;
  g_autoptr (GFileInputStream) packed = g_file_read (file, NULL, &error);
  g_autoptr (GConverter) unpack =
      G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GInputStream) stream = NULL;

  g_assert_no_error (error);
  stream = g_converter_input_stream_new (G_INPUT_STREAM (packed), unpack);
  g_output_stream_splice (
      memory, stream, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, &error);
  g_assert_no_error (error);
  return g_memory_output_stream_steal_as_bytes (
      G_MEMORY_OUTPUT_STREAM (memory));
}

static VidgenModel *
load (VidgenDevice *device, const char *name)
{
  g_autofree char *path = fixture_path (name);
  g_autoptr (GError) error = NULL;
  VidgenModel *model = vidgen_model_open (path, &error);

  g_assert_no_error (error);
  vidgen_model_load (model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return model;
}

VidgenModel *
fixture_load_tiny (VidgenDevice *device)
{
  return load (device, "tests/data/tiny.safetensors");
}

VidgenModel *
fixture_load_wide (VidgenDevice *device)
{
  return load (device, "tests/data/tiny-wide.safetensors");
}

VidgenModel *
fixture_load_mini (VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenModel) model = NULL;

  if (!vidgen_model_embedded ()[0]) {
    g_test_skip ("no model is embedded");
    return NULL;
  }
  model = vidgen_model_open ("mini", &error);
  g_assert_no_error (error);
  if (g_strcmp0 (vidgen_model_info (model)->name, "mini") != 0) {
    g_test_skip ("another model than mini is embedded");
    return NULL;
  }
  vidgen_model_load (model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return g_steal_pointer (&model);
}

VidgenDevice *
fixture_open_host (void)
{
  g_autoptr (GError) error = NULL;
  VidgenDevice *device = vidgen_device_open ("host", &error);

  g_assert_no_error (error);
  return device;
}

VidgenDevice *
fixture_open_vulkan (void)
{
  g_autoptr (GError) error = NULL;
  VidgenDevice *device = vidgen_device_open (NULL, &error);

  if (g_error_matches (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE)) {
    g_test_skip ("no Vulkan device");
    return NULL;
  }
  g_assert_no_error (error);
  return device;
}

void
fixture_set_prompt (VidgenStream *stream, VidgenModel *model,
    const char *prompt, guint blend_chunks)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenConditioning) conditioning =
      vidgen_model_encode (model, prompt, NULL, NULL, &error);

  g_assert_no_error (error);
  vidgen_stream_set_conditioning (stream, conditioning, blend_chunks);
}

VidgenStream *
fixture_stream (VidgenModel *model, guint64 seed, const char *prompt)
{
  return fixture_stream_scaled (model, seed, prompt, 1);
}

VidgenStream *
fixture_stream_scaled (
    VidgenModel *model, guint64 seed, const char *prompt, guint scale)
{
  g_autoptr (GError) error = NULL;
  VidgenStreamParams params = { .seed = seed,
    .format = vidgen_model_info (model)->native };
  VidgenStream *stream;

  params.format.width *= scale;
  params.format.height *= scale;
  stream = vidgen_stream_new (model, &params, &error);
  g_assert_no_error (error);
  fixture_set_prompt (stream, model, prompt, 0);
  return stream;
}

VidgenChunk *
fixture_next (VidgenStream *stream)
{
  g_autoptr (GError) error = NULL;
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_RGB, TRUE };
  VidgenChunk *chunk = vidgen_stream_next (stream, &request, NULL, &error);

  g_assert_no_error (error);
  return chunk;
}

gboolean
fixture_same_pictures (const VidgenChunk *a, const VidgenChunk *b)
{
  return a->frames == b->frames && a->layout.size == b->layout.size &&
         memcmp (a->pictures, b->pictures, (gsize)a->frames * a->layout.size) ==
             0;
}

gboolean
fixture_same_sound (const VidgenChunk *a, const VidgenChunk *b)
{
  return a->samples == b->samples &&
         memcmp (a->sound, b->sound, a->samples * 2 * sizeof (float)) == 0;
}

double
fixture_distance (const float *a, const float *b, gsize count)
{
  double difference = 0, norm = 0;

  for (gsize i = 0; i < count; i++) {
    difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    norm += (double)b[i] * b[i];
  }
  return sqrt (difference) / sqrt (norm);
}
