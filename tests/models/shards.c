/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <glib/gstdio.h>

#include "tests/models/checkpoints.h"

/* A folder for one test, and what is in it. */
static char *
make_folder (void)
{
  char *folder = g_dir_make_tmp ("vidgen-XXXXXX", NULL);

  g_assert_nonnull (folder);
  return folder;
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static char *
write_file (const char *folder, const char *name, const void *data, gsize size)
{
  char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, data, (gssize)size, NULL));
  return path;
}

static void
write_text (const char *folder, const char *name, const char *text)
{
  g_free (write_file (folder, name, text, strlen (text)));
}

/* A shard of one U8 tensor of 2 values: `value` and the next. */
static void
write_shard (
    const char *folder, const char *name, const char *tensor, guint8 value)
{
  g_autofree char *header = g_strdup_printf (
      "{\"__metadata__\":{\"format\":\"pt\"},\"%s\":{\"dtype\":\"U8\","
      "\"shape\":[2],\"data_offsets\":[0,2]}}",
      tensor);
  g_autoptr (GByteArray) file = g_byte_array_new ();

  put_number (file, strlen (header), 8);
  put_bytes (file, header, strlen (header));
  put_number (file, value, 1);
  put_number (file, value + 1u, 1);
  g_free (write_file (folder, name, file->data, file->len));
}

#define INDEX(map) "{\"metadata\":{\"total_size\":4},\"weight_map\":" map "}"

static char *
make_shards (const char *index)
{
  char *folder = make_folder ();

  write_shard (folder, "one", "a", 10);
  write_shard (folder, "two", "b", 20);
  write_text (folder, "index", index);
  write_text (folder, "config.json", "{\"weights\": 7}");
  return folder;
}

static void
check_opens (const char *path)
{
  static const float a[] = { 10, 11 }, b[] = { 20, 21 };
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenCheckpoint) checkpoint =
      vidgen_checkpoint_open (path, &error);

  g_assert_no_error (error);
  g_assert_cmpint (
      vidgen_checkpoint_format (checkpoint), ==, VIDGEN_CHECKPOINT_SHARDS);
  g_assert_cmpuint (vidgen_checkpoint_n_tensors (checkpoint), ==, 2);
  check_values (vidgen_checkpoint_find (checkpoint, "a"), a, 2);
  check_values (vidgen_checkpoint_find (checkpoint, "b"), b, 2);
  g_assert_null (vidgen_checkpoint_find (checkpoint, "c"));
  g_assert_cmpstr (
      vidgen_checkpoint_metadata (checkpoint, "total_size"), ==, "4");
}

static void
test_shards (void)
{
  g_autofree char *folder =
      make_shards (INDEX ("{\"a\":\"one\",\"b\":\"two\"}"));
  g_autofree char *index = g_build_filename (folder, "index", NULL);

  check_opens (index);
  check_opens (folder);
  remove_folder (folder);
}

static void
test_bad_indexes (void)
{
  static const struct {
    const char *index;
    int code;
    const char *says;
  } bad[] = {
    { INDEX ("{\"a\":\"one\",\"b\":\"three\"}"), VIDGEN_ERROR_NOT_FOUND,
        "/three'" },
    { INDEX ("{\"a\":\"two\"}"), VIDGEN_ERROR_FORMAT, "tensor 'a'|'two'" },
    { INDEX ("{\"a\":\"../x\"}"), VIDGEN_ERROR_FORMAT, "tensor 'a'|'../x'" },
    { INDEX ("{\"a\":\"/dev/zero\"}"), VIDGEN_ERROR_FORMAT,
        "tensor 'a'|'/dev/zero'" },
    { INDEX ("{\"a\":\"..\"}"), VIDGEN_ERROR_FORMAT, "tensor 'a'|'..'" },
    { INDEX ("{\"a\":\"\"}"), VIDGEN_ERROR_FORMAT, "tensor 'a'" },
    { INDEX ("{\"a\":1}"), VIDGEN_ERROR_FORMAT, "tensor 'a'" },
    { INDEX ("{\"a\":\"index\"}"), VIDGEN_ERROR_FORMAT, "/index'" },
    { INDEX ("[]"), VIDGEN_ERROR_FORMAT, "weight_map" },
    { INDEX ("{\"a\":\"one\",\"a\":\"two\"}"), VIDGEN_ERROR_FORMAT,
        "'a' twice" },
    { INDEX ("{\"a\":[[[[]]]]}"), VIDGEN_ERROR_FORMAT, "nested" },
    { INDEX ("{"), VIDGEN_ERROR_FORMAT, "not JSON" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *folder = make_shards (bad[i].index);
    g_autofree char *index = g_build_filename (folder, "index", NULL);
    g_autoptr (GError) error = NULL;

    g_assert_null (vidgen_checkpoint_open (index, &error));
    g_assert_error (error, VIDGEN_ERROR, bad[i].code);
    check_says (error, bad[i].says);
    remove_folder (folder);
  }
}

static void
check_open_fails (const char *path, int code, const char *says)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_checkpoint_open (path, &error));
  g_assert_error (error, VIDGEN_ERROR, code);
  check_says (error, says);
}

