/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/session-private.h"

static GCancellable *
begin_step (VidgenSession *session)
{
  g_clear_object (&session->cancellable);
  session->cancellable = g_cancellable_new ();
  if (session->stopping)
    g_cancellable_cancel (session->cancellable);
  return g_object_ref (session->cancellable);
}

static void
set_mark (
    VidgenSession *session, guint64 frame, guint64 chunk, const char *prompt)
{
  const VidgenSessionMark mark = { frame, chunk, g_ref_string_new (prompt) };
  guint n = session->marks->len;

  while (
      n > 0 &&
      g_array_index (session->marks, VidgenSessionMark, n - 1).frame >= frame)
    n--;
  g_array_set_size (session->marks, n);
  g_array_append_val (session->marks, mark);
}

static const char *
prompt_in_force (const VidgenSession *session, const VidgenSettings *settings)
{
  const VidgenModelInfo *info = vidgen_session_model (session);

  if (settings->prompt)
    return settings->prompt;
  return info->prompts && info->prompts[0] ? info->prompts[0] : "";
}

static gboolean
is_refusable (const GError *error)
{
  return g_error_matches (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID) ||
         g_error_matches (error, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED);
}

static gboolean
is_cancelled (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Settings that cannot be end the session before its first chunk and are put
 * aside later. */
static gboolean
refuse_settings (VidgenSession *session, guint serial,
    const VidgenSettings *in_force, GError **error)
{
  if (session->settings_seen == 0 || !is_refusable (*error))
    return FALSE;
  session->settings_seen = serial;
  if (serial == session->settings_serial)
    vidgen_settings_copy (&session->settings, in_force);
  g_mutex_unlock (&session->lock);
  session->callbacks->settings_refused (*error, in_force, session->user_data);
  g_mutex_lock (&session->lock);
  g_clear_error (error);
  return TRUE;
}

static gboolean
take_settings (VidgenSession *session, VidgenGenerator *generator,
    VidgenSettings *in_force, GError **error)
{
  g_autoptr (GCancellable) cancellable = begin_step (session);
  const guint serial = session->settings_serial;
  const gint64 start_us = g_get_monotonic_time ();
  VidgenSettings settings = { 0 };
  GError *problem = NULL;

  vidgen_settings_copy (&settings, &session->settings);
  g_mutex_unlock (&session->lock);
  vidgen_generator_set (generator, &settings, cancellable, &problem);
  if (problem && session->in_phase)
    session->callbacks->gave_up (problem, session->user_data);
  session->in_phase = FALSE;
  g_mutex_lock (&session->lock);

  if (!problem) {
    session->settings_seen = serial;
    if (!session->settings_pending)
      session->pending_us = start_us;
    session->settings_pending = TRUE;
    vidgen_settings_copy (in_force, &settings);
  } else if (!refuse_settings (session, serial, in_force, &problem)) {
    g_propagate_error (error, problem);
  }
  vidgen_settings_clear (&settings);
  return !*error;
}

/* Told before anybody can take the chunk. */
static void
tell_of_chunk (VidgenSession *session, const VidgenChunk *chunk,
    const VidgenMade *made, const char *prompt)
{
  const VidgenSessionCallbacks *callbacks = session->callbacks;
  const guint64 level_ns = vidgen_timeline_frame_ns (&session->timeline,
      vidgen_session_frames_ahead (session) + chunk->frames);
  const guint64 time_ns = vidgen_session_time_of (session, made->first_frame);

  g_mutex_unlock (&session->lock);
  callbacks->chunk_made (
      made->index, chunk->time_ns, level_ns, session->user_data);
  if (made->prompt_applied && !session->live)
    callbacks->prompt_applied (
        prompt, made->index, time_ns, session->user_data);
  g_mutex_lock (&session->lock);
}

/* Live, where fillers may still come before it. */
static void
announce_later (VidgenSession *session, const VidgenSessionMark *mark)
{
  VidgenSessionMark *copy = g_memdup2 (mark, sizeof *mark);

  g_ref_string_acquire (copy->prompt);
  g_queue_push_tail (&session->announcements, copy);
}

static void
count_chunk (VidgenSession *session, const VidgenGenerator *generator,
    const VidgenChunk *chunk)
{
  VidgenSessionStats *stats = &session->stats;
  VidgenStreamStats stream;

  vidgen_generator_stats (generator, &stream);
  stats->device_ns = stream.total_device_ns;
  if (stats->chunks++ == 0)
    stats->first_chunk_ns =
        (g_get_monotonic_time () - session->start_us) * 1000;
  session->made_ns += chunk->time_ns;
  session->made_content_ns +=
      vidgen_timeline_frame_ns (&session->timeline, chunk->frames);
}

static void
store_chunk (VidgenSession *session, const VidgenGenerator *generator,
    const VidgenSettings *in_force, VidgenChunk *chunk, const VidgenMade *made)
{
  const char *prompt = prompt_in_force (session, in_force);

  tell_of_chunk (session, chunk, made, prompt);
  if (made->settings_applied) {
    session->settings_pending = FALSE;
    vidgen_reel_drop_from (session->reel, made->first_frame);
    set_mark (session, made->first_frame, made->index, prompt);
  }
  if (made->prompt_applied && session->live)
    announce_later (
        session, vidgen_session_mark_at (session, made->first_frame));
  vidgen_reel_insert (session->reel, made->first_frame, chunk);
  count_chunk (session, generator, chunk);
  vidgen_session_tidy (session);
  g_cond_broadcast (&session->changed);

  g_mutex_unlock (&session->lock);
  vidgen_session_report_level (session);
  g_mutex_lock (&session->lock);
}

static gboolean
make_chunk (VidgenSession *session, VidgenGenerator *generator,
    const VidgenSettings *in_force, GError **error)
{
  g_autoptr (GCancellable) cancellable = begin_step (session);
  const VidgenChunkRequest request = {
    .video = session->have_format &&
             vidgen_session_is_wanted (session, VIDGEN_TRACK_VIDEO),
    .picture_format = session->picture_format,
    .audio = vidgen_session_is_wanted (session, VIDGEN_TRACK_AUDIO),
  };
  const VidgenFormat format = session->format;
  const guint64 frame =
      vidgen_reel_end_from (session->reel, session->slots.content);
  VidgenMade made;

  session->making_from = vidgen_generator_chunk_start (generator, frame);
  session->making_to = frame + 1;
  g_mutex_unlock (&session->lock);
  g_autoptr (VidgenChunk) chunk = vidgen_generator_next (
      generator, frame, &format, &request, &made, cancellable, error);
  g_mutex_lock (&session->lock);
  session->making_from = session->making_to = 0;
  if (!chunk)
    return FALSE;
  store_chunk (session, generator, in_force, chunk, &made);
  return TRUE;
}

/* Where new settings wait for a chunk and the rest of the clip is at hand,
 * what is further ahead than the buffer reaches is made again. */
static void
make_room_for_settings (VidgenSession *session, VidgenGenerator *generator)
{
  const guint64 ahead = session->slots.content + session->buffer_frames;

  if (!vidgen_session_is_seekable (session) || !session->settings_pending ||
      ahead >= session->end)
    return;
  const guint64 start = vidgen_generator_chunk_start (generator, ahead);
  const VidgenReelEntry *entry = vidgen_reel_find (session->reel, ahead);
  vidgen_reel_drop_from (session->reel,
      start < ahead && entry ? entry->first_frame + entry->chunk->frames
                             : ahead);
}

static gboolean
wants_chunk (const VidgenSession *session)
{
  if (!vidgen_session_is_wanted (session, VIDGEN_TRACK_VIDEO) &&
      !vidgen_session_is_wanted (session, VIDGEN_TRACK_AUDIO))
    return FALSE;
  return !vidgen_session_is_full (session) &&
         (session->have_format || !session->tracks[VIDGEN_TRACK_VIDEO].linked);
}

static void
tell_progress (VidgenSession *session, const char *phase, double fraction)
{
  g_mutex_unlock (&session->lock);
  session->callbacks->progress (phase, fraction, session->user_data);
  g_mutex_lock (&session->lock);
}

/* A part of a clip that was dropped is made again before the one that is
 * wanted. Whether there was anything to tell of it. */
static gboolean
tell_of_way (VidgenSession *session, guint64 from, guint64 to)
{
  if (from >= to) {
    const gboolean was = session->way_from != G_MAXUINT64;
    session->way_from = session->way_at = G_MAXUINT64;
    if (was)
      tell_progress (session, NULL, 1);
    return was;
  }
  if (session->way_at == from)
    return FALSE;
  session->way_from = MIN (session->way_from, from);
  session->way_at = from;
  tell_progress (session, "seek",
      (double)(from - session->way_from) / (to - session->way_from));
  return TRUE;
}

/* A chunk waits for settings that change all the time: those at hand will do
 * when a part of its length went by. */
static gboolean
is_held_up (const VidgenSession *session)
{
  const guint64 chunk_ns = vidgen_timeline_frame_ns (
      &session->timeline, vidgen_session_model (session)->chunk_frames);

  return session->settings_pending && wants_chunk (session) &&
         (guint64)(g_get_monotonic_time () - session->pending_us) * 1000 >=
             chunk_ns / 4;
}

/* Called and left with the lock held. */
static gboolean
step (VidgenSession *session, VidgenGenerator *generator,
    VidgenSettings *in_force, GError **error)
{
  if (session->settings_serial != session->settings_seen &&
      !is_held_up (session))
    return take_settings (session, generator, in_force, error);

  make_room_for_settings (session, generator);
  if (!wants_chunk (session)) {
    if (tell_of_way (session, 0, 0))
      return TRUE;
    g_cond_wait (&session->changed, &session->lock);
    return TRUE;
  }
  const guint64 frame =
      vidgen_reel_end_from (session->reel, session->slots.content);
  if (tell_of_way (session,
          vidgen_generator_way_from (generator, frame, &session->format),
          vidgen_generator_chunk_start (generator, frame)))
    return TRUE;
  if (session->synced_frame != frame) {
    const guint64 fillers = session->slots.end - session->slots.content;
    const guint64 time_ns = vidgen_session_time_of (session, frame + fillers);
    const guint serial = session->settings_serial;
    session->synced_frame = frame;
    g_mutex_unlock (&session->lock);
    session->callbacks->before_chunk (time_ns, session->user_data);
    g_mutex_lock (&session->lock);
    /* What it sets is of this chunk, even of one that was held up. */
    return session->settings_serial == serial ||
           take_settings (session, generator, in_force, error);
  }
  return make_chunk (session, generator, in_force, error);
}

static gboolean
load (VidgenSession *session, VidgenGenerator *generator, GError **error)
{
  g_mutex_lock (&session->lock);
  g_autoptr (GCancellable) cancellable = begin_step (session);
  g_mutex_unlock (&session->lock);

  vidgen_session_report_level (session);
  if (vidgen_generator_load (generator, session->callbacks->progress,
          session->user_data, cancellable, error)) {
    session->callbacks->progress (NULL, 1, session->user_data);
    vidgen_device_save_cache (session->device);
    return TRUE;
  }
  return FALSE;
}

static void
make_chunks (VidgenSession *session, VidgenGenerator *generator,
    VidgenSettings *in_force, GError **error)
{
  gboolean going = TRUE;

  while (going) {
    vidgen_session_report_level (session);
    g_mutex_lock (&session->lock);
    going = !session->stopping && !session->error;
    if (going && !step (session, generator, in_force, error)) {
      going = is_cancelled (*error);
      if (going)
        g_clear_error (error);
    }
    g_mutex_unlock (&session->lock);
  }
}

/* What the model tells of once it is loaded; 1 is the end of a phase. */
static void
on_model_progress (const char *phase, double fraction, gpointer user_data)
{
  VidgenSession *session = user_data;

  session->callbacks->progress (phase, fraction, session->user_data);
  session->in_phase = fraction < 1;
  if (fraction >= 1)
    session->callbacks->progress (NULL, 1, session->user_data);
}

gpointer
vidgen_session_work (gpointer data)
{
  VidgenSession *session = data;
  VidgenGenerator *generator = vidgen_generator_new (session->model,
      session->device, session->seed, !vidgen_session_is_seekable (session));
  VidgenSettings in_force = { 0 };
  GError *error = NULL;

  vidgen_model_set_progress (session->model, on_model_progress, session);
  if (load (session, generator, &error))
    make_chunks (session, generator, &in_force, &error);
  vidgen_model_set_progress (session->model, NULL, NULL);
  session->callbacks->gave_up (error, session->user_data);
  if (error && !is_cancelled (error))
    vidgen_session_fail (session, error);
  g_clear_error (&error);
  vidgen_settings_clear (&in_force);
  vidgen_generator_free (generator);
  vidgen_session_unref (session);
  return NULL;
}
