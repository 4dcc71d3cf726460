/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/loader.h"

#include <string.h>

#include "shaders/conv2d.h"
#include "shaders/half.h"
#include "shaders/runtime/recorder.h"

#define WEIGHT_TYPES ((1u << VIDGEN_TENSOR_F16) | (1u << VIDGEN_TENSOR_F32))
#define TABLE_TYPES (1u << VIDGEN_TENSOR_F32)
#define MAX_BLOCK_BYTES (G_GUINT64_CONSTANT (1) << 30)
#define STAGING_BYTES (8u << 20)

typedef enum {
  ITEM_MATRIX,
  ITEM_CONV,
  ITEM_CONV_DOWN,
  ITEM_TABLE,
  ITEM_MADE,
  ITEM_EXPECTED
} ItemKind;

typedef struct {
  ItemKind kind;
  char *name; /* of the tensor; NULL where it is made */
  guint n_dims;
  guint64 shape[4];
  guint padded_in;
  gsize padded; /* values of a table */
  VidgenMiniMake make;
  guint index;
  VidgenSpan *span;
  VidgenType *type;
} Item;

struct _VidgenMiniLoader {
  const VidgenSafetensors *file;
  const VidgenMiniConfig *config;
  GArray *items;
};

static void
clear_item (gpointer item)
{
  g_free (((Item *)item)->name);
}

VidgenMiniLoader *
vidgen_mini_loader_new (
    const VidgenSafetensors *file, const VidgenMiniConfig *config)
{
  VidgenMiniLoader *loader = g_new0 (VidgenMiniLoader, 1);

  loader->file = file;
  loader->config = config;
  loader->items = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (loader->items, clear_item);
  return loader;
}

void
vidgen_mini_loader_free (VidgenMiniLoader *loader)
{
  if (!loader)
    return;
  g_array_unref (loader->items);
  g_free (loader);
}

static void
add (VidgenMiniLoader *loader, Item item)
{
  g_array_append_val (loader->items, item);
}

void
vidgen_mini_loader_linear (VidgenMiniLoader *loader, VidgenLinear *linear,
    const char *name, guint out, guint in, guint padded_in, gboolean has_bias)
{
  linear->in = padded_in;
  linear->out = out;
  add (loader, (Item){ .kind = ITEM_MATRIX,
                   .name = g_strconcat (name, ".weight", NULL),
                   .n_dims = 2,
                   .shape = { out, in },
                   .padded_in = padded_in,
                   .span = &linear->weight,
                   .type = &linear->type });
  if (has_bias) {
    g_autofree char *bias = g_strconcat (name, ".bias", NULL);
    vidgen_mini_loader_table (loader, &linear->bias, bias, 0, out, out);
  }
}

void
vidgen_mini_loader_conv (VidgenMiniLoader *loader, VidgenMiniConv *conv,
    const char *name, guint out, guint in, guint padded_in, guint kernel)
{
  g_autofree char *bias = g_strconcat (name, ".bias", NULL);

  conv->out = out;
  conv->kernel = kernel;
  add (loader, (Item){ .kind = ITEM_CONV,
                   .name = g_strconcat (name, ".weight", NULL),
                   .n_dims = 4,
                   .shape = { out, in, kernel, kernel },
                   .padded_in = padded_in,
                   .span = &conv->weight,
                   .type = &conv->type });
  vidgen_mini_loader_table (loader, &conv->bias, bias, 0, out, out);
}

void
vidgen_mini_loader_conv_down (VidgenMiniLoader *loader, VidgenMiniConv *conv,
    const char *name, guint out, guint in)
{
  g_autofree char *bias = g_strconcat (name, ".bias", NULL);

  conv->out = out;
  conv->kernel = 3;
  add (loader, (Item){ .kind = ITEM_CONV_DOWN,
                   .name = g_strconcat (name, ".weight", NULL),
                   .n_dims = 4,
                   .shape = { out, in, 4, 4 },
                   .padded_in = 4 * in,
                   .span = &conv->weight,
                   .type = &conv->type });
  vidgen_mini_loader_table (loader, &conv->bias, bias, 0, out, out);
}

void
vidgen_mini_loader_table (VidgenMiniLoader *loader, VidgenSpan *span,
    const char *name, guint rows, guint columns, gsize padded)
{
  Item item = { .kind = ITEM_TABLE,
    .name = g_strdup (name),
    .n_dims = rows ? 2 : 1,
    .shape = { rows ? rows : columns, columns },
    .padded = padded,
    .span = span };

  add (loader, item);
}

void
vidgen_mini_loader_made (VidgenMiniLoader *loader, VidgenSpan *span,
    gsize count, VidgenMiniMake make, guint index)
{
  add (loader, (Item){ .kind = ITEM_MADE,
                   .padded = count,
                   .make = make,
                   .index = index,
                   .span = span });
}

void
vidgen_mini_loader_expect (
    VidgenMiniLoader *loader, const char *name, guint rows, guint columns)
{
  add (loader, (Item){ .kind = ITEM_EXPECTED,
                   .name = g_strdup (name),
                   .n_dims = rows ? 2 : 1,
                   .shape = { rows ? rows : columns, columns } });
}

