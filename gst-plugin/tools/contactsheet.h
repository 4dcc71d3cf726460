/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Pictures taken at even distances from a stream of known length, put together
 * on one sheet. The frames are taken on the streaming thread; everything else
 * belongs to the caller's.
 */
typedef struct _VidgenContactSheet VidgenContactSheet;

/* Takes from what flows through `pad` during the first `length`, beginning
 * with the first picture. The sheet
 * must outlive the flow of data. */
VidgenContactSheet *vidgen_contact_sheet_new (GstPad *pad, GstClockTime length);
void vidgen_contact_sheet_free (VidgenContactSheet *sheet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenContactSheet, vidgen_contact_sheet_free)

/* Writes what has been taken as a PNG; each picture is scaled to at most
 * `width` across, its proportions kept. */
gboolean vidgen_contact_sheet_write (
    VidgenContactSheet *sheet, guint width, const char *path, GError **error);

G_END_DECLS
