/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* What may change while the element plays. */

#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>
#include <math.h>
#include <stdlib.h>

#include "tests/elements/holdings.h"
#include "tests/elements/rig.h"

GST_PLUGIN_STATIC_DECLARE (vidgen);

/* A clip that stops growing when `chunks` have been made, until go_on(): what
 * is changed before then comes in time on the busiest machine. */
static Rig *
play_part (guint frames, guint chunks)
{
  Rig *rig = rig_new (RIG_BOTH);

  fake.ration = chunks;
  g_object_set (rig->src, "num-buffers", frames, "buffer-time",
      (guint64)250 * GST_MSECOND, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  return rig;
}

static void
go_on (gint chunks)
{
  g_atomic_int_set (&fake.ration, chunks);
}

static guint64
get_uint64 (const GstStructure *structure, const char *field)
{
  guint64 value = 0;

  g_assert_true (gst_structure_get_uint64 (structure, field, &value));
  return value;
}

static guint64
chunk_start (guint64 chunk)
{
  return chunk ? fake.first_chunk_frames + (chunk - 1) * fake.chunk_frames : 0;
}

static void
test_change (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = play_part (120, 12);
  rig_wait_buffers (rig, RIG_VIDEO, 40);
  g_object_set (rig->src, "prompt", "thunder", NULL);
  go_on (-1);
  const GstStructure *applied = rig_wait_element (rig, "vidgen-prompt-applied");
  const guint64 chunk = get_uint64 (applied, "chunk");
  const guint64 first = chunk_start (chunk);
  g_assert_cmpstr (gst_structure_get_string (applied, "prompt"), ==, "thunder");
  g_assert_cmpuint (get_uint64 (applied, "stream-time"), ==,
      gst_util_uint64_scale (first, GST_SECOND, 16));
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);

  g_assert_cmpuint (first, >=, 40);
  g_assert_cmpuint (first, <, 100);
  for (guint i = 0; i < 120; i++)
    g_assert_cmpuint (rig_content (rig, i).prompt, ==,
        fake_prompt (i < first ? "an example" : "thunder"));
  g_autoptr (GArray) sound = rig_sound (rig);
  for (guint i = 0; i < sound->len / 2; i++)
    g_assert_cmpfloat (g_array_index (sound, float, 2 * i), ==,
        fake_left (
            i, fake_prompt (i < first * 1500 ? "an example" : "thunder")));
  rig_assert_clip (rig, 120, 180000);
}

static guint
count_titles (const Rig *rig, RigPad pad, const char *wanted)
{
  guint n = 0;

  for (guint i = 0; i < rig->tracks[pad].events->len; i++) {
    GstEvent *event = g_ptr_array_index (rig->tracks[pad].events, i);
    g_autofree char *title = NULL;
    GstTagList *tags;
    if (GST_EVENT_TYPE (event) != GST_EVENT_TAG)
      continue;
    gst_event_parse_tag (event, &tags);
    gst_tag_list_get_string (tags, GST_TAG_TITLE, &title);
    n += g_strcmp0 (title, wanted) == 0;
  }
  return n;
}

/* The model is asked for what the seed makes of a prompt; whoever hears of it
 * is told what was asked for. */
static void
test_completed (void)
{
  fake_reset ();
  fake.completes = TRUE;
  g_autoptr (Rig) rig = play_part (40, 4);
  rig_wait_buffers (rig, RIG_VIDEO, 12);
  g_object_set (rig->src, "prompt", "thunder", NULL);
  go_on (-1);
  const GstStructure *applied = rig_wait_element (rig, "vidgen-prompt-applied");
  g_assert_cmpstr (gst_structure_get_string (applied, "prompt"), ==, "thunder");
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);
  const guint seed = rig_content (rig, 0).seed;
  g_autofree char *first = g_strdup_printf ("an example %u", seed);
  g_autofree char *second = g_strdup_printf ("thunder %u", seed);
  g_assert_cmpuint (rig_content (rig, 0).prompt, ==, fake_prompt (first));
  g_assert_cmpuint (rig_content (rig, 39).prompt, ==, fake_prompt (second));
}

