/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Opening, loading and encoding, and how they fail. */

#include <glib/gstdio.h>
#include <string.h>

#include "models/checkpoint/safetensors.h"
#include "models/mini/mini-private.h"
#include "shaders/runtime/faults.h"
#include "tests/models/fixture.h"

#define TINY "tests/data/tiny.safetensors"
#define WIDE "tests/data/tiny-wide.safetensors"

static void
check_open (const char *location, int code, const char *says)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_model_open (location, &error));
  g_assert_error (error, VIDGEN_ERROR, code);
  if (!strstr (error->message, says))
    g_error ("'%s' does not say '%s'", error->message, says);
}

static GByteArray *
read_bytes (const char *name)
{
  g_autofree char *path = fixture_path (name);
  char *data;
  gsize length;

  g_assert_true (g_file_get_contents (path, &data, &length, NULL));
  return g_byte_array_new_take ((guint8 *)data, length);
}

/* Opens bytes through a file of their own; *folder holds it. */
static char *
write_file (const GByteArray *bytes, char **folder)
{
  char *path;

  *folder = g_dir_make_tmp ("vidgen-XXXXXX", NULL);
  path = g_build_filename (*folder, "model.safetensors", NULL);
  g_assert_true (
      g_file_set_contents (path, (const char *)bytes->data, bytes->len, NULL));
  return path;
}

static void
remove_file (char *path, char *folder)
{
  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
}

static void
check_bytes (const GByteArray *bytes, const char *says)
{
  char *folder;
  char *path = write_file (bytes, &folder);

  check_open (path, VIDGEN_ERROR_FORMAT, says);
  remove_file (path, folder);
}

/* The first `old` in the file becomes `new`, which is as long. */
static void
patch (GByteArray *bytes, const char *old, const char *new)
{
  const gsize length = strlen (old);
  char *place =
      g_strstr_len ((const char *)bytes->data + 8, (gssize)bytes->len - 8, old);

  g_assert_nonnull (place);
  g_assert_cmpuint (strlen (new), ==, length);
  memcpy (place, new, length);
}

/* `text` comes behind the first `before` in the header. */
static void
insert (GByteArray *bytes, const char *before, const char *text)
{
  const gsize length = strlen (text);
  const char *place = g_strstr_len (
      (const char *)bytes->data + 8, (gssize)bytes->len - 8, before);
  gsize offset;
  guint64 header_bytes;

  g_assert_nonnull (place);
  offset = place + strlen (before) - (const char *)bytes->data;
  g_byte_array_set_size (bytes, bytes->len + length);
  memmove (bytes->data + offset + length, bytes->data + offset,
      bytes->len - length - offset);
  memcpy (bytes->data + offset, text, length);
  memcpy (&header_bytes, bytes->data, 8);
  header_bytes = GUINT64_TO_LE (GUINT64_FROM_LE (header_bytes) + length);
  memcpy (bytes->data, &header_bytes, 8);
}

static void
check_patched_file (
    const char *name, const char *old, const char *new, const char *says)
{
  g_autoptr (GByteArray) bytes = read_bytes (name);

  patch (bytes, old, new);
  check_bytes (bytes, says);
}

static void
check_patched (const char *old, const char *new, const char *says)
{
  check_patched_file (TINY, old, new, says);
}

static void
test_open (void)
{
  g_autofree char *folder = fixture_path ("tests");
  g_autofree char *foreign = fixture_path ("meson.build");
  g_autofree char *goldens =
      fixture_path ("tests/models/goldens/tiny.safetensors");

  check_open ("", VIDGEN_ERROR_NOT_FOUND, "Embedded models:");
  check_open ("no such model", VIDGEN_ERROR_NOT_FOUND, "no such model");
  check_open (folder, VIDGEN_ERROR_NOT_FOUND, "folder");
  check_open (foreign, VIDGEN_ERROR_FORMAT, "not a safetensors file");
  check_open (goldens, VIDGEN_ERROR_FORMAT, "no model family");
}

