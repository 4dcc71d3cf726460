/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/device-private.h"

#include <stdlib.h>
#include <string.h>

#include "shaders/runtime/backend.h"
#include "shaders/runtime/mask.h"
#include "shaders/runtime/select.h"

static GMutex open_lock;
static GSList *open_devices; /* not owned */

static void
device_read_environment (VidgenDevice *device)
{
  const char *fault = g_getenv ("VIDGEN_FAULT");

  if (fault && g_str_has_prefix (fault, "device-lost:"))
    vidgen_device_inject (device, VIDGEN_FAULT_DEVICE_LOST,
        (guint)atoi (fault + strlen ("device-lost:")));
  else if (fault && g_str_has_prefix (fault, "no-memory:"))
    vidgen_device_inject (device, VIDGEN_FAULT_NO_MEMORY,
        (guint)atoi (fault + strlen ("no-memory:")));
  device->watch = !g_strcmp0 (g_getenv ("VIDGEN_HOST_WATCH"), "1");
}

static VidgenDevice *
device_new (void)
{
  VidgenDevice *device = g_new0 (VidgenDevice, 1);

  device->n_refs = 1;
  g_mutex_init (&device->lock);
  g_mutex_init (&device->reference_lock);
  device_read_environment (device);
  return device;
}

static void
device_free (VidgenDevice *device)
{
  g_mutex_clear (&device->reference_lock);
  g_mutex_clear (&device->lock);
  g_free (device);
}

static VidgenDevice *
device_share_open (const char *uuid)
{
  for (GSList *l = open_devices; l; l = l->next) {
    VidgenDevice *device = l->data;

    if (!strcmp (device->caps.uuid, uuid) && !vidgen_device_is_lost (device)) {
      device->n_refs++;
      return device;
    }
  }
  return NULL;
}

static VidgenDevice *
device_open_host (void)
{
  VidgenDevice *device = device_share_open (VIDGEN_HOST_UUID);

  if (device)
    return device;
  device = device_new ();
  device->klass = &vidgen_host_class;
  vidgen_host_fill_caps (&device->caps);
  open_devices = g_slist_prepend (open_devices, device);
  return device;
}

static void
set_unknown_device (const char *name, const GArray *list, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);

  for (guint i = 0; i < list->len; i++)
    g_string_append_printf (known, "%s%u: %s", i ? ", " : "", i,
        g_array_index (list, VidgenDeviceCaps, i).name);
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_DEVICE,
      "There is no device \"%s\"; this machine has %s.", name, known->str);
}

static VidgenDevice *
device_open_listed (const VidgenDeviceCaps *caps, guint index, GError **error)
{
  VidgenDevice *device = device_share_open (caps->uuid);

  if (device)
    return device;
  device = device_new ();
  device->caps = *caps;
  if (!vidgen_mask_caps (&device->caps, g_getenv ("VIDGEN_MASK"), error) ||
      !vidgen_vulkan_open (device, index, error)) {
    device_free (device);
    return NULL;
  }
  open_devices = g_slist_prepend (open_devices, device);
  return device;
}

static VidgenDevice *
device_open_locked (const char *name, GError **error)
{
  g_autoptr (VidgenInstance) instance = NULL;
  g_autoptr (GArray) list = NULL;
  gint index;

  if (!g_strcmp0 (name, "host"))
    return device_open_host ();
  instance = vidgen_instance_open (error);
  if (instance)
    list = vidgen_vulkan_list (error);
  if (!list)
    return NULL;
  index = vidgen_select_device (
      (const VidgenDeviceCaps *)(void *)list->data, list->len, name);
  if (index < 0) {
    set_unknown_device (name, list, error);
    return NULL;
  }
  return device_open_listed (
      &g_array_index (list, VidgenDeviceCaps, index), (guint)index, error);
}

VidgenDevice *
vidgen_device_open (const char *name, GError **error)
{
  VidgenDevice *device;

  g_mutex_lock (&open_lock);
  device = device_open_locked (name, error);
  g_mutex_unlock (&open_lock);
  return device;
}

VidgenDevice *
vidgen_device_ref (VidgenDevice *device)
{
  g_mutex_lock (&open_lock);
  device->n_refs++;
  g_mutex_unlock (&open_lock);
  return device;
}

void
vidgen_device_unref (VidgenDevice *device)
{
  gboolean last;

  if (!device)
    return;
  g_mutex_lock (&open_lock);
  last = --device->n_refs == 0;
  if (last)
    open_devices = g_slist_remove (open_devices, device);
  g_mutex_unlock (&open_lock);
  if (last) {
    device->klass->close (device);
    device_free (device);
  }
}

