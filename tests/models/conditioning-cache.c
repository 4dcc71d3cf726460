/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/conditioning-cache.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "models/mini/mini.h"
#include "tests/models/fixture.h"

#define LIMIT (4 * 1024 * 1024)

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("vidgen-conditionings-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
remove_all (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *inside = g_build_filename (path, name, NULL);
    remove_all (inside);
  }
  if (dir)
    g_dir_close (dir);
  g_remove (path);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  remove_all (fixture->folder);
  g_free (fixture->folder);
}

static GBytes *
bytes_of (guint8 value, gsize size)
{
  guint8 *bytes = g_malloc (size);

  if (size)
    memset (bytes, value, size);
  return g_bytes_new_take (bytes, size);
}

static void
put (const Fixture *fixture, const char *key, guint8 value, gsize size)
{
  g_autoptr (GBytes) data = bytes_of (value, size);

  vidgen_conditioning_cache_write (fixture->folder, key, data, LIMIT);
}

static gboolean
has (const Fixture *fixture, const char *key, guint8 value, gsize size)
{
  g_autoptr (GBytes) expected = bytes_of (value, size);
  g_autoptr (GBytes) data =
      vidgen_conditioning_cache_read (fixture->folder, key);

  g_assert_true (!data || g_bytes_equal (data, expected));
  return data != NULL;
}

static void
test_keys (void)
{
  const char *const parts[][4] = { { "a", "b", "c", NULL },
    { "ab", "", "c", NULL }, { "a", "bc", "", NULL }, { "a", "b", "", "c" },
    { "a", "b", "c", "" }, { "a", "b", "C", NULL } };
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    char *key = vidgen_conditioning_cache_key (
        parts[i][0], parts[i][1], parts[i][2], parts[i][3]);
    g_assert_cmpuint (strlen (key), ==, 64);
    g_assert_true (g_hash_table_add (seen, key));
  }
}

static void
test_kept (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_assert_false (has (fixture, "one", 1, 1000));
  put (fixture, "one", 1, 1000);
  put (fixture, "two", 2, 0);
  g_assert_true (has (fixture, "one", 1, 1000));
  g_assert_true (has (fixture, "two", 2, 0));
  g_assert_false (has (fixture, "three", 3, 1));
  put (fixture, "one", 4, 10);
  g_assert_true (has (fixture, "one", 4, 10));
}

/* Every single damage is found, and a good file replaces the bad one. */
static void
test_damaged (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "one", NULL);
  g_autofree char *other = g_build_filename (fixture->folder, "two", NULL);
  g_autofree char *good = NULL;
  gsize size;

  put (fixture, "one", 1, 20);
  g_assert_true (g_file_get_contents (path, &good, &size, NULL));
  for (gsize i = 0; i < size; i++) {
    g_autofree char *bad = g_memdup2 (good, size);
    bad[i] ^= (char)(1 << i % 8);
    g_assert_true (g_file_set_contents (path, bad, (gssize)size, NULL));
    g_assert_false (has (fixture, "one", 1, 20));
    g_assert_true (g_file_set_contents (path, good, (gssize)i, NULL));
    g_assert_false (has (fixture, "one", 1, 20));
  }
  g_autofree char *longer = g_malloc0 (size + 1);
  memcpy (longer, good, size);
  g_assert_true (g_file_set_contents (path, longer, (gssize)size + 1, NULL));
  g_assert_false (has (fixture, "one", 1, 20));
  g_assert_true (g_file_set_contents (other, good, (gssize)size, NULL));
  g_assert_false (has (fixture, "two", 1, 20));
  put (fixture, "one", 1, 20);
  g_assert_true (has (fixture, "one", 1, 20));
}

