/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/gstvidgenseek.h"

#define SOURCES 2

static gboolean
to_time (
    GstElement *child, GstFormat format, GstSeekType type, gint64 *position)
{
  const gboolean behind = *position < 0;
  gint64 time;

  if (type == GST_SEEK_TYPE_NONE || format == GST_FORMAT_TIME)
    return TRUE;
  if (!gst_element_query_convert (
          child, format, ABS (*position), GST_FORMAT_TIME, &time))
    return FALSE;
  *position = behind ? -time : time;
  return TRUE;
}

GstEvent *
gst_vidgen_seek_normalise (GstElement *child, GstEvent *event)
{
  GstSeekType start_type, stop_type;
  gint64 start, stop;
  GstSeekFlags flags;
  GstFormat format;
  double rate;

  gst_event_parse_seek (
      event, &rate, &format, &flags, &start_type, &start, &stop_type, &stop);
  if (rate <= 0 || (flags & GST_SEEK_FLAG_INSTANT_RATE_CHANGE) ||
      (format != GST_FORMAT_TIME && format != GST_FORMAT_DEFAULT))
    return NULL;
  if (!to_time (child, format, start_type, &start) ||
      !to_time (child, format, stop_type, &stop))
    return NULL;
  if (start_type == GST_SEEK_TYPE_NONE) {
    if (!gst_element_query_position (child, GST_FORMAT_TIME, &start))
      return NULL;
    start_type = GST_SEEK_TYPE_SET;
  }
  if (start_type == GST_SEEK_TYPE_SET && stop_type == GST_SEEK_TYPE_SET &&
      stop >= 0 && start > stop)
    return NULL;
  GstEvent *seek = gst_event_new_seek (
      rate, GST_FORMAT_TIME, flags, start_type, start, stop_type, stop);
  gst_event_set_seqnum (seek, gst_event_get_seqnum (event));
  return seek;
}

void
gst_vidgen_segment_init (GstVidgenSegment *segment)
{
  *segment = (GstVidgenSegment){ .seqnum = GST_SEQNUM_INVALID };
  g_mutex_init (&segment->lock);
}

void
gst_vidgen_segment_clear (GstVidgenSegment *segment)
{
  gst_clear_message (&segment->done);
  g_mutex_clear (&segment->lock);
}

static gboolean
asks_for_segment (GstEvent *seek)
{
  GstSeekFlags flags;

  gst_event_parse_seek (seek, NULL, NULL, &flags, NULL, NULL, NULL, NULL);
  return flags & GST_SEEK_FLAG_SEGMENT;
}

void
gst_vidgen_segment_expect (GstVidgenSegment *segment, GstEvent *seek)
{
  if (!asks_for_segment (seek))
    return;
  g_mutex_lock (&segment->lock);
  segment->seqnum = gst_event_get_seqnum (seek);
  segment->running = SOURCES;
  segment->told = FALSE;
  gst_clear_message (&segment->done);
  g_mutex_unlock (&segment->lock);
}

static void
post_start (GstElement *element, GstEvent *seek)
{
  gint64 start;

  gst_event_parse_seek (seek, NULL, NULL, NULL, NULL, &start, NULL, NULL);
  GstMessage *message = gst_message_new_segment_start (
      GST_OBJECT (element), GST_FORMAT_TIME, start);
  gst_message_set_seqnum (message, gst_event_get_seqnum (seek));
  gst_element_post_message (element, message);
}

void
gst_vidgen_segment_begin (GstVidgenSegment *segment, GstElement *element,
    GstEvent *seek, gboolean moved)
{
  const guint32 seqnum = gst_event_get_seqnum (seek);
  GstMessage *done = NULL;

  if (!asks_for_segment (seek))
    return;
  g_mutex_lock (&segment->lock);
  const gboolean newest = segment->seqnum == seqnum;
  if (newest && !moved) {
    segment->seqnum = GST_SEQNUM_INVALID;
    gst_clear_message (&segment->done);
  }
  g_mutex_unlock (&segment->lock);
  if (!newest || !moved)
    return;

  post_start (element, seek);
  g_mutex_lock (&segment->lock);
  if (segment->seqnum == seqnum) {
    done = g_steal_pointer (&segment->done);
    segment->told = TRUE;
  }
  g_mutex_unlock (&segment->lock);
  if (done)
    gst_element_post_message (element, done);
}

static GstMessage *
done_of (GstElement *element, GstMessage *child_message)
{
  GstFormat format;
  gint64 position;

  gst_message_parse_segment_done (child_message, &format, &position);
  GstMessage *message =
      gst_message_new_segment_done (GST_OBJECT (element), format, position);
  gst_message_set_seqnum (message, gst_message_get_seqnum (child_message));
  return message;
}

void
gst_vidgen_segment_end (
    GstVidgenSegment *segment, GstElement *element, GstMessage *child_message)
{
  GstMessage *done = NULL;

  g_mutex_lock (&segment->lock);
  if (gst_message_get_seqnum (child_message) == segment->seqnum &&
      segment->running > 0 && --segment->running == 0) {
    done = done_of (element, child_message);
    if (!segment->told)
      segment->done = g_steal_pointer (&done);
  }
  g_mutex_unlock (&segment->lock);
  if (done)
    gst_element_post_message (element, done);
}
