/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/weights.h"

/* What is loaded, without references: the last unref takes it out. */
static GMutex shared_lock;
static GPtrArray *shared;

static VidgenMiniLoader *
list (VidgenMiniWeights *weights, const VidgenSafetensors *file,
    const VidgenMiniConfig *config)
{
  VidgenMiniLoader *loader = vidgen_mini_loader_new (file, config);

  vidgen_mini_text_list (&weights->text, config, loader);
  vidgen_mini_transformer_list (&weights->transformer, config, loader);
  vidgen_mini_encoder_list (&weights->encoder, config, loader);
  vidgen_mini_decoder_list (&weights->decoder, config, loader);
  vidgen_mini_sound_list (&weights->sound, config, loader);
  return loader;
}

static void
clear_lists (VidgenMiniWeights *weights)
{
  vidgen_mini_text_clear (&weights->text);
  vidgen_mini_transformer_clear (&weights->transformer);
}

gboolean
vidgen_mini_weights_check (const VidgenSafetensors *file,
    const VidgenMiniConfig *config, GError **error)
{
  VidgenMiniWeights weights = { 0 };
  g_autoptr (VidgenMiniLoader) loader = list (&weights, file, config);
  const gboolean good = vidgen_mini_loader_check (loader, error);

  clear_lists (&weights);
  return good;
}

guint64
vidgen_mini_weights_bytes (
    const VidgenSafetensors *file, const VidgenMiniConfig *config)
{
  VidgenMiniWeights weights = { 0 };
  g_autoptr (VidgenMiniLoader) loader = list (&weights, file, config);
  const guint64 bytes = vidgen_mini_loader_bytes (loader);

  clear_lists (&weights);
  return bytes;
}

static void
free_weights (VidgenMiniWeights *weights)
{
  clear_lists (weights);
  g_ptr_array_unref (weights->memories);
  vidgen_device_unref (weights->device);
  g_free (weights->key);
  g_free (weights);
}

static VidgenMiniWeights *
load (const char *key, const VidgenSafetensors *file,
    const VidgenMiniConfig *config, VidgenDevice *device,
    VidgenMiniLoadProgress progress, gpointer user_data,
    GCancellable *cancellable, GError **error)
{
  VidgenMiniWeights *weights = g_new0 (VidgenMiniWeights, 1);
  g_autoptr (VidgenMiniLoader) loader = list (weights, file, config);

  g_atomic_ref_count_init (&weights->references);
  weights->key = g_strdup (key);
  weights->device = vidgen_device_ref (device);
  weights->memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  if (vidgen_mini_loader_load (loader, device, weights->memories, progress,
          user_data, cancellable, error))
    return weights;
  free_weights (weights);
  return NULL;
}

static VidgenMiniWeights *
find (const char *key, VidgenDevice *device)
{
  for (guint i = 0; shared && i < shared->len; i++) {
    VidgenMiniWeights *weights = g_ptr_array_index (shared, i);
    if (weights->device == device && g_str_equal (weights->key, key))
      return weights;
  }
  return NULL;
}

VidgenMiniWeights *
vidgen_mini_weights_get (const char *key, const VidgenSafetensors *file,
    const VidgenMiniConfig *config, VidgenDevice *device,
    VidgenMiniLoadProgress progress, gpointer user_data,
    GCancellable *cancellable, GError **error)
{
  VidgenMiniWeights *weights;

  g_mutex_lock (&shared_lock);
  weights = find (key, device);
  if (weights) {
    g_atomic_ref_count_inc (&weights->references);
  } else {
    weights = load (
        key, file, config, device, progress, user_data, cancellable, error);
    if (weights) {
      if (!shared)
        shared = g_ptr_array_new ();
      g_ptr_array_add (shared, weights);
    }
  }
  g_mutex_unlock (&shared_lock);
  return weights;
}

void
vidgen_mini_weights_unref (VidgenMiniWeights *weights)
{
  if (!weights)
    return;
  g_mutex_lock (&shared_lock);
  if (g_atomic_ref_count_dec (&weights->references)) {
    g_ptr_array_remove_fast (shared, weights);
    if (shared->len == 0)
      g_clear_pointer (&shared, g_ptr_array_unref);
    free_weights (weights);
  }
  g_mutex_unlock (&shared_lock);
}
