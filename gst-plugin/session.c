/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/session-private.h"

/* What a clip keeps of what was shown, so that seeking back costs nothing. */
#define KEEP_BYTES (64u << 20)

static void
clear_mark (gpointer data)
{
  VidgenSessionMark *mark = data;

  g_clear_pointer (&mark->prompt, g_ref_string_release);
}

void
vidgen_session_mark_free (VidgenSessionMark *mark)
{
  if (!mark)
    return;
  clear_mark (mark);
  g_free (mark);
}

void
vidgen_slot_clear (VidgenSlot *slot)
{
  g_clear_pointer (&slot->chunk, vidgen_chunk_unref);
  g_clear_pointer (&slot->prompt, g_ref_string_release);
}

static gboolean
is_active (const VidgenSessionTrack *track)
{
  return track->linked && !track->done;
}

/* Whether every track has followed the newest seek. */
static gboolean
is_settled (const VidgenSession *session)
{
  return session->tracks[0].epoch == session->epoch &&
         session->tracks[1].epoch == session->epoch;
}

gboolean
vidgen_session_is_wanted (const VidgenSession *session, VidgenTrack track)
{
  const VidgenSessionTrack *t = &session->tracks[track];

  return t->linked && (!t->done || t->epoch != session->epoch);
}

guint64
vidgen_session_needed_from (const VidgenSession *session)
{
  const VidgenSlots *slots = &session->slots;
  guint64 frame = slots->content;

  if (session->live && frame > 0)
    frame--;
  for (guint i = 0; i < VIDGEN_TRACKS; i++) {
    const VidgenSessionTrack *track = &session->tracks[i];
    if (is_active (track) && track->epoch == session->epoch &&
        track->next < slots->end)
      frame = MIN (frame, vidgen_slots_find (slots, track->next).content);
  }
  return frame;
}

/* Where nothing goes back, the prompts before the one in force are over. */
static void
forget_marks (VidgenSession *session, guint64 frame)
{
  GArray *marks = session->marks;
  guint n = 0;

  if (vidgen_session_is_seekable (session))
    return;
  while (n + 1 < marks->len &&
         g_array_index (marks, VidgenSessionMark, n + 1).frame <= frame)
    n++;
  if (n > 0)
    g_array_remove_range (marks, 0, n);
}

void
vidgen_session_tidy (VidgenSession *session)
{
  guint64 slot = session->slots.end;

  if (!is_settled (session))
    return;
  for (guint i = 0; i < VIDGEN_TRACKS; i++) {
    const VidgenSessionTrack *track = &session->tracks[i];
    if (is_active (track))
      slot = MIN (slot, track->next);
  }
  vidgen_reel_trim (session->reel, vidgen_session_needed_from (session),
      vidgen_session_is_seekable (session) ? KEEP_BYTES : 0);
  if (vidgen_reel_bytes (session->reel) >= VIDGEN_SESSION_MAX_BYTES)
    vidgen_reel_drop_from (session->reel,
        vidgen_reel_end_from (session->reel, session->slots.content));
  vidgen_slots_forget (&session->slots, slot);
  forget_marks (session, vidgen_session_needed_from (session));
}

guint64
vidgen_session_time_of (const VidgenSession *session, guint64 frame)
{
  const guint64 ns = vidgen_timeline_frame_ns (&session->timeline, frame);

  return session->origin_ns == G_MAXUINT64 ? ns : session->origin_ns + ns;
}

