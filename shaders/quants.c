/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/quants.h"

#include "shaders/half.h"

#define VALUES 32
#define K_VALUES 256

static float
read_half (const guint8 *data)
{
  return vidgen_half_to_float ((guint16)(data[0] | data[1] << 8));
}

/* Value i of the low and the high halves of 16 bytes. */
static int
nibble (const guint8 *packed, guint i)
{
  return i < VALUES / 2 ? packed[i] & 15 : packed[i - VALUES / 2] >> 4;
}

static int
fifth_bit (const guint8 *bits, guint i)
{
  return (bits[i / 8] >> i % 8 & 1) << 4;
}

void
vidgen_q4_0_expand (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (; n_blocks; n_blocks--, blocks += VIDGEN_Q4_0_BYTES) {
    const float scale = read_half (blocks);

    for (guint i = 0; i < VALUES; i++)
      *values++ = scale * (float)(nibble (blocks + 2, i) - 8);
  }
}

void
vidgen_q4_1_expand (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (; n_blocks; n_blocks--, blocks += VIDGEN_Q4_1_BYTES) {
    const float scale = read_half (blocks), least = read_half (blocks + 2);

    for (guint i = 0; i < VALUES; i++)
      *values++ = scale * (float)nibble (blocks + 4, i) + least;
  }
}

void
vidgen_q5_0_expand (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (; n_blocks; n_blocks--, blocks += VIDGEN_Q5_0_BYTES) {
    const float scale = read_half (blocks);

    for (guint i = 0; i < VALUES; i++) {
      const int value = nibble (blocks + 6, i) | fifth_bit (blocks + 2, i);
      *values++ = scale * (float)(value - 16);
    }
  }
}

void
vidgen_q5_1_expand (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (; n_blocks; n_blocks--, blocks += VIDGEN_Q5_1_BYTES) {
    const float scale = read_half (blocks), least = read_half (blocks + 2);

    for (guint i = 0; i < VALUES; i++) {
      const int value = nibble (blocks + 8, i) | fifth_bit (blocks + 4, i);
      *values++ = scale * (float)value + least;
    }
  }
}

void
vidgen_q8_0_expand (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (; n_blocks; n_blocks--, blocks += VIDGEN_Q8_0_BYTES) {
    const float scale = read_half (blocks);

    for (guint i = 0; i < VALUES; i++)
      *values++ = scale * (float)(gint8)blocks[2 + i];
  }
}

/* Scale and minimum of each of 8 groups are 6 bits, packed into 12 bytes. */
static void
unpack_scales (const guint8 packed[12], guint group, int *scale, int *least)
{
  if (group < 4) {
    *scale = packed[group] & 63;
    *least = packed[group + 4] & 63;
  } else {
    *scale = (packed[group + 4] & 15) | packed[group - 4] >> 6 << 4;
    *least = packed[group + 4] >> 4 | packed[group] >> 6 << 4;
  }
}

/* `fifths`: NULL, or 32 bytes whose bit `group` is the fifth of each value. */
static void
expand_k_group (const guint8 *block, const guint8 *fifths, const guint8 *packed,
    guint group, float *values)
{
  const guint shift = group % 2 * 4;
  int scale, least;
  float step, offset;

  unpack_scales (block + 4, group, &scale, &least);
  step = read_half (block) * (float)scale;
  offset = read_half (block + 2) * (float)least;
  packed += group / 2 * VALUES;
  for (guint i = 0; i < VALUES; i++) {
    int value = packed[i] >> shift & 15;

    if (fifths)
      value |= (fifths[i] >> group & 1) << 4;
    values[i] = step * (float)value - offset;
  }
}

void
vidgen_q4_k_expand (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (; n_blocks; n_blocks--, blocks += VIDGEN_Q4_K_BYTES) {
    for (guint group = 0; group < 8; group++, values += VALUES)
      expand_k_group (blocks, NULL, blocks + 16, group, values);
  }
}

void
vidgen_q5_k_expand (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (; n_blocks; n_blocks--, blocks += VIDGEN_Q5_K_BYTES) {
    for (guint group = 0; group < 8; group++, values += VALUES)
      expand_k_group (blocks, blocks + 16, blocks + 48, group, values);
  }
}

/* Of each half of a block, 32 bytes hold the upper 2 bits and 64 the lower 4:
 * quarter 0 and 2 in the first 32 of those, 1 and 3 in the others. */
static int
q6_value (const guint8 *block, guint half, guint quarter, guint i)
{
  const guint8 *low = block + half * 64 + quarter % 2 * 32;
  const guint8 *high = block + 128 + half * 32;

  return (low[i] >> quarter / 2 * 4 & 15) | (high[i] >> quarter * 2 & 3) << 4;
}

void
vidgen_q6_k_expand (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (; n_blocks; n_blocks--, blocks += VIDGEN_Q6_K_BYTES) {
    const gint8 *scales = (const gint8 *)blocks + 192;
    const float scale = read_half (blocks + 208);

    for (guint i = 0; i < K_VALUES; i++) {
      const int value = q6_value (blocks, i / 128, i / 32 % 4, i % 32);
      *values++ = scale * (float)scales[i / 16] * (float)(value - 32);
    }
  }
}
