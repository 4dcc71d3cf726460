/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The directory of a zip archive whose entries are stored, not compressed
 * (zip64 included). Names and offsets are untrusted and checked. Immutable. */
typedef struct _VidgenZip VidgenZip;

/* Lives as long as its archive. */
typedef struct {
  const char *name; /* UTF-8, not empty */
  const guint8 *data;
  guint64 bytes;
  guint64 offset; /* of data in the archive */
} VidgenZipEntry;

/* `name` stands for the file in messages. Error: FORMAT (no archive, damaged,
 * an entry that is compressed or encrypted, two entries of one name). */
VidgenZip *vidgen_zip_new (GBytes *bytes, const char *name, GError **error);
void vidgen_zip_free (VidgenZip *zip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenZip, vidgen_zip_free)

guint vidgen_zip_n_entries (const VidgenZip *zip);
const VidgenZipEntry *vidgen_zip_entry (const VidgenZip *zip, guint index);
/* NULL where there is none. */
const VidgenZipEntry *vidgen_zip_find (const VidgenZip *zip, const char *name);

G_END_DECLS
