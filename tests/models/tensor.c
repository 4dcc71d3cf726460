/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/tensor.h"

#include <math.h>

#include "shaders/half.h"
#include "tests/models/checkpoints.h"

/* Of each type a few bit patterns and what they stand for. */
static const struct {
  VidgenTensorType type;
  guint64 bits;
  float value;
} values[] = {
  { VIDGEN_TENSOR_BOOL, 1, 1 },
  { VIDGEN_TENSOR_U8, 0xff, 255 },
  { VIDGEN_TENSOR_I8, 0xff, -1 },
  { VIDGEN_TENSOR_U16, 0xffff, 65535 },
  { VIDGEN_TENSOR_I16, 0x8000, -32768 },
  { VIDGEN_TENSOR_U32, 0x80000000, 0x1p31f },
  { VIDGEN_TENSOR_I32, 0xfffffffe, -2 },
  { VIDGEN_TENSOR_U64, G_MAXUINT64, 0x1p64f },
  { VIDGEN_TENSOR_I64, G_MAXUINT64, -1 },
  { VIDGEN_TENSOR_F64, 0xc004000000000000, -2.5f },
  { VIDGEN_TENSOR_F32, 0x3e200000, 0.15625f },
  { VIDGEN_TENSOR_F16, 0xc100, -2.5f },
  { VIDGEN_TENSOR_BF16, 0xc020, -2.5f },
  { VIDGEN_TENSOR_BF16, 0x7f80, INFINITY },
  { VIDGEN_TENSOR_F8_E4M3, 0x38, 1 },
  { VIDGEN_TENSOR_F8_E4M3, 0x7e, 448 },
  { VIDGEN_TENSOR_F8_E4M3, 0x81, -0x1p-9f },
  { VIDGEN_TENSOR_F8_E4M3, 0x08, 0x1p-6f },
  { VIDGEN_TENSOR_F8_E5M2, 0xbc, -1 },
  { VIDGEN_TENSOR_F8_E5M2, 0x7b, 57344 },
  { VIDGEN_TENSOR_F8_E5M2, 0x01, 0x1p-16f },
};

static void
test_values (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    const VidgenTensor tensor = {
      .type = values[i].type,
      .data = (const guint8 *)&values[i].bits,
      .bytes = vidgen_tensor_type_bytes (values[i].type),
    };

    check_values (&tensor, &values[i].value, 1);
  }
}

static void
test_not_numbers (void)
{
  const guint8 e4m3 = 0x7f, e5m2 = 0x7e;
  VidgenTensor tensor = {
    .type = VIDGEN_TENSOR_F8_E4M3, .data = &e4m3, .bytes = 1
  };
  float value;

  vidgen_tensor_read_f32 (&tensor, 0, 1, &value);
  g_assert_true (isnan (value));
  tensor.type = VIDGEN_TENSOR_F8_E5M2;
  tensor.data = &e5m2;
  vidgen_tensor_read_f32 (&tensor, 0, 1, &value);
  g_assert_true (isnan (value));
}

/* Every half comes back, every midpoint between two goes to the even one, and
 * what lies beside a midpoint to the nearer. */
static void
test_half (void)
{
  for (guint32 bits = 0; bits < 0x7c00; bits++) {
    const float value = vidgen_half_to_float ((guint16)bits);
    const float next =
        bits == 0x7bff ? 65536 : vidgen_half_to_float ((guint16)(bits + 1));
    const float middle = (value + next) / 2;

    g_assert_cmpuint (vidgen_half_from_float (value), ==, bits);
    g_assert_cmpuint (vidgen_half_from_float (-value), ==, bits | 0x8000);
    g_assert_cmpuint (vidgen_half_from_float (middle), ==, bits + (bits & 1));
    g_assert_cmpuint (
        vidgen_half_from_float (nextafterf (middle, 0)), ==, bits);
    g_assert_cmpuint (
        vidgen_half_from_float (nextafterf (middle, 1e6f)), ==, bits + 1);
  }
  g_assert_cmpuint (vidgen_half_from_float (INFINITY), ==, 0x7c00);
  g_assert_cmpuint (vidgen_half_from_float (-1e30f), ==, 0xfc00);
  g_assert_true (isnan (vidgen_half_to_float (vidgen_half_from_float (NAN))));
}

static void
test_read_f16 (void)
{
  float data[600];
  guint16 halves[601];
  VidgenTensor tensor = { .type = VIDGEN_TENSOR_F32,
    .data = (const guint8 *)data,
    .bytes = sizeof data };

  for (guint i = 0; i < G_N_ELEMENTS (data); i++)
    data[i] = (float)i / 3;
  halves[600] = 0xabcd;
  vidgen_tensor_read_f16 (&tensor, 0, 600, halves);
  for (guint i = 0; i < G_N_ELEMENTS (data); i++)
    g_assert_cmpuint (halves[i], ==, vidgen_half_from_float (data[i]));
  g_assert_cmpuint (halves[600], ==, 0xabcd);
  vidgen_tensor_read_f16 (&tensor, 299, 2, halves);
  g_assert_cmpuint (halves[1], ==, vidgen_half_from_float (100));
}

static void
test_measure (void)
{
  VidgenTensor tensor = {
    .type = VIDGEN_TENSOR_Q4_K, .n_dims = 2, .shape = { 3, 512 }
  };

  g_assert_true (vidgen_tensor_measure (&tensor));
  g_assert_cmpuint (tensor.bytes, ==, 6 * 144);
  g_assert_cmpuint (vidgen_tensor_count (&tensor), ==, 3 * 512);
  tensor.shape[1] = 511;
  g_assert_false (vidgen_tensor_measure (&tensor));
  tensor.shape[0] = tensor.shape[1] = G_GUINT64_CONSTANT (1) << 32;
  g_assert_false (vidgen_tensor_measure (&tensor));
  tensor.shape[1] = 1u << 31;
  tensor.type = VIDGEN_TENSOR_F32;
  g_assert_false (vidgen_tensor_measure (&tensor));
}

static void
test_folds (void)
{
  static const struct {
    guint n_dims;
    guint64 shape[5];
    gboolean good;
  } folds[] = {
    { 5, { 3, 5, 1, 2, 2 }, TRUE },
    { 4, { 15, 1, 2, 2 }, TRUE },
    { 4, { 3, 5, 2, 2 }, TRUE },
    { 2, { 3, 20 }, TRUE },
    { 1, { 60 }, TRUE },
    { 2, { 20, 3 }, FALSE },
    { 4, { 5, 3, 2, 2 }, FALSE },
    { 2, { 15, 2 }, FALSE },
    { 2, { 0, 60 }, FALSE },
    { 0, { 0 }, FALSE },
  };
  const guint64 shape[] = { 3, 5, 1, 2, 2 };

  for (guint i = 0; i < G_N_ELEMENTS (folds); i++) {
    VidgenTensor tensor = { .n_dims = folds[i].n_dims };

    memcpy (tensor.shape, folds[i].shape, sizeof folds[i].shape);
    g_assert_cmpint (
        vidgen_tensor_folds (&tensor, 5, shape), ==, folds[i].good);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tensor/values", test_values);
  g_test_add_func ("/tensor/not-numbers", test_not_numbers);
  g_test_add_func ("/tensor/half", test_half);
  g_test_add_func ("/tensor/read-f16", test_read_f16);
  g_test_add_func ("/tensor/measure", test_measure);
  g_test_add_func ("/tensor/folds", test_folds);
  return g_test_run ();
}
