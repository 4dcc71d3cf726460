/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Every intermediate tensor of the tiny model, and what the shipped one makes,
 * against the training code; tests/models/goldens/make.py describes them. */

#include <math.h>
#include <sndfile.h>
#include <string.h>

#include "models/checkpoint/safetensors.h"
#include "models/mini/stream.h"
#include "models/mini/tokenizer.h"
#include "shaders/half.h"
#include "shaders/noise.h"
#include "shaders/runtime/device-private.h"
#include "tests/models/fixture.h"

#define SEED 0x1234567891
#define CHUNKS 5
#define PICTURE_CHUNKS 2
#define CHANGE 3
#define MINI_CHUNKS 2
#define WIDE_CHUNKS 3
#define TOLERANCE 1e-3
/* The last layer of a context pass feeds nothing and is not computed. */
#define LEFT_OUT "context.layer1"

static const char *const prompts[] = { "Ocean waves, at dawn", "rain" };

typedef struct {
  VidgenDevice *device;
  VidgenModel *model;
  const VidgenMiniConfig *config;
  VidgenSafetensors *goldens;
  GHashTable *taken; /* name to VidgenMemory, of the newest chunk */
  float *sound;      /* the golden's samples */
  gsize compared;
} Parity;

/* The last of a name counts. What is there already must live until the
 * recorder has finished, so it is written anew. */
static void
take (VidgenRecorder *recorder, const char *name, VidgenSpan span,
    gpointer user_data)
{
  Parity *parity = user_data;
  g_autoptr (GError) error = NULL;
  VidgenMemory *copy = g_hash_table_lookup (parity->taken, name);

  if (!copy) {
    copy = vidgen_memory_new (
        parity->device, span.size, VIDGEN_MEMORY_READBACK, &error);
    g_assert_no_error (error);
    g_hash_table_insert (parity->taken, g_strdup (name), copy);
  }
  vidgen_recorder_copy (recorder, vidgen_memory_span (copy), span);
}

static const float *
find_taken (Parity *parity, const char *name, gsize count)
{
  VidgenMemory *memory = g_hash_table_lookup (parity->taken, name);

  if (!memory)
    g_error ("the model makes no tensor '%s'", name);
  g_assert_cmpuint (vidgen_memory_size (memory), >=, count * sizeof (float));
  return vidgen_span_map (vidgen_memory_span (memory));
}

static float *
read_golden (const VidgenTensor *tensor)
{
  const gsize count = vidgen_tensor_count (tensor);
  float *values = g_new (float, count);

  if (tensor->type == VIDGEN_TENSOR_F32) {
    memcpy (values, tensor->data, tensor->bytes);
    return values;
  }
  g_assert_cmpint (tensor->type, ==, VIDGEN_TENSOR_F16);
  for (gsize i = 0; i < count; i++)
    values[i] = vidgen_half_to_float (((const guint16 *)tensor->data)[i]);
  return values;
}

static void
compare (Parity *parity, const char *name, const float *is, const float *should,
    gsize count)
{
  const double distance = fixture_distance (is, should, count);

  g_test_message ("%s: %g", name, distance);
  if (!(distance <= TOLERANCE))
    g_error ("%s is off by %g", name, distance);
  parity->compared++;
}

/* [heads][tokens][head] of the golden to [tokens][heads * head] */
static float *
merge_heads (const VidgenTensor *tensor)
{
  const gsize heads = tensor->shape[0], tokens = tensor->shape[1];
  const gsize size = tensor->shape[2];
  const float *from = (const float *)tensor->data;
  float *to = g_new (float, heads *tokens *size);

  for (gsize head = 0; head < heads; head++)
    for (gsize token = 0; token < tokens; token++)
      memcpy (to + (token * heads + head) * size,
          from + (head * tokens + token) * size, size * sizeof *to);
  return to;
}

/* [planes][channels][rows][columns] to [planes][rows][columns][padded], with
 * zeros in the channels that are added */
static float *
channels_last (
    const float *from, gsize planes, const guint64 *shape, gsize padded)
{
  const gsize channels = shape[0], pixels = shape[1] * shape[2];
  float *to = g_new0 (float, planes *pixels *padded);

  for (gsize i = 0; i < planes * channels * pixels; i++) {
    const gsize plane = i / pixels / channels, pixel = i % pixels;
    to[(plane * pixels + pixel) * padded + i / pixels % channels] = from[i];
  }
  return to;
}

