/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/upload.h"

#include <string.h>

#include "shaders/quants.h"
#include "shaders/runtime/error.h"
#include "shaders/runtime/recorder.h"

#define MAX_BLOCK_BYTES (G_GUINT64_CONSTANT (1) << 30)

/* What a type's values are copied from, and the words of 16 bits in a block
 * that tell whether its values are finite. */
static const struct {
  VidgenTensorType from;
  guint bytes;
  guint n_words;
  guint16 exponent;
} stored[VIDGEN_TYPES] = {
  [VIDGEN_F32] = { VIDGEN_TENSOR_F32, 4, 1, 0x7f80 },
  [VIDGEN_F16] = { VIDGEN_TENSOR_F16, 2, 1, 0x7c00 },
  [VIDGEN_BF16] = { VIDGEN_TENSOR_BF16, 2, 1, 0x7f80 },
  [VIDGEN_Q8_0] = { VIDGEN_TENSOR_Q8_0, VIDGEN_Q8_0_BYTES, 1, 0x7c00 },
  [VIDGEN_Q4_0] = { VIDGEN_TENSOR_Q4_0, VIDGEN_Q4_0_BYTES, 1, 0x7c00 },
  [VIDGEN_Q4_K] = { VIDGEN_TENSOR_Q4_K, VIDGEN_Q4_K_BYTES, 2, 0x7c00 },
};

typedef struct {
  VidgenSpan *span;
  guint64 bytes;
  VidgenUploadMatrix matrix; /* its tensor is NULL where the item is made */
  VidgenUploadMake make;
  gpointer data;
} Item;

struct _VidgenUpload {
  GArray *items;
};

typedef struct {
  VidgenRecorder *recorder;
  VidgenMemory *staging;
  guint64 used;
  guint64 done, total;
  VidgenUploadProgress progress;
  gpointer user_data;
  GCancellable *cancellable;
} Run;

VidgenUpload *
vidgen_upload_new (void)
{
  VidgenUpload *upload = g_new0 (VidgenUpload, 1);

  upload->items = g_array_new (FALSE, FALSE, sizeof (Item));
  return upload;
}

void
vidgen_upload_free (VidgenUpload *upload)
{
  if (!upload)
    return;
  g_array_unref (upload->items);
  g_free (upload);
}

VidgenType
vidgen_upload_edited_type (const VidgenTensor *tensor)
{
  switch (tensor->type) {
  case VIDGEN_TENSOR_BF16:
    return VIDGEN_BF16;
  case VIDGEN_TENSOR_F16:
  case VIDGEN_TENSOR_F8_E4M3:
  case VIDGEN_TENSOR_F8_E5M2:
  case VIDGEN_TENSOR_U8:
  case VIDGEN_TENSOR_I8:
    return VIDGEN_F16;
  default:
    return vidgen_tensor_type_values (tensor->type) > 1 ? VIDGEN_F16
                                                        : VIDGEN_F32;
  }
}

VidgenType
vidgen_upload_type (const VidgenTensor *tensor)
{
  const guint block = vidgen_tensor_type_values (tensor->type);

  if (block > 1 &&
      (!tensor->n_dims || tensor->shape[tensor->n_dims - 1] % block != 0))
    return VIDGEN_F16;
  for (guint i = 0; i < VIDGEN_TYPES; i++) {
    if (stored[i].from == tensor->type)
      return (VidgenType)i;
  }
  return vidgen_upload_edited_type (tensor);
}

void
vidgen_upload_matrix (
    VidgenUpload *upload, VidgenSpan *span, const VidgenUploadMatrix *matrix)
{
  const Item item = { .span = span,
    .bytes = vidgen_type_size (matrix->type, matrix->rows * matrix->padded),
    .matrix = *matrix };

  g_array_append_val (upload->items, item);
}

void
vidgen_upload_vector (
    VidgenUpload *upload, VidgenSpan *span, const VidgenTensor *tensor)
{
  const guint64 count = vidgen_tensor_count (tensor);
  const VidgenUploadMatrix matrix = { .tensor = tensor,
    .type = VIDGEN_F32,
    .rows = 1,
    .columns = count,
    .padded = count };

  vidgen_upload_matrix (upload, span, &matrix);
}

void
vidgen_upload_made (VidgenUpload *upload, VidgenSpan *span, guint64 bytes,
    VidgenUploadMake make, gpointer data)
{
  const Item item = {
    .span = span, .bytes = bytes, .make = make, .data = data
  };

  g_array_append_val (upload->items, item);
}

