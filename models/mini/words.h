/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The next word of `*text` as models/mini/FORMAT.md section 2 parts it, in
 * lower case; moves `*text` behind it. FALSE: there is none. Any bytes up to
 * the NUL are taken. */
gboolean vidgen_mini_next_word (const char **text, GString *word);

G_END_DECLS
