/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/tools/bar.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_CELLS 32

struct _VidgenBar {
  gboolean terminal;
  gboolean drawn;
  char *label;
  int quarter;
};

VidgenBar *
vidgen_bar_new (void)
{
  VidgenBar *bar = g_new0 (VidgenBar, 1);

  bar->terminal = isatty (STDERR_FILENO);
  return bar;
}

void
vidgen_bar_free (VidgenBar *bar)
{
  if (!bar)
    return;
  vidgen_bar_clear (bar);
  g_free (bar->label);
  g_free (bar);
}

static void
draw (VidgenBar *bar, const char *label, double fraction)
{
  char cells[BAR_CELLS + 1];
  int full = (int)(fraction * BAR_CELLS + 0.5);

  for (int i = 0; i < BAR_CELLS; i++)
    cells[i] = i < full ? '#' : '.';
  cells[BAR_CELLS] = 0;
  if (fraction < 0)
    fprintf (stderr, "\r\033[K%s", label);
  else
    fprintf (
        stderr, "\r\033[K%-12s [%s] %3.0f %%", label, cells, fraction * 100);
  fflush (stderr);
  bar->drawn = TRUE;
}

static void
print (VidgenBar *bar, const char *label, double fraction)
{
  int quarter = (int)(fraction * 4);

  if (g_strcmp0 (bar->label, label) == 0 && quarter <= bar->quarter)
    return;
  g_free (bar->label);
  bar->label = g_strdup (label);
  bar->quarter = quarter;
  fprintf (stderr, "%s: %.0f %%\n", label, fraction * 100);
}

void
vidgen_bar_show (VidgenBar *bar, const char *label, double fraction)
{
  fraction = MIN (fraction, 1);
  if (bar->terminal)
    draw (bar, label, fraction);
  else if (fraction >= 0)
    print (bar, label, fraction);
}

void
vidgen_bar_clear (VidgenBar *bar)
{
  if (bar->drawn)
    fputs ("\r\033[K", stderr);
  bar->drawn = FALSE;
}
