/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/conv2d.h"

#include "conv2d.spv.h"

/* The tile of an invocation, as in conv2d.comp. */
#define PIXELS 4
#define MAX_BLOCK 16
#define MAX_LANES 8

static const VidgenKernel conv2d_kernel = VIDGEN_KERNEL (conv2d);

guint
vidgen_conv2d_block (guint out_channels)
{
  return out_channels < MAX_BLOCK ? (out_channels + 3) / 4 * 4 : MAX_BLOCK;
}

/* A packed weight is [block of outputs][ky][quad of inputs][kx][output of the
 * block][input of the quad], in the order in which the kernel walks. */
static gsize
packed_index (guint block, guint inputs, guint kernel, guint o, guint ky,
    guint kx, guint i)
{
  gsize index = o / block;

  index = index * kernel + ky;
  index = index * vidgen_groups (inputs, 4) + i / 4;
  index = index * kernel + kx;
  index = index * block + o % block;
  return index * 4 + i % 4;
}

static gsize
packed_values (guint out_channels, guint inputs, guint kernel)
{
  const guint block = vidgen_conv2d_block (out_channels);

  return (gsize)vidgen_groups (out_channels, block) * block * kernel * kernel *
         4 * vidgen_groups (inputs, 4);
}

gsize
vidgen_conv2d_packed_bytes (
    guint out_channels, guint inputs, guint kernel, VidgenType type)
{
  return packed_values (out_channels, inputs, kernel) *
         vidgen_type_bytes (type);
}

void
vidgen_conv2d_pack (guint out_channels, guint inputs, guint kernel,
    VidgenType type, const void *src, void *dst)
{
  const gsize bytes = vidgen_type_bytes (type);
  const guint block = vidgen_conv2d_block (out_channels);
  const guint8 *from = src;
  guint8 *to = dst;

  memset (
      to, 0, vidgen_conv2d_packed_bytes (out_channels, inputs, kernel, type));
  for (guint o = 0; o < out_channels; o++)
    for (guint i = 0; i < inputs; i++)
      for (guint ky = 0; ky < kernel; ky++)
        for (guint kx = 0; kx < kernel; kx++) {
          memcpy (
              to + bytes * packed_index (block, inputs, kernel, o, ky, kx, i),
              from, bytes);
          from += bytes;
        }
}

void
vidgen_conv2d_unpack (guint out_channels, guint inputs, guint kernel,
    VidgenType type, const void *src, float *dst)
{
  const guint block = vidgen_conv2d_block (out_channels);

  for (guint o = 0; o < out_channels; o++)
    for (guint i = 0; i < inputs; i++)
      for (guint ky = 0; ky < kernel; ky++)
        for (guint kx = 0; kx < kernel; kx++)
          *dst++ = vidgen_type_value (
              type, src, packed_index (block, inputs, kernel, o, ky, kx, i));
}

static guint
inputs_of (const VidgenConv2d *conv)
{
  return conv->previous.memory ? 2 * conv->in_channels : conv->in_channels;
}

static guint
shuffled_channels (const VidgenConv2d *conv)
{
  return conv->shuffle == 1 ? 1 : conv->out_channels / (4 * conv->steps);
}

static gsize
out_index (
    const VidgenConv2d *conv, guint frame, guint row, guint column, guint o)
{
  const guint channels = shuffled_channels (conv);
  gsize index;

  if (conv->shuffle == 1) {
    index = ((gsize)frame * conv->height + row) * conv->width + column;
    return index * conv->out_channels + o;
  }
  index = (gsize)frame * conv->steps + o / 4 / channels;
  index = index * 2 * conv->height + 2 * row + o / 2 % 2;
  index = index * 2 * conv->width + 2 * column + o % 2;
  return index * channels + o / 4 % channels;
}

/* Adds to `sums` what the pixel `x`, of conv->in_channels values that are the
 * inputs from `first` on, has under one tap of the kernel. */
static void
add_pixel (const VidgenConv2d *conv, const float *weights, const float *x,
    guint first, guint o, guint ky, guint kx, double sums[MAX_BLOCK])
{
  const guint block = vidgen_conv2d_block (conv->out_channels);

  for (guint i = 0; i < conv->in_channels; i++) {
    const float *weight = weights + packed_index (block, inputs_of (conv),
                                        conv->kernel, o, ky, kx, first + i);
    const double value = conv->relu ? MAX (x[i], 0.0f) : x[i];

    for (guint j = 0; j < block; j++)
      sums[j] += value * weight[4 * j];
  }
}

/* The sums of outputs o .. o + block - 1, without bias. */
static void
sum_block (const VidgenConv2d *conv, const float *weights, guint frame,
    guint row, guint column, guint o, double sums[MAX_BLOCK])
{
  const float *x = vidgen_span_map (conv->x);
  const float *previous = vidgen_span_map (conv->previous);
  const guint padding = conv->kernel / 2;

  memset (sums, 0, MAX_BLOCK * sizeof *sums);
  for (guint ky = 0; ky < conv->kernel; ky++) {
    for (guint kx = 0; kx < conv->kernel; kx++) {
      /* Above and left of the picture these wrap to large values. */
      const guint y = row + ky - padding, at = column + kx - padding;
      gsize pixel;

      if (y >= conv->height || at >= conv->width)
        continue;
      pixel = ((gsize)frame * conv->height + y) * conv->width + at;
      add_pixel (
          conv, weights, x + pixel * conv->in_channels, 0, o, ky, kx, sums);
      if (previous != NULL)
        add_pixel (conv, weights, previous + pixel * conv->in_channels,
            conv->in_channels, o, ky, kx, sums);
    }
  }
}

