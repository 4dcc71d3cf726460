/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/conv3d.h"

#include "shaders/conv2d.h"
#include "shaders/pixelpack.h"

#include "conv3d.spv.h"

/* As in conv3d.comp. */
#define PIXELS 4

static const VidgenKernel conv3d_kernel = VIDGEN_KERNEL (conv3d);

static guint
rows_of (const VidgenConv3d *conv)
{
  return conv->rows ? conv->rows : conv->scale * conv->height - conv->first_row;
}

/* Channel `i` of a pixel under tap `tap`. */
static double
value_at (const VidgenConv3d *conv, guint tap, gsize row, guint column, guint i)
{
  const void *x = vidgen_span_map (conv->x[tap]);
  const gboolean is_last = tap + 1 == conv->taps;
  const gsize pixel =
      (row - (is_last ? conv->x_row : 0)) * conv->width + column;

  if (conv->packed && !is_last)
    return vidgen_pixelpack_value (conv->in_channels, x, pixel, i);
  return vidgen_type_value (conv->type, x, pixel * conv->in_channels + i);
}

static double
sum_image (const VidgenConv3d *conv, const float *weights, guint tap, guint row,
    guint column)
{
  const guint k = conv->kernel, padding = k / 2;
  double sum = 0;

  for (guint ky = 0; ky < k; ky++) {
    for (guint kx = 0; kx < k; kx++) {
      /* Above and left of the picture these wrap to large values. */
      const guint y = row + ky - padding, at = column + kx - padding;

      if (y >= conv->scale * conv->height || at >= conv->scale * conv->width)
        continue;
      for (guint i = 0; i < conv->in_channels; i++)
        sum += weights[(i * k + ky) * k + kx] *
               value_at (conv, tap, y / conv->scale, at / conv->scale, i);
    }
  }
  return sum;
}

/* `index` is that of the value in out. */
static void
store (const VidgenConv3d *conv, gsize index, guint o, double sum)
{
  const float *bias = vidgen_span_map (conv->bias);
  const void *residual = vidgen_span_map (conv->residual);
  void *out = vidgen_span_map (conv->out);

  if (bias != NULL)
    sum += bias[o];
  if (residual != NULL)
    sum += vidgen_type_value (conv->out_type, residual, index);
  if (conv->relu)
    sum = MAX (sum, 0);
  if (conv->out_type == VIDGEN_F32)
    ((float *)out)[index] = (float)sum;
  else
    ((guint16 *)out)[index] = vidgen_half_store (sum);
}

void
vidgen_conv3d_reference (const VidgenConv3d *conv)
{
  const guint inputs = conv->taps * conv->in_channels;
  const gsize squares = (gsize)conv->kernel * conv->kernel;
  g_autofree float *weights =
      g_new (float, conv->out_channels *inputs *squares);
  gsize index = 0;

  vidgen_conv2d_unpack (conv->out_channels, inputs, conv->kernel,
      conv->weight_type, vidgen_span_map (conv->weight), weights);
  for (guint row = 0; row < rows_of (conv); row++)
    for (guint column = 0; column < conv->scale * conv->width; column++)
      for (guint o = 0; o < conv->out_channels; o++, index++) {
        double sum = 0;

        for (guint tap = 0; tap < conv->taps; tap++)
          if (conv->x[tap].memory != NULL)
            sum += sum_image (conv,
                weights + squares * ((gsize)o * inputs +
                                        (gsize)tap * conv->in_channels),
                tap, conv->first_row + row, column);
        store (conv, index, o, sum);
      }
}

static void
reference (const void *params)
{
  vidgen_conv3d_reference (params);
}

static guint
present_taps (const VidgenConv3d *conv)
{
  guint present = 0;

  for (guint tap = 0; tap < conv->taps; tap++)
    present += conv->x[tap].memory != NULL;
  return present;
}

/* What the rows that are made read of tap `tap`. */
static guint64
image_bytes (const VidgenConv3d *conv, guint tap)
{
  const guint padding = conv->kernel / 2;
  const guint end = MIN (
      conv->first_row + rows_of (conv) + padding, conv->scale * conv->height);
  const guint64 rows = vidgen_groups (end, conv->scale);

  if (tap + 1 == conv->taps)
    return vidgen_type_size (
        conv->type, (rows - conv->x_row) * conv->width * conv->in_channels);
  if (conv->packed)
    return vidgen_pixelpack_bytes (conv->in_channels, rows * conv->width);
  return vidgen_type_size (conv->type, rows * conv->width * conv->in_channels);
}

void
vidgen_conv3d (VidgenRecorder *recorder, const VidgenConv3d *conv)
{
  const VidgenDeviceCaps *caps =
      vidgen_device_caps (vidgen_recorder_device (recorder));
  const guint lanes = vidgen_conv2d_lanes (caps);
  const guint group_size =
      caps->type == VIDGEN_DEVICE_CPU ? MAX (lanes, 8) : 64;
  const guint block = vidgen_conv2d_block (conv->out_channels);
  const guint out_width = conv->scale * conv->width;
  const guint rows = rows_of (conv);
  const guint strips = vidgen_groups (out_width, PIXELS) * rows;
  const guint64 out_pixels = (guint64)rows * out_width;
  const guint64 out_bytes =
      vidgen_type_size (conv->out_type, out_pixels * conv->out_channels);
  const struct {
    guint64 x[VIDGEN_CONV3D_TAPS], weight, bias, residual, out;
    guint32 height, width, in_channels, out_channels, first_row, rows, x_row;
  } push = {
    { vidgen_span_address (conv->x[0]), vidgen_span_address (conv->x[1]),
        vidgen_span_address (conv->x[2]) },
    vidgen_span_address (conv->weight),
    vidgen_span_address (conv->bias),
    vidgen_span_address (conv->residual),
    vidgen_span_address (conv->out),
    conv->height,
    conv->width,
    conv->in_channels,
    conv->out_channels,
    conv->first_row,
    rows,
    conv->x_row,
  };
  const VidgenDispatch dispatch = {
    .kernel = &conv3d_kernel,
    .constants = { group_size, 1, 1, conv->weight_type, conv->kernel, block,
        lanes, conv->scale, conv->taps,
        conv->type | (guint32)conv->out_type << 8, conv->packed, conv->relu },
    .n_constants = 12,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "x[0]", conv->x[0], FALSE, image_bytes (conv, 0) },
        { "x[1]", conv->x[1], FALSE, image_bytes (conv, 1) },
        { "x[2]", conv->x[2], FALSE, image_bytes (conv, 2) },
        { "weight", conv->weight, FALSE,
            vidgen_conv2d_packed_bytes (conv->out_channels,
                conv->taps * conv->in_channels, conv->kernel,
                conv->weight_type) },
        { "bias", conv->bias, FALSE, 4 * (guint64)conv->out_channels },
        { "residual", conv->residual, FALSE, out_bytes },
        { "out", conv->out, TRUE, out_bytes } },
    .n_accesses = 7,
    .groups = { vidgen_groups (strips, group_size),
        vidgen_groups (conv->out_channels, block), 1 },
    .operations = 2.0 * out_pixels * conv->out_channels * present_taps (conv) *
                  conv->in_channels * conv->kernel * conv->kernel,
    .reference = reference,
    .params = conv,
    .params_bytes = sizeof *conv,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
