/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* The product of two arrays, value by value, as gated linear units take it
 * (Shazeer, "GLU Variants Improve Transformer", 2020):
 *
 *   out[i][j] = a[i][j] * b[i][j]
 *
 * All are dense f32 [rows][size]; size is a multiple of 4, addresses are
 * multiples of 16 bytes. out may be a or b.
 */
typedef struct {
  guint rows, size;
  VidgenSpan a;
  VidgenSpan b;
  VidgenSpan out;
} VidgenMultiply;

void vidgen_multiply (VidgenRecorder *recorder, const VidgenMultiply *multiply);
void vidgen_multiply_reference (const VidgenMultiply *multiply);

G_END_DECLS
