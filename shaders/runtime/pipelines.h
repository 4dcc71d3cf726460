/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/vulkan.h"

G_BEGIN_DECLS

/* The pipelines of one device, by kernel and constants, made when first asked
 * for and kept until the device closes; their one layout; and the driver's
 * pipeline cache. Thread-safe. */

/* What a pipeline is made from. */
typedef struct {
  const VidgenKernel *kernel;
  guint subgroup_size; /* 0: any */
  guint n_constants;
  guint32 constants[VIDGEN_MAX_CONSTANTS];
} VidgenPipelineKey;

typedef struct {
  VkPipeline handle;
  double ns_per_operation; /* guarded by the lock of the pipelines */
} VidgenPipeline;

VidgenPipelines *vidgen_pipelines_new (VidgenDevice *device, GError **error);
void vidgen_pipelines_free (VidgenPipelines *pipelines);

VkPipelineLayout vidgen_pipelines_layout (const VidgenPipelines *pipelines);

/* Two threads that ask for one pipeline get the same. The result stays valid
 * and is not owned. Errors: NO_MEMORY, FAILED (naming the kernel). */
VidgenPipeline *vidgen_pipelines_get (
    VidgenPipelines *pipelines, const VidgenPipelineKey *key, GError **error);

/* Makes those of `keys` (a set of VidgenPipelineKey) on as many threads as
 * there are processors. The contract is vidgen_recorder_compile()'s. */
gboolean vidgen_pipelines_compile (VidgenPipelines *pipelines, GHashTable *keys,
    VidgenProgressFunc progress, gpointer user_data, GCancellable *cancellable,
    GError **error);

guint vidgen_pipeline_key_hash (gconstpointer key);
gboolean vidgen_pipeline_key_equal (gconstpointer a, gconstpointer b);

/* The device time that an operation of this pipeline should take, by what was
 * learnt. A conservative guess at first. */
double vidgen_pipeline_ns_per_operation (
    VidgenPipelines *pipelines, const VidgenPipeline *pipeline);
/* Moves it towards what was measured, by `weight` of the way from 0 to 1. */
void vidgen_pipeline_learn (VidgenPipelines *pipelines,
    VidgenPipeline *pipeline, double ns_per_operation, double weight);

void vidgen_pipelines_set_cache_dir (
    VidgenPipelines *pipelines, const char *path);
void vidgen_pipelines_save_cache (VidgenPipelines *pipelines);

G_END_DECLS
