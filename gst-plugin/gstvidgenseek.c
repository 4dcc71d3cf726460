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
gst_vidgen_segment_begin (
    GstVidgenSegment *segment, GstElement *element, GstEvent *seek)
{
  GstSeekFlags flags;
  gint64 start;

  gst_event_parse_seek (seek, NULL, NULL, &flags, NULL, &start, NULL, NULL);
  if (!(flags & GST_SEEK_FLAG_SEGMENT))
    return;
  g_atomic_int_set (&segment->seqnum, gst_event_get_seqnum (seek));
  g_atomic_int_set (&segment->running, SOURCES);
  GstMessage *message = gst_message_new_segment_start (
      GST_OBJECT (element), GST_FORMAT_TIME, start);
  gst_message_set_seqnum (message, gst_event_get_seqnum (seek));
  gst_element_post_message (element, message);
}

void
gst_vidgen_segment_end (
    GstVidgenSegment *segment, GstElement *element, GstMessage *child_message)
{
  GstFormat format;
  gint64 position;

  if (gst_message_get_seqnum (child_message) !=
          (guint32)g_atomic_int_get (&segment->seqnum) ||
      !g_atomic_int_dec_and_test (&segment->running))
    return;
  gst_message_parse_segment_done (child_message, &format, &position);
  GstMessage *message =
      gst_message_new_segment_done (GST_OBJECT (element), format, position);
  gst_message_set_seqnum (message, gst_message_get_seqnum (child_message));
  gst_element_post_message (element, message);
}