static void
test_damaged (void)
{
  g_autoptr (GByteArray) whole = read_bytes (TINY);
  g_autoptr (GByteArray) empty = g_byte_array_new ();

  check_bytes (empty, "0 bytes are too short");
  g_byte_array_set_size (whole, whole->len - 1);
  check_bytes (whole, "tensor 'transformer.video_out.weight' ends");
  g_byte_array_set_size (whole, 5000);
  check_bytes (whole, "not a safetensors file, or damaged");

  check_patched ("vidgensrc-mini", "vidgensrc-nini", "'vidgensrc-nini'");
  check_patched ("\"version\":\"1\"", "\"version\":\"2\"", "'version' is '2'");
  check_patched ("\"config\"", "\"c0nfig\"", "'config' is missing");
  check_patched ("\\\"hop\\\":250", "\\\"hop\\\":25x", "not JSON");
  check_patched ("\\\"layers\\\":2", "\\\"layers\\\":3",
      "tensor 'transformer.layers.2.modulation' is missing");
  check_patched ("\\\"buckets\\\":16", "\\\"buckets\\\":17",
      "tensor 'text.embedding.weight' is [24, 64] F16, expected [25, 64]");
  check_patched ("\"decoder.up1.bias\":{\"dtype\":\"F32\"",
      "\"decoder.up1.bias\":{\"dtype\":\"I32\"",
      "tensor 'decoder.up1.bias' is [64] I32, expected [64] F32");
  check_patched_file (WIDE, "\\\"wide\\\":12", "\\\"wide\\\":16",
      "tensor 'decoder.up3.weight' is [48, 8, 3, 3] F16, expected [64, 8, 3, "
      "3]");
  check_patched_file (WIDE, "\"decoder.wide.bias\"", "\"decoder.vide.bias\"",
      "tensor 'decoder.wide.bias' is missing");
}

static void
check_info (const VidgenModelInfo *info)
{
  g_assert_cmpstr (info->family, ==, "mini");
  g_assert_true (info->has_audio);
  g_assert_cmpuint (info->native.width, ==, info->width.min);
  g_assert_cmpuint (info->chunk_frames, ==, 4);
  g_assert_nonnull (info->prompts[0]);
  g_assert_cmpint (
      info->kinds, ==, VIDGEN_CONDITION_TEXT | VIDGEN_CONDITION_PICTURE);
}

static void
test_info (void)
{
  g_autofree char *path = fixture_path (TINY);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenModel) model = vidgen_model_open (path, &error);
  const VidgenModelInfo *info = vidgen_model_info (model);

  g_assert_no_error (error);
  check_info (info);
  g_assert_cmpstr (info->name, ==, "tiny");
  g_assert_cmpuint (info->steps[0], ==, 1);
  g_assert_cmpuint (info->steps[2], ==, 4);
  g_assert_cmpuint (info->steps[3], ==, 0);
  g_assert_cmpuint (info->default_steps, ==, 2);
}

static void
check_sizes (const GByteArray *bytes, guint largest)
{
  char *folder, *path = write_file (bytes, &folder);
  g_autoptr (VidgenModel) model = vidgen_model_open (path, NULL);
  const VidgenModelInfo *info = vidgen_model_info (model);

  g_assert_cmpuint (info->native.width, ==, 48);
  g_assert_cmpuint (info->native.height, ==, 32);
  g_assert_cmpuint (info->width.max, ==, 48 * largest);
  g_assert_cmpuint (info->height.max, ==, 32 * largest);
  g_assert_true (vidgen_model_makes_size (info, 48, 32));
  g_assert_cmpint (vidgen_model_makes_size (info, 96, 64), ==, largest == 2);
  g_assert_false (vidgen_model_makes_size (info, 96, 32));
  remove_file (path, folder);
}

/* Those of the config; weights that it does not name are left alone. */
static void
test_sizes (void)
{
  g_autoptr (GByteArray) tiny = read_bytes (TINY);
  g_autoptr (GByteArray) wide = read_bytes (WIDE);

  check_sizes (tiny, 1);
  check_sizes (wide, 2);
  patch (wide, "\\\"wide\\\":12", "\\\"vide\\\":12");
  check_sizes (wide, 1);
}

