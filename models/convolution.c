/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/convolution.h"

#include "shaders/conv2d.h"
#include "shaders/runtime/error.h"

#define MAX_CHANNELS 4096

struct _VidgenConvolutions {
  VidgenCheckpoint *checkpoint;
  VidgenUpload *upload;
  GPtrArray *items;
  const char *broken; /* a tensor with a value that is not finite */
};

/* What the upload calls back with. */
typedef struct {
  VidgenConvolutions *owner;
  VidgenConvolutionWish wish; /* its names are not kept */
  const VidgenTensor *weight, *bias, *before;
  guint out;
  VidgenType type;
} Item;

VidgenConvolutions *
vidgen_convolutions_new (VidgenCheckpoint *checkpoint, VidgenUpload *upload)
{
  VidgenConvolutions *convolutions = g_new0 (VidgenConvolutions, 1);

  convolutions->checkpoint = checkpoint;
  convolutions->upload = upload;
  convolutions->items = g_ptr_array_new_with_free_func (g_free);
  return convolutions;
}

void
vidgen_convolutions_free (VidgenConvolutions *convolutions)
{
  if (!convolutions)
    return;
  g_ptr_array_unref (convolutions->items);
  g_free (convolutions);
}

static float *
read_values (VidgenConvolutions *owner, const VidgenTensor *tensor,
    guint64 first, guint64 count)
{
  float *values = g_new (float, count);

  vidgen_tensor_read_f32 (tensor, first, count, values);
  for (guint64 i = 0; i < count; i++)
    if (!isfinite (values[i]))
      owner->broken = tensor->name;
  return values;
}

/* [out][in][taps][square] to [out][taps][in][square] */
static void
turn (const Item *item, float *values)
{
  const VidgenConvolutionWish *wish = &item->wish;
  const gsize square = (gsize)wish->kernel * wish->kernel;
  const gsize count = wish->in * wish->taps * square;
  g_autofree float *row = g_new (float, count);

  for (guint o = 0; o < item->out; o++) {
    float *to = values + o * count;

    memcpy (row, to, count * sizeof *row);
    for (guint tap = 0; tap < wish->taps; tap++)
      for (guint i = 0; i < wish->in; i++)
        for (gsize k = 0; k < square; k++)
          *to++ = row[(i * wish->taps + tap) * square + k];
  }
}

/* [out][taps][rest] to [out][rest] */
static void
pick (const Item *item, float *values)
{
  const VidgenConvolutionWish *wish = &item->wish;
  const gsize count = (gsize)wish->in * wish->kernel * wish->kernel;

  for (gsize o = 0; o < item->out; o++)
    memmove (values + o * count, values + (o * wish->taps + wish->tap) * count,
        count * sizeof *values);
}

/* values [out][in][square] after before [in][in] */
static void
merge (const Item *item, float *values)
{
  const VidgenConvolutionWish *wish = &item->wish;
  const gsize in = wish->in, square = (gsize)wish->kernel * wish->kernel;
  g_autofree float *before =
      read_values (item->owner, item->before, wish->before_first * in, in * in);
  g_autofree double *row = g_new (double, in *square);

  for (guint o = 0; o < item->out; o++) {
    float *to = values + o * in * square;

    memset (row, 0, in * square * sizeof *row);
    for (gsize middle = 0; middle < in; middle++)
      for (gsize i = 0; i < in; i++)
        for (gsize k = 0; k < square; k++)
          row[i * square + k] +=
              (double)to[middle * square + k] * before[middle * in + i];
    for (gsize i = 0; i < in * square; i++)
      to[i] = (float)row[i];
  }
}

static guint
taps_of (const VidgenConvolutionWish *wish)
{
  return wish->one_tap ? 1 : wish->taps;
}

static float
gain_of (const VidgenConvolutionWish *wish)
{
  return wish->gain != 0 ? wish->gain : 1;
}

