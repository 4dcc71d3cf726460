/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/names.h"

#include <string.h>

#include "models/checkpoint/file.h"

#define BLOCKS "blocks."

typedef struct {
  const char *original, *diffusers;
} Pair;

/* Of whole names and of what names begin with up to a dot. */
static const Pair top[] = {
  { "text_embedding.0", "condition_embedder.text_embedder.linear_1" },
  { "text_embedding.2", "condition_embedder.text_embedder.linear_2" },
  { "time_embedding.0", "condition_embedder.time_embedder.linear_1" },
  { "time_embedding.2", "condition_embedder.time_embedder.linear_2" },
  { "time_projection.1", "condition_embedder.time_proj" },
  { "head.modulation", "scale_shift_table" },
  { "head.head", "proj_out" },
};

/* The same of what follows "blocks.N.". */
static const Pair in_block[] = {
  { "modulation", "scale_shift_table" },
  { "norm2", "norm3" },
  { "norm3", "norm2" },
  { "self_attn.q", "attn1.to_q" },
  { "self_attn.k", "attn1.to_k" },
  { "self_attn.v", "attn1.to_v" },
  { "self_attn.o", "attn1.to_out.0" },
  { "self_attn", "attn1" },
  { "cross_attn.q", "attn2.to_q" },
  { "cross_attn.k", "attn2.to_k" },
  { "cross_attn.v", "attn2.to_v" },
  { "cross_attn.o", "attn2.to_out.0" },
  { "cross_attn", "attn2" },
  { "ffn.0", "ffn.net.0.proj" },
  { "ffn.2", "ffn.net.2" },
};

static char *
translate (const Pair *pairs, guint n_pairs, const char *start, gsize length,
    const char *name)
{
  for (guint i = 0; i < n_pairs; i++) {
    const gsize size = strlen (pairs[i].original);

    if (g_str_has_prefix (name, pairs[i].original) &&
        (name[size] == '.' || name[size] == '\0'))
      return g_strdup_printf (
          "%.*s%s%s", (int)length, start, pairs[i].diffusers, name + size);
  }
  return g_strdup_printf ("%.*s%s", (int)length, start, name);
}

char *
vidgen_wan_names_in_diffusers (const char *name)
{
  const char *rest = g_str_has_prefix (name, BLOCKS)
                         ? strchr (name + strlen (BLOCKS), '.')
                         : NULL;

  if (!rest)
    return translate (top, G_N_ELEMENTS (top), name, 0, name);
  rest++;
  return translate (
      in_block, G_N_ELEMENTS (in_block), name, (gsize)(rest - name), rest);
}

static gboolean
is_original (const VidgenNames *names)
{
  return vidgen_names_find (names, "head.modulation") &&
         vidgen_names_find (names, "time_projection.1.weight");
}

static gboolean
is_diffusers (const VidgenNames *names)
{
  return vidgen_names_find (names, "scale_shift_table") &&
         vidgen_names_find (names, "condition_embedder.time_proj.weight");
}

VidgenNames *
vidgen_wan_names_new (
    VidgenCheckpoint *checkpoint, const char *part, GError **error)
{
  g_autoptr (VidgenNames) names = vidgen_names_new (checkpoint, part, error);

  if (!names)
    return NULL;
  if (is_original (names))
    return g_steal_pointer (&names);
  if (is_diffusers (names)) {
    vidgen_names_set_translate (names, vidgen_wan_names_in_diffusers);
    return g_steal_pointer (&names);
  }
  vidgen_file_fail (error, vidgen_checkpoint_name (checkpoint),
      "there is no transformer of Wan%s%s.", part ? " below " : "",
      part ? part : "");
  return NULL;
}

const char *
vidgen_wan_names_part (VidgenCheckpoint *checkpoint, const char *preferred)
{
  const char *const parts[] = { preferred, "generator_ema", "generator", "",
    "model" };

  for (guint i = preferred ? 0 : 1; i < G_N_ELEMENTS (parts); i++) {
    g_autoptr (VidgenNames) names =
        vidgen_wan_names_new (checkpoint, *parts[i] ? parts[i] : NULL, NULL);

    if (names)
      return parts[i];
  }
  return NULL;
}
