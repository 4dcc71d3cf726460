/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* f32 values as halves, rounded to nearest, what is beyond 65504 becoming that:
 * out[i][j] = x[i][j].
 *
 * x is f32, out F16, both dense [rows][size]; size is a multiple of 4,
 * addresses are multiples of 16 bytes. out does not overlap x.
 */
typedef struct {
  guint rows, size;
  VidgenSpan x;
  VidgenSpan out;
} VidgenConvert;

void vidgen_convert (VidgenRecorder *recorder, const VidgenConvert *convert);
void vidgen_convert_reference (const VidgenConvert *convert);

G_END_DECLS
