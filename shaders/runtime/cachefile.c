/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/cachefile.h"

#include <gio/gio.h>
#include <string.h>

#define MAGIC "VIDGENPC"
#define MAGIC_BYTES 8
#define DIGEST_BYTES 32
#define HEAD_BYTES (MAGIC_BYTES + 8 + DIGEST_BYTES)
#define MAX_BYTES (256 * 1024 * 1024)

/* VkPipelineCacheHeaderVersionOne */
#define DRIVER_HEAD_BYTES 32

static guint32
read_le32 (const guint8 *bytes)
{
  guint32 value;

  memcpy (&value, bytes, sizeof value);
  return GUINT32_FROM_LE (value);
}

static void
digest (const guint8 *data, gsize size, guint8 sum[DIGEST_BYTES])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize sum_bytes = DIGEST_BYTES;

  g_checksum_update (checksum, data, (gssize)size);
  g_checksum_get_digest (checksum, sum, &sum_bytes);
}

static const char *
find_fault (const guint8 *bytes, gsize size, const VidgenCacheOwner *owner)
{
  const guint8 *data;
  guint8 sum[DIGEST_BYTES];
  guint64 stored_bytes;

  if (size < HEAD_BYTES + DRIVER_HEAD_BYTES ||
      memcmp (bytes, MAGIC, MAGIC_BYTES))
    return "is no pipeline cache";
  data = bytes + HEAD_BYTES;
  memcpy (&stored_bytes, bytes + MAGIC_BYTES, sizeof stored_bytes);
  if (GUINT64_FROM_LE (stored_bytes) != size - HEAD_BYTES)
    return "is truncated";
  digest (data, size - HEAD_BYTES, sum);
  if (memcmp (sum, bytes + MAGIC_BYTES + 8, DIGEST_BYTES))
    return "is damaged";
  if (read_le32 (data) != DRIVER_HEAD_BYTES || read_le32 (data + 4) != 1 ||
      read_le32 (data + 8) != owner->vendor ||
      read_le32 (data + 12) != owner->device ||
      memcmp (data + 16, owner->uuid, sizeof owner->uuid))
    return "belongs to another device or driver";
  return NULL;
}

GBytes *
vidgen_cachefile_read (const char *path, const VidgenCacheOwner *owner)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, &error);
  const char *fault;
  gsize size;

  if (!file)
    return NULL;
  size = g_mapped_file_get_length (file);
  if (size > MAX_BYTES)
    return NULL;
  fault = find_fault (
      (const guint8 *)g_mapped_file_get_contents (file), size, owner);
  if (fault) {
    g_debug ("%s %s and is ignored", path, fault);
    return NULL;
  }
  return g_bytes_new (
      g_mapped_file_get_contents (file) + HEAD_BYTES, size - HEAD_BYTES);
}

gboolean
vidgen_cachefile_write (const char *path, GBytes *data, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GByteArray) file = g_byte_array_new ();
  gsize size;
  const guint8 *bytes = g_bytes_get_data (data, &size);
  const guint64 stored_bytes = GUINT64_TO_LE ((guint64)size);
  guint8 sum[DIGEST_BYTES];

  if (g_mkdir_with_parents (folder, 0700)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "The folder %s cannot be made.", folder);
    return FALSE;
  }
  digest (bytes, size, sum);
  g_byte_array_append (file, (const guint8 *)MAGIC, MAGIC_BYTES);
  g_byte_array_append (file, (const guint8 *)&stored_bytes, 8);
  g_byte_array_append (file, sum, DIGEST_BYTES);
  g_byte_array_append (file, bytes, (guint)size);
  return g_file_set_contents_full (path, (const char *)file->data,
      (gssize)file->len, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}
