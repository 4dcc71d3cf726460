/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/decoder-private.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "shaders/runtime/error.h"
#include "tests/models/fixture.h"

/* Decoders against those of the published code; see
 * tests/models/goldens/make_decoders.py. */

typedef struct {
  const char *path;
  const char *name;
  const char *kind;
  double tolerance; /* of every picture; twice that, and this much of all
                       pictures together, where pasts are packed */
  gboolean halves;  /* images are no floats, though weights are */
  gboolean packed;  /* memory is short: pasts are packed, strips are small */
} Case;

static const Case cases[] = {
  { "taehv", "taehv", "taehv", 1e-3, FALSE, FALSE },
  { "taehv-half", "taehv-half", "taehv", 1e-2, TRUE, FALSE },
  { "taehv-narrow", "taehv", "taehv", 1e-2, TRUE, FALSE },
  { "vae", "vae", "wan-vae", 1e-3, FALSE, FALSE },
  { "vae-half", "vae-half", "wan-vae", 1e-2, TRUE, FALSE },
  { "vae-packed", "vae", "wan-vae", 1e-2, TRUE, TRUE },
};

static VidgenCheckpoint *
open_golden (const char *format, const char *name)
{
  g_autofree char *file = g_strdup_printf (format, name);
  g_autofree char *below =
      g_build_filename ("tests/models/goldens/decoders", file, NULL);
  g_autofree char *path = fixture_path (below);
  g_autoptr (GError) error = NULL;
  VidgenCheckpoint *checkpoint = vidgen_checkpoint_open (path, &error);

  g_assert_no_error (error);
  return checkpoint;
}

static VidgenDecoder *
open_decoder (const char *name)
{
  g_autoptr (VidgenCheckpoint) checkpoint =
      open_golden ("%s-weights.safetensors", name);
  g_autoptr (GError) error = NULL;
  VidgenDecoder *decoder;

  g_assert_true (vidgen_decoder_probe (checkpoint));
  decoder = vidgen_decoder_open (checkpoint, &error);
  g_assert_no_error (error);
  return decoder;
}

/* A loaded decoder and what it takes to run it. */
typedef struct {
  VidgenDecoder *decoder;
  VidgenDecoderStream *stream;
  VidgenRecorder *recorder;
  VidgenMemory *upload, *readback;
  guint columns, rows;
  float *pictures;
  guint n_pictures; /* of the latent decoded last */
} Rig;

static guint64
picture_values (const Rig *rig)
{
  return (guint64)rig->columns * rig->rows * 64 * 3;
}

