/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/history.h"

typedef struct {
  guint64 chunk;
  GBytes *from; /* NULL: at once */
  GBytes *to;
  guint blend_chunks;
} Prompt;

typedef struct {
  guint64 chunk;
  double value;
} Setting;

struct _VidgenHistory {
  GArray *prompts;  /* Prompt, by chunk */
  GArray *steps;    /* Setting, by chunk */
  GArray *guidance; /* Setting, by chunk */
};

static void
clear_prompt (gpointer data)
{
  Prompt *prompt = data;

  g_clear_pointer (&prompt->from, g_bytes_unref);
  g_clear_pointer (&prompt->to, g_bytes_unref);
}

VidgenHistory *
vidgen_history_new (void)
{
  VidgenHistory *history = g_new0 (VidgenHistory, 1);

  history->prompts = g_array_new (FALSE, FALSE, sizeof (Prompt));
  history->steps = g_array_new (FALSE, FALSE, sizeof (Setting));
  history->guidance = g_array_new (FALSE, FALSE, sizeof (Setting));
  g_array_set_clear_func (history->prompts, clear_prompt);
  return history;
}

void
vidgen_history_free (VidgenHistory *history)
{
  if (!history)
    return;
  g_array_unref (history->prompts);
  g_array_unref (history->steps);
  g_array_unref (history->guidance);
  g_free (history);
}

/* The newest prompt at or before `chunk`. */
static const Prompt *
prompt_at (const VidgenHistory *history, guint64 chunk)
{
  guint i = history->prompts->len;

  while (i > 1 && g_array_index (history->prompts, Prompt, i - 1).chunk > chunk)
    i--;
  return i ? &g_array_index (history->prompts, Prompt, i - 1) : NULL;
}

static gboolean
blends_at (const Prompt *prompt, guint64 chunk)
{
  return prompt->from && chunk - prompt->chunk < prompt->blend_chunks;
}

gboolean
vidgen_history_blends (const VidgenHistory *history, guint64 chunk)
{
  return blends_at (prompt_at (history, chunk), chunk);
}

GBytes *
vidgen_history_conditioning (
    const VidgenHistory *history, VidgenModel *model, guint64 chunk)
{
  const Prompt *prompt = prompt_at (history, chunk);
  const guint64 done = chunk - prompt->chunk + 1;

  if (!blends_at (prompt, chunk))
    return g_bytes_ref (prompt->to);
  return model->family->blend (model, prompt->from, prompt->to,
      (double)done / ((double)prompt->blend_chunks + 1));
}

gboolean
vidgen_history_prompt_starts (const VidgenHistory *history, guint64 chunk)
{
  return prompt_at (history, chunk)->chunk == chunk;
}

void
vidgen_history_set_conditioning (VidgenHistory *history, VidgenModel *model,
    guint64 chunk, GBytes *conditioning, guint blend_chunks)
{
  Prompt prompt = { chunk, NULL, g_bytes_ref (conditioning), blend_chunks };
  guint len = history->prompts->len;

  while (
      len && g_array_index (history->prompts, Prompt, len - 1).chunk >= chunk)
    len--;
  g_array_set_size (history->prompts, len);
  if (len && blend_chunks)
    prompt.from = vidgen_history_conditioning (history, model, chunk - 1);
  g_array_append_val (history->prompts, prompt);
}

static void
set (GArray *settings, guint64 chunk, double value)
{
  const Setting setting = { chunk, value };
  guint len = settings->len;

  while (len && g_array_index (settings, Setting, len - 1).chunk >= chunk)
    len--;
  g_array_set_size (settings, len);
  if (!len || g_array_index (settings, Setting, len - 1).value != value)
    g_array_append_val (settings, setting);
}

static double
get (const GArray *settings, guint64 chunk)
{
  guint i = settings->len;

  while (i > 1 && g_array_index (settings, Setting, i - 1).chunk > chunk)
    i--;
  return g_array_index (settings, Setting, i - 1).value;
}

void
vidgen_history_set_steps (VidgenHistory *history, guint64 chunk, guint steps)
{
  set (history->steps, chunk, steps);
}

void
vidgen_history_set_guidance (
    VidgenHistory *history, guint64 chunk, double scale)
{
  set (history->guidance, chunk, scale);
}

/* Every change begins with the chunk at which it took effect. */
static void
forget_before (GArray *changes, guint64 chunk)
{
  const guint size = g_array_get_element_size (changes);
  guint n = 0;

  while (n + 1 < changes->len &&
         *(const guint64 *)(changes->data + (n + 1) * size) <= chunk)
    n++;
  if (n > 0)
    g_array_remove_range (changes, 0, n);
}

void
vidgen_history_forget_before (VidgenHistory *history, guint64 chunk)
{
  forget_before (history->prompts, chunk);
  forget_before (history->steps, chunk);
  forget_before (history->guidance, chunk);
}

guint
vidgen_history_length (const VidgenHistory *history)
{
  return history->prompts->len + history->steps->len + history->guidance->len;
}

guint
vidgen_history_steps (const VidgenHistory *history, guint64 chunk)
{
  return (guint)get (history->steps, chunk);
}

double
vidgen_history_guidance (const VidgenHistory *history, guint64 chunk)
{
  return get (history->guidance, chunk);
}
