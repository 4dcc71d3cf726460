/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/picture.h"

#include <math.h>

#include "tests/kernels/harness.h"

/* How far a byte may be from the exact value: half a step, and what single
 * precision may do to a value that lies halfway. */
#define ROUNDING (0.5 + 1e-3)

/* The colours of a picture, 0..1, before conversion. */
typedef struct {
  guint width, height;
  const float *rgb; /* -1..1 */
} Image;

static double
colour_at (const Image *image, guint x, guint y, guint colour)
{
  const double value =
      image->rgb[(y * image->width + x) * 3 + colour] * 0.5 + 0.5;

  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* R'G'B' to Y', Cb, Cr of eight bits: the matrix of ITU-R BT.709-6 items 3.2
 * to 3.5, written out. */
static double
yuv_of (double r, double g, double b, guint component)
{
  static const double matrix[3][4] = {
    { 46.5594, 156.6288, 15.8118, 16 },
    { -25.664331, -86.335669, 112, 128 },
    { 112, -101.730252, -10.269748, 128 },
  };
  const double *row = matrix[component];

  return row[0] * r + row[1] * g + row[2] * b + row[3];
}

static double
luma_at (const Image *image, guint x, guint y)
{
  return yuv_of (colour_at (image, x, y, 0), colour_at (image, x, y, 1),
      colour_at (image, x, y, 2), 0);
}

static double
chroma_at (const Image *image, guint column, guint row, guint component)
{
  const guint x = 2 * column, y = 2 * row;
  const guint xs[4] = { x > 0 ? x - 1 : 0, x, x,
    MIN (x + 1, image->width - 1) };
  const guint ys[2] = { y, MIN (y + 1, image->height - 1) };
  double rgb[3] = { 0 };

  for (guint colour = 0; colour < 3; colour++)
    for (guint i = 0; i < 8; i++)
      rgb[colour] += colour_at (image, xs[i % 4], ys[i / 4], colour) / 8;
  return yuv_of (rgb[0], rgb[1], rgb[2], component);
}

/* The exact value of a byte of a row of a plane; of the padding 0. */
static double
expected (const Image *image, VidgenPictureFormat format, guint plane,
    guint row, guint byte)
{
  static const guint bgr[3] = { 2, 1, 0 };
  const guint chroma_width = (image->width + 1) / 2;

  switch (format) {
  case VIDGEN_PICTURE_I420:
    if (plane == 0)
      return byte < image->width ? luma_at (image, byte, row) : 0;
    return byte < chroma_width ? chroma_at (image, byte, row, plane) : 0;
  case VIDGEN_PICTURE_NV12:
    if (plane == 0)
      return byte < image->width ? luma_at (image, byte, row) : 0;
    return byte < 2 * chroma_width
               ? chroma_at (image, byte / 2, row, 1 + byte % 2)
               : 0;
  case VIDGEN_PICTURE_RGBA:
    return byte % 4 == 3 ? 255
                         : 255 * colour_at (image, byte / 4, row, byte % 4);
  case VIDGEN_PICTURE_BGRX:
    return byte % 4 == 3
               ? 255
               : 255 * colour_at (image, byte / 4, row, bgr[byte % 4]);
  case VIDGEN_PICTURE_RGB:
    return byte < 3 * image->width
               ? 255 * colour_at (image, byte / 3, row, byte % 3)
               : 0;
  }
  return NAN;
}

static VidgenMemory *
new_memory (VidgenDevice *device, guint64 size, VidgenMemoryKind kind)
{
  g_autoptr (GError) error = NULL;
  VidgenMemory *memory = vidgen_memory_new (device, size, kind, &error);

  g_assert_no_error (error);
  return memory;
}

/* Converts on `device`; returns the bytes of all frames. */
static guint8 *
convert (VidgenDevice *device, VidgenPictureFormat format, guint frames,
    guint width, guint height, const float *rgb)
{
  const gsize rgb_bytes = sizeof (float) * 3 * frames * width * height;
  VidgenPictureLayout layout;
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);
  g_autoptr (VidgenMemory) in = NULL;
  g_autoptr (VidgenMemory) out = NULL;

  g_assert_no_error (error);
  vidgen_picture_layout (format, width, height, &layout);
  in = new_memory (device, rgb_bytes, VIDGEN_MEMORY_UPLOAD);
  out = new_memory (
      device, (guint64)layout.size * frames, VIDGEN_MEMORY_READBACK);
  memcpy (vidgen_span_map (vidgen_memory_span (in)), rgb, rgb_bytes);
  memset (vidgen_span_map (vidgen_memory_span (out)), 0xcd,
      (gsize)layout.size * frames);
  vidgen_picture (recorder, &(VidgenPicture){ .frames = frames,
                                .width = width,
                                .height = height,
                                .format = format,
                                .rgb = vidgen_memory_span (in),
                                .out = vidgen_memory_span (out) });
  vidgen_recorder_finish (recorder, NULL, &error);
  g_assert_no_error (error);
  return g_memdup2 (
      vidgen_span_map (vidgen_memory_span (out)), (gsize)layout.size * frames);
}

