/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "models/checkpoint/checkpoint-private.h"
#include "models/checkpoint/cursor.h"
#include "models/checkpoint/file.h"

#define MAGIC_BYTES 4
#define MAX_TENSORS (1 << 20)
#define MAX_NAME_BYTES 1024
#define DEFAULT_ALIGNMENT 32
#define MAX_ALIGNMENT (1 << 20)
#define SHAPE_KEY "comfy.gguf.orig_shape."

typedef struct {
  VidgenCheckpoint *checkpoint;
  VidgenCursor in;
  GArray *tensors;  /* VidgenTensor; the offsets those of the data, at first */
  GPtrArray *names; /* of the tensors */
  guint64 alignment;
  GError **error;
} Reader;

/* The types of metadata, by their number. */
static const struct {
  const char *name;
  guint bytes; /* 0: a text or a list */
  VidgenTensorType type;
} value_types[] = {
  { "uint8", 1, VIDGEN_TENSOR_U8 },
  { "int8", 1, VIDGEN_TENSOR_I8 },
  { "uint16", 2, VIDGEN_TENSOR_U16 },
  { "int16", 2, VIDGEN_TENSOR_I16 },
  { "uint32", 4, VIDGEN_TENSOR_U32 },
  { "int32", 4, VIDGEN_TENSOR_I32 },
  { "float32", 4, VIDGEN_TENSOR_F32 },
  { "bool", 1, VIDGEN_TENSOR_BOOL },
  { "string", 0, 0 },
  { "array", 0, 0 },
  { "uint64", 8, VIDGEN_TENSOR_U64 },
  { "int64", 8, VIDGEN_TENSOR_I64 },
  { "float64", 8, VIDGEN_TENSOR_F64 },
};
#define TYPE_STRING 8
#define TYPE_ARRAY 9

/* The types of tensors that are read, by their number. */
static const struct {
  guint number;
  VidgenTensorType type;
} tensor_types[] = {
  { 0, VIDGEN_TENSOR_F32 },
  { 1, VIDGEN_TENSOR_F16 },
  { 2, VIDGEN_TENSOR_Q4_0 },
  { 3, VIDGEN_TENSOR_Q4_1 },
  { 6, VIDGEN_TENSOR_Q5_0 },
  { 7, VIDGEN_TENSOR_Q5_1 },
  { 8, VIDGEN_TENSOR_Q8_0 },
  { 12, VIDGEN_TENSOR_Q4_K },
  { 13, VIDGEN_TENSOR_Q5_K },
  { 14, VIDGEN_TENSOR_Q6_K },
  { 24, VIDGEN_TENSOR_I8 },
  { 25, VIDGEN_TENSOR_I16 },
  { 26, VIDGEN_TENSOR_I32 },
  { 27, VIDGEN_TENSOR_I64 },
  { 28, VIDGEN_TENSOR_F64 },
  { 30, VIDGEN_TENSOR_BF16 },
};

static gboolean
fail_short (Reader *reader, const char *what)
{
  return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
      "the file ends at byte %" G_GSIZE_FORMAT " within %s (truncated?).",
      reader->in.at, what);
}

static gboolean
read_number (Reader *reader, gsize bytes, const char *what, guint64 *value)
{
  return vidgen_cursor_number (&reader->in, bytes, value) ||
         fail_short (reader, what);
}

/* NULL on error. */
static char *
read_text (Reader *reader, guint64 max_bytes, const char *what)
{
  const gsize start = reader->in.at;
  const guint8 *text;
  guint64 length;

  if (!read_number (reader, 8, what, &length))
    return NULL;
  if (length > max_bytes) {
    vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "%s at byte %" G_GSIZE_FORMAT " is %" G_GUINT64_FORMAT
        " bytes long, at most %" G_GUINT64_FORMAT " are allowed.",
        what, start, length, max_bytes);
    return NULL;
  }
  text = vidgen_cursor_take (&reader->in, length);
  if (!text) {
    fail_short (reader, what);
    return NULL;
  }
  if (!g_utf8_validate_len ((const char *)text, length, NULL)) {
    vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "%s at byte %" G_GSIZE_FORMAT " is not UTF-8.", what, start);
    return NULL;
  }
  return g_strndup ((const char *)text, length);
}

