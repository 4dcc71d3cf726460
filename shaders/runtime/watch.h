/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/recorder.h"

G_BEGIN_DECLS

/* Runs the launch's reference under watch, as vidgen_device_watch() says.
 * Errors: INVALID, naming the kernel and what it wrote without saying so. */
gboolean vidgen_watch_reference (
    const VidgenDispatch *dispatch, gboolean compare, GError **error);

/* Whether undeclared accesses are reported by AddressSanitizer. */
gboolean vidgen_watch_has_sanitizer (void);

G_END_DECLS