static void
check_plane (const Image *image, VidgenPictureFormat format,
    const VidgenPictureLayout *layout, guint plane, const guint8 *bytes)
{
  for (guint row = 0; row < layout->rows[plane]; row++)
    for (guint i = 0; i < layout->stride[plane]; i++) {
      const double exact = expected (image, format, plane, row, i);
      const guint8 got =
          bytes[layout->offset[plane] + row * layout->stride[plane] + i];

      if (fabs (got - exact) > ROUNDING)
        g_error ("format %d of %ux%u, plane %u, row %u, byte %u: %u, not %g",
            format, image->width, image->height, plane, row, i, got, exact);
    }
}

static void
check_random (VidgenDevice *device, VidgenPictureFormat format)
{
  const guint frames = (guint)g_test_rand_int_range (1, 4);
  const guint width = (guint)g_test_rand_int_range (1, 34);
  const guint height = (guint)g_test_rand_int_range (1, 14);
  const guint values = 3 * width * height;
  g_autofree float *rgb = g_new (float, frames *values);
  g_autofree guint8 *bytes = NULL;
  VidgenPictureLayout layout;

  for (guint i = 0; i < frames * values; i++)
    rgb[i] = (float)g_test_rand_double_range (-1.3, 1.3);
  vidgen_picture_layout (format, width, height, &layout);
  bytes = convert (device, format, frames, width, height, rgb);
  for (guint frame = 0; frame < frames; frame++) {
    const Image image = { width, height, rgb + frame * values };

    for (guint plane = 0; plane < layout.n_planes; plane++)
      check_plane (&image, format, &layout, plane, bytes + frame * layout.size);
  }
}

static void
test_random (gconstpointer name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open (name, &error);

  if (!device) {
    g_test_skip (error->message);
    return;
  }
  for (guint round = 0; round < 12; round++)
    for (guint format = 0; format < VIDGEN_PICTURE_FORMATS; format++)
      check_random (device, format);
}

/* Flat colours: black, white, the primaries (63 102 240 and so on, the codes
 * of 100 % bars), 75 % yellow, and values outside of the range. */
