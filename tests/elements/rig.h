/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

#include "tests/elements/fakemodel.h"

G_BEGIN_DECLS

/* A pipeline of vidgensrc on the fake model and one fakesink a pad; what
 * arrives there is kept. */
typedef enum { RIG_VIDEO, RIG_AUDIO } RigPad;
#define RIG_PADS 2
#define RIG_BOTH (1 << RIG_VIDEO | 1 << RIG_AUDIO)

typedef struct {
  GstElement *sink;   /* NULL: the pad is not linked */
  GstElement *filter; /* a capsfilter before it */
  GPtrArray *buffers; /* GstBuffer since a flush, those of preroll once */
  GPtrArray *caps;    /* GstCaps of each buffer */
  GPtrArray *events;  /* GstEvent, serialised and downstream */
} RigTrack;

typedef struct {
  GstElement *pipeline, *src;
  RigTrack tracks[RIG_PADS];
  GPtrArray *messages; /* GstMessage, those read so far */
  GMutex lock;         /* guards what the tracks hold */
} Rig;

/* `pads`: which are linked, a mask of 1 << RigPad. */
Rig *rig_new (guint pads);
void rig_free (Rig *rig);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rig, rig_free)

void rig_state (Rig *rig, GstState state);
/* Reads messages until one of `types` comes, at most a minute, or five under
 * sanitizers as whatever waits here; returns it, owned by the rig. Fails the
 * test on an error that is not asked for. */
GstMessage *rig_wait (Rig *rig, GstMessageType types);
/* Until an element message called `name` comes. */
const GstStructure *rig_wait_element (Rig *rig, const char *name);
/* Whatever waits on the bus now. */
void rig_read (Rig *rig);
guint rig_count (const Rig *rig, GstMessageType type);
/* Plays to the end and stops. */
void rig_run (Rig *rig);
/* Until a pad has received `n` buffers, at most a minute. */
void rig_wait_buffers (Rig *rig, RigPad pad, guint n);
guint rig_received (Rig *rig, RigPad pad);
/* Until EOS has come down every linked pad since the last rig_clear(); behind
 * a seek the bus may tell of the end before all pads have reached it. */
void rig_wait_end (Rig *rig);

GstBuffer *rig_buffer (const Rig *rig, RigPad pad, guint i);
FakeContent rig_content (const Rig *rig, guint i);
gboolean rig_has_event (Rig *rig, RigPad pad, GstEventType type);
/* Forgets what was received. */
void rig_clear (Rig *rig);
/* Interleaved stereo F32LE samples of all audio buffers. */
GArray *rig_sound (const Rig *rig);
/* SHA-256 of all bytes that a pad received. */
char *rig_checksum (const Rig *rig, RigPad pad);
/* Frames 0 … frames - 1 and their samples came once each, with exact stamps. */
void rig_assert_clip (const Rig *rig, guint frames, guint64 samples);

#define rig_assert_error(message, domain, code)                                \
  rig_assert_error_is (message, domain, code, G_STRLOC)
void rig_assert_error_is (
    GstMessage *message, GQuark domain, gint code, const char *where);

G_END_DECLS
