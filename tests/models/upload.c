/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/upload.h"

#include <string.h>

#include "shaders/quants.h"
#include "shaders/runtime/error.h"
#include "shaders/runtime/recorder.h"
#include "tests/models/fixture.h"

#define ROWS 5
#define COLUMNS 6
#define PADDED 8
#define LONG_ROWS 3000
#define LONG_COLUMNS 2048

static VidgenTensor
make_tensor (
    VidgenTensorType type, const void *data, guint64 rows, guint64 columns)
{
  VidgenTensor tensor = { .name = "x",
    .type = type,
    .n_dims = 2,
    .shape = { rows, columns },
    .data = data };

  g_assert_true (vidgen_tensor_measure (&tensor));
  return tensor;
}

static void *
read_back (VidgenDevice *device, VidgenSpan span)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);
  g_autoptr (VidgenMemory) memory =
      vidgen_memory_new (device, span.size, VIDGEN_MEMORY_READBACK, &error);

  g_assert_no_error (error);
  vidgen_recorder_copy (recorder, vidgen_memory_span (memory), span);
  vidgen_recorder_finish (recorder, NULL, &error);
  g_assert_no_error (error);
  return g_memdup2 (vidgen_span_map (vidgen_memory_span (memory)), span.size);
}

static void
on_progress (double fraction, gpointer user_data)
{
  double *last = user_data;

  g_assert_cmpfloat (fraction, >, *last);
  g_assert_cmpfloat (fraction, <=, 1);
  *last = fraction;
}

static void
add_row (gpointer data, guint64 first, guint64 count, float *values)
{
  const guint64 columns = *(guint64 *)data;

  for (guint64 i = 0; i < count; i++)
    values[i] += (float)((first + i) / columns);
}

static void
make_number (gpointer data, void *out)
{
  memcpy (out, data, sizeof (float));
}

static void
check_small (VidgenDevice *device, const float *values, VidgenSpan halves,
    VidgenSpan edited, VidgenSpan vector, VidgenSpan made)
{
  g_autofree guint16 *half = read_back (device, halves);
  g_autofree float *edit = read_back (device, edited);
  g_autofree float *row = read_back (device, vector);
  g_autofree float *number = read_back (device, made);

  for (guint i = 0; i < ROWS; i++) {
    for (guint j = 0; j < COLUMNS; j++) {
      const float value = values[i * COLUMNS + j];

      g_assert_cmpfloat (
          vidgen_half_to_float (half[i * PADDED + j]), ==, value);
      g_assert_cmpfloat (edit[i * COLUMNS + j], ==, value / 2 + (float)i);
      g_assert_cmpfloat (row[i * COLUMNS + j], ==, value);
    }
    for (guint j = COLUMNS; j < PADDED; j++)
      g_assert_cmpuint (half[i * PADDED + j], ==, 0);
  }
  g_assert_cmpfloat (*number, ==, 7);
}

