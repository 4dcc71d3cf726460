/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/checkpoint.h"

#include <string.h>

#include "models/checkpoint/checkpoint-private.h"
#include "models/checkpoint/file.h"
#include "models/checkpoint/safetensors.h"
#include "shaders/runtime/error.h"

typedef struct {
  gpointer data;
  GDestroyNotify free;
} Part;

struct _VidgenCheckpoint {
  gatomicrefcount references;
  char *name;
  VidgenCheckpointFormat format;
  GArray *parts; /* Part: what the tensors' data lives in */
  GPtrArray *tensors;
  GHashTable *by_name;
  GHashTable *metadata;
  GHashTable *lists;
};

static void
clear_part (gpointer data)
{
  Part *part = data;

  part->free (part->data);
}

static void
free_tensor (gpointer data)
{
  VidgenTensor *tensor = data;

  g_free ((gpointer)tensor->name);
  g_free (tensor);
}

void
vidgen_checkpoint_hold (
    VidgenCheckpoint *checkpoint, gpointer data, GDestroyNotify free_part)
{
  const Part part = { data, free_part };

  g_array_append_val (checkpoint->parts, part);
}

gboolean
vidgen_checkpoint_add_tensor (
    VidgenCheckpoint *checkpoint, const VidgenTensor *tensor, GError **error)
{
  VidgenTensor *copy;

  if (!*tensor->name)
    return vidgen_checkpoint_fail (checkpoint, error, "a tensor has no name.");
  if (g_hash_table_contains (checkpoint->by_name, tensor->name))
    return vidgen_checkpoint_fail (
        checkpoint, error, "tensor '%s' is there twice.", tensor->name);
  copy = g_memdup2 (tensor, sizeof *tensor);
  copy->name = g_strdup (tensor->name);
  g_ptr_array_add (checkpoint->tensors, copy);
  g_hash_table_insert (checkpoint->by_name, (gpointer)copy->name, copy);
  return TRUE;
}

static gboolean
check_new_key (
    const VidgenCheckpoint *checkpoint, const char *key, GError **error)
{
  if (!g_hash_table_contains (checkpoint->metadata, key) &&
      !g_hash_table_contains (checkpoint->lists, key))
    return TRUE;
  return vidgen_checkpoint_fail (
      checkpoint, error, "metadata '%s' is there twice.", key);
}

gboolean
vidgen_checkpoint_add_metadata (VidgenCheckpoint *checkpoint, const char *key,
    const char *value, GError **error)
{
  if (!check_new_key (checkpoint, key, error))
    return FALSE;
  g_hash_table_insert (checkpoint->metadata, g_strdup (key), g_strdup (value));
  return TRUE;
}

gboolean
vidgen_checkpoint_add_list (VidgenCheckpoint *checkpoint, const char *key,
    const VidgenCheckpointList *list, GError **error)
{
  if (!check_new_key (checkpoint, key, error))
    return FALSE;
  g_hash_table_insert (
      checkpoint->lists, g_strdup (key), g_memdup2 (list, sizeof *list));
  return TRUE;
}

static void
unref_safetensors (gpointer file)
{
  vidgen_safetensors_unref (file);
}

static gboolean
take_metadata (
    gpointer checkpoint, const char *key, const char *value, GError **error)
{
  return vidgen_checkpoint_add_metadata (checkpoint, key, value, error);
}

static gboolean
read_safetensors (VidgenCheckpoint *checkpoint, GBytes *bytes, GError **error)
{
  VidgenSafetensors *file =
      vidgen_safetensors_new (bytes, checkpoint->name, error);

  if (!file)
    return FALSE;
  vidgen_checkpoint_hold (checkpoint, file, unref_safetensors);
  for (guint i = 0; i < vidgen_safetensors_n_tensors (file); i++) {
    if (!vidgen_checkpoint_add_tensor (
            checkpoint, vidgen_safetensors_tensor (file, i), error))
      return FALSE;
  }
  return vidgen_safetensors_each_metadata (
      file, take_metadata, checkpoint, error);
}

