/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "shaders/runtime/memory-private.h"
#include "shaders/runtime/pipelines.h"
#include "shaders/runtime/recorder-private.h"
#include "shaders/runtime/vulkan.h"

#define N_SLOTS 2
#define BUDGET_NS (VIDGEN_SUBMIT_MS * 1e6)
#define WAIT_NS 20000000
#define MAX_SEGMENTS 63
/* What a launch costs by itself; keeps a submit of small launches bounded. */
#define LAUNCH_NS 5000
#define MAX_LEARN_FACTOR 8.0

/* Launches in a row that belong to one stage; starts at a timestamp. */
typedef struct {
  guint stage;
  double operations;
  double cost_ns;
} Segment;

typedef struct {
  VidgenPipeline *pipeline;
  double ns_per_operation; /* as expected when it was recorded */
  double cost_ns;
} Cost;

/* One command buffer and what it was expected to cost. */
typedef struct {
  VkCommandPool pool;
  VkCommandBuffer commands;
  VkQueryPool queries;
  gboolean recording;
  guint64 value; /* of the timeline when it is done; 0: not in flight */
  guint64 submitted_ns;
  double cost_ns;
  GArray *segments; /* Segment */
  GArray *costs;    /* Cost */
} Slot;

typedef struct {
  VidgenRecorder base;
  VidgenVulkan *vulkan;
  VkSemaphore timeline;
  Slot slots[N_SLOTS];
  guint slot; /* the one that is recorded into next */
  guint64 done_ns;
  guint64 n_signals;    /* the timeline's value after all submits */
  GPtrArray *readbacks; /* VidgenMemory to invalidate, not owned */
  GHashTable *wanted;   /* VidgenPipelineKey of PREPARE mode */
} VulkanRecorder;

static guint64
host_ns (void)
{
  return (guint64)g_get_monotonic_time () * 1000;
}

static gboolean
fail (VulkanRecorder *self, VkResult result, const char *what, GError **error)
{
  vidgen_vulkan_set_error (self->base.device, result, what, error);
  return FALSE;
}

static gboolean
slot_create (VulkanRecorder *self, Slot *slot, GError **error)
{
  VidgenVulkan *vulkan = self->vulkan;
  const VkCommandPoolCreateInfo pool = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
    .queueFamilyIndex = vulkan->family,
  };
  const VkQueryPoolCreateInfo queries = {
    .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
    .queryType = VK_QUERY_TYPE_TIMESTAMP,
    .queryCount = MAX_SEGMENTS + 1,
  };
  VkCommandBufferAllocateInfo buffer = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
    .commandBufferCount = 1,
  };
  VkResult result;

  if (!slot->segments) {
    slot->segments = g_array_new (FALSE, FALSE, sizeof (Segment));
    slot->costs = g_array_new (FALSE, FALSE, sizeof (Cost));
  }
  if (slot->commands)
    return TRUE;
  if (!slot->queries && self->base.device->caps.timestamp_period_ns > 0) {
    result = vulkan->CreateQueryPool (
        vulkan->handle, &queries, NULL, &slot->queries);
    if (result != VK_SUCCESS) {
      slot->queries = VK_NULL_HANDLE;
      return fail (self, result, "vkCreateQueryPool", error);
    }
  }
  if (!slot->pool) {
    result =
        vulkan->CreateCommandPool (vulkan->handle, &pool, NULL, &slot->pool);
    if (result != VK_SUCCESS) {
      slot->pool = VK_NULL_HANDLE;
      return fail (self, result, "vkCreateCommandPool", error);
    }
  }
  buffer.commandPool = slot->pool;
  result =
      vulkan->AllocateCommandBuffers (vulkan->handle, &buffer, &slot->commands);
  if (result != VK_SUCCESS)
    return fail (self, result, "vkAllocateCommandBuffers", error);
  return TRUE;
}

static void
slot_clear (VulkanRecorder *self, Slot *slot)
{
  VidgenVulkan *vulkan = self->vulkan;

  vulkan->DestroyCommandPool (vulkan->handle, slot->pool, NULL);
  vulkan->DestroyQueryPool (vulkan->handle, slot->queries, NULL);
  g_clear_pointer (&slot->segments, g_array_unref);
  g_clear_pointer (&slot->costs, g_array_unref);
}

static void
record_barrier (VulkanRecorder *self, const Slot *slot,
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

  self->vulkan->CmdPipelineBarrier2 (slot->commands, &info);
}

static void
record_launch_barrier (VulkanRecorder *self, const Slot *slot)
{
  const VkPipelineStageFlags2 stages = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT |
                                       VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT;

  record_barrier (self, slot, stages, stages,
      VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT);
}

