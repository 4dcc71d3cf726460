/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/models/checkpoints.h"

static void
check_expanded (VidgenCheckpoint *checkpoint, VidgenTensorType type)
{
  const char *name = vidgen_tensor_type_name (type);
  g_autofree char *expanded_name = g_strconcat (name, ".expanded", NULL);
  const VidgenTensor *tensor = vidgen_checkpoint_find (checkpoint, name);
  const VidgenTensor *expanded =
      vidgen_checkpoint_find (checkpoint, expanded_name);
  const guint64 count = vidgen_tensor_count (expanded);
  g_autofree float *values = g_memdup2 (expanded->data, expanded->bytes);

  g_assert_cmpint (tensor->type, ==, type);
  g_assert_cmpint (expanded->type, ==, VIDGEN_TENSOR_F32);
  g_assert_cmpuint (count, >=, 30);
  check_values (tensor, values, count);
}

static void
test_types (void)
{
  g_autoptr (VidgenCheckpoint) checkpoint = open_data ("wan.gguf");

  g_assert_cmpint (
      vidgen_checkpoint_format (checkpoint), ==, VIDGEN_CHECKPOINT_GGUF);
  for (guint type = VIDGEN_TENSOR_Q4_0; type <= VIDGEN_TENSOR_Q6_K; type++)
    check_expanded (checkpoint, type);
  check_expanded (checkpoint, VIDGEN_TENSOR_F16);
  check_expanded (checkpoint, VIDGEN_TENSOR_BF16);
}

/* A range that begins and ends within blocks. */
static void
test_ranges (void)
{
  g_autoptr (VidgenCheckpoint) checkpoint = open_data ("wan.gguf");
  const VidgenTensor *tensor = vidgen_checkpoint_find (checkpoint, "Q5_0");
  float all[64], part[50];

  vidgen_tensor_read_f32 (tensor, 0, 64, all);
  for (guint first = 0; first <= 14; first++) {
    vidgen_tensor_read_f32 (tensor, first, 50, part);
    g_assert_cmpmem (part, sizeof part, all + first, sizeof part);
  }
}

static void
test_metadata (void)
{
  static const guint8 words[] = "\4\0\0\0\0\0\0\0\xe2\x96\x81"
                                "a\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0b";
  g_autoptr (VidgenCheckpoint) checkpoint = open_data ("wan.gguf");
  const VidgenCheckpointList *list =
      vidgen_checkpoint_list (checkpoint, "test.words");

  g_assert_cmpstr (
      vidgen_checkpoint_metadata (checkpoint, "general.architecture"), ==,
      "wan");
  g_assert_cmpstr (
      vidgen_checkpoint_metadata (checkpoint, "test.flag"), ==, "true");
  g_assert_cmpstr (
      vidgen_checkpoint_metadata (checkpoint, "test.number"), ==, "0.15625");
  g_assert_cmpstr (
      vidgen_checkpoint_metadata (checkpoint, "test.negative"), ==, "-3");
  g_assert_null (vidgen_checkpoint_metadata (checkpoint, "test.words"));
  g_assert_null (vidgen_checkpoint_list (checkpoint, "test.flag"));
  g_assert_true (list->is_text);
  g_assert_cmpuint (list->count, ==, 3);
  g_assert_cmpmem (list->data, list->bytes, words, sizeof words - 1);
}

/* Each layout in which a weight of 5 dimensions is published reads alike. */
static void
test_five_dimensions (void)
{
  static const char *const names[] = { "patch_embedding.weight",
    "folded.weight", "flat.weight", "restored.weight" };
  const guint64 shape[] = { 3, 5, 1, 2, 2 }, other[] = { 3, 5, 1, 2, 4 };
  g_autoptr (VidgenCheckpoint) checkpoint = open_data ("wan.gguf");
  float values[60];

  for (guint i = 0; i < 60; i++)
    values[i] = (float)i;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;
    const VidgenTensor *tensor = vidgen_checkpoint_expect (
        checkpoint, names[i], 1u << VIDGEN_TENSOR_F32, 5, shape, &error);

    g_assert_no_error (error);
    check_values (tensor, values, 60);
    g_assert_null (vidgen_checkpoint_expect (
        checkpoint, names[i], 1u << VIDGEN_TENSOR_F16, 5, shape, &error));
    check_says (error, names[i]);
    g_clear_error (&error);
    g_assert_null (vidgen_checkpoint_expect (
        checkpoint, names[i], 1u << VIDGEN_TENSOR_F32, 5, other, &error));
    check_says (error, names[i]);
  }
  check_shape (vidgen_checkpoint_find (checkpoint, "patch_embedding.weight"),
      VIDGEN_TENSOR_F32, 5, shape);
  check_shape (vidgen_checkpoint_find (checkpoint, "restored.weight"),
      VIDGEN_TENSOR_F32, 5, shape);
}

