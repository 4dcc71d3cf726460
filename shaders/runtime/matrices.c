/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/matrices.h"

#include <string.h>

#include "shaders/runtime/select.h"

void
vidgen_matrices_query (VidgenInstance *instance, VkPhysicalDevice physical,
    VidgenMatrixFeatures *features)
{
  VkPhysicalDeviceCooperativeMatrix2FeaturesNV nv = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_FEATURES_NV,
  };
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR khr = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
  };
  VkPhysicalDeviceFeatures2 core = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
    .pNext = &khr,
  };

  memset (features, 0, sizeof *features);
  if (!vidgen_instance_has_extension (
          instance, physical, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME))
    return;
  if (vidgen_instance_has_extension (
          instance, physical, VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME))
    khr.pNext = &nv;
  instance->GetPhysicalDeviceFeatures2 (physical, &core);
  features->khr.sType = khr.sType;
  features->khr.cooperativeMatrix = khr.cooperativeMatrix;
  features->nv = nv;
  features->nv.pNext = NULL;
  features->nv.cooperativeMatrixReductions = VK_FALSE;
  features->nv.cooperativeMatrixConversions = VK_FALSE;
  features->has_nv =
      khr.cooperativeMatrix && nv.cooperativeMatrixWorkgroupScope &&
      nv.cooperativeMatrixFlexibleDimensions &&
      nv.cooperativeMatrixPerElementOperations &&
      nv.cooperativeMatrixTensorAddressing && nv.cooperativeMatrixBlockLoads;
}

void *
vidgen_matrices_link (VidgenMatrixFeatures *features)
{
  if (!features->khr.cooperativeMatrix)
    return NULL;
  features->khr.pNext = features->has_nv ? &features->nv : NULL;
  return &features->khr;
}

guint32
vidgen_matrices_extensions (
    const VidgenMatrixFeatures *features, const char *names[2])
{
  names[0] = VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
  names[1] = VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME;
  if (!features->khr.cooperativeMatrix)
    return 0;
  return features->has_nv ? 2 : 1;
}

static gboolean
multiplies_halves (VkComponentTypeKHR a, VkComponentTypeKHR b,
    VkComponentTypeKHR c, VkComponentTypeKHR result)
{
  return a == VK_COMPONENT_TYPE_FLOAT16_KHR &&
         b == VK_COMPONENT_TYPE_FLOAT16_KHR &&
         c == VK_COMPONENT_TYPE_FLOAT32_KHR &&
         result == VK_COMPONENT_TYPE_FLOAT32_KHR;
}

static VidgenMatrixShape
subgroup_shape (VidgenInstance *instance, VkPhysicalDevice physical)
{
  g_autofree VkCooperativeMatrixPropertiesKHR *all = NULL;
  g_autofree VidgenMatrixShape *shapes = NULL;
  guint32 n = 0, n_shapes = 0;
  gint best;

  if (instance->GetPhysicalDeviceCooperativeMatrixPropertiesKHR (
          physical, &n, NULL) != VK_SUCCESS)
    n = 0;
  all = g_new0 (VkCooperativeMatrixPropertiesKHR, n);
  shapes = g_new0 (VidgenMatrixShape, n);
  for (guint32 i = 0; i < n; i++)
    all[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
  if (instance->GetPhysicalDeviceCooperativeMatrixPropertiesKHR (
          physical, &n, all) < 0)
    n = 0;
  for (guint32 i = 0; i < n; i++)
    if (all[i].scope == VK_SCOPE_SUBGROUP_KHR &&
        multiplies_halves (
            all[i].AType, all[i].BType, all[i].CType, all[i].ResultType))
      shapes[n_shapes++] =
          (VidgenMatrixShape){ all[i].MSize, all[i].NSize, all[i].KSize, 0 };
  best = vidgen_select_matrix (shapes, n_shapes);
  return best < 0 ? (VidgenMatrixShape){ 0 } : shapes[best];
}

static VidgenMatrixShape
group_shape (VidgenInstance *instance, VkPhysicalDevice physical)
{
  g_autofree VkCooperativeMatrixFlexibleDimensionsPropertiesNV *all = NULL;
  g_autofree VidgenMatrixShape *shapes = NULL;
  guint32 n = 0, n_shapes = 0;
  gint best;

  if (instance
          ->GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV (
              physical, &n, NULL) != VK_SUCCESS)
    n = 0;
  all = g_new0 (VkCooperativeMatrixFlexibleDimensionsPropertiesNV, n);
  shapes = g_new0 (VidgenMatrixShape, n);
  for (guint32 i = 0; i < n; i++)
    all[i].sType =
        VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FLEXIBLE_DIMENSIONS_PROPERTIES_NV;
  if (instance
          ->GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV (
              physical, &n, all) < 0)
    n = 0;
  for (guint32 i = 0; i < n; i++)
    if (all[i].scope == VK_SCOPE_WORKGROUP_KHR &&
        multiplies_halves (
            all[i].AType, all[i].BType, all[i].CType, all[i].ResultType))
      shapes[n_shapes++] = (VidgenMatrixShape){ all[i].MGranularity,
        all[i].NGranularity, all[i].KGranularity, all[i].workgroupInvocations };
  best = vidgen_select_matrix (shapes, n_shapes);
  return best < 0 ? (VidgenMatrixShape){ 0 } : shapes[best];
}

void
vidgen_matrices_fill_caps (VidgenInstance *instance, VkPhysicalDevice physical,
    const VidgenMatrixFeatures *features, VidgenDeviceCaps *caps)
{
  if (features->khr.cooperativeMatrix)
    caps->matrix = subgroup_shape (instance, physical);
  if (features->has_nv)
    caps->group_matrix = group_shape (instance, physical);
}
