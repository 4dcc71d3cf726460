/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/noise.h"

#include <math.h>

#include "noise.spv.h"

#define GROUP_SIZE 64
#define ROUNDS 10

static const VidgenKernel noise_kernel = VIDGEN_KERNEL (noise);

void
vidgen_philox (const guint32 counter[4], const guint32 key[2], guint32 words[4])
{
  guint32 k0 = key[0], k1 = key[1];

  memcpy (words, counter, 4 * sizeof *words);
  for (guint round = 0; round < ROUNDS; round++) {
    const guint64 product0 = (guint64)words[0] * 0xD2511F53u;
    const guint64 product2 = (guint64)words[2] * 0xCD9E8D57u;

    words[0] = (guint32)(product2 >> 32) ^ words[1] ^ k0;
    words[1] = (guint32)product2;
    words[2] = (guint32)(product0 >> 32) ^ words[3] ^ k1;
    words[3] = (guint32)product0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

static void
gauss (const guint32 words[2], double values[2])
{
  const double radius = sqrt (-2.0 * log (ldexp (words[0] + 0.5, -32)));
  const double angle = 2.0 * G_PI * ldexp (words[1], -32);

  values[0] = radius * cos (angle);
  values[1] = radius * sin (angle);
}

static void
fill_block (
    guint64 seed, guint64 chunk, guint32 purpose, guint block, double values[4])
{
  const guint32 key[2] = { (guint32)seed, (guint32)(seed >> 32) };
  const guint32 counter[4] = { block, (guint32)chunk, (guint32)(chunk >> 32),
    purpose };
  guint32 words[4];

  vidgen_philox (counter, key, words);
  gauss (words, values);
  gauss (words + 2, values + 2);
}

void
vidgen_noise_fill (guint64 seed, guint64 chunk, guint32 purpose, guint first,
    guint count, float *out)
{
  double values[4];

  for (guint i = 0; i < count; i++) {
    const guint index = first + i;

    if (i == 0 || index % 4 == 0)
      fill_block (seed, chunk, purpose, index / 4, values);
    out[i] = (float)values[index % 4];
  }
}

guint64
vidgen_noise_chunk (VidgenSpan position, guint64 chunk)
{
  const guint32 *words = vidgen_span_map (position);

  return words ? (guint64)words[1] << 32 | words[0] : chunk;
}

void
vidgen_noise_reference (const VidgenNoise *noise)
{
  const float *x = vidgen_span_map (noise->x);
  const float *v = vidgen_span_map (noise->v);
  float *out = vidgen_span_map (noise->out);
  const guint64 chunk = vidgen_noise_chunk (noise->position, noise->chunk);

  for (guint i = 0; i < noise->count; i++) {
    double sum = 0;

    if (noise->noise_factor != 0) {
      float n;

      vidgen_noise_fill (noise->seed, chunk, noise->purpose, i, 1, &n);
      sum = (double)noise->noise_factor * n;
    }
    if (x != NULL)
      sum += (double)noise->x_factor * x[i];
    if (v != NULL)
      sum += (double)noise->v_factor * v[i];
    out[i] = (float)sum;
  }
}

static void
reference (const void *params)
{
  vidgen_noise_reference (params);
}

void
vidgen_noise (VidgenRecorder *recorder, const VidgenNoise *noise)
{
  const guint64 bytes = 4 * (guint64)noise->count;
  const struct {
    guint64 x, v, out, position;
    guint32 seed[2], chunk[2];
    guint32 purpose, count;
    float x_factor, v_factor, noise_factor;
  } push = {
    vidgen_span_address (noise->x),
    vidgen_span_address (noise->v),
    vidgen_span_address (noise->out),
    vidgen_span_address (noise->position),
    { (guint32)noise->seed, (guint32)(noise->seed >> 32) },
    { (guint32)noise->chunk, (guint32)(noise->chunk >> 32) },
    noise->purpose,
    noise->count,
    noise->x_factor,
    noise->v_factor,
    noise->noise_factor,
  };
  const VidgenDispatch dispatch = {
    .kernel = &noise_kernel,
    .constants = { GROUP_SIZE, 1, 1 },
    .n_constants = 3,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "x", noise->x, FALSE, bytes },
        { "v", noise->v, FALSE, bytes }, { "out", noise->out, TRUE, bytes },
        { "position", noise->position, FALSE, 8 } },
    .n_accesses = 4,
    .groups = { vidgen_groups (noise->count, 4 * GROUP_SIZE), 1, 1 },
    .operations = 40.0 * noise->count,
    .reference = reference,
    .params = noise,
    .params_bytes = sizeof *noise,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
