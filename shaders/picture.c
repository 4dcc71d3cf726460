/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/picture.h"

#include <math.h>

#include "picture.spv.h"

#define GROUP_SIZE 64

static const VidgenKernel picture_kernel = VIDGEN_KERNEL (picture);

static const double luma_weights[3] = { 0.2126, 0.7152, 0.0722 };

static void
add_plane (VidgenPictureLayout *layout, guint row_bytes, guint rows)
{
  const guint plane = layout->n_planes++;

  layout->offset[plane] = layout->size;
  layout->stride[plane] = (row_bytes + 3) / 4 * 4;
  layout->rows[plane] = rows;
  layout->row_bytes[plane] = row_bytes;
  layout->size += layout->stride[plane] * rows;
}

void
vidgen_picture_layout (VidgenPictureFormat format, guint width, guint height,
    VidgenPictureLayout *layout)
{
  const guint chroma_width = (width + 1) / 2;
  const guint chroma_height = (height + 1) / 2;

  *layout = (VidgenPictureLayout){ 0 };
  switch (format) {
  case VIDGEN_PICTURE_I420:
    add_plane (layout, width, height);
    add_plane (layout, chroma_width, chroma_height);
    add_plane (layout, chroma_width, chroma_height);
    break;
  case VIDGEN_PICTURE_NV12:
    add_plane (layout, width, height);
    add_plane (layout, 2 * chroma_width, chroma_height);
    break;
  case VIDGEN_PICTURE_RGBA:
  case VIDGEN_PICTURE_BGRX:
    add_plane (layout, 4 * width, height);
    break;
  case VIDGEN_PICTURE_RGB:
    add_plane (layout, 3 * width, height);
    break;
  }
}

/* One picture being converted; colours are 0..1. */
typedef struct {
  const float *rgb;
  guint width, height;
} Source;

static double
value_at (const Source *source, guint x, guint y, guint colour)
{
  const double value = source->rgb[(y * source->width + x) * 3 + colour];

  /* Broken weights give NaN, which must not reach an integer. */
  return value > -1 ? MIN (value / 2 + 0.5, 1.0) : 0;
}

static guint8
rounded (double value)
{
  return (guint8)floor (value + 0.5);
}

static double
luma_of (const double colour[3])
{
  return luma_weights[0] * colour[0] + luma_weights[1] * colour[1] +
         luma_weights[2] * colour[2];
}

static guint8
luma_at (const Source *source, guint x, guint y)
{
  const double colour[3] = { value_at (source, x, y, 0),
    value_at (source, x, y, 1), value_at (source, x, y, 2) };

  return rounded (16 + 219 * luma_of (colour));
}

static double
filtered (const Source *source, guint column, guint row, guint colour)
{
  static const double weights[3] = { 0.25, 0.5, 0.25 };
  double sum = 0;

  for (int dy = 0; dy < 2; dy++) {
    for (int dx = -1; dx <= 1; dx++) {
      const int x = CLAMP ((int)(2 * column) + dx, 0, (int)source->width - 1);
      const guint y = MIN (2 * row + dy, source->height - 1);

      sum += weights[dx + 1] / 2 * value_at (source, x, y, colour);
    }
  }
  return sum;
}

static void
chroma_at (const Source *source, guint column, guint row, guint8 chroma[2])
{
  const double colour[3] = { filtered (source, column, row, 0),
    filtered (source, column, row, 1), filtered (source, column, row, 2) };
  const double y = luma_of (colour);

  chroma[0] = rounded (128 + 112 * (colour[2] - y) / (1 - luma_weights[2]));
  chroma[1] = rounded (128 + 112 * (colour[0] - y) / (1 - luma_weights[0]));
}

