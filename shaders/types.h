/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <math.h>

#include "shaders/half.h"
#include "shaders/runtime/recorder.h"

G_BEGIN_DECLS

/* How values are stored. Everything is computed in f32. */
typedef enum {
  VIDGEN_F32,
  VIDGEN_F16,  /* IEEE half; read in pairs, so that no 16-bit storage feature
                  is needed: a row starts at an even value */
  VIDGEN_BF16, /* the upper half of an f32, read in pairs too */
  VIDGEN_Q8_0, /* GGML's blocks, laid out as in shaders/quants.h: a row is a */
  VIDGEN_Q4_0, /* whole number of them, and one follows the other without */
  VIDGEN_Q4_K  /* padding. Only where a kernel says so. */
} VidgenType;

#define VIDGEN_TYPES 6

/* Of one value; of F32, F16 and BF16 only. */
static inline guint
vidgen_type_bytes (VidgenType type)
{
  return type == VIDGEN_F32 ? 4 : 2;
}

/* Values that are stored together: a row has a multiple of this. */
guint vidgen_type_block (VidgenType type);
/* Of `count` values, whole blocks. */
guint64 vidgen_type_size (VidgenType type, guint64 count);
const char *vidgen_type_name (VidgenType type);

/* Value `i` of an array of `type`, F32 or F16, for references and host code. */
static inline float
vidgen_type_value (VidgenType type, const void *values, gsize i)
{
  if (type == VIDGEN_F32)
    return ((const float *)values)[i];
  return vidgen_half_to_float (((const guint16 *)values)[i]);
}

/* `count` values from value `first` on, both whole blocks, as f32; exact. */
void vidgen_type_expand (VidgenType type, const void *values, guint64 first,
    guint64 count, float *expanded);

/* Groups of `size` that cover `count`. */
static inline guint
vidgen_groups (guint count, guint size)
{
  return count / size + (count % size != 0);
}

typedef enum {
  VIDGEN_LINEAR,
  VIDGEN_SILU,
  VIDGEN_GELU /* tanh form */
} VidgenActivation;

/* The epsilon of every root mean square. */
#define VIDGEN_RMS_EPSILON 1e-6f

G_END_DECLS
