/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/folder.h"

#include <string.h>

#include "shaders/runtime/error.h"

#define INDEX ".safetensors.index.json"

static const char *const suffixes[] = { ".safetensors", ".gguf", ".pt", ".pth",
  ".ckpt", INDEX };

static void
free_file (gpointer data)
{
  VidgenFolderFile *file = data;

  g_free (file->path);
  vidgen_checkpoint_unref (file->checkpoint);
  g_clear_error (&file->error);
  g_free (file);
}

static void
add_file (GPtrArray *files, const char *path)
{
  VidgenFolderFile *file = g_new0 (VidgenFolderFile, 1);

  file->path = g_strdup (path);
  file->checkpoint = vidgen_checkpoint_open (path, &file->error);
  g_ptr_array_add (files, file);
}

static gboolean
is_candidate (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    if (g_str_has_suffix (name, suffixes[i]))
      return TRUE;
  }
  return FALSE;
}

/* Whether it is one of the shards of an index beside it. */
static gboolean
is_shard (const char *path)
{
  g_autoptr (GRegex) shard =
      g_regex_new ("-[0-9]+-of-[0-9]+\\.safetensors$", 0, 0, NULL);
  g_autofree char *index =
      g_regex_replace_literal (shard, path, -1, 0, INDEX, 0, NULL);

  return index && !g_str_equal (index, path) &&
         g_file_test (index, G_FILE_TEST_IS_REGULAR);
}

static void
search (GPtrArray *files, const char *path, GDir *folder, guint depth)
{
  const char *name;

  while ((name = g_dir_read_name (folder))) {
    g_autofree char *inner = g_build_filename (path, name, NULL);

    if (g_file_test (inner, G_FILE_TEST_IS_DIR)) {
      g_autoptr (GDir) below = depth ? g_dir_open (inner, 0, NULL) : NULL;

      if (below && *name != '.')
        search (files, inner, below, depth - 1);
    } else if (is_candidate (name) && !is_shard (inner)) {
      add_file (files, inner);
    }
  }
}

static int
compare_files (gconstpointer a, gconstpointer b)
{
  const VidgenFolderFile *const *first = a, *const *second = b;

  return strcmp ((*first)->path, (*second)->path);
}

GPtrArray *
vidgen_folder_open (const char *path, GError **error)
{
  GPtrArray *files;
  g_autoptr (GDir) folder = NULL;
  g_autoptr (GError) bad = NULL;

  if (g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    files = g_ptr_array_new_with_free_func (free_file);
    add_file (files, path);
    return files;
  }
  folder = g_dir_open (path, 0, &bad);
  if (!folder) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
        "'%s' cannot be opened: %s.", path, bad->message);
    return NULL;
  }
  files = g_ptr_array_new_with_free_func (free_file);
  search (files, path, folder, 1);
  g_ptr_array_sort (files, compare_files);
  return files;
}
