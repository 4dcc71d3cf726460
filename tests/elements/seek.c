/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Seeking in a clip. */

#include "gst-plugin/gstvidgenseek.h"
#include "tests/elements/rig.h"

#define FLUSH (GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE)
#define FRAMES 64

/* Seeks from a handler of messages. */
typedef struct {
  Rig *rig;
  gint seeks;  /* atomic */
  gboolean on; /* atomic */
} Seeker;

/* A paused clip of four seconds. */
static Rig *
open_clip (void)
{
  Rig *rig = rig_new (RIG_BOTH);

  g_object_set (rig->src, "duration", 4 * (guint64)GST_SECOND, NULL);
  rig_state (rig, GST_STATE_PAUSED);
  rig_wait (rig, GST_MESSAGE_ASYNC_DONE);
  return rig;
}

static void
seek (Rig *rig, double rate, GstFormat format, GstSeekFlags flags, gint64 start,
    gint64 stop)
{
  rig_clear (rig);
  g_assert_true (
      gst_element_seek (rig->pipeline, rate, format, flags, GST_SEEK_TYPE_SET,
          start, stop < 0 ? GST_SEEK_TYPE_NONE : GST_SEEK_TYPE_SET, stop));
}

static void
play_out (Rig *rig)
{
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_end (rig);
}

/* Both pads carry content from `first` to the end or to `last`, once. */
static void
assert_part (Rig *rig, guint first, guint last, guint64 first_sample,
    guint64 last_sample)
{
  g_autoptr (GArray) sound = rig_sound (rig);
  const guint n = rig->tracks[RIG_VIDEO].buffers->len;

  g_assert_cmpuint (n, ==, last - first);
  for (guint i = 0; i < n; i++) {
    const GstBuffer *buffer = rig_buffer (rig, RIG_VIDEO, i);
    g_assert_cmpuint (rig_content (rig, i).frame, ==, first + i);
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==,
        gst_util_uint64_scale (first + i, GST_SECOND, 16));
    g_assert_cmpint (
        GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT) != 0, ==,
        i == 0);
  }
  g_assert_cmpuint (sound->len, ==, 2 * (last_sample - first_sample));
  for (guint i = 0; i < sound->len / 2; i++)
    g_assert_cmpfloat (g_array_index (sound, float, 2 * i + 1), ==,
        fake_right (first_sample + i));
  g_assert_cmpuint (GST_BUFFER_PTS (rig_buffer (rig, RIG_AUDIO, 0)), ==,
      gst_util_uint64_scale (first_sample, GST_SECOND, 24000));
}

static void
test_flush (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, GST_SECOND, -1);
  rig_wait (rig, GST_MESSAGE_ASYNC_DONE);
  gint64 position;
  g_assert_true (
      gst_element_query_position (rig->src, GST_FORMAT_TIME, &position));
  g_assert_cmpint (position, >=, GST_SECOND);
  g_assert_cmpint (position, <=, GST_SECOND + GST_SECOND / 8);
  play_out (rig);
  assert_part (rig, 16, FRAMES, 24000, 96000);
}

static void
test_inside_a_frame (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, 1030 * GST_MSECOND, -1);
  play_out (rig);
  assert_part (rig, 16, FRAMES, 24720, 96000);
}

static void
test_stop (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, GST_SECOND / 2, GST_SECOND * 3 / 2);
  play_out (rig);
  assert_part (rig, 8, 24, 12000, 36000);
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, GST_SECOND, 2 * GST_SECOND + 1000000);
  rig_wait_end (rig);
  assert_part (rig, 16, 33, 24000, 48024);
}

static void
test_again_and_again (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  play_out (rig);
  const gint chunks = g_atomic_int_get (&fake.chunks);
  for (guint i = 0; i < 10; i++) {
    seek (rig, 1, GST_FORMAT_TIME, FLUSH, i * 300 * GST_MSECOND, -1);
    rig_wait_end (rig);
    assert_part (rig, i * 300 * 16 / 1000, FRAMES, i * 300 * 24, 96000);
  }
  /* What was made is not made again. */
  g_assert_cmpint (g_atomic_int_get (&fake.chunks), ==, chunks);
}

