/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "gst-plugin/generator.h"
#include "gst-plugin/timeline.h"

G_BEGIN_DECLS

/* The thread and the queue between a stream and the two pads of an element.
 * Its worker loads the model, then makes chunks while less than `buffer_ns` of
 * content is ahead of the pad that is furthest; each pad (a track) takes the
 * output slot by slot. What a slot carries is decided once, by the track that
 * asks first, so that both tracks carry equal spans. Knows no GStreamer types.
 *
 * Refcounted. Every function is thread-safe; each track is taken from by one
 * thread.
 */
typedef struct _VidgenSession VidgenSession;

typedef enum { VIDGEN_TRACK_VIDEO, VIDGEN_TRACK_AUDIO } VidgenTrack;
#define VIDGEN_TRACKS 2

/* What a live session does when content is late. */
typedef enum {
  VIDGEN_UNDERRUN_REPEAT, /* fillers until the buffer is full again */
  VIDGEN_UNDERRUN_STALL,  /* waits */
  VIDGEN_UNDERRUN_ERROR
} VidgenUnderrun;

/* An output frame whose content is late. */
typedef struct {
  guint64 time_ns;         /* when it was due */
  guint64 late_ns;         /* how late it was when that was found */
  guint64 on_time;         /* frames before it that were not late */
  double real_time_factor; /* of all chunks so far; 0: none was made */
} VidgenLateness;

/* What lies ahead of the track that is furthest. */
typedef struct {
  gboolean busy;    /* a player should not play before all is there */
  guint percent;    /* of what can be ahead: `buffer_ns`, the rest of the clip
                       or so many bytes, whichever is reached first */
  guint64 from, to; /* content frames */
  gint in_bytes_per_s;  /* that are made; -1: unknown */
  gint out_bytes_per_s; /* that content takes; -1: unknown */
  gint64 left_ms;       /* until all is there; negative: unknown */
} VidgenSessionBuffer;

/* Nothing is locked while one of these runs, and none runs on a track's thread:
 * what a track finds is told by the teller, a thread of its own, so that
 * whoever hears of it may seek. `time_ns` is the time of an output frame:
 * stream time, which live is running time too. */
typedef struct {
  /* On the worker. phase: "load", "warmup", "encode" or, where a part of a clip
   * must be made again before the one that was sought, "seek"; NULL: it is
   * done. */
  void (*progress) (const char *phase, double fraction, gpointer user_data);
  /* On the worker, where settings cannot be had or at its end: the phase, if
   * there is one, was given up; `error` says why, NULL that it was stopped. */
  void (*gave_up) (const GError *error, gpointer user_data);
  /* On the worker, before the chunk that begins then: the moment to set what
   * changes with time. */
  void (*before_chunk) (guint64 time_ns, gpointer user_data);
  /* On the worker. */
  void (*chunk_made) (guint64 chunk, guint64 generation_ns, guint64 level_ns,
      gpointer user_data);
  /* A prompt set after the start shows from then on. As soon as that is
   * certain: on the worker, or live on the teller. */
  void (*prompt_applied) (
      const char *prompt, guint64 chunk, guint64 time_ns, gpointer user_data);
  /* On the worker: settings that cannot be; `in_force` stay. */
  void (*settings_refused) (
      const GError *error, const VidgenSettings *in_force, gpointer user_data);
  /* On the worker or the teller, one at a time and in order; only with
   * `report_level`: what lies ahead. */
  void (*level) (const VidgenSessionBuffer *buffer, gpointer user_data);
  /* On the teller: content is late from then on. */
  void (*underrun) (const VidgenLateness *lateness, gpointer user_data);
  /* On the worker or the teller, once; the session makes nothing more. */
  void (*failed) (const GError *error, gpointer user_data);
} VidgenSessionCallbacks;

typedef struct {
  VidgenModel *model;
  VidgenDevice *device;
  guint64 seed;
  guint64 frames; /* of the clip; VIDGEN_ENDLESS */
  gboolean live;
  gboolean report_level;
  guint64 buffer_ns;
  VidgenUnderrun underrun;
  gboolean linked[VIDGEN_TRACKS];
  const VidgenSettings *settings;
} VidgenSessionParams;

/* Starts the worker and the teller. `callbacks` and `user_data` must live until
 * vidgen_session_stop() has returned. */
VidgenSession *vidgen_session_new (const VidgenSessionParams *params,
    const VidgenSessionCallbacks *callbacks, gpointer user_data);
/* Cancels what runs, lets every track go with FLUSHING for good, and waits for
 * the worker and the teller to end. */
void vidgen_session_stop (VidgenSession *session);
VidgenSession *vidgen_session_ref (VidgenSession *session);
void vidgen_session_unref (VidgenSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenSession, vidgen_session_unref)

/* Never changes. */
const VidgenTimeline *vidgen_session_timeline (const VidgenSession *session);
const VidgenModelInfo *vidgen_session_model (const VidgenSession *session);
gboolean vidgen_session_is_live (const VidgenSession *session);
/* A clip that is not live. */
gboolean vidgen_session_is_seekable (const VidgenSession *session);

