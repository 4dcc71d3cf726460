/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the process holds. Threads that wait idly in GLib's pool, which lets
 * them go when they have done so for a while, do not count. */
typedef struct {
  guint descriptors, threads;
  gsize resident_bytes;
  gsize allocated_bytes; /* of the heap, now: whatever it was at most */
} Holdings;

Holdings holdings_now (void);
/* The same once there are at most so many threads, or after ten seconds: a
 * thread of the pool counts until it has had nothing to do for half a second.
 */
Holdings holdings_settled (guint threads);
/* The files of a folder; 0 where there is none. */
guint holdings_count_files (const char *folder);

G_END_DECLS
