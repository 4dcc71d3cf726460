/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/attention.h"

#include "tests/kernels/harness.h"

/* Before the inputs are made: a test of matrix cores is of what they do, not of
 * halves as such. */
static void
expect_halves (VidgenKernelTest *test, guint rows, guint head_size)
{
  const VidgenAttention attention = {
    .rows = rows, .heads = 1, .head_size = head_size
  };

  if (vidgen_attention_choose (
          vidgen_kernel_test_target_caps (test), &attention)
          .path != VIDGEN_ATTENTION_SUBGROUP)
    return;
  vidgen_kernel_test_round_inputs (test);
  vidgen_kernel_test_halves (test);
}

static VidgenAttentionSegment
random_typed_segment (VidgenKernelTest *test, VidgenType type, guint count,
    guint width, double k_scale)
{
  const VidgenTestType stored =
      type == VIDGEN_F16 ? VIDGEN_TEST_F16 : VIDGEN_TEST_F32;
  const guint k_stride = width + 4 * vidgen_kernel_test_int (test, 0, 3);
  const guint v_stride = width + 4 * vidgen_kernel_test_int (test, 0, 3);

  return (VidgenAttentionSegment){
    .count = count,
    .k = vidgen_kernel_test_input (
        test, stored, (guint64)(count - 1) * k_stride + width, k_scale),
    .k_stride = k_stride,
    .v = vidgen_kernel_test_input (
        test, stored, (guint64)(count - 1) * v_stride + width, 1.0),
    .v_stride = v_stride,
  };
}

static VidgenAttentionSegment
random_segment (
    VidgenKernelTest *test, guint count, guint width, double k_scale)
{
  return random_typed_segment (test, VIDGEN_F32, count, width, k_scale);
}

static void
run_typed (
    VidgenKernelTest *test, VidgenType type, guint head_size, double k_scale)
{
  const guint rows = vidgen_kernel_test_int (test, 1, 40);
  const guint heads = vidgen_kernel_test_int (test, 1, 5);
  const guint width = heads * head_size;
  const guint n_segments =
      vidgen_kernel_test_int (test, 1, VIDGEN_ATTENTION_SEGMENTS);
  VidgenAttention attention = {
    .rows = rows,
    .heads = heads,
    .head_size = head_size,
    .scale = (float)vidgen_kernel_test_real (test, 0.1, 1.0),
    .type = type,
    .q_stride = width + 4 * vidgen_kernel_test_int (test, 0, 3),
    .out_stride = width + 4 * vidgen_kernel_test_int (test, 0, 3),
  };

  expect_halves (test, rows, head_size);
  attention.q = vidgen_kernel_test_input (test, VIDGEN_TEST_F32,
      (guint64)(rows - 1) * attention.q_stride + width, 1.0);
  for (guint i = 0; i < n_segments; i++)
    attention.segments[i] = random_typed_segment (
        test, type, vidgen_kernel_test_int (test, 1, 40), width, k_scale);
  attention.out = vidgen_kernel_test_output (
      test, VIDGEN_TEST_F32, rows, width, attention.out_stride);
  VIDGEN_KERNEL_TEST_RUN (test, attention, &attention);
}

static void
run_random (VidgenKernelTest *test, guint head_size, double k_scale)
{
  run_typed (test, VIDGEN_F32, head_size, k_scale);
}

static void
test_halves (VidgenKernelTest *test)
{
  run_typed (test, VIDGEN_F16, 16u << vidgen_kernel_test_int (test, 0, 3), 0.5);
}

static void
test_random (VidgenKernelTest *test)
{
  run_random (test, 16u << vidgen_kernel_test_int (test, 0, 1), 1.0);
}

static void
test_wide_heads (VidgenKernelTest *test)
{
  run_random (test, 64u << vidgen_kernel_test_int (test, 0, 1), 0.5);
}

/* Logits of some hundred, whose exponentials alone would overflow, and whose
 * maximum moves from block to block. */
static void
test_sharp (VidgenKernelTest *test)
{
  run_random (test, 16, 30.0);
}

static void
run_biased (VidgenKernelTest *test, guint rows, guint count, guint heads,
    guint head_size)
{
  const guint width = heads * head_size;
  const guint bias_stride =
      rows + count - 1 + vidgen_kernel_test_int (test, 0, 5);
  const VidgenAttention attention = {
    .rows = rows,
    .heads = heads,
    .head_size = head_size,
    .scale = 1.0f,
    .q = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, (guint64)rows * width, 1.0),
    .q_stride = width,
    .segments = { random_segment (test, count, width, 0.5) },
    .bias = vidgen_kernel_test_input (test, VIDGEN_TEST_F32,
        (guint64)(heads - 1) * bias_stride + rows + count - 1, 5.0),
    .bias_stride = bias_stride,
    .out =
        vidgen_kernel_test_output (test, VIDGEN_TEST_F32, rows, width, width),
    .out_stride = width,
  };

  VIDGEN_KERNEL_TEST_RUN (test, attention, &attention);
}

