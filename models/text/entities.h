/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Character references of HTML in text: "&amp;", "&#38;". Usable from any
 * thread. */

/* All that a browser would take, "&ampx" included, as Python's html.unescape
 * does. */
char *vidgen_entities_unescape (const char *text);

/* Only what is meant as one beyond doubt, as ftfy does: ended by ";", and names
 * that somebody has put in capitals. */
char *vidgen_entities_unescape_plain (const char *text);

G_END_DECLS