static float *
clamped (const float *values, gsize count)
{
  float *out = g_new (float, count);

  for (gsize i = 0; i < count; i++)
    out[i] = CLAMP (values[i], -1.0f, 1.0f);
  return out;
}

static void
check_latent (Parity *parity, const VidgenTensor *tensor)
{
  const gsize padded = vidgen_mini_padded_channels (parity->config);
  const gsize count = tensor->shape[1] * tensor->shape[2] * padded;
  const double bound = parity->config->decoder.latent_bound;
  g_autofree float *should =
      channels_last ((const float *)tensor->data, 1, tensor->shape, padded);

  for (gsize i = 0; i < count; i++)
    should[i] = (float)(bound * tanh (should[i] / bound));
  compare (parity, tensor->name, find_taken (parity, "latent", count), should,
      count);
}

static void
check_frames (Parity *parity, const VidgenTensor *tensor)
{
  const gsize count = vidgen_tensor_count (tensor);
  g_autofree float *golden = read_golden (tensor);
  g_autofree float *should =
      channels_last (golden, tensor->shape[0], tensor->shape + 1, 3);
  g_autofree float *is = clamped (find_taken (parity, "frames", count), count);

  compare (parity, tensor->name, is, should, count);
}

static void
check_noise (
    Parity *parity, const VidgenTensor *tensor, guint64 chunk, const char *name)
{
  const gsize count = vidgen_tensor_count (tensor);
  g_autofree float *is = g_new (float, count);
  guint purpose = g_str_has_suffix (name, "audio") ? 1 : 0;

  if (g_str_has_prefix (name, "context."))
    purpose += 2;
  else
    purpose += 16 * (guint)g_ascii_digit_value (name[strlen ("step")]);
  vidgen_noise_fill (SEED, chunk, purpose, 0, (guint)count, is);
  compare (parity, tensor->name, is, (const float *)tensor->data, count);
}

static void
check_tensor (
    Parity *parity, const VidgenTensor *tensor, guint64 chunk, const char *name)
{
  const gsize count = vidgen_tensor_count (tensor);

  if (strstr (name, "noise")) {
    check_noise (parity, tensor, chunk, name);
  } else if (g_str_equal (name, "latent")) {
    check_latent (parity, tensor);
  } else if (g_str_equal (name, "frames")) {
    check_frames (parity, tensor);
  } else if (strstr (name, "key") || strstr (name, "value")) {
    g_autofree float *should = merge_heads (tensor);
    compare (
        parity, tensor->name, find_taken (parity, name, count), should, count);
  } else if (!g_str_equal (name, LEFT_OUT)) {
    g_autofree float *should = read_golden (tensor);
    compare (
        parity, tensor->name, find_taken (parity, name, count), should, count);
  }
}

static void
check_chunk (Parity *parity, guint64 chunk, guint n_tensors)
{
  g_autofree char *prefix =
      g_strdup_printf ("chunk%" G_GUINT64_FORMAT ".", chunk);
  guint found = 0;

  for (guint i = 0; i < vidgen_safetensors_n_tensors (parity->goldens); i++) {
    const VidgenTensor *tensor = vidgen_safetensors_tensor (parity->goldens, i);

    if (!g_str_has_prefix (tensor->name, prefix))
      continue;
    check_tensor (parity, tensor, chunk, tensor->name + strlen (prefix));
    found++;
  }
  g_assert_cmpuint (found, ==, n_tensors);
}

static void
check_tokens (Parity *parity, guint prompt)
{
  g_autofree char *name = g_strdup_printf ("prompt%u.tokens", prompt);
  const VidgenTensor *tensor = vidgen_safetensors_find (parity->goldens, name);
  g_autoptr (VidgenMiniTokenizer) tokenizer =
      vidgen_mini_tokenizer_new (parity->config);
  g_autoptr (GArray) tokens =
      vidgen_mini_tokenizer_encode (tokenizer, prompts[prompt]);

  g_assert_cmpuint (tokens->len, ==, vidgen_tensor_count (tensor));
  for (guint i = 0; i < tokens->len; i++)
    g_assert_cmpuint (g_array_index (tokens, guint32, i), ==,
        (guint32)((const float *)tensor->data)[i]);
}

