/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/names.h"

#include <string.h>

#include "models/checkpoint/file.h"

#define WRAPPER "_fsdp_wrapped_module."

struct _VidgenNames {
  VidgenCheckpoint *checkpoint;
  GHashTable *tensors;
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
  const VidgenTensor *other = vidgen_names_find (names, plain);

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

const VidgenTensor *
vidgen_names_find (const VidgenNames *names, const char *name)
{
  return g_hash_table_lookup (names->tensors, name);
}

guint
vidgen_names_count (const VidgenNames *names)
{
  return g_hash_table_size (names->tensors);
}