static void
record_timestamp (VulkanRecorder *self, const Slot *slot, guint query)
{
  if (slot->queries)
    self->vulkan->CmdWriteTimestamp2 (slot->commands,
        VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, slot->queries, query);
}

/* The device time of each segment, or its share of the host's. */
static double
slot_times (VulkanRecorder *self, const Slot *slot, double *segment_ns)
{
  const guint n = slot->segments->len;
  const double period_ns = self->base.device->caps.timestamp_period_ns;
  guint64 stamps[MAX_SEGMENTS + 1];
  double total_ns;

  if (slot->queries &&
      self->vulkan->GetQueryPoolResults (self->vulkan->handle, slot->queries, 0,
          n + 1, sizeof stamps, stamps, sizeof *stamps,
          VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT) == VK_SUCCESS) {
    const guint64 mask = self->vulkan->timestamp_mask;

    for (guint i = 0; i < n; i++)
      segment_ns[i] = period_ns * (double)((stamps[i + 1] - stamps[i]) & mask);
    return period_ns * (double)((stamps[n] - stamps[0]) & mask);
  }
  total_ns = (double)(host_ns () - MAX (slot->submitted_ns, self->done_ns));
  for (guint i = 0; i < n; i++)
    segment_ns[i] = total_ns *
                    g_array_index (slot->segments, Segment, i).cost_ns /
                    MAX (slot->cost_ns, 1);
  return total_ns;
}

/* The submit took `ratio` times what was expected. Each pipeline is blamed by
 * its share of that, against the expectation that the submit was made with:
 * others may have taught it better since. */
static void
slot_learn (VulkanRecorder *self, const Slot *slot, double total_ns)
{
  const double ratio = CLAMP (total_ns / MAX (slot->cost_ns, 1),
      1 / MAX_LEARN_FACTOR, MAX_LEARN_FACTOR);

  for (guint i = 0; i < slot->costs->len; i++) {
    const Cost *cost = &g_array_index (slot->costs, Cost, i);

    vidgen_pipeline_learn (self->vulkan->pipelines, cost->pipeline,
        cost->ns_per_operation * ratio, cost->cost_ns / slot->cost_ns);
  }
}

static void
slot_collect (VulkanRecorder *self, Slot *slot)
{
  double segment_ns[MAX_SEGMENTS];
  const double total_ns = slot_times (self, slot, segment_ns);

  for (guint i = 0; i < slot->segments->len; i++) {
    const Segment *segment = &g_array_index (slot->segments, Segment, i);

    vidgen_recorder_add_time (&self->base, segment->stage,
        (guint64)segment_ns[i], segment->operations);
  }
  slot_learn (self, slot, total_ns);
  self->done_ns = host_ns ();
}

/* After an error but CANCELLED the slot counts as done. */
static gboolean
slot_wait (
    VulkanRecorder *self, Slot *slot, GCancellable *cancellable, GError **error)
{
  const VkSemaphoreWaitInfo info = {
    .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
    .semaphoreCount = 1,
    .pSemaphores = &self->timeline,
    .pValues = &slot->value,
  };
  VkResult result;

  if (!slot->value)
    return TRUE;
  do {
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    result =
        self->vulkan->WaitSemaphores (self->vulkan->handle, &info, WAIT_NS);
  } while (result == VK_TIMEOUT);
  if (result == VK_SUCCESS)
    slot_collect (self, slot);
  slot->value = 0;
  if (result != VK_SUCCESS)
    return fail (self, result, "vkWaitSemaphores", error);
  return TRUE;
}

/* The slot to record into, ready for a launch of the current stage. */
static Slot *
slot_begin (VulkanRecorder *self, GError **error)
{
  VidgenVulkan *vulkan = self->vulkan;
  Slot *slot = &self->slots[self->slot];
  const VkCommandBufferBeginInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
    .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
  };
  VkResult result;

  if (slot->recording)
    return slot;
  if (!slot_create (self, slot, error) ||
      !slot_wait (self, slot, self->base.cancellable, error))
    return NULL;
  g_array_set_size (slot->segments, 0);
  g_array_set_size (slot->costs, 0);
  slot->cost_ns = 0;
  result = vulkan->ResetCommandPool (vulkan->handle, slot->pool, 0);
  if (result == VK_SUCCESS)
    result = vulkan->BeginCommandBuffer (slot->commands, &info);
  if (result != VK_SUCCESS) {
    fail (self, result, "vkBeginCommandBuffer", error);
    return NULL;
  }
  slot->recording = TRUE;
  if (slot->queries)
    vulkan->CmdResetQueryPool (
        slot->commands, slot->queries, 0, MAX_SEGMENTS + 1);
  record_barrier (self, slot, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
      VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
      VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT);
  return slot;
}

