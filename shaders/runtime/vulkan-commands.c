/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/vulkan-commands.h"

#include <string.h>

#define MAX_LEARN_FACTOR 8.0
/* How much the newest time counts in what is typical. */
#define NEWEST 0.25

static gboolean
fail (VidgenDevice *device, VkResult result, const char *what, GError **error)
{
  vidgen_vulkan_set_error (device, result, what, error);
  return FALSE;
}

static gboolean
create_queries (VidgenCommands *commands, VidgenDevice *device, GError **error)
{
  const VkQueryPoolCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
    .queryType = VK_QUERY_TYPE_TIMESTAMP,
    .queryCount = VIDGEN_MAX_SEGMENTS + 1,
  };
  VkResult result;

  if (commands->queries || device->caps.timestamp_period_ns <= 0)
    return TRUE;
  result = device->vulkan->CreateQueryPool (
      device->vulkan->handle, &info, NULL, &commands->queries);
  if (result == VK_SUCCESS)
    return TRUE;
  commands->queries = VK_NULL_HANDLE;
  return fail (device, result, "vkCreateQueryPool", error);
}

static gboolean
create_pool (VidgenCommands *commands, VidgenDevice *device, GError **error)
{
  const VkCommandPoolCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .queueFamilyIndex = device->vulkan->family,
  };
  VkResult result;

  if (commands->pool)
    return TRUE;
  result = device->vulkan->CreateCommandPool (
      device->vulkan->handle, &info, NULL, &commands->pool);
  if (result == VK_SUCCESS)
    return TRUE;
  commands->pool = VK_NULL_HANDLE;
  return fail (device, result, "vkCreateCommandPool", error);
}

gboolean
vidgen_commands_create (
    VidgenCommands *commands, VidgenDevice *device, GError **error)
{
  VkCommandBufferAllocateInfo buffer = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
    .commandBufferCount = 1,
  };
  VkResult result;

  if (commands->handle)
    return TRUE;
  if (!commands->segments) {
    commands->segments = g_array_new (FALSE, FALSE, sizeof (VidgenSegment));
    commands->costs = g_array_new (FALSE, FALSE, sizeof (VidgenCost));
  }
  if (!create_queries (commands, device, error) ||
      !create_pool (commands, device, error))
    return FALSE;
  buffer.commandPool = commands->pool;
  result = device->vulkan->AllocateCommandBuffers (
      device->vulkan->handle, &buffer, &commands->handle);
  if (result == VK_SUCCESS)
    return TRUE;
  commands->handle = NULL;
  return fail (device, result, "vkAllocateCommandBuffers", error);
}

void
vidgen_commands_clear (VidgenCommands *commands, VidgenDevice *device)
{
  VidgenVulkan *vulkan = device->vulkan;

  vulkan->DestroyCommandPool (vulkan->handle, commands->pool, NULL);
  vulkan->DestroyQueryPool (vulkan->handle, commands->queries, NULL);
  g_clear_pointer (&commands->segments, g_array_unref);
  g_clear_pointer (&commands->costs, g_array_unref);
}

static void
record_barrier (const VidgenCommands *commands, VidgenDevice *device,
    VkPipelineStageFlags2 from, VkPipelineStageFlags2 to, VkAccessFlags2 access)
{
  const VkMemoryBarrier2 barrier = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
    .srcStageMask = from,
    .srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
    .dstStageMask = to,
    .dstAccessMask = access,
  };
  const VkDependencyInfo info = {
    .sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
    .memoryBarrierCount = 1,
    .pMemoryBarriers = &barrier,
  };

  device->vulkan->CmdPipelineBarrier2 (commands->handle, &info);
}

void
vidgen_commands_barrier (const VidgenCommands *commands, VidgenDevice *device)
{
  const VkPipelineStageFlags2 stages = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT |
                                       VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT;

  record_barrier (commands, device, stages, stages,
      VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT);
}

static void
record_timestamp (
    const VidgenCommands *commands, VidgenDevice *device, guint query)
{
  if (commands->queries)
    device->vulkan->CmdWriteTimestamp2 (commands->handle,
        VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, commands->queries, query);
}

gboolean
vidgen_commands_begin (VidgenCommands *commands, VidgenDevice *device,
    VkCommandBufferUsageFlags usage, GError **error)
{
  VidgenVulkan *vulkan = device->vulkan;
  const VkCommandBufferBeginInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
    .flags = usage,
  };
  VkResult result;

  g_array_set_size (commands->segments, 0);
  g_array_set_size (commands->costs, 0);
  commands->cost_ns = 0;
  result = vulkan->ResetCommandPool (vulkan->handle, commands->pool, 0);
  if (result == VK_SUCCESS)
    result = vulkan->BeginCommandBuffer (commands->handle, &info);
  if (result != VK_SUCCESS)
    return fail (device, result, "vkBeginCommandBuffer", error);
  if (commands->queries)
    vulkan->CmdResetQueryPool (
        commands->handle, commands->queries, 0, VIDGEN_MAX_SEGMENTS + 1);
  record_barrier (commands, device, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
      VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
      VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT);
  return TRUE;
}

