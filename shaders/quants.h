/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Expands `n_blocks` blocks as GGML lays them out; exact to the reference, for
 * every product fits a float and only the last sum rounds. Blocks of Q4_0,
 * Q4_1, Q5_0, Q5_1 and Q8_0 have 32 values, those of the K types 256.
 * Algorithm: ggml's documentation of its block formats. */
void vidgen_q4_0_expand (const guint8 *blocks, gsize n_blocks, float *values);
void vidgen_q4_1_expand (const guint8 *blocks, gsize n_blocks, float *values);
void vidgen_q5_0_expand (const guint8 *blocks, gsize n_blocks, float *values);
void vidgen_q5_1_expand (const guint8 *blocks, gsize n_blocks, float *values);
void vidgen_q8_0_expand (const guint8 *blocks, gsize n_blocks, float *values);
void vidgen_q4_k_expand (const guint8 *blocks, gsize n_blocks, float *values);
void vidgen_q5_k_expand (const guint8 *blocks, gsize n_blocks, float *values);
void vidgen_q6_k_expand (const guint8 *blocks, gsize n_blocks, float *values);

#define VIDGEN_Q4_0_BYTES 18
#define VIDGEN_Q4_1_BYTES 20
#define VIDGEN_Q5_0_BYTES 22
#define VIDGEN_Q5_1_BYTES 24
#define VIDGEN_Q8_0_BYTES 34
#define VIDGEN_Q4_K_BYTES 144
#define VIDGEN_Q5_K_BYTES 176
#define VIDGEN_Q6_K_BYTES 210

G_END_DECLS
