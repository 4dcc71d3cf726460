/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/names.h"

#include <math.h>
#include <string.h>

#include "models/checkpoint/file.h"

#define WRAPPER "_fsdp_wrapped_module."

struct _VidgenNames {
  VidgenCheckpoint *checkpoint;
  GHashTable *tensors;
  VidgenTranslate translate; /* may be NULL */
};

/* Longer ones first. */
static const char *const prefixes[] = { "model.diffusion_model.",
  "diffusion_model.", "model." };

/* What follows "part." in the name, or NULL. */
static const char *
skip_part (const char *name, const char *part)
{
  const gsize length = strlen (part);

  return g_str_has_prefix (name, part) && name[length] == '.'
             ? name + length + 1
             : NULL;
}

static char *
unwrap (const char *name)
{
  g_auto (GStrv) parts = g_strsplit (name, WRAPPER, -1);
  char *plain = g_strjoinv (NULL, parts);

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++) {
    const gsize length = strlen (prefixes[i]);

    if (g_str_has_prefix (plain, prefixes[i])) {
      memmove (plain, plain + length, strlen (plain) - length + 1);
      break;
    }
  }
  return plain;
}

static gboolean
add (VidgenNames *names, const VidgenTensor *tensor, const char *name,
    GError **error)
{
  g_autofree char *plain = unwrap (name);
  const VidgenTensor *other = g_hash_table_lookup (names->tensors, plain);

  if (other)
    return vidgen_file_fail (error, vidgen_checkpoint_name (names->checkpoint),
        "tensors '%s' and '%s' are both named '%s'.", other->name, tensor->name,
        plain);
  g_hash_table_insert (
      names->tensors, g_steal_pointer (&plain), (gpointer)tensor);
  return TRUE;
}

static gboolean
add_all (VidgenNames *names, const char *part, GError **error)
{
  const guint n_tensors = vidgen_checkpoint_n_tensors (names->checkpoint);

  for (guint i = 0; i < n_tensors; i++) {
    const VidgenTensor *tensor =
        vidgen_checkpoint_tensor (names->checkpoint, i);
    const char *name = part ? skip_part (tensor->name, part) : tensor->name;

    if (name && !add (names, tensor, name, error))
      return FALSE;
  }
  return g_hash_table_size (names->tensors) > 0 ||
         vidgen_file_fail (error, vidgen_checkpoint_name (names->checkpoint),
             "there are no tensors%s%s.", part ? " below " : "",
             part ? part : "");
}

VidgenNames *
vidgen_names_new (
    VidgenCheckpoint *checkpoint, const char *part, GError **error)
{
  g_autoptr (VidgenNames) names = g_new0 (VidgenNames, 1);

  names->checkpoint = vidgen_checkpoint_ref (checkpoint);
  names->tensors =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return add_all (names, part, error) ? g_steal_pointer (&names) : NULL;
}

void
vidgen_names_free (VidgenNames *names)
{
  if (!names)
    return;
  g_hash_table_unref (names->tensors);
  vidgen_checkpoint_unref (names->checkpoint);
  g_free (names);
}

void
vidgen_names_set_translate (VidgenNames *names, VidgenTranslate translate)
{
  names->translate = translate;
}

const VidgenTensor *
vidgen_names_find (const VidgenNames *names, const char *name)
{
  g_autofree char *translated =
      names->translate ? names->translate (name) : NULL;

  return g_hash_table_lookup (names->tensors, translated ? translated : name);
}

static gboolean
read_scale (const VidgenNames *names, const VidgenTensor *tensor, float *scale,
    GError **error)
{
  if (!tensor)
    return TRUE;
  if (vidgen_tensor_count (tensor) == 1)
    vidgen_tensor_read_f32 (tensor, 0, 1, scale);
  return (vidgen_tensor_count (tensor) == 1 && isfinite (*scale)) ||
         vidgen_file_fail (error, vidgen_checkpoint_name (names->checkpoint),
             "tensor '%s' is no scale: one finite value is expected.",
             tensor->name);
}

gboolean
vidgen_names_find_scale (
    const VidgenNames *names, const char *name, float *scale, GError **error)
{
  static const char *const ends[] = { ".scale_weight", ".weight_scale" };
  g_autofree char *layer = g_strdup (name);

  *scale = 1;
  *strrchr (layer, '.') = '\0';
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autofree char *beside = g_strconcat (layer, ends[i], NULL);

    if (!read_scale (names, vidgen_names_find (names, beside), scale, error))
      return FALSE;
  }
  return TRUE;
}

guint
vidgen_names_count (const VidgenNames *names)
{
  return g_hash_table_size (names->tensors);
}
