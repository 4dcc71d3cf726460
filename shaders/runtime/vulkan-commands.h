/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/pipelines.h"
#include "shaders/runtime/recorder-private.h"
#include "shaders/runtime/vulkan.h"

G_BEGIN_DECLS

/* A command buffer, what it was expected to cost when it was recorded, and what
 * it did. Not thread-safe; times and costs go to the recorder that it is of. */

#define VIDGEN_MAX_SEGMENTS 63

/* Launches in a row that belong to one stage; starts at a timestamp. */
typedef struct {
  const char *stage;
  double operations;
  double cost_ns;
} VidgenSegment;

typedef struct {
  VidgenPipeline *pipeline;
  double ns_per_operation; /* as expected when it was recorded */
  double cost_ns;
} VidgenCost;

typedef struct {
  VkCommandPool pool;
  VkCommandBuffer handle;
  VkQueryPool queries;
  guint64 value;      /* of the timeline when it is done; 0: not in flight */
  guint64 started_ns; /* of one in flight, by the host's clock, no earlier */
  gboolean start_is_known; /* it is no later either */
  double cost_ns;
  double typical_ns; /* what it takes, of late; at first a guess */
  GArray *segments;  /* VidgenSegment */
  GArray *costs;     /* VidgenCost */
} VidgenCommands;

/* Makes what is not there yet; zeroed at first. */
gboolean vidgen_commands_create (
    VidgenCommands *commands, VidgenDevice *device, GError **error);
void vidgen_commands_clear (VidgenCommands *commands, VidgenDevice *device);

/* From begin to end it can be recorded into; everything before it is waited
 * for. It must not be in flight. `usage` as of VkCommandBufferBeginInfo. */
gboolean vidgen_commands_begin (VidgenCommands *commands, VidgenDevice *device,
    VkCommandBufferUsageFlags usage, GError **error);
gboolean vidgen_commands_end (
    VidgenCommands *commands, VidgenDevice *device, GError **error);

/* Whether it has no room for a launch of a stage that is not the last one's. */
gboolean vidgen_commands_is_full (const VidgenCommands *commands);
void vidgen_commands_add (VidgenCommands *commands, VidgenDevice *device,
    const char *stage, double operations, double cost_ns);
/* A launch waits for all before it in the same buffer. */
void vidgen_commands_barrier (
    const VidgenCommands *commands, VidgenDevice *device);

/* After it has run: adds its times to the recorder's, and teaches the
 * pipelines. `host_ns` is for devices without timestamps: what it took by the
 * host's clock or, if that is not `exact`, at most. The latter adds no times
 * there, and teaches nothing unless that is short. */
void vidgen_commands_collect (VidgenCommands *commands,
    VidgenRecorder *recorder, guint64 host_ns, gboolean exact);

G_END_DECLS
