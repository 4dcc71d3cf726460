/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/conv3d.h"

#include "shaders/conv2d.h"
#include "shaders/pixelpack.h"
#include "tests/kernels/harness.h"

typedef struct {
  guint height, width;
  guint in_channels, out_channels;
  guint taps, kernel, scale;
  guint absent; /* bits of taps without an image */
  guint first_row, rows;
  guint x_row;
  gboolean packed;
  gboolean has_bias, has_residual, in_place, relu;
  VidgenType type, weight_type, out_type;
  double largest; /* of what is added up; 0: 1 */
} Shape;

static VidgenTestType
test_type (VidgenType type)
{
  return type == VIDGEN_F16 ? VIDGEN_TEST_F16 : VIDGEN_TEST_F32;
}

static double
largest (const Shape *shape)
{
  return shape->largest > 0 ? shape->largest : 1;
}

static VidgenSpan
draw_weight (VidgenKernelTest *test, const Shape *shape)
{
  const guint inputs = shape->taps * shape->in_channels;
  const guint count =
      shape->out_channels * inputs * shape->kernel * shape->kernel;
  const gsize bytes = vidgen_conv2d_packed_bytes (
      shape->out_channels, inputs, shape->kernel, shape->weight_type);
  g_autofree guint8 *weights = g_malloc (count * 4);
  g_autofree void *packed = g_malloc (bytes);

  for (guint i = 0; i < count; i++) {
    const float value = (float)vidgen_kernel_test_real (test, -0.3, 0.3);

    if (shape->weight_type == VIDGEN_F16)
      ((guint16 *)weights)[i] = vidgen_float_to_half (value);
    else
      ((float *)weights)[i] = value;
  }
  vidgen_conv2d_pack (shape->out_channels, inputs, shape->kernel,
      shape->weight_type, weights, packed);
  return vidgen_kernel_test_data (test, packed, bytes);
}

static VidgenSpan
draw_packed (VidgenKernelTest *test, const Shape *shape)
{
  const guint pixels = shape->height * shape->width;
  const gsize bytes = vidgen_pixelpack_bytes (shape->in_channels, pixels);
  g_autofree guint8 *packed = g_malloc (bytes);

  for (gsize i = 0; i < bytes; i++)
    packed[i] = (guint8)vidgen_kernel_test_int (test, 0, 255);
  for (guint i = 0; i < pixels; i++) {
    const guint16 range[] = { vidgen_float_to_half (
                                  (float)vidgen_kernel_test_real (test, -1, 0)),
      vidgen_float_to_half ((float)vidgen_kernel_test_real (test, 0, 2)) };

    memcpy (packed + vidgen_pixelpack_bytes (shape->in_channels, i), range,
        sizeof range);
  }
  return vidgen_kernel_test_data (test, packed, bytes);
}

/* The image of tap `tap`. */
static VidgenSpan
draw_image (VidgenKernelTest *test, const Shape *shape, guint tap)
{
  const gboolean is_last = tap + 1 == shape->taps;
  const guint rows = shape->height - (is_last ? shape->x_row : 0);

  if (shape->packed && !is_last)
    return draw_packed (test, shape);
  return vidgen_kernel_test_input (test, test_type (shape->type),
      rows * shape->width * shape->in_channels, largest (shape));
}

static void
run (VidgenKernelTest *test, const Shape *shape)
{
  const guint rows = shape->rows
                         ? shape->rows
                         : shape->scale * shape->height - shape->first_row;
  const guint64 row = shape->scale * shape->width * shape->out_channels;
  const VidgenTestType out_type = test_type (shape->out_type);
  VidgenConv3d conv = { .height = shape->height,
    .width = shape->width,
    .in_channels = shape->in_channels,
    .out_channels = shape->out_channels,
    .taps = shape->taps,
    .kernel = shape->kernel,
    .scale = shape->scale,
    .first_row = shape->first_row,
    .rows = shape->rows,
    .x_row = shape->x_row,
    .type = shape->type,
    .packed = shape->packed,
    .weight = draw_weight (test, shape),
    .weight_type = shape->weight_type,
    .relu = shape->relu,
    .out_type = shape->out_type };

  for (guint tap = 0; tap < shape->taps; tap++)
    if (!(shape->absent & 1u << tap))
      conv.x[tap] = draw_image (test, shape, tap);
  if (shape->has_bias)
    conv.bias = vidgen_kernel_test_input (
        test, VIDGEN_TEST_F32, shape->out_channels, largest (shape));
  if (shape->has_residual && shape->in_place) {
    conv.residual = conv.out = vidgen_kernel_test_inout (
        test, out_type, 1, rows * row, rows * row, largest (shape));
  } else {
    if (shape->has_residual)
      conv.residual = vidgen_kernel_test_input (
          test, out_type, rows * row, largest (shape));
    conv.out =
        vidgen_kernel_test_output (test, out_type, 1, rows * row, rows * row);
  }
  VIDGEN_KERNEL_TEST_RUN (test, conv3d, &conv);
}

