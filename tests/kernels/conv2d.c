/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/conv2d.h"

#include "tests/kernels/harness.h"

typedef struct {
  guint frames, height, width;
  guint in_channels, out_channels;
  guint kernel;
  gboolean has_previous, relu, has_bias, has_residual, in_place;
  guint shuffle, steps;
  VidgenType weight_type;
} Shape;

static guint
inputs_of (const Shape *shape)
{
  return shape->in_channels * (shape->has_previous ? 2 : 1);
}

static guint
weights_of (const Shape *shape)
{
  return shape->out_channels * inputs_of (shape) * shape->kernel *
         shape->kernel;
}

/* [out_channels][inputs][kernel][kernel] of halves or floats. */
static void *
draw_weights (VidgenKernelTest *test, const Shape *shape)
{
  const guint count = weights_of (shape);
  guint8 *weights = g_malloc (count * 4);

  for (guint i = 0; i < count; i++) {
    const float value = (float)vidgen_kernel_test_real (test, -0.3, 0.3);

    if (shape->weight_type == VIDGEN_F16)
      ((guint16 *)weights)[i] = vidgen_float_to_half (value);
    else
      ((float *)weights)[i] = value;
  }
  return weights;
}

static VidgenSpan
pack (VidgenKernelTest *test, const Shape *shape, const void *weights)
{
  const gsize bytes = vidgen_conv2d_packed_bytes (shape->out_channels,
      inputs_of (shape), shape->kernel, shape->weight_type);
  g_autofree void *packed = g_malloc (bytes);

  memset (packed, 0xff, bytes);
  vidgen_conv2d_pack (shape->out_channels, inputs_of (shape), shape->kernel,
      shape->weight_type, weights, packed);
  return vidgen_kernel_test_data (test, packed, bytes);
}

static void
run (VidgenKernelTest *test, const Shape *shape)
{
  const guint pixels = shape->frames * shape->height * shape->width;
  const guint frame_values = shape->height * shape->width * shape->in_channels;
  const guint out_values = pixels * shape->out_channels;
  g_autofree void *weights = draw_weights (test, shape);
  VidgenConv2d conv = {
    .frames = shape->frames,
    .height = shape->height,
    .width = shape->width,
    .in_channels = shape->in_channels,
    .out_channels = shape->out_channels,
    .kernel = shape->kernel,
    .relu = shape->relu,
    .weight = pack (test, shape, weights),
    .weight_type = shape->weight_type,
    .shuffle = shape->shuffle,
    .steps = shape->steps,
  };

  if (shape->has_previous) {
    /* As a streaming block has it: one frame before x. */
    const VidgenSpan history = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, (shape->frames + 1) * frame_values, 1);

    conv.previous =
        vidgen_span_cut (history, 0, 4 * shape->frames * frame_values);
    conv.x = vidgen_span_cut (
        history, 4 * frame_values, 4 * shape->frames * frame_values);
  } else {
    conv.x = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, shape->frames * frame_values, 1);
  }
  if (shape->has_bias)
    conv.bias = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, shape->out_channels, 1);
  if (shape->has_residual && shape->in_place) {
    conv.residual = conv.out = vidgen_kernel_test_inout (
        test, VIDGEN_TEST_F32, 1, out_values, out_values, 1);
  } else {
    if (shape->has_residual)
      conv.residual =
          vidgen_kernel_test_input (test, VIDGEN_TEST_F32, out_values, 1);
    conv.out = vidgen_kernel_test_output (
        test, VIDGEN_TEST_F32, 1, out_values, out_values);
  }
  VIDGEN_KERNEL_TEST_RUN (test, conv2d, &conv);
}

