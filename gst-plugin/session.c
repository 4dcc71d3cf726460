/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/session.h"

#include "gst-plugin/reel.h"

/* However long the buffer is, no more is made ahead than this. */
#define MAX_BYTES (256u << 20)
/* What a clip keeps of what was shown, so that seeking back costs nothing. */
#define KEEP_BYTES (64u << 20)
/* Below this a buffering session tells the player to pause. */
#define LOW_PERCENT 10

typedef struct {
  gboolean linked, done, flushing, discont;
  guint64 next; /* slot */
  guint epoch;  /* of the seek that it has followed */
} Track;

typedef struct {
  guint64 frame; /* content; where the prompt takes effect */
  guint64 chunk;
  char *prompt; /* GRefString */
} Mark;

struct _VidgenSession {
  gatomicrefcount references;
  VidgenModel *model;
  VidgenDevice *device;
  guint64 seed;
  gboolean live, report_level;
  VidgenTimeline timeline;
  guint64 buffer_frames;
  const VidgenSessionCallbacks *callbacks;
  gpointer user_data;
  GThread *worker;
  gint64 start_us;

  GMutex lock; /* guards what follows, to `stats` */
  GCond changed;
  Track tracks[VIDGEN_TRACKS];
  gboolean held;
  guint epoch; /* counts seeks */
  guint64 end; /* frame at which the output ends */
  VidgenReel *reel;
  VidgenSlots slots;
  VidgenUnderrun underrun;
  gboolean rebuffering;
  guint64 late_slot; /* the newest that content was late for */
  guint64 origin_ns;
  gboolean stopping, failing;
  GError *error;
  GCancellable *cancellable;      /* of what the worker is at */
  guint64 making_from, making_to; /* frames that the worker is at */
  VidgenSettings settings;
  guint settings_serial, settings_seen;
  gboolean settings_pending; /* accepted, but not yet in a chunk */
  guint64 synced_frame;      /* before_chunk was called for it */
  gboolean have_format;
  VidgenFormat format;
  VidgenPictureFormat picture_format;
  GArray *marks;        /* of every prompt, by frame */
  GQueue announcements; /* Mark: prompts that are not yet shown */
  VidgenSessionStats stats;
  guint64 made_ns, made_content_ns;

  GMutex level_lock; /* keeps reports in order; taken before `lock` */
  gboolean buffering;
  guint level;
};

static void
clear_mark (gpointer data)
{
  Mark *mark = data;

  g_clear_pointer (&mark->prompt, g_ref_string_release);
}

static void
free_mark (gpointer data)
{
  clear_mark (data);
  g_free (data);
}

void
vidgen_slot_clear (VidgenSlot *slot)
{
  g_clear_pointer (&slot->chunk, vidgen_chunk_unref);
  g_clear_pointer (&slot->prompt, g_ref_string_release);
}

static guint64
frames_ahead (const VidgenSession *session)
{
  const guint64 next = session->slots.content;

  return vidgen_reel_end_from (session->reel, next) - next;
}

static gboolean
is_full (const VidgenSession *session)
{
  const guint64 ahead = frames_ahead (session);

  return ahead >= session->buffer_frames ||
         session->slots.content + ahead >= session->end ||
         vidgen_reel_bytes (session->reel) >= MAX_BYTES;
}

static gboolean
is_active (const Track *track)
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

/* What `track` is to be given, once it has followed the newest seek. */
static gboolean
is_wanted (const VidgenSession *session, VidgenTrack track)
{
  const Track *t = &session->tracks[track];

  return t->linked && (!t->done || t->epoch != session->epoch);
}