/* Takes the decoder. */
static void
rig_load (Rig *rig, VidgenDevice *device, VidgenDecoder *decoder, guint columns,
    guint rows)
{
  g_autoptr (GError) error = NULL;
  guint64 before;

  rig->decoder = decoder;
  rig->columns = columns;
  rig->rows = rows;
  g_assert_true (
      vidgen_decoder_load (rig->decoder, device, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  before = vidgen_device_memory_used (device);
  rig->stream = vidgen_decoder_stream_new (rig->decoder, columns, rows, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (vidgen_device_memory_used (device) - before, ==,
      vidgen_decoder_stream_bytes (rig->decoder, columns, rows));
  rig->recorder = vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);
  g_assert_no_error (error);
  rig->upload = vidgen_memory_new (
      device, 4 * columns * rows * 16, VIDGEN_MEMORY_UPLOAD, &error);
  g_assert_no_error (error);
  rig->readback = vidgen_memory_new (device,
      4 * picture_values (rig) * VIDGEN_DECODER_STEPS, VIDGEN_MEMORY_READBACK,
      &error);
  g_assert_no_error (error);
  rig->pictures = vidgen_span_map (vidgen_memory_span (rig->readback));
}

static void
rig_start (
    Rig *rig, VidgenDevice *device, const Case *test, guint columns, guint rows)
{
  VidgenDecoder *decoder = open_decoder (test->name);

  if (test->halves)
    decoder->max_float_bytes = 0;
  if (test->packed)
    decoder->max_half_bytes = decoder->strip_bytes = 0;
  rig_load (rig, device, decoder, columns, rows);
}

static void
rig_stop (Rig *rig)
{
  vidgen_recorder_free (rig->recorder);
  vidgen_decoder_stream_free (rig->stream);
  vidgen_decoder_free (rig->decoder);
  vidgen_memory_unref (rig->upload);
  vidgen_memory_unref (rig->readback);
}

static void
rig_decode (Rig *rig, const float *latent)
{
  g_autoptr (GError) error = NULL;
  VidgenSpan rgb;

  memcpy (vidgen_span_map (vidgen_memory_span (rig->upload)), latent,
      vidgen_memory_size (rig->upload));
  rig->n_pictures = vidgen_decoder_stream_record (
      rig->stream, rig->recorder, vidgen_memory_span (rig->upload), &rgb);
  vidgen_recorder_copy (rig->recorder, vidgen_memory_span (rig->readback),
      vidgen_span_cut (rgb, 0, 4 * picture_values (rig) * rig->n_pictures));
  vidgen_recorder_finish (rig->recorder, NULL, &error);
  g_assert_no_error (error);
}

/* The published decoders' pictures end at black and white. */
static void
clamp (float *values, guint64 count)
{
  for (guint64 i = 0; i < count; i++)
    values[i] = CLAMP (values[i], -1, 1);
}

static void
check_pictures (const Rig *rig, const Case *test, const float *pictures,
    const VidgenTensor *frames)
{
  const double most = test->packed ? 2 * test->tolerance : test->tolerance;
  const guint64 n_frames = frames->shape[0], count = picture_values (rig);
  g_autofree float *expected = g_new (float, n_frames *count);
  double distance;

  vidgen_tensor_read_f32 (frames, 0, n_frames * count, expected);
  for (guint i = 0; i < n_frames; i++) {
    distance =
        fixture_distance (pictures + i * count, expected + i * count, count);
    g_test_message ("frame %u: %.2g", i, distance);
    g_assert_cmpfloat (distance, <=, most);
  }
  distance = fixture_distance (pictures, expected, n_frames * count);
  g_test_message ("all frames: %.2g", distance);
  g_assert_cmpfloat (distance, <=, test->tolerance);
}

static void
run_case (VidgenDevice *device, const Case *test)
{
  g_autoptr (VidgenCheckpoint) golden =
      open_golden ("%s.safetensors", test->name);
  const VidgenTensor *latents = vidgen_checkpoint_find (golden, "latents");
  const VidgenTensor *frames = vidgen_checkpoint_find (golden, "frames");
  const guint64 values = latents->shape[1] * latents->shape[2] * 16;
  const guint64 frame_values = values * 64 * 3 / 16;
  g_autofree float *latent = g_new (float, values);
  g_autofree float *pictures = g_new (float, frames->shape[0] * frame_values);
  Rig rig;

  rig_start (&rig, device, test, latents->shape[2], latents->shape[1]);
  g_assert_cmpstr (vidgen_decoder_kind (rig.decoder), ==, test->kind);
  /* Twice, for what a reset leaves over would be seen. */
  for (guint turn = 0; turn < 2; turn++) {
    guint frame = 0;

    for (guint i = 0; i < latents->shape[0]; i++) {
      vidgen_tensor_read_f32 (latents, i * values, values, latent);
      rig_decode (&rig, latent);
      g_assert_cmpuint (rig.n_pictures, ==,
          i == 0 ? VIDGEN_DECODER_FIRST : VIDGEN_DECODER_STEPS);
      g_assert_cmpuint (frame + rig.n_pictures, <=, frames->shape[0]);
      clamp (rig.pictures, frame_values * rig.n_pictures);
      memcpy (pictures + frame * frame_values, rig.pictures,
          sizeof (float) * frame_values * rig.n_pictures);
      frame += rig.n_pictures;
    }
    g_assert_cmpuint (frame, ==, frames->shape[0]);
    check_pictures (&rig, test, pictures, frames);
    vidgen_decoder_stream_reset (rig.stream, TRUE);
  }
  rig_stop (&rig);
}

/* What is stored as halves is within what they hold. */
static void
test_host (gconstpointer data)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  const guint n_clamped = vidgen_half_n_clamped ();

  run_case (device, data);
  g_assert_cmpuint (vidgen_half_n_clamped (), ==, n_clamped);
}

static void
test_vulkan (gconstpointer data)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();

  if (device)
    run_case (device, data);
}

/* A stream that was started anew `reach` latents before goes on as if it never
 * had been. */
