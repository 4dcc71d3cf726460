/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/instance.h"

#include <dlfcn.h>
#include <string.h>

#include "shaders/runtime/error.h"
#include "shaders/runtime/matrices.h"

#define LIBRARY "libvulkan.so.1"
#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

static GMutex instance_lock;
static VidgenInstance *shared_instance; /* not owned */

static const char *
library_name (void)
{
  const char *name = g_getenv ("VIDGEN_VULKAN_LIBRARY");

  return name ? name : LIBRARY;
}

static PFN_vkGetInstanceProcAddr
load_library (GError **error)
{
  static gsize loaded;
  static PFN_vkGetInstanceProcAddr get_proc;

  if (g_once_init_enter (&loaded)) {
    void *library = dlopen (library_name (), RTLD_NOW | RTLD_LOCAL);

    if (library)
      *(void **)&get_proc = dlsym (library, "vkGetInstanceProcAddr");
    g_once_init_leave (&loaded, 1);
  }
  if (!get_proc)
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE,
        "The Vulkan loader %s cannot be loaded; install it and a driver "
        "(Debian: libvulkan1, mesa-vulkan-drivers).",
        library_name ());
  return get_proc;
}

static VKAPI_ATTR VkBool32 VKAPI_CALL
report_validation (
    VkDebugUtilsMessageSeverityFlagBitsEXT severity G_GNUC_UNUSED,
    VkDebugUtilsMessageTypeFlagsEXT types G_GNUC_UNUSED,
    const VkDebugUtilsMessengerCallbackDataEXT *data,
    void *user_data G_GNUC_UNUSED)
{
  g_critical ("Vulkan validation: %s", data->pMessage);
  return VK_FALSE;
}

static const VkDebugUtilsMessengerCreateInfoEXT messenger_info = {
  .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
  .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                     VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
  .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
                 VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
  .pfnUserCallback = report_validation,
};

static VkResult
create_instance (
    PFN_vkGetInstanceProcAddr get_proc, gboolean validate, VkInstance *instance)
{
  const VkApplicationInfo application = {
    .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
    .pApplicationName = "vidgensrc",
    .apiVersion = VK_API_VERSION_1_3,
  };
  const char *const layers[] = { VALIDATION_LAYER };
  const char *const extensions[] = { VK_EXT_DEBUG_UTILS_EXTENSION_NAME };
  const VkInstanceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    .pNext = validate ? &messenger_info : NULL,
    .pApplicationInfo = &application,
    .enabledLayerCount = validate ? 1 : 0,
    .ppEnabledLayerNames = layers,
    .enabledExtensionCount = validate ? 1 : 0,
    .ppEnabledExtensionNames = extensions,
  };
  PFN_vkCreateInstance create =
      (PFN_vkCreateInstance)get_proc (NULL, "vkCreateInstance");

  return create (&info, NULL, instance);
}

static void
install_messenger (VidgenInstance *instance, PFN_vkGetInstanceProcAddr get_proc)
{
  PFN_vkCreateDebugUtilsMessengerEXT create =
      (PFN_vkCreateDebugUtilsMessengerEXT)get_proc (
          instance->handle, "vkCreateDebugUtilsMessengerEXT");

  instance->destroy_messenger = (PFN_vkDestroyDebugUtilsMessengerEXT)get_proc (
      instance->handle, "vkDestroyDebugUtilsMessengerEXT");
  create (instance->handle, &messenger_info, NULL, &instance->messenger);
}

static VidgenInstance *
instance_new (GError **error)
{
  const gboolean validate = !g_strcmp0 (g_getenv ("VIDGEN_VALIDATION"), "1");
  PFN_vkGetInstanceProcAddr get_proc = load_library (error);
  VidgenInstance *instance;
  VkInstance handle;
  VkResult result;

  if (!get_proc)
    return NULL;
  result = create_instance (get_proc, validate, &handle);
  if (result == VK_ERROR_LAYER_NOT_PRESENT ||
      result == VK_ERROR_EXTENSION_NOT_PRESENT) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE,
        "VIDGEN_VALIDATION=1 needs the layer " VALIDATION_LAYER
        ", which is not installed.");
    return NULL;
  }
  if (result != VK_SUCCESS) {
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE,
        "There is no Vulkan driver on this machine that works with Vulkan 1.3 "
        "(vkCreateInstance: %d).",
        result);
    return NULL;
  }
  instance = g_new0 (VidgenInstance, 1);
  instance->n_refs = 1;
  instance->handle = handle;
#define LOAD(name) instance->name = (PFN_vk##name)get_proc (handle, "vk" #name);
  VIDGEN_INSTANCE_FUNCTIONS (LOAD)
