/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/backend.h"
#include "shaders/runtime/matrixtypes.h"

G_BEGIN_DECLS

#define VIDGEN_INSTANCE_FUNCTIONS(F)                                           \
  F (DestroyInstance)                                                          \
  F (EnumeratePhysicalDevices)                                                 \
  F (EnumerateDeviceExtensionProperties)                                       \
  F (GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV)         \
  F (GetPhysicalDeviceCooperativeMatrixPropertiesKHR)                          \
  F (GetPhysicalDeviceProperties2)                                             \
  F (GetPhysicalDeviceFeatures2)                                               \
  F (GetPhysicalDeviceMemoryProperties2)                                       \
  F (GetPhysicalDeviceQueueFamilyProperties)                                   \
  F (CreateDevice)                                                             \
  F (GetDeviceProcAddr)

/* Of the extensions, those of cooperative matrices may be NULL. */
struct _VidgenInstance {
  guint n_refs;
  VkInstance handle;
  VkDebugUtilsMessengerEXT messenger;
  PFN_vkDestroyDebugUtilsMessengerEXT destroy_messenger;
#define MEMBER(name) PFN_vk##name name;
  VIDGEN_INSTANCE_FUNCTIONS (MEMBER)
#undef MEMBER
};

/* The physical devices that can run this library's kernels, in the driver's
 * order, and their caps (VidgenDeviceCaps, complete) in `caps`. Errors:
 * NO_DEVICE when there is none. */
GArray *vidgen_instance_devices (
    VidgenInstance *instance, GArray **caps, GError **error);

/* What the kernels use of cooperative matrices: nothing, `khr`, or both. */
typedef struct {
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR khr;
  VkPhysicalDeviceCooperativeMatrix2FeaturesNV nv;
  gboolean has_nv;
} VidgenMatrixFeatures;

/* The features that a device is opened with: the floor, and of the optional
 * ones those that it has. The links of the chain point into the struct;
 * matrices are not linked. */
typedef struct {
  VkPhysicalDeviceFeatures2 core;
  VkPhysicalDeviceVulkan11Features v11;
  VkPhysicalDeviceVulkan12Features v12;
  VkPhysicalDeviceVulkan13Features v13;
  VidgenMatrixFeatures matrices;
} VidgenFeatures;

/* FALSE when the device is below the floor. */
gboolean vidgen_instance_features (VidgenInstance *instance,
    VkPhysicalDevice physical, VidgenFeatures *features);

/* Whether the device lists the extension. */
gboolean vidgen_instance_has_extension (
    VidgenInstance *instance, VkPhysicalDevice physical, const char *name);

G_END_DECLS
