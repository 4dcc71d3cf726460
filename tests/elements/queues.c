/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* What waits between generation and whatever takes it: enough, and no more. */

#include <math.h>
#include <time.h>

#include "tests/elements/rig.h"

GST_PLUGIN_STATIC_DECLARE (vidgen);

#define FRAMES 40
#define PATIENCE (60 * GST_SECOND)
#define MIB ((guint64)1 << 20)

/* A muxer: it takes a buffer only when it has one of each pad, that of the
 * lower time first; sound is taken `lead` before the picture of the same time.
 */
typedef struct {
  gboolean waiting, ended;
  gint64 time;
  guint buffers;
  guint64 bytes;
} MuxInput;

typedef struct {
  GstElement parent;
  GMutex lock; /* guards what follows */
  GCond changed;
  gint64 lead;
  gboolean flushing;
  MuxInput inputs[RIG_PADS];
} TestMux;

typedef struct {
  GstElementClass parent_class;
} TestMuxClass;

GType test_mux_get_type (void);
G_DEFINE_TYPE (TestMux, test_mux, GST_TYPE_ELEMENT)

static GstStaticPadTemplate video_template = GST_STATIC_PAD_TEMPLATE (
    "video", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw"));
static GstStaticPadTemplate audio_template = GST_STATIC_PAD_TEMPLATE (
    "audio", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("audio/x-raw"));

static MuxInput *
input_of (TestMux *mux, GstPad *pad)
{
  return &mux->inputs[GST_PAD_NAME (pad)[0] == 'v' ? RIG_VIDEO : RIG_AUDIO];
}

static MuxInput *
other_than (TestMux *mux, const MuxInput *input)
{
  return &mux->inputs[input == mux->inputs ? 1 : 0];
}

static gboolean
takes (TestMux *mux, const MuxInput *input)
{
  const MuxInput *other = other_than (mux, input);

  return other->ended ||
         (other->waiting &&
             (input->time < other->time ||
                 (input->time == other->time && input == mux->inputs)));
}

static GstFlowReturn
test_mux_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  TestMux *mux = (TestMux *)parent;
  MuxInput *input = input_of (mux, pad);

  g_mutex_lock (&mux->lock);
  input->time = GST_BUFFER_PTS (buffer);
  if (input == &mux->inputs[RIG_AUDIO])
    input->time -= mux->lead;
  input->waiting = TRUE;
  g_cond_broadcast (&mux->changed);
  while (!mux->flushing && !takes (mux, input))
    g_cond_wait (&mux->changed, &mux->lock);
  input->waiting = FALSE;
  input->buffers++;
  input->bytes += gst_buffer_get_size (buffer);
  const gboolean flushing = mux->flushing;
  g_mutex_unlock (&mux->lock);
  gst_buffer_unref (buffer);
  return flushing ? GST_FLOW_FLUSHING : GST_FLOW_OK;
}

static gboolean
test_mux_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  TestMux *mux = (TestMux *)parent;
  const gboolean end = GST_EVENT_TYPE (event) == GST_EVENT_EOS;

  gst_event_unref (event);
  if (!end)
    return TRUE;
  g_mutex_lock (&mux->lock);
  input_of (mux, pad)->ended = TRUE;
  const gboolean last = mux->inputs[0].ended && mux->inputs[1].ended;
  g_cond_broadcast (&mux->changed);
  g_mutex_unlock (&mux->lock);
  if (last)
    gst_element_post_message (
        GST_ELEMENT (mux), gst_message_new_eos (GST_OBJECT (mux)));
  return TRUE;
}

static GstStateChangeReturn
test_mux_change_state (GstElement *element, GstStateChange transition)
{
  TestMux *mux = (TestMux *)element;

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    g_mutex_lock (&mux->lock);
    mux->flushing = TRUE;
    g_cond_broadcast (&mux->changed);
    g_mutex_unlock (&mux->lock);
  }
  return GST_ELEMENT_CLASS (test_mux_parent_class)
      ->change_state (element, transition);
}

static void
test_mux_finalize (GObject *object)
{
  TestMux *mux = (TestMux *)object;

  g_mutex_clear (&mux->lock);
  g_cond_clear (&mux->changed);
  G_OBJECT_CLASS (test_mux_parent_class)->finalize (object);
}

static void
test_mux_class_init (TestMuxClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = test_mux_finalize;
  element_class->change_state = test_mux_change_state;
  gst_element_class_add_static_pad_template (element_class, &video_template);
  gst_element_class_add_static_pad_template (element_class, &audio_template);
  gst_element_class_set_static_metadata (
      element_class, "Muxer", "Sink", "For tests", "The vidgensrc authors");
}