static void
make_weight (gpointer data, void *out)
{
  Item *item = data;
  const VidgenConvolutionWish *wish = &item->wish;
  const guint inputs = taps_of (wish) * wish->in;
  const gsize square = (gsize)wish->kernel * wish->kernel;
  const gsize row = wish->taps * wish->in * square;
  const gsize count = item->out * inputs * square;
  g_autofree float *values = read_values (
      item->owner, item->weight, wish->first * row, item->out * row);
  g_autofree guint16 *halves = NULL;

  if (wish->over_time)
    turn (item, values);
  if (wish->one_tap)
    pick (item, values);
  if (item->before)
    merge (item, values);
  for (gsize i = 0; i < count; i++)
    values[i] *= gain_of (wish) * (wish->std ? wish->std[i % wish->in] : 1);
  if (item->type == VIDGEN_F32) {
    vidgen_conv2d_pack (
        item->out, inputs, wish->kernel, VIDGEN_F32, values, out);
    return;
  }
  halves = g_new (guint16, count);
  for (gsize i = 0; i < count; i++)
    halves[i] = vidgen_half_from_float (values[i]);
  vidgen_conv2d_pack (item->out, inputs, wish->kernel, VIDGEN_F16, halves, out);
}

static void
make_bias (gpointer data, void *out)
{
  Item *item = data;
  const VidgenConvolutionWish *wish = &item->wish;
  float *bias = out;

  for (guint o = 0; o < item->out; o++)
    bias[o] = 0;
  if (item->bias) {
    g_autofree float *values =
        read_values (item->owner, item->bias, wish->first, item->out);

    memcpy (bias, values, item->out * sizeof *bias);
  }
  if (wish->mean) {
    g_autofree float *weight = read_values (item->owner, item->weight,
        wish->first * wish->in, item->out * wish->in);

    for (guint o = 0; o < item->out; o++)
      for (guint i = 0; i < wish->in; i++)
        bias[o] += weight[o * wish->in + i] * wish->mean[i];
  }
  for (guint o = 0; o < item->out; o++)
    bias[o] = bias[o] * gain_of (wish) + wish->offset;
}

/* All that hold whole values or parts of them. */
static const guint real_types =
    1u << VIDGEN_TENSOR_F8_E4M3 | 1u << VIDGEN_TENSOR_F8_E5M2 |
    1u << VIDGEN_TENSOR_F16 | 1u << VIDGEN_TENSOR_BF16 |
    1u << VIDGEN_TENSOR_F32 | 1u << VIDGEN_TENSOR_F64;

/* The tensor with the given dimensions, of which the first is as it comes and
 * at least `least`. */
static const VidgenTensor *
expect (const VidgenConvolutions *convolutions, const char *name, guint n_dims,
    guint64 *shape, guint64 least, GError **error)
{
  const VidgenTensor *tensor =
      vidgen_checkpoint_find (convolutions->checkpoint, name);

  shape[0] = tensor ? CLAMP (tensor->shape[0], least, MAX_CHANNELS) : least;
  return vidgen_checkpoint_expect (
      convolutions->checkpoint, name, real_types, n_dims, shape, error);
}

