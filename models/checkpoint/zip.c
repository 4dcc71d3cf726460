/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/zip.h"

#include <string.h>

#include "models/checkpoint/cursor.h"
#include "models/checkpoint/file.h"

/* PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3. */
#define END_BYTES 22
#define END64_LOCATOR_BYTES 20
#define END64_BYTES 56
#define CENTRAL_BYTES 46
#define LOCAL_BYTES 30
#define MAX_COMMENT_BYTES 65535
#define MAX_ENTRIES (1 << 20)
#define ZIP64_FIELD 1
#define FLAG_ENCRYPTED 1

struct _VidgenZip {
  char *name;
  GBytes *bytes;
  const guint8 *data;
  gsize size;
  GPtrArray *entries;
  GHashTable *by_name;
};

typedef struct {
  guint64 n_entries, bytes, offset;
} Directory;

static guint64
number (const guint8 *data, gsize bytes)
{
  guint64 value = 0;

  memcpy (&value, data, bytes);
  return value;
}

static gboolean
has_magic (const guint8 *data, const char *magic)
{
  return memcmp (data, magic, 4) == 0;
}

/* The last record whose comment ends with the file, or NULL. */
static const guint8 *
find_end (const VidgenZip *zip)
{
  const gsize least =
      zip->size - MIN (zip->size, END_BYTES + MAX_COMMENT_BYTES);

  if (zip->size < END_BYTES)
    return NULL;
  for (gsize at = zip->size - END_BYTES + 1; at-- > least;) {
    const guint8 *end = zip->data + at;

    if (has_magic (end, "PK\5\6") &&
        number (end + 20, 2) == zip->size - at - END_BYTES)
      return end;
  }
  return NULL;
}

static gboolean
read_end64 (
    const VidgenZip *zip, gsize end, Directory *directory, GError **error)
{
  guint64 at;

  if (end < END64_LOCATOR_BYTES ||
      !has_magic (zip->data + end - END64_LOCATOR_BYTES, "PK\6\7"))
    return TRUE;
  at = number (zip->data + end - END64_LOCATOR_BYTES + 8, 8);
  if (at > end || end - at < END64_BYTES ||
      !has_magic (zip->data + at, "PK\6\6"))
    return vidgen_file_fail (error, zip->name,
        "the zip64 end record at byte %" G_GUINT64_FORMAT " is damaged.", at);
  directory->n_entries = number (zip->data + at + 32, 8);
  directory->bytes = number (zip->data + at + 40, 8);
  directory->offset = number (zip->data + at + 48, 8);
  return TRUE;
}

static gboolean
read_end (const VidgenZip *zip, Directory *directory, GError **error)
{
  const guint8 *end = find_end (zip);

  if (!end)
    return vidgen_file_fail (
        error, zip->name, "the zip archive has no end record (truncated?).");
  directory->n_entries = number (end + 10, 2);
  directory->bytes = number (end + 12, 4);
  directory->offset = number (end + 16, 4);
  if (!read_end64 (zip, (gsize)(end - zip->data), directory, error))
    return FALSE;
  if (directory->offset > zip->size ||
      directory->bytes > zip->size - directory->offset ||
      directory->n_entries > MAX_ENTRIES)
    return vidgen_file_fail (error, zip->name,
        "the zip directory of %" G_GUINT64_FORMAT
        " entries at byte %" G_GUINT64_FORMAT " does not fit the file.",
        directory->n_entries, directory->offset);
  return TRUE;
}

typedef struct {
  guint64 compressed, bytes, local;
} Extent;

/* What is all ones in the directory is in the zip64 field instead, in this
 * order. */
static gboolean
read_zip64 (const guint8 *extra, gsize extra_bytes, Extent *extent)
{
  guint64 *values[] = { &extent->bytes, &extent->compressed, &extent->local };
  VidgenCursor in = { extra, extra_bytes, 0 };
  guint64 id, bytes;

  while (vidgen_cursor_number (&in, 2, &id) &&
         vidgen_cursor_number (&in, 2, &bytes)) {
    VidgenCursor field = { in.data + in.at, bytes, 0 };

    if (!vidgen_cursor_take (&in, bytes))
      return FALSE;
    for (guint i = 0; id == ZIP64_FIELD && i < G_N_ELEMENTS (values); i++) {
      if (*values[i] == G_MAXUINT32 &&
          !vidgen_cursor_number (&field, 8, values[i]))
        return FALSE;
    }
    if (id == ZIP64_FIELD)
      return TRUE;
  }
  return TRUE;
}

