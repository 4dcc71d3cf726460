/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/conditioning.h"

#include <math.h>
#include <string.h>

#define MAGIC "VGWAN001"
#define PROMPTS 2

typedef struct {
  char magic[8];
  guint8 identity[VIDGEN_WAN_IDENTITY_BYTES]; /* zeros: not known */
  guint8 sum[VIDGEN_WAN_IDENTITY_BYTES];      /* SHA-256 of what follows */
  guint32 size;
  guint32 rows[PROMPTS];
  guint32 zero;
} Head;

static void
sum_up (const guint8 *data, gsize bytes, guint8 sum[VIDGEN_WAN_IDENTITY_BYTES])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  const gsize first = G_STRUCT_OFFSET (Head, size);
  gsize length = VIDGEN_WAN_IDENTITY_BYTES;

  g_checksum_update (checksum, data + first, (gssize)(bytes - first));
  g_checksum_get_digest (checksum, sum, &length);
}

/* Room for the rows, the head filled but for its sum. */
static guint8 *
start (const guint8 *identity, guint size, guint rows, guint negative_rows,
    gsize *bytes)
{
  const gsize values = ((gsize)rows + negative_rows) * size;
  guint8 *data;
  Head *head;

  *bytes = sizeof *head + values * sizeof (float);
  data = g_malloc0 (*bytes);
  head = (Head *)data;
  *head = (Head){ .size = size, .rows = { rows, negative_rows } };
  memcpy (head->magic, MAGIC, sizeof head->magic);
  if (identity)
    memcpy (head->identity, identity, sizeof head->identity);
  return data;
}

static GBytes *
seal (guint8 *data, gsize bytes)
{
  sum_up (data, bytes, ((Head *)data)->sum);
  return g_bytes_new_take (data, bytes);
}

GBytes *
vidgen_wan_conditioning_new (const guint8 *identity, guint size,
    VidgenWanPrompt prompt, VidgenWanPrompt negative)
{
  gsize bytes;
  guint8 *data = start (identity, size, prompt.rows, negative.rows, &bytes);
  float *out = (float *)(data + sizeof (Head));

  if (prompt.rows)
    memcpy (out, prompt.states, (gsize)prompt.rows * size * sizeof *out);
  if (negative.rows)
    memcpy (out + (gsize)prompt.rows * size, negative.states,
        (gsize)negative.rows * size * sizeof *out);
  return seal (data, bytes);
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

static gboolean
same_encoder (const Head *head, const guint8 *identity)
{
  static const guint8 unknown[VIDGEN_WAN_IDENTITY_BYTES];

  return !identity || memcmp (head->identity, unknown, sizeof unknown) == 0 ||
         memcmp (head->identity, identity, sizeof head->identity) == 0;
}

gboolean
vidgen_wan_conditioning_check (
    GBytes *conditioning, const guint8 *identity, guint size, guint max_rows)
{
  gsize bytes;
  const guint8 *data = g_bytes_get_data (conditioning, &bytes);
  guint8 sum[VIDGEN_WAN_IDENTITY_BYTES];
  Head head;

  if (bytes < sizeof head)
    return FALSE;
  memcpy (&head, data, sizeof head);
  if (memcmp (head.magic, MAGIC, sizeof head.magic) != 0 || head.size != size ||
      head.rows[0] > max_rows || head.rows[1] > max_rows ||
      bytes != sizeof head + ((gsize)head.rows[0] + head.rows[1]) * size *
                                 sizeof (float) ||
      !same_encoder (&head, identity))
    return FALSE;
  sum_up (data, bytes, sum);
  return memcmp (head.sum, sum, sizeof sum) == 0 &&
         all_finite (
             data + sizeof head, (bytes - sizeof head) / sizeof (float));
}

VidgenWanPrompt
vidgen_wan_conditioning_prompt (GBytes *conditioning, guint index)
{
  const guint8 *data = g_bytes_get_data (conditioning, NULL);
  const Head *head = (const Head *)data;
  const float *states = (const float *)(data + sizeof *head);

  return (VidgenWanPrompt){
    .states = states + (index ? (gsize)head->rows[0] * head->size : 0),
    .rows = head->rows[index],
  };
}

static void
add (float *out, VidgenWanPrompt prompt, guint size, double weight)
{
  for (gsize i = 0; i < (gsize)prompt.rows * size; i++)
    out[i] += (float)(weight * prompt.states[i]);
}

GBytes *
vidgen_wan_conditioning_blend (
    guint size, GBytes *from, GBytes *to, double weight)
{
  const Head *head = g_bytes_get_data (to, NULL);
  guint rows[PROMPTS];
  gsize bytes;
  guint8 *data;
  float *out;

  for (guint i = 0; i < PROMPTS; i++)
    rows[i] = MAX (vidgen_wan_conditioning_prompt (from, i).rows,
        vidgen_wan_conditioning_prompt (to, i).rows);
  data = start (head->identity, size, rows[0], rows[1], &bytes);
  out = (float *)(data + sizeof (Head));
  for (guint i = 0; i < PROMPTS; i++) {
    add (out, vidgen_wan_conditioning_prompt (from, i), size, 1 - weight);
    add (out, vidgen_wan_conditioning_prompt (to, i), size, weight);
    out += (gsize)rows[i] * size;
  }
  return seal (data, bytes);
}