static void
run_small (VidgenDevice *device)
{
  guint64 columns = COLUMNS;
  float number = 7;
  float values[ROWS * COLUMNS] = { 0 };
  const VidgenTensor tensor =
      make_tensor (VIDGEN_TENSOR_F32, values, ROWS, COLUMNS);
  VidgenSpan halves, edited, vector, made;
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();
  g_autoptr (GPtrArray) memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  g_autoptr (GError) error = NULL;
  VidgenUploadMatrix matrix = { .tensor = &tensor,
    .type = VIDGEN_F16,
    .rows = ROWS,
    .columns = COLUMNS,
    .padded = PADDED };
  double last = 0;

  for (guint i = 0; i < ROWS * COLUMNS; i++)
    values[i] = (float)i / 8 - 1;
  vidgen_upload_matrix (upload, &halves, &matrix);
  matrix = (VidgenUploadMatrix){ .tensor = &tensor,
    .type = VIDGEN_F32,
    .rows = ROWS,
    .columns = COLUMNS,
    .padded = COLUMNS,
    .scale = 0.5f,
    .edit = { add_row, &columns } };
  vidgen_upload_matrix (upload, &edited, &matrix);
  vidgen_upload_vector (upload, &vector, &tensor);
  vidgen_upload_made (upload, &made, sizeof number, make_number, &number);
  vidgen_upload_run (
      upload, device, memories, on_progress, &last, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (last, ==, 1);
  check_small (device, values, halves, edited, vector, made);
}

/* More than the staging buffer holds. */
static void
run_long (VidgenDevice *device)
{
  const gsize count = (gsize)LONG_ROWS * LONG_COLUMNS;
  g_autofree guint16 *values = g_new (guint16, count);
  const VidgenTensor tensor =
      make_tensor (VIDGEN_TENSOR_BF16, values, LONG_ROWS, LONG_COLUMNS);
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();
  g_autoptr (GPtrArray) memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  g_autoptr (GError) error = NULL;
  g_autofree float *out = NULL;
  VidgenSpan span;

  for (gsize i = 0; i < count; i++)
    values[i] = (guint16)(0x3f00 + i * 37 % 251);
  vidgen_upload_vector (upload, &span, &tensor);
  g_assert_cmpuint (vidgen_upload_bytes (upload), ==, 4 * count);
  vidgen_upload_free (g_steal_pointer (&upload));
  upload = vidgen_upload_new ();
  vidgen_upload_matrix (upload, &span,
      &(VidgenUploadMatrix){ .tensor = &tensor,
          .type = VIDGEN_F32,
          .rows = LONG_ROWS,
          .columns = LONG_COLUMNS,
          .padded = LONG_COLUMNS });
  vidgen_upload_run (upload, device, memories, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  out = read_back (device, span);
  for (gsize i = 0; i < count; i++) {
    const guint32 word = (guint32)values[i] << 16;

    if (memcmp (&word, &out[i], sizeof word) != 0)
      g_error ("value %" G_GSIZE_FORMAT " is %g", i, out[i]);
  }
}

#define BLOCKS 6

/* Values of a type that kernels read stay as they are, whole rows at a time. */
static void
run_kept (VidgenDevice *device, VidgenTensorType from, VidgenType type)
{
  const guint64 columns = 2 * vidgen_type_block (type);
  const guint64 bytes = vidgen_type_size (type, BLOCKS * columns);
  g_autofree guint8 *values = g_malloc (bytes);
  const VidgenTensor tensor = make_tensor (from, values, BLOCKS, columns);
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();
  g_autoptr (GPtrArray) memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *out = NULL;
  VidgenSpan span;

  for (guint64 i = 0; i < bytes; i++)
    values[i] = (guint8)(i * 29 % 60); /* words of no great exponent */
  g_assert_cmpint (vidgen_upload_type (&tensor), ==, type);
  vidgen_upload_matrix (upload, &span,
      &(VidgenUploadMatrix){ .tensor = &tensor,
          .type = type,
          .rows = BLOCKS,
          .columns = columns,
          .padded = columns });
  g_assert_cmpuint (vidgen_upload_bytes (upload), >=, bytes);
  vidgen_upload_run (upload, device, memories, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  out = read_back (device, span);
  g_assert_cmpmem (out, span.size, values, bytes);
}

static void
run_broken_block (VidgenDevice *device)
{
  guint8 values[3 * VIDGEN_Q4_K_BYTES] = { 0 };
  const VidgenTensor tensor = make_tensor (VIDGEN_TENSOR_Q4_K, values, 3, 256);
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();
  g_autoptr (GPtrArray) memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  g_autoptr (GError) error = NULL;
  VidgenSpan span;

  values[2 * VIDGEN_Q4_K_BYTES + 3] = 0x7c; /* the scale of minima */
  vidgen_upload_matrix (upload, &span,
      &(VidgenUploadMatrix){ .tensor = &tensor,
          .type = VIDGEN_Q4_K,
          .rows = 3,
          .columns = 256,
          .padded = 256 });
  g_assert_false (
      vidgen_upload_run (upload, device, memories, NULL, NULL, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "Value 512 of the tensor 'x'"));
}

static void
run_rounded (VidgenDevice *device)
{
  const float values[4] = { 1.00390625f, 1.01171875f, -3e-40f, 1.0f };
  const guint16 expected[4] = { 0x3f80, 0x3f82, 0x8003, 0x3f80 };
  const VidgenTensor tensor = make_tensor (VIDGEN_TENSOR_F32, values, 1, 4);
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();
  g_autoptr (GPtrArray) memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  g_autoptr (GError) error = NULL;
  g_autofree guint16 *out = NULL;
  VidgenSpan span;

  vidgen_upload_matrix (upload, &span,
      &(VidgenUploadMatrix){ .tensor = &tensor,
          .type = VIDGEN_BF16,
          .rows = 1,
          .columns = 4,
          .padded = 4 });
  vidgen_upload_run (upload, device, memories, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  out = read_back (device, span);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (out[i], ==, expected[i]);
}

static void
run_refused (VidgenDevice *device, VidgenType type, float bad)
{
  const float values[4] = { 0, 1, bad, 3 };
  const VidgenTensor tensor = make_tensor (VIDGEN_TENSOR_F32, values, 1, 4);
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();
  g_autoptr (GPtrArray) memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  g_autoptr (GError) error = NULL;
  VidgenSpan span;

  vidgen_upload_matrix (upload, &span,
      &(VidgenUploadMatrix){ .tensor = &tensor,
          .type = type,
          .rows = 1,
          .columns = 4,
          .padded = 4 });
  g_assert_false (
      vidgen_upload_run (upload, device, memories, NULL, NULL, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "Value 2 of the tensor 'x'"));
}

static void
run_cancelled (VidgenDevice *device)
{
  const float values[4] = { 0 };
  const VidgenTensor tensor = make_tensor (VIDGEN_TENSOR_F32, values, 1, 4);
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GPtrArray) memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  g_autoptr (GError) error = NULL;
  VidgenSpan span;

  vidgen_upload_vector (upload, &span, &tensor);
  g_cancellable_cancel (cancellable);
  g_assert_false (vidgen_upload_run (
      upload, device, memories, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
run (VidgenDevice *device)
{
  run_small (device);
  run_long (device);
  run_kept (device, VIDGEN_TENSOR_F32, VIDGEN_F32);
  run_kept (device, VIDGEN_TENSOR_F16, VIDGEN_F16);
  run_kept (device, VIDGEN_TENSOR_BF16, VIDGEN_BF16);
  run_kept (device, VIDGEN_TENSOR_Q8_0, VIDGEN_Q8_0);
  run_kept (device, VIDGEN_TENSOR_Q4_0, VIDGEN_Q4_0);
  run_kept (device, VIDGEN_TENSOR_Q4_K, VIDGEN_Q4_K);
  run_broken_block (device);
  run_rounded (device);
  run_refused (device, VIDGEN_F32, INFINITY);
  run_refused (device, VIDGEN_BF16, 3.4e38f);
  run_refused (device, VIDGEN_F16, 70000);
  run_cancelled (device);
}

static void
test_host (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();

  run (device);
}

static void
test_vulkan (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();

  if (device)
    run (device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/upload/host", test_host);
  g_test_add_func ("/upload/vulkan", test_vulkan);
  return g_test_run ();
}