/* From the next chunk on. Before the first chunk is made, bad settings fail
 * the session; later they are refused. */
void vidgen_session_set (
    VidgenSession *session, const VidgenSettings *settings);
void vidgen_session_set_underrun (
    VidgenSession *session, VidgenUnderrun underrun);
/* The size and format of pictures, from the next chunk on; the first chunk
 * waits for it where the video track is linked. */
void vidgen_session_set_format (VidgenSession *session, guint width,
    guint height, VidgenPictureFormat picture_format);

/* A track that is not linked takes nothing and nothing is made for it alone;
 * linked again, it goes on at the other's place. */
void vidgen_session_link (VidgenSession *session, VidgenTrack track);
/* How often a track was linked. */
guint vidgen_session_links (VidgenSession *session, VidgenTrack track);
/* The track led nowhere when it had been linked `links` times; if it was linked
 * again since, that counts. Returns whether any track is linked still. */
gboolean vidgen_session_unlink (
    VidgenSession *session, VidgenTrack track, guint links);
/* The track takes nothing more until it seeks. */
void vidgen_session_set_done (VidgenSession *session, VidgenTrack track);
/* While it is set, the track's calls return FLUSHING. */
void vidgen_session_set_flushing (
    VidgenSession *session, VidgenTrack track, gboolean flushing);

/* While it is set, no track gets anything: neither may go on before both have
 * been flushed and moved. */
void vidgen_session_set_held (VidgenSession *session, gboolean held);

/* Moves a track to `frame`. Both tracks must be moved, to the same frame: the
 * first call restarts generation, and the track that is not moved yet waits.
 * Nothing is made at or behind `stop_frame`. */
void vidgen_session_seek (VidgenSession *session, VidgenTrack track,
    guint64 frame, guint64 stop_frame);

typedef enum {
  VIDGEN_TAKE_OK,
  VIDGEN_TAKE_SKIPPED, /* the slot holds nothing for this track: go on */
  VIDGEN_TAKE_END,     /* of the clip */
  VIDGEN_TAKE_FLUSHING,
  VIDGEN_TAKE_UNLINKED, /* no track is linked */
  VIDGEN_TAKE_FAILED    /* reported already */
} VidgenTake;

/* Live: waits until the session has the content to begin with, and says which
 * slot the track takes next. */
VidgenTake vidgen_session_await (
    VidgenSession *session, VidgenTrack track, guint64 *slot);
/* Live, behind await: fixes the running time of frame 0, to `now_ns` by the
 * first call, and returns it. */
guint64 vidgen_session_begin (VidgenSession *session, guint64 now_ns);
/* The running time of frame 0, or G_MAXUINT64 while that is open; 0 when not
 * live. */
guint64 vidgen_session_origin (VidgenSession *session);

/* Live: a slot has left `late_ns` behind its time. Whether the latency has
 * grown by more than a frame since that was last told. */
gboolean vidgen_session_left (VidgenSession *session, guint64 late_ns);
/* How far behind their time slots leave at most: what was measured so far, and
 * no less than a frame. */
guint64 vidgen_session_latency (VidgenSession *session);

typedef struct {
  guint64 slot;
  VidgenChunk *chunk; /* owned by the taker */
  guint frame;        /* in the chunk; of a filler the one repeated */
  /* The samples of the content frame, from here on in the chunk. */
  guint first_sample, samples;
  gboolean filler;
  guint64 filler_index; /* in a row */
  gboolean resumes;     /* the first content behind fillers */
  gboolean discont;     /* does not follow the slot taken before */
  char *prompt;         /* in force; a GRefString, owned by the taker */
} VidgenSlot;

void vidgen_slot_clear (VidgenSlot *slot);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VidgenSlot, vidgen_slot_clear)

/* Decides and hands over the track's next slot. Waits for content, except
 * where a live session makes a filler instead. `late_ns`: live, how long ago
 * that slot's time was. */
VidgenTake vidgen_session_take (VidgenSession *session, VidgenTrack track,
    guint64 late_ns, VidgenSlot *slot);

/* FALSE without `report_level`. */
gboolean vidgen_session_buffer (
    VidgenSession *session, VidgenSessionBuffer *buffer);

typedef struct {
  guint64 chunks;          /* made */
  guint64 frames;          /* output slots decided, fillers included */
  guint64 first_chunk_ns;  /* from the start to the first chunk; 0: none */
  double real_time_factor; /* content time over generation time; 0: none */
  guint64 underruns;
  guint64 on_time;   /* of `frames`, those that were not late */
  guint64 level_ns;  /* content ahead */
  guint64 device_ns; /* device time of all chunks */
  guint64 memory_peak_bytes;
} VidgenSessionStats;

void vidgen_session_stats (VidgenSession *session, VidgenSessionStats *stats);

G_END_DECLS