static gboolean
skip_texts (Reader *reader, guint64 count, const char *key)
{
  for (guint64 i = 0; i < count; i++) {
    const gsize start = reader->in.at;
    const guint8 *text;
    guint64 length;

    if (!read_number (reader, 8, key, &length))
      return FALSE;
    text = vidgen_cursor_take (&reader->in, length);
    if (!text)
      return fail_short (reader, key);
    if (!g_utf8_validate_len ((const char *)text, length, NULL))
      return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
          "text %" G_GUINT64_FORMAT " of '%s', at byte %" G_GSIZE_FORMAT
          ", is not UTF-8.",
          i, key, start);
  }
  return TRUE;
}

static gboolean
check_value_type (Reader *reader, guint64 type, const char *key)
{
  return type < G_N_ELEMENTS (value_types) ||
         vidgen_checkpoint_fail (reader->checkpoint, reader->error,
             "metadata '%s' is of the unknown type %" G_GUINT64_FORMAT
             ", before byte %" G_GSIZE_FORMAT ".",
             key, type, reader->in.at);
}

static gboolean
read_list (Reader *reader, const char *key)
{
  VidgenCheckpointList list = { 0 };
  guint64 type;
  gsize start;

  if (!read_number (reader, 4, key, &type) ||
      !check_value_type (reader, type, key) ||
      !read_number (reader, 8, key, &list.count))
    return FALSE;
  if (type == TYPE_ARRAY)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "metadata '%s' is a list of lists, at byte %" G_GSIZE_FORMAT ".", key,
        reader->in.at);
  list.is_text = type == TYPE_STRING;
  list.type = value_types[type].type;
  start = reader->in.at;
  list.data = reader->in.data + start;
  if (list.is_text) {
    if (!skip_texts (reader, list.count, key))
      return FALSE;
  } else if (!g_uint64_checked_mul (
                 &list.bytes, list.count, value_types[type].bytes) ||
             !vidgen_cursor_take (&reader->in, list.bytes)) {
    return fail_short (reader, key);
  }
  list.bytes = reader->in.at - start;
  return vidgen_checkpoint_add_list (
      reader->checkpoint, key, &list, reader->error);
}

static char *
print_value (VidgenTensorType type, guint64 bits)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  double number;
  float single;

  switch (type) {
  case VIDGEN_TENSOR_BOOL:
    return g_strdup (bits ? "true" : "false");
  case VIDGEN_TENSOR_I8:
    return g_strdup_printf ("%d", (gint8)bits);
  case VIDGEN_TENSOR_I16:
    return g_strdup_printf ("%d", (gint16)bits);
  case VIDGEN_TENSOR_I32:
    return g_strdup_printf ("%d", (gint32)bits);
  case VIDGEN_TENSOR_I64:
    return g_strdup_printf ("%" G_GINT64_FORMAT, (gint64)bits);
  case VIDGEN_TENSOR_F32:
    memcpy (&single, &bits, sizeof single);
    return g_strdup (g_ascii_formatd (text, sizeof text, "%.9g", single));
  case VIDGEN_TENSOR_F64:
    memcpy (&number, &bits, sizeof number);
    return g_strdup (g_ascii_dtostr (text, sizeof text, number));
  default:
    return g_strdup_printf ("%" G_GUINT64_FORMAT, bits);
  }
}

static gboolean
read_metadata (Reader *reader)
{
  g_autofree char *key =
      read_text (reader, MAX_NAME_BYTES, "a key of the metadata");
  g_autofree char *value = NULL;
  guint64 type, bits;

  if (!key || !read_number (reader, 4, key, &type) ||
      !check_value_type (reader, type, key))
    return FALSE;
  if (type == TYPE_ARRAY)
    return read_list (reader, key);
  if (type == TYPE_STRING) {
    value = read_text (reader, G_MAXUINT64, key);
    if (!value)
      return FALSE;
  } else {
    if (!read_number (reader, value_types[type].bytes, key, &bits))
      return FALSE;
    value = print_value (value_types[type].type, bits);
  }
  return vidgen_checkpoint_add_metadata (
      reader->checkpoint, key, value, reader->error);
}

static guint64
metadata_number (Reader *reader, const char *key, guint64 otherwise)
{
  const char *text = vidgen_checkpoint_metadata (reader->checkpoint, key);
  guint64 number;

  if (!text)
    return otherwise;
  return g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, &number, NULL)
             ? number
             : 0;
}