static void
test_reach (gconstpointer data)
{
  const Case *test = data;
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autofree float *latents = NULL;
  g_autofree float *expected = NULL;
  Rig rig;
  guint last;

  rig_start (&rig, device, test, 2, 1);
  last = 1 + vidgen_decoder_reach (rig.decoder);
  latents = g_new (float, 32 * (last + 1));
  for (guint i = 0; i < 32 * (last + 1); i++)
    latents[i] = (float)g_test_rand_double_range (-2, 2);
  for (guint i = 0; i <= last; i++)
    rig_decode (&rig, latents + 32 * i);
  expected = g_memdup2 (
      rig.pictures, sizeof (float) * picture_values (&rig) * rig.n_pictures);
  vidgen_decoder_stream_reset (rig.stream, FALSE);
  for (guint i = 1; i <= last; i++) {
    rig_decode (&rig, latents + 32 * i);
    g_assert_cmpuint (rig.n_pictures, ==, VIDGEN_DECODER_STEPS);
  }
  g_assert_cmpmem (rig.pictures,
      sizeof (float) * picture_values (&rig) * rig.n_pictures, expected,
      sizeof (float) * picture_values (&rig) * rig.n_pictures);
  rig_stop (&rig);
}

/* The header of a file of halves, all of them zero, that takes no space. */
typedef struct {
  GString *header;
  guint64 bytes;
} Sparse;

static void G_GNUC_PRINTF (3, 4)
    add_tensor (Sparse *sparse, const char *shape, const char *format, ...)
{
  g_auto (GStrv) sizes = g_strsplit (shape, ",", -1);
  g_autofree char *name = NULL;
  guint64 bytes = 2;
  va_list arguments;

  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  for (guint i = 0; sizes[i]; i++)
    bytes *= g_ascii_strtoull (sizes[i], NULL, 10);
  g_string_append_printf (sparse->header,
      "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[%s],\"data_offsets\":"
      "[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}",
      sparse->header->len > 1 ? "," : "", name, shape, sparse->bytes,
      sparse->bytes + bytes);
  sparse->bytes += bytes;
}

/* Weight and bias. */
static void
add_conv (
    Sparse *sparse, const char *name, guint out, guint in, const char *kernel)
{
  g_autofree char *weight = g_strdup_printf ("%u,%u,%s", out, in, kernel);
  g_autofree char *bias = g_strdup_printf ("%u", out);

  add_tensor (sparse, weight, "%s.weight", name);
  add_tensor (sparse, bias, "%s.bias", name);
}

static VidgenDecoder *
open_sparse (Sparse *sparse)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenCheckpoint) checkpoint = NULL;
  const int file = g_file_open_tmp ("vidgen-XXXXXX", &path, &error);
  guint64 length;
  VidgenDecoder *decoder;

  g_assert_no_error (error);
  g_string_append_c (sparse->header, '}');
  while (sparse->header->len % 8 != 0)
    g_string_append_c (sparse->header, ' ');
  length = GUINT64_TO_LE (sparse->header->len);
  g_assert_cmpint (write (file, &length, 8), ==, 8);
  g_assert_cmpint (write (file, sparse->header->str, sparse->header->len), ==,
      (gssize)sparse->header->len);
  g_assert_cmpint (
      ftruncate (file, 8 + sparse->header->len + sparse->bytes), ==, 0);
  close (file);
  checkpoint = vidgen_checkpoint_open (path, &error);
  g_assert_no_error (error);
  decoder = vidgen_decoder_open (checkpoint, &error);
  g_assert_no_error (error);
  g_unlink (path);
  g_string_free (g_steal_pointer (&sparse->header), TRUE);
  return decoder;
}

static VidgenDecoder *
open_full_taehv (void)
{
  static const guint channels[] = { 256, 128, 64, 64 };
  static const guint grows[] = { 1, 2, 2 };
  Sparse sparse = { g_string_new ("{"), 0 };
  guint index = 3;

  add_conv (&sparse, "decoder.1", 256, 16, "3,3");
  for (guint level = 0; level < 3; level++) {
    const guint c = channels[level];
    g_autofree char *grow = g_strdup_printf ("%u,%u,1,1", grows[level] * c, c);
    g_autofree char *up = g_strdup_printf ("%u,%u,3,3", channels[level + 1], c);

    for (guint i = 0; i < 3; i++, index++)
      for (guint j = 0; j < 3; j++) {
        g_autofree char *name =
            g_strdup_printf ("decoder.%u.conv.%u", index, 2 * j);

        add_conv (&sparse, name, c, j == 0 ? 2 * c : c, "3,3");
      }
    add_tensor (&sparse, grow, "decoder.%u.conv.weight", index + 1);
    add_tensor (&sparse, up, "decoder.%u.weight", index + 2);
    index += 3;
  }
  add_conv (&sparse, "decoder.22", 3, 64, "3,3");
  return open_sparse (&sparse);
}

