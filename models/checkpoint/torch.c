/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/torch.h"

#include <string.h>

#include "models/checkpoint/checkpoint-private.h"
#include "models/checkpoint/file.h"
#include "models/checkpoint/zip.h"

#define PICKLE "data.pkl"
#define MAX_PICKLE_BYTES (256 * 1024 * 1024)
#define MAX_DEPTH 16
#define MAX_NAME_BYTES 1024

const VidgenPickleGlobal vidgen_torch_globals[] = {
  [VIDGEN_TORCH_ORDERED_DICT] = { "collections.OrderedDict",
      VIDGEN_PICKLE_DICT_CLASS },
  [VIDGEN_TORCH_REBUILD_TENSOR] = { "torch._utils._rebuild_tensor_v2",
      VIDGEN_PICKLE_FUNCTION },
  [VIDGEN_TORCH_REBUILD_PARAMETER] = { "torch._utils._rebuild_parameter",
      VIDGEN_PICKLE_FUNCTION },
  [VIDGEN_TORCH_STORAGES] = { "torch.FloatStorage", VIDGEN_PICKLE_CLASS },
  { "torch.HalfStorage", VIDGEN_PICKLE_CLASS },
  { "torch.BFloat16Storage", VIDGEN_PICKLE_CLASS },
  { "torch.DoubleStorage", VIDGEN_PICKLE_CLASS },
  { "torch.BoolStorage", VIDGEN_PICKLE_CLASS },
  { "torch.ByteStorage", VIDGEN_PICKLE_CLASS },
  { "torch.CharStorage", VIDGEN_PICKLE_CLASS },
  { "torch.ShortStorage", VIDGEN_PICKLE_CLASS },
  { "torch.IntStorage", VIDGEN_PICKLE_CLASS },
  { "torch.LongStorage", VIDGEN_PICKLE_CLASS },
};
const guint vidgen_torch_n_globals = G_N_ELEMENTS (vidgen_torch_globals);

static const VidgenTensorType storage_types[] = {
  VIDGEN_TENSOR_F32,
  VIDGEN_TENSOR_F16,
  VIDGEN_TENSOR_BF16,
  VIDGEN_TENSOR_F64,
  VIDGEN_TENSOR_BOOL,
  VIDGEN_TENSOR_U8,
  VIDGEN_TENSOR_I8,
  VIDGEN_TENSOR_I16,
  VIDGEN_TENSOR_I32,
  VIDGEN_TENSOR_I64,
};
G_STATIC_ASSERT (G_N_ELEMENTS (vidgen_torch_globals) ==
                 VIDGEN_TORCH_STORAGES + G_N_ELEMENTS (storage_types));

typedef struct {
  VidgenCheckpoint *checkpoint;
  VidgenZip *zip;
  char *root;             /* of the archive's names: "archive/" */
  GHashTable *containers; /* those that were read already */
  GString *name;          /* of the value being read */
  GError **error;
} Reader;

static gboolean
fail_at (Reader *reader, const VidgenPickleValue *value, const char *what)
{
  return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
      "'%s' (byte %" G_GSIZE_FORMAT " of the pickle) %s.", reader->name->str,
      value->offset, what);
}

/* Argument `index` of a tuple, if it is of this kind; else NULL. */
static const VidgenPickleValue *
get_item (const VidgenPickleValue *tuple, guint index, VidgenPickleKind kind)
{
  const VidgenPickleValue *item;

  if (tuple->kind != VIDGEN_PICKLE_TUPLE || index >= tuple->items->len)
    return NULL;
  item = tuple->items->pdata[index];
  return item->kind == kind ? item : NULL;
}

