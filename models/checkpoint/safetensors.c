/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/safetensors.h"

#include <string.h>

#include "models/checkpoint/file.h"
#include "models/checkpoint/json.h"

G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

#define HEADER_DEPTH 4
#define LENGTH_BYTES 8

struct _VidgenSafetensors {
  gatomicrefcount references;
  char *name;
  GBytes *bytes;
  JsonNode *header; /* owns the tensors' names */
  GArray *tensors;  /* VidgenTensor, by offset */
  GHashTable *by_name;
};

static gboolean
parse_type (const char *name, VidgenTensorType *type)
{
  for (guint i = 0; i <= VIDGEN_TENSOR_F64; i++) {
    if (g_str_equal (vidgen_tensor_type_name (i), name)) {
      *type = i;
      return TRUE;
    }
  }
  return FALSE;
}

/* Whole numbers of at least 0 only. */
static gboolean
get_count (JsonArray *array, guint index, guint64 *value)
{
  JsonNode *node = json_array_get_element (array, index);

  if (!JSON_NODE_HOLDS_VALUE (node) ||
      json_node_get_value_type (node) != G_TYPE_INT64 ||
      json_node_get_int (node) < 0)
    return FALSE;
  *value = (guint64)json_node_get_int (node);
  return TRUE;
}

static JsonArray *
get_array (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);

  return node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node)
                                              : NULL;
}

static gboolean
parse_shape (const VidgenSafetensors *file, JsonObject *entry,
    VidgenTensor *tensor, guint64 *bytes, GError **error)
{
  JsonArray *shape = get_array (entry, "shape");
  guint64 count = 1;

  if (!shape || json_array_get_length (shape) > VIDGEN_TENSOR_MAX_DIMS)
    return vidgen_file_fail (error, file->name,
        "the shape of tensor '%s' is missing or has more than %d dimensions.",
        tensor->name, VIDGEN_TENSOR_MAX_DIMS);
  tensor->n_dims = json_array_get_length (shape);
  for (guint i = 0; i < tensor->n_dims; i++) {
    if (!get_count (shape, i, &tensor->shape[i]) ||
        !g_uint64_checked_mul (&count, count, tensor->shape[i]))
      return vidgen_file_fail (error, file->name,
          "dimension %u of tensor '%s' is no size that fits.", i, tensor->name);
  }
  if (!g_uint64_checked_mul (
          bytes, count, vidgen_tensor_type_bytes (tensor->type)))
    return vidgen_file_fail (
        error, file->name, "tensor '%s' is too large.", tensor->name);
  return TRUE;
}

static gboolean
parse_offsets (const VidgenSafetensors *file, JsonObject *entry,
    VidgenTensor *tensor, guint64 data_bytes, GError **error)
{
  JsonArray *offsets = get_array (entry, "data_offsets");
  guint64 first, end;

  if (!offsets || json_array_get_length (offsets) != 2 ||
      !get_count (offsets, 0, &first) || !get_count (offsets, 1, &end) ||
      first > end)
    return vidgen_file_fail (error, file->name,
        "data_offsets of tensor '%s' are not two rising offsets.",
        tensor->name);
  if (end > data_bytes)
    return vidgen_file_fail (error, file->name,
        "tensor '%s' ends at byte %" G_GUINT64_FORMAT
        " of the data, but the file has %" G_GUINT64_FORMAT " (truncated?).",
        tensor->name, end, data_bytes);
  tensor->offset = first;
  tensor->bytes = end - first;
  return TRUE;
}

static gboolean
parse_tensor (VidgenSafetensors *file, const char *name, JsonNode *node,
    guint64 data_bytes, GError **error)
{
  VidgenTensor tensor = { .name = name };
  JsonObject *entry;
  JsonNode *type;
  guint64 bytes = 0;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return vidgen_file_fail (
        error, file->name, "tensor '%s' is not described.", name);
  entry = json_node_get_object (node);
  type = json_object_get_member (entry, "dtype");
  if (!type || json_node_get_value_type (type) != G_TYPE_STRING)
    return vidgen_file_fail (
        error, file->name, "tensor '%s' has no dtype.", name);
  if (!parse_type (json_node_get_string (type), &tensor.type))
    return vidgen_file_fail (error, file->name,
        "tensor '%s' has the unknown dtype '%s'.", name,
        json_node_get_string (type));
  if (!parse_shape (file, entry, &tensor, &bytes, error) ||
      !parse_offsets (file, entry, &tensor, data_bytes, error))
    return FALSE;
  if (bytes != tensor.bytes)
    return vidgen_file_fail (error, file->name,
        "tensor '%s' needs %" G_GUINT64_FORMAT
        " bytes, its offsets hold %" G_GUINT64_FORMAT ".",
        name, bytes, tensor.bytes);
  g_array_append_val (file->tensors, tensor);
  return TRUE;
}

