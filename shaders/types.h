/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/recorder.h"

G_BEGIN_DECLS

/* How values are stored. Everything is computed in f32. */
typedef enum {
  VIDGEN_F32,
  VIDGEN_F16 /* IEEE half; read in pairs, so that no 16-bit storage feature
                is needed: a row starts at an even value */
} VidgenType;

static inline guint
vidgen_type_bytes (VidgenType type)
{
  return type == VIDGEN_F16 ? 2 : 4;
}

typedef enum {
  VIDGEN_LINEAR,
  VIDGEN_SILU,
  VIDGEN_GELU /* tanh form */
} VidgenActivation;

/* The epsilon of every root mean square. */
#define VIDGEN_RMS_EPSILON 1e-6f

G_END_DECLS
