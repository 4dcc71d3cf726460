/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The same seek in time and from a definite start, so that two sources
 * understand it alike; NULL where it cannot be done. `child` is the source of
 * the pad at which `event` arrived: its position and units count. Transfer
 * full.
 */
GstEvent *gst_vidgen_seek_normalise (GstElement *child, GstEvent *event);

/* Tells of a segment that two sources play as of one: either can end before
 * the other has begun, and both before whoever seeks has heard that they began.
 * Thread-safe; nothing is locked while it posts.
 */
typedef struct {
  GMutex lock; /* guards what follows */
  guint32 seqnum;
  guint running;    /* sources that play it */
  gboolean told;    /* SEGMENT_START was posted */
  GstMessage *done; /* SEGMENT_DONE that waits for that, owned */
} GstVidgenSegment;

void gst_vidgen_segment_init (GstVidgenSegment *segment);
void gst_vidgen_segment_clear (GstVidgenSegment *segment);

/* Before the sources are moved: expects the ends of what `seek` asks for, if
 * that is a segment. */
void gst_vidgen_segment_expect (GstVidgenSegment *segment, GstEvent *seek);
/* Behind that: posts SEGMENT_START on `element`, unless another segment has
 * taken its place, or forgets the segment where the sources were not `moved`.
 */
void gst_vidgen_segment_begin (GstVidgenSegment *segment, GstElement *element,
    GstEvent *seek, gboolean moved);
/* Posts SEGMENT_DONE with the second such message of a source, but not before
 * SEGMENT_START. */
void gst_vidgen_segment_end (
    GstVidgenSegment *segment, GstElement *element, GstMessage *message);

G_END_DECLS
