/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "shaders/runtime/memory-private.h"
#include "shaders/runtime/vulkan.h"

guint
vidgen_vulkan_rank_memory (
    VidgenDeviceType device, VkMemoryPropertyFlags flags, VidgenMemoryKind kind)
{
  const gboolean local = (flags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) != 0;
  const gboolean visible = (flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0;
  const gboolean coherent = (flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT) != 0;
  const gboolean cached = (flags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT) != 0;

  if (flags & (VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT |
                  VK_MEMORY_PROPERTY_PROTECTED_BIT |
                  VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD |
                  VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD))
    return 0;
  switch (kind) {
  case VIDGEN_MEMORY_DEVICE:
    if (device == VIDGEN_DEVICE_DISCRETE && !local)
      return 0;
    return 1u + 2u * local + !visible;
  case VIDGEN_MEMORY_UPLOAD:
    return visible && coherent ? 1u + 2u * !cached + !local : 0;
  case VIDGEN_MEMORY_READBACK:
    return visible ? 1u + 4u * cached + 2u * coherent + !local : 0;
  }
  return 0;
}

static gboolean
create_buffer (VidgenMemory *memory, GError **error)
{
  VidgenVulkan *vulkan = memory->device->vulkan;
  const VkBufferCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .size = (memory->size + 3) & ~(guint64)3,
    .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
             VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
             VK_BUFFER_USAGE_TRANSFER_DST_BIT |
             VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT,
  };
  VkBuffer buffer = VK_NULL_HANDLE;
  const VkResult result =
      vulkan->CreateBuffer (vulkan->handle, &info, NULL, &buffer);

  memory->buffer = (guint64)(guintptr)buffer;
  if (result != VK_SUCCESS)
    vidgen_vulkan_set_error (memory->device, result, "vkCreateBuffer", error);
  return result == VK_SUCCESS;
}

static VkResult
allocate_from (VidgenMemory *memory, guint32 type, guint64 size)
{
  VidgenVulkan *vulkan = memory->device->vulkan;
  const VkMemoryAllocateFlagsInfo flags = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
    .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
  };
  const VkMemoryAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
    .pNext = &flags,
    .allocationSize = size,
    .memoryTypeIndex = type,
  };
  VkDeviceMemory block = VK_NULL_HANDLE;
  const VkResult result =
      vulkan->AllocateMemory (vulkan->handle, &info, NULL, &block);

  memory->block = (guint64)(guintptr)block;
  memory->coherent = (vulkan->memory.memoryTypes[type].propertyFlags &
                         VK_MEMORY_PROPERTY_HOST_COHERENT_BIT) != 0;
  return result;
}

/* What the driver would still give of the largest device-local heap. */
static guint64
available_bytes (VidgenDevice *device)
{
  VidgenVulkan *vulkan = device->vulkan;
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT,
  };
  VkPhysicalDeviceMemoryProperties2 memory = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
    .pNext = &budget,
  };
  guint64 available = 0;

  if (!vulkan->memory_budget)
    return device->caps.memory_bytes -
           MIN (device->caps.memory_bytes, vidgen_device_memory_used (device));
  vulkan->instance->GetPhysicalDeviceMemoryProperties2 (
      vulkan->physical, &memory);
  for (guint32 i = 0; i < memory.memoryProperties.memoryHeapCount; i++)
    if (memory.memoryProperties.memoryHeaps[i].flags &
        VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      available =
          MAX (available, budget.heapBudget[i] -
                              MIN (budget.heapBudget[i], budget.heapUsage[i]));
  return available;
}

/* Takes the best type that has room, down to any that serves at all. */
static gboolean
allocate_block (VidgenMemory *memory, GError **error)
{
  VidgenVulkan *vulkan = memory->device->vulkan;
  VkMemoryRequirements needed;
  VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;

  vulkan->GetBufferMemoryRequirements (
      vulkan->handle, (VkBuffer)(guintptr)memory->buffer, &needed);
  for (guint rank = 8; rank > 0 && result != VK_SUCCESS; rank--)
    for (guint32 i = 0;
         i < vulkan->memory.memoryTypeCount && result != VK_SUCCESS; i++)
      if (needed.memoryTypeBits & (1u << i) &&
          vidgen_vulkan_rank_memory (memory->device->caps.type,
              vulkan->memory.memoryTypes[i].propertyFlags,
              memory->kind) == rank)
        result = allocate_from (memory, i, needed.size);
  if (result == VK_SUCCESS)
    return TRUE;
  memory->block = 0;
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY,
      "Out of memory on %s: %" G_GUINT64_FORMAT
      " bytes are needed, %" G_GUINT64_FORMAT " are free.",
      memory->device->caps.name, (guint64)needed.size,
      available_bytes (memory->device));
  return FALSE;
}

static gboolean
bind_block (VidgenMemory *memory, GError **error)
{
  VidgenVulkan *vulkan = memory->device->vulkan;
  const VkBuffer buffer = (VkBuffer)(guintptr)memory->buffer;
  const VkDeviceMemory block = (VkDeviceMemory)(guintptr)memory->block;
  const VkBufferDeviceAddressInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
    .buffer = buffer,
  };
  const char *what = "vkBindBufferMemory";
  void *mapped = NULL;
  VkResult result = vulkan->BindBufferMemory (vulkan->handle, buffer, block, 0);

  if (result == VK_SUCCESS) {
    memory->address = vulkan->GetBufferDeviceAddress (vulkan->handle, &info);
    if (memory->kind != VIDGEN_MEMORY_DEVICE) {
      what = "vkMapMemory";
      result = vulkan->MapMemory (
          vulkan->handle, block, 0, VK_WHOLE_SIZE, 0, &mapped);
      memory->mapped = mapped;
    }
  }
  if (result != VK_SUCCESS)
    vidgen_vulkan_set_error (memory->device, result, what, error);
  return result == VK_SUCCESS;
}

static gboolean
zero (VidgenMemory *memory, GError **error)
{
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (memory->device, VIDGEN_RECORDER_RUN, error);

  if (!recorder)
    return FALSE;
  vidgen_recorder_clear (recorder, vidgen_memory_span (memory));
  return vidgen_recorder_finish (recorder, NULL, error);
}

gboolean
vidgen_vulkan_allocate (VidgenMemory *memory, GError **error)
{
  return create_buffer (memory, error) && allocate_block (memory, error) &&
         bind_block (memory, error) && zero (memory, error);
}

void
vidgen_vulkan_release (VidgenMemory *memory)
{
  VidgenVulkan *vulkan = memory->device->vulkan;

  vulkan->DestroyBuffer (
      vulkan->handle, (VkBuffer)(guintptr)memory->buffer, NULL);
  vulkan->FreeMemory (
      vulkan->handle, (VkDeviceMemory)(guintptr)memory->block, NULL);
}
