/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/session-private.h"

/* Below this a buffering session tells the player to pause. */
#define LOW_PERCENT 10

guint64
vidgen_session_frames_ahead (const VidgenSession *session)
{
  const guint64 next = session->slots.content;

  return vidgen_reel_end_from (session->reel, next) - next;
}

gboolean
vidgen_session_is_full (const VidgenSession *session)
{
  const guint64 ahead = vidgen_session_frames_ahead (session);

  return ahead >= session->buffer_frames ||
         session->slots.content + ahead >= session->end ||
         (vidgen_reel_length (session->reel) > 1 &&
             vidgen_reel_bytes_from (
                 session->reel, vidgen_session_needed_from (session)) >=
                 VIDGEN_SESSION_MAX_BYTES);
}

/* Of frames, where bytes do not bound it before. */
static guint64
capacity (const VidgenSession *session)
{
  return MIN (session->buffer_frames, session->end - session->slots.content);
}

static guint
level_percent (const VidgenSession *session)
{
  if (vidgen_session_is_full (session))
    return 100;
  const guint64 by_time =
      vidgen_session_frames_ahead (session) * 100 / capacity (session);
  const guint64 by_bytes =
      (guint64)vidgen_reel_bytes_from (session->reel, session->slots.content) *
      100 / VIDGEN_SESSION_MAX_BYTES;
  return MIN (MAX (by_time, by_bytes), 99);
}

/* How long it takes to make what is missing; negative: that is not known. */
static gint64
time_left_ms (const VidgenSession *session, const VidgenSessionBuffer *buffer)
{
  const guint64 ahead = buffer->to - buffer->from;
  const guint64 missing =
      buffer->percent > 0 ? ahead * (100 - buffer->percent) / buffer->percent
                          : capacity (session);

  if (!buffer->busy)
    return 0;
  if (session->made_content_ns == 0)
    return -1;
  return vidgen_timeline_frame_ns (&session->timeline, missing) / 1e6 *
         session->made_ns / session->made_content_ns;
}

static gint
rate_of (double bytes_per_s)
{
  return bytes_per_s > 0 ? MIN (bytes_per_s, G_MAXINT) : -1;
}

static void
measure (const VidgenSession *session, VidgenSessionBuffer *buffer)
{
  const VidgenTimeline *timeline = &session->timeline;
  const guint64 from = session->slots.content;
  const guint64 ahead = vidgen_session_frames_ahead (session);
  const guint percent = level_percent (session);
  double out = 0;

  if (ahead > 0)
    out = (double)vidgen_reel_bytes_from (session->reel, from) / ahead *
          timeline->fps_n / timeline->fps_d;
  *buffer = (VidgenSessionBuffer){
    .busy = percent < LOW_PERCENT || (percent < 100 && session->buffering),
    .percent = percent,
    .from = from,
    .to = from + ahead,
    .in_bytes_per_s =
        session->made_ns > 0
            ? rate_of (out * session->made_content_ns / session->made_ns)
            : -1,
    .out_bytes_per_s = rate_of (out),
  };
  buffer->left_ms = time_left_ms (session, buffer);
}

static gboolean
take_level (VidgenSession *session, VidgenSessionBuffer *buffer)
{
  const guint percent = level_percent (session);

  if (percent < LOW_PERCENT)
    session->buffering = TRUE;
  const gboolean news =
      !session->stopping && session->buffering && percent != session->level;
  if (news) {
    session->level = percent;
    measure (session, buffer);
  }
  if (percent == 100)
    session->buffering = FALSE;
  return news;
}

void
vidgen_session_report_level (VidgenSession *session)
{
  VidgenSessionBuffer buffer;

  if (!session->report_level)
    return;
  g_mutex_lock (&session->lock);
  session->level_due = TRUE;
  while (session->level_due && !session->reporting) {
    session->level_due = FALSE;
    if (!take_level (session, &buffer))
      continue;
    session->reporting = TRUE;
    g_mutex_unlock (&session->lock);
    session->callbacks->level (&buffer, session->user_data);
    g_mutex_lock (&session->lock);
    session->reporting = FALSE;
  }
  g_mutex_unlock (&session->lock);
}

gboolean
vidgen_session_buffer (VidgenSession *session, VidgenSessionBuffer *buffer)
{
  if (!session->report_level)
    return FALSE;
  g_mutex_lock (&session->lock);
  measure (session, buffer);
  g_mutex_unlock (&session->lock);
  return TRUE;
}