static void
test_random (VidgenKernelTest *test)
{
  Shape shape = {
    .height = vidgen_kernel_test_int (test, 1, 9),
    .width = vidgen_kernel_test_int (test, 1, 19),
    .in_channels = 4 * vidgen_kernel_test_int (test, 1, 6),
    .out_channels = vidgen_kernel_test_int (test, 1, 40),
    .taps = vidgen_kernel_test_int (test, 1, 3),
    .kernel = vidgen_kernel_test_int (test, 0, 2) ? 3 : 1,
    .scale = 1,
    .absent = vidgen_kernel_test_int (test, 0, 7),
    .has_bias = vidgen_kernel_test_int (test, 0, 3) > 0,
    .has_residual = vidgen_kernel_test_int (test, 0, 1),
    .in_place = vidgen_kernel_test_int (test, 0, 1),
    .relu = vidgen_kernel_test_int (test, 0, 1),
    .type = vidgen_kernel_test_int (test, 0, 1),
    .packed = vidgen_kernel_test_int (test, 0, 1),
    .weight_type = vidgen_kernel_test_int (test, 0, 1),
    .out_type = vidgen_kernel_test_int (test, 0, 1),
  };

  if (shape.out_type == VIDGEN_F16)
    shape.out_channels = (shape.out_channels + 1) / 2 * 2;
  if (shape.kernel == 3)
    shape.scale = vidgen_kernel_test_int (test, 1, 2);
  run (test, &shape);
}

/* Some rows of many, as decoders make them when memory is short. */
static void
test_rows (VidgenKernelTest *test)
{
  Shape shape = {
    .height = vidgen_kernel_test_int (test, 2, 12),
    .width = vidgen_kernel_test_int (test, 1, 9),
    .in_channels = 4 * vidgen_kernel_test_int (test, 1, 3),
    .out_channels = 2 * vidgen_kernel_test_int (test, 1, 10),
    .taps = vidgen_kernel_test_int (test, 1, 3),
    .kernel = 3,
    .scale = vidgen_kernel_test_int (test, 1, 2),
    .has_residual = TRUE,
    .in_place = vidgen_kernel_test_int (test, 0, 1),
    .type = vidgen_kernel_test_int (test, 0, 1),
    .packed = vidgen_kernel_test_int (test, 0, 1),
    .out_type = vidgen_kernel_test_int (test, 0, 1),
  };

  shape.first_row =
      vidgen_kernel_test_int (test, 0, shape.scale * shape.height - 1);
  shape.rows = vidgen_kernel_test_int (
      test, 1, shape.scale * shape.height - shape.first_row);
  if (shape.first_row > 0)
    shape.x_row =
        vidgen_kernel_test_int (test, 0, (shape.first_row - 1) / shape.scale);
  run (test, &shape);
}

/* Layers of decoders of published models, cut to fewer pixels. */
static void
test_vae_layer (VidgenKernelTest *test)
{
  run (test, &(Shape){ .height = 16,
                 .width = 52,
                 .in_channels = 96,
                 .out_channels = 96,
                 .taps = 3,
                 .kernel = 3,
                 .scale = 1,
                 .has_bias = TRUE,
                 .has_residual = TRUE,
                 .type = VIDGEN_F16,
                 .weight_type = VIDGEN_F16 });
}

static void
test_packed_layer (VidgenKernelTest *test)
{
  run (test, &(Shape){ .height = 16,
                 .width = 52,
                 .in_channels = 96,
                 .out_channels = 96,
                 .taps = 3,
                 .kernel = 3,
                 .scale = 1,
                 .has_bias = TRUE,
                 .packed = TRUE,
                 .type = VIDGEN_F16,
                 .weight_type = VIDGEN_F16,
                 .out_type = VIDGEN_F16 });
}

static void
test_memory_layer (VidgenKernelTest *test)
{
  run (test, &(Shape){ .height = 16,
                 .width = 52,
                 .in_channels = 128,
                 .out_channels = 128,
                 .taps = 2,
                 .kernel = 3,
                 .scale = 1,
                 .has_bias = TRUE,
                 .relu = TRUE,
                 .type = VIDGEN_F16,
                 .weight_type = VIDGEN_F16,
                 .out_type = VIDGEN_F16 });
}