static gboolean
check_metadata (Reader *reader)
{
  reader->alignment =
      metadata_number (reader, "general.alignment", DEFAULT_ALIGNMENT);
  if (reader->alignment == 0 || reader->alignment > MAX_ALIGNMENT ||
      (reader->alignment & (reader->alignment - 1)))
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "general.alignment is no power of two up to %d.", MAX_ALIGNMENT);
  if (metadata_number (reader, "split.count", 1) > 1)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "this is one part of a split GGUF file; join the parts first.");
  return TRUE;
}

/* The file has the fastest dimension first. */
static gboolean
read_shape (Reader *reader, VidgenTensor *tensor)
{
  guint64 n_dims;

  if (!read_number (reader, 4, tensor->name, &n_dims))
    return FALSE;
  if (n_dims > VIDGEN_TENSOR_MAX_DIMS)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "tensor '%s' has %" G_GUINT64_FORMAT
        " dimensions, at most %d are allowed.",
        tensor->name, n_dims, VIDGEN_TENSOR_MAX_DIMS);
  tensor->n_dims = (guint)n_dims;
  for (guint i = tensor->n_dims; i-- > 0;) {
    if (!read_number (reader, 8, tensor->name, &tensor->shape[i]))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_type (Reader *reader, VidgenTensor *tensor)
{
  guint64 number;

  if (!read_number (reader, 4, tensor->name, &number))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (tensor_types); i++) {
    if (tensor_types[i].number == number) {
      tensor->type = tensor_types[i].type;
      return TRUE;
    }
  }
  return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
      "tensor '%s' is of GGML's type %" G_GUINT64_FORMAT ", which is not read.",
      tensor->name, number);
}

static gboolean
measure (Reader *reader, VidgenTensor *tensor)
{
  const guint values = vidgen_tensor_type_values (tensor->type);
  const guint64 row = tensor->n_dims ? tensor->shape[tensor->n_dims - 1] : 1;

  if (row % values)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "rows of tensor '%s' have %" G_GUINT64_FORMAT
        " values, no multiple of the %u in a block of %s.",
        tensor->name, row, values, vidgen_tensor_type_name (tensor->type));
  return vidgen_tensor_measure (tensor) ||
         vidgen_checkpoint_fail (reader->checkpoint, reader->error,
             "tensor '%s' is too large.", tensor->name);
}

static gint64
list_integer (const VidgenCheckpointList *list, guint64 index)
{
  gint64 wide;
  gint32 narrow;

  if (list->type == VIDGEN_TENSOR_I64 || list->type == VIDGEN_TENSOR_U64) {
    memcpy (&wide, list->data + 8 * index, sizeof wide);
    return wide;
  }
  memcpy (&narrow, list->data + 4 * index, sizeof narrow);
  return narrow;
}

static gboolean
is_integers (const VidgenCheckpointList *list)
{
  return !list->is_text &&
         (list->type == VIDGEN_TENSOR_I32 || list->type == VIDGEN_TENSOR_U32 ||
             list->type == VIDGEN_TENSOR_I64 ||
             list->type == VIDGEN_TENSOR_U64);
}

/* The shape as it was before the writer changed it to store or quantise it. */
static gboolean
restore_shape (Reader *reader, VidgenTensor *tensor)
{
  g_autofree char *key = g_strconcat (SHAPE_KEY, tensor->name, NULL);
  const VidgenCheckpointList *list =
      vidgen_checkpoint_list (reader->checkpoint, key);
  VidgenTensor restored = *tensor;

  if (!list)
    return TRUE;
  if (!is_integers (list) || list->count > VIDGEN_TENSOR_MAX_DIMS)
    return vidgen_checkpoint_fail (
        reader->checkpoint, reader->error, "'%s' is no shape.", key);
  restored.n_dims = (guint)list->count;
  for (guint i = 0; i < restored.n_dims; i++)
    restored.shape[i] = (guint64)list_integer (list, i);
  if (!vidgen_tensor_measure (&restored) || restored.bytes != tensor->bytes)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "'%s' is the shape of another number of values than tensor '%s' has.",
        key, tensor->name);
  *tensor = restored;
  return TRUE;
}

