/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/vulkan.h"

#include "shaders/runtime/matrices.h"
#include "shaders/runtime/pipelines.h"

void
vidgen_vulkan_set_error (
    VidgenDevice *device, VkResult result, const char *what, GError **error)
{
  const char *name = device->caps.name;

  switch (result) {
  case VK_ERROR_DEVICE_LOST:
    vidgen_device_set_lost (device);
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_DEVICE_LOST,
        "The device %s is lost (%s).", name, what);
    break;
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
  case VK_ERROR_OUT_OF_HOST_MEMORY:
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY,
        "Out of memory on %s (%s).", name, what);
    break;
  default:
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FAILED,
        "The driver of %s failed with %d (%s).", name, result, what);
  }
}

static void
vulkan_free (VidgenVulkan *vulkan)
{
  vidgen_pipelines_free (vulkan->pipelines);
  if (vulkan->handle)
    vulkan->DestroyDevice (vulkan->handle, NULL);
  vidgen_instance_close (vulkan->instance);
  g_mutex_clear (&vulkan->queue_lock);
  g_free (vulkan);
}

static void
vulkan_close (VidgenDevice *device)
{
  device->vulkan->DeviceWaitIdle (device->vulkan->handle);
  vulkan_free (device->vulkan);
}

static void
vulkan_set_cache_dir (VidgenDevice *device, const char *path)
{
  vidgen_pipelines_set_cache_dir (device->vulkan->pipelines, path);
}

static void
vulkan_save_cache (VidgenDevice *device)
{
  vidgen_pipelines_save_cache (device->vulkan->pipelines);
}

static const VidgenDeviceClass vulkan_class = {
  .allocate = vidgen_vulkan_allocate,
  .release = vidgen_vulkan_release,
  .recorder_new = vidgen_vulkan_recorder_new,
  .set_cache_dir = vulkan_set_cache_dir,
  .save_cache = vulkan_save_cache,
  .close = vulkan_close,
};

/* A family without graphics is one that nothing on screen waits for. */
static gboolean
choose_family (VidgenVulkan *vulkan)
{
  g_autofree VkQueueFamilyProperties *families = NULL;
  guint32 n = 0;
  guint best_rank = 0;

  vulkan->instance->GetPhysicalDeviceQueueFamilyProperties (
      vulkan->physical, &n, NULL);
  families = g_new0 (VkQueueFamilyProperties, n);
  vulkan->instance->GetPhysicalDeviceQueueFamilyProperties (
      vulkan->physical, &n, families);
  for (guint32 i = 0; i < n; i++) {
    const VkQueueFlags flags = families[i].queueFlags;
    guint rank = 0;

    if (families[i].queueCount && flags & VK_QUEUE_COMPUTE_BIT)
      rank = flags & VK_QUEUE_GRAPHICS_BIT ? 1 : 2;
    if (rank > best_rank) {
      best_rank = rank;
      vulkan->family = i;
      vulkan->timestamp_mask =
          families[i].timestampValidBits >= 64
              ? G_MAXUINT64
              : (G_GUINT64_CONSTANT (1) << families[i].timestampValidBits) - 1;
    }
  }
  return best_rank > 0;
}

static VkResult
create_device (VidgenVulkan *vulkan)
{
  const float priority = 1.0f;
  const VkDeviceQueueCreateInfo queue = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
    .queueFamilyIndex = vulkan->family,
    .queueCount = 1,
    .pQueuePriorities = &priority,
  };
  const char *extensions[2];
  VidgenFeatures features;
  VkDeviceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
    .pNext = &features.core,
    .queueCreateInfoCount = 1,
    .pQueueCreateInfos = &queue,
    .ppEnabledExtensionNames = extensions,
  };

  vidgen_instance_features (vulkan->instance, vulkan->physical, &features);
  features.v13.pNext = vidgen_matrices_link (&features.matrices);
  info.enabledExtensionCount =
      vidgen_matrices_extensions (&features.matrices, extensions);
  return vulkan->instance->CreateDevice (
      vulkan->physical, &info, NULL, &vulkan->handle);
}

static void
load_functions (VidgenVulkan *vulkan)
{
  PFN_vkGetDeviceProcAddr get_proc = vulkan->instance->GetDeviceProcAddr;

#define LOAD(name)                                                             \
  vulkan->name = (PFN_vk##name)get_proc (vulkan->handle, "vk" #name);
  VIDGEN_VULKAN_FUNCTIONS (LOAD)
#undef LOAD
}

static void
query_memory (VidgenVulkan *vulkan)
{
  VkPhysicalDeviceMemoryProperties2 memory = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
  };

  vulkan->instance->GetPhysicalDeviceMemoryProperties2 (
      vulkan->physical, &memory);
  vulkan->memory = memory.memoryProperties;
  vulkan->memory_budget = vidgen_instance_has_extension (
      vulkan->instance, vulkan->physical, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
}

static gboolean
vulkan_create (VidgenDevice *device, GError **error)
{
  VidgenVulkan *vulkan = device->vulkan;
  VkResult result;

  if (!choose_family (vulkan)) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE,
        "The device %s has no compute queue.", device->caps.name);
    return FALSE;
  }
  if (!vulkan->timestamp_mask)
    device->caps.timestamp_period_ns = 0;
  result = create_device (vulkan);
  if (result != VK_SUCCESS) {
    vulkan->handle = VK_NULL_HANDLE;
    vidgen_vulkan_set_error (device, result, "vkCreateDevice", error);
    return FALSE;
  }
  load_functions (vulkan);
  vulkan->GetDeviceQueue (vulkan->handle, vulkan->family, 0, &vulkan->queue);
  query_memory (vulkan);
  vulkan->pipelines = vidgen_pipelines_new (device, error);
  return vulkan->pipelines != NULL;
}

GArray *
vidgen_vulkan_list (GError **error)
{
  g_autoptr (VidgenInstance) instance = vidgen_instance_open (error);
  g_autoptr (GArray) devices = NULL;
  GArray *caps = NULL;

  if (instance)
    devices = vidgen_instance_devices (instance, &caps, error);
  return caps;
}

gboolean
vidgen_vulkan_open (VidgenDevice *device, guint index, GError **error)
{
  VidgenInstance *instance = vidgen_instance_open (error);
  g_autoptr (GArray) devices = NULL;
  g_autoptr (GArray) caps = NULL;

  if (!instance)
    return FALSE;
  devices = vidgen_instance_devices (instance, &caps, error);
  if (devices && index >= devices->len)
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE,
        "The device %s is gone.", device->caps.name);
  if (!devices || index >= devices->len) {
    vidgen_instance_close (instance);
    return FALSE;
  }
  device->klass = &vulkan_class;
  device->vulkan = g_new0 (VidgenVulkan, 1);
  g_mutex_init (&device->vulkan->queue_lock);
  device->vulkan->instance = instance;
  device->vulkan->physical = g_array_index (devices, VkPhysicalDevice, index);
  if (vulkan_create (device, error))
    return TRUE;
  vulkan_free (g_steal_pointer (&device->vulkan));
  return FALSE;
}