static gboolean
find_tensors (Item *item, GError **error)
{
  const VidgenConvolutions *owner = item->owner;
  const VidgenConvolutionWish *wish = &item->wish;
  const guint least = wish->first + MAX (wish->out, 1);
  guint64 flat[] = { 0, wish->taps * wish->in, wish->kernel, wish->kernel };
  guint64 deep[] = { 0, wish->in, wish->taps, wish->kernel, wish->kernel };
  guint64 before[] = { 0, wish->in, 1, 1 };
  guint64 bias[] = { 0 };
  guint64 *shape = wish->over_time ? deep : flat;

  item->weight = expect (
      owner, wish->weight, wish->over_time ? 5 : 4, shape, least, error);
  if (!item->weight)
    return FALSE;
  item->out = wish->out ? wish->out : shape[0] - wish->first;
  if (wish->bias) {
    item->bias = expect (owner, wish->bias, 1, bias, shape[0], error);
    if (!item->bias)
      return FALSE;
  }
  if (wish->before) {
    item->before = expect (
        owner, wish->before, 4, before, wish->before_first + wish->in, error);
    if (!item->before)
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_size (const Item *item, guint64 bytes, GError **error)
{
  if (item->wish.in % 4 == 0 && bytes <= VIDGEN_UPLOAD_STAGING_BYTES)
    return TRUE;
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
      "The tensor '%s' in %s has %u inputs and %u outputs, which is not "
      "supported.",
      item->weight->name, vidgen_checkpoint_name (item->owner->checkpoint),
      item->wish.in, item->out);
  return FALSE;
}

gboolean
vidgen_convolutions_add (VidgenConvolutions *convolutions,
    VidgenConvolution *convolution, const VidgenConvolutionWish *wish,
    GError **error)
{
  g_autofree Item *item = g_new0 (Item, 1);
  guint64 bytes;

  item->owner = convolutions;
  item->wish = *wish;
  if (!find_tensors (item, error))
    return FALSE;
  item->type = item->weight->type == VIDGEN_TENSOR_F16 ||
                       item->weight->type == VIDGEN_TENSOR_F8_E4M3 ||
                       item->weight->type == VIDGEN_TENSOR_F8_E5M2
                   ? VIDGEN_F16
                   : VIDGEN_F32;
  bytes = vidgen_conv2d_packed_bytes (
      item->out, taps_of (wish) * wish->in, wish->kernel, item->type);
  if (!check_size (item, bytes, error))
    return FALSE;
  *convolution = (VidgenConvolution){ .in = wish->in,
    .out = item->out,
    .taps = taps_of (wish),
    .kernel = wish->kernel,
    .type = item->type };
  vidgen_upload_made (
      convolutions->upload, &convolution->weight, bytes, make_weight, item);
  if (item->bias || wish->offset != 0 || wish->mean)
    vidgen_upload_made (convolutions->upload, &convolution->bias,
        4 * (guint64)item->out, make_bias, item);
  g_ptr_array_add (convolutions->items, g_steal_pointer (&item));
  return TRUE;
}

gboolean
vidgen_convolutions_add_vector (VidgenConvolutions *convolutions,
    VidgenSpan *span, const char *name, guint count, GError **error)
{
  const VidgenTensor *tensor =
      vidgen_checkpoint_find (convolutions->checkpoint, name);
  guint64 shape[VIDGEN_TENSOR_MAX_DIMS] = { count, 1, 1, 1, 1, 1, 1, 1 };

  tensor = vidgen_checkpoint_expect (convolutions->checkpoint, name, real_types,
      tensor ? MAX (tensor->n_dims, 1) : 1, shape, error);
  if (!tensor)
    return FALSE;
  vidgen_upload_vector (convolutions->upload, span, tensor);
  return TRUE;
}

gboolean
vidgen_convolutions_check (
    const VidgenConvolutions *convolutions, GError **error)
{
  if (!convolutions->broken)
    return TRUE;
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
      "The tensor '%s' in %s has a value that is not finite.",
      convolutions->broken, vidgen_checkpoint_name (convolutions->checkpoint));
  return FALSE;
}

void
vidgen_convolve (VidgenRecorder *recorder, const VidgenConvolution *convolution,
    VidgenConv3d conv)
{
  conv.in_channels = convolution->in;
  conv.out_channels = convolution->out;
  conv.taps = convolution->taps;
  conv.kernel = convolution->kernel;
  conv.scale = MAX (conv.scale, 1);
  conv.weight = convolution->weight;
  conv.weight_type = convolution->type;
  conv.bias = convolution->bias;
  vidgen_conv3d (recorder, &conv);
}