static VidgenModel *
open_completing (void)
{
  g_autoptr (GByteArray) bytes = read_bytes (TINY);
  const guint plain = bytes->len;
  char *folder, *path;
  VidgenModel *model;

  insert (bytes, "\\\"night\\\"]",
      ",\\\"completions\\\":[{\\\"draw\\\":0,\\\"when\\\":[[\\\"ocean\\\"]],"
      "\\\"unless\\\":[\\\"night\\\"],\\\"phrases\\\":[\\\"at night\\\"]}]");
  while ((bytes->len - plain) % 8)
    insert (bytes, "{", " ");
  path = write_file (bytes, &folder);
  model = vidgen_model_open (path, NULL);
  remove_file (path, folder);
  return model;
}

static void
check_completed (VidgenModel *model, const char *prompt, const char *expected)
{
  g_autofree char *whole = vidgen_model_complete (model, prompt, 1);

  g_assert_cmpstr (whole, ==, expected);
}

/* A prompt of so many bytes that begins with "ocean". */
static char *
long_prompt (gsize bytes)
{
  char *prompt = g_strnfill (bytes, '.');

  memcpy (prompt, "ocean", 5);
  return prompt;
}

/* The encoder is given nothing that it would refuse or not read, and is left
 * to refuse what it was given. */
static void
test_complete (void)
{
  static const char added[] = ", at night";
  const gsize room = VIDGEN_PROMPT_MAX_BYTES - strlen (added);
  g_autofree char *tiny = fixture_path (TINY);
  g_autoptr (VidgenModel) without = vidgen_model_open (tiny, NULL);
  g_autoptr (VidgenModel) model = open_completing ();
  g_autofree char *fits = long_prompt (room);
  g_autofree char *completed = g_strconcat (fits, added, NULL);
  g_autofree char *too_long = long_prompt (room + 1);
  g_autofree char *refused = long_prompt (VIDGEN_PROMPT_MAX_BYTES + 1);

  check_completed (without, "ocean", "ocean");
  check_completed (model, "ocean", "ocean, at night");
  check_completed (model, "rain", "rain");
  check_completed (model, "ocean at sunset a", "ocean at sunset a, at night");
  check_completed (model, "ocean at sunset a a", "ocean at sunset a a");
  check_completed (model, "ocean \xff", "ocean \xff");
  check_completed (model, fits, completed);
  check_completed (model, too_long, too_long);
  check_completed (model, refused, refused);
}

static void
test_embedded (void)
{
  const char *const *names = vidgen_model_embedded ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenModel) model = NULL;

  if (!names[0]) {
    check_open ("mini", VIDGEN_ERROR_NOT_FOUND, "Embedded models: none");
    return;
  }
  g_assert_cmpstr (names[0], ==, "mini");
  model = vidgen_model_open ("mini", &error);
  g_assert_no_error (error);
  check_info (vidgen_model_info (model));
}

/* Every value of every tensor is looked at. */
static void
test_not_finite (void)
{
  static const char *const names[] = { "encoder.out.weight",
    "text.embedding.weight", "transformer.layers.1.query_scale", "latent.std" };
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autofree char *tiny = fixture_path (TINY);
  g_autoptr (VidgenSafetensors) file = vidgen_safetensors_open (tiny, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GByteArray) bytes = read_bytes (TINY);
    const VidgenTensor *tensor = vidgen_safetensors_find (file, names[i]);
    g_autoptr (VidgenModel) model = NULL;
    g_autoptr (GError) error = NULL;
    char *folder, *path;

    /* The high byte of the last value: all exponent bits. */
    bytes->data[tensor->offset + tensor->bytes - 1] = 0x7f;
    bytes->data[tensor->offset + tensor->bytes - 2] = 0xff;
    path = write_file (bytes, &folder);
    model = vidgen_model_open (path, &error);
    g_assert_no_error (error);
    g_assert_false (
        vidgen_model_load (model, device, NULL, NULL, NULL, &error));
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
    g_assert_nonnull (strstr (error->message, names[i]));
    remove_file (path, folder);
  }
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, 0);
}

static void
on_progress (const char *phase, double fraction, gpointer user_data)
{
  double *last = user_data;
  const guint index = g_str_equal (phase, "warmup");

  g_assert_true (index || g_str_equal (phase, "load"));
  g_assert_cmpfloat (fraction, >=, last[index]);
  g_assert_cmpfloat (fraction, <=, 1);
  last[index] = fraction;
}

