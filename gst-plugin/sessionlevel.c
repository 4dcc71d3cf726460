/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/session-private.h"

/* However long the buffer is, no more is made ahead than this, but for a chunk
 * behind the one that is shown. */
#define MAX_BYTES (256u << 20)
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
             vidgen_reel_bytes (session->reel) >= MAX_BYTES);
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
      vidgen_reel_bytes_from (session->reel, session->slots.content) * 100 /
      MAX_BYTES;
  return MIN (MAX (by_time, by_bytes), 99);
}

static gboolean
take_level (VidgenSession *session, guint *percent)
{
  *percent = level_percent (session);
  if (*percent < LOW_PERCENT)
    session->buffering = TRUE;
  const gboolean news =
      !session->stopping && session->buffering && *percent != session->level;
  if (news)
    session->level = *percent;
  if (*percent == 100)
    session->buffering = FALSE;
  return news;
}

void
vidgen_session_report_level (VidgenSession *session)
{
  guint percent;

  if (!session->report_level)
    return;
  g_mutex_lock (&session->lock);
  session->level_due = TRUE;
  while (session->level_due && !session->reporting) {
    session->level_due = FALSE;
    if (!take_level (session, &percent))
      continue;
    session->reporting = TRUE;
    g_mutex_unlock (&session->lock);
    session->callbacks->level (percent, session->user_data);
    g_mutex_lock (&session->lock);
    session->reporting = FALSE;
  }
  g_mutex_unlock (&session->lock);
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

gboolean
vidgen_session_buffer (VidgenSession *session, VidgenSessionBuffer *buffer)
{
  const VidgenTimeline *timeline = &session->timeline;

  if (!session->report_level)
    return FALSE;
  g_mutex_lock (&session->lock);
  const guint64 from = session->slots.content;
  const guint64 ahead = vidgen_session_frames_ahead (session);
  const guint percent = level_percent (session);
  *buffer = (VidgenSessionBuffer){
    .busy = percent < LOW_PERCENT || (percent < 100 && session->buffering),
    .percent = percent,
    .from = from,
    .to = from + ahead,
  };
  if (ahead > 0)
    buffer->out_bytes_per_s =
        (double)vidgen_reel_bytes_from (session->reel, from) / ahead *
        timeline->fps_n / timeline->fps_d;
  if (session->made_ns > 0)
    buffer->in_bytes_per_s =
        buffer->out_bytes_per_s * session->made_content_ns / session->made_ns;
  buffer->left_ms = time_left_ms (session, buffer);
  g_mutex_unlock (&session->lock);
  return TRUE;
}
