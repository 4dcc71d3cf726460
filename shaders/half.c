/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/half.h"

#include <math.h>

#define LARGEST_HALF 65504.0

static gint n_clamped;

double
vidgen_half_clamp (double value)
{
  const double clamped = CLAMP (value, -LARGEST_HALF, LARGEST_HALF);

  if (value != clamped && !isnan (value))
    g_atomic_int_inc (&n_clamped);
  return clamped;
}

guint16
vidgen_half_store (double value)
{
  return vidgen_half_from_float ((float)vidgen_half_clamp (value));
}

guint
vidgen_half_n_clamped (void)
{
  return (guint)g_atomic_int_get (&n_clamped);
}