static void
test_progress (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autofree char *path = fixture_path (TINY);
  g_autoptr (VidgenModel) model = vidgen_model_open (path, NULL);
  double last[2] = { 0, 0 };

  g_assert_true (
      vidgen_model_load (model, device, on_progress, last, NULL, NULL));
  g_assert_cmpfloat (last[0], ==, 1);
  g_assert_cmpfloat (last[1], ==, 1);
}

typedef struct {
  VidgenDevice *device;
  GCancellable *cancellable;
} Stopper;

/* Whatever is given to the device after the cancel loses it. */
static void
cancel_after (
    const char *phase G_GNUC_UNUSED, double fraction, gpointer user_data)
{
  const Stopper *stopper = user_data;

  if (fraction <= 0.3)
    return;
  g_cancellable_cancel (stopper->cancellable);
  vidgen_device_inject (stopper->device, VIDGEN_FAULT_DEVICE_LOST, 0);
}

static void
test_cancelled (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autofree char *path = fixture_path (TINY);
  g_autoptr (VidgenModel) model = vidgen_model_open (path, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenConditioning) prompt = NULL;
  Stopper stopper = { device, cancellable };

  g_assert_false (vidgen_model_load (
      model, device, cancel_after, &stopper, cancellable, &error));
  vidgen_device_inject (device, VIDGEN_FAULT_NONE, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (vidgen_device_is_lost (device));
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, 0);
  vidgen_model_load (model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);

  vidgen_device_inject (device, VIDGEN_FAULT_DEVICE_LOST, 0);
  g_assert_null (
      vidgen_model_encode (model, "rain", NULL, cancellable, &error));
  vidgen_device_inject (device, VIDGEN_FAULT_NONE, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  prompt = vidgen_model_encode (model, "rain", NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (prompt);
}

/* Models of one file share their weights as long as one of them lives. */
static void
test_shared (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  VidgenModel *one = fixture_load_tiny (device);
  const guint64 alone = vidgen_device_memory_used (device);
  VidgenModel *other = fixture_load_tiny (device);

  g_assert_true (
      ((VidgenMiniModel *)one)->weights == ((VidgenMiniModel *)other)->weights);
  g_assert_cmpuint (vidgen_device_memory_used (device), <, alone + alone / 4);
  vidgen_model_unref (one);
  vidgen_stream_free (fixture_stream (other, 1, "rain"));
  vidgen_model_unref (other);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, 0);
}

/* Makes a chunk from nothing; TRUE when all went well. */
static gboolean
run_all (VidgenDevice *device, GError **error)
{
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_NV12, TRUE };
  g_autofree char *path = fixture_path (TINY);
  g_autoptr (VidgenModel) model = vidgen_model_open (path, error);
  g_autoptr (VidgenStream) stream = NULL;
  g_autoptr (VidgenConditioning) prompt = NULL;
  g_autoptr (VidgenChunk) chunk = NULL;
  VidgenStreamParams params = { 0 };

  g_assert_nonnull (model);
  if (!vidgen_model_load (model, device, NULL, NULL, NULL, error))
    return FALSE;
  params.format = vidgen_model_info (model)->native;
  stream = vidgen_stream_new (model, &params, error);
  if (!stream)
    return FALSE;
  prompt = vidgen_model_encode (model, "rain", NULL, NULL, error);
  if (!prompt)
    return FALSE;
  vidgen_stream_set_conditioning (stream, prompt, 0);
  chunk = vidgen_stream_next (stream, &request, NULL, error);
  return chunk != NULL;
}

static void
test_no_memory (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  guint failures = 0;

  for (gboolean good = FALSE; !good; failures++) {
    g_autoptr (GError) error = NULL;

    vidgen_device_inject (device, VIDGEN_FAULT_NO_MEMORY, failures);
    good = run_all (device, &error);
    if (!good)
      g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY);
    g_assert_cmpuint (vidgen_device_memory_used (device), ==, 0);
    g_assert_cmpuint (failures, <, 100);
  }
  g_assert_cmpuint (failures, >, 5);
}