/* What is no file neither blocks nor is removed. */
static void
test_no_file (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *pipe = g_build_filename (fixture->folder, "pipe", NULL);
  g_autofree char *folder = g_build_filename (fixture->folder, "folder", NULL);
  const Fixture below = { folder }, under_pipe = { pipe };

  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  g_assert_false (has (fixture, "pipe", 1, 10));
  g_assert_false (has (fixture, "folder", 1, 10));
  put (fixture, "folder", 1, 10);
  g_assert_false (has (fixture, "folder", 1, 10));
  put (&below, "one", 1, 10);
  g_assert_true (has (&below, "one", 1, 10));
  put (&under_pipe, "one", 1, 10);
  g_assert_false (has (&under_pipe, "one", 1, 10));
  for (guint i = 0; i < 8; i++)
    put (fixture, "one", 1, LIMIT / 4 - 100);
  g_assert_true (has (&below, "one", 1, 10));
}

static guint64
bytes_in (const char *folder)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;
  guint64 bytes = 0;

  while ((name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    GStatBuf about;
    g_assert_cmpint (g_stat (path, &about), ==, 0);
    bytes += (guint64)about.st_size;
  }
  g_dir_close (dir);
  return bytes;
}

/* The file that was used longest ago goes first. */
static void
test_bounded (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  for (guint i = 0; i < 20; i++) {
    g_autofree char *key = g_strdup_printf ("%u", i);
    put (fixture, key, i, LIMIT / 8);
    g_usleep (20000);
    g_assert_true (has (fixture, "0", 0, LIMIT / 8));
    g_assert_cmpuint (bytes_in (fixture->folder), <=, LIMIT);
    g_usleep (20000);
  }
  g_assert_true (has (fixture, "19", 19, LIMIT / 8));
  g_assert_true (has (fixture, "15", 15, LIMIT / 8));
  g_assert_false (has (fixture, "1", 1, LIMIT / 8));
  g_assert_false (has (fixture, "10", 10, LIMIT / 8));
  put (fixture, "huge", 1, LIMIT / 2);
  g_assert_false (has (fixture, "huge", 1, LIMIT / 2));
  g_assert_true (has (fixture, "19", 19, LIMIT / 8));
}

static gpointer
use (gpointer data)
{
  const Fixture *fixture = data;

  for (guint i = 0; i < 21; i++) {
    g_autofree char *key = g_strdup_printf ("%u", i % 7);
    put (fixture, key, i % 7, LIMIT / 5);
    has (fixture, key, i % 7, LIMIT / 5);
  }
  return NULL;
}

static void
test_threads (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("user", use, fixture);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* The family of mini, were its encoder dear. */

static guint encodes;
static const char *kept_folder;
static const char *identity = "these weights";

static GBytes *
count_encode (VidgenModel *model, const char *prompt, const char *negative,
    GCancellable *cancellable, GError **error)
{
  encodes++;
  return vidgen_mini_family.encode (
      model, prompt, negative, cancellable, error);
}

static const char *
tell_identity (G_GNUC_UNUSED const VidgenModel *model)
{
  return identity;
}

static GBytes *
encode (VidgenModel *model, const char *prompt)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenConditioning) conditioning =
      vidgen_model_encode (model, prompt, NULL, NULL, &error);

  g_assert_no_error (error);
  return vidgen_conditioning_serialise (conditioning);
}

static void
assert_encode (VidgenModel *model, const char *prompt, GBytes *expected,
    guint expected_encodes)
{
  g_autoptr (GBytes) got = encode (model, prompt);

  g_assert_true (g_bytes_equal (got, expected));
  g_assert_cmpuint (encodes, ==, expected_encodes);
}

static VidgenFamily
dear_family (void)
{
  VidgenFamily family = vidgen_mini_family;

  family.encode = count_encode;
  family.encoder_identity = tell_identity;
  return family;
}

static void
test_model (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  static VidgenFamily family;
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autofree char *kept =
      g_build_filename (fixture->folder, "conditionings", NULL);

  family = dear_family ();
  vidgen_model_register_family (&family);
  g_autoptr (VidgenModel) first = fixture_load_tiny (device);
  g_autoptr (VidgenModel) second = fixture_load_tiny (device);
  g_autoptr (GBytes) rain = encode (first, "rain");
  g_autoptr (GBytes) snow = encode (first, "snow");
  assert_encode (first, "rain", rain, 3);
  g_assert_false (g_file_test (kept, G_FILE_TEST_EXISTS));

  vidgen_model_set_cache_dir (first, fixture->folder);
  assert_encode (first, "rain", rain, 4);
  assert_encode (first, "rain", rain, 4);
  assert_encode (first, "snow", snow, 5);
  vidgen_model_set_cache_dir (second, fixture->folder);
  assert_encode (second, "rain", rain, 5);
  assert_encode (second, "snow", snow, 5);
  identity = "other weights";
  assert_encode (second, "snow", snow, 6);
  vidgen_model_set_cache_dir (second, NULL);
  assert_encode (second, "snow", snow, 7);
}