static void
check_states (Parity *parity, guint prompt)
{
  g_autofree char *name = g_strdup_printf ("prompt%u.states", prompt);
  const VidgenTensor *tensor = vidgen_safetensors_find (parity->goldens, name);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenConditioning) conditioning =
      vidgen_model_encode (parity->model, prompts[prompt], NULL, NULL, &error);
  g_autoptr (GBytes) bytes = NULL;

  g_assert_no_error (error);
  bytes = vidgen_conditioning_serialise (conditioning);
  g_assert_cmpuint (vidgen_mini_conditioning_rows (parity->config, bytes), ==,
      tensor->shape[0]);
  compare (parity, name, vidgen_mini_conditioning_states (bytes),
      (const float *)tensor->data, vidgen_tensor_count (tensor));
}

/* The bias of the network's second time layer is in what it pools. */
static void
check_pooled (Parity *parity, guint prompt)
{
  g_autofree char *name = g_strdup_printf ("prompt%u.pooled", prompt);
  const VidgenTensor *tensor = vidgen_safetensors_find (parity->goldens, name);
  const VidgenTensor *bias = vidgen_safetensors_find (
      ((VidgenMiniModel *)parity->model)->file, "transformer.time.fc2.bias");
  const gsize count = vidgen_tensor_count (tensor);
  g_autofree float *should = read_golden (tensor);

  for (gsize i = 0; i < count; i++)
    should[i] += ((const float *)bias->data)[i];
  compare (parity, name, find_taken (parity, "pooled", count), should, count);
}

static float *
read_sound (const char *golden, gsize frames)
{
  g_autofree char *name =
      g_strconcat ("tests/models/goldens/", golden, ".wav", NULL);
  g_autofree char *path = fixture_path (name);
  SF_INFO about = { 0 };
  SNDFILE *file = sf_open (path, SFM_READ, &about);
  float *sound = g_new (float, 2 * frames);

  g_assert_nonnull (file);
  g_assert_cmpint (about.channels, ==, 2);
  g_assert_cmpint (
      sf_readf_float (file, sound, (sf_count_t)frames), ==, (gint64)frames);
  sf_close (file);
  return sound;
}

/* Takes the model. */
static void
init_with_sound (Parity *parity, VidgenModel *model, const char *golden,
    const char *sound, guint chunks)
{
  g_autofree char *name =
      g_strconcat ("tests/models/goldens/", golden, ".safetensors", NULL);
  g_autofree char *path = fixture_path (name);
  g_autoptr (GError) error = NULL;

  parity->model = model;
  parity->device = model->device;
  parity->config = ((VidgenMiniModel *)model)->config;
  parity->goldens = vidgen_safetensors_open (path, &error);
  g_assert_no_error (error);
  parity->taken = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify)vidgen_memory_unref);
  parity->sound = read_sound (sound, chunks * parity->config->chunk.samples);
}

static void
init (Parity *parity, VidgenModel *model, const char *golden, guint chunks)
{
  init_with_sound (parity, model, golden, golden, chunks);
}

static void
clear (Parity *parity)
{
  g_hash_table_unref (parity->taken);
  vidgen_safetensors_unref (parity->goldens);
  vidgen_model_unref (parity->model);
  g_free (parity->sound);
}

static void
check_samples (Parity *parity, const VidgenChunk *chunk)
{
  compare (parity, "samples", chunk->sound,
      parity->sound + 2 * chunk->first_sample, 2 * (gsize)chunk->samples);
}

static void
check_tiny (VidgenDevice *device)
{
  Parity parity = { 0 };
  const VidgenTap tap = { take, &parity };
  VidgenStream *stream;

  init (&parity, fixture_load_tiny (device), "tiny", CHUNKS);
  stream = fixture_stream (parity.model, SEED, prompts[0]);
  vidgen_mini_stream_set_tap (stream, &tap);
  for (guint64 i = 0; i < CHUNKS; i++) {
    const guint prompt = i < CHANGE ? 0 : 1;
    g_autoptr (VidgenChunk) chunk = NULL;

    if (i == CHANGE)
      fixture_set_prompt (stream, parity.model, prompts[1], 0);
    chunk = fixture_next (stream);
    if (i == 0 || i == CHANGE) {
      check_tokens (&parity, prompt);
      check_states (&parity, prompt);
      check_pooled (&parity, prompt);
    }
    check_chunk (&parity, i, 27);
    check_samples (&parity, chunk);
    g_hash_table_remove_all (parity.taken);
  }
  vidgen_stream_free (stream);
  clear (&parity);
}

