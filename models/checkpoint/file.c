/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "shaders/runtime/error.h"

static gboolean
check_is_file (const char *path, GError **error)
{
  GStatBuf about;

  if (g_stat (path, &about) != 0) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
        "The file '%s' cannot be opened: %s.", path, g_strerror (errno));
    return FALSE;
  }
  if (!S_ISREG (about.st_mode)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
        "'%s' is not a file.", path);
    return FALSE;
  }
  return TRUE;
}

GBytes *
vidgen_file_map (const char *path, GError **error)
{
  g_autoptr (GMappedFile) mapping = NULL;
  g_autoptr (GError) bad = NULL;

  if (!check_is_file (path, error))
    return NULL;
  mapping = g_mapped_file_new (path, FALSE, &bad);
  if (!mapping) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
        "The file '%s' cannot be opened: %s.", path, bad->message);
    return NULL;
  }
  return g_mapped_file_get_bytes (mapping);
}

char *
vidgen_file_key (const char *path)
{
  GStatBuf about;

  if (g_stat (path, &about) != 0)
    return g_strconcat ("name:", path, NULL);
  return g_strdup_printf ("file:%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT
                          ":%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT ".%09ld",
      (guint64)about.st_dev, (guint64)about.st_ino, (gint64)about.st_size,
      (gint64)about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
}

gboolean
vidgen_file_fail (GError **error, const char *file, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (
      error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT, "'%s': %s", file, message);
  return FALSE;
}
