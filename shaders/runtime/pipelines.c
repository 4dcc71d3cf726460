/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/pipelines.h"

#include <math.h>
#include <string.h>

#include "shaders/runtime/cachefile.h"

/* First guesses: a CPU does few operations, and a guess that is too slow only
 * makes the first submits short. */
#define CPU_NS_PER_OPERATION 1.0
#define GPU_NS_PER_OPERATION 0.01
/* No device leaves these bounds; launches too short to tell must not either. */
#define MIN_NS_PER_OPERATION 1e-6
#define MAX_NS_PER_OPERATION 1e6

typedef struct {
  VidgenPipelineKey key;
  VidgenPipeline pipeline;
  gboolean compiling;
} Entry;

struct _VidgenPipelines {
  VidgenDevice *device; /* not owned: it owns this */
  VkPipelineLayout layout;
  VidgenCacheOwner owner;

  GMutex lock; /* guards the table and its entries */
  GCond compiled;
  GHashTable *table; /* Entry, of which the key is a part */

  GRWLock cache_lock; /* reader: who compiles into the cache */
  VkPipelineCache cache;
  char *cache_path;
  gsize cached_bytes; /* in the file, as far as known */
};

guint
vidgen_pipeline_key_hash (gconstpointer data)
{
  const VidgenPipelineKey *key = data;
  guint hash = g_direct_hash (key->kernel);

  for (guint i = 0; i < key->n_constants; i++)
    hash = hash * 31 + key->constants[i];
  return hash;
}

gboolean
vidgen_pipeline_key_equal (gconstpointer a, gconstpointer b)
{
  const VidgenPipelineKey *x = a, *y = b;

  return x->kernel == y->kernel && x->subgroup_size == y->subgroup_size &&
         x->n_constants == y->n_constants &&
         !memcmp (
             x->constants, y->constants, x->n_constants * sizeof *x->constants);
}

static VkResult
create_layout (VidgenVulkan *vulkan, VkPipelineLayout *layout)
{
  const VkPushConstantRange range = {
    .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
    .size = VIDGEN_MAX_PUSH_BYTES,
  };
  const VkPipelineLayoutCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
    .pushConstantRangeCount = 1,
    .pPushConstantRanges = &range,
  };

  return vulkan->CreatePipelineLayout (vulkan->handle, &info, NULL, layout);
}

/* Without data, or when the driver refuses it, the cache is empty. */
static VkPipelineCache
create_cache (VidgenVulkan *vulkan, GBytes *data)
{
  VkPipelineCacheCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
  };
  VkPipelineCache cache = VK_NULL_HANDLE;

  if (data)
    info.pInitialData = g_bytes_get_data (data, &info.initialDataSize);
  if (vulkan->CreatePipelineCache (vulkan->handle, &info, NULL, &cache) !=
      VK_SUCCESS)
    return VK_NULL_HANDLE;
  return cache;
}

static void
fill_owner (VidgenVulkan *vulkan, VidgenCacheOwner *owner)
{
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
  };

  vulkan->instance->GetPhysicalDeviceProperties2 (
      vulkan->physical, &properties);
  owner->vendor = properties.properties.vendorID;
  owner->device = properties.properties.deviceID;
  memcpy (
      owner->uuid, properties.properties.pipelineCacheUUID, sizeof owner->uuid);
}

VidgenPipelines *
vidgen_pipelines_new (VidgenDevice *device, GError **error)
{
  VidgenPipelines *pipelines = g_new0 (VidgenPipelines, 1);
  VkResult result;

  pipelines->device = device;
  g_mutex_init (&pipelines->lock);
  g_cond_init (&pipelines->compiled);
  g_rw_lock_init (&pipelines->cache_lock);
  pipelines->table = g_hash_table_new_full (
      vidgen_pipeline_key_hash, vidgen_pipeline_key_equal, NULL, g_free);
  fill_owner (device->vulkan, &pipelines->owner);
  pipelines->cache = create_cache (device->vulkan, NULL);
  result = create_layout (device->vulkan, &pipelines->layout);
  if (result == VK_SUCCESS)
    return pipelines;
  pipelines->layout = VK_NULL_HANDLE;
  vidgen_vulkan_set_error (device, result, "vkCreatePipelineLayout", error);
  vidgen_pipelines_free (pipelines);
  return NULL;
}