static void
test_random (VidgenKernelTest *test)
{
  Shape shape = {
    .frames = vidgen_kernel_test_int (test, 1, 3),
    .height = vidgen_kernel_test_int (test, 1, 9),
    .width = vidgen_kernel_test_int (test, 1, 19),
    .in_channels = vidgen_kernel_test_int (test, 0, 2)
                       ? 4 * vidgen_kernel_test_int (test, 1, 5)
                       : vidgen_kernel_test_int (test, 1, 20),
    .out_channels = vidgen_kernel_test_int (test, 1, 40),
    .kernel = vidgen_kernel_test_int (test, 0, 2) ? 3 : 1,
    .has_previous = vidgen_kernel_test_int (test, 0, 1),
    .relu = vidgen_kernel_test_int (test, 0, 1),
    .has_bias = vidgen_kernel_test_int (test, 0, 3) > 0,
    .has_residual = vidgen_kernel_test_int (test, 0, 1),
    .in_place = vidgen_kernel_test_int (test, 0, 1),
    .shuffle = 1,
    .weight_type = vidgen_kernel_test_int (test, 0, 1),
  };

  run (test, &shape);
}

static void
test_shuffle (VidgenKernelTest *test)
{
  Shape shape = {
    .frames = vidgen_kernel_test_int (test, 1, 3),
    .height = vidgen_kernel_test_int (test, 1, 7),
    .width = vidgen_kernel_test_int (test, 1, 11),
    .in_channels = 4 * vidgen_kernel_test_int (test, 1, 4),
    .kernel = vidgen_kernel_test_int (test, 0, 1) ? 3 : 1,
    .relu = vidgen_kernel_test_int (test, 0, 1),
    .has_bias = TRUE,
    .shuffle = 2,
    .steps = vidgen_kernel_test_int (test, 1, 3),
    .weight_type = vidgen_kernel_test_int (test, 0, 1),
  };

  shape.out_channels = 4 * shape.steps * vidgen_kernel_test_int (test, 1, 5);
  run (test, &shape);
}

/* The layers of a decoder of 192x112 pictures, for --bench. */
static void
test_memory_layer (VidgenKernelTest *test)
{
  run (test, &(Shape){ .frames = 1,
                 .height = 14,
                 .width = 24,
                 .in_channels = 96,
                 .out_channels = 96,
                 .kernel = 3,
                 .has_previous = TRUE,
                 .relu = TRUE,
                 .has_bias = TRUE,
                 .shuffle = 1,
                 .weight_type = VIDGEN_F16 });
}

static void
test_wide_layer (VidgenKernelTest *test)
{
  run (test, &(Shape){ .frames = 2,
                 .height = 28,
                 .width = 48,
                 .in_channels = 48,
                 .out_channels = 48,
                 .kernel = 3,
                 .has_previous = TRUE,
                 .relu = TRUE,
                 .has_bias = TRUE,
                 .shuffle = 1,
                 .weight_type = VIDGEN_F16 });
}

static void
test_up_layer (VidgenKernelTest *test)
{
  run (test, &(Shape){ .frames = 1,
                 .height = 14,
                 .width = 24,
                 .in_channels = 96,
                 .out_channels = 384,
                 .kernel = 1,
                 .has_bias = TRUE,
                 .shuffle = 2,
                 .steps = 2,
                 .weight_type = VIDGEN_F16 });
}

static void
test_out_layer (VidgenKernelTest *test)
{
  run (test, &(Shape){ .frames = 4,
                 .height = 56,
                 .width = 96,
                 .in_channels = 16,
                 .out_channels = 12,
                 .kernel = 3,
                 .relu = TRUE,
                 .has_bias = TRUE,
                 .shuffle = 2,
                 .steps = 1,
                 .weight_type = VIDGEN_F16 });
}

/* A convolution by the definition, from weights that are not packed. */
static double
defined (const VidgenConv2d *conv, const float *weights, guint inputs,
    guint frame, guint row, guint column, guint o)
{
  const float *images[2] = { vidgen_span_map (conv->x),
    vidgen_span_map (conv->previous) };
  const int k = (int)conv->kernel;
  double sum = 0;

  for (guint i = 0; i < inputs; i++)
    for (int ky = 0; ky < k; ky++)
      for (int kx = 0; kx < k; kx++) {
        const int y = (int)row + ky - k / 2, x = (int)column + kx - k / 2;
        const float *image = images[i / conv->in_channels];

        if (y < 0 || y >= (int)conv->height || x < 0 || x >= (int)conv->width)
          continue;
        sum += (double)weights[((o * inputs + i) * k + ky) * k + kx] *
               image[((frame * conv->height + y) * conv->width + x) *
                         conv->in_channels +
                     i % conv->in_channels];
      }
  return sum;
}