/* ('storage', class, key, device, count) */
static gboolean
find_storage (Reader *reader, const VidgenPickleValue *persistent,
    VidgenTensorType *type, const VidgenZipEntry **entry)
{
  const VidgenPickleValue *id = persistent->argument;
  const VidgenPickleValue *tag = get_item (id, 0, VIDGEN_PICKLE_TEXT);
  const VidgenPickleValue *class = get_item (id, 1, VIDGEN_PICKLE_CLASS);
  const VidgenPickleValue *key = get_item (id, 2, VIDGEN_PICKLE_TEXT);
  const VidgenPickleValue *count = get_item (id, 4, VIDGEN_PICKLE_INTEGER);
  g_autofree char *name = NULL;

  if (!tag || !g_str_equal (tag->text, "storage") || !class || !key || !count)
    return fail_at (reader, persistent, "is not stored as a tensor is");
  if (strlen (key->text) > MAX_NAME_BYTES)
    return fail_at (reader, persistent, "has a storage with a name too long");
  *type = storage_types[class->global - VIDGEN_TORCH_STORAGES];
  name = g_strconcat (reader->root, "data/", key->text, NULL);
  *entry = vidgen_zip_find (reader->zip, name);
  if (!*entry)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "the storage '%s' of tensor '%s' is missing.", name, reader->name->str);
  if (count->integer < 0 ||
      (guint64)count->integer !=
          (*entry)->bytes / vidgen_tensor_type_bytes (*type) ||
      (*entry)->bytes % vidgen_tensor_type_bytes (*type))
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "the storage '%s' of tensor '%s' has %" G_GUINT64_FORMAT
        " bytes, not %" G_GINT64_FORMAT " values of %s.",
        name, reader->name->str, (*entry)->bytes, count->integer,
        vidgen_tensor_type_name (*type));
  return TRUE;
}

static gboolean
read_shape (
    Reader *reader, const VidgenPickleValue *sizes, VidgenTensor *tensor)
{
  if (sizes->items->len > VIDGEN_TENSOR_MAX_DIMS)
    return fail_at (reader, sizes, "has too many dimensions");
  tensor->n_dims = sizes->items->len;
  for (guint i = 0; i < tensor->n_dims; i++) {
    const VidgenPickleValue *size = get_item (sizes, i, VIDGEN_PICKLE_INTEGER);

    if (!size || size->integer < 0)
      return fail_at (reader, sizes, "has a dimension that is no size");
    tensor->shape[i] = (guint64)size->integer;
  }
  return vidgen_tensor_measure (tensor) ||
         fail_at (reader, sizes, "is too large");
}

static gboolean
check_contiguous (Reader *reader, const VidgenPickleValue *strides,
    const VidgenTensor *tensor)
{
  guint64 expected = 1;

  if (strides->items->len != tensor->n_dims)
    return fail_at (reader, strides, "has not as many strides as dimensions");
  if (tensor->bytes == 0)
    return TRUE;
  for (guint i = tensor->n_dims; i-- > 0;) {
    const VidgenPickleValue *stride =
        get_item (strides, i, VIDGEN_PICKLE_INTEGER);

    if (!stride || stride->integer < 0)
      return fail_at (reader, strides, "has a stride that is no size");
    if (tensor->shape[i] != 1 && (guint64)stride->integer != expected)
      return fail_at (reader, strides,
          "is not contiguous (transposed, or a part of another)");
    expected *= tensor->shape[i];
  }
  return TRUE;
}

static gboolean
place (Reader *reader, const VidgenPickleValue *first,
    const VidgenZipEntry *storage, VidgenTensor *tensor)
{
  const guint value_bytes = vidgen_tensor_type_bytes (tensor->type);
  const guint64 room = storage->bytes / value_bytes;
  guint64 start;

  if (first->integer < 0 || (guint64)first->integer > room ||
      tensor->bytes / value_bytes > room - (guint64)first->integer)
    return fail_at (reader, first, "lies outside its storage");
  start = (guint64)first->integer * value_bytes;
  tensor->data = storage->data + start;
  tensor->offset = storage->offset + start;
  return TRUE;
}

