/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/tools/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

#define MAX_LINE_BYTES (1 << 20)

struct _VidgenLines {
  VidgenLineFunc func;
  gpointer user_data;
  guint source;
  GString *text;
};

static void
report_lines (VidgenLines *lines, gboolean last)
{
  char *start = lines->text->str;
  char *end;

  while ((end = strchr (start, '\n'))) {
    *end = 0;
    g_strchomp (start);
    if (*start)
      lines->func (start, lines->user_data);
    start = end + 1;
  }
  if (last && *start)
    lines->func (start, lines->user_data);
  g_string_erase (lines->text, 0, start - lines->text->str);
}

static gboolean
read_some (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  VidgenLines *lines = user_data;
  char bytes[4096];
  gssize n = read (fd, bytes, sizeof bytes);

  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return G_SOURCE_CONTINUE;
  for (gssize i = 0; i < n; i++)
    if (bytes[i])
      g_string_append_c (lines->text, bytes[i]);
  report_lines (lines, n <= 0);
  if (n > 0 && lines->text->len < MAX_LINE_BYTES)
    return G_SOURCE_CONTINUE;
  lines->source = 0;
  return G_SOURCE_REMOVE;
}

VidgenLines *
vidgen_lines_new (VidgenLineFunc func, gpointer user_data)
{
  VidgenLines *lines = g_new0 (VidgenLines, 1);
  gboolean background =
      isatty (STDIN_FILENO) && tcgetpgrp (STDIN_FILENO) != getpgrp ();

  lines->func = func;
  lines->user_data = user_data;
  lines->text = g_string_new (NULL);
  if (!background)
    lines->source = g_unix_fd_add (
        STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, read_some, lines);
  return lines;
}

void
vidgen_lines_free (VidgenLines *lines)
{
  if (!lines)
    return;
  if (lines->source)
    g_source_remove (lines->source);
  g_string_free (lines->text, TRUE);
  g_free (lines);
}
