/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/tensor.h"

#include <math.h>
#include <string.h>

#include "models/checkpoint/file.h"
#include "shaders/half.h"
#include "shaders/quants.h"

#define MAX_BLOCK_VALUES 256

#define DEFINE_EXPAND(name, ctype)                                             \
  static void expand_##name (                                                  \
      const guint8 *blocks, gsize n_blocks, float *values)                     \
  {                                                                            \
    for (gsize i = 0; i < n_blocks; i++) {                                     \
      ctype value;                                                             \
                                                                               \
      memcpy (&value, blocks + i * sizeof value, sizeof value);                \
      values[i] = (float)value;                                                \
    }                                                                          \
  }

DEFINE_EXPAND (u8, guint8)
DEFINE_EXPAND (i8, gint8)
DEFINE_EXPAND (u16, guint16)
DEFINE_EXPAND (i16, gint16)
DEFINE_EXPAND (u32, guint32)
DEFINE_EXPAND (i32, gint32)
DEFINE_EXPAND (u64, guint64)
DEFINE_EXPAND (i64, gint64)
DEFINE_EXPAND (f64, double)

static void
expand_f32 (const guint8 *blocks, gsize n_blocks, float *values)
{
  memcpy (values, blocks, n_blocks * sizeof *values);
}

static void
expand_f16 (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (gsize i = 0; i < n_blocks; i++) {
    guint16 bits;

    memcpy (&bits, blocks + 2 * i, sizeof bits);
    values[i] = vidgen_half_to_float (bits);
  }
}

static void
expand_bf16 (const guint8 *blocks, gsize n_blocks, float *values)
{
  memset (values, 0, n_blocks * sizeof *values);
  for (gsize i = 0; i < n_blocks; i++)
    memcpy ((guint8 *)&values[i] + 2, blocks + 2 * i, 2);
}

static void
expand_e5m2 (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (gsize i = 0; i < n_blocks; i++)
    values[i] = vidgen_half_to_float ((guint16)(blocks[i] << 8));
}

static void
expand_e4m3 (const guint8 *blocks, gsize n_blocks, float *values)
{
  for (gsize i = 0; i < n_blocks; i++) {
    const int exponent = blocks[i] >> 3 & 15, fraction = blocks[i] & 7;
    float value = exponent ? ldexpf ((float)(8 + fraction), exponent - 10)
                           : ldexpf ((float)fraction, -9);

    if ((blocks[i] & 127) == 127)
      value = NAN;
    values[i] = blocks[i] & 128 ? -value : value;
  }
}

static const struct {
  const char *name;
  guint bytes;
  guint values;
  void (*expand) (const guint8 *blocks, gsize n_blocks, float *values);
} types[] = {
  [VIDGEN_TENSOR_BOOL] = { "BOOL", 1, 1, expand_u8 },
  [VIDGEN_TENSOR_U8] = { "U8", 1, 1, expand_u8 },
  [VIDGEN_TENSOR_I8] = { "I8", 1, 1, expand_i8 },
  [VIDGEN_TENSOR_F8_E4M3] = { "F8_E4M3", 1, 1, expand_e4m3 },
  [VIDGEN_TENSOR_F8_E5M2] = { "F8_E5M2", 1, 1, expand_e5m2 },
  [VIDGEN_TENSOR_U16] = { "U16", 2, 1, expand_u16 },
  [VIDGEN_TENSOR_I16] = { "I16", 2, 1, expand_i16 },
  [VIDGEN_TENSOR_F16] = { "F16", 2, 1, expand_f16 },
  [VIDGEN_TENSOR_BF16] = { "BF16", 2, 1, expand_bf16 },
  [VIDGEN_TENSOR_U32] = { "U32", 4, 1, expand_u32 },
  [VIDGEN_TENSOR_I32] = { "I32", 4, 1, expand_i32 },
  [VIDGEN_TENSOR_F32] = { "F32", 4, 1, expand_f32 },
  [VIDGEN_TENSOR_U64] = { "U64", 8, 1, expand_u64 },
  [VIDGEN_TENSOR_I64] = { "I64", 8, 1, expand_i64 },
  [VIDGEN_TENSOR_F64] = { "F64", 8, 1, expand_f64 },
  [VIDGEN_TENSOR_Q4_0] = { "Q4_0", VIDGEN_Q4_0_BYTES, 32, vidgen_q4_0_expand },
  [VIDGEN_TENSOR_Q4_1] = { "Q4_1", VIDGEN_Q4_1_BYTES, 32, vidgen_q4_1_expand },
  [VIDGEN_TENSOR_Q5_0] = { "Q5_0", VIDGEN_Q5_0_BYTES, 32, vidgen_q5_0_expand },
  [VIDGEN_TENSOR_Q5_1] = { "Q5_1", VIDGEN_Q5_1_BYTES, 32, vidgen_q5_1_expand },
  [VIDGEN_TENSOR_Q8_0] = { "Q8_0", VIDGEN_Q8_0_BYTES, 32, vidgen_q8_0_expand },
  [VIDGEN_TENSOR_Q4_K] = { "Q4_K", VIDGEN_Q4_K_BYTES, 256, vidgen_q4_k_expand },
  [VIDGEN_TENSOR_Q5_K] = { "Q5_K", VIDGEN_Q5_K_BYTES, 256, vidgen_q5_k_expand },
  [VIDGEN_TENSOR_Q6_K] = { "Q6_K", VIDGEN_Q6_K_BYTES, 256, vidgen_q6_k_expand },
};