/* A file by hand: one key, one tensor. What is 0 has its usual value. */
typedef struct {
  guint64 version, n_tensors, n_metadata;
  const char *key;
  guint64 value_type, key_bytes;
  guint64 value;
  guint value_bytes;
  guint64 n_dims, dims[9];
  guint64 type, offset;
  guint data_bytes;
  const char *says;
} Spec;

static void
put_text (GByteArray *file, const char *text)
{
  put_number (file, strlen (text), 8);
  put_bytes (file, text, strlen (text));
}

static void
put_tensor (GByteArray *file, const Spec *spec, const char *name)
{
  const guint64 n_dims = spec->n_dims ? spec->n_dims : 1;

  put_text (file, name);
  put_number (file, n_dims, 4);
  for (guint64 i = 0; i < MIN (n_dims, 9); i++)
    put_number (file, spec->n_dims ? spec->dims[i] : 8, 8);
  put_number (file, spec->type, 4);
  put_number (file, spec->offset, 8);
}

static GBytes *
make_file (const Spec *spec)
{
  GByteArray *file = g_byte_array_new ();
  const char *key = spec->key ? spec->key : "general.alignment";

  put_bytes (file, "GGUF", 4);
  put_number (file, spec->version ? spec->version : 3, 4);
  put_number (file, spec->n_tensors ? spec->n_tensors : 1, 8);
  put_number (file, spec->n_metadata ? spec->n_metadata : 1, 8);
  put_number (file, spec->key_bytes ? spec->key_bytes : strlen (key), 8);
  put_bytes (file, key, strlen (key));
  put_number (file, spec->value_type ? spec->value_type : 4, 4);
  put_number (file, spec->value_bytes ? spec->value : 8,
      spec->value_bytes ? MIN (spec->value_bytes, 8) : 4);
  for (guint i = 8; i < spec->value_bytes; i++)
    put_number (file, 0, 1);
  put_tensor (file, spec, "x");
  if (spec->n_tensors == 2)
    put_tensor (file, spec, "y");
  while (file->len % 8)
    put_number (file, 0, 1);
  for (guint i = 0; i < (spec->data_bytes ? spec->data_bytes : 32); i++)
    put_number (file, 0, 1);
  return g_byte_array_free_to_bytes (file);
}

static void
test_versions (void)
{
  for (guint64 version = 2; version <= 3; version++) {
    const Spec spec = { .version = version };
    const guint64 shape[] = { 8 };
    g_autoptr (GBytes) bytes = make_file (&spec);
    g_autoptr (GError) error = NULL;
    g_autoptr (VidgenCheckpoint) checkpoint =
        vidgen_checkpoint_new (bytes, "good", &error);

    g_assert_no_error (error);
    check_shape (
        vidgen_checkpoint_find (checkpoint, "x"), VIDGEN_TENSOR_F32, 1, shape);
    check_within (checkpoint, bytes);
  }
}

