/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/gemm.h"

#include "tests/kernels/harness.h"

static VidgenSpan
maybe_input (VidgenKernelTest *test, guint64 count)
{
  return vidgen_kernel_test_int (test, 0, 1)
             ? vidgen_kernel_test_input (test, VIDGEN_TEST_F32, count, 1.0)
             : VIDGEN_SPAN_NONE;
}

/* Any bytes are quants; scales are halves of 0.03 to 1, of either sign. */
static VidgenSpan
block_input (VidgenKernelTest *test, VidgenType type, guint64 count)
{
  const gsize n_bytes = vidgen_type_size (type, count);
  const gsize block_bytes = vidgen_type_size (type, vidgen_type_block (type));
  const guint n_scales = type == VIDGEN_Q4_K ? 2 : 1;
  g_autofree guint8 *bytes = g_malloc (n_bytes);

  for (gsize i = 0; i < n_bytes; i++)
    bytes[i] = (guint8)vidgen_kernel_test_int (test, 0, 255);
  for (gsize i = 0; i < n_bytes; i += block_bytes)
    for (guint j = 0; j < n_scales; j++)
      bytes[i + 2 * j + 1] = (guint8)(0x28 + bytes[i + 2 * j + 1] % 0x14 +
                                      bytes[i + 2 * j + 1] / 128 * 0x80);
  return vidgen_kernel_test_data (test, bytes, n_bytes);
}

static VidgenSpan
weight_input (VidgenKernelTest *test, VidgenType type, guint64 count)
{
  switch (type) {
  case VIDGEN_F32:
    return vidgen_kernel_test_input (test, VIDGEN_TEST_F32, count, 1.0);
  case VIDGEN_F16:
  case VIDGEN_BF16: /* such halves are small but normal */
    return vidgen_kernel_test_input (test, VIDGEN_TEST_F16, count, 1.0);
  default:
    return block_input (test, type, count);
  }
}

static void
run_type (VidgenKernelTest *test, VidgenType type, guint max_m)
{
  const guint m = vidgen_kernel_test_int (test, 1, max_m);
  const guint n = vidgen_kernel_test_int (test, 1, 150);
  const guint unit = MAX (4, vidgen_type_block (type));
  const guint k = unit * vidgen_kernel_test_int (test, 1, 240 / unit + 1);
  VidgenGemm gemm = {
    .m = m,
    .n = n,
    .k = k,
    .a_stride = k + vidgen_kernel_test_int (test, 0, 5),
    .weight = weight_input (test, type, (guint64)n * k),
    .weight_type = type,
    .bias = maybe_input (test, n),
    .gate = maybe_input (test, n),
    .out_stride = n + vidgen_kernel_test_int (test, 0, 5),
    .activation = vidgen_kernel_test_int (test, VIDGEN_LINEAR, VIDGEN_GELU),
  };

  gemm.a = vidgen_kernel_test_input (
      test, VIDGEN_TEST_F32, (guint64)(m - 1) * gemm.a_stride + k, 1.0);
  gemm.residual_stride = n + vidgen_kernel_test_int (test, 0, 5);
  gemm.residual =
      maybe_input (test, (guint64)(m - 1) * gemm.residual_stride + n);
  gemm.out =
      vidgen_kernel_test_output (test, VIDGEN_TEST_F32, m, n, gemm.out_stride);
  VIDGEN_KERNEL_TEST_RUN (test, gemm, &gemm);
}

static void
run_random (VidgenKernelTest *test, guint max_m)
{
  run_type (test, vidgen_kernel_test_int (test, 0, VIDGEN_TYPES - 1), max_m);
}

static void
test_random (VidgenKernelTest *test)
{
  run_random (test, 100);
}

static void
test_few_rows (VidgenKernelTest *test)
{
  run_random (test, 5);
}

static void
test_bf16 (VidgenKernelTest *test)
{
  run_type (test, VIDGEN_BF16, 30);
}

static void
test_q8_0 (VidgenKernelTest *test)
{
  run_type (test, VIDGEN_Q8_0, 30);
}

static void
test_q4_0 (VidgenKernelTest *test)
{
  run_type (test, VIDGEN_Q4_0, 30);
}

static void
test_q4_k (VidgenKernelTest *test)
{
  run_type (test, VIDGEN_Q4_K, 30);
}

static void
test_in_place (VidgenKernelTest *test)
{
  const guint m = vidgen_kernel_test_int (test, 1, 60);
  const guint n = vidgen_kernel_test_int (test, 1, 100);
  const guint stride = n + vidgen_kernel_test_int (test, 0, 3);
  const guint k = 4 * vidgen_kernel_test_int (test, 1, 19);
  const VidgenSpan out =
      vidgen_kernel_test_inout (test, VIDGEN_TEST_F32, m, n, stride, 1.0);
  const VidgenGemm gemm = {
    .m = m,
    .n = n,
    .k = k,
    .a = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, (guint64)m * k, 1.0),
    .a_stride = k,
    .weight = weight_input (test, VIDGEN_F16, (guint64)n * k),
    .weight_type = VIDGEN_F16,
    .gate = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, n, 1.0),
    .residual = out,
    .residual_stride = stride,
    .out = out,
    .out_stride = stride,
  };

  VIDGEN_KERNEL_TEST_RUN (test, gemm, &gemm);
}