const char *
vidgen_tensor_type_name (VidgenTensorType type)
{
  return types[type].name;
}

guint
vidgen_tensor_type_bytes (VidgenTensorType type)
{
  return types[type].bytes;
}

guint
vidgen_tensor_type_values (VidgenTensorType type)
{
  return types[type].values;
}

guint64
vidgen_tensor_count (const VidgenTensor *tensor)
{
  return tensor->bytes / types[tensor->type].bytes * types[tensor->type].values;
}

gboolean
vidgen_tensor_measure (VidgenTensor *tensor)
{
  const guint values = types[tensor->type].values;
  guint64 count = 1;

  for (guint i = 0; i < tensor->n_dims; i++) {
    if (!g_uint64_checked_mul (&count, count, tensor->shape[i]))
      return FALSE;
  }
  return count % values == 0 && g_uint64_checked_mul (&tensor->bytes,
                                    count / values, types[tensor->type].bytes);
}

void
vidgen_tensor_read_f32 (
    const VidgenTensor *tensor, guint64 first, guint64 count, float *values)
{
  const guint bytes = types[tensor->type].bytes;
  const guint block_values = types[tensor->type].values;
  float block[MAX_BLOCK_VALUES];

  while (count) {
    const guint8 *data = tensor->data + first / block_values * bytes;
    const guint skip = (guint)(first % block_values);
    guint64 n;

    if (skip == 0 && count >= block_values) {
      n = count / block_values * block_values;
      types[tensor->type].expand (data, n / block_values, values);
    } else {
      n = MIN (count, block_values - skip);
      types[tensor->type].expand (data, 1, block);
      memcpy (values, block + skip, n * sizeof *values);
    }
    first += n;
    values += n;
    count -= n;
  }
}

void
vidgen_tensor_read_f16 (
    const VidgenTensor *tensor, guint64 first, guint64 count, guint16 *values)
{
  float part[MAX_BLOCK_VALUES];

  while (count) {
    const guint64 n = MIN (count, MAX_BLOCK_VALUES);

    vidgen_tensor_read_f32 (tensor, first, n, part);
    for (guint64 i = 0; i < n; i++)
      values[i] = vidgen_half_from_float (part[i]);
    first += n;
    values += n;
    count -= n;
  }
}

static char *
describe_shape (guint n_dims, const guint64 *shape)
{
  GString *text = g_string_new ("[");

  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf (
        text, "%s%" G_GUINT64_FORMAT, i ? ", " : "", shape[i]);
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

static char *
describe_types (guint wanted)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    if (wanted & (1u << i))
      g_string_append_printf (
          text, "%s%s", text->len ? " or " : "", types[i].name);
  }
  return g_string_free (text, FALSE);
}

const VidgenTensor *
vidgen_tensor_expect (const VidgenTensor *tensor, const char *file,
    const char *name, guint wanted, guint n_dims, const guint64 *shape,
    GError **error)
{
  g_autofree char *should = describe_shape (n_dims, shape);
  g_autofree char *should_type = describe_types (wanted);
  g_autofree char *is = NULL;

  if (!tensor) {
    vidgen_file_fail (error, file, "tensor '%s' is missing, expected %s %s.",
        name, should, should_type);
    return NULL;
  }
  if ((wanted & (1u << tensor->type)) && tensor->n_dims == n_dims &&
      memcmp (tensor->shape, shape, n_dims * sizeof *shape) == 0)
    return tensor;
  is = describe_shape (tensor->n_dims, tensor->shape);
  vidgen_file_fail (error, file, "tensor '%s' is %s %s, expected %s %s.", name,
      is, types[tensor->type].name, should, should_type);
  return NULL;
}

gboolean
vidgen_tensor_folds (
    const VidgenTensor *tensor, guint n_dims, const guint64 *shape)
{
  guint next = 0;

  for (guint i = 0; i < tensor->n_dims; i++) {
    guint64 product = 1;

    while (product < tensor->shape[i] && next < n_dims) {
      if (!g_uint64_checked_mul (&product, product, shape[next++]) || !product)
        return FALSE;
    }
    if (product != tensor->shape[i])
      return FALSE;
  }
  while (next < n_dims && shape[next] == 1)
    next++;
  return next == n_dims;
}