static VkResult
queue_submit (VulkanRecorder *self, Slot *slot)
{
  VidgenVulkan *vulkan = self->vulkan;
  const guint64 value = self->n_signals + 1;
  const VkCommandBufferSubmitInfo commands = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
    .commandBuffer = slot->commands,
  };
  const VkSemaphoreSubmitInfo signal = {
    .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
    .semaphore = self->timeline,
    .value = value,
    .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
  };
  const VkSubmitInfo2 info = {
    .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
    .commandBufferInfoCount = 1,
    .pCommandBufferInfos = &commands,
    .signalSemaphoreInfoCount = 1,
    .pSignalSemaphoreInfos = &signal,
  };
  VkResult result;

  g_mutex_lock (&vulkan->queue_lock);
  result = vulkan->QueueSubmit2 (vulkan->queue, 1, &info, VK_NULL_HANDLE);
  g_mutex_unlock (&vulkan->queue_lock);
  if (result == VK_SUCCESS) {
    slot->value = self->n_signals = value;
    self->base.n_submits++;
  }
  return result;
}

static gboolean
vulkan_submit (
    VidgenRecorder *recorder, GCancellable *cancellable, GError **error)
{
  VulkanRecorder *self = (VulkanRecorder *)recorder;
  Slot *slot = &self->slots[self->slot];
  VkResult result;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (!slot->recording)
    return TRUE;
  if (!vidgen_device_check_submit (recorder->device, error))
    return FALSE;
  record_timestamp (self, slot, slot->segments->len);
  record_barrier (self, slot, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
      VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT);
  slot->recording = FALSE;
  result = self->vulkan->EndCommandBuffer (slot->commands);
  if (result != VK_SUCCESS)
    return fail (self, result, "vkEndCommandBuffer", error);
  slot->submitted_ns = host_ns ();
  result = queue_submit (self, slot);
  if (result != VK_SUCCESS)
    return fail (self, result, "vkQueueSubmit2", error);
  self->slot = (self->slot + 1) % N_SLOTS;
  return TRUE;
}

/* A slot with room for a launch that should take `cost_ns`. */
static Slot *
slot_for_launch (
    VulkanRecorder *self, double operations, double cost_ns, GError **error)
{
  Slot *slot = &self->slots[self->slot];
  const guint stage = self->base.stage;
  Segment *last;

  if (slot->recording &&
      (slot->cost_ns + cost_ns > BUDGET_NS ||
          slot->segments->len == MAX_SEGMENTS) &&
      !vulkan_submit (&self->base, self->base.cancellable, error))
    return NULL;
  slot = slot_begin (self, error);
  if (!slot)
    return NULL;
  last = slot->segments->len
             ? &g_array_index (slot->segments, Segment, slot->segments->len - 1)
             : NULL;
  if (!last || last->stage != stage) {
    const Segment segment = { .stage = stage };

    record_timestamp (self, slot, slot->segments->len);
    g_array_append_val (slot->segments, segment);
    last = &g_array_index (slot->segments, Segment, slot->segments->len - 1);
  }
  last->operations += operations;
  last->cost_ns += cost_ns;
  slot->cost_ns += cost_ns;
  return slot;
}

typedef struct {
  const VidgenDispatch *dispatch;
  VidgenPipeline *pipeline;
  double ns_per_operation;
  double ns_per_group;
  double operations_per_group;
  gboolean barrier; /* before the first part */
} Launch;

static gboolean
record_part (VulkanRecorder *self, Launch *launch, const guint32 base[3],
    const guint32 count[3], GError **error)
{
  VidgenVulkan *vulkan = self->vulkan;
  const double n_groups = (double)count[0] * count[1] * count[2];
  const Cost cost = { launch->pipeline, launch->ns_per_operation,
    launch->ns_per_group * n_groups + LAUNCH_NS };
  Slot *slot = slot_for_launch (
      self, launch->operations_per_group * n_groups, cost.cost_ns, error);

  if (!slot)
    return FALSE;
  if (launch->barrier)
    record_launch_barrier (self, slot);
  launch->barrier = FALSE;
  g_array_append_val (slot->costs, cost);
  vulkan->CmdBindPipeline (
      slot->commands, VK_PIPELINE_BIND_POINT_COMPUTE, launch->pipeline->handle);
  if (launch->dispatch->push_bytes)
    vulkan->CmdPushConstants (slot->commands,
        vidgen_pipelines_layout (vulkan->pipelines),
        VK_SHADER_STAGE_COMPUTE_BIT, 0, (guint32)launch->dispatch->push_bytes,
        launch->dispatch->push);
  vulkan->CmdDispatchBase (
      slot->commands, base[0], base[1], base[2], count[0], count[1], count[2]);
  return TRUE;
}