const VidgenDeviceCaps *
vidgen_device_caps (VidgenDevice *device)
{
  return &device->caps;
}

GArray *
vidgen_device_list (GError **error)
{
  return vidgen_vulkan_list (error);
}

void
vidgen_device_set_cache_dir (VidgenDevice *device, const char *path)
{
  device->klass->set_cache_dir (device, path);
}

void
vidgen_device_save_cache (VidgenDevice *device)
{
  device->klass->save_cache (device);
}

guint64
vidgen_device_memory_used (VidgenDevice *device)
{
  guint64 used;

  g_mutex_lock (&device->lock);
  used = device->memory_used;
  g_mutex_unlock (&device->lock);
  return used;
}

guint64
vidgen_device_memory_peak (VidgenDevice *device)
{
  guint64 peak;

  g_mutex_lock (&device->lock);
  peak = device->memory_peak;
  g_mutex_unlock (&device->lock);
  return peak;
}

guint64
vidgen_device_n_allocations (VidgenDevice *device)
{
  guint64 n;

  g_mutex_lock (&device->lock);
  n = device->n_allocations;
  g_mutex_unlock (&device->lock);
  return n;
}

guint64
vidgen_device_n_pipelines (VidgenDevice *device)
{
  guint64 n;

  g_mutex_lock (&device->lock);
  n = device->n_pipelines;
  g_mutex_unlock (&device->lock);
  return n;
}

void
vidgen_device_count_pipeline (VidgenDevice *device)
{
  g_mutex_lock (&device->lock);
  device->n_pipelines++;
  g_mutex_unlock (&device->lock);
}

gboolean
vidgen_device_is_lost (VidgenDevice *device)
{
  gboolean lost;

  g_mutex_lock (&device->lock);
  lost = device->lost;
  g_mutex_unlock (&device->lock);
  return lost;
}

void
vidgen_device_inject (VidgenDevice *device, VidgenFault fault, guint after)
{
  g_mutex_lock (&device->lock);
  device->fault = fault;
  device->fault_after = after;
  g_mutex_unlock (&device->lock);
}

void
vidgen_device_watch (VidgenDevice *device, gboolean watch)
{
  g_mutex_lock (&device->lock);
  device->watch = watch;
  g_mutex_unlock (&device->lock);
}

/* Called with the lock held. */
static gboolean
device_fault_is_due (VidgenDevice *device, VidgenFault fault)
{
  if (device->fault != fault)
    return FALSE;
  if (!device->fault_after)
    return TRUE;
  device->fault_after--;
  return FALSE;
}

/* Called with the lock held. */
static gboolean
device_has_memory (VidgenDevice *device, guint64 size)
{
  if (device->fault == VIDGEN_FAULT_FULL)
    return device->memory_used + size <= device->fault_after;
  return !device_fault_is_due (device, VIDGEN_FAULT_NO_MEMORY);
}

gboolean
vidgen_device_take_memory (VidgenDevice *device, guint64 size, GError **error)
{
  gboolean ok;
  guint64 used;

  g_mutex_lock (&device->lock);
  ok = device_has_memory (device, size);
  used = device->memory_used;
  if (ok) {
    device->n_allocations++;
    device->memory_used += size;
    device->memory_peak = MAX (device->memory_peak, device->memory_used);
  }
  g_mutex_unlock (&device->lock);
  if (!ok)
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY,
        "Out of memory on %s: %" G_GUINT64_FORMAT
        " bytes are needed, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
        " are in use here.",
        device->caps.name, size, used, device->caps.memory_bytes);
  return ok;
}

void
vidgen_device_give_memory (VidgenDevice *device, guint64 size)
{
  g_mutex_lock (&device->lock);
  device->memory_used -= size;
  g_mutex_unlock (&device->lock);
}

gboolean
vidgen_device_check_submit (VidgenDevice *device, GError **error)
{
  gboolean lost;

  g_mutex_lock (&device->lock);
  if (device_fault_is_due (device, VIDGEN_FAULT_DEVICE_LOST))
    device->lost = TRUE;
  lost = device->lost;
  g_mutex_unlock (&device->lock);
  if (lost)
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_DEVICE_LOST,
        "The device %s is lost.", device->caps.name);
  return !lost;
}

void
vidgen_device_set_lost (VidgenDevice *device)
{
  g_mutex_lock (&device->lock);
  device->lost = TRUE;
  g_mutex_unlock (&device->lock);
}