/* The content that some track may still ask for. */
static guint64
needed_from (const VidgenSession *session)
{
  const VidgenSlots *slots = &session->slots;
  guint64 frame = slots->content;

  if (session->live && frame > 0)
    frame--;
  for (guint i = 0; i < VIDGEN_TRACKS; i++) {
    const Track *track = &session->tracks[i];
    if (is_active (track) && track->next < slots->end)
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
  while (
      n + 1 < marks->len && g_array_index (marks, Mark, n + 1).frame <= frame)
    n++;
  if (n > 0)
    g_array_remove_range (marks, 0, n);
}

static void
tidy (VidgenSession *session)
{
  guint64 slot = session->slots.end;

  if (!is_settled (session))
    return;
  for (guint i = 0; i < VIDGEN_TRACKS; i++) {
    const Track *track = &session->tracks[i];
    if (is_active (track))
      slot = MIN (slot, track->next);
  }
  vidgen_reel_trim (session->reel, needed_from (session),
      vidgen_session_is_seekable (session) ? KEEP_BYTES : 0);
  vidgen_slots_forget (&session->slots, slot);
  forget_marks (session, needed_from (session));
}

static guint64
time_of (const VidgenSession *session, guint64 frame)
{
  const guint64 ns = vidgen_timeline_frame_ns (&session->timeline, frame);

  return session->origin_ns == G_MAXUINT64 ? ns : session->origin_ns + ns;
}

static guint
level_percent (const VidgenSession *session)
{
  if (is_full (session))
    return 100;
  return frames_ahead (session) * 100 / session->buffer_frames;
}

static void
report_level (VidgenSession *session)
{
  if (!session->report_level)
    return;
  g_mutex_lock (&session->level_lock);
  g_mutex_lock (&session->lock);
  const guint percent = level_percent (session);
  const gboolean stopping = session->stopping;
  g_mutex_unlock (&session->lock);

  if (!session->buffering && percent < LOW_PERCENT)
    session->buffering = TRUE;
  if (!stopping && session->buffering && percent != session->level) {
    session->level = percent;
    session->callbacks->level (percent, session->user_data);
  }
  if (percent == 100)
    session->buffering = FALSE;
  g_mutex_unlock (&session->level_lock);
}

static void
fail (VidgenSession *session, const GError *error)
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

/* The worker. */

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
  const Mark mark = { frame, chunk, g_ref_string_new (prompt) };
  guint n = session->marks->len;

  while (n > 0 && g_array_index (session->marks, Mark, n - 1).frame >= frame)
    n--;
  g_array_set_size (session->marks, n);
  g_array_append_val (session->marks, mark);
}