void
vidgen_pipelines_free (VidgenPipelines *pipelines)
{
  VidgenVulkan *vulkan;
  GHashTableIter iter;
  gpointer entry;

  if (!pipelines)
    return;
  vulkan = pipelines->device->vulkan;
  g_hash_table_iter_init (&iter, pipelines->table);
  while (g_hash_table_iter_next (&iter, NULL, &entry))
    vulkan->DestroyPipeline (
        vulkan->handle, ((Entry *)entry)->pipeline.handle, NULL);
  g_hash_table_unref (pipelines->table);
  vulkan->DestroyPipelineCache (vulkan->handle, pipelines->cache, NULL);
  vulkan->DestroyPipelineLayout (vulkan->handle, pipelines->layout, NULL);
  g_rw_lock_clear (&pipelines->cache_lock);
  g_cond_clear (&pipelines->compiled);
  g_mutex_clear (&pipelines->lock);
  g_free (pipelines->cache_path);
  g_free (pipelines);
}

VkPipelineLayout
vidgen_pipelines_layout (const VidgenPipelines *pipelines)
{
  return pipelines->layout;
}

/* Kernels that let lanes share what they load count on every lane, but not on
 * how many there are beyond min_subgroup_size: the compiler may choose. */
static VkPipelineShaderStageCreateFlags
stage_flags (const VidgenDeviceCaps *caps, const VidgenPipelineKey *key)
{
  if (key->subgroup_size)
    return VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
  return key->n_constants && key->constants[0] % caps->max_subgroup_size == 0
             ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT |
                   VK_PIPELINE_SHADER_STAGE_CREATE_ALLOW_VARYING_SUBGROUP_SIZE_BIT
             : 0;
}

static VkResult
compile_module (VidgenPipelines *pipelines, const VidgenPipelineKey *key,
    VkShaderModule module, VkPipeline *pipeline)
{
  VidgenVulkan *vulkan = pipelines->device->vulkan;
  VkSpecializationMapEntry map[VIDGEN_MAX_CONSTANTS];
  const VkSpecializationInfo specialization = {
    .mapEntryCount = key->n_constants,
    .pMapEntries = map,
    .dataSize = key->n_constants * sizeof *key->constants,
    .pData = key->constants,
  };
  const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup = {
    .sType =
        VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
    .requiredSubgroupSize = key->subgroup_size,
  };
  const VkComputePipelineCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
    .flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT,
    .stage = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
        .pNext = key->subgroup_size ? &subgroup : NULL,
        .flags = stage_flags (&pipelines->device->caps, key),
        .stage = VK_SHADER_STAGE_COMPUTE_BIT,
        .module = module,
        .pName = "main",
        .pSpecializationInfo = &specialization,
    },
    .layout = pipelines->layout,
  };
  VkResult result;

  for (guint i = 0; i < key->n_constants; i++)
    map[i] = (VkSpecializationMapEntry){ i, i * (guint32)sizeof (guint32),
      sizeof (guint32) };
  g_rw_lock_reader_lock (&pipelines->cache_lock);
  result = vulkan->CreateComputePipelines (
      vulkan->handle, pipelines->cache, 1, &info, NULL, pipeline);
  g_rw_lock_reader_unlock (&pipelines->cache_lock);
  return result;
}

static VkPipeline
compile (
    VidgenPipelines *pipelines, const VidgenPipelineKey *key, GError **error)
{
  VidgenVulkan *vulkan = pipelines->device->vulkan;
  const VkShaderModuleCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
    .codeSize = key->kernel->spirv_bytes,
    .pCode = key->kernel->spirv,
  };
  g_autofree char *what =
      g_strdup_printf ("making the pipeline %s", key->kernel->name);
  VkPipeline pipeline = VK_NULL_HANDLE;
  VkShaderModule module;
  VkResult result =
      vulkan->CreateShaderModule (vulkan->handle, &info, NULL, &module);

  if (result == VK_SUCCESS) {
    result = compile_module (pipelines, key, module, &pipeline);
    vulkan->DestroyShaderModule (vulkan->handle, module, NULL);
  }
  if (result == VK_SUCCESS)
    return pipeline;
  vidgen_vulkan_set_error (pipelines->device, result, what, error);
  return VK_NULL_HANDLE;
}

/* Called with the lock held. Waits while another thread compiles. */
static Entry *
find_compiled (VidgenPipelines *pipelines, const VidgenPipelineKey *key)
{
  Entry *entry;

  while (
      (entry = g_hash_table_lookup (pipelines->table, key)) && entry->compiling)
    g_cond_wait (&pipelines->compiled, &pipelines->lock);
  return entry;
}

static Entry *
entry_new (VidgenPipelines *pipelines, const VidgenPipelineKey *key)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->key = *key;
  entry->compiling = TRUE;
  entry->pipeline.ns_per_operation =
      pipelines->device->caps.type == VIDGEN_DEVICE_CPU ? CPU_NS_PER_OPERATION
                                                        : GPU_NS_PER_OPERATION;
  return entry;
}