gboolean
vidgen_commands_end (
    VidgenCommands *commands, VidgenDevice *device, GError **error)
{
  VkResult result;

  record_timestamp (commands, device, commands->segments->len);
  record_barrier (commands, device, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
      VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT);
  commands->typical_ns = MIN (commands->cost_ns, VIDGEN_SUBMIT_MS * 1e6);
  result = device->vulkan->EndCommandBuffer (commands->handle);
  if (result == VK_SUCCESS)
    return TRUE;
  return fail (device, result, "vkEndCommandBuffer", error);
}

static VidgenSegment *
last_segment (const VidgenCommands *commands)
{
  const guint n = commands->segments->len;

  return n ? &g_array_index (commands->segments, VidgenSegment, n - 1) : NULL;
}

gboolean
vidgen_commands_is_full (const VidgenCommands *commands)
{
  return commands->segments->len == VIDGEN_MAX_SEGMENTS;
}

void
vidgen_commands_add (VidgenCommands *commands, VidgenDevice *device,
    const char *stage, double operations, double cost_ns)
{
  VidgenSegment *last = last_segment (commands);

  if (!last || strcmp (last->stage, stage)) {
    const VidgenSegment segment = { .stage = stage };

    record_timestamp (commands, device, commands->segments->len);
    g_array_append_val (commands->segments, segment);
    last = last_segment (commands);
  }
  last->operations += operations;
  last->cost_ns += cost_ns;
  commands->cost_ns += cost_ns;
}

/* The device time of each segment and of all. */
static gboolean
read_stamps (const VidgenCommands *commands, VidgenDevice *device,
    double *segment_ns, double *total_ns)
{
  const guint n = commands->segments->len;
  const double period_ns = device->caps.timestamp_period_ns;
  const guint64 mask = device->vulkan->timestamp_mask;
  guint64 stamps[VIDGEN_MAX_SEGMENTS + 1];

  if (!commands->queries ||
      device->vulkan->GetQueryPoolResults (device->vulkan->handle,
          commands->queries, 0, n + 1, sizeof stamps, stamps, sizeof *stamps,
          VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT) != VK_SUCCESS)
    return FALSE;
  for (guint i = 0; i < n; i++)
    segment_ns[i] = period_ns * (double)((stamps[i + 1] - stamps[i]) & mask);
  *total_ns = period_ns * (double)((stamps[n] - stamps[0]) & mask);
  return TRUE;
}

static void
share_time (const VidgenCommands *commands, double total_ns, double *segment_ns)
{
  for (guint i = 0; i < commands->segments->len; i++)
    segment_ns[i] =
        total_ns *
        g_array_index (commands->segments, VidgenSegment, i).cost_ns /
        MAX (commands->cost_ns, 1);
}

static void
add_times (const VidgenCommands *commands, VidgenRecorder *recorder,
    const double *segment_ns)
{
  for (guint i = 0; i < commands->segments->len; i++) {
    const VidgenSegment *segment =
        &g_array_index (commands->segments, VidgenSegment, i);

    vidgen_recorder_add_time (
        recorder, segment->stage, (guint64)segment_ns[i], segment->operations);
  }
}

/* They took `ratio` times what was expected. Each pipeline is blamed by its
 * share of that, against the expectation that they were recorded with: others
 * may have taught it better since. */
static void
learn (const VidgenCommands *commands, VidgenDevice *device, double total_ns)
{
  const double ratio = CLAMP (total_ns / MAX (commands->cost_ns, 1),
      1 / MAX_LEARN_FACTOR, MAX_LEARN_FACTOR);

  for (guint i = 0; i < commands->costs->len; i++) {
    const VidgenCost *cost = &g_array_index (commands->costs, VidgenCost, i);

    vidgen_pipeline_learn (device->vulkan->pipelines, cost->pipeline,
        cost->ns_per_operation * ratio, cost->cost_ns / commands->cost_ns);
  }
}

void
vidgen_commands_collect (VidgenCommands *commands, VidgenRecorder *recorder,
    guint64 host_ns, gboolean exact)
{
  double segment_ns[VIDGEN_MAX_SEGMENTS];
  double total_ns = (double)host_ns;

  if (!read_stamps (commands, recorder->device, segment_ns, &total_ns)) {
    if (!exact && total_ns >= commands->typical_ns)
      return;
    share_time (commands, total_ns, segment_ns);
  } else {
    exact = TRUE;
  }
  if (exact)
    add_times (commands, recorder, segment_ns);
  commands->typical_ns +=
      NEWEST * (MIN (total_ns, MAX_LEARN_FACTOR * commands->typical_ns) -
                   commands->typical_ns);
  learn (commands, recorder->device, total_ns);
}