static void
test_mux_init (TestMux *mux)
{
  GstStaticPadTemplate *const templates[] = { &video_template,
    &audio_template };

  g_mutex_init (&mux->lock);
  g_cond_init (&mux->changed);
  GST_OBJECT_FLAG_SET (mux, GST_ELEMENT_FLAG_SINK);
  for (guint i = 0; i < RIG_PADS; i++) {
    GstPad *pad =
        gst_pad_new_from_static_template (templates[i], i ? "audio" : "video");
    gst_pad_set_chain_function (pad, test_mux_chain);
    gst_pad_set_event_function (pad, test_mux_event);
    gst_element_add_pad (GST_ELEMENT (mux), pad);
  }
}

/* A pipeline from the source to a muxer; a queue of 0 buffers is none. */
static GstElement *
pipeline_to (GstElement *mux, const guint sizes[RIG_PADS])
{
  static const char *const names[RIG_PADS] = { "video", "audio" };
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *src = gst_element_factory_make ("vidgensrc", "source");

  g_object_set (src, "model", "fake", "device", "host", "buffer-time",
      G_GUINT64_CONSTANT (0), "num-buffers", FRAMES, NULL);
  gst_bin_add_many (GST_BIN (pipeline), src, mux, NULL);
  for (guint i = 0; i < RIG_PADS; i++) {
    GstElement *from = src;
    if (sizes[i] > 0) {
      from = gst_element_factory_make ("queue", NULL);
      g_object_set (from, "max-size-buffers", sizes[i], "max-size-bytes", 0,
          "max-size-time", G_GUINT64_CONSTANT (0), NULL);
      gst_bin_add (GST_BIN (pipeline), from);
      g_assert_true (gst_element_link_pads (src, names[i], from, "sink"));
    }
    g_assert_true (gst_element_link_pads (
        from, sizes[i] > 0 ? "src" : names[i], mux, names[i]));
  }
  return pipeline;
}

static void
play_to_end (GstElement *pipeline, const char *what)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (!message || GST_MESSAGE_TYPE (message) != GST_MESSAGE_EOS)
    g_error ("%s: %s", what, message ? "an error" : "nothing moves");
}

static void
assert_ends (GstElement *pipeline, const char *what)
{
  play_to_end (pipeline, what);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* That were late, and for which others were put in. */
static guint
count_fillers (GstElement *src)
{
  g_autoptr (GstStructure) stats = NULL;
  double attainment;
  guint64 frames;

  g_object_get (src, "stats", &stats, NULL);
  g_assert_true (gst_structure_get (stats, "frames", G_TYPE_UINT64, &frames,
      "deadline-attainment", G_TYPE_DOUBLE, &attainment, NULL));
  return (guint)lrint (frames * (1 - attainment));
}

static void
mux_with (gint64 lead, guint video, guint audio)
{
  const guint sizes[RIG_PADS] = { video, audio };
  g_autofree char *what =
      g_strdup_printf ("queues of %u and %u frames, sound %" G_GINT64_FORMAT
                       " ns before the picture",
          video, audio, lead);
  TestMux *mux = g_object_new (test_mux_get_type (), NULL);

  mux->lead = lead;
  g_autoptr (GstElement) pipeline = pipeline_to (GST_ELEMENT (mux), sizes);
  assert_ends (pipeline, what);
  g_assert_cmpuint (mux->inputs[RIG_VIDEO].buffers, ==, FRAMES);
  g_assert_cmpuint (mux->inputs[RIG_VIDEO].bytes, ==, FRAMES * 32 * 16 * 3 / 2);
  g_assert_cmpuint (mux->inputs[RIG_AUDIO].bytes, ==, FRAMES * 1500 * 2 * 4);
}

/* Whatever a muxer asks for, it gets, whichever queue is full meanwhile: the
 * source holds one frame ahead only. */
static void
test_muxers (void)
{
  static const gint64 leads[] = { 0, 5 * GST_SECOND / 4, -5 * GST_SECOND / 4 };

  fake_reset ();
  for (guint i = 0; i < G_N_ELEMENTS (leads); i++) {
    for (guint video = 0; video <= 6; video++) {
      for (guint audio = 0; audio <= 6; audio++)
        mux_with (leads[i], video, audio);
    }
  }
}

/* As above, paced by the clock; what a busy machine is late with is filled for
 * on both pads. */
static void
test_live_muxer (void)
{
  const guint sizes[RIG_PADS] = { 1, 1 };
  TestMux *mux = g_object_new (test_mux_get_type (), NULL);

  fake_reset ();
  g_autoptr (GstElement) pipeline = pipeline_to (GST_ELEMENT (mux), sizes);
  g_autoptr (GstElement) src =
      gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_object_set (src, "is-live", TRUE, "num-buffers", 12, NULL);
  play_to_end (pipeline, "live");
  const guint frames = 12 + count_fillers (src);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpuint (mux->inputs[RIG_VIDEO].buffers, ==, frames);
  g_assert_cmpuint (mux->inputs[RIG_AUDIO].bytes, ==, frames * 1500 * 2 * 4);
}

static void
test_real_muxer (gconstpointer name)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (name);

  if (!factory) {
    g_test_skip ("there is no such element");
    return;
  }
  fake_reset ();
  for (guint i = 0; i < 9; i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *description = g_strdup_printf (
        "vidgensrc name=s model=fake device=host buffer-time=0 "
        "num-buffers=40 s.video ! queue max-size-buffers=%u ! %s name=m ! "
        "fakesink s.audio ! queue max-size-buffers=%u ! m.",
        1 + i % 3, (const char *)name, 1 + i / 3);
    g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
    g_assert_no_error (error);
    assert_ends (pipeline, description);
  }
}