static void
test_biased (VidgenKernelTest *test)
{
  const guint rows = vidgen_kernel_test_int (test, 1, 40);
  const guint count = vidgen_kernel_test_int (test, 1, 40);
  const guint heads = vidgen_kernel_test_int (test, 1, 5);
  const guint head_size = 16u << vidgen_kernel_test_int (test, 0, 2);

  expect_halves (test, rows, head_size);
  run_biased (test, rows, count, heads, head_size);
}

static void
test_biased_77 (VidgenKernelTest *test)
{
  expect_halves (test, 77, 64);
  run_biased (test, 77, 77, 8, 64);
}

static void
test_one_key (VidgenKernelTest *test)
{
  const VidgenAttention attention = {
    .rows = 3,
    .heads = 2,
    .head_size = 16,
    .scale = 1.0f,
    .q = vidgen_kernel_test_input (test, VIDGEN_TEST_F32, 3 * 32, 1.0),
    .q_stride = 32,
    .segments = { random_segment (test, 1, 32, 1.0) },
    .out = vidgen_kernel_test_output (test, VIDGEN_TEST_F32, 3, 32, 32),
    .out_stride = 32,
  };

  VIDGEN_KERNEL_TEST_RUN (test, attention, &attention);
}

/* A text prefix, cached chunks and the chunk itself, out of one projection. */
static void
run_window (VidgenKernelTest *test, VidgenType type, guint rows, guint heads,
    guint head_size)
{
  const guint width = heads * head_size;
  const VidgenAttention attention = {
    .rows = rows,
    .heads = heads,
    .head_size = head_size,
    .scale = 1.0f,
    .q = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, (rows - 1) * 3 * width + width, 1.0),
    .q_stride = 3 * width,
    .type = type,
    .segments = { random_typed_segment (test, type, 24, width, 1.0),
        random_typed_segment (test, type, 5 * rows, width, 1.0),
        random_typed_segment (test, type, rows, width, 1.0) },
    .out =
        vidgen_kernel_test_output (test, VIDGEN_TEST_F32, rows, width, width),
    .out_stride = width,
  };

  VIDGEN_KERNEL_TEST_RUN (test, attention, &attention);
}

static void
test_88x552 (VidgenKernelTest *test)
{
  expect_halves (test, 88, 32);
  run_window (test, VIDGEN_F32, 88, 6, 32);
}

static void
test_88x552_halves (VidgenKernelTest *test)
{
  expect_halves (test, 88, 32);
  run_window (test, VIDGEN_F16, 88, 6, 32);
}

static VidgenAttentionTile
choose (const VidgenDeviceCaps *caps, guint rows, guint head_size)
{
  const VidgenAttention attention = {
    .rows = rows, .heads = 12, .head_size = head_size
  };

  return vidgen_attention_choose (caps, &attention);
}