static gboolean
check_metadata (const VidgenSafetensors *file, JsonNode *node, GError **error)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return vidgen_file_fail (
        error, file->name, "__metadata__ is not an object.");
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &key, &value)) {
    if (json_node_get_value_type (value) != G_TYPE_STRING)
      return vidgen_file_fail (
          error, file->name, "metadata '%s' is not a string.", key);
  }
  return TRUE;
}

static int
compare_offsets (gconstpointer a, gconstpointer b)
{
  const VidgenTensor *one = a, *other = b;

  if (one->offset != other->offset)
    return one->offset < other->offset ? -1 : 1;
  if (one->bytes != other->bytes)
    return one->bytes < other->bytes ? -1 : 1;
  return strcmp (one->name, other->name);
}

/* Sorts the tensors and makes their offsets those of the file. */
static gboolean
place_tensors (VidgenSafetensors *file, const guint8 *start, guint64 data_start,
    guint64 data_bytes, GError **error)
{
  guint64 end = 0;

  g_array_sort (file->tensors, compare_offsets);
  for (guint i = 0; i < file->tensors->len; i++) {
    VidgenTensor *tensor = &g_array_index (file->tensors, VidgenTensor, i);

    if (tensor->offset != end)
      return vidgen_file_fail (error, file->name,
          "tensor '%s' begins at byte %" G_GUINT64_FORMAT
          " of the data, where the one before ends at %" G_GUINT64_FORMAT ".",
          tensor->name, tensor->offset, end);
    end += tensor->bytes;
    tensor->offset += data_start;
    tensor->data = start + tensor->offset;
    g_hash_table_insert (file->by_name, (gpointer)tensor->name, tensor);
  }
  if (end != data_bytes)
    return vidgen_file_fail (error, file->name,
        "%" G_GUINT64_FORMAT " bytes of the data belong to no tensor.",
        data_bytes - end);
  return TRUE;
}

static gboolean
parse_header (VidgenSafetensors *file, const guint8 *start, guint64 length,
    guint64 data_bytes, GError **error)
{
  g_autofree char *what = g_strdup_printf ("The header of '%s'", file->name);
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  file->header = vidgen_json_parse (
      (const char *)start + LENGTH_BYTES, length, HEADER_DEPTH, what, error);
  if (!file->header)
    return FALSE;
  json_object_iter_init (&iter, json_node_get_object (file->header));
  while (json_object_iter_next (&iter, &name, &node)) {
    const gboolean good =
        g_str_equal (name, "__metadata__")
            ? check_metadata (file, node, error)
            : parse_tensor (file, name, node, data_bytes, error);
    if (!good)
      return FALSE;
  }
  return place_tensors (file, start, LENGTH_BYTES + length, data_bytes, error);
}

static gboolean
parse (VidgenSafetensors *file, GError **error)
{
  gsize size;
  const guint8 *start = g_bytes_get_data (file->bytes, &size);
  guint64 length;

  if (size < LENGTH_BYTES)
    return vidgen_file_fail (error, file->name,
        "%" G_GSIZE_FORMAT " bytes are too short for a safetensors file.",
        size);
  memcpy (&length, start, LENGTH_BYTES);
  if (length < 2 || length > VIDGEN_SAFETENSORS_MAX_HEADER_BYTES ||
      length > size - LENGTH_BYTES || start[LENGTH_BYTES] != '{')
    return vidgen_file_fail (error, file->name,
        "not a safetensors file, or damaged: no JSON header of "
        "%" G_GUINT64_FORMAT " bytes at byte %d (file of %" G_GSIZE_FORMAT
        " bytes).",
        length, LENGTH_BYTES, size);
  return parse_header (
      file, start, length, size - LENGTH_BYTES - length, error);
}

VidgenSafetensors *
vidgen_safetensors_new (GBytes *bytes, const char *name, GError **error)
{
  g_autoptr (VidgenSafetensors) file = g_new0 (VidgenSafetensors, 1);

  g_atomic_ref_count_init (&file->references);
  file->name = g_strdup (name);
  file->bytes = g_bytes_ref (bytes);
  file->tensors = g_array_new (FALSE, FALSE, sizeof (VidgenTensor));
  file->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return parse (file, error) ? g_steal_pointer (&file) : NULL;
}

