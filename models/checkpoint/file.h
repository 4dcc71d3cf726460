/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The file's bytes, memory-mapped: it is not to be shortened while they live.
 * Error: NOT_FOUND (missing, a folder, unreadable). */
GBytes *vidgen_file_map (const char *path, GError **error);

/* What stands for a file's content, so far as that can be told without reading
 * it; free it. */
char *vidgen_file_key (const char *path);

/* Sets FORMAT, "'file': …". Returns FALSE. */
gboolean vidgen_file_fail (GError **error, const char *file, const char *format,
    ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS
