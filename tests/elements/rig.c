/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/elements/rig.h"

#include <string.h>

#include "gst-plugin/gstvidgensrc.h"

/* A busy machine takes minutes to compile the pipelines of a device. */
#define PATIENCE (300 * GST_SECOND)

static const char *const pad_names[RIG_PADS] = { "video", "audio" };

typedef struct {
  Rig *rig;
  RigTrack *track;
} ProbeData;

static void
forget_buffers (RigTrack *track)
{
  g_ptr_array_set_size (track->buffers, 0);
  g_ptr_array_set_size (track->caps, 0);
}

static GstPadProbeReturn
keep (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  const ProbeData *data = user_data;
  RigTrack *track = data->track;

  g_mutex_lock (&data->rig->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    g_ptr_array_add (track->buffers,
        gst_buffer_copy_deep (GST_PAD_PROBE_INFO_BUFFER (info)));
    g_ptr_array_add (track->caps, gst_pad_get_current_caps (pad));
  } else {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
    g_ptr_array_add (track->events, gst_event_ref (event));
    if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
      forget_buffers (track);
  }
  g_mutex_unlock (&data->rig->lock);
  return GST_PAD_PROBE_OK;
}

static void
link_pad (Rig *rig, RigPad pad)
{
  RigTrack *track = &rig->tracks[pad];
  ProbeData *data = g_new (ProbeData, 1);
  g_autoptr (GstPad) sink_pad = NULL;

  *data = (ProbeData){ rig, track };
  track->filter = gst_element_factory_make ("capsfilter", NULL);
  track->sink = gst_element_factory_make ("fakesink", NULL);
  g_object_set (track->sink, "enable-last-sample", FALSE, NULL);
  gst_bin_add_many (GST_BIN (rig->pipeline), track->filter, track->sink, NULL);
  g_assert_true (
      gst_element_link_pads (rig->src, pad_names[pad], track->filter, "sink"));
  g_assert_true (gst_element_link (track->filter, track->sink));
  sink_pad = gst_element_get_static_pad (track->filter, "sink");
  gst_pad_add_probe (sink_pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
          GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      keep, data, g_free);
}

Rig *
rig_new (guint pads)
{
  Rig *rig = g_new0 (Rig, 1);

  g_mutex_init (&rig->lock);
  rig->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify)gst_message_unref);
  rig->pipeline = gst_pipeline_new (NULL);
  rig->src = g_object_new (
      GST_TYPE_VIDGEN_SRC, "model", "fake", "device", "host", NULL);
  gst_bin_add (GST_BIN (rig->pipeline), rig->src);
  for (guint i = 0; i < RIG_PADS; i++) {
    RigTrack *track = &rig->tracks[i];
    track->buffers =
        g_ptr_array_new_with_free_func ((GDestroyNotify)gst_buffer_unref);
    track->caps =
        g_ptr_array_new_with_free_func ((GDestroyNotify)gst_caps_unref);
    track->events =
        g_ptr_array_new_with_free_func ((GDestroyNotify)gst_event_unref);
    if (pads & 1 << i)
      link_pad (rig, i);
  }
  return rig;
}

void
rig_free (Rig *rig)
{
  if (!rig)
    return;
  gst_element_set_state (rig->pipeline, GST_STATE_NULL);
  gst_object_unref (rig->pipeline);
  for (guint i = 0; i < RIG_PADS; i++) {
    g_ptr_array_unref (rig->tracks[i].buffers);
    g_ptr_array_unref (rig->tracks[i].caps);
    g_ptr_array_unref (rig->tracks[i].events);
  }
  g_ptr_array_unref (rig->messages);
  g_mutex_clear (&rig->lock);
  g_free (rig);
}

void
rig_state (Rig *rig, GstState state)
{
  gst_element_set_state (rig->pipeline, state);
}

static void
fail_on_error (GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;

  gst_message_parse_error (message, &error, &debug);
  g_error ("%s (%s)", error->message, debug);
}

GstMessage *
rig_wait (Rig *rig, GstMessageType types)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (rig->pipeline);

  for (;;) {
    GstMessage *message = gst_bus_timed_pop (bus, PATIENCE);
    if (!message)
      g_error ("no message of the types %#x came", types);
    g_ptr_array_add (rig->messages, message);
    if (!GST_MESSAGE_TYPE_IS_EXTENDED (message) &&
        GST_MESSAGE_TYPE (message) & types)
      return message;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      fail_on_error (message);
  }
}

const GstStructure *
rig_wait_element (Rig *rig, const char *name)
{
  for (;;) {
    const GstStructure *structure =
        gst_message_get_structure (rig_wait (rig, GST_MESSAGE_ELEMENT));
    if (gst_structure_has_name (structure, name))
      return structure;
  }
}

void
rig_read (Rig *rig)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (rig->pipeline);
  GstMessage *message;

  while ((message = gst_bus_pop (bus)))
    g_ptr_array_add (rig->messages, message);
}

guint
rig_count (const Rig *rig, GstMessageType type)
{
  guint n = 0;

  for (guint i = 0; i < rig->messages->len; i++)
    n += GST_MESSAGE_TYPE (g_ptr_array_index (rig->messages, i)) == type;
  return n;
}

void
rig_run (Rig *rig)
{
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);
}

guint
rig_received (Rig *rig, RigPad pad)
{
  g_mutex_lock (&rig->lock);
  const guint n = rig->tracks[pad].buffers->len;
  g_mutex_unlock (&rig->lock);
  return n;
}