VidgenSafetensors *
vidgen_safetensors_open (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = vidgen_file_map (path, error);

  return bytes ? vidgen_safetensors_new (bytes, path, error) : NULL;
}

VidgenSafetensors *
vidgen_safetensors_ref (VidgenSafetensors *file)
{
  g_atomic_ref_count_inc (&file->references);
  return file;
}

void
vidgen_safetensors_unref (VidgenSafetensors *file)
{
  if (!file || !g_atomic_ref_count_dec (&file->references))
    return;
  g_hash_table_unref (file->by_name);
  g_array_unref (file->tensors);
  g_clear_pointer (&file->header, json_node_unref);
  g_bytes_unref (file->bytes);
  g_free (file->name);
  g_free (file);
}

const char *
vidgen_safetensors_name (const VidgenSafetensors *file)
{
  return file->name;
}

static JsonObject *
get_metadata (const VidgenSafetensors *file)
{
  JsonObject *header = json_node_get_object (file->header);

  return json_object_has_member (header, "__metadata__")
             ? json_object_get_object_member (header, "__metadata__")
             : NULL;
}

const char *
vidgen_safetensors_metadata (const VidgenSafetensors *file, const char *key)
{
  JsonObject *metadata = get_metadata (file);

  if (!metadata || !json_object_has_member (metadata, key))
    return NULL;
  return json_object_get_string_member (metadata, key);
}

gboolean
vidgen_safetensors_each_metadata (const VidgenSafetensors *file,
    VidgenSafetensorsTake take, gpointer user, GError **error)
{
  JsonObject *metadata = get_metadata (file);
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  if (!metadata)
    return TRUE;
  json_object_iter_init (&iter, metadata);
  while (json_object_iter_next (&iter, &key, &value)) {
    if (!take (user, key, json_node_get_string (value), error))
      return FALSE;
  }
  return TRUE;
}

guint
vidgen_safetensors_n_tensors (const VidgenSafetensors *file)
{
  return file->tensors->len;
}

const VidgenTensor *
vidgen_safetensors_tensor (const VidgenSafetensors *file, guint index)
{
  return &g_array_index (file->tensors, VidgenTensor, index);
}

const VidgenTensor *
vidgen_safetensors_find (const VidgenSafetensors *file, const char *name)
{
  return g_hash_table_lookup (file->by_name, name);
}

const VidgenTensor *
vidgen_safetensors_expect (const VidgenSafetensors *file, const char *name,
    guint wanted, guint n_dims, const guint64 *shape, GError **error)
{
  return vidgen_tensor_expect (vidgen_safetensors_find (file, name), file->name,
      name, wanted, n_dims, shape, error);
}

/* The first value whose exponent bits are all set, or `count`. */
static guint64
find_not_finite16 (const guint8 *data, guint64 count, guint16 exponent)
{
  for (guint64 i = 0; i < count; i++) {
    guint16 bits;

    memcpy (&bits, data + 2 * i, sizeof bits);
    if ((bits & exponent) == exponent)
      return i;
  }
  return count;
}

static guint64
find_not_finite32 (const guint8 *data, guint64 count)
{
  for (guint64 i = 0; i < count; i++) {
    guint32 bits;

    memcpy (&bits, data + 4 * i, sizeof bits);
    if ((bits & 0x7f800000) == 0x7f800000)
      return i;
  }
  return count;
}

gboolean
vidgen_tensor_check_finite (
    const VidgenSafetensors *file, const VidgenTensor *tensor, GError **error)
{
  const guint64 count = vidgen_tensor_count (tensor);
  guint64 bad = count;

  if (tensor->type == VIDGEN_TENSOR_F16)
    bad = find_not_finite16 (tensor->data, count, 0x7c00);
  else if (tensor->type == VIDGEN_TENSOR_BF16)
    bad = find_not_finite16 (tensor->data, count, 0x7f80);
  else if (tensor->type == VIDGEN_TENSOR_F32)
    bad = find_not_finite32 (tensor->data, count);
  if (bad == count)
    return TRUE;
  return vidgen_file_fail (error, file->name,
      "value %" G_GUINT64_FORMAT " of tensor '%s' is not finite.", bad,
      tensor->name);
}