static void
test_choose (void)
{
  VidgenDeviceCaps caps = {
    .type = VIDGEN_DEVICE_CPU,
    .subgroup_size = 8,
    .min_subgroup_size = 8,
    .max_subgroup_size = 8,
    .subgroup_ballot = TRUE,
    .subgroup_shuffle = TRUE,
  };

  g_assert_cmpuint (choose (&caps, 88, 32).lanes, ==, 8);
  g_assert_cmpuint (choose (&caps, 88, 32).rows, ==, 2);
  g_assert_cmpuint (choose (&caps, 88, 32).parts, ==, 1);
  g_assert_cmpuint (choose (&caps, 8, 32).rows, ==, 1);
  g_assert_true (choose (&caps, 88, 32).broadcast);
  caps.min_subgroup_size = 4;
  g_assert_false (choose (&caps, 88, 32).broadcast);
  caps.type = VIDGEN_DEVICE_DISCRETE;
  g_assert_cmpuint (choose (&caps, 4680, 128).parts, ==, 1);
  caps.min_subgroup_size = caps.max_subgroup_size = 64;
  g_assert_cmpuint (choose (&caps, 4680, 128).lanes, ==, 64);
  g_assert_cmpuint (choose (&caps, 4680, 128).parts, ==, 8);
  g_assert_cmpuint (choose (&caps, 4680, 128).rows, ==, 4);
  g_assert_cmpuint (choose (&caps, 25, 128).rows, ==, 1);
  g_assert_cmpuint (choose (&caps, 4680, 32).parts, ==, 4);
  caps.subgroup_shuffle = FALSE;
  g_assert_cmpint (choose (&caps, 88, 32).path, ==, VIDGEN_ATTENTION_LANES);
  g_assert_cmpuint (choose (&caps, 88, 32).lanes, ==, 64);
  g_assert_cmpuint (choose (&caps, 88, 32).rows, ==, 1);
  g_assert_cmpuint (choose (&caps, 88, 32).parts, ==, 1);

  caps.subgroup_size = 32;
  caps.matrix = (VidgenMatrixShape){ 16, 16, 16, 0 };
  caps.max_group_invocations = 1024;
  caps.shared_memory_bytes = 32768;
  g_assert_cmpint (choose (&caps, 88, 32).path, ==, VIDGEN_ATTENTION_SUBGROUP);
  g_assert_cmpuint (choose (&caps, 4680, 128).lanes, ==, 128);
  g_assert_cmpuint (choose (&caps, 4680, 128).rows, ==, 64);
  g_assert_cmpint (choose (&caps, 15, 128).path, ==, VIDGEN_ATTENTION_LANES);
  caps.matrix.k = 32;
  g_assert_cmpint (choose (&caps, 88, 16).path, ==, VIDGEN_ATTENTION_LANES);
  caps.shared_memory_bytes = 16384;
  g_assert_cmpint (choose (&caps, 88, 128).path, ==, VIDGEN_ATTENTION_LANES);
  caps.shared_memory_bytes = 32768;
  caps.type = VIDGEN_DEVICE_CPU;
  g_assert_cmpint (choose (&caps, 88, 128).path, ==, VIDGEN_ATTENTION_LANES);
}

static VidgenSpan
floats (VidgenSpan span, guint64 first, guint64 count)
{
  return vidgen_span_cut (span, 4 * first, 4 * count);
}

static void
attend_at (VidgenDevice *device, VidgenMemory *memory, guint64 first)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);
  const VidgenSpan span = vidgen_memory_span (memory);
  const VidgenAttention attention = { .rows = 4,
    .heads = 1,
    .head_size = 16,
    .scale = 1,
    .q = floats (span, 0, 64),
    .q_stride = 16,
    .segments = { { .count = 4,
        .k = floats (span, 64 + first, 64),
        .k_stride = 16,
        .v = floats (span, 192 + first, 64),
        .v_stride = 16 } },
    .out = floats (span, 320, 64),
    .out_stride = 16 };

  g_assert_no_error (error);
  vidgen_attention (recorder, &attention);
  g_assert_true (vidgen_recorder_finish (recorder, NULL, &error));
}

/* Lanes load one value at a time, wherever it lies: no pipeline is compiled
 * for that. */
static void
test_lanes_pipelines (void)
{
  const VidgenAttention attention = { .rows = 4, .heads = 1, .head_size = 16 };
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open (NULL, &error);
  g_autoptr (VidgenMemory) memory = NULL;
  guint64 pipelines;

  if (!device ||
      vidgen_attention_choose (vidgen_device_caps (device), &attention).path !=
          VIDGEN_ATTENTION_LANES) {
    g_test_skip ("no device that takes lanes");
    return;
  }
  memory = vidgen_memory_new (device, 4 * 384, VIDGEN_MEMORY_DEVICE, &error);
  g_assert_no_error (error);
  attend_at (device, memory, 0);
  pipelines = vidgen_device_n_pipelines (device);
  g_assert_cmpuint (pipelines, >, 0);
  attend_at (device, memory, 1);
  g_assert_cmpuint (vidgen_device_n_pipelines (device), ==, pipelines);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  vidgen_kernel_test_add ("/attention/random", test_random);
  vidgen_kernel_test_add ("/attention/wide-heads", test_wide_heads);
  vidgen_kernel_test_add ("/attention/halves", test_halves);
  vidgen_kernel_test_add ("/attention/sharp", test_sharp);
  vidgen_kernel_test_add ("/attention/biased", test_biased);
  vidgen_kernel_test_add_fixed ("/attention/biased-77", test_biased_77);
  vidgen_kernel_test_add_fixed ("/attention/one-key", test_one_key);
  vidgen_kernel_test_add_fixed ("/attention/88x552", test_88x552);
  vidgen_kernel_test_add_fixed ("/attention/88x552-f16", test_88x552_halves);
  g_test_add_func ("/attention/choose", test_choose);
  g_test_add_func ("/attention/lanes-pipelines", test_lanes_pipelines);
  return g_test_run ();
}