/* Blocks pads and lets them go. */
typedef struct {
  GstPad *pad;
  gulong id;
} Block;

static GstPadProbeReturn
hold (G_GNUC_UNUSED GstPad *pad, G_GNUC_UNUSED GstPadProbeInfo *info,
    G_GNUC_UNUSED gpointer user_data)
{
  return GST_PAD_PROBE_OK;
}

static Block
block (GstElement *element)
{
  Block made = { gst_element_get_static_pad (element, "sink"), 0 };

  made.id = gst_pad_add_probe (made.pad,
      GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, hold, NULL, NULL);
  return made;
}

static void
unblock (Block *held)
{
  gst_pad_remove_probe (held->pad, held->id);
  gst_object_unref (held->pad);
}

static guint
chunks (void)
{
  return g_atomic_int_get (&fake.chunks);
}

static void
await_chunks (guint n)
{
  const gint64 end = g_get_monotonic_time () + PATIENCE / 1000;

  while (chunks () < n) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (1000);
  }
}

/* Until no chunk was made for a while. */
static guint
await_rest (void)
{
  const gint64 end = g_get_monotonic_time () + PATIENCE / 1000;
  gint64 since = g_get_monotonic_time ();
  guint made = chunks ();

  while (made == 0 || g_get_monotonic_time () - since < 300 * 1000) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (10000);
    if (chunks () != made)
      since = g_get_monotonic_time ();
    made = chunks ();
  }
  return made;
}

static double
cpu_seconds (void)
{
  struct timespec used;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec + used.tv_nsec * 1e-9;
}

/* Sinks that block cost neither chunks nor time of the processor; what comes
 * afterwards is what would have come. */
static void
test_blocked_sinks (void)
{
  Block held[RIG_PADS];

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "num-buffers", FRAMES, "buffer-time",
      (guint64)500 * GST_MSECOND, NULL);
  for (guint i = 0; i < RIG_PADS; i++)
    held[i] = block (rig->tracks[i].sink);
  rig_state (rig, GST_STATE_PLAYING);
  /* Frame 0 is out, eight are to be ahead: chunks of 3, 4 and 4. */
  await_chunks (3);
  g_assert_cmpuint (await_rest (), ==, 3);
  const double before = cpu_seconds ();
  g_usleep (G_USEC_PER_SEC);
  g_assert_cmpfloat (cpu_seconds () - before, <, 0.1);
  g_assert_cmpuint (chunks (), ==, 3);
  for (guint i = 0; i < RIG_PADS; i++)
    unblock (&held[i]);
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);
  rig_assert_clip (rig, FRAMES, FRAMES * 1500);
}

/* Live, where the time of what was held goes by: no more is made than fits
 * before, and behind it fillers lead back to the clock. */