/* Whenever the device is lost, the next one that is opened works. */
static void
test_device_lost (void)
{
  gboolean good = FALSE;

  for (guint after = 0; !good; after += 7) {
    g_autoptr (VidgenDevice) device = fixture_open_host ();
    g_autoptr (GError) error = NULL;

    vidgen_device_inject (device, VIDGEN_FAULT_DEVICE_LOST, after);
    good = run_all (device, &error);
    if (!good)
      g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_DEVICE_LOST);
    g_assert_cmpuint (vidgen_device_memory_used (device), ==, 0);
    g_assert_cmpuint (after, <, 2000);
  }
}

static void
test_conditioning (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenModel) model = fixture_load_tiny (device);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenConditioning) prompt =
      vidgen_model_encode (model, "rain", NULL, NULL, &error);
  g_autoptr (GBytes) bytes = vidgen_conditioning_serialise (prompt);
  g_autoptr (VidgenConditioning) parsed =
      vidgen_conditioning_parse (model, bytes, &error);
  g_autoptr (GBytes) again = vidgen_conditioning_serialise (parsed);
  const gsize size = g_bytes_get_size (bytes);

  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (bytes, again));
  for (gsize bit = 0; bit < 8 * size; bit += 5) {
    guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
    g_autoptr (GBytes) damaged = NULL;

    data[bit / 8] ^= (guint8)(1u << bit % 8);
    damaged = g_bytes_new_take (data, size);
    g_assert_null (vidgen_conditioning_parse (model, damaged, &error));
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
    g_clear_error (&error);
  }
  for (gsize length = 0; length < size; length += 3) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, 0, length);
    g_assert_null (vidgen_conditioning_parse (model, part, NULL));
  }
}

/* A model whose text encoder differs in one value takes no foreign prompt. */
static void
test_other_weights (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenModel) model = fixture_load_tiny (device);
  g_autofree char *tiny = fixture_path (TINY);
  g_autoptr (VidgenSafetensors) file = vidgen_safetensors_open (tiny, NULL);
  g_autoptr (GByteArray) changed = read_bytes (TINY);
  g_autoptr (VidgenConditioning) prompt =
      vidgen_model_encode (model, "rain", NULL, NULL, NULL);
  g_autoptr (GBytes) bytes = vidgen_conditioning_serialise (prompt);
  g_autoptr (VidgenModel) other = NULL;
  g_autoptr (GError) error = NULL;
  char *folder, *path;

  changed->data[vidgen_safetensors_find (file, "text.position")->offset] ^= 1;
  path = write_file (changed, &folder);
  other = vidgen_model_open (path, &error);
  g_assert_no_error (error);
  g_assert_null (vidgen_conditioning_parse (other, bytes, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
  remove_file (path, folder);
}

static void
test_two_devices (void)
{
  g_autoptr (VidgenDevice) host = fixture_open_host ();
  g_autoptr (VidgenDevice) other = fixture_open_vulkan ();
  g_autoptr (VidgenModel) model = fixture_load_tiny (host);
  g_autoptr (GError) error = NULL;

  if (!other)
    return;
  g_assert_true (vidgen_model_load (model, host, NULL, NULL, NULL, &error));
  g_assert_false (vidgen_model_load (model, other, NULL, NULL, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/open", test_open);
  g_test_add_func ("/load/damaged", test_damaged);
  g_test_add_func ("/load/info", test_info);
  g_test_add_func ("/load/sizes", test_sizes);
  g_test_add_func ("/load/complete", test_complete);
  g_test_add_func ("/load/embedded", test_embedded);
  g_test_add_func ("/load/not-finite", test_not_finite);
  g_test_add_func ("/load/progress", test_progress);
  g_test_add_func ("/load/cancelled", test_cancelled);
  g_test_add_func ("/load/shared", test_shared);
  g_test_add_func ("/load/no-memory", test_no_memory);
  g_test_add_func ("/load/device-lost", test_device_lost);
  g_test_add_func ("/load/two-devices", test_two_devices);
  g_test_add_func ("/conditioning/parse", test_conditioning);
  g_test_add_func ("/conditioning/other-weights", test_other_weights);
  return g_test_run ();
}
