/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/mask.h"

#include <string.h>

#include "shaders/runtime/error.h"

static void
hide_matrices (VidgenDeviceCaps *caps)
{
  memset (&caps->matrix, 0, sizeof caps->matrix);
  memset (&caps->group_matrix, 0, sizeof caps->group_matrix);
}

static gboolean
limit_shared (VidgenDeviceCaps *caps, const char *word)
{
  guint64 bytes;

  if (!g_str_has_prefix (word, "shared=") ||
      !g_ascii_string_to_unsigned (
          word + strlen ("shared="), 10, 1, G_MAXUINT32, &bytes, NULL))
    return FALSE;
  caps->shared_memory_bytes = MIN (caps->shared_memory_bytes, (guint)bytes);
  return TRUE;
}

static gboolean
hide (VidgenDeviceCaps *caps, const char *word)
{
  if (!strcmp (word, "gpu"))
    caps->type = VIDGEN_DEVICE_DISCRETE;
  else if (!strcmp (word, "no-group-matrix"))
    memset (&caps->group_matrix, 0, sizeof caps->group_matrix);
  else if (!strcmp (word, "no-matrix"))
    hide_matrices (caps);
  else if (!strcmp (word, "no-ballot"))
    caps->subgroup_ballot = FALSE;
  else if (!strcmp (word, "no-shuffle"))
    caps->subgroup_shuffle = FALSE;
  else if (!strcmp (word, "no-timestamps"))
    caps->timestamp_period_ns = 0;
  else if (strcmp (word, "no-float16"))
    return limit_shared (caps, word);
  else {
    caps->float16 = FALSE;
    hide_matrices (caps);
  }
  return TRUE;
}

gboolean
vidgen_mask_caps (VidgenDeviceCaps *caps, const char *words, GError **error)
{
  g_auto (GStrv) all = g_strsplit (words ? words : "", ",", -1);

  for (guint i = 0; all[i]; i++)
    if (*all[i] && !hide (caps, all[i])) {
      g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
          "VIDGEN_MASK has the word \"%s\", which hides nothing.", all[i]);
      return FALSE;
    }
  return TRUE;
}
