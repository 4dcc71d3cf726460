/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/safetensors.h"
#include "models/mini/config.h"

G_BEGIN_DECLS

/* An encoded prompt as bytes: a head that tells the weights it was made by and
 * sums up the rest, then `rows` rows of text.size floats. Little-endian. */

#define VIDGEN_MINI_IDENTITY_BYTES 32

/* SHA-256 of what an encoded prompt depends on: the text encoder's tensors and
 * the vocabulary. */
void vidgen_mini_identify (const VidgenSafetensors *file,
    const VidgenMiniConfig *config,
    guint8 identity[VIDGEN_MINI_IDENTITY_BYTES]);

GBytes *vidgen_mini_conditioning_new (const VidgenMiniConfig *config,
    const guint8 *identity, const float *states, guint rows);
gboolean vidgen_mini_conditioning_check (const VidgenMiniConfig *config,
    const guint8 *identity, GBytes *conditioning);

/* Of a checked one. */
guint vidgen_mini_conditioning_rows (
    const VidgenMiniConfig *config, GBytes *conditioning);
const float *vidgen_mini_conditioning_states (GBytes *conditioning);

/* (1 - weight) * from + weight * to; the shorter one is filled up with its own
 * row 0. */
GBytes *vidgen_mini_conditioning_blend (const VidgenMiniConfig *config,
    const guint8 *identity, GBytes *from, GBytes *to, double weight);

G_END_DECLS