gboolean
vidgen_mini_loader_check (const VidgenMiniLoader *loader, GError **error)
{
  for (guint i = 0; i < loader->items->len; i++) {
    const Item *item = &g_array_index (loader->items, Item, i);
    const guint types = item->kind == ITEM_TABLE ? TABLE_TYPES : WEIGHT_TYPES;

    if (item->name && !vidgen_safetensors_expect (loader->file, item->name,
                          types, item->n_dims, item->shape, error))
      return FALSE;
  }
  return TRUE;
}

static VidgenType
item_type (const VidgenMiniLoader *loader, const Item *item)
{
  if (!item->type)
    return VIDGEN_F32;
  return vidgen_safetensors_find (loader->file, item->name)->type ==
                 VIDGEN_TENSOR_F16
             ? VIDGEN_F16
             : VIDGEN_F32;
}

static guint64
item_bytes (const Item *item, VidgenType type)
{
  switch (item->kind) {
  case ITEM_MATRIX:
    return item->shape[0] * item->padded_in * vidgen_type_bytes (type);
  case ITEM_CONV:
    return vidgen_conv2d_packed_bytes (
        (guint)item->shape[0], item->padded_in, (guint)item->shape[2], type);
  case ITEM_CONV_DOWN:
    return vidgen_conv2d_packed_bytes (
        (guint)item->shape[0], item->padded_in, 3, type);
  case ITEM_TABLE:
  case ITEM_MADE:
    return 4 * (guint64)item->padded;
  case ITEM_EXPECTED:
    return 0;
  }
  g_return_val_if_reached (0);
}

static guint64
aligned (guint64 bytes)
{
  return (bytes + VIDGEN_SPAN_ALIGNMENT - 1) / VIDGEN_SPAN_ALIGNMENT *
         VIDGEN_SPAN_ALIGNMENT;
}

guint64
vidgen_mini_loader_bytes (const VidgenMiniLoader *loader)
{
  guint64 bytes = 0;

  for (guint i = 0; i < loader->items->len; i++) {
    const Item *item = &g_array_index (loader->items, Item, i);
    bytes += aligned (item_bytes (item, item_type (loader, item)));
  }
  return bytes;
}

/* Rows of `count` values of a tensor to rows of `padded` values of `type`,
 * zeros at their ends. */
static void
convert_rows (const VidgenTensor *tensor, VidgenType type, guint64 rows,
    guint64 count, guint64 padded, void *out)
{
  const guint in_bytes = vidgen_tensor_type_bytes (tensor->type);
  const guint out_bytes = vidgen_type_bytes (type);

  for (guint64 row = 0; row < rows; row++) {
    const guint8 *from = tensor->data + row * count * in_bytes;
    guint8 *to = (guint8 *)out + row * padded * out_bytes;

    if (in_bytes == out_bytes) {
      memcpy (to, from, count * in_bytes);
    } else {
      for (guint64 i = 0; i < count; i++) {
        guint16 half;

        memcpy (&half, from + 2 * i, sizeof half);
        ((float *)to)[i] = vidgen_half_to_float (half);
      }
    }
    memset (to + count * out_bytes, 0, (padded - count) * out_bytes);
  }
}

static void
write_conv (
    const Item *item, const VidgenTensor *tensor, VidgenType type, void *out)
{
  const guint64 taps = item->shape[2] * item->shape[3];
  g_autofree void *padded = g_malloc (
      item->shape[0] * item->padded_in * taps * vidgen_type_bytes (type));

  convert_rows (tensor, type, item->shape[0], item->shape[1] * taps,
      item->padded_in * taps, padded);
  vidgen_conv2d_pack ((guint)item->shape[0], item->padded_in,
      (guint)item->shape[2], type, padded, out);
}

/* Row ky of the kernel reads row 2 r + ky - 1, which is row y of the folded
 * pixel r + tap - 1; columns alike. */
static guint
folded_tap (guint ky)
{
  return (ky + 1) / 2;
}

static void
write_conv_down (
    const Item *item, const VidgenTensor *tensor, VidgenType type, void *out)
{
  const guint bytes = vidgen_type_bytes (type);
  const guint in = (guint)item->shape[1];
  const guint8 *from = tensor->data;
  g_autofree guint8 *folded =
      g_malloc0 (item->shape[0] * item->padded_in * 9 * bytes);

  for (guint64 o = 0; o < item->shape[0]; o++) {
    for (guint i = 0; i < in; i++) {
      for (guint tap = 0; tap < 16; tap++, from += bytes) {
        const guint ky = tap / 4, kx = tap % 4;
        const guint part = (ky + 1) % 2 * 2 + (kx + 1) % 2;
        const guint64 row = o * item->padded_in + part * in + i;

        memcpy (
            folded + (row * 9 + folded_tap (ky) * 3 + folded_tap (kx)) * bytes,
            from, bytes);
      }
    }
  }
  vidgen_conv2d_pack (
      (guint)item->shape[0], item->padded_in, 3, type, folded, out);
}