static gboolean
starts_with (GBytes *bytes, const char *magic, gsize length)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  return size >= length && memcmp (data, magic, length) == 0;
}

static gboolean
is_safetensors (GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  return size > 8 && data[8] == '{' && data[7] == 0 && data[6] == 0;
}

/* The 10-byte integer that begins torch files from before 1.6. */
#define OLD_TORCH "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

static const struct {
  const char *magic;
  gsize length;
  VidgenCheckpointFormat format;
} magics[] = {
  { "GGUF", 4, VIDGEN_CHECKPOINT_GGUF },
  { "PK\3\4", 4, VIDGEN_CHECKPOINT_TORCH },
  { OLD_TORCH, sizeof OLD_TORCH - 1, VIDGEN_CHECKPOINT_TORCH },
};

static gboolean
find_format (GBytes *bytes, VidgenCheckpointFormat *format)
{
  for (guint i = 0; i < G_N_ELEMENTS (magics); i++) {
    if (starts_with (bytes, magics[i].magic, magics[i].length)) {
      *format = magics[i].format;
      return TRUE;
    }
  }
  *format = is_safetensors (bytes) ? VIDGEN_CHECKPOINT_SAFETENSORS
                                   : VIDGEN_CHECKPOINT_SHARDS;
  return *format == VIDGEN_CHECKPOINT_SAFETENSORS ||
         vidgen_shards_is_index (bytes);
}

static gboolean
read_bytes (VidgenCheckpoint *checkpoint, GBytes *bytes, GError **error)
{
  if (!find_format (bytes, &checkpoint->format))
    return vidgen_checkpoint_fail (checkpoint, error,
        "this is neither safetensors, nor an index of them, nor GGUF, nor a "
        "torch file.");
  switch (checkpoint->format) {
  case VIDGEN_CHECKPOINT_SAFETENSORS:
    return read_safetensors (checkpoint, bytes, error);
  case VIDGEN_CHECKPOINT_SHARDS:
    return vidgen_shards_read (checkpoint, bytes, error);
  case VIDGEN_CHECKPOINT_GGUF:
    return vidgen_gguf_read (checkpoint, bytes, error);
  case VIDGEN_CHECKPOINT_TORCH:
    break;
  }
  if (starts_with (bytes, OLD_TORCH, sizeof OLD_TORCH - 1))
    return vidgen_checkpoint_fail (checkpoint, error,
        "a torch file in the format from before torch 1.6 is not read; save it "
        "again with a later torch.");
  return vidgen_torch_read (checkpoint, bytes, error);
}

VidgenCheckpoint *
vidgen_checkpoint_new (GBytes *bytes, const char *name, GError **error)
{
  g_autoptr (VidgenCheckpoint) checkpoint = g_new0 (VidgenCheckpoint, 1);

  g_atomic_ref_count_init (&checkpoint->references);
  checkpoint->name = g_strdup (name);
  checkpoint->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_array_set_clear_func (checkpoint->parts, clear_part);
  checkpoint->tensors = g_ptr_array_new_with_free_func (free_tensor);
  checkpoint->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  checkpoint->metadata =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  checkpoint->lists =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return read_bytes (checkpoint, bytes, error) ? g_steal_pointer (&checkpoint)
                                               : NULL;
}

typedef struct {
  GPtrArray *indexes, *files; /* paths */
} Candidates;

static void
add_candidate (Candidates *candidates, const char *path)
{
  g_autoptr (GBytes) bytes = vidgen_file_map (path, NULL);
  VidgenCheckpointFormat format;

  if (!bytes || !find_format (bytes, &format))
    return;
  g_ptr_array_add (format == VIDGEN_CHECKPOINT_SHARDS ? candidates->indexes
                                                      : candidates->files,
      g_strdup (path));
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

static char *
choose (const char *folder, GPtrArray *paths, GError **error)
{
  if (paths->len == 0) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
        "The folder '%s' holds no checkpoint.", folder);
    return NULL;
  }
  if (paths->len == 1)
    return g_strdup (paths->pdata[0]);
  g_ptr_array_sort (paths, compare_paths);
  vidgen_file_fail (error, folder,
      "the folder holds %u checkpoints, such as '%s' and '%s'; name one.",
      paths->len, (char *)paths->pdata[0], (char *)paths->pdata[1]);
  return NULL;
}

