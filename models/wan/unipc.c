/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/unipc.h"

#include <math.h>

#define MAX_ORDER 2

static double
log_ratio (double sigma)
{
  return log (1 - sigma) - log (sigma);
}

/* Fewer at the first step, which has no earlier estimate, and at the last. */
static guint
order_of (guint n_steps, guint step)
{
  return MIN (MIN (MAX_ORDER, n_steps - step), step + 1);
}

/* How far back the earlier estimate lies, in steps. */
static double
earlier_ratio (const double *sigmas, guint step)
{
  const double start = log_ratio (sigmas[step]);

  return (log_ratio (sigmas[step - 1]) - start) /
         (log_ratio (sigmas[step + 1]) - start);
}

VidgenUnipcStep
vidgen_unipc_predict (const double *sigmas, guint n_steps, guint step)
{
  const double end = sigmas[step + 1];
  VidgenUnipcStep factors = { .x = end / sigmas[step] };
  double growth;

  if (end == 0)
    return (VidgenUnipcStep){ .data = 1 };
  growth = expm1 (log_ratio (sigmas[step]) - log_ratio (end));
  factors.data = -(1 - end) * growth;
  if (order_of (n_steps, step) == MAX_ORDER) {
    factors.earlier = -(1 - end) * growth * 0.5 / earlier_ratio (sigmas, step);
    factors.data -= factors.earlier;
  }
  return factors;
}

VidgenUnipcStep
vidgen_unipc_correct (const double *sigmas, guint n_steps, guint step)
{
  const double end = sigmas[step + 1];
  const double h = log_ratio (end) - log_ratio (sigmas[step]);
  const double growth = expm1 (-h);
  const double scale = -(1 - end) * growth;
  VidgenUnipcStep factors = { .x = end / sigmas[step], .data = scale };

  if (order_of (n_steps, step) == MAX_ORDER) {
    const double ratio = earlier_ratio (sigmas, step);
    const double first = growth / -h - 1, second = first / -h - 0.5;
    const double b1 = first / growth, b2 = 2 * second / growth;
    const double rho = (b1 - b2) / (1 - ratio);

    factors.earlier = scale * rho / ratio;
    factors.later = scale * (b1 - rho);
  } else {
    factors.later = scale * 0.5;
  }
  factors.data -= factors.earlier + factors.later;
  return factors;
}
