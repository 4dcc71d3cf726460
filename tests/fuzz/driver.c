/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Runs a fuzz target without libFuzzer: over every file of a folder, and over
 * a fixed number of pseudo-random changes of those.
 *
 *   fuzz-TARGET CORPUS [ROUNDS [SEED]]
 */

#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

#define ROUNDS 20000
#define MAX_CHANGES 8

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

/* By name, so that a seed means the same everywhere. */
static GPtrArray *
list_corpus (const char *path)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  g_assert_nonnull (folder);
  while ((name = g_dir_read_name (folder)))
    g_ptr_array_add (names, g_build_filename (path, name, NULL));
  g_assert_cmpuint (names->len, >, 0);
  g_ptr_array_sort (names, compare_names);
  return names;
}

static GPtrArray *
read_corpus (const char *path)
{
  g_autoptr (GPtrArray) names = list_corpus (path);
  GPtrArray *files =
      g_ptr_array_new_with_free_func ((GDestroyNotify)g_byte_array_unref);

  for (guint i = 0; i < names->len; i++) {
    char *data;
    gsize length;

    g_assert_true (g_file_get_contents (names->pdata[i], &data, &length, NULL));
    g_ptr_array_add (files, g_byte_array_new_take ((guint8 *)data, length));
  }
  return files;
}

static guint
below (GRand *random, guint limit)
{
  return limit ? (guint)g_rand_int_range (random, 0, (gint32)limit) : 0;
}

/* Words that parsers trip over. */
static const char *const words[] = { "0", "-1", "1e999", "4294967296",
  "18446744073709551615", "null", "{", "}", "[", "]", "\"", "\\u0000", ",", ":",
  "\xff\xfe", "\xc3\xa9" };

static void
insert (GByteArray *bytes, guint at, const guint8 *data, guint length)
{
  const guint old = bytes->len;

  g_byte_array_set_size (bytes, old + length);
  memmove (bytes->data + at + length, bytes->data + at, old - at);
  memcpy (bytes->data + at, data, length);
}

static void
change (GByteArray *bytes, GRand *random)
{
  const guint at = below (random, bytes->len);
  const guint length = 1 + below (random, MIN (bytes->len - at, 32));
  const char *word = words[below (random, G_N_ELEMENTS (words))];

  switch (below (random, 5)) {
  case 0:
    if (bytes->len)
      bytes->data[at] ^= (guint8)(1u << below (random, 8));
    break;
  case 1:
    if (bytes->len)
      bytes->data[at] = (guint8)below (random, 256);
    break;
  case 2:
    if (at + length <= bytes->len)
      g_byte_array_remove_range (bytes, at, length);
    break;
  case 3:
    insert (bytes, at, (const guint8 *)word, (guint)strlen (word));
    break;
  default:
    if (below (random, 8) == 0)
      g_byte_array_set_size (bytes, at);
    break;
  }
}

static void
run (const GByteArray *bytes)
{
  /* A copy of its exact size lets sanitizers see reads past the end. */
  guint8 *data = g_memdup2 (bytes->data, bytes->len);

  LLVMFuzzerTestOneInput (data ? data : (const guint8 *)"", bytes->len);
  g_free (data);
}

static void
run_changed (const GPtrArray *files, GRand *random)
{
  const GByteArray *file =
      g_ptr_array_index (files, below (random, files->len));
  const guint n_changes = 1 + below (random, MAX_CHANGES);
  g_autoptr (GByteArray) changed = g_byte_array_new ();

  g_byte_array_append (changed, file->data, file->len);
  for (guint i = 0; i < n_changes; i++)
    change (changed, random);
  run (changed);
}

int
main (int argc, char **argv)
{
  const guint rounds = argc > 2 ? (guint)atoi (argv[2]) : ROUNDS;
  const guint seed = argc > 3 ? (guint)atoi (argv[3]) : 1;
  g_autoptr (GPtrArray) files = NULL;

  if (argc < 2) {
    g_printerr ("%s CORPUS [ROUNDS [SEED]]\n", argv[0]);
    return 2;
  }
  files = read_corpus (argv[1]);
  for (guint i = 0; i < files->len; i++)
    run (g_ptr_array_index (files, i));
  for (guint i = 0; i < rounds; i++) {
    GRand *random = g_rand_new_with_seed (seed + i);

    run_changed (files, random);
    g_rand_free (random);
  }
  return 0;
}
