/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gio/gio.h>

#include "models/checkpoint/tensor.h"

G_BEGIN_DECLS

/* A safetensors file: 8 bytes of header length, a JSON header, the values.
 * Memory-mapped, so a file is not to be shortened while it is open. Nothing in
 * it is trusted: every offset, size and name is checked when it is opened, and
 * as the format demands the tensors cover the data without holes or overlap.
 * Refcounted, immutable, usable from any thread.
 */
typedef struct _VidgenSafetensors VidgenSafetensors;

#define VIDGEN_SAFETENSORS_MAX_HEADER_BYTES (16 * 1024 * 1024)

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
/* Calls `take` with every key and value until it returns FALSE, which is then
 * the result. */
typedef gboolean (*VidgenSafetensorsTake) (
    gpointer user, const char *key, const char *value, GError **error);
gboolean vidgen_safetensors_each_metadata (const VidgenSafetensors *file,
    VidgenSafetensorsTake take, gpointer user, GError **error);

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

/* Whether every value of an F16, BF16 or F32 tensor is finite; else FORMAT,
 * naming tensor and index. */
gboolean vidgen_tensor_check_finite (
    const VidgenSafetensors *file, const VidgenTensor *tensor, GError **error);

G_END_DECLS
