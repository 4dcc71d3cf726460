/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/select.h"

#include <string.h>

static guint
auto_rank (VidgenDeviceType type)
{
  switch (type) {
  case VIDGEN_DEVICE_DISCRETE:
    return 4;
  case VIDGEN_DEVICE_INTEGRATED:
    return 3;
  case VIDGEN_DEVICE_OTHER:
    return 2;
  case VIDGEN_DEVICE_CPU:
    return 1;
  case VIDGEN_DEVICE_HOST:
    return 0;
  }
  return 0;
}

static gint
select_auto (const VidgenDeviceCaps *caps, guint n)
{
  guint best_rank = 0;
  gint best = -1;

  for (guint i = 0; i < n; i++)
    if (auto_rank (caps[i].type) > best_rank) {
      best_rank = auto_rank (caps[i].type);
      best = (gint)i;
    }
  return best;
}

static gboolean
name_contains (const char *name, const char *part)
{
  g_autofree char *folded_name = g_utf8_casefold (name, -1);
  g_autofree char *folded_part = g_utf8_casefold (part, -1);

  return strstr (folded_name, folded_part) != NULL;
}

gint
vidgen_select_device (const VidgenDeviceCaps *caps, guint n, const char *name)
{
  guint64 index;

  if (!name || !*name || !strcmp (name, "auto"))
    return select_auto (caps, n);
  if (g_ascii_string_to_unsigned (name, 10, 0, G_MAXUINT32, &index, NULL))
    return index < n ? (gint)index : -1;
  for (guint i = 0; i < n; i++)
    if (!g_ascii_strcasecmp (caps[i].uuid, name))
      return (gint)i;
  for (guint i = 0; i < n; i++)
    if (name_contains (caps[i].name, name))
      return (gint)i;
  return -1;
}

static guint
matrix_rank (const VidgenMatrixShape *shape)
{
  const guint size = shape->m * shape->n * shape->k;
  const gboolean square = shape->m == 16 && shape->n == 16 && shape->k == 16;

  if (!size || 32 % shape->m || 32 % shape->n || 32 % shape->k)
    return 0;
  return square ? 32 * 32 * 32 + 1 : size;
}

static guint
distance (guint a, guint b)
{
  return a > b ? a - b : b - a;
}

gint
vidgen_select_matrix (const VidgenMatrixShape *shapes, guint n)
{
  gint best = -1;

  for (guint i = 0; i < n; i++) {
    const guint rank = matrix_rank (&shapes[i]);
    const guint best_rank = best < 0 ? 0 : matrix_rank (&shapes[best]);

    if (rank > best_rank || (rank && rank == best_rank &&
                                distance (shapes[i].invocations, 256) <
                                    distance (shapes[best].invocations, 256)))
      best = (gint)i;
  }
  return best;
}
