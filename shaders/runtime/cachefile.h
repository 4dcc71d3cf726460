/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The file of a pipeline cache: a head of ours with size and SHA-256 of what
 * follows, then the driver's data. Drivers trust their data, so nothing that
 * is damaged or another driver's may reach them. Pure but for the file. */

/* What the driver's own header must say. */
typedef struct {
  guint32 vendor, device;
  guint8 uuid[16];
} VidgenCacheOwner;

/* The driver's data, or NULL when there is no such file, or it is damaged or
 * foreign (logged at debug level). */
GBytes *vidgen_cachefile_read (const char *path, const VidgenCacheOwner *owner);

/* Writes the file whole and renames it into place, making its folder. */
gboolean vidgen_cachefile_write (
    const char *path, GBytes *data, GError **error);

G_END_DECLS