static void
test_known (gconstpointer name)
{
  static const struct {
    float rgb[3];
    guint8 yuv[3], bytes[3];
  } cases[] = {
    { { -1, -1, -1 }, { 16, 128, 128 }, { 0, 0, 0 } },
    { { 1, 1, 1 }, { 235, 128, 128 }, { 255, 255, 255 } },
    { { 1, -1, -1 }, { 63, 102, 240 }, { 255, 0, 0 } },
    { { -1, 1, -1 }, { 173, 42, 26 }, { 0, 255, 0 } },
    { { -1, -1, 1 }, { 32, 240, 118 }, { 0, 0, 255 } },
    { { 0.5f, 0.5f, -1 }, { 168, 44, 136 }, { 191, 191, 0 } },
    { { 9, -9, 0 }, { 70, 158, 235 }, { 255, 0, 128 } },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open (name, &error);

  if (!device) {
    g_test_skip (error->message);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    float rgb[12];
    guint8 *picture;
    const guint8 *want = cases[i].bytes;

    for (guint j = 0; j < 12; j++)
      rgb[j] = cases[i].rgb[j % 3];
    picture = convert (device, VIDGEN_PICTURE_I420, 1, 2, 2, rgb);
    g_assert_cmpuint (picture[0], ==, cases[i].yuv[0]);
    g_assert_cmpuint (picture[8], ==, cases[i].yuv[1]);
    g_assert_cmpuint (picture[12], ==, cases[i].yuv[2]);
    g_free (picture);
    picture = convert (device, VIDGEN_PICTURE_NV12, 1, 2, 2, rgb);
    g_assert_cmpuint (picture[0], ==, cases[i].yuv[0]);
    g_assert_cmpmem (picture + 8, 2, cases[i].yuv + 1, 2);
    g_free (picture);
    picture = convert (device, VIDGEN_PICTURE_RGBA, 1, 2, 2, rgb);
    g_assert_cmpmem (picture, 3, want, 3);
    g_assert_cmpuint (picture[3], ==, 255);
    g_free (picture);
    picture = convert (device, VIDGEN_PICTURE_BGRX, 1, 2, 2, rgb);
    g_assert_cmpmem (
        picture, 4, ((guint8[]){ want[2], want[1], want[0], 255 }), 4);
    g_free (picture);
    picture = convert (device, VIDGEN_PICTURE_RGB, 1, 2, 2, rgb);
    g_assert_cmpmem (picture, 3, want, 3);
    g_free (picture);
  }
}

/* What broken weights may give is black, not undefined. */
static void
test_nan (void)
{
  const float rgb[3] = { NAN, NAN, NAN };
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  g_autofree guint8 *picture = NULL;

  g_assert_no_error (error);
  picture = convert (device, VIDGEN_PICTURE_RGBA, 1, 1, 1, rgb);
  g_assert_cmpmem (picture, 4, ((guint8[]){ 0, 0, 0, 255 }), 4);
}

static void
test_layout (void)
{
  VidgenPictureLayout layout;

  vidgen_picture_layout (VIDGEN_PICTURE_I420, 5, 3, &layout);
  g_assert_cmpuint (layout.n_planes, ==, 3);
  g_assert_cmpuint (layout.stride[0], ==, 8);
  g_assert_cmpuint (layout.offset[1], ==, 24);
  g_assert_cmpuint (layout.stride[1], ==, 4);
  g_assert_cmpuint (layout.row_bytes[1], ==, 3);
  g_assert_cmpuint (layout.rows[2], ==, 2);
  g_assert_cmpuint (layout.offset[2], ==, 32);
  g_assert_cmpuint (layout.size, ==, 40);
  vidgen_picture_layout (VIDGEN_PICTURE_NV12, 5, 3, &layout);
  g_assert_cmpuint (layout.n_planes, ==, 2);
  g_assert_cmpuint (layout.row_bytes[1], ==, 6);
  g_assert_cmpuint (layout.stride[1], ==, 8);
  g_assert_cmpuint (layout.size, ==, 40);
  vidgen_picture_layout (VIDGEN_PICTURE_RGB, 5, 3, &layout);
  g_assert_cmpuint (layout.row_bytes[0], ==, 15);
  g_assert_cmpuint (layout.size, ==, 48);
}

static void
run (VidgenKernelTest *test, VidgenPictureFormat format, guint frames,
    guint width, guint height)
{
  VidgenPictureLayout layout;
  VidgenPicture picture = {
    .frames = frames, .width = width, .height = height, .format = format
  };

  vidgen_picture_layout (format, width, height, &layout);
  picture.rgb = vidgen_kernel_test_input (
      test, VIDGEN_TEST_F32, 3 * frames * width * height, 1.2);
  picture.out = vidgen_kernel_test_output (
      test, VIDGEN_TEST_U8, 1, layout.size * frames, layout.size * frames);
  VIDGEN_KERNEL_TEST_RUN (test, picture, &picture);
}

static void
test_guards (VidgenKernelTest *test)
{
  const VidgenPictureFormat format =
      vidgen_kernel_test_int (test, 0, VIDGEN_PICTURE_FORMATS - 1);
  const guint frames = vidgen_kernel_test_int (test, 1, 3);
  const guint width = vidgen_kernel_test_int (test, 1, 40);

  run (test, format, frames, width, vidgen_kernel_test_int (test, 1, 20));
}

/* A chunk of 192x112 pictures, for --bench. */
static void
test_i420 (VidgenKernelTest *test)
{
  run (test, VIDGEN_PICTURE_I420, 4, 192, 112);
}

static void
test_rgb (VidgenKernelTest *test)
{
  run (test, VIDGEN_PICTURE_RGB, 4, 192, 112);
}

int
main (int argc, char **argv)
{
  vidgen_kernel_test_init (&argc, &argv);
  g_test_add_func ("/picture/layout", test_layout);
  g_test_add_func ("/picture/nan", test_nan);
  g_test_add_data_func ("/picture/known/host", "host", test_known);
  g_test_add_data_func ("/picture/known/vulkan", "auto", test_known);
  g_test_add_data_func ("/picture/random/host", "host", test_random);
  g_test_add_data_func ("/picture/random/vulkan", "auto", test_random);
  vidgen_kernel_test_add ("/picture/guards", test_guards);
  vidgen_kernel_test_add_fixed ("/picture/i420", test_i420);
  vidgen_kernel_test_add_fixed ("/picture/rgb", test_rgb);
  return g_test_run ();
}
