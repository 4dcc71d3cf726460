/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "shaders/runtime/memory-private.h"
#include "shaders/runtime/vulkan-commands.h"

#define MAX_FLYING 2
#define BUDGET_NS (VIDGEN_SUBMIT_MS * 1e6)
#define WAIT_NS 20000000
/* What a launch costs by itself; keeps a submit of small launches bounded. */
#define LAUNCH_NS 5000
/* How far submits of a tape may be from BUDGET_NS. */
#define STALE_FACTOR 4

typedef struct {
  VidgenRecorder base;
  VidgenVulkan *vulkan;
  VkSemaphore timeline;
  VidgenCommands own[MAX_FLYING]; /* for what is recorded to run once */
  guint next_own;
  VidgenCommands *open; /* what is recorded into, of its own or of a tape's */
  VidgenCommands *flying[MAX_FLYING]; /* oldest first */
  guint n_flying;
  guint64 n_signals;    /* the timeline's value after all submits */
  GPtrArray *readbacks; /* VidgenMemory to invalidate, not owned */
  GPtrArray *played;    /* VulkanTape whose readbacks are to be as well */
  GHashTable *wanted;   /* VidgenPipelineKey of PREPARE mode */
} VulkanRecorder;

typedef struct {
  VidgenTape base;
  GPtrArray *parts;     /* VidgenCommands */
  GPtrArray *readbacks; /* as of the recorder */
} VulkanTape;

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

static VkResult
wait_for (VulkanRecorder *self, guint64 value, guint64 timeout_ns)
{
  const VkSemaphoreWaitInfo info = {
    .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
    .semaphoreCount = 1,
    .pSemaphores = &self->timeline,
    .pValues = &value,
  };

  return self->vulkan->WaitSemaphores (self->vulkan->handle, &info, timeout_ns);
}

/* The oldest submit has come to an end, good or bad: `now`, or some time ago.
 */
static void
land (VulkanRecorder *self, VkResult result, gboolean now)
{
  VidgenCommands *commands = self->flying[0];
  const guint64 now_ns = host_ns ();

  commands->value = 0;
  if (result == VK_SUCCESS)
    vidgen_commands_collect (commands, &self->base,
        now_ns - commands->started_ns, now && commands->start_is_known);
  self->n_flying--;
  memmove (
      self->flying, self->flying + 1, self->n_flying * sizeof *self->flying);
  if (now && self->n_flying) {
    self->flying[0]->started_ns = now_ns;
    self->flying[0]->start_is_known = TRUE;
  }
}

/* After an error but CANCELLED the submit counts as done. */
static gboolean
wait_for_oldest (
    VulkanRecorder *self, GCancellable *cancellable, GError **error)
{
  VkResult result = wait_for (self, self->flying[0]->value, 0);
  const gboolean blocked = result == VK_TIMEOUT;

  while (result == VK_TIMEOUT) {
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    result = wait_for (self, self->flying[0]->value, WAIT_NS);
  }
  land (self, result, blocked);
  if (result != VK_SUCCESS)
    return fail (self, result, "vkWaitSemaphores", error);
  return TRUE;
}

static gboolean
wait_for_commands (VulkanRecorder *self, const VidgenCommands *commands,
    GCancellable *cancellable, GError **error)
{
  while (commands->value)
    if (!wait_for_oldest (self, cancellable, error))
      return FALSE;
  return TRUE;
}

/* Lets what is done land; what fails is left to whoever waits for it. */
static void
poll_flying (VulkanRecorder *self)
{
  while (self->n_flying &&
         wait_for (self, self->flying[0]->value, 0) == VK_SUCCESS)
    land (self, VK_SUCCESS, FALSE);
}

static VidgenCommands *
new_part (VulkanRecorder *self)
{
  VidgenCommands *commands = g_new0 (VidgenCommands, 1);

  g_ptr_array_add (((VulkanTape *)self->base.tape)->parts, commands);
  return commands;
}