static void
test_titles (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = play_part (100, 10);
  g_object_set (rig->src, "prompt", "ocean", NULL);
  rig_wait_buffers (rig, RIG_VIDEO, 30);
  g_object_set (rig->src, "prompt", "fire", NULL);
  go_on (-1);
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);
  for (guint pad = 0; pad < RIG_PADS; pad++)
    g_assert_cmpuint (count_titles (rig, pad, "fire"), ==, 1);
}

/* The default and the prompt before the start are no change. */
static void
test_no_message_without_change (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "prompt", "ocean", "num-buffers", 20, NULL);
  rig_run (rig);
  g_assert_cmpuint (rig_content (rig, 0).prompt, ==, fake_prompt ("ocean"));
  for (guint i = 0; i < rig->messages->len; i++)
    g_assert_false (gst_message_has_name (
        g_ptr_array_index (rig->messages, i), "vidgen-prompt-applied"));
}

static void
test_bad_prompt_while_playing (void)
{
  g_autofree char *prompt = NULL;
  g_autofree char *longer = g_strnfill (VIDGEN_PROMPT_MAX_BYTES + 1, 'a');
  const char *const bad[] = { "\xff\xfe", longer };

  fake_reset ();
  g_autoptr (Rig) rig = play_part (100, 4);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    rig_wait_buffers (rig, RIG_VIDEO, 10);
    g_object_set (rig->src, "prompt", bad[i], NULL);
    rig_assert_error (rig_wait (rig, GST_MESSAGE_WARNING), GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS);
    g_object_get (rig->src, "prompt", &prompt, NULL);
    g_assert_null (prompt);
  }
  go_on (-1);
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);
  for (guint i = 0; i < 100; i++)
    g_assert_cmpuint (
        rig_content (rig, i).prompt, ==, fake_prompt ("an example"));
}

static void
test_steps (void)
{
  guint steps, changed = 0;

  fake_reset ();
  g_autoptr (Rig) rig = play_part (100, 6);
  rig_wait_buffers (rig, RIG_VIDEO, 20);
  g_object_set (rig->src, "steps", 4, NULL);
  go_on (9);
  rig_wait_buffers (rig, RIG_VIDEO, 50);
  g_object_set (rig->src, "steps", 3, NULL);
  go_on (-1);
  rig_assert_error (rig_wait (rig, GST_MESSAGE_WARNING), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS);
  rig_wait (rig, GST_MESSAGE_EOS);
  g_object_get (rig->src, "steps", &steps, NULL);
  g_assert_cmpuint (steps, ==, 4);
  rig_state (rig, GST_STATE_NULL);
  for (guint i = 0; i < 100; i++) {
    const guint is = rig_content (rig, i).steps;
    const guint was = i > 0 ? rig_content (rig, i - 1).steps : 2;
    g_assert_true (is == 2 || is == 4);
    changed += is != was;
    if (is != was)
      g_assert_cmpuint ((i - 3) % 4, ==, 0);
  }
  g_assert_cmpuint (changed, ==, 1);
}

/* A control source drives the guidance by stream time, chunk by chunk, from the
 * first one on, however long its prompt takes. */
static void
test_controlled_guidance (gconstpointer encode_us)
{
  fake_reset ();
  fake.encode_us = GPOINTER_TO_INT (encode_us);
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  GstControlSource *source = gst_interpolation_control_source_new ();
  GstTimedValueControlSource *values = GST_TIMED_VALUE_CONTROL_SOURCE (source);
  g_object_set (source, "mode", GST_INTERPOLATION_MODE_LINEAR, NULL);
  g_assert_true (gst_object_add_control_binding (GST_OBJECT (rig->src),
      gst_direct_control_binding_new_absolute (
          GST_OBJECT (rig->src), "guidance-scale", source)));
  gst_timed_value_control_source_set (values, 0, 0.0);
  gst_timed_value_control_source_set (values, 4 * GST_SECOND, 8.0);
  gst_object_unref (source);
  g_object_set (rig->src, "num-buffers", 60, NULL);
  rig_run (rig);
  for (guint i = 0; i < 60; i++) {
    const guint start = i < 3 ? 0 : 3 + (i - 3) / 4 * 4;
    g_assert_cmpuint (rig_content (rig, i).guidance, ==, start * 2 / 16);
  }
}