static void
store_block (const VidgenConv2d *conv, const double sums[MAX_BLOCK],
    guint frame, guint row, guint column, guint first)
{
  const float *bias = vidgen_span_map (conv->bias);
  const float *residual = vidgen_span_map (conv->residual);
  const guint block = vidgen_conv2d_block (conv->out_channels);
  const guint end = MIN (first + block, conv->out_channels);
  float *out = vidgen_span_map (conv->out);

  for (guint o = first; o < end; o++) {
    const gsize index = out_index (conv, frame, row, column, o);
    double sum = sums[o - first];

    if (bias != NULL)
      sum += bias[o];
    if (residual != NULL)
      sum += residual[index];
    out[index] = (float)sum;
  }
}

void
vidgen_conv2d_reference (const VidgenConv2d *conv)
{
  const void *packed = vidgen_span_map (conv->weight);
  const gsize n_weights =
      packed_values (conv->out_channels, inputs_of (conv), conv->kernel);
  g_autofree float *weights = g_new (float, n_weights);
  double sums[MAX_BLOCK];

  for (gsize i = 0; i < n_weights; i++)
    weights[i] = vidgen_type_value (conv->weight_type, packed, i);
  for (guint frame = 0; frame < conv->frames; frame++)
    for (guint row = 0; row < conv->height; row++)
      for (guint column = 0; column < conv->width; column++)
        for (guint o = 0; o < conv->out_channels;
             o += vidgen_conv2d_block (conv->out_channels)) {
          sum_block (conv, weights, frame, row, column, o, sums);
          store_block (conv, sums, frame, row, column, o);
        }
}

static void
reference (const void *params)
{
  vidgen_conv2d_reference (params);
}

guint
vidgen_conv2d_lanes (const VidgenDeviceCaps *caps)
{
  if (!caps->subgroup_ballot)
    return 1;
  if (caps->min_subgroup_size >= MAX_LANES)
    return MAX_LANES;
  return caps->min_subgroup_size >= 4 ? 4 : 1;
}

static guint
group_size_for (const VidgenDeviceCaps *caps)
{
  return caps->type == VIDGEN_DEVICE_CPU ? MAX_LANES : 64;
}

void
vidgen_conv2d (VidgenRecorder *recorder, const VidgenConv2d *conv)
{
  const VidgenDeviceCaps *caps =
      vidgen_device_caps (vidgen_recorder_device (recorder));
  const guint group_size = group_size_for (caps);
  const guint block = vidgen_conv2d_block (conv->out_channels);
  const guint inputs = inputs_of (conv);
  const guint strips =
      vidgen_groups (conv->width, PIXELS) * conv->height * conv->frames;
  const guint64 pixels = (guint64)conv->frames * conv->height * conv->width;
  const guint64 in_bytes = 4 * pixels * conv->in_channels;
  const guint64 out_bytes = 4 * pixels * conv->out_channels;
  const struct {
    guint64 x, previous, weight, bias, residual, out;
    guint32 frames, height, width, in_channels, out_channels, steps;
  } push = {
    vidgen_span_address (conv->x),
    vidgen_span_address (conv->previous),
    vidgen_span_address (conv->weight),
    vidgen_span_address (conv->bias),
    vidgen_span_address (conv->residual),
    vidgen_span_address (conv->out),
    conv->frames,
    conv->height,
    conv->width,
    conv->in_channels,
    conv->out_channels,
    conv->steps,
  };
  const VidgenDispatch dispatch = {
    .kernel = &conv2d_kernel,
    .constants = { group_size, 1, 1, conv->weight_type, conv->kernel, PIXELS,
        block, vidgen_conv2d_lanes (caps), conv->relu, conv->shuffle,
        conv->in_channels % 4 == 0, shuffled_channels (conv) },
    .n_constants = 12,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "x", conv->x, FALSE, in_bytes },
        { "previous", conv->previous, FALSE, in_bytes },
        { "weight", conv->weight, FALSE,
            vidgen_conv2d_packed_bytes (
                conv->out_channels, inputs, conv->kernel, conv->weight_type) },
        { "bias", conv->bias, FALSE, 4 * (guint64)conv->out_channels },
        { "residual", conv->residual, FALSE, out_bytes },
        { "out", conv->out, TRUE, out_bytes } },
    .n_accesses = 6,
    .groups = { vidgen_groups (strips, group_size),
        vidgen_groups (conv->out_channels, block), 1 },
    .operations = 2.0 * pixels * conv->out_channels * inputs * conv->kernel *
                  conv->kernel,
    .reference = reference,
    .params = conv,
    .params_bytes = sizeof *conv,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