static guint
count_events (const Rig *rig, RigPad pad, GstEventType type)
{
  guint n = 0;

  for (guint i = 0; i < rig->tracks[pad].events->len; i++)
    n +=
        GST_EVENT_TYPE (g_ptr_array_index (rig->tracks[pad].events, i)) == type;
  return n;
}

/* The pipeline sends a seek up every branch; it takes effect once. */
static void
test_one_seek_a_seek (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, GST_SECOND, -1);
  rig_wait (rig, GST_MESSAGE_ASYNC_DONE);
  for (guint pad = 0; pad < RIG_PADS; pad++) {
    g_assert_cmpuint (count_events (rig, pad, GST_EVENT_FLUSH_START), ==, 1);
    g_assert_cmpuint (count_events (rig, pad, GST_EVENT_FLUSH_STOP), ==, 1);
  }
}

static void
test_element_seek (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  rig_clear (rig);
  g_assert_true (
      gst_element_seek_simple (rig->src, GST_FORMAT_TIME, FLUSH, GST_SECOND));
  play_out (rig);
  assert_part (rig, 16, FRAMES, 24000, 96000);
}

static void
test_before_the_start (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "duration", 4 * (guint64)GST_SECOND, NULL);
  rig_state (rig, GST_STATE_READY);
  g_assert_true (gst_element_seek_simple (
      rig->src, GST_FORMAT_TIME, FLUSH, 2 * GST_SECOND));
  play_out (rig);
  assert_part (rig, 32, FRAMES, 48000, 96000);
  g_assert_cmpuint (
      rig_content (rig, 0).prompt, ==, fake_prompt ("an example"));
}

static void
test_frames_and_samples (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  g_autoptr (GstPad) video = gst_element_get_static_pad (rig->src, "video");
  g_autoptr (GstPad) audio = gst_element_get_static_pad (rig->src, "audio");
  rig_clear (rig);
  g_assert_true (gst_pad_send_event (
      video, gst_event_new_seek (1, GST_FORMAT_DEFAULT, FLUSH,
                 GST_SEEK_TYPE_SET, 20, GST_SEEK_TYPE_NONE, -1)));
  play_out (rig);
  assert_part (rig, 20, FRAMES, 30000, 96000);
  rig_clear (rig);
  g_assert_true (gst_pad_send_event (
      audio, gst_event_new_seek (1, GST_FORMAT_DEFAULT, FLUSH,
                 GST_SEEK_TYPE_SET, 48000, GST_SEEK_TYPE_NONE, -1)));
  rig_wait_end (rig);
  assert_part (rig, 32, FRAMES, 48000, 96000);
  rig_clear (rig);
  g_assert_true (gst_pad_send_event (
      video, gst_event_new_seek (1, GST_FORMAT_DEFAULT, FLUSH,
                 GST_SEEK_TYPE_END, -4, GST_SEEK_TYPE_NONE, -1)));
  rig_wait_end (rig);
  assert_part (rig, 60, FRAMES, 90000, 96000);
}

static void
test_from_the_end (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  rig_clear (rig);
  g_assert_true (gst_element_seek (rig->pipeline, 1, GST_FORMAT_TIME, FLUSH,
      GST_SEEK_TYPE_END, -(gint64)GST_SECOND, GST_SEEK_TYPE_NONE, -1));
  play_out (rig);
  assert_part (rig, 48, FRAMES, 72000, 96000);
}

static void
test_to_the_end (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, 4 * GST_SECOND, -1);
  play_out (rig);
  g_assert_cmpuint (rig_received (rig, RIG_VIDEO), ==, 0);
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, 9 * GST_SECOND, -1);
  rig_wait_end (rig);
  g_assert_cmpuint (rig_received (rig, RIG_VIDEO), ==, 0);
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, 3 * GST_SECOND, -1);
  rig_wait_end (rig);
  assert_part (rig, 48, FRAMES, 72000, 96000);
}

static void
test_segment (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  seek (rig, 1, GST_FORMAT_TIME, FLUSH | GST_SEEK_FLAG_SEGMENT, 0, GST_SECOND);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait (rig, GST_MESSAGE_SEGMENT_DONE);
  for (guint i = 0; i < 5; i++) {
    seek (rig, 1, GST_FORMAT_TIME, GST_SEEK_FLAG_SEGMENT, GST_SECOND,
        2 * GST_SECOND);
    rig_wait (rig, GST_MESSAGE_SEGMENT_DONE);
    assert_part (rig, 16, 32, 24000, 48000);
  }
  rig_read (rig);
  g_assert_cmpuint (rig_count (rig, GST_MESSAGE_EOS), ==, 0);
  g_assert_cmpuint (rig_count (rig, GST_MESSAGE_SEGMENT_DONE), ==, 6);
}

/* The type of the source's message that the pipeline has passed on. */
static GstMessageType
forwarded (const Rig *rig, GstMessage *message)
{
  g_autoptr (GstMessage) inner = NULL;

  if (!gst_message_has_name (message, "GstBinForwarded"))
    return GST_MESSAGE_UNKNOWN;
  gst_structure_get (gst_message_get_structure (message), "message",
      GST_TYPE_MESSAGE, &inner, NULL);
  return GST_MESSAGE_SRC (inner) == GST_OBJECT (rig->src)
             ? GST_MESSAGE_TYPE (inner)
             : GST_MESSAGE_UNKNOWN;
}

static guint
count_forwarded (const Rig *rig, GstMessageType type)
{
  guint n = 0;

  for (guint i = 0; i < rig->messages->len; i++)
    n += forwarded (rig, g_ptr_array_index (rig->messages, i)) == type;
  return n;
}

/* A seek that is refused begins no segment. */
static void
test_no_segment (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->pipeline, "message-forward", TRUE, NULL);
  rig_state (rig, GST_STATE_PAUSED);
  rig_wait (rig, GST_MESSAGE_ASYNC_DONE);
  /* It takes effect in READY only, so what plays is endless. */
  g_object_set (rig->src, "duration", 4 * (guint64)GST_SECOND, NULL);
  g_assert_false (gst_element_seek (rig->src, 1, GST_FORMAT_TIME,
      FLUSH | GST_SEEK_FLAG_SEGMENT, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_SET,
      GST_SECOND));
  rig_read (rig);
  g_assert_cmpuint (count_forwarded (rig, GST_MESSAGE_SEGMENT_START), ==, 0);
}

static void
end_segment (GstVidgenSegment *segment, GstElement *element, GstEvent *seek)
{
  for (guint i = 0; i < RIG_PADS; i++) {
    g_autoptr (GstMessage) message = gst_message_new_segment_done (
        GST_OBJECT (element), GST_FORMAT_TIME, GST_SECOND);
    gst_message_set_seqnum (message, gst_event_get_seqnum (seek));
    gst_vidgen_segment_end (segment, element, message);
  }
}

static GstEvent *
segment_seek (void)
{
  return gst_event_new_seek (1, GST_FORMAT_TIME, FLUSH | GST_SEEK_FLAG_SEGMENT,
      GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_SET, GST_SECOND);
}

/* A segment that another has taken the place of, or whose sources did not move,
 * is told neither to begin nor to end. */
static void
test_dead_segments (void)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("identity", NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstEvent) older = segment_seek (), newer = segment_seek ();
  GstVidgenSegment segment;

  gst_element_set_bus (element, bus);
  gst_vidgen_segment_init (&segment);
  gst_vidgen_segment_expect (&segment, older);
  gst_vidgen_segment_expect (&segment, newer);
  gst_vidgen_segment_begin (&segment, element, older, TRUE);
  end_segment (&segment, element, older);
  g_assert_false (gst_bus_have_pending (bus));

  end_segment (&segment, element, newer);
  g_assert_nonnull (segment.done);
  gst_vidgen_segment_begin (&segment, element, newer, FALSE);
  g_assert_null (segment.done);
  g_assert_false (gst_bus_have_pending (bus));
  gst_vidgen_segment_clear (&segment);
  gst_element_set_bus (element, NULL);
}

static GstBusSyncReply
seek_on_start (
    G_GNUC_UNUSED GstBus *bus, GstMessage *message, gpointer user_data)
{
  Seeker *seeker = user_data;

  if (forwarded (seeker->rig, message) == GST_MESSAGE_SEGMENT_START &&
      g_atomic_int_compare_and_exchange (&seeker->on, 1, 0)) {
    rig_clear (seeker->rig);
    g_assert_true (gst_element_seek (seeker->rig->pipeline, 1, GST_FORMAT_TIME,
        FLUSH | GST_SEEK_FLAG_SEGMENT, GST_SEEK_TYPE_SET, GST_SECOND,
        GST_SEEK_TYPE_SET, 2 * GST_SECOND));
    g_atomic_int_inc (&seeker->seeks);
  }
  return GST_BUS_PASS;
}

/* Whoever hears that a segment began may seek there and then; each that ends
 * has begun before, and the seek that is delivered on is not done again. */
static void
test_segment_in_handler (void)
{
  guint started = 0, ended = 0;

  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  g_autoptr (GstBus) bus = gst_element_get_bus (rig->pipeline);
  Seeker seeker = { .rig = rig, .on = TRUE };
  g_object_set (rig->pipeline, "message-forward", TRUE, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  gst_bus_set_sync_handler (bus, seek_on_start, &seeker, NULL);
  g_assert_true (gst_element_seek (rig->pipeline, 1, GST_FORMAT_TIME,
      FLUSH | GST_SEEK_FLAG_SEGMENT, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_SET,
      1));
  g_assert_cmpint (g_atomic_int_get (&seeker.seeks), ==, 1);
  while (ended == 0) {
    const GstMessageType type =
        forwarded (rig, rig_wait (rig, GST_MESSAGE_ELEMENT));
    started += type == GST_MESSAGE_SEGMENT_START;
    ended += type == GST_MESSAGE_SEGMENT_DONE;
    g_assert_cmpuint (ended, <=, started);
  }
  assert_part (rig, 16, 32, 24000, 48000);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
}

static const GstSegment *
last_segment (const Rig *rig, RigPad pad)
{
  const GstSegment *segment = NULL;

  for (guint i = 0; i < rig->tracks[pad].events->len; i++) {
    GstEvent *event = g_ptr_array_index (rig->tracks[pad].events, i);
    if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
      gst_event_parse_segment (event, &segment);
  }
  g_assert_nonnull (segment);
  return segment;
}

/* The same content, in a segment of the rate. */
static void
test_rates (void)
{
  static const double rates[] = { 2, 0.5 };

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    fake_reset ();
    g_autoptr (Rig) rig = open_clip ();
    seek (rig, rates[i], GST_FORMAT_TIME, FLUSH, GST_SECOND, -1);
    play_out (rig);
    assert_part (rig, 16, FRAMES, 24000, 96000);
    for (guint pad = 0; pad < RIG_PADS; pad++) {
      const GstSegment *segment = last_segment (rig, pad);
      g_assert_cmpfloat (segment->rate, ==, rates[i]);
      g_assert_cmpuint (segment->start, ==, GST_SECOND);
      g_assert_cmpuint (gst_segment_to_running_time (segment, GST_FORMAT_TIME,
                            GST_SECOND + 600 * GST_MSECOND),
          ==, 600 * GST_MSECOND / rates[i]);
    }
  }
}

/* Without a flush what was sent stays, and running time goes on; also from
 * where both pads wait for a chunk. */
static void
test_without_flush (void)
{
  fake_reset ();
  fake.ration = 8;
  g_autoptr (Rig) rig = open_clip ();
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 20);
  rig_wait_buffers (rig, RIG_AUDIO, 20);
  g_assert_true (gst_element_seek (rig->pipeline, 1, GST_FORMAT_TIME,
      GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET, 3 * GST_SECOND,
      GST_SEEK_TYPE_NONE, -1));
  g_atomic_int_set (&fake.ration, -1);
  rig_wait_end (rig);
  for (guint pad = 0; pad < RIG_PADS; pad++) {
    const GstSegment *segment = last_segment (rig, pad);
    g_assert_false (rig_has_event (rig, pad, GST_EVENT_FLUSH_START));
    g_assert_cmpuint (segment->start, ==, 3 * GST_SECOND);
    g_assert_cmpuint (
        segment->base, >=, 20 * (guint64)GST_SECOND / 16 - GST_SECOND / 16);
  }
  const guint n = rig->tracks[RIG_VIDEO].buffers->len;
  for (guint i = 0; i < 16; i++)
    g_assert_cmpuint (rig_content (rig, n - 16 + i).frame, ==, 48 + i);
}

static char *
checksum_from (const Rig *rig, RigPad pad, guint64 first)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  for (guint i = 0; i < rig->tracks[pad].buffers->len; i++) {
    GstBuffer *buffer = rig_buffer (rig, pad, i);
    GstMapInfo map;
    if (GST_BUFFER_OFFSET (buffer) < first)
      continue;
    g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_checksum_update (checksum, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
  }
  return g_strdup (g_checksum_get_string (checksum));
}

static Rig *
open_tiny (void)
{
  Rig *rig = rig_new (RIG_BOTH);

  g_object_set (rig->src, "num-buffers", 32, "seed", (guint64)9, "model",
      VIDGEN_SOURCE_ROOT "/tests/data/tiny.safetensors", NULL);
  return rig;
}

/* Whether a position was played to, sought back to, or sought before anything
 * was made: a real model's bytes are the same. */
static void
test_same_bytes (void)
{
  static const guint frames[] = { 9, 24, 3, 31 };

  fake_reset ();
  g_autoptr (Rig) whole = open_tiny ();
  rig_run (whole);
  g_autoptr (Rig) back = open_tiny ();
  rig_state (back, GST_STATE_PAUSED);
  rig_wait (back, GST_MESSAGE_ASYNC_DONE);
  rig_state (back, GST_STATE_PLAYING);
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    const gint64 time = gst_util_uint64_scale (frames[i], GST_SECOND, 16);
    g_autoptr (Rig) fresh = open_tiny ();
    seek (back, 1, GST_FORMAT_TIME, FLUSH, time, -1);
    rig_wait_end (back);
    rig_state (fresh, GST_STATE_READY);
    g_assert_true (
        gst_element_seek_simple (fresh->src, GST_FORMAT_TIME, FLUSH, time));
    play_out (fresh);
    for (guint pad = 0; pad < RIG_PADS; pad++) {
      const guint64 first = frames[i] * (pad == RIG_VIDEO ? 1 : 1500);
      g_autofree char *expected = checksum_from (whole, pad, first);
      g_autofree char *again = checksum_from (back, pad, 0);
      g_autofree char *alone = checksum_from (fresh, pad, 0);
      g_assert_cmpstr (again, ==, expected);
      g_assert_cmpstr (alone, ==, expected);
    }
  }
}

/* However long a chunk takes, a flush does not wait for it. */
static void
test_flush_while_making (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "duration", 4 * (guint64)GST_SECOND, "buffer-time",
      (guint64)125 * GST_MSECOND, NULL);
  rig_state (rig, GST_STATE_PAUSED);
  rig_wait (rig, GST_MESSAGE_ASYNC_DONE);
  g_atomic_int_set (&fake.chunk_us, 60 * G_USEC_PER_SEC);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 3);
  for (guint i = 0; i < 3; i++) {
    const gint64 start = g_get_monotonic_time ();
    seek (rig, 1, GST_FORMAT_TIME, FLUSH, (3 - i) * (gint64)GST_SECOND, -1);
    g_assert_cmpint (g_get_monotonic_time () - start, <, 10 * G_USEC_PER_SEC);
  }
  g_atomic_int_set (&fake.chunk_us, 0);
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, GST_SECOND / 2, -1);
  rig_wait_end (rig);
  assert_part (rig, 8, FRAMES, 12000, 96000);
}

static GstBusSyncReply
seek_at_once (
    G_GNUC_UNUSED GstBus *bus, GstMessage *message, gpointer user_data)
{
  Seeker *seeker = user_data;
  gint percent;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_BUFFERING)
    return GST_BUS_PASS;
  gst_message_parse_buffering (message, &percent);
  if (percent < 100 && g_atomic_int_compare_and_exchange (&seeker->on, 1, 0)) {
    g_assert_true (gst_element_seek_simple (
        seeker->rig->pipeline, GST_FORMAT_TIME, FLUSH, GST_SECOND / 2));
    g_atomic_int_inc (&seeker->seeks);
  }
  return GST_BUS_PASS;
}

/* Whoever hears that the buffer runs low may seek there and then. */
static void
test_seek_in_handler (void)
{
  fake_reset ();
  fake.ration = 7;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_autoptr (GstBus) bus = gst_element_get_bus (rig->pipeline);
  Seeker seeker = { .rig = rig };
  g_object_set (rig->src, "duration", 4 * (guint64)GST_SECOND, "use-buffering",
      TRUE, NULL);
  gst_bus_set_sync_handler (bus, seek_at_once, &seeker, NULL);
  rig_state (rig, GST_STATE_PAUSED);
  rig_wait (rig, GST_MESSAGE_ASYNC_DONE);
  g_atomic_int_set (&seeker.on, 1);
  rig_state (rig, GST_STATE_PLAYING);
  for (guint i = 0; g_atomic_int_get (&seeker.seeks) == 0; i++) {
    g_assert_cmpuint (i, <, 30000);
    g_usleep (1000);
  }
  g_atomic_int_set (&fake.ration, -1);
  rig_wait_end (rig);
  const guint n = rig->tracks[RIG_VIDEO].buffers->len;
  g_assert_cmpuint (rig_content (rig, n - 1).frame, ==, FRAMES - 1);
  g_assert_cmpuint (rig_content (rig, n - 56).frame, ==, 8);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
}

/* The rate alone, from where each pad happens to be. */
static void
test_rate_alone (void)
{
  fake_reset ();
  fake.ration = 8;
  g_autoptr (Rig) rig = open_clip ();
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 20);
  rig_clear (rig);
  g_assert_true (gst_element_seek (rig->pipeline, 1.5, GST_FORMAT_TIME, FLUSH,
      GST_SEEK_TYPE_NONE, -1, GST_SEEK_TYPE_NONE, -1));
  g_atomic_int_set (&fake.ration, -1);
  rig_wait_end (rig);
  g_assert_cmpuint (
      rig_content (rig, rig->tracks[RIG_VIDEO].buffers->len - 1).frame, ==,
      FRAMES - 1);
}

static void
assert_refused (Rig *rig, double rate, GstFormat format, GstSeekFlags flags)
{
  g_assert_false (gst_element_seek (rig->src, rate, format, flags,
      GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, -1));
}

static void
test_refused (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = open_clip ();
  assert_refused (rig, -1, GST_FORMAT_TIME, FLUSH);
  assert_refused (rig, 1, GST_FORMAT_BYTES, FLUSH);
  g_assert_false (gst_element_seek (rig->src, 1, GST_FORMAT_TIME, FLUSH,
      GST_SEEK_TYPE_SET, 2 * GST_SECOND, GST_SEEK_TYPE_SET, GST_SECOND));
  g_assert_false (gst_element_seek (rig->src, 2, GST_FORMAT_TIME,
      GST_SEEK_FLAG_INSTANT_RATE_CHANGE, GST_SEEK_TYPE_NONE, -1,
      GST_SEEK_TYPE_NONE, -1));
  play_out (rig);
  rig_assert_clip (rig, FRAMES, 96000);
}

static void
assert_seekable (Rig *rig, GstFormat format, gboolean expected, gint64 end)
{
  g_autoptr (GstQuery) query = gst_query_new_seeking (format);
  gboolean seekable;
  gint64 stop;

  g_assert_true (gst_element_query (rig->src, query));
  gst_query_parse_seeking (query, NULL, &seekable, NULL, &stop);
  g_assert_cmpint (seekable, ==, expected);
  if (expected)
    g_assert_cmpint (stop, ==, end);
}

static void
test_queries (void)
{
  fake_reset ();
  g_autoptr (Rig) clip = open_clip ();
  assert_seekable (clip, GST_FORMAT_TIME, TRUE, 4 * GST_SECOND);
  assert_seekable (clip, GST_FORMAT_BYTES, FALSE, -1);
  g_autoptr (GstPad) video = gst_element_get_static_pad (clip->src, "video");
  g_autoptr (GstPad) audio = gst_element_get_static_pad (clip->src, "audio");
  gint64 value;
  g_assert_true (gst_pad_query_duration (video, GST_FORMAT_DEFAULT, &value));
  g_assert_cmpint (value, ==, FRAMES);
  g_assert_true (gst_pad_query_duration (audio, GST_FORMAT_DEFAULT, &value));
  g_assert_cmpint (value, ==, 96000);
  g_assert_true (gst_pad_query_convert (
      audio, GST_FORMAT_DEFAULT, 36000, GST_FORMAT_TIME, &value));
  g_assert_cmpint (value, ==, GST_SECOND * 3 / 2);
  g_assert_true (gst_pad_query_convert (
      video, GST_FORMAT_TIME, GST_SECOND, GST_FORMAT_DEFAULT, &value));
  g_assert_cmpint (value, ==, 16);

  g_autoptr (Rig) endless = rig_new (RIG_BOTH);
  rig_state (endless, GST_STATE_PAUSED);
  rig_wait (endless, GST_MESSAGE_ASYNC_DONE);
  assert_seekable (endless, GST_FORMAT_TIME, FALSE, -1);
  assert_refused (endless, 1, GST_FORMAT_TIME, FLUSH);
  g_assert_false (
      gst_element_query_duration (endless->src, GST_FORMAT_TIME, &value));
}

