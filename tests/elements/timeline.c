/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* The arithmetic of frames and samples, and what slots carry. */

#include "gst-plugin/timeline.h"

#define FRAMES 100000

typedef struct {
  guint fps_n, fps_d, rate;
} Rates;

static const Rates rates[] = {
  { 16, 1, 24000 },
  { 24000, 1001, 24000 },
  { 24000, 1001, 44100 },
  { 30000, 1001, 48000 },
  { 7, 1, 24000 },
};

static guint64
floor_of (guint64 count, guint64 factor, guint64 divisor)
{
  return (guint64)((unsigned __int128)count * factor / divisor);
}

static void
assert_times (const Rates *rate)
{
  const VidgenTimeline timeline = { rate->fps_n, rate->fps_d, rate->rate,
    VIDGEN_ENDLESS };

  for (guint64 frame = 0; frame < FRAMES; frame++) {
    const guint64 ns = vidgen_timeline_frame_ns (&timeline, frame);
    const guint64 samples = vidgen_timeline_samples_before (&timeline, frame);

    g_assert_cmpuint (
        ns, ==, floor_of (frame, 1000000000ull * rate->fps_d, rate->fps_n));
    g_assert_cmpuint (samples, ==,
        floor_of (frame, (guint64)rate->rate * rate->fps_d, rate->fps_n));
    g_assert_cmpuint (vidgen_timeline_frame_at (&timeline, ns), ==, frame);
    if (frame > 0)
      g_assert_cmpuint (
          vidgen_timeline_frame_at (&timeline, ns - 1), ==, frame - 1);
    g_assert_cmpuint (vidgen_timeline_sample_at (&timeline,
                          vidgen_timeline_sample_ns (&timeline, samples)),
        ==, samples);
  }
}

static void
test_times (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    assert_times (&rates[i]);
}

static void
test_end (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    for (guint frames = 1; frames < 200; frames++) {
      const VidgenTimeline timeline = { rates[i].fps_n, rates[i].fps_d,
        rates[i].rate, frames };
      const double exact =
          (double)frames * rates[i].rate * rates[i].fps_d / rates[i].fps_n;

      g_assert_cmpuint (vidgen_timeline_content_before (&timeline, frames), ==,
          (guint64)(exact + 0.5));
      g_assert_cmpuint (vidgen_timeline_samples_before (&timeline, frames), ==,
          (guint64)exact);
      g_assert_cmpuint (vidgen_timeline_end_ns (&timeline), ==,
          vidgen_timeline_frame_ns (&timeline, frames));
    }
  }
}

static void
test_frames_in (void)
{
  const VidgenTimeline timeline = { 16, 1, 24000, VIDGEN_ENDLESS };

  g_assert_cmpuint (vidgen_timeline_frames_in (&timeline, 0), ==, 1);
  g_assert_cmpuint (vidgen_timeline_frames_in (&timeline, 62500000), ==, 1);
  g_assert_cmpuint (vidgen_timeline_frames_in (&timeline, 62500001), ==, 2);
  g_assert_cmpuint (vidgen_timeline_frames_in (&timeline, 1000000000), ==, 16);
  g_assert_cmpuint (vidgen_timeline_end_ns (&timeline), ==, G_MAXUINT64);
}

static void
test_slots (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (GArray) fillers = g_array_new (FALSE, FALSE, sizeof (gboolean));
  VidgenSlots slots;
  guint64 content = 100, run = 0;

  vidgen_slots_init (&slots);
  vidgen_slots_reset (&slots, 100);
  for (guint i = 0; i < 1000; i++) {
    const gboolean filler = i > 0 && g_rand_int_range (rand, 0, 4) == 0;
    g_array_append_val (fillers, filler);
    if (filler)
      vidgen_slots_add_filler (&slots);
    else
      vidgen_slots_add_content (&slots);
  }
  g_assert_cmpuint (slots.end, ==, 1100);

  for (guint i = 0; i < 1000; i++) {
    const gboolean filler = g_array_index (fillers, gboolean, i);
    const gboolean before = i > 0 && g_array_index (fillers, gboolean, i - 1);
    const VidgenPlace place = vidgen_slots_find (&slots, 100 + i);

    run = i > 0 && filler == before ? run + 1 : 0;
    g_assert_cmpuint (place.slot, ==, 100 + i);
    g_assert_cmpint (place.filler, ==, filler);
    g_assert_cmpint (place.resumes, ==, before && !filler);
    g_assert_cmpuint (place.content, ==, filler ? content - 1 : content);
    g_assert_cmpuint (place.run_index, ==, run);
    content += !filler;
    if (i % 50 == 0)
      vidgen_slots_forget (&slots, 100 + i);
  }
  g_assert_cmpuint (slots.content, ==, content);
  vidgen_slots_forget (&slots, slots.end);
  g_assert_cmpuint (slots.runs->len, <=, 2);
  vidgen_slots_clear (&slots);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/timeline/times", test_times);
  g_test_add_func ("/timeline/end", test_end);
  g_test_add_func ("/timeline/frames-in", test_frames_in);
  g_test_add_func ("/timeline/slots", test_slots);
  return g_test_run ();
}
