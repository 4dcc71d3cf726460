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
 * the other has begun. Thread-safe; zero to begin with.
 */
typedef struct {
  gint running; /* sources that play it */
  gint seqnum;
} GstVidgenSegment;

/* Posts SEGMENT_START on `element` if `seek` asks for a segment. */
void gst_vidgen_segment_begin (
    GstVidgenSegment *segment, GstElement *element, GstEvent *seek);
/* Posts SEGMENT_DONE with the second such message of a source. */
void gst_vidgen_segment_end (
    GstVidgenSegment *segment, GstElement *element, GstMessage *message);

G_END_DECLS
