/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/loaded.h"

/* Of the work, the transformer's share as progress tells it. */
#define TRANSFORMER_SHARE 0.95

/* What is loaded, without references: the last unref takes it out. */
static GMutex shared_lock;
static GPtrArray *shared;

typedef struct {
  VidgenUploadProgress report;
  gpointer user_data;
  double first, share;
} Progress;

static void
on_progress (double fraction, gpointer user_data)
{
  const Progress *progress = user_data;

  if (progress->report)
    progress->report (
        progress->first + fraction * progress->share, progress->user_data);
}

static void
free_loaded (VidgenWanLoaded *loaded)
{
  vidgen_wan_weights_clear (&loaded->weights);
  vidgen_decoder_free (loaded->decoder);
  g_ptr_array_unref (loaded->memories);
  vidgen_device_unref (loaded->device);
  g_free (loaded->key);
  g_free (loaded);
}

static gboolean
load_transformer (VidgenWanLoaded *loaded, const VidgenWanParts *parts,
    const VidgenWanConfig *config, Progress progress, GCancellable *cancellable,
    GError **error)
{
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();

  progress.share = TRANSFORMER_SHARE;
  return vidgen_wan_weights_list (&loaded->weights, config, parts->names,
             parts->loras, upload, error) &&
         vidgen_upload_run (upload, loaded->device, loaded->memories,
             on_progress, &progress, cancellable, error);
}

static gboolean
load_decoder (VidgenWanLoaded *loaded, const VidgenWanParts *parts,
    Progress progress, GCancellable *cancellable, GError **error)
{
  g_autoptr (VidgenCheckpoint) checkpoint =
      vidgen_checkpoint_open (parts->decoder_path, error);

  progress.first = TRANSFORMER_SHARE;
  progress.share = 1 - TRANSFORMER_SHARE;
  if (checkpoint)
    loaded->decoder = vidgen_decoder_open (checkpoint, error);
  return loaded->decoder &&
         vidgen_decoder_load (loaded->decoder, loaded->device, on_progress,
             &progress, cancellable, error);
}

static VidgenWanLoaded *
load (const char *key, const VidgenWanParts *parts,
    const VidgenWanConfig *config, VidgenDevice *device,
    const Progress *progress, GCancellable *cancellable, GError **error)
{
  VidgenWanLoaded *loaded = g_new0 (VidgenWanLoaded, 1);

  g_atomic_ref_count_init (&loaded->references);
  loaded->key = g_strdup (key);
  loaded->device = vidgen_device_ref (device);
  loaded->memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  if (load_transformer (loaded, parts, config, *progress, cancellable, error) &&
      load_decoder (loaded, parts, *progress, cancellable, error))
    return loaded;
  free_loaded (loaded);
  return NULL;
}

static VidgenWanLoaded *
find (const char *key, VidgenDevice *device)
{
  for (guint i = 0; shared && i < shared->len; i++) {
    VidgenWanLoaded *loaded = g_ptr_array_index (shared, i);

    if (loaded->device == device && g_str_equal (loaded->key, key))
      return loaded;
  }
  return NULL;
}

VidgenWanLoaded *
vidgen_wan_loaded_get (const char *key, const VidgenWanParts *parts,
    const VidgenWanConfig *config, VidgenDevice *device,
    VidgenUploadProgress progress, gpointer user_data,
    GCancellable *cancellable, GError **error)
{
  const Progress report = { .report = progress, .user_data = user_data };
  VidgenWanLoaded *loaded;

  g_mutex_lock (&shared_lock);
  loaded = find (key, device);
  if (loaded) {
    g_atomic_ref_count_inc (&loaded->references);
  } else {
    loaded = load (key, parts, config, device, &report, cancellable, error);
    if (loaded) {
      if (!shared)
        shared = g_ptr_array_new ();
      g_ptr_array_add (shared, loaded);
    }
  }
  g_mutex_unlock (&shared_lock);
  return loaded;
}

void
vidgen_wan_loaded_unref (VidgenWanLoaded *loaded)
{
  if (!loaded)
    return;
  g_mutex_lock (&shared_lock);
  if (g_atomic_ref_count_dec (&loaded->references)) {
    g_ptr_array_remove_fast (shared, loaded);
    if (shared->len == 0)
      g_clear_pointer (&shared, g_ptr_array_unref);
    free_loaded (loaded);
  }
  g_mutex_unlock (&shared_lock);
}