static void
write_item (const VidgenMiniLoader *loader, const Item *item, VidgenType type,
    void *out)
{
  const VidgenTensor *tensor =
      item->name ? vidgen_safetensors_find (loader->file, item->name) : NULL;

  switch (item->kind) {
  case ITEM_MATRIX:
    convert_rows (
        tensor, type, item->shape[0], item->shape[1], item->padded_in, out);
    break;
  case ITEM_CONV:
    write_conv (item, tensor, type, out);
    break;
  case ITEM_CONV_DOWN:
    write_conv_down (item, tensor, type, out);
    break;
  case ITEM_TABLE:
    convert_rows (
        tensor, type, 1, vidgen_tensor_count (tensor), item->padded, out);
    break;
  case ITEM_MADE:
    item->make (loader->config, loader->file, item->index, out);
    break;
  case ITEM_EXPECTED:
    break;
  }
}

static gboolean
check_finite (
    const VidgenMiniLoader *loader, GCancellable *cancellable, GError **error)
{
  const guint n = vidgen_safetensors_n_tensors (loader->file);

  for (guint i = 0; i < n; i++) {
    if (!vidgen_tensor_check_finite (
            loader->file, vidgen_safetensors_tensor (loader->file, i), error) ||
        g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
  }
  return TRUE;
}

/* Fills every item's span and type. */
static gboolean
allocate (const VidgenMiniLoader *loader, VidgenDevice *device,
    GPtrArray *memories, GError **error)
{
  const guint64 limit =
      MIN (vidgen_device_caps (device)->max_allocation_bytes, MAX_BLOCK_BYTES);
  guint first = 0;

  while (first < loader->items->len) {
    VidgenMemory *memory;
    guint64 size = 0, offset = 0;
    guint end;

    for (end = first; end < loader->items->len; end++) {
      const Item *item = &g_array_index (loader->items, Item, end);
      const guint64 bytes =
          aligned (item_bytes (item, item_type (loader, item)));
      if (end > first && size + bytes > limit)
        break;
      size += bytes;
    }
    memory =
        vidgen_memory_new (device, MAX (size, 1), VIDGEN_MEMORY_DEVICE, error);
    if (!memory)
      return FALSE;
    g_ptr_array_add (memories, memory);
    for (; first < end; first++) {
      Item *item = &g_array_index (loader->items, Item, first);
      const VidgenType type = item_type (loader, item);
      const guint64 bytes = item_bytes (item, type);

      if (item->type)
        *item->type = type;
      if (item->span)
        *item->span =
            vidgen_span_cut (vidgen_memory_span (memory), offset, bytes);
      offset += aligned (bytes);
    }
  }
  return TRUE;
}

static guint64
largest_item (const VidgenMiniLoader *loader)
{
  guint64 largest = 0;

  for (guint i = 0; i < loader->items->len; i++) {
    const Item *item = &g_array_index (loader->items, Item, i);
    if (item->span)
      largest = MAX (largest, item->span->size);
  }
  return largest;
}

static gboolean
fill (const VidgenMiniLoader *loader, VidgenRecorder *recorder,
    VidgenMemory *staging, VidgenMiniLoadProgress progress, gpointer user_data,
    GCancellable *cancellable, GError **error)
{
  guint64 used = 0;

  for (guint i = 0; i < loader->items->len; i++) {
    const Item *item = &g_array_index (loader->items, Item, i);
    VidgenSpan part;

    if (!item->span)
      continue;
    if (used + item->span->size > vidgen_memory_size (staging)) {
      if (!vidgen_recorder_finish (recorder, cancellable, error))
        return FALSE;
      used = 0;
    }
    part =
        vidgen_span_cut (vidgen_memory_span (staging), used, item->span->size);
    write_item (loader, item, item->type ? *item->type : VIDGEN_F32,
        vidgen_span_map (part));
    vidgen_recorder_copy (recorder, *item->span, part);
    used += aligned (item->span->size);
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    progress ((i + 1.0) / loader->items->len, user_data);
  }
  return vidgen_recorder_finish (recorder, cancellable, error);
}

gboolean
vidgen_mini_loader_load (VidgenMiniLoader *loader, VidgenDevice *device,
    GPtrArray *memories, VidgenMiniLoadProgress progress, gpointer user_data,
    GCancellable *cancellable, GError **error)
{
  g_autoptr (VidgenMemory) staging = NULL;
  g_autoptr (VidgenRecorder) recorder = NULL;

  if (!check_finite (loader, cancellable, error) ||
      !allocate (loader, device, memories, error))
    return FALSE;
  staging = vidgen_memory_new (device,
      MAX (aligned (largest_item (loader)), STAGING_BYTES),
      VIDGEN_MEMORY_UPLOAD, error);
  if (!staging)
    return FALSE;
  recorder = vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, error);
  if (!recorder)
    return FALSE;
  vidgen_recorder_set_cancellable (recorder, cancellable);
  return fill (
      loader, recorder, staging, progress, user_data, cancellable, error);
}
