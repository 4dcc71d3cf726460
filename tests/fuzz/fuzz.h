/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* A target: parses `size` bytes. Must return 0; ends the program on a wrong
 * result. The name is libFuzzer's, which calls it as well. */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

G_END_DECLS
