/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/family.h"

G_BEGIN_DECLS

/* Wan2.1-T2V and its causal few-step students, from published checkpoints; see
 * models/wan/parts.h for what is looked for and models/wan/preset.h for how it
 * is used. */
extern const VidgenFamily vidgen_wan_family;

G_END_DECLS