void
vidgen_session_fail (VidgenSession *session, const GError *error)
{
  g_mutex_lock (&session->lock);
  const gboolean first = !session->failing && !session->stopping;
  session->failing = TRUE;
  g_mutex_unlock (&session->lock);
  if (!first)
    return;

  session->callbacks->failed (error, session->user_data);

  g_mutex_lock (&session->lock);
  session->error = g_error_copy (error);
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

const VidgenSessionMark *
vidgen_session_mark_at (const VidgenSession *session, guint64 frame)
{
  guint n = session->marks->len;

  while (n > 1 &&
         g_array_index (session->marks, VidgenSessionMark, n - 1).frame > frame)
    n--;
  return n > 0 ? &g_array_index (session->marks, VidgenSessionMark, n - 1)
               : NULL;
}

VidgenSession *
vidgen_session_new (const VidgenSessionParams *params,
    const VidgenSessionCallbacks *callbacks, gpointer user_data)
{
  VidgenSession *session = g_new0 (VidgenSession, 1);
  const VidgenModelInfo *info = vidgen_model_info (params->model);

  g_atomic_ref_count_init (&session->references);
  session->model = vidgen_model_ref (params->model);
  session->device = vidgen_device_ref (params->device);
  session->seed = params->seed;
  session->live = params->live;
  session->report_level = params->report_level && !params->live;
  session->timeline = (VidgenTimeline){ info->native.fps_n, info->native.fps_d,
    info->sample_rate, params->frames };
  session->buffer_frames =
      vidgen_timeline_frames_in (&session->timeline, params->buffer_ns);
  session->callbacks = callbacks;
  session->user_data = user_data;
  session->start_us = g_get_monotonic_time ();
  g_mutex_init (&session->lock);
  g_cond_init (&session->changed);
  g_cond_init (&session->told);
  for (guint i = 0; i < VIDGEN_TRACKS; i++)
    session->tracks[i].linked = params->linked[i];
  session->end = params->frames;
  session->reel = vidgen_reel_new ();
  vidgen_slots_init (&session->slots);
  session->underrun = params->underrun;
  session->origin_ns = params->live ? G_MAXUINT64 : 0;
  vidgen_settings_copy (&session->settings, params->settings);
  session->settings_serial = 1;
  session->synced_frame = G_MAXUINT64;
  session->late_slot = G_MAXUINT64;
  session->way_from = session->way_at = G_MAXUINT64;
  session->format = info->native;
  session->marks = g_array_new (FALSE, FALSE, sizeof (VidgenSessionMark));
  g_array_set_clear_func (session->marks, clear_mark);
  session->buffering = TRUE;
  session->level = G_MAXUINT;
  session->worker = g_thread_new (
      "vidgen-session", vidgen_session_work, vidgen_session_ref (session));
  session->teller = g_thread_new (
      "vidgen-teller", vidgen_session_tell, vidgen_session_ref (session));
  return session;
}

void
vidgen_session_stop (VidgenSession *session)
{
  g_mutex_lock (&session->lock);
  session->stopping = TRUE;
  if (session->cancellable)
    g_cancellable_cancel (session->cancellable);
  g_cond_broadcast (&session->changed);
  g_cond_signal (&session->told);
  GThread *worker = g_steal_pointer (&session->worker);
  GThread *teller = g_steal_pointer (&session->teller);
  g_mutex_unlock (&session->lock);
  if (worker)
    g_thread_join (worker);
  if (teller)
    g_thread_join (teller);
}

VidgenSession *
vidgen_session_ref (VidgenSession *session)
{
  g_atomic_ref_count_inc (&session->references);
  return session;
}

void
vidgen_session_unref (VidgenSession *session)
{
  if (!session || !g_atomic_ref_count_dec (&session->references))
    return;
  vidgen_session_clear_news (session);
  g_queue_clear_full (
      &session->announcements, (GDestroyNotify)vidgen_session_mark_free);
  g_array_unref (session->marks);
  vidgen_settings_clear (&session->settings);
  g_clear_object (&session->cancellable);
  g_clear_error (&session->error);
  vidgen_slots_clear (&session->slots);
  vidgen_reel_free (session->reel);
  g_cond_clear (&session->told);
  g_cond_clear (&session->changed);
  g_mutex_clear (&session->lock);
  vidgen_device_unref (session->device);
  vidgen_model_unref (session->model);
  g_free (session);
}

const VidgenTimeline *
vidgen_session_timeline (const VidgenSession *session)
{
  return &session->timeline;
}

const VidgenModelInfo *
vidgen_session_model (const VidgenSession *session)
{
  return vidgen_model_info (session->model);
}

gboolean
vidgen_session_is_live (const VidgenSession *session)
{
  return session->live;
}

gboolean
vidgen_session_is_seekable (const VidgenSession *session)
{
  return !session->live && session->timeline.frames != VIDGEN_ENDLESS;
}

void
vidgen_session_set (VidgenSession *session, const VidgenSettings *settings)
{
  g_mutex_lock (&session->lock);
  if (!vidgen_settings_equal (&session->settings, settings)) {
    session->settings_serial++;
    g_cond_broadcast (&session->changed);
  }
  vidgen_settings_copy (&session->settings, settings);
  g_mutex_unlock (&session->lock);
}

void
vidgen_session_set_underrun (VidgenSession *session, VidgenUnderrun underrun)
{
  g_mutex_lock (&session->lock);
  session->underrun = underrun;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

void
vidgen_session_set_format (VidgenSession *session, guint width, guint height,
    VidgenPictureFormat picture_format)
{
  g_mutex_lock (&session->lock);
  session->format.width = width;
  session->format.height = height;
  session->picture_format = picture_format;
  session->have_format = TRUE;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

void
vidgen_session_link (VidgenSession *session, VidgenTrack track)
{
  g_mutex_lock (&session->lock);
  VidgenSessionTrack *t = &session->tracks[track];
  if (!t->linked) {
    t->next = MAX (t->next, session->slots.end);
    t->discont = TRUE;
  }
  t->linked = TRUE;
  t->links++;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

guint
vidgen_session_links (VidgenSession *session, VidgenTrack track)
{
  g_mutex_lock (&session->lock);
  const guint links = session->tracks[track].links;
  g_mutex_unlock (&session->lock);
  return links;
}

gboolean
vidgen_session_unlink (VidgenSession *session, VidgenTrack track, guint links)
{
  g_mutex_lock (&session->lock);
  if (session->tracks[track].links == links)
    session->tracks[track].linked = FALSE;
  session->tracks[track].discont = TRUE;
  const gboolean any = session->tracks[0].linked || session->tracks[1].linked;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
  return any;
}

void
vidgen_session_set_done (VidgenSession *session, VidgenTrack track)
{
  g_mutex_lock (&session->lock);
  session->tracks[track].done = TRUE;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

void
vidgen_session_set_flushing (
    VidgenSession *session, VidgenTrack track, gboolean flushing)
{
  g_mutex_lock (&session->lock);
  session->tracks[track].flushing = flushing;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

void
vidgen_session_set_held (VidgenSession *session, gboolean held)
{
  g_mutex_lock (&session->lock);
  session->held = held;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

static void
restart_at (VidgenSession *session, guint64 frame, guint64 stop_frame)
{
  session->epoch++;
  session->end = MIN (session->timeline.frames, stop_frame);
  vidgen_slots_reset (&session->slots, frame);
  if (session->settings_serial != session->settings_seen ||
      session->settings_pending) {
    const VidgenReelEntry *entry = vidgen_reel_find (session->reel, frame);
    vidgen_reel_drop_from (session->reel, entry ? entry->first_frame : frame);
  }
  const guint64 wanted = vidgen_reel_end_from (session->reel, frame);
  if (session->making_to > 0 &&
      (wanted < session->making_from || wanted >= session->making_to))
    g_cancellable_cancel (session->cancellable);
}

void
vidgen_session_seek (VidgenSession *session, VidgenTrack track, guint64 frame,
    guint64 stop_frame)
{
  g_mutex_lock (&session->lock);
  VidgenSessionTrack *t = &session->tracks[track];
  if (t->epoch == session->epoch)
    restart_at (session, frame, stop_frame);
  t->epoch = session->epoch;
  t->next = frame;
  t->done = FALSE;
  t->discont = TRUE;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
}

/* What a track can do now: OK, SKIPPED for wait and look again, or how its
 * call ends. */
static VidgenTake
look (const VidgenSession *session, VidgenTrack track)
{
  const VidgenSessionTrack *t = &session->tracks[track];

  if (session->stopping || t->flushing)
    return VIDGEN_TAKE_FLUSHING;
  if (session->error)
    return VIDGEN_TAKE_FAILED;
  if (session->held || t->epoch != session->epoch)
    return VIDGEN_TAKE_SKIPPED;
  if (t->linked)
    return VIDGEN_TAKE_OK;
  if (!session->tracks[!track].linked)
    return VIDGEN_TAKE_UNLINKED;
  if (session->slots.content >= session->end)
    return VIDGEN_TAKE_END;
  return VIDGEN_TAKE_SKIPPED;
}

VidgenTake
vidgen_session_await (VidgenSession *session, VidgenTrack track, guint64 *slot)
{
  VidgenTake state;

  g_mutex_lock (&session->lock);
  while ((state = look (session, track)) == VIDGEN_TAKE_SKIPPED ||
         (state == VIDGEN_TAKE_OK && session->origin_ns == G_MAXUINT64 &&
             !vidgen_session_is_full (session)))
    g_cond_wait (&session->changed, &session->lock);
  *slot = session->tracks[track].next;
  g_mutex_unlock (&session->lock);
  return state;
}

guint64
vidgen_session_begin (VidgenSession *session, guint64 now_ns)
{
  g_mutex_lock (&session->lock);
  if (session->origin_ns == G_MAXUINT64)
    session->origin_ns = now_ns;
  const guint64 origin_ns = session->origin_ns;
  g_mutex_unlock (&session->lock);
  return origin_ns;
}

guint64
vidgen_session_origin (VidgenSession *session)
{
  g_mutex_lock (&session->lock);
  const guint64 origin_ns = session->origin_ns;
  g_mutex_unlock (&session->lock);
  return origin_ns;
}

gboolean
vidgen_session_left (VidgenSession *session, guint64 late_ns)
{
  const guint64 frame_ns = vidgen_timeline_frame_ns (&session->timeline, 1);

  g_mutex_lock (&session->lock);
  session->late_ns = MAX (session->late_ns, late_ns);
  const gboolean grown =
      session->late_ns > MAX (session->told_late_ns, frame_ns) + frame_ns;
  if (grown)
    session->told_late_ns = session->late_ns;
  g_mutex_unlock (&session->lock);
  return grown;
}

guint64
vidgen_session_latency (VidgenSession *session)
{
  g_mutex_lock (&session->lock);
  const guint64 late_ns = session->late_ns;
  g_mutex_unlock (&session->lock);
  return MAX (late_ns, vidgen_timeline_frame_ns (&session->timeline, 1));
}

static void
announce_prompts (VidgenSession *session)
{
  const VidgenSessionMark *head = g_queue_peek_head (&session->announcements);

  if (!head || head->frame > session->slots.content)
    return;
  const VidgenSessionNews news = {
    .shown = g_queue_pop_head (&session->announcements),
    .time_ns = vidgen_session_time_of (session, session->slots.end),
  };
  vidgen_session_post (session, &news);
}

static void
decide_content (VidgenSession *session)
{
  announce_prompts (session);
  if (session->late_slot != session->slots.end)
    session->stats.on_time++;
  session->stats.frames++;
  session->rebuffering = FALSE;
  vidgen_slots_add_content (&session->slots);
}

static double
real_time_factor (const VidgenSession *session)
{
  return session->made_ns > 0
             ? (double)session->made_content_ns / session->made_ns
             : 0;
}

static void
begin_underrun (VidgenSession *session, guint64 late_ns)
{
  const guint64 time_ns = vidgen_session_time_of (session, session->slots.end);

  session->stats.underruns++;
  session->late_slot = session->slots.end;
  const VidgenSessionNews news = {
    .underrun = TRUE,
    .gives_up = session->underrun == VIDGEN_UNDERRUN_ERROR,
    .time_ns = time_ns,
    .lateness = { time_ns, late_ns, session->stats.on_time,
        real_time_factor (session) },
  };
  vidgen_session_post (session, &news);
}

/* Content is late. Whether the slot is decided none the less. */
static gboolean
decide_late (VidgenSession *session, guint64 late_ns)
{
  if (session->underrun == VIDGEN_UNDERRUN_REPEAT) {
    if (!session->rebuffering)
      begin_underrun (session, late_ns);
    session->rebuffering = TRUE;
    session->stats.frames++;
    vidgen_slots_add_filler (&session->slots);
    return TRUE;
  }
  if (session->late_slot != session->slots.end)
    begin_underrun (session, late_ns);
  return FALSE;
}

/* Decides the slot after the decided ones, if it can be. */
static gboolean
decide (VidgenSession *session, guint64 late_ns)
{
  const gboolean have = vidgen_session_frames_ahead (session) > 0;

  if (have && (!session->rebuffering || vidgen_session_is_full (session))) {
    decide_content (session);
    return TRUE;
  }
  return session->live && decide_late (session, late_ns);
}

static gboolean
fill_slot (VidgenSession *session, VidgenTrack track, VidgenSlot *slot)
{
  VidgenSessionTrack *t = &session->tracks[track];
  const VidgenTimeline *timeline = &session->timeline;
  const VidgenPlace place = vidgen_slots_find (&session->slots, t->next);
  const VidgenReelEntry *entry =
      vidgen_reel_find (session->reel, place.content);
  const VidgenSessionMark *mark =
      vidgen_session_mark_at (session, place.content);

  t->next++;
  if (!entry || (track == VIDGEN_TRACK_VIDEO && !entry->chunk->has_video) ||
      (track == VIDGEN_TRACK_AUDIO && !entry->chunk->sound &&
          vidgen_session_model (session)->has_audio)) {
    t->discont = TRUE;
    return FALSE;
  }
  const guint64 before =
      vidgen_timeline_samples_before (timeline, place.content);
  *slot = (VidgenSlot){
    .slot = place.slot,
    .chunk = vidgen_chunk_ref (entry->chunk),
    .frame = place.content - entry->first_frame,
    .first_sample =
        before - vidgen_timeline_samples_before (timeline, entry->first_frame),
    .samples =
        vidgen_timeline_content_before (timeline, place.content + 1) - before,
    .filler = place.filler,
    .filler_index = place.run_index,
    .resumes = place.resumes,
    .discont = t->discont || place.resumes,
    .prompt = mark ? g_ref_string_acquire (mark->prompt) : NULL,
  };
  t->discont = FALSE;
  return TRUE;
}

VidgenTake
vidgen_session_take (VidgenSession *session, VidgenTrack track, guint64 late_ns,
    VidgenSlot *slot)
{
  VidgenSessionTrack *t = &session->tracks[track];
  VidgenTake state;

  memset (slot, 0, sizeof *slot);
  g_mutex_lock (&session->lock);
  while ((state = look (session, track)) == VIDGEN_TAKE_SKIPPED ||
         state == VIDGEN_TAKE_OK) {
    if (state == VIDGEN_TAKE_OK) {
      if (t->next < session->slots.end)
        break;
      if (session->slots.content >= session->end) {
        state = VIDGEN_TAKE_END;
        break;
      }
      if (decide (session, late_ns))
        break;
    }
    g_cond_wait (&session->changed, &session->lock);
  }
  if (state == VIDGEN_TAKE_OK && !fill_slot (session, track, slot))
    state = VIDGEN_TAKE_SKIPPED;
  if (state == VIDGEN_TAKE_END)
    t->done = TRUE;
  vidgen_session_tidy (session);
  vidgen_session_post (session, NULL);
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
  return state;
}

void
vidgen_session_stats (VidgenSession *session, VidgenSessionStats *stats)
{
  g_mutex_lock (&session->lock);
  *stats = session->stats;
  stats->level_ns = vidgen_timeline_frame_ns (
      &session->timeline, vidgen_session_frames_ahead (session));
  stats->memory_peak_bytes = vidgen_device_memory_peak (session->device);
  stats->real_time_factor = real_time_factor (session);
  g_mutex_unlock (&session->lock);
}
