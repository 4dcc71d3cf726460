/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* A live stream on a clock that the test turns as fast as it can, with new
 * prompts, pauses and underruns: 24 hours of it with -m slow. */

#include <gst/check/gsttestclock.h>
#include <math.h>

#include "gst-plugin/gstvidgensrc.h"
#include "tests/elements/holdings.h"
#include "tests/elements/rig.h"

#define FPS 16
#define RATE 11025 /* no frame holds a whole number of samples */
#define MINUTE (60 * FPS)
#define PERIOD (10 * MINUTE) /* slots in which everything happens once */
#define PICTURES (1 << 17)   /* that the fake model can tell apart */
#define SAMPLES (1 << 20)
#define MAX_GROWTH (1 << 20) /* bytes */

typedef struct {
  GstElement *pipeline, *src;
  GstTestClock *clock;
  guint64 slots;            /* that both pads were let have */
  guint prompts, underruns; /* caused */
  gint applied;             /* atomic */
  gint dry;                 /* content may be late, atomic */

  /* Each of a pad's thread. */
  guint64 pictures, fillers;
  guint frame, prompt; /* of the newest picture */
  guint64 buffers, samples;
  guint lag; /* samples of fillers, as the newest sound tells */
} Soak;

static GstPadProbeReturn
check_picture (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Soak *soak = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const FakeContent content = fake_read (buffer, caps);
  const GstClockTime start =
      gst_util_uint64_scale (soak->pictures, GST_SECOND, FPS);
  const GstClockTime end =
      gst_util_uint64_scale (soak->pictures + 1, GST_SECOND, FPS);

  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, start);
  g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==, end - start);
  g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, soak->pictures);
  if (soak->pictures > 0 && content.frame == soak->frame) {
    g_assert_true (g_atomic_int_get (&soak->dry));
    soak->fillers++;
  }
  soak->frame = content.frame;
  soak->prompt = content.prompt;
  soak->pictures++;
  g_assert_cmpuint (
      content.frame, ==, (soak->pictures - 1 - soak->fillers) % PICTURES);
  return GST_PAD_PROBE_OK;
}

/* The channel that counts samples, at the end of a buffer, where no fade
 * reaches. */
static guint
last_sample (GstBuffer *buffer)
{
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  const float *sound = (const float *)map.data;
  const guint sample =
      lrintf (sound[map.size / sizeof *sound - 1] * (float)SAMPLES);
  gst_buffer_unmap (buffer, &map);
  return sample;
}

static GstPadProbeReturn
check_sound (
    G_GNUC_UNUSED GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Soak *soak = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  const guint64 end = GST_BUFFER_OFFSET_END (buffer);
  const guint64 due = gst_util_uint64_scale (soak->buffers, RATE, FPS);
  const GstClockTime start_ns =
      gst_util_uint64_scale (soak->samples, GST_SECOND, RATE);
  const guint lag = (end - 1 - last_sample (buffer)) % SAMPLES;

  g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, soak->samples);
  g_assert_cmpint (ABS ((gint64)(soak->samples - due)), <=, 1);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, start_ns);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer), ==,
      gst_util_uint64_scale (end, GST_SECOND, RATE));
  if (!g_atomic_int_get (&soak->dry))
    g_assert_cmpuint (lag, ==, soak->lag);
  soak->lag = lag;
  soak->samples = end;
  soak->buffers++;
  return GST_PAD_PROBE_OK;
}

/* No message is kept. */
static GstBusSyncReply
take_message (G_GNUC_UNUSED GstBus *bus, GstMessage *message, gpointer data)
{
  Soak *soak = data;

  g_assert_cmpint (GST_MESSAGE_TYPE (message), !=, GST_MESSAGE_ERROR);
  if (gst_message_has_name (message, "vidgen-prompt-applied"))
    g_atomic_int_inc (&soak->applied);
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static void
link_pad (Soak *soak, const char *name, GstPadProbeCallback check)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (soak->src, name);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);

  g_object_set (sink, "sync", FALSE, "enable-last-sample", FALSE, NULL);
  gst_bin_add (GST_BIN (soak->pipeline), sink);
  g_assert_true (gst_element_link_pads (soak->src, name, sink, "sink"));
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, check, soak, NULL);
}

static void
soak_init (Soak *soak)
{
  *soak = (Soak){ .pipeline = gst_pipeline_new (NULL) };
  g_autoptr (GstBus) bus = gst_element_get_bus (soak->pipeline);

  fake_reset ();
  fake.fps_n = FPS;
  fake.rate = RATE;
  soak->src = g_object_new (GST_TYPE_VIDGEN_SRC, "model", "fake", "device",
      "host", "is-live", TRUE, "prompt", "0", NULL);
  gst_bin_add (GST_BIN (soak->pipeline), soak->src);
  link_pad (soak, "video", check_picture);
  link_pad (soak, "audio", check_sound);
  soak->clock = GST_TEST_CLOCK (gst_test_clock_new ());
  gst_pipeline_use_clock (
      GST_PIPELINE (soak->pipeline), GST_CLOCK (soak->clock));
  gst_bus_set_sync_handler (bus, take_message, soak, NULL);
}

static void
soak_clear (Soak *soak)
{
  gst_element_set_state (soak->pipeline, GST_STATE_NULL);
  gst_object_unref (soak->pipeline);
  gst_object_unref (soak->clock);
}