/* A file that is whole, but not what this family would have written. */
static void
test_misfit (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autofree char *kept =
      g_build_filename (fixture->folder, "conditionings", NULL);
  g_autofree char *key =
      vidgen_conditioning_cache_key ("mini", identity, "rain", NULL);
  g_autoptr (GBytes) misfit = bytes_of (7, 999);

  g_autoptr (VidgenModel) model = fixture_load_tiny (device);
  g_autoptr (GBytes) rain = encode (model, "rain");
  vidgen_conditioning_cache_write (kept, key, misfit, LIMIT);
  vidgen_model_set_cache_dir (model, fixture->folder);
  encodes = 0;
  assert_encode (model, "rain", rain, 1);
  assert_encode (model, "rain", rain, 1);
}

/* Prompts that were kept beside the weights. */

static VidgenModel *
open_with_prompts (const char *location, GError **error)
{
  VidgenModel *model = vidgen_mini_family.open (location, error);

  if (model)
    model->prompts_dir = g_strdup (kept_folder);
  return model;
}

/* As of a family that has lost its encoder. */
static GBytes *
fail_to_encode (VidgenModel *model G_GNUC_UNUSED,
    const char *prompt G_GNUC_UNUSED, const char *negative G_GNUC_UNUSED,
    GCancellable *cancellable G_GNUC_UNUSED, GError **error)
{
  g_set_error (
      error, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED, "There is no encoder.");
  return NULL;
}

static void
test_prompts (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  static VidgenFamily family;
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenModel) plain = fixture_load_tiny (device);
  g_autofree char *folder = g_build_filename (fixture->folder, "p", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (
      vidgen_model_keep_prompt (plain, device, "rain", NULL, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED);
  g_clear_error (&error);

  kept_folder = folder;
  family = vidgen_mini_family;
  family.open = open_with_prompts;
  family.encodes_unloaded = TRUE;
  vidgen_model_register_family (&family);
  g_autoptr (VidgenModel) model = fixture_load_tiny (device);
  g_autoptr (GBytes) rain = encode (model, "rain");
  g_assert_true (
      vidgen_model_keep_prompt (model, device, "rain", NULL, NULL, &error));
  g_assert_false (
      vidgen_model_keep_prompt (model, device, "\xff", NULL, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
  g_clear_error (&error);

  family.encode = fail_to_encode;
  g_autoptr (GBytes) again = encode (model, "rain");
  g_assert_true (g_bytes_equal (rain, again));
  g_assert_null (vidgen_model_encode (model, "snow", NULL, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_false (
      vidgen_model_keep_prompt (model, device, "snow", NULL, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED);
  g_clear_error (&error);

  family.encode = vidgen_mini_family.encode;
  g_free (model->prompts_dir);
  model->prompts_dir = g_build_filename (folder, "file", "below", NULL);
  g_autofree char *file = g_path_get_dirname (model->prompts_dir);
  g_assert_true (g_file_set_contents (file, "x", 1, NULL));
  g_assert_false (
      vidgen_model_keep_prompt (model, device, "snow", NULL, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, model->prompts_dir));
}

#define ADD(name, function)                                                    \
  g_test_add (                                                                 \
      "/conditioning-cache/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conditioning-cache/keys", test_keys);
  ADD ("kept", test_kept);
  ADD ("damaged", test_damaged);
  ADD ("no-file", test_no_file);
  ADD ("bounded", test_bounded);
  ADD ("threads", test_threads);
  ADD ("model", test_model);
  ADD ("misfit", test_misfit);
  ADD ("prompts", test_prompts);
  return g_test_run ();
}