static void
test_up_layer (VidgenKernelTest *test)
{
  run (test, &(Shape){ .height = 16,
                 .width = 52,
                 .in_channels = 64,
                 .out_channels = 64,
                 .taps = 1,
                 .kernel = 3,
                 .scale = 2,
                 .relu = TRUE,
                 .type = VIDGEN_F16,
                 .weight_type = VIDGEN_F16,
                 .out_type = VIDGEN_F16 });
}

/* Added up, many of the values are beyond what halves hold. */
static void
test_large (VidgenKernelTest *test)
{
  run (test, &(Shape){ .height = 7,
                 .width = 9,
                 .in_channels = 16,
                 .out_channels = 10,
                 .taps = 3,
                 .kernel = 3,
                 .scale = 1,
                 .has_bias = TRUE,
                 .has_residual = TRUE,
                 .in_place = vidgen_kernel_test_int (test, 0, 1),
                 .relu = vidgen_kernel_test_int (test, 0, 1),
                 .type = vidgen_kernel_test_int (test, 0, 1),
                 .out_type = VIDGEN_F16,
                 .largest = 65504 });
}

/* A convolution by the definition, from weights that are not packed: so that
 * the taps and the scale cannot be wrong in the same way in kernel and
 * reference. */
static void
test_definition (void)
{
  enum { H = 3, W = 5, C = 4, OUT = 6, TAPS = 3, K = 3 };
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  g_autoptr (VidgenMemory) memory = NULL;
  float weights[OUT][TAPS][C][K][K];
  float *images[TAPS], *out;
  VidgenSpan span;
  VidgenConv3d conv = { .height = H,
    .width = W,
    .in_channels = C,
    .out_channels = OUT,
    .taps = TAPS,
    .kernel = K,
    .scale = 2 };

  g_assert_no_error (error);
  memory = vidgen_memory_new (device, 65536, VIDGEN_MEMORY_DEVICE, &error);
  g_assert_no_error (error);
  span = vidgen_memory_span (memory);
  for (guint tap = 0; tap < TAPS; tap++) {
    conv.x[tap] = vidgen_span_cut (span, 1024 * tap, 4 * H * W * C);
    images[tap] = vidgen_span_map (conv.x[tap]);
    for (guint i = 0; i < H * W * C; i++)
      images[tap][i] = (float)g_test_rand_double_range (-1, 1);
  }
  for (guint i = 0; i < sizeof weights / sizeof (float); i++)
    ((float *)weights)[i] = (float)g_test_rand_double_range (-1, 1);
  conv.weight = vidgen_span_cut (
      span, 16384, vidgen_conv2d_packed_bytes (OUT, TAPS * C, K, VIDGEN_F32));
  vidgen_conv2d_pack (
      OUT, TAPS * C, K, VIDGEN_F32, weights, vidgen_span_map (conv.weight));
  conv.out = vidgen_span_cut (span, 4096, 4 * 4 * H * W * OUT);
  vidgen_conv3d_reference (&conv);
  out = vidgen_span_map (conv.out);
  for (int y = 0; y < 2 * H; y++)
    for (int x = 0; x < 2 * W; x++)
      for (guint o = 0; o < OUT; o++) {
        double sum = 0;

        for (guint tap = 0; tap < TAPS; tap++)
          for (guint i = 0; i < C; i++)
            for (int ky = -1; ky <= 1; ky++)
              for (int kx = -1; kx <= 1; kx++)
                if (y + ky >= 0 && y + ky < 2 * H && x + kx >= 0 &&
                    x + kx < 2 * W)
                  sum += weights[o][tap][i][ky + 1][kx + 1] *
                         images[tap][((y + ky) / 2 * W + (x + kx) / 2) * C + i];
        g_assert_cmpfloat_with_epsilon (*out++, sum, 1e-5);
      }
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/conv3d/definition", test_definition);
  vidgen_kernel_test_add ("/conv3d/random", test_random);
  vidgen_kernel_test_add ("/conv3d/rows", test_rows);
  vidgen_kernel_test_add ("/conv3d/large", test_large);
  vidgen_kernel_test_add_fixed ("/conv3d/vae-layer", test_vae_layer);
  vidgen_kernel_test_add_fixed ("/conv3d/packed-layer", test_packed_layer);
  vidgen_kernel_test_add_fixed ("/conv3d/memory-layer", test_memory_layer);
  vidgen_kernel_test_add_fixed ("/conv3d/up-layer", test_up_layer);
  return g_test_run ();
}