/* Until both pads wait for the clock. */
static void
settle (const Soak *soak)
{
  gst_test_clock_wait_for_multiple_pending_ids (soak->clock, 2, NULL);
}

/* Lets both pads have their next slot. */
static void
turn (Soak *soak)
{
  GList *ids = NULL;

  gst_test_clock_wait_for_multiple_pending_ids (soak->clock, 2, &ids);
  gst_test_clock_set_time (
      soak->clock, MAX (gst_test_clock_id_list_get_latest_time (ids),
                       gst_clock_get_time (GST_CLOCK (soak->clock))));
  gst_test_clock_process_id_list (soak->clock, ids);
  g_list_free_full (ids, gst_clock_id_unref);
  settle (soak);
  soak->slots++;
}

/* Frames of content that are ready for certain: the worker puts a chunk away
 * before it makes the next one. */
static gint64
ready_frames (void)
{
  const gint chunks = g_atomic_int_get (&fake.chunks);

  if (chunks < 2)
    return 0;
  return fake.first_chunk_frames + (gint64)(chunks - 2) * fake.chunk_frames;
}

static void
play (Soak *soak, guint slots)
{
  for (guint i = 0; i < slots; i++) {
    while (ready_frames () <= (gint64)(soak->slots - soak->fillers))
      g_usleep (10);
    turn (soak);
  }
}

static guint64
stat_uint64 (const Soak *soak, const char *field)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (soak->src, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, field, &value));
  return value;
}

/* It is told by a thread of its own, behind the picture. */
static void
await_applied (const Soak *soak)
{
  for (guint i = 0; g_atomic_int_get (&soak->applied) < (gint)soak->prompts;
       i++) {
    g_assert_cmpuint (i, <, 60000);
    g_usleep (1000);
  }
}

static void
change_prompt (Soak *soak)
{
  g_autofree char *prompt = g_strdup_printf ("%u", ++soak->prompts);

  g_object_set (soak->src, "prompt", prompt, NULL);
  play (soak, 3 * FPS);
  g_assert_cmpuint (soak->prompt, ==, fake_prompt (prompt));
  await_applied (soak);
  g_assert_cmpint (g_atomic_int_get (&soak->applied), ==, soak->prompts);
}

/* Running time stands still meanwhile. */
static void
hold_still (Soak *soak)
{
  gst_element_set_state (soak->pipeline, GST_STATE_PAUSED);
  gst_test_clock_advance_time (soak->clock, 100 * GST_SECOND + 1);
  gst_element_set_state (soak->pipeline, GST_STATE_PLAYING);
  settle (soak);
}

static void
run_dry (Soak *soak)
{
  const guint64 fillers = soak->fillers;

  g_atomic_int_set (&soak->dry, TRUE);
  g_atomic_int_set (&fake.ration, 0);
  for (guint i = 0; i < 3 * FPS; i++)
    turn (soak);
  g_assert_cmpuint (soak->fillers, >, fillers);
  g_atomic_int_set (&fake.ration, -1);
  while (stat_uint64 (soak, "queue-level") < GST_SECOND)
    g_usleep (100);
  turn (soak);
  turn (soak);
  g_atomic_int_set (&soak->dry, FALSE);
  soak->underruns++;
}

/* Both pads were late by the same time. */
static void
check_lag (const Soak *soak)
{
  const guint due = gst_util_uint64_scale (soak->fillers, RATE, FPS) % SAMPLES;

  g_assert_cmpuint ((soak->lag - due + 1) % SAMPLES, <=, 2);
}

static void
pass_period (Soak *soak)
{
  const guint64 end = soak->slots + PERIOD;

  change_prompt (soak);
  hold_still (soak);
  run_dry (soak);
  play (soak, end - soak->slots);
  check_lag (soak);
  g_assert_cmpuint (soak->pictures, ==, soak->slots);
  g_assert_cmpuint (soak->buffers, ==, soak->slots);
}

static void
check_holdings (const Holdings *before)
{
  const Holdings now = holdings_settled (before->threads);

  g_assert_cmpuint (now.descriptors, <=, before->descriptors);
  g_assert_cmpuint (now.threads, <=, before->threads);
  if (!g_getenv ("VIDGEN_SANITIZED"))
    g_assert_cmpuint (
        now.resident_bytes, <, before->resident_bytes + MAX_GROWTH);
}

static guint
count_periods (void)
{
  if (g_getenv ("VIDGEN_SANITIZED"))
    return 2;
  return g_test_slow () ? 24 * 6 : 3;
}

static void
test_day (void)
{
  const guint periods = count_periods ();
  const guint warm = MAX (1, periods / 12);
  Holdings before = { 0 };
  Soak soak;

  soak_init (&soak);
  gst_element_set_state (soak.pipeline, GST_STATE_PLAYING);
  settle (&soak);
  for (guint i = 0; i < periods; i++) {
    pass_period (&soak);
    if (i + 1 == warm)
      before = holdings_now ();
    if (i + 1 > warm)
      check_holdings (&before);
  }
  g_assert_cmpuint (stat_uint64 (&soak, "underruns"), ==, soak.underruns);
  g_assert_cmpuint (stat_uint64 (&soak, "frames"), ==, soak.slots);
  g_test_message ("%u min, resident %zu KiB, then %zu KiB", periods * 10,
      before.resident_bytes >> 10, holdings_now ().resident_bytes >> 10);
  soak_clear (&soak);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/soak/day", test_day);
  return g_test_run ();
}