static void
run_fixed (VidgenKernelTest *test, guint m, guint n, guint k, VidgenType type,
    VidgenActivation activation)
{
  const VidgenGemm gemm = {
    .m = m,
    .n = n,
    .k = k,
    .a = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, (guint64)m * k, 1.0),
    .a_stride = k,
    .weight = weight_input (test, type, (guint64)n * k),
    .weight_type = type,
    .bias = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, n, 1.0),
    .out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, m, n, n),
    .out_stride = n,
    .activation = activation,
  };

  VIDGEN_KERNEL_TEST_RUN (test, gemm, &gemm);
}

static void
test_88x768x192 (VidgenKernelTest *test)
{
  run_fixed (test, 88, 768, 192, VIDGEN_F16, VIDGEN_GELU);
}

static void
test_88x192x768 (VidgenKernelTest *test)
{
  run_fixed (test, 88, 192, 768, VIDGEN_F16, VIDGEN_LINEAR);
}

static void
test_88x192x768_f32 (VidgenKernelTest *test)
{
  run_fixed (test, 88, 192, 768, VIDGEN_F32, VIDGEN_LINEAR);
}

static void
test_1x1152x192 (VidgenKernelTest *test)
{
  run_fixed (test, 1, 1152, 192, VIDGEN_F16, VIDGEN_SILU);
}

static void
test_48x500x252 (VidgenKernelTest *test)
{
  run_fixed (test, 48, 500, 252, VIDGEN_F32, VIDGEN_LINEAR);
}

/* Far from zero the activations must neither overflow nor lose their sign. */
static void
test_saturated (VidgenKernelTest *test)
{
  const guint n = 64;
  const VidgenGemm gemm = {
    .m = 1,
    .n = n,
    .k = 8,
    .a = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, 8, 1.0),
    .a_stride = 8,
    .weight = weight_input (test, VIDGEN_F32, n * 8),
    .bias = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, n, 1000.0),
    .out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, 1, n, n),
    .out_stride = n,
    .activation = vidgen_kernel_test_int (test, VIDGEN_SILU, VIDGEN_GELU),
  };

  VIDGEN_KERNEL_TEST_RUN (test, gemm, &gemm);
}

static VidgenGemmTile
choose (const VidgenDeviceCaps *caps, guint m, guint n)
{
  const VidgenGemm gemm = { .m = m, .n = n, .k = 512 };

  return vidgen_gemm_choose (caps, &gemm);
}

static void
test_choose (void)
{
  const VidgenDeviceCaps lavapipe = {
    .type = VIDGEN_DEVICE_CPU,
    .subgroup_size = 8,
    .min_subgroup_size = 8,
    .max_subgroup_size = 8,
    .subgroup_ballot = TRUE,
  };
  VidgenDeviceCaps caps = lavapipe;
  VidgenGemmTile tile = choose (&caps, 88, 192);

  g_assert_cmpuint (tile.lanes, ==, 8);
  g_assert_cmpuint (tile.rows, ==, 22);
  g_assert_cmpuint (tile.columns, ==, 8);
  g_assert_true (tile.broadcast);
  g_assert_cmpuint (choose (&caps, 84, 192).rows, ==, 22);
  g_assert_cmpuint (choose (&caps, 4, 192).rows, ==, 4);
  g_assert_cmpuint (choose (&caps, 1, 192).rows, ==, 1);
  g_assert_cmpuint (choose (&caps, 1, 192).columns, ==, 4);
  g_assert_cmpuint (choose (&caps, 88, 32).columns, ==, 4);
  g_assert_cmpuint (choose (&caps, 88, 150).columns, ==, 8);

  caps.min_subgroup_size = caps.subgroup_size = caps.max_subgroup_size = 4;
  tile = choose (&caps, 88, 192);
  g_assert_cmpuint (tile.lanes, ==, 4);
  g_assert_false (tile.broadcast);

  caps = lavapipe;
  caps.subgroup_ballot = FALSE;
  g_assert_false (choose (&caps, 88, 192).broadcast);

  caps = (VidgenDeviceCaps){
    .type = VIDGEN_DEVICE_DISCRETE,
    .subgroup_size = 64,
    .min_subgroup_size = 32,
    .max_subgroup_size = 128,
    .subgroup_ballot = TRUE,
  };
  for (guint m = 1; m < 200; m++) {
    tile = choose (&caps, m, 192);
    g_assert_cmpuint (tile.lanes % caps.max_subgroup_size, ==, 0);
    g_assert_cmpuint (tile.rows, >=, 1);
    g_assert_cmpuint (tile.rows * tile.columns, <=, 16);
    g_assert_true (tile.broadcast);
  }
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_kernel_test_add ("/gemm/random", test_random);
  vidgen_kernel_test_add ("/gemm/few-rows", test_few_rows);
  vidgen_kernel_test_add_fixed ("/gemm/bf16", test_bf16);
  vidgen_kernel_test_add_fixed ("/gemm/q8_0", test_q8_0);
  vidgen_kernel_test_add_fixed ("/gemm/q4_0", test_q4_0);
  vidgen_kernel_test_add_fixed ("/gemm/q4_K", test_q4_k);
  vidgen_kernel_test_add ("/gemm/in-place", test_in_place);
  vidgen_kernel_test_add ("/gemm/saturated", test_saturated);
  vidgen_kernel_test_add_fixed ("/gemm/88x768x192", test_88x768x192);
  vidgen_kernel_test_add_fixed ("/gemm/88x192x768", test_88x192x768);
  vidgen_kernel_test_add_fixed ("/gemm/88x192x768-f32", test_88x192x768_f32);
  vidgen_kernel_test_add_fixed ("/gemm/1x1152x192", test_1x1152x192);
  vidgen_kernel_test_add_fixed ("/gemm/48x500x252", test_48x500x252);
  g_test_add_func ("/gemm/choose", test_choose);
  return g_test_run ();
}