void
rig_wait_buffers (Rig *rig, RigPad pad, guint n)
{
  const gint64 end = g_get_monotonic_time () + PATIENCE / 1000;

  while (rig_received (rig, pad) < n) {
    if (g_get_monotonic_time () > end)
      g_error ("only %u buffers of %u came", rig_received (rig, pad), n);
    g_usleep (1000);
  }
}

GstBuffer *
rig_buffer (const Rig *rig, RigPad pad, guint i)
{
  g_assert_cmpuint (i, <, rig->tracks[pad].buffers->len);
  return g_ptr_array_index (rig->tracks[pad].buffers, i);
}

FakeContent
rig_content (const Rig *rig, guint i)
{
  return fake_read (rig_buffer (rig, RIG_VIDEO, i),
      g_ptr_array_index (rig->tracks[RIG_VIDEO].caps, i));
}

gboolean
rig_has_event (Rig *rig, RigPad pad, GstEventType type)
{
  gboolean has = FALSE;

  g_mutex_lock (&rig->lock);
  for (guint i = 0; i < rig->tracks[pad].events->len; i++)
    has = has || GST_EVENT_TYPE (
                     g_ptr_array_index (rig->tracks[pad].events, i)) == type;
  g_mutex_unlock (&rig->lock);
  return has;
}

void
rig_wait_end (Rig *rig)
{
  const gint64 end = g_get_monotonic_time () + PATIENCE / 1000;

  for (guint i = 0; i < RIG_PADS; i++) {
    while (rig->tracks[i].sink && !rig_has_event (rig, i, GST_EVENT_EOS)) {
      if (g_get_monotonic_time () > end)
        g_error ("the %s pad did not end", pad_names[i]);
      g_usleep (1000);
    }
  }
}

void
rig_clear (Rig *rig)
{
  g_mutex_lock (&rig->lock);
  for (guint i = 0; i < RIG_PADS; i++) {
    forget_buffers (&rig->tracks[i]);
    g_ptr_array_set_size (rig->tracks[i].events, 0);
  }
  g_mutex_unlock (&rig->lock);
}

static void
for_each_map (const Rig *rig, RigPad pad,
    void (*take) (gpointer to, const GstMapInfo *map), gpointer to)
{
  for (guint i = 0; i < rig->tracks[pad].buffers->len; i++) {
    GstBuffer *buffer = rig_buffer (rig, pad, i);
    GstMapInfo map;
    g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
    take (to, &map);
    gst_buffer_unmap (buffer, &map);
  }
}

static void
append (gpointer to, const GstMapInfo *map)
{
  g_array_append_vals (to, map->data, map->size / sizeof (float));
}

GArray *
rig_sound (const Rig *rig)
{
  GArray *sound = g_array_new (FALSE, FALSE, sizeof (float));

  for_each_map (rig, RIG_AUDIO, append, sound);
  return sound;
}

static void
digest (gpointer to, const GstMapInfo *map)
{
  g_checksum_update (to, map->data, map->size);
}

char *
rig_checksum (const Rig *rig, RigPad pad)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  for_each_map (rig, pad, digest, checksum);
  return g_strdup (g_checksum_get_string (checksum));
}

static void
assert_video (const Rig *rig, guint frames)
{
  g_assert_cmpuint (rig->tracks[RIG_VIDEO].buffers->len, ==, frames);
  for (guint i = 0; i < frames; i++) {
    const GstBuffer *buffer = rig_buffer (rig, RIG_VIDEO, i);
    const guint64 second = GST_SECOND * fake.fps_d;
    const GstClockTime start = gst_util_uint64_scale (i, second, fake.fps_n);
    const GstClockTime end = gst_util_uint64_scale (i + 1, second, fake.fps_n);

    g_assert_cmpuint (rig_content (rig, i).frame, ==, i);
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, start);
    g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==, end - start);
    g_assert_false (GST_BUFFER_DTS_IS_VALID (buffer));
    g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, i);
    g_assert_cmpuint (GST_BUFFER_OFFSET_END (buffer), ==, i + 1);
    g_assert_cmpint (i == 0, ==,
        GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT) != 0);
  }
}

static void
assert_audio (const Rig *rig, guint64 samples)
{
  g_autoptr (GArray) sound = rig_sound (rig);
  guint64 sample = 0;

  for (guint i = 0; i < rig->tracks[RIG_AUDIO].buffers->len; i++) {
    const GstBuffer *buffer = rig_buffer (rig, RIG_AUDIO, i);
    const guint64 end = GST_BUFFER_OFFSET_END (buffer);
    const GstClockTime start_ns =
        gst_util_uint64_scale (sample, GST_SECOND, fake.rate);

    g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, sample);
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, start_ns);
    g_assert_cmpuint (GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer),
        ==, gst_util_uint64_scale (end, GST_SECOND, fake.rate));
    sample = end;
  }
  g_assert_cmpuint (sample, ==, samples);
  g_assert_cmpuint (sound->len, ==, 2 * samples);
}

void
rig_assert_clip (const Rig *rig, guint frames, guint64 samples)
{
  if (rig->tracks[RIG_VIDEO].sink)
    assert_video (rig, frames);
  if (rig->tracks[RIG_AUDIO].sink)
    assert_audio (rig, samples);
}

void
rig_assert_error_is (
    GstMessage *message, GQuark domain, gint code, const char *where)
{
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, NULL);
  else
    gst_message_parse_error (message, &error, NULL);
  if (error->domain != domain || error->code != code)
    g_error ("%s: %s %d: %s", where, g_quark_to_string (error->domain),
        error->code, error->message);
}
