/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "gst-plugin/gstvidgenplayer.h"

#include "gst-plugin/gstvidgencaps.h"

#define CONTAINER_CAPS "application/x-vidgen"

static GstCaps *
first_caps (GstPad *pad, GstStream *stream, const VidgenModelInfo *info)
{
  const gboolean video =
      gst_stream_get_stream_type (stream) & GST_STREAM_TYPE_VIDEO;
  g_autoptr (GstCaps) asked = gst_pad_query_caps (pad, NULL);
  GstCaps *caps = gst_vidgen_caps_restrict (
      video ? gst_vidgen_caps_video (info) : gst_vidgen_caps_audio (info),
      asked);

  if (gst_caps_is_empty (caps))
    return caps;
  return video ? gst_vidgen_caps_fixate_video (info, caps)
               : gst_vidgen_caps_fixate_audio (caps);
}

void
gst_vidgen_player_show_pad (
    GstPad *pad, GstStream *stream, const VidgenModelInfo *info)
{
  g_autoptr (GstCaps) caps = first_caps (pad, stream, info);

  if (gst_caps_is_empty (caps))
    return;
  g_autoptr (GstEvent) start =
      gst_event_new_stream_start (gst_stream_get_stream_id (stream));
  g_autoptr (GstEvent) raw = gst_event_new_caps (caps);
  gst_event_set_stream (start, stream);
  gst_pad_set_active (pad, TRUE);
  gst_pad_store_sticky_event (pad, start);
  gst_pad_store_sticky_event (pad, raw);
}

static void
append_pad (GValue *list, GstPad *pad, GstCaps *caps)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (
      &value, gst_structure_new ("stream-topology", "caps", GST_TYPE_CAPS, caps,
                  "pad", GST_TYPE_PAD, pad, NULL));
  gst_value_list_append_and_take_value (list, &value);
}

void
gst_vidgen_player_post_topology (GstElement *element)
{
  g_autoptr (GstCaps) container = gst_caps_from_string (CONTAINER_CAPS);
  GstStructure *topology = gst_structure_new (
      "stream-topology", "caps", GST_TYPE_CAPS, container, NULL);
  GValue streams = G_VALUE_INIT;

  g_value_init (&streams, GST_TYPE_LIST);
  for (GList *l = element->srcpads; l; l = l->next) {
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (l->data);
    if (caps)
      append_pad (&streams, l->data, caps);
  }
  gst_structure_take_value (topology, "next", &streams);
  gst_element_post_message (
      element, gst_message_new_element (GST_OBJECT (element), topology));
}