static void
add_vae_block (Sparse *sparse, const char *prefix, guint in, guint out)
{
  g_autofree char *conv1 = g_strconcat (prefix, ".residual.2", NULL);
  g_autofree char *conv2 = g_strconcat (prefix, ".residual.6", NULL);
  g_autofree char *shortcut = g_strconcat (prefix, ".shortcut", NULL);
  g_autofree char *gain1 = g_strdup_printf ("%u,1,1,1", in);
  g_autofree char *gain2 = g_strdup_printf ("%u,1,1,1", out);

  add_tensor (sparse, gain1, "%s.residual.0.gamma", prefix);
  add_conv (sparse, conv1, out, in, "3,3,3");
  add_tensor (sparse, gain2, "%s.residual.3.gamma", prefix);
  add_conv (sparse, conv2, out, out, "3,3,3");
  if (in != out)
    add_conv (sparse, shortcut, out, in, "1,1,1");
}

static VidgenDecoder *
open_full_vae (void)
{
  static const guint ins[] = { 384, 192, 192, 96 };
  static const guint outs[] = { 384, 384, 192, 96 };
  Sparse sparse = { g_string_new ("{"), 0 };
  guint index = 0;

  add_conv (&sparse, "conv2", 16, 16, "1,1,1");
  add_conv (&sparse, "decoder.conv1", 384, 16, "3,3,3");
  add_vae_block (&sparse, "decoder.middle.0", 384, 384);
  add_tensor (&sparse, "384,1,1", "decoder.middle.1.norm.gamma");
  add_conv (&sparse, "decoder.middle.1.to_qkv", 1152, 384, "1,1");
  add_conv (&sparse, "decoder.middle.1.proj", 384, 384, "1,1");
  add_vae_block (&sparse, "decoder.middle.2", 384, 384);
  for (guint stage = 0; stage < 4; stage++) {
    for (guint i = 0; i < 3; i++, index++) {
      g_autofree char *prefix = g_strdup_printf ("decoder.upsamples.%u", index);

      add_vae_block (
          &sparse, prefix, i == 0 ? ins[stage] : outs[stage], outs[stage]);
    }
    if (stage < 3) {
      g_autofree char *up =
          g_strdup_printf ("decoder.upsamples.%u.resample.1", index);
      g_autofree char *time =
          g_strdup_printf ("decoder.upsamples.%u.time_conv", index);

      add_conv (&sparse, up, outs[stage] / 2, outs[stage], "3,3");
      if (stage < 2)
        add_conv (&sparse, time, 2 * outs[stage], outs[stage], "3,1,1");
      index++;
    }
  }
  add_tensor (&sparse, "96,1,1,1", "decoder.head.0.gamma");
  add_conv (&sparse, "decoder.head.2", 3, 96, "3,3,3");
  return open_sparse (&sparse);
}

/* What decoders of the published sizes take, beyond their weights, to make
 * pictures of 832x480. */
static void
test_memory (void)
{
  g_autoptr (VidgenDecoder) taehv = open_full_taehv ();
  g_autoptr (VidgenDecoder) vae = open_full_vae ();
  const guint64 taehv_bytes = vidgen_decoder_stream_bytes (taehv, 104, 60);
  const guint64 vae_bytes = vidgen_decoder_stream_bytes (vae, 104, 60);

  g_test_message ("taehv: %.1f MiB of weights, %.1f MiB a stream",
      vidgen_decoder_bytes (taehv) / 1048576.0, taehv_bytes / 1048576.0);
  g_test_message ("wan-vae: %.1f MiB of weights, %.1f MiB a stream",
      vidgen_decoder_bytes (vae) / 1048576.0, vae_bytes / 1048576.0);
  g_assert_cmpuint (taehv_bytes, <, 512u << 20);
  g_assert_cmpuint (vae_bytes, <, 1024u << 20);
}

