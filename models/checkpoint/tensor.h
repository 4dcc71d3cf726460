/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How published weights are stored. The Q types are GGML's: blocks of values
 * that share a scale. */
typedef enum {
  VIDGEN_TENSOR_BOOL,
  VIDGEN_TENSOR_U8,
  VIDGEN_TENSOR_I8,
  VIDGEN_TENSOR_F8_E4M3, /* no infinities */
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
  VIDGEN_TENSOR_F64,
  VIDGEN_TENSOR_Q4_0,
  VIDGEN_TENSOR_Q4_1,
  VIDGEN_TENSOR_Q5_0,
  VIDGEN_TENSOR_Q5_1,
  VIDGEN_TENSOR_Q8_0,
  VIDGEN_TENSOR_Q4_K,
  VIDGEN_TENSOR_Q5_K,
  VIDGEN_TENSOR_Q6_K
} VidgenTensorType;

#define VIDGEN_TENSOR_MAX_DIMS 8

/* Lives as long as its file. */
typedef struct {
  const char *name;
  VidgenTensorType type;
  guint n_dims;
  guint64 shape[VIDGEN_TENSOR_MAX_DIMS]; /* the slowest first */
  const guint8 *data; /* little-endian, row-major, of any alignment */
  guint64 bytes;
  guint64 offset; /* of data in the file */
} VidgenTensor;

const char *vidgen_tensor_type_name (VidgenTensorType type);
/* Of a block: the least that can be read. */
guint vidgen_tensor_type_bytes (VidgenTensorType type);
/* Values a block; 1 unless it is a Q type. */
guint vidgen_tensor_type_values (VidgenTensorType type);
guint64 vidgen_tensor_count (const VidgenTensor *tensor);

/* Sets `bytes` from type and shape. FALSE where the shape has no such size: it
 * overflows, or the values are no whole number of blocks. */
gboolean vidgen_tensor_measure (VidgenTensor *tensor);

/* `count` values from value `first`, all within the tensor, as f32: exact for
 * all types but F64, U64, I64, U32 and I32, which round. */
void vidgen_tensor_read_f32 (
    const VidgenTensor *tensor, guint64 first, guint64 count, float *values);
/* The same rounded to IEEE halves, the nearest and of two the even; what is too
 * large becomes infinite. */
void vidgen_tensor_read_f16 (
    const VidgenTensor *tensor, guint64 first, guint64 count, guint16 *values);

/* `tensor` if it has one of the `types` (bits 1 << VidgenTensorType) and this
 * shape, else FORMAT, which names it and says both. `tensor` may be NULL:
 * `name` is missing in `file`. */
const VidgenTensor *vidgen_tensor_expect (const VidgenTensor *tensor,
    const char *file, const char *name, guint types, guint n_dims,
    const guint64 *shape, GError **error);

/* Whether the tensor's dimensions are those of `shape` with some neighbours
 * folded into one, so that the values lie in the same order. */
gboolean vidgen_tensor_folds (
    const VidgenTensor *tensor, guint n_dims, const guint64 *shape);

G_END_DECLS
