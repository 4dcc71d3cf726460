/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gio/gio.h>

#include "models/checkpoint/safetensors.h"
#include "models/mini/config.h"
#include "models/linear.h"
#include "shaders/types.h"

G_BEGIN_DECLS

/* Collects what the parts of the network need on the device, checks it against
 * the file, and puts it there. Parts list their tensors once; the same list
 * serves the check of a file, the count of bytes and the load.
 */
typedef struct _VidgenMiniLoader VidgenMiniLoader;

/* A convolution's packed weight and its bias. */
typedef struct {
  guint out, kernel;
  VidgenSpan weight;
  VidgenType type;
  VidgenSpan bias;
} VidgenMiniConv;

/* Writes a table that is computed, not read. */
typedef void (*VidgenMiniMake) (const VidgenMiniConfig *config,
    const VidgenSafetensors *file, guint index, float *out);

/* `file` and `config` outlive the loader. */
VidgenMiniLoader *vidgen_mini_loader_new (
    const VidgenSafetensors *file, const VidgenMiniConfig *config);
void vidgen_mini_loader_free (VidgenMiniLoader *loader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenMiniLoader, vidgen_mini_loader_free)

/* What is listed here is filled by vidgen_mini_loader_load() and stays where
 * it is until then. `name` is the layer's: tensors "name.weight" and
 * "name.bias". Columns from `in` to `padded_in` are zero. */
void vidgen_mini_loader_linear (VidgenMiniLoader *loader, VidgenLinear *linear,
    const char *name, guint out, guint in, guint padded_in, gboolean has_bias);
/* Input channels from `in` to `padded_in` are zero. */
void vidgen_mini_loader_conv (VidgenMiniLoader *loader, VidgenMiniConv *conv,
    const char *name, guint out, guint in, guint padded_in, guint kernel);
/* A convolution 4x4 of stride 2 and padding 1, to be run as one of 3x3 over
 * the picture folded by 2: channel (y * 2 + x) * in + i of its pixel (r, c) is
 * channel i of (2 r + y, 2 c + x). */
void vidgen_mini_loader_conv_down (VidgenMiniLoader *loader,
    VidgenMiniConv *conv, const char *name, guint out, guint in);
/* An F32 tensor [rows][columns], or [columns] where rows is 0; values past it
 * up to `padded` are zero. */
void vidgen_mini_loader_table (VidgenMiniLoader *loader, VidgenSpan *span,
    const char *name, guint rows, guint columns, gsize padded);
void vidgen_mini_loader_made (VidgenMiniLoader *loader, VidgenSpan *span,
    gsize count, VidgenMiniMake make, guint index);
/* A tensor that is only checked. */
void vidgen_mini_loader_expect (
    VidgenMiniLoader *loader, const char *name, guint rows, guint columns);

/* Whether the file has every tensor in its shape. Errors: FORMAT. */
gboolean vidgen_mini_loader_check (
    const VidgenMiniLoader *loader, GError **error);

/* Bytes on a device; weights are kept there in the type the file has. */
guint64 vidgen_mini_loader_bytes (const VidgenMiniLoader *loader);

typedef void (*VidgenMiniLoadProgress) (double fraction, gpointer user_data);

/* Fills new memories, appended to `memories`, which own what the spans point
 * into. Errors: FORMAT (a value that is not finite), NO_MEMORY, DEVICE_LOST,
 * cancelled. */
gboolean vidgen_mini_loader_load (VidgenMiniLoader *loader,
    VidgenDevice *device, GPtrArray *memories, VidgenMiniLoadProgress progress,
    gpointer user_data, GCancellable *cancellable, GError **error);

G_END_DECLS