/* Halves the longest side until a part fits a submit. */
static gboolean
record_parts (VulkanRecorder *self, Launch *launch, const guint32 base[3],
    const guint32 count[3], GError **error)
{
  const double n_groups = (double)count[0] * count[1] * count[2];
  guint32 second_base[3] = { base[0], base[1], base[2] };
  guint32 first[3] = { count[0], count[1], count[2] };
  guint32 second[3] = { count[0], count[1], count[2] };
  guint longest = 0;

  if (n_groups <= 1 || launch->ns_per_group * n_groups <= BUDGET_NS)
    return record_part (self, launch, base, count, error);
  for (guint i = 1; i < 3; i++)
    if (count[i] > count[longest])
      longest = i;
  first[longest] = count[longest] / 2;
  second[longest] = count[longest] - first[longest];
  second_base[longest] += first[longest];
  return record_parts (self, launch, base, first, error) &&
         record_parts (self, launch, second_base, second, error);
}

static void
note_write (VulkanRecorder *self, VidgenMemory *memory)
{
  if (memory->mapped && !memory->coherent &&
      !g_ptr_array_find (self->readbacks, memory, NULL))
    g_ptr_array_add (self->readbacks, memory);
}

/* Kernels that only move data count as one operation an invocation. */
static double
count_operations (const VidgenDispatch *dispatch)
{
  double invocations = 1;

  for (guint i = 0; i < 3; i++)
    invocations *=
        dispatch->groups[i] * (double)(i < dispatch->n_constants
                                           ? MAX (dispatch->constants[i], 1)
                                           : 1);
  return MAX (dispatch->operations, invocations);
}

static void
key_fill (VidgenPipelineKey *key, const VidgenDispatch *dispatch)
{
  memset (key, 0, sizeof *key);
  key->kernel = dispatch->kernel;
  key->subgroup_size = dispatch->subgroup_size;
  key->n_constants = dispatch->n_constants;
  memcpy (key->constants, dispatch->constants,
      dispatch->n_constants * sizeof *key->constants);
}

static gboolean
vulkan_dispatch (VidgenRecorder *recorder, const VidgenDispatch *dispatch,
    gboolean barrier, GError **error)
{
  static const guint32 origin[3] = { 0, 0, 0 };
  VulkanRecorder *self = (VulkanRecorder *)recorder;
  const double n_groups =
      (double)dispatch->groups[0] * dispatch->groups[1] * dispatch->groups[2];
  Launch launch = { .dispatch = dispatch, .barrier = barrier };
  VidgenPipelineKey key;

  key_fill (&key, dispatch);
  if (recorder->mode == VIDGEN_RECORDER_PREPARE) {
    if (!g_hash_table_contains (self->wanted, &key))
      g_hash_table_add (self->wanted, g_memdup2 (&key, sizeof key));
    return TRUE;
  }
  for (guint i = 0; i < dispatch->n_accesses; i++)
    if (dispatch->accesses[i].write && dispatch->accesses[i].span.memory)
      note_write (self, dispatch->accesses[i].span.memory);
  launch.pipeline = vidgen_pipelines_get (self->vulkan->pipelines, &key, error);
  if (!launch.pipeline)
    return FALSE;
  launch.operations_per_group = dispatch->operations / n_groups;
  launch.ns_per_operation = vidgen_pipeline_ns_per_operation (
      self->vulkan->pipelines, launch.pipeline);
  launch.ns_per_group =
      launch.ns_per_operation * count_operations (dispatch) / n_groups;
  return record_parts (self, &launch, origin, dispatch->groups, error);
}

static Slot *
begin_transfer (
    VulkanRecorder *self, guint64 size, gboolean barrier, GError **error)
{
  Slot *slot = slot_for_launch (self, 0, LAUNCH_NS + 0.1 * (double)size, error);

  if (slot && barrier)
    record_launch_barrier (self, slot);
  return slot;
}

