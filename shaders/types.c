/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/types.h"

#include <string.h>

#include "shaders/quants.h"

typedef void (*Expand) (const guint8 *blocks, gsize n_blocks, float *values);

static void
expand_f32 (const guint8 *blocks, gsize n_blocks, float *values)
{
  memcpy (values, blocks, n_blocks * sizeof *values);
}

static void
expand_f16 (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (gsize i = 0; i < n_blocks; i++)
    values[i] = vidgen_type_value (VIDGEN_F16, blocks, i);
}

static void
expand_bf16 (const guint8 *blocks, gsize n_blocks, float *values)
{
  memset (values, 0, n_blocks * sizeof *values);
  for (gsize i = 0; i < n_blocks; i++)
    memcpy ((guint8 *)&values[i] + 2, blocks + 2 * i, 2);
}

static const struct {
  const char *name;
  guint block;
  guint block_bytes;
  Expand expand;
} types[VIDGEN_TYPES] = {
  [VIDGEN_F32] = { "f32", 1, 4, expand_f32 },
  [VIDGEN_F16] = { "f16", 1, 2, expand_f16 },
  [VIDGEN_BF16] = { "bf16", 1, 2, expand_bf16 },
  [VIDGEN_Q8_0] = { "q8_0", 32, VIDGEN_Q8_0_BYTES, vidgen_q8_0_expand },
  [VIDGEN_Q4_0] = { "q4_0", 32, VIDGEN_Q4_0_BYTES, vidgen_q4_0_expand },
  [VIDGEN_Q4_K] = { "q4_K", 256, VIDGEN_Q4_K_BYTES, vidgen_q4_k_expand },
};

guint
vidgen_type_block (VidgenType type)
{
  return types[type].block;
}

guint64
vidgen_type_size (VidgenType type, guint64 count)
{
  return count / types[type].block * types[type].block_bytes;
}

const char *
vidgen_type_name (VidgenType type)
{
  return types[type].name;
}

void
vidgen_type_expand (VidgenType type, const void *values, guint64 first,
    guint64 count, float *expanded)
{
  const guint8 *blocks = values;

  types[type].expand (blocks + vidgen_type_size (type, first),
      count / types[type].block, expanded);
}