static void
test_blocked_live_sinks (void)
{
  Block held[RIG_PADS];
  guint next = 0;

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "is-live", TRUE, "num-buffers", FRAMES, "buffer-time",
      (guint64)500 * GST_MSECOND, NULL);
  for (guint i = 0; i < RIG_PADS; i++)
    held[i] = block (rig->tracks[i].sink);
  rig_state (rig, GST_STATE_PLAYING);
  await_chunks (3);
  g_assert_cmpuint (await_rest (), ==, 3);
  g_usleep (G_USEC_PER_SEC);
  g_assert_cmpuint (chunks (), ==, 3);
  for (guint i = 0; i < RIG_PADS; i++)
    unblock (&held[i]);
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);
  for (guint i = 0; i < rig->tracks[RIG_VIDEO].buffers->len; i++) {
    const guint frame = rig_content (rig, i).frame;
    g_assert_true (frame == next || (next > 0 && frame == next - 1));
    next = frame + 1;
  }
  g_assert_cmpuint (next, ==, FRAMES);
  g_autoptr (GArray) sound = rig_sound (rig);
  g_assert_cmpuint (
      sound->len, ==, (guint64)rig->tracks[RIG_VIDEO].buffers->len * 1500 * 2);
}

static GstPadProbeReturn
count (G_GNUC_UNUSED GstPad *pad, G_GNUC_UNUSED GstPadProbeInfo *info,
    gpointer user_data)
{
  g_atomic_int_inc ((gint *)user_data);
  return GST_PAD_PROBE_OK;
}

/* Where one pad runs ahead of a blocked one, what waits is bounded in bytes,
 * and all of it is there when the blocked one goes on. */
static void
test_bytes (void)
{
  const guint64 frame_bytes = 64 * 64 * 4 + 1500 * 2 * 4;
  g_autoptr (GError) error = NULL;

  fake_reset ();
  fake.chunk_frames = 64;
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "vidgensrc name=s model=fake device=host buffer-time=3600000000000 "
      "s.video ! video/x-raw,format=RGBA,width=64,height=64 ! "
      "fakesink name=video sync=false async=false "
      "s.audio ! fakesink sync=false async=false",
      &error);
  g_assert_no_error (error);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "video");
  Block held = block (sink);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  await_chunks (252 * MIB / (64 * frame_bytes) + 1);
  const guint64 frames = 3 + (guint64)64 * (await_rest () - 1);
  g_assert_cmpuint (frames * frame_bytes, >, 250 * MIB);
  g_assert_cmpuint (frames * frame_bytes, <, 260 * MIB);
  const guint made = chunks ();
  unblock (&held);
  await_chunks (made + 20);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* Lets pictures through up to one of them. */
typedef struct {
  gint first_held, next, lost; /* atomic */
} Gate;

static GstPadProbeReturn
pass_gate (G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Gate *gate = user_data;
  const gint frame = GST_BUFFER_OFFSET (GST_PAD_PROBE_INFO_BUFFER (info));

  if (frame >= g_atomic_int_get (&gate->first_held))
    return GST_PAD_PROBE_OK;
  g_atomic_int_add (&gate->lost, frame != g_atomic_int_get (&gate->next));
  g_atomic_int_set (&gate->next, frame + 1);
  return GST_PAD_PROBE_PASS;
}

static GstPadProbeReturn
check_samples (
    G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  gint *wrong = user_data;
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  const float *samples = (const float *)map.data;
  for (gsize i = 0; i < map.size / (2 * sizeof (float)); i++)
    g_atomic_int_add (wrong,
        samples[2 * i + 1] != fake_right (GST_BUFFER_OFFSET (buffer) + i));
  gst_buffer_unmap (buffer, &map);
  return GST_PAD_PROBE_OK;
}

/* A clip whose first chunk was let go, and whose queue bytes have filled since,
 * is played from its start all the same. */