/* The reference against the definition, so that packing and shuffling cannot
 * be wrong in the same way in kernel and reference. */
static void
test_definition (void)
{
  enum { H = 3, W = 5, C = 5, INPUTS = 2 * C, STEPS = 2, OUT = STEPS * 3 * 4 };
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  g_autoptr (VidgenMemory) memory = NULL;
  g_autofree float *weights = g_new (float, OUT *INPUTS * 9);
  VidgenSpan span;
  VidgenConv2d conv = { .frames = 1,
    .height = H,
    .width = W,
    .in_channels = C,
    .out_channels = OUT,
    .kernel = 3,
    .shuffle = 2,
    .steps = STEPS };
  float *history, *out;

  g_assert_no_error (error);
  memory = vidgen_memory_new (device, 65536, VIDGEN_MEMORY_DEVICE, &error);
  g_assert_no_error (error);
  span = vidgen_memory_span (memory);
  conv.previous = vidgen_span_cut (span, 0, 4 * H * W * C);
  conv.x = vidgen_span_cut (span, 4 * H * W * C, 4 * H * W * C);
  conv.out = vidgen_span_cut (span, 4096, 4 * H * W * OUT);
  conv.weight = vidgen_span_cut (
      span, 16384, vidgen_conv2d_packed_bytes (OUT, INPUTS, 3, VIDGEN_F32));
  history = vidgen_span_map (conv.previous);
  out = vidgen_span_map (conv.out);
  for (guint i = 0; i < 2 * H * W * C; i++)
    history[i] = (float)g_test_rand_double_range (-1, 1);
  for (guint i = 0; i < OUT * INPUTS * 9; i++)
    weights[i] = (float)g_test_rand_double_range (-1, 1);
  vidgen_conv2d_pack (
      OUT, INPUTS, 3, VIDGEN_F32, weights, vidgen_span_map (conv.weight));
  vidgen_conv2d_reference (&conv);
  for (guint step = 0; step < STEPS; step++)
    for (guint y = 0; y < 2 * H; y++)
      for (guint x = 0; x < 2 * W; x++)
        for (guint c = 0; c < 3; c++) {
          const guint o = ((step * 3 + c) * 2 + y % 2) * 2 + x % 2;

          g_assert_cmpfloat_with_epsilon (*out++,
              defined (&conv, weights, INPUTS, 0, y / 2, x / 2, o), 1e-5);
        }
}

static void
test_lanes (void)
{
  static const struct {
    gboolean ballot;
    guint size, min_size, lanes;
  } cases[] = { { TRUE, 8, 8, 8 }, { TRUE, 4, 4, 4 }, { TRUE, 32, 8, 8 },
    { TRUE, 64, 32, 8 }, { TRUE, 16, 4, 4 }, { TRUE, 2, 1, 1 },
    { FALSE, 32, 32, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const VidgenDeviceCaps caps = {
      .subgroup_ballot = cases[i].ballot,
      .subgroup_size = cases[i].size,
      .min_subgroup_size = cases[i].min_size,
    };

    g_assert_cmpuint (vidgen_conv2d_lanes (&caps), ==, cases[i].lanes);
  }
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/conv2d/definition", test_definition);
  g_test_add_func ("/conv2d/lanes", test_lanes);
  vidgen_kernel_test_add ("/conv2d/random", test_random);
  vidgen_kernel_test_add ("/conv2d/shuffle", test_shuffle);
  vidgen_kernel_test_add_fixed ("/conv2d/memory-layer", test_memory_layer);
  vidgen_kernel_test_add_fixed ("/conv2d/wide-layer", test_wide_layer);
  vidgen_kernel_test_add_fixed ("/conv2d/up-layer", test_up_layer);
  vidgen_kernel_test_add_fixed ("/conv2d/out-layer", test_out_layer);
  return g_test_run ();
}