/* (storage, first value, sizes, strides, …) */
static gboolean
read_tensor (Reader *reader, const VidgenPickleValue *call)
{
  const VidgenPickleValue *arguments = call->argument;
  const VidgenPickleValue *storage =
      get_item (arguments, 0, VIDGEN_PICKLE_PERSISTENT);
  const VidgenPickleValue *first =
      get_item (arguments, 1, VIDGEN_PICKLE_INTEGER);
  const VidgenPickleValue *sizes = get_item (arguments, 2, VIDGEN_PICKLE_TUPLE);
  const VidgenPickleValue *strides =
      get_item (arguments, 3, VIDGEN_PICKLE_TUPLE);
  const VidgenZipEntry *entry = NULL;
  VidgenTensor tensor = { .name = reader->name->str };

  if (!storage || !first || !sizes || !strides)
    return fail_at (reader, call, "is not built as a tensor is");
  return find_storage (reader, storage, &tensor.type, &entry) &&
         read_shape (reader, sizes, &tensor) &&
         check_contiguous (reader, strides, &tensor) &&
         place (reader, first, entry, &tensor) &&
         vidgen_checkpoint_add_tensor (
             reader->checkpoint, &tensor, reader->error);
}

static gboolean
read_call (Reader *reader, const VidgenPickleValue *call)
{
  if (call->global == VIDGEN_TORCH_REBUILD_PARAMETER) {
    call = get_item (call->argument, 0, VIDGEN_PICKLE_CALL) ?: call;
    if (call->global != VIDGEN_TORCH_REBUILD_TENSOR)
      return fail_at (reader, call, "is a parameter without a tensor");
  }
  return read_tensor (reader, call);
}

static gboolean
add_metadata (Reader *reader, const char *text)
{
  return vidgen_checkpoint_add_metadata (
      reader->checkpoint, reader->name->str, text, reader->error);
}

static gboolean
add_number (Reader *reader, const VidgenPickleValue *value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (value->kind == VIDGEN_PICKLE_NUMBER)
    g_ascii_dtostr (text, sizeof text, value->number);
  else
    g_snprintf (text, sizeof text, "%" G_GINT64_FORMAT, value->integer);
  return add_metadata (reader, text);
}

static gboolean read_container (
    Reader *reader, const VidgenPickleValue *value, guint depth);

static gboolean
read_value (Reader *reader, const VidgenPickleValue *value, guint depth)
{
  switch (value->kind) {
  case VIDGEN_PICKLE_NONE:
    return TRUE;
  case VIDGEN_PICKLE_BOOL:
    return add_metadata (reader, value->integer ? "true" : "false");
  case VIDGEN_PICKLE_INTEGER:
  case VIDGEN_PICKLE_NUMBER:
    return add_number (reader, value);
  case VIDGEN_PICKLE_TEXT:
    return add_metadata (reader, value->text);
  case VIDGEN_PICKLE_CALL:
    return read_call (reader, value);
  case VIDGEN_PICKLE_TUPLE:
  case VIDGEN_PICKLE_LIST:
  case VIDGEN_PICKLE_DICT:
    return read_container (reader, value, depth);
  default:
    return fail_at (reader, value, "is neither a tensor nor plain data");
  }
}

static gboolean
push_name (Reader *reader, const VidgenPickleValue *key)
{
  if (reader->name->len)
    g_string_append_c (reader->name, '.');
  if (key->kind == VIDGEN_PICKLE_TEXT && strlen (key->text) <= MAX_NAME_BYTES)
    g_string_append (reader->name, key->text);
  else if (key->kind == VIDGEN_PICKLE_INTEGER)
    g_string_append_printf (reader->name, "%" G_GINT64_FORMAT, key->integer);
  else
    return fail_at (reader, key, "has a key that is no short text or number");
  return reader->name->len <= MAX_NAME_BYTES ||
         fail_at (reader, key, "is too long a name");
}

/* Elements of lists are named by their index. */
static gboolean
read_items (Reader *reader, const VidgenPickleValue *container, guint depth)
{
  const gboolean is_dict = container->kind == VIDGEN_PICKLE_DICT;
  const guint step = is_dict ? 2 : 1;
  const gsize length = reader->name->len;

  for (guint i = 0; i < container->items->len; i += step) {
    const VidgenPickleValue index = {
      .kind = VIDGEN_PICKLE_INTEGER, .offset = container->offset, .integer = i
    };
    const VidgenPickleValue *key =
        is_dict ? container->items->pdata[i] : &index;

    if (!push_name (reader, key) ||
        !read_value (reader, container->items->pdata[i + step - 1], depth))
      return FALSE;
    g_string_truncate (reader->name, length);
  }
  return TRUE;
}

