/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/elements/holdings.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

guint
holdings_count_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (dir && g_dir_read_name (dir))
    n++;
  return n;
}

Holdings
holdings_now (void)
{
  const guint idle = g_thread_pool_get_num_unused_threads ();
  const struct mallinfo2 heap = mallinfo2 ();
  Holdings now = { holdings_count_files ("/proc/self/fd"),
    holdings_count_files ("/proc/self/task") - idle, 0,
    heap.uordblks + heap.hblkhd };
  g_autofree char *text = NULL;
  gulong pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*u %lu", &pages);
  now.resident_bytes = pages * (gsize)sysconf (_SC_PAGESIZE);
  return now;
}

Holdings
holdings_settled (guint threads)
{
  const gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;
  Holdings now = holdings_now ();

  while (now.threads > threads && g_get_monotonic_time () < end) {
    g_usleep (G_USEC_PER_SEC / 50);
    now = holdings_now ();
  }
  return now;
}