VidgenPipeline *
vidgen_pipelines_get (
    VidgenPipelines *pipelines, const VidgenPipelineKey *key, GError **error)
{
  VkPipeline handle;
  Entry *entry;

  g_mutex_lock (&pipelines->lock);
  entry = find_compiled (pipelines, key);
  if (entry) {
    g_mutex_unlock (&pipelines->lock);
    return &entry->pipeline;
  }
  entry = entry_new (pipelines, key);
  g_hash_table_insert (pipelines->table, &entry->key, entry);
  g_mutex_unlock (&pipelines->lock);

  handle = compile (pipelines, key, error);
  if (handle)
    vidgen_device_count_pipeline (pipelines->device);

  g_mutex_lock (&pipelines->lock);
  entry->pipeline.handle = handle;
  entry->compiling = FALSE;
  if (!handle)
    g_hash_table_remove (pipelines->table, key);
  g_cond_broadcast (&pipelines->compiled);
  g_mutex_unlock (&pipelines->lock);
  return handle ? &entry->pipeline : NULL;
}

double
vidgen_pipeline_ns_per_operation (
    VidgenPipelines *pipelines, const VidgenPipeline *pipeline)
{
  double ns_per_operation;

  g_mutex_lock (&pipelines->lock);
  ns_per_operation = pipeline->ns_per_operation;
  g_mutex_unlock (&pipelines->lock);
  return ns_per_operation;
}

void
vidgen_pipeline_learn (VidgenPipelines *pipelines, VidgenPipeline *pipeline,
    double ns_per_operation, double weight)
{
  g_mutex_lock (&pipelines->lock);
  pipeline->ns_per_operation *=
      pow (ns_per_operation / pipeline->ns_per_operation, weight);
  pipeline->ns_per_operation = CLAMP (
      pipeline->ns_per_operation, MIN_NS_PER_OPERATION, MAX_NS_PER_OPERATION);
  g_mutex_unlock (&pipelines->lock);
}

static char *
cache_path (const VidgenPipelines *pipelines, const char *folder)
{
  g_autoptr (GString) name = g_string_new (NULL);

  for (guint i = 0; i < sizeof pipelines->owner.uuid; i++)
    g_string_append_printf (name, "%02x", pipelines->owner.uuid[i]);
  g_string_append (name, ".pipelines");
  return g_build_filename (folder, name->str, NULL);
}

/* What has been compiled already comes along. */
static void
replace_cache (VidgenPipelines *pipelines, VkPipelineCache cache)
{
  VidgenVulkan *vulkan = pipelines->device->vulkan;

  if (cache && pipelines->cache)
    vulkan->MergePipelineCaches (vulkan->handle, cache, 1, &pipelines->cache);
  vulkan->DestroyPipelineCache (vulkan->handle, pipelines->cache, NULL);
  pipelines->cache = cache;
}

void
vidgen_pipelines_set_cache_dir (VidgenPipelines *pipelines, const char *path)
{
  VidgenVulkan *vulkan = pipelines->device->vulkan;
  g_autofree char *file = path ? cache_path (pipelines, path) : NULL;
  g_autoptr (GBytes) data = NULL;

  g_rw_lock_writer_lock (&pipelines->cache_lock);
  if (g_strcmp0 (file, pipelines->cache_path)) {
    g_free (pipelines->cache_path);
    pipelines->cache_path = g_steal_pointer (&file);
    if (pipelines->cache_path)
      data = vidgen_cachefile_read (pipelines->cache_path, &pipelines->owner);
    pipelines->cached_bytes = data ? g_bytes_get_size (data) : 0;
    replace_cache (pipelines, create_cache (vulkan, data));
  }
  g_rw_lock_writer_unlock (&pipelines->cache_lock);
}

static GBytes *
cache_data (VidgenPipelines *pipelines)
{
  VidgenVulkan *vulkan = pipelines->device->vulkan;
  g_autofree guint8 *data = NULL;
  gsize size = 0;

  if (!pipelines->cache ||
      vulkan->GetPipelineCacheData (
          vulkan->handle, pipelines->cache, &size, NULL) != VK_SUCCESS ||
      size <= pipelines->cached_bytes)
    return NULL;
  data = g_malloc (size);
  if (vulkan->GetPipelineCacheData (
          vulkan->handle, pipelines->cache, &size, data) != VK_SUCCESS)
    return NULL;
  return g_bytes_new (data, size);
}

void
vidgen_pipelines_save_cache (VidgenPipelines *pipelines)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) data = NULL;

  g_rw_lock_writer_lock (&pipelines->cache_lock);
  if (pipelines->cache_path)
    data = cache_data (pipelines);
  if (data && vidgen_cachefile_write (pipelines->cache_path, data, &error))
    pipelines->cached_bytes = g_bytes_get_size (data);
  else if (error)
    g_info ("The pipeline cache is not kept: %s", error->message);
  g_rw_lock_writer_unlock (&pipelines->cache_lock);
}