/* What to record into, open. */
static VidgenCommands *
open_commands (VulkanRecorder *self, GError **error)
{
  VidgenDevice *device = self->base.device;
  VidgenCommands *commands = self->open;
  const gboolean once = !self->base.tape;

  if (commands)
    return commands;
  commands = once ? &self->own[self->next_own] : new_part (self);
  if (!vidgen_commands_create (commands, device, error) ||
      !wait_for_commands (self, commands, self->base.cancellable, error) ||
      !vidgen_commands_begin (commands, device,
          once ? VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT : 0, error))
    return NULL;
  if (once)
    self->next_own = (self->next_own + 1) % MAX_FLYING;
  self->open = commands;
  return commands;
}

static VkResult
queue_submit (VulkanRecorder *self, VidgenCommands *commands)
{
  VidgenVulkan *vulkan = self->vulkan;
  const guint64 value = self->n_signals + 1;
  const VkCommandBufferSubmitInfo buffer = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
    .commandBuffer = commands->handle,
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
    .pCommandBufferInfos = &buffer,
    .signalSemaphoreInfoCount = 1,
    .pSignalSemaphoreInfos = &signal,
  };
  VkResult result;

  g_mutex_lock (&vulkan->queue_lock);
  result = vulkan->QueueSubmit2 (vulkan->queue, 1, &info, VK_NULL_HANDLE);
  g_mutex_unlock (&vulkan->queue_lock);
  if (result == VK_SUCCESS) {
    commands->value = self->n_signals = value;
    self->flying[self->n_flying++] = commands;
    self->base.n_submits++;
  }
  return result;
}

static gboolean
send (VulkanRecorder *self, VidgenCommands *commands, GCancellable *cancellable,
    GError **error)
{
  VkResult result;

  if (self->n_flying == MAX_FLYING &&
      !wait_for_oldest (self, cancellable, error))
    return FALSE;
  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !vidgen_device_check_submit (self->base.device, error))
    return FALSE;
  commands->started_ns = host_ns ();
  commands->start_is_known = !self->n_flying;
  result = queue_submit (self, commands);
  if (result != VK_SUCCESS)
    return fail (self, result, "vkQueueSubmit2", error);
  return TRUE;
}

/* Ends what is open: of a tape it waits to be played. */
static gboolean
close_commands (VulkanRecorder *self, GCancellable *cancellable, GError **error)
{
  VidgenCommands *commands = self->open;

  if (!commands)
    return TRUE;
  self->open = NULL;
  return vidgen_commands_end (commands, self->base.device, error) &&
         (self->base.tape || send (self, commands, cancellable, error));
}

static gboolean
vulkan_submit (
    VidgenRecorder *recorder, GCancellable *cancellable, GError **error)
{
  return !g_cancellable_set_error_if_cancelled (cancellable, error) &&
         close_commands ((VulkanRecorder *)recorder, cancellable, error);
}

