/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/conditioning-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "VIDGENCO"
#define DIGEST_BYTES 32

typedef struct {
  char magic[8];
  guint8 sum[DIGEST_BYTES]; /* SHA-256 of the key and what follows */
} Head;

/* With its end, so that no two rows of texts are alike. */
static void
add_text (GChecksum *checksum, const char *text)
{
  g_checksum_update (checksum, (const guchar *)text, (gssize)strlen (text) + 1);
}

char *
vidgen_conditioning_cache_key (const char *family, const char *identity,
    const char *prompt, const char *negative)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  add_text (checksum, family);
  add_text (checksum, identity);
  add_text (checksum, prompt);
  if (negative)
    add_text (checksum, negative);
  return g_strdup (g_checksum_get_string (checksum));
}

static void
sum_up (
    const char *key, const guint8 *data, gsize size, guint8 sum[DIGEST_BYTES])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = DIGEST_BYTES;

  add_text (checksum, key);
  g_checksum_update (checksum, data, (gssize)size);
  g_checksum_get_digest (checksum, sum, &length);
}

GBytes *
vidgen_conditioning_cache_seal (const char *key, GBytes *data)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (data, &size);
  guint8 *file = g_malloc (sizeof (Head) + size);
  Head *head = (Head *)file;

  memcpy (head->magic, MAGIC, sizeof head->magic);
  sum_up (key, bytes, size, head->sum);
  if (size > 0)
    memcpy (file + sizeof *head, bytes, size);
  return g_bytes_new_take (file, sizeof *head + size);
}

GBytes *
vidgen_conditioning_cache_open (const char *key, GBytes *file)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (file, &size);
  guint8 sum[DIGEST_BYTES];
  Head head;

  if (size < sizeof head)
    return NULL;
  memcpy (&head, bytes, sizeof head);
  sum_up (key, bytes + sizeof head, size - sizeof head, sum);
  if (memcmp (head.magic, MAGIC, sizeof head.magic) ||
      memcmp (head.sum, sum, sizeof sum))
    return NULL;
  return g_bytes_new_from_bytes (file, sizeof head, size - sizeof head);
}

static gboolean
read_whole (int descriptor, guint8 *to, gsize size)
{
  while (size > 0) {
    const gssize got = read (descriptor, to, size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return FALSE;
    to += got;
    size -= (gsize)got;
  }
  return TRUE;
}

/* Of regular files of a fair size only. */
static GBytes *
read_descriptor (int descriptor)
{
  struct stat about;

  if (fstat (descriptor, &about) || !S_ISREG (about.st_mode) ||
      about.st_size <= 0 ||
      (guint64)about.st_size > VIDGEN_CONDITIONING_CACHE_BYTES)
    return NULL;
  guint8 *bytes = g_try_malloc ((gsize)about.st_size);
  if (!bytes || !read_whole (descriptor, bytes, (gsize)about.st_size)) {
    g_free (bytes);
    return NULL;
  }
  return g_bytes_new_take (bytes, (gsize)about.st_size);
}

GBytes *
vidgen_conditioning_cache_read (const char *folder, const char *key)
{
  g_autofree char *path = g_build_filename (folder, key, NULL);
  const int descriptor = g_open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  GBytes *data = NULL;

  if (descriptor < 0)
    return NULL;
  g_autoptr (GBytes) file = read_descriptor (descriptor);
  if (file)
    data = vidgen_conditioning_cache_open (key, file);
  if (data)
    futimens (descriptor, NULL);
  else
    g_debug ("%s is no encoded prompt and is ignored", path);
  close (descriptor);
  return data;
}

typedef struct {
  char *path;
  guint64 bytes;
  gint64 used_ns;
} Entry;

static void
clear_entry (gpointer data)
{
  g_free (((Entry *)data)->path);
}

static int
compare_use (gconstpointer a, gconstpointer b)
{
  const Entry *first = a, *second = b;

  return (first->used_ns > second->used_ns) -
         (first->used_ns < second->used_ns);
}

/* What lies in the folder, whatever it is: a write that was cut off counts. */
static GArray *
list_files (const char *folder)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;

  g_array_set_clear_func (entries, clear_entry);
  while (dir && (name = g_dir_read_name (dir))) {
    Entry entry = { .path = g_build_filename (folder, name, NULL) };
    GStatBuf about;
    if (g_lstat (entry.path, &about) || !S_ISREG (about.st_mode)) {
      g_free (entry.path);
      continue;
    }
    entry.bytes = (guint64)about.st_size;
    entry.used_ns =
        (gint64)about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec;
    g_array_append_val (entries, entry);
  }
  if (dir)
    g_dir_close (dir);
  return entries;
}

static void
make_room (const char *folder, guint64 max_bytes)
{
  g_autoptr (GArray) entries = list_files (folder);
  guint64 bytes = 0;

  for (guint i = 0; i < entries->len; i++)
    bytes += g_array_index (entries, Entry, i).bytes;
  g_array_sort (entries, compare_use);
  for (guint i = 0; i < entries->len && bytes > max_bytes; i++) {
    const Entry *entry = &g_array_index (entries, Entry, i);
    if (g_unlink (entry->path) == 0)
      bytes -= entry->bytes;
  }
}

void
vidgen_conditioning_cache_write (
    const char *folder, const char *key, GBytes *data, guint64 max_bytes)
{
  g_autofree char *path = g_build_filename (folder, key, NULL);
  g_autoptr (GBytes) file = vidgen_conditioning_cache_seal (key, data);
  g_autoptr (GError) error = NULL;
  gsize size;
  const char *bytes = g_bytes_get_data (file, &size);

  if (size > max_bytes / 4)
    return;
  if (g_mkdir_with_parents (folder, 0700)) {
    g_debug ("the folder %s cannot be made", folder);
    return;
  }
  make_room (folder, max_bytes - size);
  if (!g_file_set_contents_full (path, bytes, (gssize)size,
          G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    g_debug ("%s", error->message);
}
