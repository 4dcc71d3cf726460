/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gio/gio.h>

#include "models/checkpoint/tensor.h"
#include "shaders/types.h"

G_BEGIN_DECLS

/* Puts published weights on a device. What is wanted is listed first; the same
 * list serves the count of bytes and the upload, which reads the tensors piece
 * by piece through one staging buffer of VIDGEN_UPLOAD_STAGING_BYTES and leaves
 * the values in few large memories. One thread at a time.
 */
typedef struct _VidgenUpload VidgenUpload;

#define VIDGEN_UPLOAD_STAGING_BYTES (16u << 20)

/* Changes values `first` to `first + count - 1` of a tensor on their way to
 * the device, as a merge of LoRA does. Called for rising `first` and whole
 * rows. */
typedef struct {
  void (*apply) (gpointer data, guint64 first, guint64 count, float *values);
  gpointer data;
} VidgenUploadEdit;

/* `rows` rows of `columns` values, whatever the tensor's own dimensions, kept
 * as `type`; columns from `columns` to `padded` are zero. Values that keep
 * their type are copied as they are; others go through f32, and are refused
 * where they do not fit. Types of blocks are kept, never made: there is no edit
 * then, and `padded` is `columns`. A row has at most half of
 * VIDGEN_UPLOAD_STAGING_BYTES. */
typedef struct {
  const VidgenTensor *tensor;
  VidgenType type;
  guint64 rows, columns, padded;
  float scale;           /* of all values, before the edit; 0: 1 */
  VidgenUploadEdit edit; /* apply may be NULL */
} VidgenUploadMatrix;

/* Writes `bytes` bytes: tables that are computed, packed convolutions. At most
 * VIDGEN_UPLOAD_STAGING_BYTES. */
typedef void (*VidgenUploadMake) (gpointer data, void *out);

VidgenUpload *vidgen_upload_new (void);
void vidgen_upload_free (VidgenUpload *upload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenUpload, vidgen_upload_free)

/* The type in which a tensor is best kept: its own where a kernel multiplies by
 * it, halves for 8-bit floats and other quantised ones, all else is f32. */
VidgenType vidgen_upload_type (const VidgenTensor *tensor);
/* The same for values that are scaled, edited or padded: of blocks, halves. */
VidgenType vidgen_upload_edited_type (const VidgenTensor *tensor);

/* *span is set by vidgen_upload_run() and stays where it is until then, as do
 * tensor and data. */
void vidgen_upload_matrix (
    VidgenUpload *upload, VidgenSpan *span, const VidgenUploadMatrix *matrix);
/* All values of a tensor as f32, one row. */
void vidgen_upload_vector (
    VidgenUpload *upload, VidgenSpan *span, const VidgenTensor *tensor);
void vidgen_upload_made (VidgenUpload *upload, VidgenSpan *span, guint64 bytes,
    VidgenUploadMake make, gpointer data);

/* Bytes on a device. */
guint64 vidgen_upload_bytes (const VidgenUpload *upload);

typedef void (*VidgenUploadProgress) (double fraction, gpointer user_data);

/* Fills new memories, appended to `memories`, which own what the spans point
 * into. Errors: FORMAT (a value that is not finite; names the tensor),
 * NO_MEMORY, DEVICE_LOST, cancelled. */
gboolean vidgen_upload_run (VidgenUpload *upload, VidgenDevice *device,
    GPtrArray *memories, VidgenUploadProgress progress, gpointer user_data,
    GCancellable *cancellable, GError **error);

G_END_DECLS