static void
run_checksums (const char *prompt, guint64 seed, char **video, char **audio)
{
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);

  g_object_set (rig->src, "prompt", prompt, "seed", seed, "num-buffers", 24,
      "model", VIDGEN_SOURCE_ROOT "/tests/data/tiny.safetensors", NULL);
  rig_run (rig);
  *video = rig_checksum (rig, RIG_VIDEO);
  *audio = rig_checksum (rig, RIG_AUDIO);
}

static void
test_determinism (void)
{
  static const struct {
    const char *prompt;
    guint64 seed;
  } runs[] = { { "ocean waves", 1 }, { "ocean waves", 1 }, { "ocean waves", 2 },
    { "campfire", 1 } };
  char *video[G_N_ELEMENTS (runs)], *audio[G_N_ELEMENTS (runs)];

  fake_reset ();
  for (guint i = 0; i < G_N_ELEMENTS (runs); i++)
    run_checksums (runs[i].prompt, runs[i].seed, &video[i], &audio[i]);
  g_assert_cmpstr (video[0], ==, video[1]);
  g_assert_cmpstr (audio[0], ==, audio[1]);
  for (guint i = 2; i < G_N_ELEMENTS (runs); i++) {
    g_assert_cmpstr (video[0], !=, video[i]);
    g_assert_cmpstr (audio[0], !=, audio[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (runs); i++) {
    g_free (video[i]);
    g_free (audio[i]);
  }
}

/* Of the chunk in which a picture lies. */
static guint
prompt_of_chunk (const Rig *rig, guint64 chunk)
{
  return rig_content (rig, chunk_start (chunk)).prompt;
}

/* Two seconds are eight chunks, each of which goes a ninth of the way. */
static void
test_transition (void)
{
  const double from = fake_prompt ("an example"), to = fake_prompt ("thunder");

  g_assert_cmpfloat (fabs (to - from), >, 18);
  fake_reset ();
  g_autoptr (Rig) rig = play_part (160, 6);
  g_object_set (rig->src, "transition-time", 2 * (guint64)GST_SECOND, NULL);
  rig_wait_buffers (rig, RIG_VIDEO, 20);
  g_object_set (rig->src, "prompt", "thunder", NULL);
  go_on (-1);
  const guint64 first =
      get_uint64 (rig_wait_element (rig, "vidgen-prompt-applied"), "chunk");
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);
  g_assert_cmpuint (first, <, 20);
  g_assert_cmpuint (prompt_of_chunk (rig, first - 1), ==, from);
  for (guint i = 0; i < 12; i++)
    g_assert_cmpuint (prompt_of_chunk (rig, first + i), ==,
        lrint (from + (to - from) * MIN (1, (i + 1) / 9.0)));
}

/* A change amid a transition goes on from where that was. */
static void
test_transition_anew (void)
{
  const double from = fake_prompt ("an example"), to = fake_prompt ("thunder");
  double there = 0;

  fake_reset ();
  g_autoptr (Rig) rig = play_part (160, 6);
  g_object_set (rig->src, "transition-time", 2 * (guint64)GST_SECOND, NULL);
  rig_wait_buffers (rig, RIG_VIDEO, 20);
  g_object_set (rig->src, "prompt", "thunder", NULL);
  go_on (5);
  const guint64 first =
      get_uint64 (rig_wait_element (rig, "vidgen-prompt-applied"), "chunk");
  rig_wait_buffers (rig, RIG_VIDEO, chunk_start (11));
  g_object_set (rig->src, "prompt", "an example", NULL);
  go_on (-1);
  const guint64 second =
      get_uint64 (rig_wait_element (rig, "vidgen-prompt-applied"), "chunk");
  rig_wait (rig, GST_MESSAGE_EOS);
  rig_state (rig, GST_STATE_NULL);
  g_assert_cmpuint (first, <, 11);
  /* The worker may be at chunk 11 by then. */
  g_assert_cmpuint (second, >=, 11);
  g_assert_cmpuint (second, <=, 12);
  for (guint64 chunk = first; chunk < second; chunk++) {
    there = from + (to - from) * (chunk - first + 1) / 9;
    g_assert_cmpuint (prompt_of_chunk (rig, chunk), ==, lrint (there));
  }
  for (guint i = 0; i < 12; i++)
    g_assert_cmpuint (prompt_of_chunk (rig, second + i), ==,
        lrint (there + (from - there) * MIN (1, (i + 1) / 9.0)));
}

/* Prompts that come faster than they can be encoded hold up no chunk. */
static void
test_faster_than_encoding (void)
{
  fake_reset ();
  fake.encode_us = 50000;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 10);
  const guint before = rig_received (rig, RIG_VIDEO);
  for (guint i = 0; i < 200; i++) {
    g_autofree char *prompt = g_strdup_printf ("%u", i);
    g_object_set (rig->src, "prompt", prompt, NULL);
    g_usleep (10000);
  }
  g_assert_cmpuint (rig_received (rig, RIG_VIDEO), >, before + 40);
}