static void
test_lies (void)
{
  static const Spec lies[] = {
    { .version = 1, .says = "version 1 of GGUF" },
    { .version = 0x03000000, .says = "version" },
    { .n_tensors = G_MAXUINT64, .says = "18446744073709551615 tensors" },
    { .n_metadata = 1u << 31, .says = "2147483648 metadata" },
    { .n_tensors = 3, .says = "truncated|byte" },
    { .n_tensors = 2, .says = "tensor 'y'|within the one before" },
    { .key_bytes = G_MAXUINT64, .says = "key|at byte 24|at most" },
    { .key_bytes = 1024, .says = "truncated|byte" },
    { .key = "\xff", .says = "not UTF-8|byte 24" },
    { .value_type = 13, .says = "'general.alignment'|type 13" },
    { .value = 0, .value_bytes = 4, .says = "general.alignment" },
    { .value = 24, .value_bytes = 4, .says = "general.alignment" },
    { .value = 1u << 30, .value_bytes = 4, .says = "general.alignment" },
    { .value_type = 8,
        .value = G_MAXUINT64,
        .value_bytes = 8,
        .says = "'bad'|truncated" },
    { .value_type = 9, .value = 9, .value_bytes = 12, .says = "list of lists" },
    { .value_type = 9,
        .value = 4 | (guint64)1 << 62,
        .value_bytes = 12,
        .says = "truncated" },
    { .value_type = 9,
        .value = 8 | (guint64)1 << 62,
        .value_bytes = 12,
        .says = "truncated" },
    { .value_type = 9, .value = 77, .value_bytes = 12, .says = "type 77" },
    { .key = "split.count", .value = 2, .value_bytes = 4, .says = "split" },
    { .key = "comfy.gguf.orig_shape.x",
        .value = 2,
        .value_bytes = 4,
        .value_type = 4,
        .offset = 4,
        .says = "tensor 'x'|not aligned to 32" },
    { .n_dims = 9, .says = "tensor 'x' has 9 dimensions" },
    { .n_dims = G_MAXUINT32, .says = "tensor 'x' has 4294967295 dimensions" },
    { .n_dims = 2,
        .dims = { (guint64)1 << 32, (guint64)1 << 32 },
        .says = "tensor 'x' is too large" },
    { .n_dims = 1,
        .dims = { (guint64)1 << 62 },
        .says = "tensor 'x' is too large" },
    { .n_dims = 1, .dims = { 9 }, .says = "tensor 'x' has 36 bytes" },
    { .n_dims = 1, .dims = { 31 }, .type = 8, .says = "tensor 'x'|Q8_0" },
    { .n_dims = 2, .dims = { 128, 2 }, .type = 12, .says = "tensor 'x'|Q4_K" },
    { .type = 10, .says = "tensor 'x'|type 10" },
    { .type = 31, .says = "tensor 'x'|type 31" },
    { .offset = 4, .says = "tensor 'x'|byte 4|not aligned to 8" },
    { .offset = 8, .says = "tensor 'x'|truncated" },
    { .offset = G_MAXUINT64 - 7, .says = "tensor 'x'|truncated" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++) {
    g_autoptr (GBytes) bytes = make_file (&lies[i]);

    check_refused (bytes, lies[i].says);
  }
}

/* A restored shape must hold as many values. */
static void
test_bad_restored_shape (void)
{
  static const char key[] = "comfy.gguf.orig_shape.restored.weight";
  const gsize key_bytes = sizeof key - 1;
  GBytes *good = read_data ("wan.gguf");
  gsize size, at = 0;
  guint8 *data = g_bytes_unref_to_data (good, &size);
  g_autoptr (GBytes) bad = g_bytes_new_take (data, size);

  while (memcmp (data + at, key, key_bytes) != 0)
    g_assert_cmpuint (++at, <, size - key_bytes - 20);
  g_assert_cmpuint (data[at + key_bytes + 16], ==, 3);
  data[at + key_bytes + 16] = 4;
  check_refused (bad, key);
}

static void
test_damaged (void)
{
  const Spec spec = { 0 };
  g_autoptr (GBytes) good = make_file (&spec);

  check_truncated (good);
  check_flipped (good);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gguf/types", test_types);
  g_test_add_func ("/gguf/ranges", test_ranges);
  g_test_add_func ("/gguf/metadata", test_metadata);
  g_test_add_func ("/gguf/five-dimensions", test_five_dimensions);
  g_test_add_func ("/gguf/versions", test_versions);
  g_test_add_func ("/gguf/lies", test_lies);
  g_test_add_func ("/gguf/bad-restored-shape", test_bad_restored_shape);
  g_test_add_func ("/gguf/damaged", test_damaged);
  return g_test_run ();
}
