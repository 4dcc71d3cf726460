/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "models/checkpoint/checkpoint-private.h"
#include "models/checkpoint/file.h"
#include "models/checkpoint/json.h"
#include "models/checkpoint/safetensors.h"

#define MAX_INDEX_BYTES (64 * 1024 * 1024)
#define MAX_SHARDS 1024
#define DEPTH 4

gboolean
vidgen_shards_is_index (GBytes *bytes)
{
  static const char key[] = "\"weight_map\"";
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  gsize start = 0;

  if (size > MAX_INDEX_BYTES)
    return FALSE;
  while (start < size && g_ascii_isspace (text[start]))
    start++;
  return start < size && text[start] == '{' &&
         g_strstr_len (text + start, (gssize)(size - start), key) != NULL;
}

typedef struct {
  VidgenCheckpoint *checkpoint;
  char *folder;
  GHashTable *files; /* name to VidgenSafetensors, which the checkpoint holds */
  GError **error;
} Reader;

static void
unref_file (gpointer file)
{
  vidgen_safetensors_unref (file);
}

/* Only a plain name: a shard lies beside its index. */
static gboolean
is_plain (const char *name)
{
  return *name && !strchr (name, '/') && !strchr (name, G_DIR_SEPARATOR) &&
         !g_str_equal (name, ".") && !g_str_equal (name, "..");
}

static VidgenSafetensors *
get_shard (Reader *reader, const char *name, const char *shard)
{
  VidgenSafetensors *file = g_hash_table_lookup (reader->files, shard);
  g_autofree char *path = NULL;

  if (file)
    return file;
  if (!is_plain (shard)) {
    vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "the shard '%s' of tensor '%s' is not the name of a file beside the "
        "index.",
        shard, name);
    return NULL;
  }
  if (g_hash_table_size (reader->files) == MAX_SHARDS) {
    vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "there are more than %d shards.", MAX_SHARDS);
    return NULL;
  }
  path = g_build_filename (reader->folder, shard, NULL);
  file = vidgen_safetensors_open (path, reader->error);
  if (!file)
    return NULL;
  vidgen_checkpoint_hold (reader->checkpoint, file, unref_file);
  g_hash_table_insert (reader->files, g_strdup (shard), file);
  return file;
}

static gboolean
add_tensor (Reader *reader, const char *name, JsonNode *node)
{
  VidgenSafetensors *file;
  const VidgenTensor *tensor;

  if (json_node_get_value_type (node) != G_TYPE_STRING)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "the shard of tensor '%s' is not a text.", name);
  file = get_shard (reader, name, json_node_get_string (node));
  if (!file)
    return FALSE;
  tensor = vidgen_safetensors_find (file, name);
  if (!tensor)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "tensor '%s' is not in its shard '%s'.", name,
        json_node_get_string (node));
  return vidgen_checkpoint_add_tensor (
      reader->checkpoint, tensor, reader->error);
}

static gboolean
add_map (Reader *reader, JsonNode *map)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (!map || !JSON_NODE_HOLDS_OBJECT (map))
    return vidgen_checkpoint_fail (
        reader->checkpoint, reader->error, "the index has no weight_map.");
  json_object_iter_init (&iter, json_node_get_object (map));
  while (json_object_iter_next (&iter, &name, &node)) {
    if (!add_tensor (reader, name, node))
      return FALSE;
  }
  return TRUE;
}

static gboolean
add_metadata (Reader *reader, JsonNode *metadata)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *node;

  if (!metadata || !JSON_NODE_HOLDS_OBJECT (metadata))
    return TRUE;
  json_object_iter_init (&iter, json_node_get_object (metadata));
  while (json_object_iter_next (&iter, &key, &node)) {
    const gboolean is_text = json_node_get_value_type (node) == G_TYPE_STRING;
    g_autofree char *text = JSON_NODE_HOLDS_VALUE (node) && !is_text
                                ? json_to_string (node, FALSE)
                                : NULL;

    if (is_text || text)
      vidgen_checkpoint_add_metadata (reader->checkpoint, key,
          is_text ? json_node_get_string (node) : text, NULL);
  }
  return TRUE;
}

gboolean
vidgen_shards_read (VidgenCheckpoint *checkpoint, GBytes *bytes, GError **error)
{
  const char *name = vidgen_checkpoint_name (checkpoint);
  g_autofree char *what = g_strdup_printf ("The index '%s'", name);
  g_autofree char *folder = g_path_get_dirname (name);
  g_autoptr (GHashTable) files =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Reader reader = { checkpoint, folder, files, error };
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  g_autoptr (JsonNode) root =
      vidgen_json_parse (text, size, DEPTH, what, error);
  JsonObject *index;

  if (!root)
    return FALSE;
  index = json_node_get_object (root);
  return add_map (&reader, json_object_get_member (index, "weight_map")) &&
         add_metadata (&reader, json_object_get_member (index, "metadata"));
}
