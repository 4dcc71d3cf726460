/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/family.h"

G_BEGIN_DECLS

/* The embedded family; its file format and mathematics are in
 * models/mini/FORMAT.md. */
extern const VidgenFamily vidgen_mini_family;

/* The name under which weights are linked in, or NULL. */
const char *vidgen_mini_embedded_name (void);

G_END_DECLS