static void
test_back_from_full (void)
{
  const guint64 frame_bytes = 64 * 64 * 4 + 1500 * 2 * 4;
  const gint frames = 300 * MIB / frame_bytes;
  Gate gate = { .first_held = 200 };
  g_autoptr (GError) error = NULL;
  gint wrong = 0;

  fake_reset ();
  fake.chunk_frames = 64;
  fake.blank = TRUE;
  g_autofree char *description = g_strdup_printf (
      "vidgensrc name=s model=fake device=host buffer-time=3600000000000 "
      "num-buffers=%d s.video ! video/x-raw,format=RGBA,width=64,height=64 ! "
      "fakesink name=video sync=false async=false "
      "s.audio ! fakesink name=audio sync=false async=false",
      frames);
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_assert_no_error (error);
  g_autoptr (GstElement) video =
      gst_bin_get_by_name (GST_BIN (pipeline), "video");
  g_autoptr (GstElement) audio =
      gst_bin_get_by_name (GST_BIN (pipeline), "audio");
  g_autoptr (GstPad) pictures = gst_element_get_static_pad (video, "sink");
  g_autoptr (GstPad) sound = gst_element_get_static_pad (audio, "sink");
  const gulong held = gst_pad_add_probe (pictures,
      GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, pass_gate, &gate,
      NULL);
  gst_pad_add_probe (
      sound, GST_PAD_PROBE_TYPE_BUFFER, check_samples, &wrong, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  await_chunks (252 * MIB / (64 * frame_bytes));
  const guint made = await_rest ();
  g_assert_cmpint (g_atomic_int_get (&gate.next), ==, 200);
  g_assert_cmpuint (made * 64, <, frames);

  g_atomic_int_set (&gate.first_held, G_MAXINT);
  g_atomic_int_set (&gate.next, 0);
  g_assert_true (gst_element_seek_simple (
      pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
  assert_ends (pipeline, "behind the seek");
  g_assert_cmpint (g_atomic_int_get (&gate.lost), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&gate.next), ==, frames);
  g_assert_cmpint (g_atomic_int_get (&wrong), ==, 0);
  gst_pad_remove_probe (pictures, held);
}

/* A chunk that takes more than the bound is followed by another. */
static void
test_huge_chunks (void)
{
  g_autoptr (GError) error = NULL;

  fake_reset ();
  fake.fps_n = 20000;
  fake.first_chunk_frames = fake.chunk_frames = 17000;
  fake.blank = TRUE;
  g_assert_cmpuint (fake.chunk_frames * 64ull * 64 * 4, >, 256 * MIB);
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "vidgensrc model=fake device=host is-live=true on-underrun=stall "
      "buffer-time=50000000 ! video/x-raw,format=RGBA,width=64,height=64 ! "
      "fakesink sync=false",
      &error);
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  await_chunks (3);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* The newest BUFFERING message there is; -1: none. */
static gint
newest_percent (GstBus *bus, guint *between)
{
  gint percent = -1;
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_BUFFERING))) {
    gst_message_parse_buffering (message, &percent);
    *between += percent > 20 && percent < 90;
    gst_message_unref (message);
  }
  return percent;
}

/* Where bytes bound the queue long before `buffer-time` does, its level is what
 * is there of the bytes: a player that began to play is not told to pause again
 * at once. */
static void
test_level_in_bytes (void)
{
  const gint64 end = g_get_monotonic_time () + PATIENCE / 1000;
  g_autoptr (GError) error = NULL;
  guint between = 0;
  gint frames = 0;

  fake_reset ();
  fake.first_chunk_frames = fake.chunk_frames = 1000;
  fake.blank = TRUE;
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "vidgensrc model=fake device=host buffer-time=36000000000000 "
      "use-buffering=true ! video/x-raw,format=RGBA,width=64,height=64 ! "
      "fakesink name=video sync=true",
      &error);
  g_assert_no_error (error);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "video");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count, &frames, NULL);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  while (newest_percent (bus, &between) < 100) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (1000);
  }
  g_assert_cmpuint (between, >, 0);
  g_atomic_int_set (&fake.ration, 0);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (g_atomic_int_get (&frames) < 5) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (1000);
  }
  g_autoptr (GstQuery) query = gst_query_new_buffering (GST_FORMAT_TIME);
  gboolean busy = TRUE;
  gint percent = 0;
  g_assert_true (gst_element_query (pipeline, query));
  gst_query_parse_buffering_percent (query, &busy, &percent);
  g_assert_false (busy);
  g_assert_cmpint (percent, >, 90);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  GST_PLUGIN_STATIC_REGISTER (vidgen);
  g_test_add_func ("/queues/muxers", test_muxers);
  g_test_add_func ("/queues/live-muxer", test_live_muxer);
  g_test_add_data_func ("/queues/matroskamux", "matroskamux", test_real_muxer);
  g_test_add_data_func ("/queues/qtmux", "qtmux", test_real_muxer);
  g_test_add_func ("/queues/blocked-sinks", test_blocked_sinks);
  g_test_add_func ("/queues/blocked-live-sinks", test_blocked_live_sinks);
  g_test_add_func ("/queues/bytes", test_bytes);
  g_test_add_func ("/queues/back-from-full", test_back_from_full);
  g_test_add_func ("/queues/level-in-bytes", test_level_in_bytes);
  g_test_add_func ("/queues/huge-chunks", test_huge_chunks);
  return g_test_run ();
}