static gboolean
vulkan_copy (VidgenRecorder *recorder, VidgenSpan dst, VidgenSpan src,
    gboolean barrier, GError **error)
{
  VulkanRecorder *self = (VulkanRecorder *)recorder;
  const VkBufferCopy region = { src.offset, dst.offset, dst.size };
  const Slot *slot = begin_transfer (self, dst.size, barrier, error);

  if (!slot)
    return FALSE;
  self->vulkan->CmdCopyBuffer (slot->commands,
      (VkBuffer)(guintptr)src.memory->buffer,
      (VkBuffer)(guintptr)dst.memory->buffer, 1, &region);
  note_write (self, dst.memory);
  return TRUE;
}

static gboolean
vulkan_clear (
    VidgenRecorder *recorder, VidgenSpan dst, gboolean barrier, GError **error)
{
  VulkanRecorder *self = (VulkanRecorder *)recorder;
  const Slot *slot = begin_transfer (self, dst.size, barrier, error);

  if (!slot)
    return FALSE;
  self->vulkan->CmdFillBuffer (slot->commands,
      (VkBuffer)(guintptr)dst.memory->buffer, dst.offset,
      (dst.size + 3) & ~(guint64)3, 0);
  note_write (self, dst.memory);
  return TRUE;
}

static void
invalidate_readbacks (VulkanRecorder *self)
{
  for (guint i = 0; i < self->readbacks->len; i++) {
    const VidgenMemory *memory = g_ptr_array_index (self->readbacks, i);
    const VkMappedMemoryRange range = {
      .sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
      .memory = (VkDeviceMemory)(guintptr)memory->block,
      .size = VK_WHOLE_SIZE,
    };

    self->vulkan->InvalidateMappedMemoryRanges (
        self->vulkan->handle, 1, &range);
  }
  g_ptr_array_set_size (self->readbacks, 0);
}

static gboolean
vulkan_finish (
    VidgenRecorder *recorder, GCancellable *cancellable, GError **error)
{
  VulkanRecorder *self = (VulkanRecorder *)recorder;
  g_autoptr (GError) first = NULL;

  for (guint i = 0; i < N_SLOTS; i++) {
    Slot *slot = &self->slots[(self->slot + i) % N_SLOTS];

    slot_wait (self, slot, NULL, first ? NULL : &first);
    slot->recording = FALSE;
  }
  invalidate_readbacks (self);
  if (first) {
    g_propagate_error (error, g_steal_pointer (&first));
    return FALSE;
  }
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gboolean
vulkan_compile (VidgenRecorder *recorder, VidgenProgressFunc progress,
    gpointer user_data, GCancellable *cancellable, GError **error)
{
  VulkanRecorder *self = (VulkanRecorder *)recorder;
  const gboolean ok = vidgen_pipelines_compile (self->vulkan->pipelines,
      self->wanted, progress, user_data, cancellable, error);

  g_hash_table_remove_all (self->wanted);
  return ok;
}

static void
vulkan_free (VidgenRecorder *recorder)
{
  VulkanRecorder *self = (VulkanRecorder *)recorder;

  for (guint i = 0; i < N_SLOTS; i++)
    slot_clear (self, &self->slots[i]);
  self->vulkan->DestroySemaphore (self->vulkan->handle, self->timeline, NULL);
  g_ptr_array_unref (self->readbacks);
  g_hash_table_unref (self->wanted);
  g_free (self);
}

static const VidgenRecorderClass vulkan_class = {
  .dispatch = vulkan_dispatch,
  .copy = vulkan_copy,
  .clear = vulkan_clear,
  .submit = vulkan_submit,
  .finish = vulkan_finish,
  .compile = vulkan_compile,
  .free = vulkan_free,
};

VidgenRecorder *
vidgen_vulkan_recorder_new (
    VidgenDevice *device, VidgenRecorderMode mode, GError **error)
{
  const VkSemaphoreTypeCreateInfo type = {
    .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
    .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
  };
  const VkSemaphoreCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
    .pNext = &type,
  };
  VulkanRecorder *self = g_new0 (VulkanRecorder, 1);
  VkResult result;

  vidgen_recorder_init (&self->base, &vulkan_class, device, mode);
  self->vulkan = device->vulkan;
  self->readbacks = g_ptr_array_new ();
  self->wanted = g_hash_table_new_full (
      vidgen_pipeline_key_hash, vidgen_pipeline_key_equal, g_free, NULL);
  result = self->vulkan->CreateSemaphore (
      self->vulkan->handle, &info, NULL, &self->timeline);
  if (result == VK_SUCCESS)
    return &self->base;
  self->timeline = VK_NULL_HANDLE;
  fail (self, result, "vkCreateSemaphore", error);
  vidgen_recorder_free (&self->base);
  return NULL;
}