static char *
search_folder (const char *path, GError **error)
{
  g_autoptr (GPtrArray) indexes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  Candidates candidates = { indexes, files };
  g_autoptr (GError) bad = NULL;
  g_autoptr (GDir) folder = g_dir_open (path, 0, &bad);
  const char *name;

  if (!folder) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
        "The folder '%s' cannot be opened: %s.", path, bad->message);
    return NULL;
  }
  while ((name = g_dir_read_name (folder))) {
    g_autofree char *file = g_build_filename (path, name, NULL);

    add_candidate (&candidates, file);
  }
  return choose (path, indexes->len ? indexes : files, error);
}

VidgenCheckpoint *
vidgen_checkpoint_open (const char *path, GError **error)
{
  g_autofree char *file = NULL;
  g_autoptr (GBytes) bytes = NULL;

  file = g_file_test (path, G_FILE_TEST_IS_DIR) ? search_folder (path, error)
                                                : g_strdup (path);
  if (!file)
    return NULL;
  bytes = vidgen_file_map (file, error);
  return bytes ? vidgen_checkpoint_new (bytes, file, error) : NULL;
}

VidgenCheckpoint *
vidgen_checkpoint_ref (VidgenCheckpoint *checkpoint)
{
  g_atomic_ref_count_inc (&checkpoint->references);
  return checkpoint;
}

void
vidgen_checkpoint_unref (VidgenCheckpoint *checkpoint)
{
  if (!checkpoint || !g_atomic_ref_count_dec (&checkpoint->references))
    return;
  g_hash_table_unref (checkpoint->lists);
  g_hash_table_unref (checkpoint->metadata);
  g_hash_table_unref (checkpoint->by_name);
  g_ptr_array_unref (checkpoint->tensors);
  g_array_unref (checkpoint->parts);
  g_free (checkpoint->name);
  g_free (checkpoint);
}

const char *
vidgen_checkpoint_name (const VidgenCheckpoint *checkpoint)
{
  return checkpoint->name;
}

VidgenCheckpointFormat
vidgen_checkpoint_format (const VidgenCheckpoint *checkpoint)
{
  return checkpoint->format;
}

const char *
vidgen_checkpoint_metadata (const VidgenCheckpoint *checkpoint, const char *key)
{
  return g_hash_table_lookup (checkpoint->metadata, key);
}

const VidgenCheckpointList *
vidgen_checkpoint_list (const VidgenCheckpoint *checkpoint, const char *key)
{
  return g_hash_table_lookup (checkpoint->lists, key);
}

guint
vidgen_checkpoint_n_tensors (const VidgenCheckpoint *checkpoint)
{
  return checkpoint->tensors->len;
}

const VidgenTensor *
vidgen_checkpoint_tensor (const VidgenCheckpoint *checkpoint, guint index)
{
  return g_ptr_array_index (checkpoint->tensors, index);
}

const VidgenTensor *
vidgen_checkpoint_find (const VidgenCheckpoint *checkpoint, const char *name)
{
  return g_hash_table_lookup (checkpoint->by_name, name);
}

const VidgenTensor *
vidgen_checkpoint_expect (const VidgenCheckpoint *checkpoint, const char *name,
    guint types, guint n_dims, const guint64 *shape, GError **error)
{
  const VidgenTensor *tensor = vidgen_checkpoint_find (checkpoint, name);

  if (tensor && checkpoint->format == VIDGEN_CHECKPOINT_GGUF && n_dims > 4 &&
      (types & (1u << tensor->type)) &&
      vidgen_tensor_folds (tensor, n_dims, shape))
    return tensor;
  return vidgen_tensor_expect (
      tensor, checkpoint->name, name, types, n_dims, shape, error);
}