static GstProgressType
next_of_encoding (Rig *rig)
{
  GstProgressType type;

  while (TRUE) {
    GstMessage *message = rig_wait (rig, GST_MESSAGE_PROGRESS);
    g_autofree char *code = NULL;

    gst_message_parse_progress (message, &type, &code, NULL);
    if (g_str_equal (code, "encode"))
      return type;
  }
}

/* Encoding of which was told ends where the prompt is refused. */
static void
test_refused_progress (void)
{
  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 10);
  g_atomic_int_set (&fake.refuse, TRUE);
  g_object_set (rig->src, "prompt", "7", NULL);
  g_assert_cmpint (next_of_encoding (rig), ==, GST_PROGRESS_TYPE_START);
  g_assert_cmpint (next_of_encoding (rig), ==, GST_PROGRESS_TYPE_ERROR);
  const guint before = rig_received (rig, RIG_VIDEO);
  rig_wait_buffers (rig, RIG_VIDEO, before + 10);
}

typedef struct {
  GstElement *pipeline, *src;
  gint newest; /* number of the newest prompt that was told to be applied */
  guint applied;
} Steered;

/* Prompts are "NUMBER …", in order. */
static void
read_applied (Steered *steered)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (steered->pipeline);
  GstMessage *message;

  while ((message = gst_bus_pop (bus))) {
    g_assert_cmpint (GST_MESSAGE_TYPE (message), !=, GST_MESSAGE_ERROR);
    if (gst_message_has_name (message, "vidgen-prompt-applied")) {
      const gint number = atoi (gst_structure_get_string (
          gst_message_get_structure (message), "prompt"));
      g_assert_cmpint (number, >, steered->newest);
      steered->newest = number;
      steered->applied++;
    }
    gst_message_unref (message);
  }
}

static void
steer (Steered *steered, guint first, guint n)
{
  for (guint i = first; i < first + n; i++) {
    g_autofree char *padding = g_strnfill (1000, 'a' + i % 26);
    g_autofree char *prompt = g_strdup_printf ("%u %s", i, padding);
    g_object_set (steered->src, "prompt", prompt, NULL);
    g_usleep (2000);
    read_applied (steered);
  }
}

/* A thousand changes in a few seconds cost neither memory nor chunks. */
static void
test_thousand (gconstpointer live)
{
  Steered steered = { .newest = -1 };
  g_autoptr (GError) error = NULL;

  fake_reset ();
  fake.fps_n = 400;
  GST_PLUGIN_STATIC_REGISTER (vidgen);
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "vidgensrc name=s model=fake device=host buffer-time=20000000 "
      "s.video ! fakesink sync=true enable-last-sample=false "
      "s.audio ! fakesink sync=true enable-last-sample=false",
      &error);
  g_assert_no_error (error);
  g_autoptr (GstElement) src = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  g_object_set (src, "is-live", live != NULL, "transition-time",
      (guint64)25 * GST_MSECOND, NULL);
  steered.pipeline = pipeline;
  steered.src = src;
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  steer (&steered, 0, 300);
  const Holdings before = holdings_now ();
  const gint chunks = g_atomic_int_get (&fake.chunks);
  steer (&steered, 300, 700);
  g_assert_cmpint (g_atomic_int_get (&fake.chunks), >, chunks + 50);
  for (guint i = 0; steered.newest < 999; i++) {
    g_assert_cmpuint (i, <, 20000);
    g_usleep (1000);
    read_applied (&steered);
  }
  const Holdings after = holdings_settled (before.threads);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpuint (steered.applied, >, 50);
  g_assert_cmpuint (after.descriptors, <=, before.descriptors);
  g_assert_cmpuint (after.threads, <=, before.threads);
  if (!g_getenv ("VIDGEN_SANITIZED"))
    g_assert_cmpuint (
        after.allocated_bytes, <, before.allocated_bytes + (512 << 10));
}

