/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/device.h"

G_BEGIN_DECLS

/* Failures on purpose, for tests, on the host device and on Vulkan devices
 * alike. A test that cannot reach the device (because a plugin has opened it)
 * sets the environment variable VIDGEN_FAULT to "device-lost:N" or
 * "no-memory:N"; it is read when a device opens. Thread-safe.
 */
typedef enum {
  VIDGEN_FAULT_NONE,
  VIDGEN_FAULT_DEVICE_LOST, /* counts submits; on the host device launches */
  VIDGEN_FAULT_NO_MEMORY,   /* counts vidgen_memory_new() */
  VIDGEN_FAULT_FULL         /* counts bytes of VidgenMemory in use */
} VidgenFault;

/* Lets `after` such events pass and fails every one that follows, until
 * another fault or NONE is set. A device lost so stays lost. A FULL one refuses
 * what goes beyond `after` bytes, and has memory again when some was freed. */
void vidgen_device_inject (
    VidgenDevice *device, VidgenFault fault, guint after);

/* The host device only: around each reference, every byte of the memories that
 * the launch declares and that lies outside the declared writes must stay as
 * it was, or the recorder fails with INVALID, naming kernel and offset. The
 * environment variable VIDGEN_HOST_WATCH=1 turns it on for all host devices.
 * Under AddressSanitizer, reads outside the declared ranges are reported too,
 * whether watched or not. Both leave UPLOAD and READBACK memory alone, which
 * other threads may be using. */
void vidgen_device_watch (VidgenDevice *device, gboolean watch);

G_END_DECLS
