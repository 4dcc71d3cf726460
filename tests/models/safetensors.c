/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/safetensors.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "shaders/half.h"
#include "tests/models/fixture.h"

/* A file of this header and `data_bytes` bytes 0, 1, 2, … */
static GBytes *
make_file (const char *header, gsize data_bytes)
{
  GByteArray *file = g_byte_array_new ();
  const guint64 length = strlen (header);

  g_byte_array_append (file, (const guint8 *)&length, sizeof length);
  g_byte_array_append (file, (const guint8 *)header, (guint)length);
  for (gsize i = 0; i < data_bytes; i++) {
    const guint8 byte = (guint8)i;
    g_byte_array_append (file, &byte, 1);
  }
  return g_byte_array_free_to_bytes (file);
}

static const char good_header[] =
    "{\"__metadata__\":{\"format\":\"test\",\"note\":\"π\"},"
    "\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[4,12]},"
    "\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]},"
    "\"empty\":{\"dtype\":\"I64\",\"shape\":[0,3],\"data_offsets\":[12,12]},"
    "\"scalar\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[12,13]}}";

static void
test_good (void)
{
  g_autoptr (GBytes) bytes = make_file (good_header, 13);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenSafetensors) file =
      vidgen_safetensors_new (bytes, "good", &error);
  const VidgenTensor *tensor;
  const guint64 shape[] = { 2, 1 };

  g_assert_no_error (error);
  g_assert_cmpuint (vidgen_safetensors_n_tensors (file), ==, 4);
  g_assert_cmpstr (vidgen_safetensors_tensor (file, 0)->name, ==, "a");
  g_assert_cmpstr (vidgen_safetensors_metadata (file, "format"), ==, "test");
  g_assert_cmpstr (vidgen_safetensors_metadata (file, "note"), ==, "π");
  g_assert_null (vidgen_safetensors_metadata (file, "absent"));
  g_assert_null (vidgen_safetensors_find (file, "__metadata__"));

  tensor = vidgen_safetensors_find (file, "b");
  g_assert_cmpuint (tensor->n_dims, ==, 2);
  g_assert_cmpuint (tensor->bytes, ==, 8);
  g_assert_cmpuint (tensor->offset, ==, 8 + strlen (good_header) + 4);
  g_assert_cmpuint (tensor->data[0], ==, 4);
  g_assert_cmpuint (vidgen_tensor_count (tensor), ==, 2);
  g_assert_true (vidgen_safetensors_expect (file, "b", 1u << VIDGEN_TENSOR_F32,
                     2, shape, &error) == tensor);
}

