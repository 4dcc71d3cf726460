/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A prompt as Wan2.1 hands it to its tokenizer: ftfy's fix_text, HTML's
 * character references resolved twice, every run of whitespace one space, none
 * at either end. Bytes that are not UTF-8 become U+FFFD.
 *
 * Of ftfy 6.3 all is here but the search for text that was decoded by the wrong
 * encoding ("mojibake", as in "sÃ³"): such text stays as it is. NFC is
 * that of GLib's version of Unicode.
 */
char *vidgen_clean_text (const char *text);

G_END_DECLS
