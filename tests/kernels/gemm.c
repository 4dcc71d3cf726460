/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/gemm.h"

#include <string.h>

#include "shaders/runtime/device-private.h"
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
run_gemm (VidgenKernelTest *test, const VidgenGemm *gemm)
{
  if (vidgen_gemm_choose (vidgen_kernel_test_caps (test), gemm).path !=
      VIDGEN_GEMM_PLAIN)
    vidgen_kernel_test_halves (test);
  VIDGEN_KERNEL_TEST_RUN (test, gemm, gemm);
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
  run_gemm (test, &gemm);
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

  run_gemm (test, &gemm);
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

  run_gemm (test, &gemm);
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

  run_gemm (test, &gemm);
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
  g_assert_cmpuint (tile.columns, ==, 64);
  g_assert_true (tile.broadcast);
  g_assert_cmpuint (choose (&caps, 84, 192).rows, ==, 22);
  g_assert_cmpuint (choose (&caps, 4, 192).rows, ==, 4);
  g_assert_cmpuint (choose (&caps, 1, 192).rows, ==, 1);
  g_assert_cmpuint (choose (&caps, 1, 192).columns, ==, 32);
  g_assert_cmpuint (choose (&caps, 88, 32).columns, ==, 32);
  g_assert_cmpuint (choose (&caps, 88, 150).columns, ==, 64);

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
    g_assert_cmpuint (tile.rows * tile.columns, <=, 16 * tile.lanes);
    g_assert_true (tile.broadcast);
  }
}

static void
check_matrix_tile (
    const VidgenDeviceCaps *caps, const VidgenGemm *gemm, VidgenGemmPath path)
{
  const VidgenGemmTile tile = vidgen_gemm_choose (caps, gemm);
  const gboolean group = path == VIDGEN_GEMM_GROUP;
  const VidgenMatrixShape *matrix = group ? &caps->group_matrix : &caps->matrix;

  g_assert_cmpint (tile.path, ==, path);
  if (path == VIDGEN_GEMM_PLAIN)
    return;
  g_assert_cmpuint (tile.rows % matrix->m, ==, 0);
  g_assert_cmpuint (tile.columns % matrix->n, ==, 0);
  g_assert_cmpuint (tile.lanes, <=, caps->max_group_invocations);
  g_assert_cmpuint (tile.rows * tile.columns, <=,
      MIN (128, 4 * caps->subgroup_size) * tile.lanes);
  if (group) {
    g_assert_cmpuint (tile.lanes, ==, matrix->invocations);
    g_assert_cmpuint (tile.depth % matrix->k, ==, 0);
    return;
  }
  g_assert_cmpuint (
      tile.lanes, ==, tile.down * tile.across * caps->subgroup_size);
  g_assert_cmpuint (tile.rows % (tile.down * matrix->m), ==, 0);
  g_assert_cmpuint (tile.columns % (tile.across * matrix->n), ==, 0);
  g_assert_cmpuint (80 * (tile.rows + tile.columns) +
                        4 * tile.down * tile.across * matrix->m * matrix->n,
      <=, caps->shared_memory_bytes);
}

/* Over devices and shapes: tiles fit, and matrix cores are used where they are
 * and pay. */
static void
test_choose_matrix (void)
{
  static const VidgenMatrixShape shapes[] = { { 16, 16, 16, 0 }, { 8, 8, 8, 0 },
    { 8, 16, 16, 0 }, { 16, 8, 32, 0 } };
  static const guint rows[] = { 1, 7, 8, 88, 512, 4680 };
  static const guint columns[] = { 1, 64, 1536, 8960 };

  for (guint i = 0; i < 4 * 4 * 2 * 6 * 4 * VIDGEN_TYPES; i++) {
    const guint subgroup = 8u << i % 4, group = i / 16 % 2;
    const VidgenDeviceCaps caps = {
      .type = VIDGEN_DEVICE_DISCRETE,
      .subgroup_size = subgroup,
      .min_subgroup_size = subgroup,
      .max_subgroup_size = subgroup,
      .subgroup_ballot = TRUE,
      .float16 = TRUE,
      .shared_memory_bytes = 32768,
      .max_group_invocations = 1024,
      .matrix = shapes[i / 4 % 4],
      .group_matrix = { 16 * group, 16, 16, 256 },
    };
    const VidgenGemm gemm = { .m = rows[i / 32 % 6],
      .n = columns[i / 192 % 4],
      .k = 512,
      .weight_type = i / 768 };
    const gboolean plain = gemm.m < 8 || gemm.weight_type == VIDGEN_F32;

    check_matrix_tile (&caps, &gemm,
        plain   ? VIDGEN_GEMM_PLAIN
        : group ? VIDGEN_GEMM_GROUP
                : VIDGEN_GEMM_SUBGROUP);
  }
}