static gboolean
place_entry (const VidgenZip *zip, VidgenZipEntry *entry, const Extent *extent,
    GError **error)
{
  const gsize name_bytes = strlen (entry->name);
  const guint8 *local;
  guint64 header_bytes;

  if (extent->local > zip->size || zip->size - extent->local < LOCAL_BYTES ||
      !has_magic (zip->data + extent->local, "PK\3\4"))
    return vidgen_file_fail (error, zip->name,
        "entry '%s' does not begin at byte %" G_GUINT64_FORMAT ".", entry->name,
        extent->local);
  local = zip->data + extent->local;
  header_bytes = LOCAL_BYTES + number (local + 26, 2) + number (local + 28, 2);
  if (header_bytes > zip->size - extent->local ||
      number (local + 26, 2) != name_bytes ||
      memcmp (local + LOCAL_BYTES, entry->name, name_bytes) != 0)
    return vidgen_file_fail (error, zip->name,
        "the header at byte %" G_GUINT64_FORMAT " is not that of entry '%s'.",
        extent->local, entry->name);
  entry->offset = extent->local + header_bytes;
  entry->data = zip->data + entry->offset;
  entry->bytes = extent->bytes;
  if (entry->bytes > zip->size - entry->offset)
    return vidgen_file_fail (error, zip->name,
        "entry '%s' has %" G_GUINT64_FORMAT " bytes at byte %" G_GUINT64_FORMAT
        ", past the end of the file.",
        entry->name, entry->bytes, entry->offset);
  return TRUE;
}

static void
free_entry (gpointer data)
{
  VidgenZipEntry *entry = data;

  g_free ((gpointer)entry->name);
  g_free (entry);
}

static gboolean
add_entry (VidgenZip *zip, const guint8 *record, const char *name,
    const Extent *extent, GError **error)
{
  VidgenZipEntry *entry = g_new0 (VidgenZipEntry, 1);

  entry->name = g_strdup (name);
  g_ptr_array_add (zip->entries, entry);
  if (number (record + 8, 2) & FLAG_ENCRYPTED)
    return vidgen_file_fail (
        error, zip->name, "entry '%s' is encrypted.", name);
  if (number (record + 10, 2) != 0 || extent->compressed != extent->bytes)
    return vidgen_file_fail (error, zip->name,
        "entry '%s' is compressed (method %u), only stored ones are read.",
        name, (guint)number (record + 10, 2));
  if (!g_hash_table_insert (zip->by_name, (gpointer)entry->name, entry))
    return vidgen_file_fail (
        error, zip->name, "entry '%s' is there twice.", name);
  return place_entry (zip, entry, extent, error);
}

static gboolean
read_entry (VidgenZip *zip, VidgenCursor *in, GError **error)
{
  const gsize at = (gsize)(in->data - zip->data) + in->at;
  const guint8 *record = vidgen_cursor_take (in, CENTRAL_BYTES);
  const guint8 *name = NULL, *extra = NULL;
  g_autofree char *text = NULL;
  Extent extent;

  if (record && has_magic (record, "PK\1\2")) {
    name = vidgen_cursor_take (in, number (record + 28, 2));
    extra = vidgen_cursor_take (in, number (record + 30, 2));
  }
  if (!name || !extra || !vidgen_cursor_take (in, number (record + 32, 2)))
    return vidgen_file_fail (error, zip->name,
        "the zip directory is damaged at byte %" G_GSIZE_FORMAT ".", at);
  if (name == extra ||
      !g_utf8_validate_len ((const char *)name, (gsize)(extra - name), NULL))
    return vidgen_file_fail (error, zip->name,
        "the entry of the zip directory at byte %" G_GSIZE_FORMAT
        " has no name in UTF-8.",
        at);
  text = g_strndup ((const char *)name, (gsize)(extra - name));
  extent.compressed = number (record + 20, 4);
  extent.bytes = number (record + 24, 4);
  extent.local = number (record + 42, 4);
  if (!read_zip64 (extra, number (record + 30, 2), &extent))
    return vidgen_file_fail (error, zip->name,
        "the zip64 field of entry '%s', after byte %" G_GSIZE_FORMAT
        ", is damaged.",
        text, at);
  return add_entry (zip, record, text, &extent, error);
}

static gboolean
read_directory (VidgenZip *zip, GError **error)
{
  Directory directory = { 0 };
  VidgenCursor in;

  if (!read_end (zip, &directory, error))
    return FALSE;
  in = (VidgenCursor){ zip->data + directory.offset, directory.bytes, 0 };
  for (guint64 i = 0; i < directory.n_entries; i++) {
    if (!read_entry (zip, &in, error))
      return FALSE;
  }
  return TRUE;
}

VidgenZip *
vidgen_zip_new (GBytes *bytes, const char *name, GError **error)
{
  g_autoptr (VidgenZip) zip = g_new0 (VidgenZip, 1);

  zip->name = g_strdup (name);
  zip->bytes = g_bytes_ref (bytes);
  zip->data = g_bytes_get_data (bytes, &zip->size);
  zip->entries = g_ptr_array_new_with_free_func (free_entry);
  zip->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return read_directory (zip, error) ? g_steal_pointer (&zip) : NULL;
}

void
vidgen_zip_free (VidgenZip *zip)
{
  if (!zip)
    return;
  g_hash_table_unref (zip->by_name);
  g_ptr_array_unref (zip->entries);
  g_bytes_unref (zip->bytes);
  g_free (zip->name);
  g_free (zip);
}

guint
vidgen_zip_n_entries (const VidgenZip *zip)
{
  return zip->entries->len;
}

const VidgenZipEntry *
vidgen_zip_entry (const VidgenZip *zip, guint index)
{
  return g_ptr_array_index (zip->entries, index);
}

const VidgenZipEntry *
vidgen_zip_find (const VidgenZip *zip, const char *name)
{
  return g_hash_table_lookup (zip->by_name, name);
}