static void
set_picture (VidgenStream *stream, const VidgenMiniConfig *config)
{
  const guint width = config->video.width, height = config->video.height;
  g_autofree guint8 *rgb = g_new (guint8, (gsize)3 * width * height);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 3 * width * height; i++)
    rgb[i] = (guint8)(7 * (i / 3 / width) + 5 * (i / 3 % width) + 60 * (i % 3));
  vidgen_stream_set_picture (stream, rgb, width, height, 3 * width, &error);
  g_assert_no_error (error);
}

/* What follows a first picture, twice, as a stream goes back to its start. */
static void
check_picture (VidgenDevice *device)
{
  Parity parity = { 0 };
  const VidgenTap tap = { take, &parity };
  VidgenStream *stream;

  init (&parity, fixture_load_tiny (device), "picture", PICTURE_CHUNKS);
  stream = fixture_stream (parity.model, SEED, prompts[0]);
  set_picture (stream, parity.config);
  vidgen_mini_stream_set_tap (stream, &tap);
  for (guint i = 0; i < 2 * PICTURE_CHUNKS; i++) {
    g_autoptr (VidgenChunk) chunk = NULL;

    if (i == PICTURE_CHUNKS)
      g_assert_cmpuint (vidgen_stream_seek (stream, 0), ==, 0);
    chunk = fixture_next (stream);
    check_chunk (&parity, i % PICTURE_CHUNKS, 4);
    check_samples (&parity, chunk);
    g_hash_table_remove_all (parity.taken);
  }
  vidgen_stream_free (stream);
  clear (&parity);
}

/* Frames of twice the size; the sound is that of the tiny model. */
static void
check_wide (VidgenDevice *device)
{
  Parity parity = { 0 };
  const VidgenTap tap = { take, &parity };
  VidgenStream *stream;

  init_with_sound (
      &parity, fixture_load_wide (device), "wide", "tiny", WIDE_CHUNKS);
  stream = fixture_stream_scaled (parity.model, SEED, prompts[0], 2);
  vidgen_mini_stream_set_tap (stream, &tap);
  for (guint64 i = 0; i < WIDE_CHUNKS; i++) {
    g_autoptr (VidgenChunk) chunk = fixture_next (stream);

    g_assert_cmpuint (chunk->width, ==, 2 * parity.config->video.width);
    g_assert_cmpuint (chunk->height, ==, 2 * parity.config->video.height);
    check_chunk (&parity, i, 1);
    check_samples (&parity, chunk);
    g_hash_table_remove_all (parity.taken);
  }
  vidgen_stream_free (stream);
  clear (&parity);
}

/* The shipped weights, end to end: frames and sound of two chunks. */
static void
check_mini (VidgenModel *model)
{
  const char *prompt = vidgen_model_info (model)->prompts[0];
  Parity parity = { 0 };
  const VidgenTap tap = { take, &parity };
  VidgenStream *stream;

  init (&parity, model, "mini", MINI_CHUNKS);
  stream = fixture_stream (model, SEED, prompt);
  vidgen_mini_stream_set_tap (stream, &tap);
  for (guint i = 0; i < MINI_CHUNKS; i++) {
    g_autofree char *name = g_strdup_printf ("chunk%u.frames", i);
    g_autoptr (VidgenChunk) chunk = fixture_next (stream);

    check_frames (&parity, vidgen_safetensors_find (parity.goldens, name));
    check_samples (&parity, chunk);
    g_hash_table_remove_all (parity.taken);
  }
  vidgen_stream_free (stream);
  clear (&parity);
}

static void
test_mini (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();
  VidgenModel *model = device ? fixture_load_mini (device) : NULL;

  if (model)
    check_mini (model);
}

static void
test_host (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();

  check_tiny (device);
  check_picture (device);
  check_wide (device);
}

static void
test_vulkan (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();

  if (!device)
    return;
  check_tiny (device);
  check_picture (device);
  check_wide (device);
}

/* In the shapes that kernels choose for GPUs. */
static void
test_as_gpu (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();

  if (!device)
    return;
  device->caps.type = VIDGEN_DEVICE_DISCRETE;
  check_tiny (device);
  check_wide (device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/parity/host", test_host);
  g_test_add_func ("/parity/vulkan", test_vulkan);
  g_test_add_func ("/parity/as-gpu", test_as_gpu);
  g_test_add_func ("/parity/mini", test_mini);
  return g_test_run ();
}