static void
convert_yuv (const Source *source, VidgenPictureFormat format,
    const VidgenPictureLayout *layout, guint8 *out)
{
  for (guint y = 0; y < source->height; y++) {
    for (guint x = 0; x < source->width; x++)
      out[layout->stride[0] * y + x] = luma_at (source, x, y);
  }
  for (guint row = 0; row < layout->rows[1]; row++) {
    for (guint column = 0; column < (source->width + 1) / 2; column++) {
      const guint line = layout->offset[1] + layout->stride[1] * row;
      guint8 chroma[2];

      chroma_at (source, column, row, chroma);
      if (format == VIDGEN_PICTURE_NV12) {
        memcpy (out + line + 2 * column, chroma, 2);
      } else {
        out[line + column] = chroma[0];
        out[line + layout->offset[2] - layout->offset[1] + column] = chroma[1];
      }
    }
  }
}

static void
convert_rgb (const Source *source, VidgenPictureFormat format,
    const VidgenPictureLayout *layout, guint8 *out)
{
  const guint bytes = format == VIDGEN_PICTURE_RGB ? 3 : 4;

  for (guint y = 0; y < source->height; y++) {
    for (guint x = 0; x < source->width; x++) {
      guint8 *pixel = out + layout->stride[0] * y + bytes * x;

      for (guint i = 0; i < 3; i++) {
        const guint colour = format == VIDGEN_PICTURE_BGRX ? 2 - i : i;

        pixel[i] = rounded (255 * value_at (source, x, y, colour));
      }
      if (bytes == 4)
        pixel[3] = 255;
    }
  }
}

void
vidgen_picture_reference (const VidgenPicture *picture)
{
  const float *rgb = vidgen_span_map (picture->rgb);
  guint8 *out = vidgen_span_map (picture->out);
  VidgenPictureLayout layout;

  vidgen_picture_layout (
      picture->format, picture->width, picture->height, &layout);
  memset (out, 0, (gsize)layout.size * picture->frames);
  for (guint frame = 0; frame < picture->frames; frame++) {
    const Source source = { rgb, picture->width, picture->height };

    if (layout.n_planes > 1)
      convert_yuv (&source, picture->format, &layout, out);
    else
      convert_rgb (&source, picture->format, &layout, out);
    rgb += (gsize)picture->width * picture->height * 3;
    out += layout.size;
  }
}

static void
reference (const void *params)
{
  vidgen_picture_reference (params);
}

static void
dispatch_picture (VidgenRecorder *recorder, const VidgenPicture *picture,
    const VidgenPictureLayout *layout)
{
  const guint64 pixels =
      (guint64)picture->frames * picture->width * picture->height;
  const guint words = layout->size / 4;
  const struct {
    guint64 rgb, out;
    guint32 frames, width, height, words;
    guint32 plane_offset[VIDGEN_PICTURE_PLANES];
    guint32 plane_stride[VIDGEN_PICTURE_PLANES];
  } push = {
    vidgen_span_address (picture->rgb),
    vidgen_span_address (picture->out),
    picture->frames,
    picture->width,
    picture->height,
    words,
    { 0, layout->n_planes > 1 ? layout->offset[1] / 4 : words,
        layout->n_planes > 2 ? layout->offset[2] / 4 : words },
    { layout->stride[0] / 4, layout->stride[1] / 4, layout->stride[2] / 4 },
  };
  const VidgenDispatch dispatch = {
    .kernel = &picture_kernel,
    .constants = { GROUP_SIZE, 1, 1, picture->format },
    .n_constants = 4,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "rgb", picture->rgb, FALSE, 12 * pixels },
        { "out", picture->out, TRUE,
            (guint64)layout->size * picture->frames } },
    .n_accesses = 2,
    .groups = { vidgen_groups (words, GROUP_SIZE), picture->frames, 1 },
    .operations = 50.0 * pixels,
    .reference = reference,
    .params = picture,
    .params_bytes = sizeof *picture,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}

void
vidgen_picture (VidgenRecorder *recorder, const VidgenPicture *picture)
{
  VidgenPictureLayout layout;

  vidgen_picture_layout (
      picture->format, picture->width, picture->height, &layout);
  dispatch_picture (recorder, picture, &layout);
}