static void
test_scrub (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);

  fake_reset ();
  fake.chunk_us = 2000;
  g_autoptr (Rig) rig = open_clip ();
  rig_state (rig, GST_STATE_PLAYING);
  for (guint i = 0; i < 100; i++) {
    const gint64 target = g_rand_int_range (rand, 0, 4000) * GST_MSECOND;
    seek (rig, 1, GST_FORMAT_TIME, FLUSH, target, -1);
    if (i % 5 == 0)
      g_usleep (g_rand_int_range (rand, 0, 4000));
  }
  rig_state (rig, GST_STATE_PAUSED);
  gst_element_get_state (rig->pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, GST_SECOND, -1);
  play_out (rig);
  assert_part (rig, 16, FRAMES, 24000, 96000);
}

/* A clip too large to keep is made again and comes out the same. */
static void
test_made_again (void)
{
  fake_reset ();
  fake.chunk_frames = 200;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  GstCaps *caps = gst_caps_from_string (
      "video/x-raw, format = RGBA, width = 64, height = 64");
  g_object_set (rig->tracks[RIG_VIDEO].filter, "caps", caps, NULL);
  gst_caps_unref (caps);
  g_object_set (rig->src, "num-buffers", 6000, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_end (rig);
  const gint chunks = g_atomic_int_get (&fake.chunks);
  g_autofree char *sum = rig_checksum (rig, RIG_AUDIO);
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, 0, -1);
  rig_wait_end (rig);
  g_autofree char *again = rig_checksum (rig, RIG_AUDIO);
  g_assert_cmpstr (sum, ==, again);
  g_assert_cmpuint (rig_received (rig, RIG_VIDEO), ==, 6000);
  g_assert_cmpint (g_atomic_int_get (&fake.chunks), >, chunks);
}

/* A clip of 6000 frames that has ended and does not hold its middle. */
static Rig *
play_long_clip (void)
{
  fake_reset ();
  fake.chunk_frames = 200;
  Rig *rig = rig_new (RIG_BOTH);
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/x-raw, format = RGBA, width = 64, height = 64");
  g_object_set (rig->tracks[RIG_VIDEO].filter, "caps", caps, NULL);
  g_object_set (rig->src, "num-buffers", 6000, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_end (rig);
  rig_read (rig);
  g_ptr_array_set_size (rig->messages, 0);
  return rig;
}

/* What was dropped of a clip is made again with PROGRESS, to its end. */
static void
test_progress (void)
{
  GstProgressType type = GST_PROGRESS_TYPE_ERROR;
  gint last = -1;
  guint started = 0;

  g_autoptr (Rig) rig = play_long_clip ();
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, 75 * (gint64)GST_SECOND, -1);
  rig_wait_end (rig);
  g_assert_cmpuint (rig_content (rig, 0).frame, ==, 1200);
  rig_read (rig);
  for (guint i = 0; i < rig->messages->len; i++) {
    GstMessage *message = g_ptr_array_index (rig->messages, i);
    g_autofree char *code = NULL;
    gint percent;
    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_PROGRESS)
      continue;
    gst_message_parse_progress (message, &type, &code, NULL);
    g_assert_cmpstr (code, ==, "seek");
    gst_structure_get_int (
        gst_message_get_structure (message), "percent", &percent);
    g_assert_cmpint (percent, >=, last);
    started += type == GST_PROGRESS_TYPE_START;
    last = percent;
  }
  g_assert_cmpuint (started, ==, 1);
  g_assert_cmpint (type, ==, GST_PROGRESS_TYPE_COMPLETE);
  g_assert_cmpint (last, ==, 100);
}