/* Each is read once, so that neither cycles nor sharing make work without end;
 * what is empty holds nothing to share. */
static gboolean
read_container (Reader *reader, const VidgenPickleValue *container, guint depth)
{
  if (container->items->len == 0)
    return TRUE;
  if (depth == MAX_DEPTH)
    return fail_at (reader, container, "is nested too deep");
  if (!g_hash_table_add (reader->containers, (gpointer)container))
    return fail_at (reader, container, "occurs twice");
  return read_items (reader, container, depth + 1);
}

/* The one "ROOT/data.pkl"; NULL on error. */
static const VidgenZipEntry *
find_pickle (Reader *reader)
{
  for (guint i = 0; i < vidgen_zip_n_entries (reader->zip); i++) {
    const VidgenZipEntry *entry = vidgen_zip_entry (reader->zip, i);
    const char *slash = strchr (entry->name, '/');

    if (!slash || !g_str_equal (slash + 1, PICKLE))
      continue;
    reader->root = g_strndup (entry->name, (gsize)(slash + 1 - entry->name));
    return entry;
  }
  vidgen_checkpoint_fail (reader->checkpoint, reader->error,
      "the zip archive is no torch file: it holds no %s.", PICKLE);
  return NULL;
}

static gboolean
check_byte_order (Reader *reader)
{
  static const char little[] = "little";
  g_autofree char *name = g_strconcat (reader->root, "byteorder", NULL);
  const VidgenZipEntry *entry = vidgen_zip_find (reader->zip, name);

  return !entry ||
         (entry->bytes == sizeof little - 1 &&
             memcmp (entry->data, little, sizeof little - 1) == 0) ||
         vidgen_checkpoint_fail (reader->checkpoint, reader->error,
             "its values are not little-endian.");
}

static gboolean
read_pickle (Reader *reader)
{
  const VidgenZipEntry *entry = find_pickle (reader);
  g_autoptr (VidgenPickle) pickle = NULL;
  const VidgenPickleValue *root;

  if (!entry || !check_byte_order (reader))
    return FALSE;
  if (entry->bytes > MAX_PICKLE_BYTES)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "its pickle has %" G_GUINT64_FORMAT " bytes, at most %d are allowed.",
        entry->bytes, MAX_PICKLE_BYTES);
  pickle = vidgen_pickle_new (entry->data, entry->bytes,
      vidgen_checkpoint_name (reader->checkpoint), vidgen_torch_globals,
      vidgen_torch_n_globals, reader->error);
  if (!pickle)
    return FALSE;
  root = vidgen_pickle_root (pickle);
  if (root->kind != VIDGEN_PICKLE_DICT)
    return vidgen_checkpoint_fail (reader->checkpoint, reader->error,
        "it holds no dictionary of tensors.");
  return read_value (reader, root, 0);
}

static void
free_zip (gpointer zip)
{
  vidgen_zip_free (zip);
}

gboolean
vidgen_torch_read (VidgenCheckpoint *checkpoint, GBytes *bytes, GError **error)
{
  g_autoptr (GHashTable) containers = g_hash_table_new (NULL, NULL);
  Reader reader = {
    .checkpoint = checkpoint,
    .containers = containers,
    .error = error,
  };
  gboolean good;

  reader.zip =
      vidgen_zip_new (bytes, vidgen_checkpoint_name (checkpoint), error);
  if (!reader.zip)
    return FALSE;
  vidgen_checkpoint_hold (checkpoint, reader.zip, free_zip);
  reader.name = g_string_new (NULL);
  good = read_pickle (&reader);
  g_string_free (reader.name, TRUE);
  g_free (reader.root);
  return good;
}