static void
test_choose_without_room (void)
{
  VidgenDeviceCaps caps = {
    .type = VIDGEN_DEVICE_DISCRETE,
    .subgroup_size = 32,
    .min_subgroup_size = 32,
    .max_subgroup_size = 32,
    .shared_memory_bytes = 4096,
    .max_group_invocations = 1024,
    .matrix = { 16, 16, 16, 0 },
  };
  const VidgenGemm gemm = {
    .m = 512, .n = 512, .k = 512, .weight_type = VIDGEN_F16
  };

  g_assert_cmpint (
      vidgen_gemm_choose (&caps, &gemm).path, ==, VIDGEN_GEMM_PLAIN);
  caps.shared_memory_bytes = 32768;
  caps.type = VIDGEN_DEVICE_CPU;
  g_assert_cmpint (
      vidgen_gemm_choose (&caps, &gemm).path, ==, VIDGEN_GEMM_PLAIN);
}

static VidgenSpan
upload (
    VidgenDevice *device, GPtrArray *memories, const void *bytes, gsize n_bytes)
{
  g_autoptr (GError) error = NULL;
  VidgenMemory *memory =
      vidgen_memory_new (device, n_bytes, VIDGEN_MEMORY_UPLOAD, &error);

  g_assert_no_error (error);
  g_ptr_array_add (memories, memory);
  memcpy (vidgen_span_map (vidgen_memory_span (memory)), bytes, n_bytes);
  return vidgen_memory_span (memory);
}

/* What no half can hold is clamped and counted, once, however many groups load
 * it; nothing becomes infinite. */
static void
test_clamped (void)
{
  enum { M = 70, N = 150, K = 64 };
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open (NULL, &error);
  g_autoptr (GPtrArray) memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  g_autoptr (VidgenRecorder) recorder = NULL;
  static float a[M * K], out[M * N];
  static guint16 weight[N * K];
  const guint32 zero = 0;
  VidgenGemm gemm = { .m = M,
    .n = N,
    .k = K,
    .a_stride = K,
    .out_stride = N,
    .weight_type = VIDGEN_BF16 };
  VidgenSpan sums;

  if (!device) {
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE);
    g_test_skip (error->message);
    return;
  }
  device->caps.type = VIDGEN_DEVICE_DISCRETE;
  if (vidgen_gemm_choose (&device->caps, &gemm).path == VIDGEN_GEMM_PLAIN) {
    g_test_skip ("the device has no matrix cores");
    return;
  }
  for (guint i = 0; i < M; i++)
    a[i * K + i % K] = i % 2 ? 1e6f : -65504.0f;
  weight[0] = 0x4800;               /* 131072 */
  weight[(N - 1) * K + 1] = 0xc800; /* -131072 */
  gemm.a = upload (device, memories, a, sizeof a);
  gemm.weight = upload (device, memories, weight, sizeof weight);
  gemm.out = upload (device, memories, out, sizeof out);
  gemm.clamped = upload (device, memories, &zero, sizeof zero);
  recorder = vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);
  g_assert_no_error (error);
  vidgen_gemm (recorder, &gemm);
  vidgen_recorder_finish (recorder, NULL, &error);
  g_assert_no_error (error);
  sums = gemm.out;
  g_assert_cmpuint (*(guint32 *)vidgen_span_map (gemm.clamped), ==, M / 2 + 2);
  g_assert_cmpfloat (
      ((float *)vidgen_span_map (sums))[0], ==, -65504.0f * 65504.0f);
  g_assert_cmpfloat (
      ((float *)vidgen_span_map (sums))[N + N - 1], ==, -65504.0f * 65504.0f);
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
  g_test_add_func ("/gemm/choose-matrix", test_choose_matrix);
  g_test_add_func ("/gemm/choose-without-room", test_choose_without_room);
  g_test_add_func ("/gemm/clamped", test_clamped);
  return g_test_run ();
}