static void
assert_title (const Rig *rig, const char *text)
{
  for (guint pad = 0; pad < RIG_PADS; pad++)
    g_assert_cmpuint (count_titles (rig, pad, *text ? text : NULL), ==, 1);
}

/* Any text is a prompt, and is told as it was set. */
static void
test_texts (void)
{
  g_autofree char *longest = g_strnfill (10000, 'x');
  const char *const texts[] = { "", longest,
    "\u05d2\u05dc\u05d9\u05dd \u05d1\u05dc\u05d9\u05dc\u05d4",
    "\u0623\u0645\u0648\u0627\u062c \u200fthe sea\u200e",
    "\U0001f30a\U0001f525 \U0001f468\u200d\U0001f469\u200d\U0001f467 "
    "\u2764\ufe0f",
    "e\u0301 \u6d77\u6d6a \u0e1b\u0e35\u0e48", "\t\n\"quoted\" \\ $HOME %s" };

  fake_reset ();
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "model",
      VIDGEN_SOURCE_ROOT "/tests/data/tiny.safetensors", "prompt", "ocean",
      "buffer-time", (guint64)250 * GST_MSECOND, NULL);
  for (guint pad = 0; pad < RIG_PADS; pad++)
    g_object_set (rig->tracks[pad].sink, "sync", TRUE, NULL);
  rig_state (rig, GST_STATE_PLAYING);
  rig_wait_buffers (rig, RIG_VIDEO, 1);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_object_set (rig->src, "prompt", texts[i], NULL);
    const GstStructure *applied =
        rig_wait_element (rig, "vidgen-prompt-applied");
    g_assert_cmpstr (
        gst_structure_get_string (applied, "prompt"), ==, texts[i]);
    for (guint pad = 0; pad < RIG_PADS; pad++)
      rig_wait_buffers (rig, pad, rig_received (rig, pad) + 12);
  }
  rig_state (rig, GST_STATE_NULL);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    assert_title (rig, texts[i]);
}

static void
run_with_cache (const char *cache_dir, gint encodes)
{
  fake_reset ();
  fake.dear = TRUE;
  g_autoptr (Rig) rig = rig_new (RIG_BOTH);
  g_object_set (rig->src, "cache-dir", cache_dir, "prompt", "thunder",
      "num-buffers", 10, NULL);
  rig_run (rig);
  g_assert_cmpuint (rig_content (rig, 5).prompt, ==, fake_prompt ("thunder"));
  g_assert_cmpint (fake.encodes, ==, encodes);
}

/* Where that is worth it, a prompt is encoded once: the empty one, which every
 * stream begins with, and its own. */
static void
test_kept_on_disk (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("vidgen-cache-XXXXXX", &error);
  g_autofree char *command = g_strdup_printf ("rm -r '%s'", folder);

  g_assert_no_error (error);
  run_with_cache (folder, 2);
  run_with_cache (folder, 0);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prompts/change", test_change);
  g_test_add_func ("/prompts/completed", test_completed);
  g_test_add_func ("/prompts/titles", test_titles);
  g_test_add_func (
      "/prompts/no-message-without-change", test_no_message_without_change);
  g_test_add_func (
      "/prompts/bad-prompt-while-playing", test_bad_prompt_while_playing);
  g_test_add_func ("/prompts/steps", test_steps);
  g_test_add_data_func (
      "/prompts/controlled-guidance", NULL, test_controlled_guidance);
  g_test_add_data_func ("/prompts/controlled-behind-encoding",
      GINT_TO_POINTER (100000), test_controlled_guidance);
  g_test_add_func ("/prompts/determinism", test_determinism);
  g_test_add_func ("/prompts/transition", test_transition);
  g_test_add_func ("/prompts/transition-anew", test_transition_anew);
  g_test_add_func ("/prompts/faster-than-encoding", test_faster_than_encoding);
  g_test_add_func ("/prompts/refused-progress", test_refused_progress);
  g_test_add_data_func ("/prompts/thousand", NULL, test_thousand);
  g_test_add_data_func ("/prompts/thousand-live", "live", test_thousand);
  g_test_add_func ("/prompts/texts", test_texts);
  g_test_add_func ("/prompts/kept-on-disk", test_kept_on_disk);
  return g_test_run ();
}
