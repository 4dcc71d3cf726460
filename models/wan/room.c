/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/room.h"

#include "models/wan/stream.h"

static GMutex lock;
static GPtrArray *models; /* not owned */

void
vidgen_wan_room_join (VidgenWanModel *model)
{
  g_mutex_init (&model->text_lock);
  g_mutex_lock (&lock);
  if (!models)
    models = g_ptr_array_new ();
  g_ptr_array_add (models, model);
  g_mutex_unlock (&lock);
}

void
vidgen_wan_room_leave (VidgenWanModel *model)
{
  g_mutex_lock (&lock);
  g_ptr_array_remove_fast (models, model);
  if (models->len == 0)
    g_clear_pointer (&models, g_ptr_array_unref);
  g_mutex_unlock (&lock);
  g_mutex_clear (&model->text_lock);
}

void
vidgen_wan_room_take (VidgenWanModel *model, guint64 bytes)
{
  g_mutex_lock (&lock);
  model->streams_bytes += bytes;
  g_mutex_unlock (&lock);
}

void
vidgen_wan_room_give (VidgenWanModel *model, guint64 bytes)
{
  g_mutex_lock (&lock);
  model->streams_bytes -= bytes;
  g_mutex_unlock (&lock);
}

/* One stream, the weights and what the text encoder needs to run. */
static guint64
missing_bytes (VidgenWanModel *model)
{
  const guint64 stream =
      vidgen_wan_stream_bytes (model, &model->base.info.native);
  guint64 streams;

  g_mutex_lock (&lock);
  streams = model->streams_bytes;
  g_mutex_unlock (&lock);
  return (model->loaded ? 0 : model->weights_bytes) +
         vidgen_umt5_bytes (model->parts->text) + stream -
         MIN (stream, streams);
}

guint64
vidgen_wan_room_bytes (VidgenWanModel *model)
{
  VidgenDevice *device = model->base.device;
  const VidgenDeviceCaps *caps = vidgen_device_caps (device);
  const guint64 taken = vidgen_device_memory_used (device) +
                        missing_bytes (model) -
                        vidgen_umt5_kept_bytes (model->parts->text, device);

  if (model->crowded || caps->type != VIDGEN_DEVICE_DISCRETE ||
      caps->memory_bytes < taken)
    return 0;
  return (caps->memory_bytes - taken) / 2;
}

/* Under its text_lock. */
static gboolean
crowd (VidgenWanModel *model, VidgenDevice *device)
{
  VidgenUmt5 *text = model->parts->text;

  if (vidgen_umt5_kept_bytes (text, device) == 0)
    return FALSE;
  model->crowded = TRUE;
  vidgen_umt5_set_room (text, 0);
  return TRUE;
}

gboolean
vidgen_wan_room_make (VidgenWanModel *model)
{
  gboolean any = FALSE;

  g_mutex_lock (&lock);
  for (guint i = 0; i < models->len; i++) {
    VidgenWanModel *other = g_ptr_array_index (models, i);

    if (!other->parts->text || !g_mutex_trylock (&other->text_lock))
      continue;
    any |= crowd (other, model->base.device);
    g_mutex_unlock (&other->text_lock);
  }
  g_mutex_unlock (&lock);
  return any;
}
