/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/family.h"

GArray *
vidgen_model_published (void)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (VidgenPublished));
  const VidgenFamily *family;

  for (guint i = 0; (family = vidgen_model_family (i)); i++) {
    if (family->list_published)
      family->list_published (list);
  }
  return list;
}

static void
tell_format (const VidgenModel *model, guint scale, GString *report)
{
  const VidgenModelInfo *info = vidgen_model_info (model);
  VidgenFormat format = info->native;
  g_autofree char *memory = NULL;

  format.width *= scale;
  format.height *= scale;
  memory = g_format_size (vidgen_model_memory_needed (model, &format));
  g_string_append_printf (report,
      "'%s' of the family %s can be played: %u x %u at %.4g frames a second "
      "need %s of device memory.\n",
      info->name, info->family, format.width, format.height,
      (double)format.fps_n / format.fps_d, memory);
}

static void
tell_formats (const VidgenModel *model, GString *report)
{
  static const guint native[] = { 1, 0 };
  const guint *scale = vidgen_model_info (model)->scales;

  for (scale = scale ? scale : native; *scale; scale++)
    tell_format (model, *scale, report);
}

char *
vidgen_model_check (const char *location, gboolean *playable)
{
  g_autoptr (GString) report = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenModel) model = NULL;
  const VidgenFamily *family;

  for (guint i = 0; (family = vidgen_model_family (i)); i++) {
    if (family->tell_files)
      family->tell_files (location, report);
  }
  model = vidgen_model_open (location, &error);
  if (model)
    tell_formats (model, report);
  else
    g_string_append_printf (report, "Cannot be played. %s\n", error->message);
  *playable = model != NULL;
  return g_string_free (g_steal_pointer (&report), FALSE);
}
