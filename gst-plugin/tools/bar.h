/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A line of progress on standard error: drawn over itself on a terminal,
 * elsewhere one line for every quarter. Belongs to one thread.
 */
typedef struct _VidgenBar VidgenBar;

VidgenBar *vidgen_bar_new (void);
/* Clears it first. */
void vidgen_bar_free (VidgenBar *bar);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenBar, vidgen_bar_free)

/* `fraction` is 0..1; less than 0: not known, shown on a
 * terminal only. */
void vidgen_bar_show (VidgenBar *bar, const char *label, double fraction);
/* Makes room for other output. */
void vidgen_bar_clear (VidgenBar *bar);

G_END_DECLS