/* Decodes a first latent of zeros at 832x480 by weights that are all zero, on a
 * device: what the memory that is planned is worth. Takes minutes:
 *
 *   models-decoders -m slow -p /decoders/full
 */
static void
run_full (VidgenDevice *device, VidgenDecoder *decoder, float expected)
{
  g_autofree float *latent = g_new0 (float, 104 * 60 * 16);
  const guint64 before = vidgen_device_memory_used (device);
  Rig rig = { 0 };

  rig_load (&rig, device, decoder, 104, 60);
  rig_decode (&rig, latent);
  g_test_message ("%s: %.1f MiB on the device, of which %.1f MiB are planned",
      vidgen_decoder_kind (decoder),
      (vidgen_device_memory_used (device) - before) / 1048576.0,
      (vidgen_decoder_bytes (decoder) +
          vidgen_decoder_stream_bytes (decoder, 104, 60)) /
          1048576.0);
  for (guint64 i = 0; i < picture_values (&rig); i++)
    g_assert_cmpfloat (rig.pictures[i], ==, expected);
  rig_stop (&rig);
}

static void
test_full_taehv (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();

  if (device)
    run_full (device, open_full_taehv (), -1);
}

static void
test_full_vae (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();

  if (device)
    run_full (device, open_full_vae (), 0);
}

/* What is no decoder, or one with a tensor of another shape. */
static void
test_errors (void)
{
  g_autoptr (VidgenCheckpoint) other = open_golden ("%s.safetensors", "taehv");
  g_autoptr (GError) error = NULL;

  g_assert_false (vidgen_decoder_probe (other));
  g_assert_null (vidgen_decoder_open (other, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
}

/* Each tensor is needed: without it the error tells which, or the file is taken
 * for no decoder. */
static void
test_missing (gconstpointer data)
{
  const Case *test = data;
  g_autofree char *below = g_strdup_printf (
      "tests/models/goldens/decoders/%s-weights.safetensors", test->name);
  g_autofree char *path = fixture_path (below);
  g_autoptr (VidgenCheckpoint) whole =
      open_golden ("%s-weights.safetensors", test->name);
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  g_file_get_contents (path, &contents, &length, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < vidgen_checkpoint_n_tensors (whole); i++) {
    const VidgenTensor *tensor = vidgen_checkpoint_tensor (whole, i);
    g_autofree char *name = g_strdup_printf ("\"%s\"", tensor->name);
    char *found = g_strstr_len (contents + 8, length - 8, name);
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (VidgenCheckpoint) checkpoint = NULL;

    g_assert_nonnull (found);
    found[1] ^= 1;
    bytes = g_bytes_new (contents, length);
    found[1] ^= 1;
    checkpoint = vidgen_checkpoint_new (bytes, "damaged", &error);
    g_assert_no_error (error);
    g_assert_null (vidgen_decoder_open (checkpoint, &error));
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
    if (vidgen_decoder_probe (checkpoint))
      g_assert_nonnull (strstr (error->message, tensor->name));
    g_clear_error (&error);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *host =
        g_strconcat ("/decoders/host/", cases[i].path, NULL);
    g_autofree char *vulkan =
        g_strconcat ("/decoders/vulkan/", cases[i].path, NULL);
    g_autofree char *reach =
        g_strconcat ("/decoders/reach/", cases[i].path, NULL);

    g_autofree char *missing =
        g_strconcat ("/decoders/missing/", cases[i].path, NULL);

    g_test_add_data_func (host, &cases[i], test_host);
    g_test_add_data_func (vulkan, &cases[i], test_vulkan);
    if (cases[i].tolerance < 1e-2)
      g_test_add_data_func (reach, &cases[i], test_reach);
    if (!cases[i].packed)
      g_test_add_data_func (missing, &cases[i], test_missing);
  }
  g_test_add_func ("/decoders/memory", test_memory);
  g_test_add_func ("/decoders/errors", test_errors);
  if (g_test_slow ()) {
    g_test_add_func ("/decoders/full/taehv", test_full_taehv);
    g_test_add_func ("/decoders/full/vae", test_full_vae);
  }
  return g_test_run ();
}