/* A folder opens as the one checkpoint in it, whatever its name. */
static void
test_folder (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *missing = g_build_filename (folder, "missing", NULL);
  VidgenCheckpoint *checkpoint;

  check_open_fails (folder, VIDGEN_ERROR_NOT_FOUND, folder);
  check_open_fails (missing, VIDGEN_ERROR_NOT_FOUND, missing);
  write_text (folder, "README.md", "# A model");
  write_text (folder, "empty", "");
  check_open_fails (folder, VIDGEN_ERROR_NOT_FOUND, folder);
  write_shard (folder, "weights.bin", "a", 10);
  checkpoint = vidgen_checkpoint_open (folder, NULL);
  g_assert_cmpint (
      vidgen_checkpoint_format (checkpoint), ==, VIDGEN_CHECKPOINT_SAFETENSORS);
  g_assert_cmpstr (vidgen_checkpoint_metadata (checkpoint, "format"), ==, "pt");
  g_assert_true (
      g_str_has_suffix (vidgen_checkpoint_name (checkpoint), "/weights.bin"));
  vidgen_checkpoint_unref (checkpoint);
  write_shard (folder, "another", "a", 10);
  check_open_fails (
      folder, VIDGEN_ERROR_FORMAT, "2 checkpoints|/another'|/weights.bin'");
  remove_folder (folder);
}

static void
test_two_indexes (void)
{
  g_autofree char *folder = make_shards (INDEX ("{\"a\":\"one\"}"));

  write_text (folder, "index2", INDEX ("{\"b\":\"two\"}"));
  check_open_fails (folder, VIDGEN_ERROR_FORMAT, "/index'|/index2'");
  remove_folder (folder);
}

static void
test_foreign (void)
{
  g_autofree char *folder = make_folder ();
  g_autofree char *path = write_file (folder, "x", "\x89PNG\r\n\x1a\n\0\0", 10);

  check_open_fails (path, VIDGEN_ERROR_FORMAT, "neither safetensors");
  write_text (folder, "x", "{\"note\": \"no map\"}");
  check_open_fails (path, VIDGEN_ERROR_FORMAT, "neither safetensors");
  check_open_fails ("/dev/zero", VIDGEN_ERROR_NOT_FOUND, "/dev/zero");
  remove_folder (folder);
}

/* A checkpoint outlives every reference but the last, and its index. */
static void
test_references (void)
{
  g_autofree char *folder = make_shards (INDEX ("{\"a\":\"one\"}"));
  VidgenCheckpoint *checkpoint = vidgen_checkpoint_open (folder, NULL);
  VidgenCheckpoint *other = vidgen_checkpoint_ref (checkpoint);
  static const float a[] = { 10, 11 };

  remove_folder (folder);
  vidgen_checkpoint_unref (checkpoint);
  check_values (vidgen_checkpoint_find (other, "a"), a, 2);
  vidgen_checkpoint_unref (other);
  vidgen_checkpoint_unref (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shards/shards", test_shards);
  g_test_add_func ("/shards/bad-indexes", test_bad_indexes);
  g_test_add_func ("/shards/folder", test_folder);
  g_test_add_func ("/shards/two-indexes", test_two_indexes);
  g_test_add_func ("/shards/foreign", test_foreign);
  g_test_add_func ("/shards/references", test_references);
  return g_test_run ();
}