static guint64
aligned (guint64 bytes)
{
  return (bytes + VIDGEN_SPAN_ALIGNMENT - 1) / VIDGEN_SPAN_ALIGNMENT *
         VIDGEN_SPAN_ALIGNMENT;
}

guint64
vidgen_upload_bytes (const VidgenUpload *upload)
{
  guint64 bytes = 0;

  for (guint i = 0; i < upload->items->len; i++)
    bytes += aligned (g_array_index (upload->items, Item, i).bytes);
  return bytes;
}

/* Fills the spans. */
static gboolean
allocate (VidgenUpload *upload, VidgenDevice *device, GPtrArray *memories,
    GError **error)
{
  const guint64 limit =
      MIN (vidgen_device_caps (device)->max_allocation_bytes, MAX_BLOCK_BYTES);
  guint first = 0;

  while (first < upload->items->len) {
    VidgenMemory *memory;
    guint64 size = 0, offset = 0;
    guint end;

    for (end = first; end < upload->items->len; end++) {
      const guint64 bytes =
          aligned (g_array_index (upload->items, Item, end).bytes);

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
      const Item *item = &g_array_index (upload->items, Item, first);

      *item->span =
          vidgen_span_cut (vidgen_memory_span (memory), offset, item->bytes);
      offset += aligned (item->bytes);
    }
  }
  return TRUE;
}

/* Room for `bytes` in the staging buffer. FALSE where the recorder failed. */
static gboolean
reserve (Run *run, guint64 bytes, VidgenSpan *part, GError **error)
{
  if (run->used + bytes > VIDGEN_UPLOAD_STAGING_BYTES) {
    if (!vidgen_recorder_finish (run->recorder, run->cancellable, error))
      return FALSE;
    run->used = 0;
  }
  *part = vidgen_span_cut (vidgen_memory_span (run->staging), run->used, bytes);
  run->used += aligned (bytes);
  return !g_cancellable_set_error_if_cancelled (run->cancellable, error);
}

static void
tell (Run *run, guint64 bytes)
{
  run->done += bytes;
  if (run->progress)
    run->progress (
        run->total ? (double)run->done / run->total : 1, run->user_data);
}

static gboolean
refuse (const VidgenUploadMatrix *matrix, guint64 index, float value,
    GError **error)
{
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
      "Value %" G_GUINT64_FORMAT " of the tensor '%s' is %g.", index,
      matrix->tensor->name, value);
  return FALSE;
}

static gboolean
check_finite (const VidgenUploadMatrix *matrix, guint64 first, guint64 count,
    const float *values, GError **error)
{
  const float limit = matrix->type == VIDGEN_F16    ? 65520
                      : matrix->type == VIDGEN_BF16 ? 0x1.ffp127f
                                                    : INFINITY;

  for (guint64 i = 0; i < count; i++) {
    if (!(fabsf (values[i]) < limit))
      return refuse (matrix, first + i, values[i], error);
  }
  return TRUE;
}

/* The same of `bytes` bytes, whole blocks, that are copied as they are. */
static gboolean
check_stored (const VidgenUploadMatrix *matrix, guint64 first,
    const guint8 *data, guint64 bytes, GError **error)
{
  const guint block = stored[matrix->type].bytes;
  const guint16 exponent = stored[matrix->type].exponent;
  const guint start = matrix->type == VIDGEN_F32 ? 2 : 0;

  for (guint64 i = 0; i < bytes / block; i++) {
    for (guint j = 0; j < stored[matrix->type].n_words; j++) {
      guint16 word;

      memcpy (&word, data + i * block + start + 2 * j, sizeof word);
      if ((word & exponent) == exponent) {
        const guint64 index = first + i * vidgen_type_block (matrix->type);
        float value;

        vidgen_tensor_read_f32 (matrix->tensor, index, 1, &value);
        return refuse (matrix, index, value, error);
      }
    }
  }
  return TRUE;
}

static guint16
bf16_from_float (float value)
{
  guint32 word;

  memcpy (&word, &value, sizeof word);
  return (guint16)((word + 0x7fff + (word >> 16 & 1)) >> 16);
}

static void
store (const VidgenUploadMatrix *matrix, guint64 rows, const float *values,
    void *out)
{
  for (guint64 row = 0; row < rows; row++) {
    for (guint64 column = 0; column < matrix->columns; column++) {
      const guint64 to = row * matrix->padded + column;
      const float value = values[row * matrix->columns + column];

      if (matrix->type == VIDGEN_F32)
        ((float *)out)[to] = value;
      else
        ((guint16 *)out)[to] = matrix->type == VIDGEN_BF16
                                   ? bf16_from_float (value)
                                   : vidgen_half_from_float (value);
    }
  }
}