/* Or until it is stopped. */
static void
test_progress_stopped (void)
{
  GstProgressType type = GST_PROGRESS_TYPE_ERROR;

  g_autoptr (Rig) rig = play_long_clip ();
  g_atomic_int_set (&fake.ration, 0);
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, 75 * (gint64)GST_SECOND, -1);
  gst_message_parse_progress (
      rig_wait (rig, GST_MESSAGE_PROGRESS), &type, NULL, NULL);
  g_assert_cmpint (type, ==, GST_PROGRESS_TYPE_START);
  rig_state (rig, GST_STATE_READY);
  gst_message_parse_progress (
      rig_wait (rig, GST_MESSAGE_PROGRESS), &type, NULL, NULL);
  g_assert_cmpint (type, ==, GST_PROGRESS_TYPE_CANCELED);
}

/* What a prompt changed is kept over a seek, and a prompt set before a seek
 * shows from its target on. */
static void
test_prompts_stay (void)
{
  fake_reset ();
  fake.ration = 12;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", 160, "buffer-time",
      (guint64)250 * GST_MSECOND, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 40);
  g_object_set (rig->src, "prompt", "thunder", NULL);
  g_atomic_int_set (&fake.ration, -1);
  guint64 chunk = 0;
  gst_structure_get_uint64 (
      rig_wait_element (rig, "vidgen-prompt-applied"), "chunk", &chunk);
  const guint first = 3 + (chunk - 1) * 4;
  rig_wait_end (rig);
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, 0, -1);
  rig_wait_end (rig);
  for (guint i = 0; i < 160; i++)
    g_assert_cmpuint (rig_content (rig, i).prompt, ==,
        fake_prompt (i < first ? "an example" : "thunder"));

  g_object_set (rig->src, "prompt", "fire", NULL);
  seek (rig, 1, GST_FORMAT_TIME, FLUSH, 0, -1);
  rig_wait_end (rig);
  for (guint i = 0; i < 160; i++)
    g_assert_cmpuint (rig_content (rig, i).prompt, ==, fake_prompt ("fire"));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/seek/19-flush", test_flush);
  g_test_add_func ("/seek/inside-a-frame", test_inside_a_frame);
  g_test_add_func ("/seek/stop", test_stop);
  g_test_add_func ("/seek/again-and-again", test_again_and_again);
  g_test_add_func ("/seek/one-seek-a-seek", test_one_seek_a_seek);
  g_test_add_func ("/seek/element-seek", test_element_seek);
  g_test_add_func ("/seek/before-the-start", test_before_the_start);
  g_test_add_func ("/seek/frames-and-samples", test_frames_and_samples);
  g_test_add_func ("/seek/from-the-end", test_from_the_end);
  g_test_add_func ("/seek/19-to-the-end", test_to_the_end);
  g_test_add_func ("/seek/19-segment", test_segment);
  g_test_add_func ("/seek/no-segment", test_no_segment);
  g_test_add_func ("/seek/dead-segments", test_dead_segments);
  g_test_add_func ("/seek/segment-in-handler", test_segment_in_handler);
  g_test_add_func ("/seek/19-rates", test_rates);
  g_test_add_func ("/seek/19-without-flush", test_without_flush);
  g_test_add_func ("/seek/18-same-bytes", test_same_bytes);
  g_test_add_func ("/seek/19-flush-while-making", test_flush_while_making);
  g_test_add_func ("/seek/19-in-handler", test_seek_in_handler);
  g_test_add_func ("/seek/19-progress", test_progress);
  g_test_add_func ("/seek/progress-stopped", test_progress_stopped);
  g_test_add_func ("/seek/rate-alone", test_rate_alone);
  g_test_add_func ("/seek/19-refused", test_refused);
  g_test_add_func ("/seek/19-queries", test_queries);
  g_test_add_func ("/seek/19-scrub", test_scrub);
  g_test_add_func ("/seek/19-made-again", test_made_again);
  g_test_add_func ("/seek/prompts-stay", test_prompts_stay);
  return g_test_run ();
}
