/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The size in bytes of the extended grapheme cluster that begins `length` > 0
 * bytes of UTF-8, which begin at a cluster's border: Unicode Standard Annex 29,
 * rules GB3 to GB13, with the properties of Unicode 17. */
gsize vidgen_grapheme_bytes (const char *text, gsize length);

G_END_DECLS