/* Open commands with room for a launch that should take `cost_ns`. */
static VidgenCommands *
commands_for_launch (
    VulkanRecorder *self, double operations, double cost_ns, GError **error)
{
  VidgenCommands *commands = self->open;

  if (commands &&
      (commands->cost_ns + cost_ns > BUDGET_NS ||
          vidgen_commands_is_full (commands)) &&
      !close_commands (self, self->base.cancellable, error))
    return NULL;
  commands = open_commands (self, error);
  if (commands)
    vidgen_commands_add (
        commands, self->base.device, self->base.stage, operations, cost_ns);
  return commands;
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
  const VidgenCost cost = { launch->pipeline, launch->ns_per_operation,
    launch->ns_per_group * n_groups + LAUNCH_NS };
  VidgenCommands *commands = commands_for_launch (
      self, launch->operations_per_group * n_groups, cost.cost_ns, error);

  if (!commands)
    return FALSE;
  if (launch->barrier)
    vidgen_commands_barrier (commands, self->base.device);
  launch->barrier = FALSE;
  g_array_append_val (commands->costs, cost);
  vulkan->CmdBindPipeline (commands->handle, VK_PIPELINE_BIND_POINT_COMPUTE,
      launch->pipeline->handle);
  if (launch->dispatch->push_bytes)
    vulkan->CmdPushConstants (commands->handle,
        vidgen_pipelines_layout (vulkan->pipelines),
        VK_SHADER_STAGE_COMPUTE_BIT, 0, (guint32)launch->dispatch->push_bytes,
        launch->dispatch->push);
  vulkan->CmdDispatchBase (commands->handle, base[0], base[1], base[2],
      count[0], count[1], count[2]);
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
add_readback (GPtrArray *readbacks, VidgenMemory *memory)
{
  if (!g_ptr_array_find (readbacks, memory, NULL))
    g_ptr_array_add (readbacks, memory);
}

static void
note_write (VulkanRecorder *self, VidgenMemory *memory)
{
  const VulkanTape *tape = (const VulkanTape *)self->base.tape;

  if (memory->mapped && !memory->coherent)
    add_readback (tape ? tape->readbacks : self->readbacks, memory);
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

static VidgenCommands *
begin_transfer (
    VulkanRecorder *self, guint64 size, gboolean barrier, GError **error)
{
  VidgenCommands *commands =
      commands_for_launch (self, 0, LAUNCH_NS + 0.1 * (double)size, error);

  if (commands && barrier)
    vidgen_commands_barrier (commands, self->base.device);
  return commands;
}

static gboolean
vulkan_copy (VidgenRecorder *recorder, VidgenSpan dst, VidgenSpan src,
    gboolean barrier, GError **error)
{
  VulkanRecorder *self = (VulkanRecorder *)recorder;
  const VkBufferCopy region = { src.offset, dst.offset, dst.size };
  const VidgenCommands *commands =
      begin_transfer (self, dst.size, barrier, error);

  if (!commands)
    return FALSE;
  self->vulkan->CmdCopyBuffer (commands->handle,
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
  const VidgenCommands *commands =
      begin_transfer (self, dst.size, barrier, error);

  if (!commands)
    return FALSE;
  self->vulkan->CmdFillBuffer (commands->handle,
      (VkBuffer)(guintptr)dst.memory->buffer, dst.offset,
      (dst.size + 3) & ~(guint64)3, 0);
  note_write (self, dst.memory);
  return TRUE;
}

static void
invalidate (VulkanRecorder *self, const GPtrArray *readbacks)
{
  for (guint i = 0; i < readbacks->len; i++) {
    const VidgenMemory *memory = g_ptr_array_index (readbacks, i);
    const VkMappedMemoryRange range = {
      .sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
      .memory = (VkDeviceMemory)(guintptr)memory->block,
      .size = VK_WHOLE_SIZE,
    };

    self->vulkan->InvalidateMappedMemoryRanges (
        self->vulkan->handle, 1, &range);
  }
}

/* Once the tape has run. */
static void
read_tape_back (VulkanRecorder *self, VulkanTape *tape)
{
  if (g_ptr_array_remove (self->played, tape))
    invalidate (self, tape->readbacks);
}

static gboolean
vulkan_finish (
    VidgenRecorder *recorder, GCancellable *cancellable, GError **error)
{
  VulkanRecorder *self = (VulkanRecorder *)recorder;
  g_autoptr (GError) first = NULL;

  while (self->n_flying)
    wait_for_oldest (self, NULL, first ? NULL : &first);
  self->open = NULL;
  invalidate (self, self->readbacks);
  g_ptr_array_set_size (self->readbacks, 0);
  while (self->played->len)
    read_tape_back (self, g_ptr_array_index (self->played, 0));
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

  for (guint i = 0; i < MAX_FLYING; i++)
    vidgen_commands_clear (&self->own[i], self->base.device);
  self->vulkan->DestroySemaphore (self->vulkan->handle, self->timeline, NULL);
  g_ptr_array_unref (self->readbacks);
  g_ptr_array_unref (self->played);
  g_hash_table_unref (self->wanted);
  g_free (self);
}

static VidgenTape *
vulkan_new_tape (VidgenRecorder *recorder G_GNUC_UNUSED)
{
  VulkanTape *tape = g_new0 (VulkanTape, 1);

  tape->parts = g_ptr_array_new_with_free_func (g_free);
  tape->readbacks = g_ptr_array_new ();
  return &tape->base;
}

static gboolean
vulkan_end_tape (VidgenRecorder *recorder, GError **error)
{
  return close_commands ((VulkanRecorder *)recorder, NULL, error);
}

static gboolean
wait_for_tape (VulkanRecorder *self, const VulkanTape *tape,
    GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < tape->parts->len; i++)
    if (!wait_for_commands (
            self, g_ptr_array_index (tape->parts, i), cancellable, error))
      return FALSE;
  return TRUE;
}

static void
vulkan_free_tape (VidgenTape *base)
{
  VulkanRecorder *self = (VulkanRecorder *)base->recorder;
  VulkanTape *tape = (VulkanTape *)base;

  while (!wait_for_tape (self, tape, NULL, NULL))
    ;
  read_tape_back (self, tape);
  if (g_ptr_array_find (tape->parts, self->open, NULL))
    self->open = NULL;
  for (guint i = 0; i < tape->parts->len; i++)
    vidgen_commands_clear (
        g_ptr_array_index (tape->parts, i), self->base.device);
  g_ptr_array_unref (tape->parts);
  g_ptr_array_unref (tape->readbacks);
  g_free (tape);
}

static gboolean
is_flying (const VulkanTape *tape)
{
  for (guint i = 0; i < tape->parts->len; i++) {
    const VidgenCommands *part = g_ptr_array_index (tape->parts, i);

    if (part->value)
      return TRUE;
  }
  return FALSE;
}

static gboolean
vulkan_play (VidgenTape *base, const void *words, gboolean ahead,
    GCancellable *cancellable, GError **error)
{
  VulkanRecorder *self = (VulkanRecorder *)base->recorder;
  VulkanTape *tape = (VulkanTape *)base;

  if (ahead)
    poll_flying (self);
  if (base->n_played == 0) {
    if (ahead && is_flying (tape))
      return TRUE;
    if (!wait_for_tape (self, tape, cancellable, error))
      return FALSE;
    vidgen_tape_write_words (base, words);
  }
  if (!g_ptr_array_find (self->played, tape, NULL))
    g_ptr_array_add (self->played, tape);
  while (base->n_played < tape->parts->len) {
    if (ahead && self->n_flying == MAX_FLYING)
      return TRUE;
    if (!send (self, g_ptr_array_index (tape->parts, base->n_played),
            cancellable, error))
      return FALSE;
    base->n_played++;
  }
  return TRUE;
}

static gboolean
vulkan_await (VidgenTape *base, GError **error)
{
  VulkanRecorder *self = (VulkanRecorder *)base->recorder;
  VulkanTape *tape = (VulkanTape *)base;

  if (!wait_for_tape (self, tape, NULL, error))
    return FALSE;
  read_tape_back (self, tape);
  return TRUE;
}

/* Much too long, or cut into many where few would do. */
static gboolean
vulkan_is_stale (const VidgenTape *base)
{
  const GPtrArray *parts = ((const VulkanTape *)base)->parts;
  double total_ns = 0;

  for (guint i = 0; i < parts->len; i++) {
    const VidgenCommands *part = g_ptr_array_index (parts, i);

    if (part->typical_ns > STALE_FACTOR * BUDGET_NS)
      return TRUE;
    total_ns += part->typical_ns;
  }
  return parts->len > STALE_FACTOR * (1 + total_ns / BUDGET_NS);
}

static const VidgenRecorderClass vulkan_class = {
  .dispatch = vulkan_dispatch,
  .copy = vulkan_copy,
  .clear = vulkan_clear,
  .submit = vulkan_submit,
  .finish = vulkan_finish,
  .compile = vulkan_compile,
  .free = vulkan_free,
  .new_tape = vulkan_new_tape,
  .end_tape = vulkan_end_tape,
  .free_tape = vulkan_free_tape,
  .play = vulkan_play,
  .await = vulkan_await,
  .is_stale = vulkan_is_stale,
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
  self->played = g_ptr_array_new ();
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
