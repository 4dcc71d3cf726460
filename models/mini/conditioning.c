/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/conditioning.h"

#include <math.h>
#include <string.h>

#define MAGIC "VGMINI01"

typedef struct {
  char magic[8];
  guint8 identity[VIDGEN_MINI_IDENTITY_BYTES];
  guint8 sum[VIDGEN_MINI_IDENTITY_BYTES]; /* SHA-256 of the states */
} Head;

void
vidgen_mini_identify (const VidgenSafetensors *file,
    const VidgenMiniConfig *config, guint8 identity[VIDGEN_MINI_IDENTITY_BYTES])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  const guint heads = config->text.heads, buckets = config->text.buckets;
  gsize length = VIDGEN_MINI_IDENTITY_BYTES;

  g_checksum_update (checksum, (const guchar *)&heads, sizeof heads);
  g_checksum_update (checksum, (const guchar *)&buckets, sizeof buckets);
  for (guint i = 0; i < config->text.n_vocabulary; i++)
    g_checksum_update (checksum, (const guchar *)config->text.vocabulary[i],
        strlen (config->text.vocabulary[i]) + 1);
  for (guint i = 0; i < vidgen_safetensors_n_tensors (file); i++) {
    const VidgenTensor *tensor = vidgen_safetensors_tensor (file, i);

    if (!g_str_has_prefix (tensor->name, "text."))
      continue;
    g_checksum_update (
        checksum, (const guchar *)tensor->name, strlen (tensor->name) + 1);
    for (guint64 done = 0; done < tensor->bytes;) {
      const guint64 part = MIN (tensor->bytes - done, 1u << 30);
      g_checksum_update (checksum, tensor->data + done, (gssize)part);
      done += part;
    }
  }
  g_checksum_get_digest (checksum, identity, &length);
}

static void
sum_up (const void *states, gsize bytes, guint8 sum[VIDGEN_MINI_IDENTITY_BYTES])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = VIDGEN_MINI_IDENTITY_BYTES;

  g_checksum_update (checksum, states, (gssize)bytes);
  g_checksum_get_digest (checksum, sum, &length);
}

/* The states follow the head. Takes `data`. */
static GBytes *
seal (guint8 *data, gsize bytes, const guint8 *identity)
{
  Head *head = (Head *)data;

  memcpy (head->magic, MAGIC, sizeof head->magic);
  memcpy (head->identity, identity, sizeof head->identity);
  sum_up (data + sizeof *head, bytes - sizeof *head, head->sum);
  return g_bytes_new_take (data, bytes);
}

GBytes *
vidgen_mini_conditioning_new (const VidgenMiniConfig *config,
    const guint8 *identity, const float *states, guint rows)
{
  const gsize payload = (gsize)rows * config->text.size * sizeof *states;
  guint8 *data = g_malloc (sizeof (Head) + payload);

  memcpy (data + sizeof (Head), states, payload);
  return seal (data, sizeof (Head) + payload, identity);
}

static gboolean
all_finite (const guint8 *states, gsize count)
{
  for (gsize i = 0; i < count; i++) {
    float value;

    memcpy (&value, states + i * sizeof value, sizeof value);
    if (!isfinite (value))
      return FALSE;
  }
  return TRUE;
}

gboolean
vidgen_mini_conditioning_check (const VidgenMiniConfig *config,
    const guint8 *identity, GBytes *conditioning)
{
  gsize bytes;
  const guint8 *data = g_bytes_get_data (conditioning, &bytes);
  const gsize row = config->text.size * sizeof (float);
  guint8 sum[VIDGEN_MINI_IDENTITY_BYTES];
  Head head;

  if (bytes < sizeof head + row || (bytes - sizeof head) % row ||
      (bytes - sizeof head) / row > config->text.tokens)
    return FALSE;
  memcpy (&head, data, sizeof head);
  sum_up (data + sizeof head, bytes - sizeof head, sum);
  return memcmp (head.magic, MAGIC, sizeof head.magic) == 0 &&
         memcmp (head.identity, identity, sizeof head.identity) == 0 &&
         memcmp (head.sum, sum, sizeof sum) == 0 &&
         all_finite (
             data + sizeof head, (bytes - sizeof head) / sizeof (float));
}

guint
vidgen_mini_conditioning_rows (
    const VidgenMiniConfig *config, GBytes *conditioning)
{
  return (guint)((g_bytes_get_size (conditioning) - sizeof (Head)) /
                 (config->text.size * sizeof (float)));
}

const float *
vidgen_mini_conditioning_states (GBytes *conditioning)
{
  const guint8 *data = g_bytes_get_data (conditioning, NULL);

  return (const float *)(data + sizeof (Head));
}

GBytes *
vidgen_mini_conditioning_blend (const VidgenMiniConfig *config,
    const guint8 *identity, GBytes *from, GBytes *to, double weight)
{
  const guint from_rows = vidgen_mini_conditioning_rows (config, from);
  const guint to_rows = vidgen_mini_conditioning_rows (config, to);
  const guint rows = MAX (from_rows, to_rows);
  const gsize size = config->text.size;
  const float *a = vidgen_mini_conditioning_states (from);
  const float *b = vidgen_mini_conditioning_states (to);
  const gsize bytes = sizeof (Head) + rows * size * sizeof (float);
  guint8 *data = g_malloc (bytes);
  float *out = (float *)(data + sizeof (Head));

  for (gsize row = 0; row < rows; row++) {
    const float *from_row = a + (row < from_rows ? row : 0) * size;
    const float *to_row = b + (row < to_rows ? row : 0) * size;

    for (gsize i = 0; i < size; i++)
      out[row * size + i] =
          (float)((1 - weight) * from_row[i] + weight * to_row[i]);
  }
  return seal (data, bytes, identity);
}
