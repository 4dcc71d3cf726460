/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Tells ThreadSanitizer of the locks and counters of GLib.
 *
 * GLib is not built with ThreadSanitizer, and its GMutex, GCond and GOnce are
 * made of atomic operations and futexes, which the sanitizer does not see in
 * there; GRecMutex, GRWLock and GThread are those of pthread, which it knows.
 * What is here takes GLib's place in the programs of tests that are built with
 * -Db_sanitize=thread, for our code and for GStreamer's alike, calls GLib and
 * says what that does.
 *
 * A counter is said to order every use before it with the release of what it
 * counts: that hides races between uses of one object and nothing else.
 */

#include <dlfcn.h>
#include <gio/gio.h>
#include <sanitizer/tsan_interface.h>

#define PUBLIC G_GNUC_EXTENSION __attribute__ ((visibility ("default")))

/* The function of the library that this file stands before. */
#define NEXT(function)                                                         \
  ({                                                                           \
    static gpointer next;                                                      \
    gpointer found = __atomic_load_n (&next, __ATOMIC_RELAXED);                \
    if (!found) {                                                              \
      found = dlsym (RTLD_NEXT, #function);                                    \
      __atomic_store_n (&next, found, __ATOMIC_RELAXED);                       \
    }                                                                          \
    (__typeof__ (&function))found;                                             \
  })

PUBLIC void
g_mutex_clear (GMutex *mutex)
{
  __tsan_mutex_destroy (mutex, 0);
  NEXT (g_mutex_clear) (mutex);
}

PUBLIC void
g_mutex_lock (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  NEXT (g_mutex_lock) (mutex);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

PUBLIC gboolean
g_mutex_trylock (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, __tsan_mutex_try_lock);
  const gboolean locked = NEXT (g_mutex_trylock) (mutex);
  __tsan_mutex_post_lock (
      mutex, locked ? __tsan_mutex_try_lock : __tsan_mutex_try_lock_failed, 0);
  return locked;
}

PUBLIC void
g_mutex_unlock (GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  NEXT (g_mutex_unlock) (mutex);
  __tsan_mutex_post_unlock (mutex, 0);
}

static void
leave (GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
}

static void
enter (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

PUBLIC void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  leave (mutex);
  NEXT (g_cond_wait) (cond, mutex);
  enter (mutex);
}

PUBLIC gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  leave (mutex);
  const gboolean signalled = NEXT (g_cond_wait_until) (cond, mutex, end_time);
  enter (mutex);
  return signalled;
}

PUBLIC
gboolean (g_once_init_enter) (volatile void *location)
{
  const gboolean first = NEXT (g_once_init_enter) (location);

  __tsan_acquire ((void *)location);
  return first;
}

PUBLIC void (g_once_init_leave) (volatile void *location, gsize result)
{
  __tsan_release ((void *)location);
  NEXT (g_once_init_leave) (location, result);
}

/* GAsyncQueue locks itself inside GLib. */

PUBLIC void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  __tsan_release (queue);
  NEXT (g_async_queue_push) (queue, data);
}

PUBLIC gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer data = NEXT (g_async_queue_pop) (queue);

  __tsan_acquire (queue);
  return data;
}

PUBLIC gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  gpointer data = NEXT (g_async_queue_try_pop) (queue);

  __tsan_acquire (queue);
  return data;
}

PUBLIC gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout_us)
{
  gpointer data = NEXT (g_async_queue_timeout_pop) (queue, timeout_us);

  __tsan_acquire (queue);
  return data;
}

static void
count_down (gpointer counted)
{
  __tsan_release (counted);
  __tsan_acquire (counted);
}

PUBLIC
gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  count_down (count);
  return NEXT (g_atomic_ref_count_dec) (count);
}

PUBLIC void (g_object_unref) (gpointer object)
{
  count_down (object);
  NEXT (g_object_unref) (object);
}
