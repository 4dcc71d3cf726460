/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* An encoded prompt of the family as bytes: a head that tells the text encoder
 * it was made by and sums up the rest, then the rows of the prompt and those of
 * the prompt that is guided away from, of `size` floats each. Little-endian. No
 * rows at all is what the network sees as text of zeros: no prompt. The empty
 * prompt has a row, that of the text's end. */

#define VIDGEN_WAN_IDENTITY_BYTES 32

typedef struct {
  const float *states;
  guint rows;
} VidgenWanPrompt;

/* `identity` may be NULL: not known. */
GBytes *vidgen_wan_conditioning_new (const guint8 *identity, guint size,
    VidgenWanPrompt prompt, VidgenWanPrompt negative);

/* Whether the bytes are such, undamaged, of `size` floats a row and at most
 * `max_rows` rows a prompt; made by the encoder `identity` where both that and
 * the bytes' own are known. */
gboolean vidgen_wan_conditioning_check (
    GBytes *conditioning, const guint8 *identity, guint size, guint max_rows);

/* The prompt 0, or 1, of a checked one. */
VidgenWanPrompt vidgen_wan_conditioning_prompt (
    GBytes *conditioning, guint index);

/* (1 - weight) * from + weight * to of checked ones of `size` floats a row; the
 * shorter one is filled up with zeros, as the network does. */
GBytes *vidgen_wan_conditioning_blend (
    guint size, GBytes *from, GBytes *to, double weight);

G_END_DECLS
