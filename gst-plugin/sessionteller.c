/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/session-private.h"

static void
free_news (gpointer data)
{
  VidgenSessionNews *news = data;

  vidgen_session_mark_free (news->shown);
  g_free (news);
}

void
vidgen_session_post (VidgenSession *session, const VidgenSessionNews *news)
{
  if (news)
    g_queue_push_tail (&session->news, g_memdup2 (news, sizeof *news));
  session->level_due = session->report_level;
  if (news || session->level_due)
    g_cond_signal (&session->told);
}

void
vidgen_session_clear_news (VidgenSession *session)
{
  g_queue_clear_full (&session->news, free_news);
}

static void
give_up (VidgenSession *session, const VidgenSessionNews *news)
{
  g_autoptr (GError) error = g_error_new (VIDGEN_ERROR, VIDGEN_ERROR_FAILED,
      "Generation is slower than real time: nothing is left to send after "
      "%.3f s.",
      news->time_ns / 1e9);

  vidgen_session_fail (session, error);
}

static void
tell (VidgenSession *session, const VidgenSessionNews *news)
{
  const VidgenSessionCallbacks *callbacks = session->callbacks;

  if (news->underrun)
    callbacks->underrun (&news->lateness, session->user_data);
  if (news->shown)
    callbacks->prompt_applied (news->shown->prompt, news->shown->chunk,
        news->time_ns, session->user_data);
  if (news->gives_up)
    give_up (session, news);
}

gpointer
vidgen_session_tell (gpointer data)
{
  VidgenSession *session = data;

  g_mutex_lock (&session->lock);
  while (!session->stopping) {
    VidgenSessionNews *news = g_queue_pop_head (&session->news);
    if (!news && (!session->level_due || session->reporting)) {
      g_cond_wait (&session->told, &session->lock);
      continue;
    }
    g_mutex_unlock (&session->lock);
    if (news) {
      tell (session, news);
      free_news (news);
    }
    vidgen_session_report_level (session);
    g_mutex_lock (&session->lock);
  }
  g_mutex_unlock (&session->lock);
  vidgen_session_unref (session);
  return NULL;
}
