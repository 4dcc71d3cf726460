/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "gst-plugin/reel.h"
#include "gst-plugin/session.h"

G_BEGIN_DECLS

/* What the tracks' side of a session, session.c, shares with its worker,
 * sessionworker.c, its teller, sessionteller.c, and the measure of what is
 * ahead, sessionlevel.c. */
typedef struct {
  gboolean linked, done, flushing, discont;
  guint links;  /* how often it was linked */
  guint64 next; /* slot */
  guint epoch;  /* of the seek that it has followed */
} VidgenSessionTrack;

typedef struct {
  guint64 frame; /* content; where the prompt takes effect */
  guint64 chunk;
  char *prompt; /* GRefString */
} VidgenSessionMark;

/* What a track has found; one of these. */
typedef struct {
  gboolean underrun, gives_up;
  guint64 time_ns;
  VidgenLateness lateness;  /* of an underrun */
  VidgenSessionMark *shown; /* owned */
} VidgenSessionNews;

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
  GThread *worker, *teller;
  gint64 start_us;
  gboolean in_phase; /* of what the model tells; the worker's own */

  GMutex lock; /* guards what follows */
  GCond changed;
  VidgenSessionTrack tracks[VIDGEN_TRACKS];
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
  guint64 way_from, way_at; /* of what is made again before a seek's target */
  VidgenSettings settings;
  guint settings_serial, settings_seen;
  gboolean settings_pending; /* accepted, but not yet in a chunk */
  gint64 pending_us;         /* since when some are */
  guint64 synced_frame;      /* before_chunk was called for it */
  gboolean have_format;
  VidgenFormat format;
  VidgenPictureFormat picture_format;
  GArray *marks;        /* of every prompt, by frame */
  GQueue announcements; /* VidgenSessionMark: prompts that are not yet shown */
  VidgenSessionStats stats;
  guint64 made_ns, made_content_ns;
  gboolean buffering;
  guint level;
  gboolean reporting; /* a thread is in level(): it reports what is due too */
  gboolean level_due;
  GQueue news;                   /* VidgenSessionNews, for the teller */
  GCond told;                    /* that there is something to tell */
  guint64 late_ns, told_late_ns; /* at most */
};

/* The lock is held in these. */

guint64 vidgen_session_frames_ahead (const VidgenSession *session);
/* The first content frame that some track may still ask for. */
guint64 vidgen_session_needed_from (const VidgenSession *session);
/* Nothing more is to be made for now. */
gboolean vidgen_session_is_full (const VidgenSession *session);
/* However long the buffer is, what waits takes no more than this, but for a
 * chunk behind the one that is shown. */
#define VIDGEN_SESSION_MAX_BYTES (256u << 20)
/* What `track` is to be given, once it has followed the newest seek. */
gboolean vidgen_session_is_wanted (
    const VidgenSession *session, VidgenTrack track);
/* Forgets what nobody will ask for. */
void vidgen_session_tidy (VidgenSession *session);
/* Of an output frame. */
guint64 vidgen_session_time_of (const VidgenSession *session, guint64 frame);
/* The prompt in force at a content frame; NULL before the first chunk. */
const VidgenSessionMark *vidgen_session_mark_at (
    const VidgenSession *session, guint64 frame);

/* Leaves `news`, whose fields it takes over, and the level to the teller. */
void vidgen_session_post (
    VidgenSession *session, const VidgenSessionNews *news);
void vidgen_session_clear_news (VidgenSession *session);

/* It is not held in these. */

/* Or leaves that to the thread that is reporting, so that reports stay in
 * order. */
void vidgen_session_report_level (VidgenSession *session);
void vidgen_session_fail (VidgenSession *session, const GError *error);

/* The threads of the worker and the teller; each takes a reference on the
 * session. */
gpointer vidgen_session_work (gpointer session);
gpointer vidgen_session_tell (gpointer session);

void vidgen_session_mark_free (VidgenSessionMark *mark);

G_END_DECLS
