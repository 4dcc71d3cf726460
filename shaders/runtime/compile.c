/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/runtime/pipelines.h"

typedef struct {
  VidgenPipelines *pipelines;
  GAsyncQueue *results; /* a GError, or the batch itself for success */
  GCancellable *cancellable;
} Batch;

static void
compile_one (gpointer key, gpointer user_data)
{
  Batch *batch = user_data;
  GError *error = NULL;

  if (!g_cancellable_set_error_if_cancelled (batch->cancellable, &error))
    vidgen_pipelines_get (batch->pipelines, key, &error);
  g_async_queue_push (batch->results, error ? (gpointer)error : batch);
}

gboolean
vidgen_pipelines_compile (VidgenPipelines *pipelines, GHashTable *keys,
    VidgenProgressFunc progress, gpointer user_data, GCancellable *cancellable,
    GError **error)
{
  g_autoptr (GAsyncQueue) results = g_async_queue_new ();
  Batch batch = { pipelines, results, cancellable };
  const guint total = g_hash_table_size (keys);
  GThreadPool *pool = g_thread_pool_new (
      compile_one, &batch, (gint)g_get_num_processors (), FALSE, NULL);
  g_autoptr (GError) first = NULL;
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, keys);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_thread_pool_push (pool, key, NULL);
  for (guint done = 0; done < total; done++) {
    gpointer result = g_async_queue_pop (results);

    if (result != &batch && !first)
      first = result;
    else if (result != &batch)
      g_error_free (result);
    if (progress && !first)
      progress (done + 1, total, user_data);
  }
  g_thread_pool_free (pool, FALSE, TRUE);
  if (!first)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}
