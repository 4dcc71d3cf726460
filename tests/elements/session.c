/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* A session without an element. */

#include <time.h>

#include "gst-plugin/session.h"
#include "tests/elements/fakemodel.h"

#define FRAMES 60
#define PATIENCE_US (30 * G_USEC_PER_SEC)

typedef struct {
  VidgenSession *session;
  GMutex lock; /* guards what follows */
  GCond changed;
  guint depth;
  gboolean sought, done;
} Host;

static void
on_progress (G_GNUC_UNUSED const char *phase, G_GNUC_UNUSED double fraction,
    G_GNUC_UNUSED gpointer user_data)
{
}

static void
on_before_chunk (
    G_GNUC_UNUSED guint64 time_ns, G_GNUC_UNUSED gpointer user_data)
{
}

static void
on_chunk_made (G_GNUC_UNUSED guint64 chunk, G_GNUC_UNUSED guint64 generation_ns,
    G_GNUC_UNUSED guint64 level_ns, G_GNUC_UNUSED gpointer user_data)
{
}

static void
on_gave_up (G_GNUC_UNUSED const GError *error, G_GNUC_UNUSED gpointer user_data)
{
}

static void
on_failed (const GError *error, G_GNUC_UNUSED gpointer user_data)
{
  g_error ("%s", error->message);
}

static gpointer
take_one (gpointer user_data)
{
  g_auto (VidgenSlot) slot = { 0 };

  g_assert_cmpint (
      vidgen_session_take (user_data, VIDGEN_TRACK_VIDEO, 0, &slot), ==,
      VIDGEN_TAKE_OK);
  g_assert_cmpuint (slot.slot, ==, 8);
  return NULL;
}

/* As a synchronous bus handler may. */
static void
seek_and_take (VidgenSession *session)
{
  VidgenSessionStats stats;

  for (guint i = 0; i < VIDGEN_TRACKS; i++)
    vidgen_session_seek (session, i, 8, FRAMES);
  vidgen_session_stats (session, &stats);
  g_thread_join (g_thread_new ("taker", take_one, session));
}

static void
on_level (const VidgenSessionBuffer *buffer, gpointer user_data)
{
  Host *host = user_data;

  g_mutex_lock (&host->lock);
  g_assert_cmpuint (host->depth++, ==, 0);
  while (!host->session)
    g_cond_wait (&host->changed, &host->lock);
  const gboolean seeks = buffer->percent == 100 && !host->sought;
  host->sought = host->sought || seeks;
  g_mutex_unlock (&host->lock);
  if (seeks)
    seek_and_take (host->session);
  g_mutex_lock (&host->lock);
  host->done = host->done || seeks;
  host->depth--;
  g_cond_broadcast (&host->changed);
  g_mutex_unlock (&host->lock);
}

static const VidgenSessionCallbacks callbacks = {
  .progress = on_progress,
  .gave_up = on_gave_up,
  .before_chunk = on_before_chunk,
  .chunk_made = on_chunk_made,
  .level = on_level,
  .failed = on_failed,
};

static VidgenSession *
new_session (const VidgenSessionCallbacks *with, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  VidgenSettings settings = { 0 };

  fake_reset ();
  g_autoptr (VidgenModel) model = vidgen_model_open ("fake", &error);
  g_assert_no_error (error);
  g_autoptr (VidgenDevice) device = vidgen_device_open ("host", &error);
  g_assert_no_error (error);
  const VidgenModelInfo *info = vidgen_model_info (model);
  const VidgenSessionParams params = {
    .model = model,
    .device = device,
    .frames = FRAMES,
    .report_level = TRUE,
    .buffer_ns = 1000000000,
    .linked = { TRUE, TRUE },
    .settings = &settings,
  };
  VidgenSession *session = vidgen_session_new (&params, with, user_data);

  vidgen_session_set_format (
      session, info->native.width, info->native.height, VIDGEN_PICTURE_RGBA);
  return session;
}

static void
await_seek (Host *host)
{
  const gint64 end = g_get_monotonic_time () + PATIENCE_US;

  g_mutex_lock (&host->lock);
  while (!host->done)
    g_assert_true (g_cond_wait_until (&host->changed, &host->lock, end));
  g_mutex_unlock (&host->lock);
}

/* Whoever is told of the level may seek, and wait for a track. */
static void
test_seek_in_level (void)
{
  Host host = { 0 };

  g_mutex_init (&host.lock);
  g_cond_init (&host.changed);
  g_autoptr (VidgenSession) session = new_session (&callbacks, &host);
  g_mutex_lock (&host.lock);
  host.session = session;
  g_cond_broadcast (&host.changed);
  g_mutex_unlock (&host.lock);
  await_seek (&host);
  vidgen_session_stop (session);
  g_mutex_clear (&host.lock);
  g_cond_clear (&host.changed);
}

typedef struct {
  GMutex lock; /* guards what follows */
  GCond changed;
  gboolean told, let_go;
} Listener;

static void
on_level_at_length (
    G_GNUC_UNUSED const VidgenSessionBuffer *buffer, gpointer user_data)
{
  Listener *listener = user_data;

  g_mutex_lock (&listener->lock);
  listener->told = TRUE;
  g_cond_broadcast (&listener->changed);
  while (!listener->let_go)
    g_cond_wait (&listener->changed, &listener->lock);
  g_mutex_unlock (&listener->lock);
}

static const VidgenSessionCallbacks at_length = {
  .progress = on_progress,
  .gave_up = on_gave_up,
  .before_chunk = on_before_chunk,
  .chunk_made = on_chunk_made,
  .level = on_level_at_length,
  .failed = on_failed,
};

static double
cpu_seconds (void)
{
  struct timespec used;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec + used.tv_nsec * 1e-9;
}

/* However long whoever is told of the level takes over it, that costs no time
 * of the processor, though the level changes meanwhile. */
static void
test_long_level (void)
{
  g_auto (VidgenSlot) slot = { 0 };
  Listener listener = { 0 };

  g_mutex_init (&listener.lock);
  g_cond_init (&listener.changed);
  g_autoptr (VidgenSession) session = new_session (&at_length, &listener);
  g_mutex_lock (&listener.lock);
  while (!listener.told)
    g_cond_wait (&listener.changed, &listener.lock);
  g_mutex_unlock (&listener.lock);
  vidgen_session_set_flushing (session, VIDGEN_TRACK_VIDEO, TRUE);
  g_assert_cmpint (vidgen_session_take (session, VIDGEN_TRACK_VIDEO, 0, &slot),
      ==, VIDGEN_TAKE_FLUSHING);
  g_usleep (G_USEC_PER_SEC / 20);
  const double before = cpu_seconds ();
  g_usleep (G_USEC_PER_SEC);
  const double used = cpu_seconds () - before;
  g_test_message ("%g s", used);
  /* On a busy machine a thread that does not wait has little more. */
  g_assert_cmpfloat (used, <, 0.01);
  g_mutex_lock (&listener.lock);
  listener.let_go = TRUE;
  g_cond_broadcast (&listener.changed);
  g_mutex_unlock (&listener.lock);
  vidgen_session_stop (session);
  g_mutex_clear (&listener.lock);
  g_cond_clear (&listener.changed);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/seek-in-level", test_seek_in_level);
  g_test_add_func ("/session/long-level", test_long_level);
  return g_test_run ();
}
