/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A safetensors file: 8 bytes of header length, a JSON header, the values.
 * Memory-mapped, so a file is not to be shortened while it is open. Nothing in
 * it is trusted: every offset, size and name is checked when it is opened, and
 * as the format demands the tensors cover the data without holes or overlap.
 * Refcounted, immutable, usable from any thread.
 */
typedef struct _VidgenSafetensors VidgenSafetensors;

typedef enum {
  VIDGEN_TENSOR_BOOL,
  VIDGEN_TENSOR_U8,
  VIDGEN_TENSOR_I8,
  VIDGEN_TENSOR_F8_E4M3,
  VIDGEN_TENSOR_F8_E5M2,
  VIDGEN_TENSOR_U16,
  VIDGEN_TENSOR_I16,
  VIDGEN_TENSOR_F16,
  VIDGEN_TENSOR_BF16,
  VIDGEN_TENSOR_U32,
  VIDGEN_TENSOR_I32,
  VIDGEN_TENSOR_F32,
  VIDGEN_TENSOR_U64,
  VIDGEN_TENSOR_I64,
  VIDGEN_TENSOR_F64
} VidgenTensorType;

#define VIDGEN_TENSOR_MAX_DIMS 8
#define VIDGEN_SAFETENSORS_MAX_HEADER_BYTES (16 * 1024 * 1024)

/* Lives as long as its file. */
typedef struct {
  const char *name;
  VidgenTensorType type;
  guint n_dims;
  guint64 shape[VIDGEN_TENSOR_MAX_DIMS];
  const guint8 *data; /* little-endian, row-major, of any alignment */
  guint64 bytes;
  guint64 offset; /* of data in the file */
} VidgenTensor;

/* Errors: NOT_FOUND (missing, a folder, unreadable), FORMAT. */
VidgenSafetensors *vidgen_safetensors_open (const char *path, GError **error);
/* `name` stands for the path in messages. Errors: FORMAT. */
VidgenSafetensors *vidgen_safetensors_new (
    GBytes *bytes, const char *name, GError **error);
VidgenSafetensors *vidgen_safetensors_ref (VidgenSafetensors *file);
void vidgen_safetensors_unref (VidgenSafetensors *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenSafetensors, vidgen_safetensors_unref)

const char *vidgen_safetensors_name (const VidgenSafetensors *file);
/* An entry of __metadata__, or NULL. */
const char *vidgen_safetensors_metadata (
    const VidgenSafetensors *file, const char *key);

guint vidgen_safetensors_n_tensors (const VidgenSafetensors *file);
/* In the order of their offsets. */
const VidgenTensor *vidgen_safetensors_tensor (
    const VidgenSafetensors *file, guint index);
/* NULL where there is none. */
const VidgenTensor *vidgen_safetensors_find (
    const VidgenSafetensors *file, const char *name);

/* The tensor `name`, of one of the types whose bits are set in `types`
 * (1 << VIDGEN_TENSOR_F16 …) and of the shape given. Errors: FORMAT, as in
 * "tensor 'x' is [2, 3] F16, expected [2, 4] F16 or F32". */
const VidgenTensor *vidgen_safetensors_expect (const VidgenSafetensors *file,
    const char *name, guint types, guint n_dims, const guint64 *shape,
    GError **error);

const char *vidgen_tensor_type_name (VidgenTensorType type);
guint vidgen_tensor_type_bytes (VidgenTensorType type);
guint64 vidgen_tensor_count (const VidgenTensor *tensor);

/* Whether every value of an F16, BF16 or F32 tensor is finite; else FORMAT,
 * naming tensor and index. */
gboolean vidgen_tensor_check_finite (
    const VidgenSafetensors *file, const VidgenTensor *tensor, GError **error);

G_END_DECLS
