/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/model.h"

static gboolean
in_range (const VidgenRange *range, guint value)
{
  return value >= range->min && value <= range->max &&
         (range->step == 0 || (value - range->min) % range->step == 0);
}

gboolean
vidgen_model_makes_size (const VidgenModelInfo *info, guint width, guint height)
{
  const VidgenFormat *native = &info->native;

  if (!info->scales)
    return in_range (&info->width, width) && in_range (&info->height, height);
  for (const guint *scale = info->scales; *scale; scale++)
    if (width == *scale * native->width && height == *scale * native->height)
      return TRUE;
  return FALSE;
}

static void
tell_range (const VidgenRange *range, GString *text)
{
  g_string_append_printf (text, "%u", range->min);
  if (range->max > range->min)
    g_string_append_printf (text, " to %u", range->max);
  if (range->max > range->min && range->step > 1)
    g_string_append_printf (text, " in steps of %u", range->step);
}

char *
vidgen_model_tell_sizes (const VidgenModelInfo *info)
{
  const VidgenFormat *native = &info->native;
  GString *text = g_string_new (NULL);

  for (const guint *scale = info->scales; scale && *scale; scale++)
    g_string_append_printf (text, "%s%u x %u",
        scale == info->scales ? "" : " or ", *scale * native->width,
        *scale * native->height);
  if (!info->scales) {
    tell_range (&info->width, text);
    g_string_append (text, " x ");
    tell_range (&info->height, text);
  }
  return g_string_free (text, FALSE);
}