#undef LOAD
  if (validate)
    install_messenger (instance, get_proc);
  return instance;
}

VidgenInstance *
vidgen_instance_open (GError **error)
{
  VidgenInstance *instance;

  g_mutex_lock (&instance_lock);
  if (shared_instance)
    shared_instance->n_refs++;
  else
    shared_instance = instance_new (error);
  instance = shared_instance;
  g_mutex_unlock (&instance_lock);
  return instance;
}

void
vidgen_instance_close (VidgenInstance *instance)
{
  if (!instance)
    return;
  g_mutex_lock (&instance_lock);
  if (--instance->n_refs == 0) {
    shared_instance = NULL;
    if (instance->messenger)
      instance->destroy_messenger (instance->handle, instance->messenger, NULL);
    instance->DestroyInstance (instance->handle, NULL);
    g_free (instance);
  }
  g_mutex_unlock (&instance_lock);
}

gboolean
vidgen_instance_has_extension (
    VidgenInstance *instance, VkPhysicalDevice physical, const char *name)
{
  g_autofree VkExtensionProperties *extensions = NULL;
  guint32 n = 0;

  instance->EnumerateDeviceExtensionProperties (physical, NULL, &n, NULL);
  extensions = g_new0 (VkExtensionProperties, n);
  instance->EnumerateDeviceExtensionProperties (physical, NULL, &n, extensions);
  for (guint32 i = 0; i < n; i++)
    if (!strcmp (extensions[i].extensionName, name))
      return TRUE;
  return FALSE;
}

static void
link_features (VidgenFeatures *features)
{
  features->core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  features->core.pNext = &features->v11;
  features->v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
  features->v11.pNext = &features->v12;
  features->v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  features->v12.pNext = &features->v13;
  features->v13.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES;
}

gboolean
vidgen_instance_features (VidgenInstance *instance, VkPhysicalDevice physical,
    VidgenFeatures *features)
{
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
  };
  VidgenFeatures has = { 0 };

  instance->GetPhysicalDeviceProperties2 (physical, &properties);
  if (properties.properties.apiVersion < VK_API_VERSION_1_3)
    return FALSE;
  link_features (&has);
  instance->GetPhysicalDeviceFeatures2 (physical, &has.core);

  memset (features, 0, sizeof *features);
  link_features (features);
  features->v11.storageBuffer16BitAccess = has.v11.storageBuffer16BitAccess;
  features->v12.shaderFloat16 = has.v12.shaderFloat16;
  features->v12.vulkanMemoryModel = has.v12.vulkanMemoryModel;
  features->v12.subgroupBroadcastDynamicId = has.v12.subgroupBroadcastDynamicId;
  features->v12.bufferDeviceAddress = VK_TRUE;
  features->v12.timelineSemaphore = VK_TRUE;
  features->v12.scalarBlockLayout = VK_TRUE;
  features->v13.synchronization2 = VK_TRUE;
  features->v13.maintenance4 = VK_TRUE;
  features->v13.subgroupSizeControl = VK_TRUE;
  features->v13.computeFullSubgroups = VK_TRUE;
  if (has.v12.shaderFloat16 && has.v12.vulkanMemoryModel &&
      has.v11.storageBuffer16BitAccess)
    vidgen_matrices_query (instance, physical, &features->matrices);
  return has.v12.bufferDeviceAddress && has.v12.timelineSemaphore &&
         has.v12.scalarBlockLayout && has.v13.synchronization2 &&
         has.v13.maintenance4 && has.v13.subgroupSizeControl &&
         has.v13.computeFullSubgroups;
}

static VidgenDeviceType
device_type (VkPhysicalDeviceType type)
{
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    return VIDGEN_DEVICE_DISCRETE;
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
    return VIDGEN_DEVICE_INTEGRATED;
  case VK_PHYSICAL_DEVICE_TYPE_CPU:
    return VIDGEN_DEVICE_CPU;
  default:
    return VIDGEN_DEVICE_OTHER;
  }
}

static void
format_uuid (const guint8 bytes[VK_UUID_SIZE], char *uuid)
{
  static const char digits[] = "0123456789abcdef";
  char *to = uuid;

  for (guint i = 0; i < VK_UUID_SIZE; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      *to++ = '-';
    *to++ = digits[bytes[i] >> 4];
    *to++ = digits[bytes[i] & 15];
  }
  *to = '\0';
}