static gboolean
is_scaled (const VidgenUploadMatrix *matrix)
{
  return matrix->scale != 0 && matrix->scale != 1;
}

static gboolean
is_verbatim (const VidgenUploadMatrix *matrix)
{
  return stored[matrix->type].from == matrix->tensor->type &&
         !matrix->edit.apply && !is_scaled (matrix) &&
         matrix->padded == matrix->columns;
}

/* Rows that one turn takes: of f32 values at most half the staging buffer. */
static guint64
turn_rows (const VidgenUploadMatrix *matrix)
{
  const guint64 row_bytes = 4 * MAX (matrix->columns, matrix->padded);

  return CLAMP (VIDGEN_UPLOAD_STAGING_BYTES / 2 / row_bytes, 1, matrix->rows);
}

/* Rows `row` to `row + rows - 1` into `part`; `values` is room for them. */
static gboolean
fill (const VidgenUploadMatrix *matrix, guint64 row, guint64 rows,
    float *values, VidgenSpan part, GError **error)
{
  const guint64 first = row * matrix->columns;
  const guint64 count = rows * matrix->columns;
  guint8 *out = vidgen_span_map (part);

  if (is_verbatim (matrix)) {
    const guint8 *data =
        matrix->tensor->data + vidgen_type_size (matrix->type, first);

    memcpy (out, data, part.size);
    return check_stored (matrix, first, out, part.size, error);
  }
  vidgen_tensor_read_f32 (matrix->tensor, first, count, values);
  for (guint64 i = 0; is_scaled (matrix) && i < count; i++)
    values[i] *= matrix->scale;
  if (matrix->edit.apply)
    matrix->edit.apply (matrix->edit.data, first, count, values);
  if (!check_finite (matrix, first, count, values, error))
    return FALSE;
  if (matrix->padded > matrix->columns)
    memset (out, 0, part.size);
  store (matrix, rows, values, out);
  return TRUE;
}

static gboolean
run_matrix (Run *run, const Item *item, GError **error)
{
  const VidgenUploadMatrix *matrix = &item->matrix;
  const guint64 turn = turn_rows (matrix);
  const guint64 row_bytes = vidgen_type_size (matrix->type, matrix->padded);
  g_autofree float *values =
      is_verbatim (matrix) ? NULL : g_new (float, turn * matrix->columns);

  for (guint64 row = 0; row < matrix->rows; row += turn) {
    const guint64 rows = MIN (turn, matrix->rows - row);
    VidgenSpan part;

    if (!reserve (run, rows * row_bytes, &part, error) ||
        !fill (matrix, row, rows, values, part, error))
      return FALSE;
    vidgen_recorder_copy (run->recorder,
        vidgen_span_cut (*item->span, row * row_bytes, part.size), part);
    tell (run, part.size);
  }
  return TRUE;
}

static gboolean
run_made (Run *run, const Item *item, GError **error)
{
  VidgenSpan part;

  if (!reserve (run, item->bytes, &part, error))
    return FALSE;
  item->make (item->data, vidgen_span_map (part));
  vidgen_recorder_copy (run->recorder, *item->span, part);
  tell (run, item->bytes);
  return TRUE;
}

static gboolean
run_items (const VidgenUpload *upload, Run *run, GError **error)
{
  for (guint i = 0; i < upload->items->len; i++) {
    const Item *item = &g_array_index (upload->items, Item, i);

    if (!(item->matrix.tensor ? run_matrix (run, item, error)
                              : run_made (run, item, error)))
      return FALSE;
  }
  return vidgen_recorder_finish (run->recorder, run->cancellable, error);
}

gboolean
vidgen_upload_run (VidgenUpload *upload, VidgenDevice *device,
    GPtrArray *memories, VidgenUploadProgress progress, gpointer user_data,
    GCancellable *cancellable, GError **error)
{
  g_autoptr (VidgenMemory) staging = NULL;
  g_autoptr (VidgenRecorder) recorder = NULL;
  Run run = {
    .progress = progress, .user_data = user_data, .cancellable = cancellable
  };

  for (guint i = 0; i < upload->items->len; i++)
    run.total += g_array_index (upload->items, Item, i).bytes;
  if (!allocate (upload, device, memories, error))
    return FALSE;
  staging = vidgen_memory_new (
      device, VIDGEN_UPLOAD_STAGING_BYTES, VIDGEN_MEMORY_UPLOAD, error);
  if (!staging)
    return FALSE;
  recorder = vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, error);
  if (!recorder)
    return FALSE;
  vidgen_recorder_set_cancellable (recorder, cancellable);
  run.staging = staging;
  run.recorder = recorder;
  return run_items (upload, &run, error);
}
