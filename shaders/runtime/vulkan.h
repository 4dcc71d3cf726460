/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/device-private.h"
#include "shaders/runtime/instance.h"
#include "shaders/runtime/recorder.h"

G_BEGIN_DECLS

/* The Vulkan half of a VidgenDevice: one VkDevice with one compute queue. */

#define VIDGEN_VULKAN_FUNCTIONS(F)                                             \
  F (AllocateCommandBuffers)                                                   \
  F (AllocateMemory)                                                           \
  F (BeginCommandBuffer)                                                       \
  F (BindBufferMemory)                                                         \
  F (CmdBindPipeline)                                                          \
  F (CmdCopyBuffer)                                                            \
  F (CmdDispatchBase)                                                          \
  F (CmdFillBuffer)                                                            \
  F (CmdPipelineBarrier2)                                                      \
  F (CmdPushConstants)                                                         \
  F (CmdResetQueryPool)                                                        \
  F (CmdWriteTimestamp2)                                                       \
  F (CreateBuffer)                                                             \
  F (CreateCommandPool)                                                        \
  F (CreateComputePipelines)                                                   \
  F (CreatePipelineCache)                                                      \
  F (CreatePipelineLayout)                                                     \
  F (CreateQueryPool)                                                          \
  F (CreateSemaphore)                                                          \
  F (CreateShaderModule)                                                       \
  F (DestroyBuffer)                                                            \
  F (DestroyCommandPool)                                                       \
  F (DestroyDevice)                                                            \
  F (DestroyPipeline)                                                          \
  F (DestroyPipelineCache)                                                     \
  F (DestroyPipelineLayout)                                                    \
  F (DestroyQueryPool)                                                         \
  F (DestroySemaphore)                                                         \
  F (DestroyShaderModule)                                                      \
  F (DeviceWaitIdle)                                                           \
  F (EndCommandBuffer)                                                         \
  F (FreeMemory)                                                               \
  F (GetBufferDeviceAddress)                                                   \
  F (GetBufferMemoryRequirements)                                              \
  F (GetDeviceQueue)                                                           \
  F (GetPipelineCacheData)                                                     \
  F (GetQueryPoolResults)                                                      \
  F (InvalidateMappedMemoryRanges)                                             \
  F (MapMemory)                                                                \
  F (MergePipelineCaches)                                                      \
  F (QueueSubmit2)                                                             \
  F (ResetCommandPool)                                                         \
  F (WaitSemaphores)

typedef struct _VidgenPipelines VidgenPipelines;

struct _VidgenVulkan {
  VidgenInstance *instance;
  VkPhysicalDevice physical;
  VkDevice handle;
  guint32 family;
  VkQueue queue;
  GMutex queue_lock; /* held around vkQueueSubmit2 */
  VkPhysicalDeviceMemoryProperties memory;
  guint64 timestamp_mask; /* the bits of a timestamp that count */
  gboolean memory_budget; /* VK_EXT_memory_budget can be asked */
  VidgenPipelines *pipelines;
#define MEMBER(name) PFN_vk##name name;
  VIDGEN_VULKAN_FUNCTIONS (MEMBER)
#undef MEMBER
};

/* The error for a result that is not VK_SUCCESS, `what` being the function
 * that returned it; latches a lost device. */
void vidgen_vulkan_set_error (
    VidgenDevice *device, VkResult result, const char *what, GError **error);

VidgenRecorder *vidgen_vulkan_recorder_new (
    VidgenDevice *device, VidgenRecorderMode mode, GError **error);
gboolean vidgen_vulkan_allocate (VidgenMemory *memory, GError **error);
void vidgen_vulkan_release (VidgenMemory *memory);

/* How well a memory type of such a device serves a kind of memory; 0: not at
 * all. Pure. */
guint vidgen_vulkan_rank_memory (VidgenDeviceType device,
    VkMemoryPropertyFlags flags, VidgenMemoryKind kind);

G_END_DECLS