static guint64
largest_local_heap_bytes (VidgenInstance *instance, VkPhysicalDevice physical)
{
  VkPhysicalDeviceMemoryProperties2 memory = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
  };
  guint64 bytes = 0;

  instance->GetPhysicalDeviceMemoryProperties2 (physical, &memory);
  for (guint32 i = 0; i < memory.memoryProperties.memoryHeapCount; i++) {
    const VkMemoryHeap *heap = &memory.memoryProperties.memoryHeaps[i];

    if (heap->flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      bytes = MAX (bytes, heap->size);
  }
  return bytes;
}

static void
fill_caps (VidgenInstance *instance, VkPhysicalDevice physical,
    const VidgenFeatures *features, VidgenDeviceCaps *caps)
{
  VkPhysicalDeviceVulkan13Properties v13 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES,
  };
  VkPhysicalDeviceVulkan12Properties v12 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES,
    .pNext = &v13,
  };
  VkPhysicalDeviceVulkan11Properties v11 = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES,
    .pNext = &v12,
  };
  VkPhysicalDeviceProperties2 core = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
    .pNext = &v11,
  };
  const VkPhysicalDeviceLimits *limits = &core.properties.limits;

  instance->GetPhysicalDeviceProperties2 (physical, &core);
  memset (caps, 0, sizeof *caps);
  g_strlcpy (caps->name, core.properties.deviceName, sizeof caps->name);
  g_snprintf (caps->driver, sizeof caps->driver, "%s %s", v12.driverName,
      v12.driverInfo);
  format_uuid (v11.deviceUUID, caps->uuid);
  caps->type = device_type (core.properties.deviceType);
  caps->api_version = core.properties.apiVersion;
  caps->subgroup_size = v11.subgroupSize;
  caps->min_subgroup_size = v13.minSubgroupSize;
  caps->max_subgroup_size = v13.maxSubgroupSize;
  if (v11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT) {
    caps->subgroup_ballot =
        features->v12.subgroupBroadcastDynamicId &&
        (v11.subgroupSupportedOperations & VK_SUBGROUP_FEATURE_BALLOT_BIT) != 0;
    caps->subgroup_shuffle = (v11.subgroupSupportedOperations &
                                 VK_SUBGROUP_FEATURE_SHUFFLE_BIT) != 0;
  }
  caps->shared_memory_bytes = limits->maxComputeSharedMemorySize;
  caps->max_group_invocations = limits->maxComputeWorkGroupInvocations;
  memcpy (caps->max_group_count, limits->maxComputeWorkGroupCount,
      sizeof caps->max_group_count);
  caps->memory_bytes = largest_local_heap_bytes (instance, physical);
  caps->max_allocation_bytes =
      MIN (v11.maxMemoryAllocationSize, v13.maxBufferSize);
  caps->float16 = features->v12.shaderFloat16;
  caps->storage16 = features->v11.storageBuffer16BitAccess;
  if (v13.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT)
    vidgen_matrices_fill_caps (instance, physical, &features->matrices, caps);
  caps->timestamp_period_ns = limits->timestampPeriod;
}

static GArray *
instance_usable_devices (VidgenInstance *instance, GArray **caps, guint32 *n)
{
  GArray *devices = g_array_new (FALSE, TRUE, sizeof (VkPhysicalDevice));
  g_autofree VkPhysicalDevice *all = NULL;

  *caps = g_array_new (FALSE, TRUE, sizeof (VidgenDeviceCaps));
  if (instance->EnumeratePhysicalDevices (instance->handle, n, NULL) !=
      VK_SUCCESS)
    *n = 0;
  all = g_new0 (VkPhysicalDevice, *n);
  if (instance->EnumeratePhysicalDevices (instance->handle, n, all) < 0)
    *n = 0;
  for (guint32 i = 0; i < *n; i++) {
    VidgenFeatures features;
    VidgenDeviceCaps one;

    if (!vidgen_instance_features (instance, all[i], &features))
      continue;
    fill_caps (instance, all[i], &features, &one);
    g_array_append_val (devices, all[i]);
    g_array_append_val (*caps, one);
  }
  return devices;
}

GArray *
vidgen_instance_devices (
    VidgenInstance *instance, GArray **caps, GError **error)
{
  guint32 n = 0;
  GArray *devices = instance_usable_devices (instance, caps, &n);

  if (devices->len)
    return devices;
  if (n)
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE,
        "None of the %u Vulkan devices of this machine has Vulkan 1.3 with "
        "buffer device addresses and scalar block layout.",
        n);
  else
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE,
        "There is no Vulkan driver on this machine; install one (Debian: "
        "mesa-vulkan-drivers).");
  g_array_unref (devices);
  g_clear_pointer (caps, g_array_unref);
  return NULL;
}