static const Mark *
mark_at (const VidgenSession *session, guint64 frame)
{
  guint n = session->marks->len;

  while (n > 1 && g_array_index (session->marks, Mark, n - 1).frame > frame)
    n--;
  return n > 0 ? &g_array_index (session->marks, Mark, n - 1) : NULL;
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
  VidgenSettings settings = { 0 };
  GError *problem = NULL;

  vidgen_settings_copy (&settings, &session->settings);
  g_mutex_unlock (&session->lock);
  vidgen_generator_set (generator, &settings, cancellable, &problem);
  g_mutex_lock (&session->lock);

  if (!problem) {
    session->settings_seen = serial;
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
  const guint64 level_ns = vidgen_timeline_frame_ns (
      &session->timeline, frames_ahead (session) + chunk->frames);
  const guint64 time_ns = time_of (session, made->first_frame);

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
announce_later (VidgenSession *session, const Mark *mark)
{
  Mark *copy = g_memdup2 (mark, sizeof *mark);

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
    announce_later (session, mark_at (session, made->first_frame));
  vidgen_reel_insert (session->reel, made->first_frame, chunk);
  count_chunk (session, generator, chunk);
  tidy (session);
  g_cond_broadcast (&session->changed);

  g_mutex_unlock (&session->lock);
  report_level (session);
  g_mutex_lock (&session->lock);
}

static gboolean
make_chunk (VidgenSession *session, VidgenGenerator *generator,
    const VidgenSettings *in_force, GError **error)
{
  g_autoptr (GCancellable) cancellable = begin_step (session);
  const VidgenChunkRequest request = {
    .video = session->have_format && is_wanted (session, VIDGEN_TRACK_VIDEO),
    .picture_format = session->picture_format,
    .audio = is_wanted (session, VIDGEN_TRACK_AUDIO),
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
  if (!is_wanted (session, VIDGEN_TRACK_VIDEO) &&
      !is_wanted (session, VIDGEN_TRACK_AUDIO))
    return FALSE;
  return !is_full (session) &&
         (session->have_format || !session->tracks[VIDGEN_TRACK_VIDEO].linked);
}

/* Called and left with the lock held. */
static gboolean
step (VidgenSession *session, VidgenGenerator *generator,
    VidgenSettings *in_force, GError **error)
{
  if (session->settings_serial != session->settings_seen)
    return take_settings (session, generator, in_force, error);

  make_room_for_settings (session, generator);
  if (!wants_chunk (session)) {
    g_cond_wait (&session->changed, &session->lock);
    return TRUE;
  }
  const guint64 frame =
      vidgen_reel_end_from (session->reel, session->slots.content);
  if (session->synced_frame != frame) {
    const guint64 fillers = session->slots.end - session->slots.content;
    const guint64 time_ns = time_of (session, frame + fillers);
    session->synced_frame = frame;
    g_mutex_unlock (&session->lock);
    session->callbacks->before_chunk (time_ns, session->user_data);
    g_mutex_lock (&session->lock);
    return TRUE;
  }
  return make_chunk (session, generator, in_force, error);
}

static gboolean
load (VidgenSession *session, VidgenGenerator *generator, GError **error)
{
  g_mutex_lock (&session->lock);
  g_autoptr (GCancellable) cancellable = begin_step (session);
  g_mutex_unlock (&session->lock);

  report_level (session);
  if (vidgen_generator_load (generator, session->callbacks->progress,
          session->user_data, cancellable, error)) {
    session->callbacks->progress (NULL, 1, session->user_data);
    vidgen_device_save_cache (session->device);
    return TRUE;
  }
  session->callbacks->load_failed (*error, session->user_data);
  return FALSE;
}

static gpointer
work (gpointer data)
{
  VidgenSession *session = data;
  VidgenGenerator *generator = vidgen_generator_new (session->model,
      session->device, session->seed, !vidgen_session_is_seekable (session));
  VidgenSettings in_force = { 0 };
  GError *error = NULL;

  if (load (session, generator, &error)) {
    g_mutex_lock (&session->lock);
    while (!session->stopping && !session->error && !error) {
      if (!step (session, generator, &in_force, &error) && is_cancelled (error))
        g_clear_error (&error);
    }
    g_mutex_unlock (&session->lock);
  }
  if (error && !is_cancelled (error))
    fail (session, error);
  g_clear_error (&error);
  vidgen_settings_clear (&in_force);
  vidgen_generator_free (generator);
  vidgen_session_unref (session);
  return NULL;
}

/* What the element calls. */

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
  g_mutex_init (&session->level_lock);
  g_cond_init (&session->changed);
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
  session->format = info->native;
  session->marks = g_array_new (FALSE, FALSE, sizeof (Mark));
  g_array_set_clear_func (session->marks, clear_mark);
  session->buffering = TRUE;
  session->level = G_MAXUINT;
  session->worker =
      g_thread_new ("vidgen-session", work, vidgen_session_ref (session));
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
  GThread *worker = g_steal_pointer (&session->worker);
  g_mutex_unlock (&session->lock);
  if (worker)
    g_thread_join (worker);
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
  g_queue_clear_full (&session->announcements, free_mark);
  g_array_unref (session->marks);
  vidgen_settings_clear (&session->settings);
  g_clear_object (&session->cancellable);
  g_clear_error (&session->error);
  vidgen_slots_clear (&session->slots);
  vidgen_reel_free (session->reel);
  g_cond_clear (&session->changed);
  g_mutex_clear (&session->level_lock);
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

gboolean
vidgen_session_set_linked (
    VidgenSession *session, VidgenTrack track, gboolean linked)
{
  g_mutex_lock (&session->lock);
  Track *t = &session->tracks[track];
  if (linked && !t->linked) {
    t->next = MAX (t->next, session->slots.end);
    t->discont = TRUE;
  }
  t->linked = linked;
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
  Track *t = &session->tracks[track];
  if (t->epoch == session->epoch)
    restart_at (session, frame, stop_frame);
  t->epoch = session->epoch;
  t->next = frame;
  t->done = FALSE;
  t->discont = TRUE;
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
  report_level (session);
}

/* What a track can do now: OK, SKIPPED for wait and look again, or how its
 * call ends. */
static VidgenTake
look (const VidgenSession *session, VidgenTrack track)
{
  const Track *t = &session->tracks[track];

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
             !is_full (session)))
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

/* What a take has to tell once nothing is locked. */
typedef struct {
  gboolean underrun, give_up;
  guint64 time_ns, on_time;
  Mark *shown;
} News;

static void
decide_content (VidgenSession *session, News *news)
{
  const Mark *head = g_queue_peek_head (&session->announcements);

  if (head && head->frame <= session->slots.content) {
    news->shown = g_queue_pop_head (&session->announcements);
    news->time_ns = time_of (session, session->slots.end);
  }
  if (session->late_slot != session->slots.end)
    session->stats.on_time++;
  session->stats.frames++;
  session->rebuffering = FALSE;
  vidgen_slots_add_content (&session->slots);
}

static void
begin_underrun (VidgenSession *session, News *news)
{
  session->stats.underruns++;
  session->late_slot = session->slots.end;
  news->underrun = TRUE;
  news->time_ns = time_of (session, session->slots.end);
  news->on_time = session->stats.on_time;
}

/* Content is late. Whether the slot is decided none the less. */
static gboolean
decide_late (VidgenSession *session, News *news)
{
  if (session->underrun == VIDGEN_UNDERRUN_REPEAT) {
    if (!session->rebuffering)
      begin_underrun (session, news);
    session->rebuffering = TRUE;
    session->stats.frames++;
    vidgen_slots_add_filler (&session->slots);
    return TRUE;
  }
  if (session->late_slot != session->slots.end)
    begin_underrun (session, news);
  news->give_up = session->underrun == VIDGEN_UNDERRUN_ERROR;
  return news->give_up;
}

/* Decides the slot after the decided ones, if it can be. */
static gboolean
decide (VidgenSession *session, News *news)
{
  const gboolean have = frames_ahead (session) > 0;

  if (have && (!session->rebuffering || is_full (session))) {
    decide_content (session, news);
    return TRUE;
  }
  return session->live && decide_late (session, news);
}

static gboolean
fill_slot (VidgenSession *session, VidgenTrack track, VidgenSlot *slot)
{
  Track *t = &session->tracks[track];
  const VidgenTimeline *timeline = &session->timeline;
  const VidgenPlace place = vidgen_slots_find (&session->slots, t->next);
  const VidgenReelEntry *entry =
      vidgen_reel_find (session->reel, place.content);
  const Mark *mark = mark_at (session, place.content);

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

static void
tell (VidgenSession *session, News *news)
{
  if (news->underrun)
    session->callbacks->underrun (
        news->time_ns, news->on_time, session->user_data);
  if (news->shown) {
    session->callbacks->prompt_applied (news->shown->prompt, news->shown->chunk,
        news->time_ns, session->user_data);
    free_mark (news->shown);
  }
  if (news->give_up) {
    g_autoptr (GError) error = g_error_new (VIDGEN_ERROR, VIDGEN_ERROR_FAILED,
        "Generation is slower than real time: nothing is left to send after "
        "%.3f s.",
        news->time_ns / 1e9);
    fail (session, error);
  }
  report_level (session);
}

VidgenTake
vidgen_session_take (
    VidgenSession *session, VidgenTrack track, VidgenSlot *slot)
{
  Track *t = &session->tracks[track];
  News news = { 0 };
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
      if (decide (session, &news))
        break;
    }
    g_cond_wait (&session->changed, &session->lock);
  }
  if (state == VIDGEN_TAKE_OK && news.give_up)
    state = VIDGEN_TAKE_FAILED;
  if (state == VIDGEN_TAKE_OK && !fill_slot (session, track, slot))
    state = VIDGEN_TAKE_SKIPPED;
  if (state == VIDGEN_TAKE_END)
    t->done = TRUE;
  tidy (session);
  g_cond_broadcast (&session->changed);
  g_mutex_unlock (&session->lock);
  tell (session, &news);
  return state;
}

void
vidgen_session_stats (VidgenSession *session, VidgenSessionStats *stats)
{
  g_mutex_lock (&session->lock);
  *stats = session->stats;
  stats->level_ns =
      vidgen_timeline_frame_ns (&session->timeline, frames_ahead (session));
  if (session->made_ns > 0)
    stats->real_time_factor =
        (double)session->made_content_ns / session->made_ns;
  g_mutex_unlock (&session->lock);
}