static void
test_expect (void)
{
  g_autoptr (GBytes) bytes = make_file (good_header, 13);
  g_autoptr (VidgenSafetensors) file =
      vidgen_safetensors_new (bytes, "good", NULL);
  const guint64 shape[] = { 2, 4 };
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_safetensors_expect (file, "b",
      1u << VIDGEN_TENSOR_F16 | 1u << VIDGEN_TENSOR_F32, 2, shape, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  g_assert_cmpstr (error->message, ==,
      "'good': tensor 'b' is [2, 1] F32, expected [2, 4] F16 or F32.");
  g_clear_error (&error);
  g_assert_null (vidgen_safetensors_expect (
      file, "c", 1u << VIDGEN_TENSOR_F16, 1, shape, &error));
  g_assert_cmpstr (
      error->message, ==, "'good': tensor 'c' is missing, expected [2] F16.");
}

/* A header that must be refused with a message that holds `says`. */
static void
check_refused (const char *header, gsize data_bytes, const char *says)
{
  g_autoptr (GBytes) bytes = make_file (header, data_bytes);
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_safetensors_new (bytes, "bad", &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  if (!strstr (error->message, says))
    g_error ("'%s' does not say '%s'", error->message, says);
}

#define TENSOR(name, dtype, shape, offsets)                                    \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape                     \
  ",\"data_offsets\":" offsets "}"

static void
test_lies (void)
{
  static const struct {
    const char *header;
    gsize data_bytes;
    const char *says;
  } lies[] = {
    { "{" TENSOR ("x", "F32", "[2]", "[0,8]") "}", 4, "tensor 'x' ends" },
    { "{" TENSOR ("x", "F32", "[2]", "[0,8]") "}", 9, "1 bytes" },
    { "{" TENSOR ("x", "F32", "[3]", "[0,8]") "}", 8, "tensor 'x' needs 12" },
    { "{" TENSOR ("x", "F32", "[2]", "[8,0]") "}", 8, "tensor 'x'" },
    { "{" TENSOR ("x", "F32", "[2]", "[-8,0]") "}", 8, "tensor 'x'" },
    { "{" TENSOR ("x", "F32", "[2]", "[0.0,8.0]") "}", 8, "tensor 'x'" },
    { "{" TENSOR ("x", "F32", "[2]", "[0]") "}", 8, "tensor 'x'" },
    { "{" TENSOR ("x", "F32", "[-2]", "[0,8]") "}", 8, "tensor 'x'" },
    { "{" TENSOR ("x", "F32", "[\"2\"]", "[0,8]") "}", 8, "tensor 'x'" },
    { "{" TENSOR ("x", "F32", "2", "[0,8]") "}", 8, "tensor 'x'" },
    { "{" TENSOR ("x", "F32", "[4294967296,4294967296]", "[0,0]") "}", 0,
        "tensor 'x'" },
    { "{" TENSOR ("x", "F32", "[4611686018427387904]", "[0,0]") "}", 0,
        "tensor 'x'" },
    { "{" TENSOR ("x", "F32", "[99999999999999999999]", "[0,8]") "}", 8, "" },
    { "{" TENSOR ("x", "F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]") "}", 8,
        "tensor 'x'" },
    { "{" TENSOR ("x", "F33", "[2]", "[0,8]") "}", 8, "'F33'" },
    { "{\"x\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "dtype" },
    { "{\"x\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
        "dtype" },
    { "{\"x\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "shape" },
    { "{\"x\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "data_offsets" },
    { "{\"x\":[1]}", 0, "tensor 'x'" },
    { "{\"x\":null}", 0, "tensor 'x'" },
    { "{" TENSOR ("x", "F32", "[2]", "[0,8]") "," TENSOR (
          "y", "F32", "[2]", "[4,12]") "}",
        12, "tensor 'y' begins at byte 4" },
    { "{" TENSOR ("x", "F32", "[2]", "[0,8]") "," TENSOR (
          "y", "F32", "[1]", "[12,16]") "}",
        16, "tensor 'y' begins at byte 12" },
    { "{" TENSOR ("x", "F32", "[1]", "[0,4]") "," TENSOR (
          "x", "F32", "[1]", "[4,8]") "}",
        8, "twice" },
    { "{\"x\":{\"dtype\":\"F16\",\"dtype\":\"F32\",\"shape\":[1],"
      "\"data_offsets\":[0,4]}}",
        4, "twice" },
    { "{\"__metadata__\":{\"format\":1}}", 0, "'format'" },
    { "{\"__metadata__\":[]}", 0, "__metadata__" },
    { "{\"x\":", 0, "not JSON" },
    { "{\"x\":{\"dtype\":\"F32\xff\"}}", 0, "UTF-8" },
    { "{\"x\":[[[[[[[[]]]]]]]]}", 0, "nested" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    check_refused (lies[i].header, lies[i].data_bytes, lies[i].says);
}

static void
test_deep (void)
{
  GString *header = g_string_new ("{\"x\":");

  for (guint i = 0; i < 1000000; i++)
    g_string_append_c (header, '[');
  check_refused (header->str, 0, "nested 1000001 levels");
  g_string_free (header, TRUE);
}

/* However short the file is cut, it is refused and nothing is read past it;
 * each part is a copy of its own, so that sanitizers see its end. */
static void
test_truncated (void)
{
  g_autoptr (GBytes) bytes = make_file (good_header, 13);
  const gsize size = g_bytes_get_size (bytes);

  for (gsize length = 0; length < size; length++) {
    g_autoptr (GBytes) part =
        g_bytes_new (g_bytes_get_data (bytes, NULL), length);
    g_autoptr (GError) error = NULL;

    g_assert_null (vidgen_safetensors_new (part, "cut", &error));
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  }
}

/* Whatever bit of the header is flipped, the file is refused or every tensor
 * still lies within it. */
static void
test_flipped (void)
{
  g_autoptr (GBytes) bytes = make_file (good_header, 13);
  const gsize size = g_bytes_get_size (bytes);

  for (gsize bit = 0; bit < 8 * (size - 13); bit++) {
    guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
    g_autoptr (GBytes) flipped = NULL;
    g_autoptr (VidgenSafetensors) file = NULL;

    data[bit / 8] ^= (guint8)(1u << bit % 8);
    flipped = g_bytes_new_take (data, size);
    file = vidgen_safetensors_new (flipped, "flipped", NULL);
    for (guint i = 0; file && i < vidgen_safetensors_n_tensors (file); i++) {
      const VidgenTensor *tensor = vidgen_safetensors_tensor (file, i);
      g_assert_cmpuint (tensor->offset + tensor->bytes, <=, size);
    }
  }
}

static void
check_open_fails (const char *path, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_safetensors_open (path, &error));
  g_assert_error (error, VIDGEN_ERROR, code);
  g_assert_nonnull (strstr (error->message, path));
}

static void
test_foreign (void)
{
  static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\b";
  g_autofree char *folder = g_dir_make_tmp ("vidgen-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "picture.png", NULL);

  check_open_fails (folder, VIDGEN_ERROR_NOT_FOUND);
  check_open_fails (path, VIDGEN_ERROR_NOT_FOUND);
  g_assert_true (g_file_set_contents (path, png, sizeof png, NULL));
  check_open_fails (path, VIDGEN_ERROR_FORMAT);
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  check_open_fails (path, VIDGEN_ERROR_FORMAT);
  check_open_fails ("/proc/self/exe", VIDGEN_ERROR_FORMAT);
  check_open_fails ("/dev/zero", VIDGEN_ERROR_NOT_FOUND);
  g_unlink (path);
  g_rmdir (folder);
}

static void
check_finite (const char *dtype, const void *value, gsize bytes, gboolean good)
{
  g_autofree char *header =
      g_strdup_printf ("{\"x\":{\"dtype\":\"%s\",\"shape\":[1],"
                       "\"data_offsets\":[0,%u]}}",
          dtype, (guint)bytes);
  const guint64 length = strlen (header);
  g_autoptr (GByteArray) data = g_byte_array_new ();
  g_autoptr (GBytes) content = NULL;
  g_autoptr (VidgenSafetensors) file = NULL;
  g_autoptr (GError) error = NULL;

  g_byte_array_append (data, (const guint8 *)&length, sizeof length);
  g_byte_array_append (data, (const guint8 *)header, (guint)length);
  g_byte_array_append (data, value, (guint)bytes);
  content = g_bytes_new (data->data, data->len);
  file = vidgen_safetensors_new (content, "file", &error);
  g_assert_no_error (error);
  g_assert_cmpint (vidgen_tensor_check_finite (
                       file, vidgen_safetensors_tensor (file, 0), &error),
      ==, good);
  if (good)
    return;
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "value 0 of tensor 'x'"));
}

static void
test_finite (void)
{
  static const guint16 halves[] = { 0x7bff, 0x7c00, 0xfc00, 0x7e01 };
  static const guint16 brains[] = { 0x7f7f, 0x7f80, 0xff80, 0x7fc0 };
  static const guint32 floats[] = { 0x7f7fffff, 0x7f800000, 0xff800000,
    0x7fc00000 };

  for (guint i = 0; i < 4; i++) {
    check_finite ("F16", &halves[i], 2, i == 0);
    check_finite ("BF16", &brains[i], 2, i == 0);
    check_finite ("F32", &floats[i], 4, i == 0);
  }
}

static void
test_half (void)
{
  static const struct {
    guint16 bits;
    float value;
  } halves[] = { { 0x0000, 0.0f }, { 0x0001, 0x1p-24f }, { 0x03ff, 0x3ffp-24f },
    { 0x0400, 0x1p-14f }, { 0x3c00, 1.0f }, { 0xc000, -2.0f },
    { 0x3555, 0x1.554p-2f }, { 0x7bff, 65504.0f }, { 0x7c00, INFINITY },
    { 0xfc00, -INFINITY } };

  for (guint i = 0; i < G_N_ELEMENTS (halves); i++)
    g_assert_true (vidgen_half_to_float (halves[i].bits) == halves[i].value);
  g_assert_true (isnan (vidgen_half_to_float (0x7e00)));
  g_assert_true (signbit (vidgen_half_to_float (0x8000)));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/safetensors/good", test_good);
  g_test_add_func ("/safetensors/expect", test_expect);
  g_test_add_func ("/safetensors/lies", test_lies);
  g_test_add_func ("/safetensors/deep", test_deep);
  g_test_add_func ("/safetensors/truncated", test_truncated);
  g_test_add_func ("/safetensors/flipped", test_flipped);
  g_test_add_func ("/safetensors/foreign", test_foreign);
  g_test_add_func ("/safetensors/finite", test_finite);
  g_test_add_func ("/safetensors/half", test_half);
  return g_test_run ();
}