static gboolean
read_tensor (Reader *reader)
{
  char *name = read_text (reader, MAX_NAME_BYTES, "the name of a tensor");
  VidgenTensor tensor = { .name = name };

  if (!name)
    return FALSE;
  g_ptr_array_add (reader->names, name);
  if (!read_shape (reader, &tensor) || !read_type (reader, &tensor) ||
      !read_number (reader, 8, name, &tensor.offset) ||
      !measure (reader, &tensor) || !restore_shape (reader, &tensor))
    return FALSE;
  if (tensor.offset % reader->alignment)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "tensor '%s' begins at byte %" G_GUINT64_FORMAT
        " of the data, which is not aligned to %" G_GUINT64_FORMAT ".",
        name, tensor.offset, reader->alignment);
  g_array_append_val (reader->tensors, tensor);
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

static gboolean
place_tensor (Reader *reader, VidgenTensor *tensor, guint64 data_start,
    guint64 data_bytes)
{
  if (tensor->offset > data_bytes ||
      tensor->bytes > data_bytes - tensor->offset)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "tensor '%s' has %" G_GUINT64_FORMAT " bytes at byte %" G_GUINT64_FORMAT
        " of the data, but the file has only %" G_GUINT64_FORMAT
        " (truncated?).",
        tensor->name, tensor->bytes, tensor->offset, data_bytes);
  tensor->offset += data_start;
  tensor->data = reader->in.data + tensor->offset;
  return vidgen_checkpoint_add_tensor (
      reader->checkpoint, tensor, reader->error);
}

static gboolean
place_tensors (Reader *reader)
{
  const guint64 mask = reader->alignment - 1;
  const guint64 start = (reader->in.at + mask) & ~mask;
  const guint64 data_start = MIN (start, reader->in.size);
  guint64 end = 0;

  g_array_sort (reader->tensors, compare_offsets);
  for (guint i = 0; i < reader->tensors->len; i++) {
    VidgenTensor *tensor = &g_array_index (reader->tensors, VidgenTensor, i);

    if (tensor->offset < end)
      return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
          "tensor '%s' begins at byte %" G_GUINT64_FORMAT
          " of the data, within the one before.",
          tensor->name, tensor->offset);
    end = tensor->offset + tensor->bytes;
    if (!place_tensor (
            reader, tensor, data_start, reader->in.size - data_start))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_header (Reader *reader, guint64 *n_tensors, guint64 *n_metadata)
{
  guint64 version;

  reader->in.at = MAGIC_BYTES;
  if (!read_number (reader, 4, "the header", &version))
    return FALSE;
  if (version != 2 && version != 3)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "version %" G_GUINT64_FORMAT
        " of GGUF is not read, only 2 and 3, little-endian.",
        version);
  if (!read_number (reader, 8, "the header", n_tensors) ||
      !read_number (reader, 8, "the header", n_metadata))
    return FALSE;
  return (*n_tensors <= MAX_TENSORS && *n_metadata <= MAX_TENSORS) ||
         vidgen_checkpoint_fail (reader->checkpoint, reader->error,
             "the header counts %" G_GUINT64_FORMAT
             " tensors and %" G_GUINT64_FORMAT
             " metadata, at most %d are allowed.",
             *n_tensors, *n_metadata, MAX_TENSORS);
}

static gboolean
read_all (Reader *reader)
{
  guint64 n_tensors = 0, n_metadata = 0;

  if (!read_header (reader, &n_tensors, &n_metadata))
    return FALSE;
  for (guint64 i = 0; i < n_metadata; i++) {
    if (!read_metadata (reader))
      return FALSE;
  }
  if (!check_metadata (reader))
    return FALSE;
  for (guint64 i = 0; i < n_tensors; i++) {
    if (!read_tensor (reader))
      return FALSE;
  }
  return place_tensors (reader);
}

static void
unref_bytes (gpointer bytes)
{
  g_bytes_unref (bytes);
}

gboolean
vidgen_gguf_read (VidgenCheckpoint *checkpoint, GBytes *bytes, GError **error)
{
  g_autoptr (GArray) tensors =
      g_array_new (FALSE, FALSE, sizeof (VidgenTensor));
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  Reader reader = {
    .checkpoint = checkpoint,
    .tensors = tensors,
    .names = names,
    .error = error,
  };

  reader.in.data = g_bytes_get_data (bytes, &reader.in.size);
  vidgen_checkpoint_hold (checkpoint, g_bytes_ref (bytes), unref_bytes);
  return read_all (&reader);
}
