/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/models/cancelling.h"

#include "models/family.h"
#include "shaders/runtime/device-private.h"
#ifdef VIDGEN_SHADERS
#include "shaders/runtime/vulkan.h"
#endif

typedef struct {
  GCancellable *cancellable;
  gulong after_us;
} Canceller;

static gpointer
cancel_later (gpointer data)
{
  const Canceller *canceller = data;

  g_usleep (canceller->after_us);
  g_cancellable_cancel (canceller->cancellable);
  return NULL;
}

#ifdef VIDGEN_SHADERS
static struct {
  PFN_vkQueueSubmit2 submit;
  GCancellable *cancellable;
  guint n_left; /* submits, the last of which cancels */
} submitting;

static VKAPI_ATTR VkResult VKAPI_CALL
submit_and_cancel (
    VkQueue queue, guint32 n, const VkSubmitInfo2 *infos, VkFence fence)
{
  const VkResult result = submitting.submit (queue, n, infos, fence);

  if (submitting.n_left && !--submitting.n_left)
    g_cancellable_cancel (submitting.cancellable);
  return result;
}

/* FALSE: the device has no submits. */
static gboolean
cancel_at_submit (VidgenDevice *device, GCancellable *cancellable, guint n)
{
  if (!device->vulkan)
    return FALSE;
  submitting.cancellable = cancellable;
  submitting.n_left = n;
  submitting.submit = device->vulkan->QueueSubmit2;
  device->vulkan->QueueSubmit2 = submit_and_cancel;
  return TRUE;
}

static void
cancel_no_more (VidgenDevice *device)
{
  device->vulkan->QueueSubmit2 = submitting.submit;
}
#else
static gboolean
cancel_at_submit (VidgenDevice *device G_GNUC_UNUSED,
    GCancellable *cancellable G_GNUC_UNUSED, guint n G_GNUC_UNUSED)
{
  return FALSE;
}

static void
cancel_no_more (VidgenDevice *device G_GNUC_UNUSED)
{
}
#endif

VidgenChunk *
cancelling_next (VidgenStream *stream, const VidgenChunkRequest *request,
    guint try, guint64 chunk_us)
{
  VidgenDevice *device = stream->model->device;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Canceller canceller = { cancellable, chunk_us * (try % 20) / 15 };
  g_autoptr (GError) error = NULL;
  GThread *thread = NULL;
  VidgenChunk *chunk;

  if (!cancel_at_submit (device, cancellable, 1 + try / 2 % 3))
    thread = g_thread_new ("cancel", cancel_later, &canceller);
  chunk = vidgen_stream_next (stream, request, cancellable, &error);
  if (thread)
    g_thread_join (thread);
  else
    cancel_no_more (device);
  if (!chunk)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return chunk;
}
