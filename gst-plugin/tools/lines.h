/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Reads lines from standard input in the default main context, without
 * changing the modes of a terminal that other programs share. */
typedef struct _VidgenLines VidgenLines;

/* `line` has no end of line; an empty one is not reported. */
typedef void (*VidgenLineFunc) (const char *line, gpointer user_data);

/* Reads nothing where standard input is a terminal that belongs to another
 * process group, as in the background of a shell. */
VidgenLines *vidgen_lines_new (VidgenLineFunc func, gpointer user_data);
void vidgen_lines_free (VidgenLines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenLines, vidgen_lines_free)

G_END_DECLS
