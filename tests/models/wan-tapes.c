/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* What is on tapes makes what recording it each time makes, and after a while
 * nothing is recorded any more. */

#include "models/wan/reel.h"

#include "models/wan/stream.h"
#include "tests/models/cancelling.h"
#include "tests/models/wanfolder.h"

#define SMALL "width = 32\nheight = 16\nweights = published\n"
#define WAN_VAE "decoders/vae-weights.safetensors"
#define MAX_TRIES 20
#define PRESET(name) "[wan]\npreset = " name "\n" SMALL

typedef struct {
  const char *name;
  const char *side;
  guint samples; /* tapes of a chunk's latents when all are there */
  guint outputs; /* of what is made of them */
  guint places;  /* chunks after which they come to lie as before */
  gboolean video, vae;
} Case;

/* All that presets are in what they remember: the frame-wise ones differ in
 * steps alone, Causal-Forcing and Self-Forcing in nothing. */
static const Case presets[] = {
  { "longlive", PRESET ("longlive"), 6, 3, 3, TRUE, FALSE },
  { "frame-wise", PRESET ("causal-forcing-1-step"), 38, 2, 18, FALSE, FALSE },
  { "chunk-wise", PRESET ("self-forcing") "steps = 2\n", 12, 3, 6, TRUE,
      FALSE },
  { "clip", PRESET ("wan") "chunk = 4\nwindow = 4\nsteps = 4\n", 1, 1, 1, TRUE,
      TRUE },
};

/* Where places in the cache, copies and the decoder's phases turn at other
 * rates: of six frames by fours, and of five by twos. */
static const Case odd[] = {
  { "fours",
      PRESET ("self-forcing") "chunk = 4\nwindow = 7\nsink = 1\nsteps = 1\n"
                              "first-steps = 1\npositions = absolute\n",
      4, 3, 3, TRUE, TRUE },
  { "twos",
      PRESET ("longlive") "chunk = 2\nwindow = 5\nsink = 0\nsteps = 1\n"
                          "first-steps = 1\ncache = f32\n",
      7, 4, 5, TRUE, FALSE },
};

/* A folder of a case, and a stream on tapes and one without. While they run
 * nothing is compiled and no memory allocated. */
typedef struct {
  WanFolder folder;
  VidgenSafetensors *golden;
  VidgenStream *taped, *fresh;
  guint64 n_pipelines, memory_used; /* when they had been made */
} Pair;

static void
pair_open (Pair *pair, VidgenDevice *device, const char *side, gboolean vae)
{
  pair->golden = wan_golden_open ("frames");
  if (vae)
    wan_folder_open_with (&pair->folder, device, side, WAN_VAE);
  else
    wan_folder_open (&pair->folder, device, side);
  pair->taped = wan_stream_new (&pair->folder, pair->golden);
  pair->fresh = wan_stream_new (&pair->folder, pair->golden);
  vidgen_wan_stream_set_tapes (pair->fresh, FALSE);
  pair->n_pipelines = vidgen_device_n_pipelines (device);
  pair->memory_used = vidgen_device_memory_used (device);
}

static void
pair_close (Pair *pair)
{
  VidgenDevice *device = pair->folder.device;

  g_assert_cmpuint (vidgen_device_n_pipelines (device), ==, pair->n_pipelines);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, pair->memory_used);
  vidgen_stream_free (pair->taped);
  vidgen_stream_free (pair->fresh);
  wan_folder_close (&pair->folder);
  vidgen_safetensors_unref (pair->golden);
}

static gboolean
on_host (const Pair *pair)
{
  return vidgen_device_caps (pair->folder.device)->type == VIDGEN_DEVICE_HOST;
}

static void
pair_set_prompt (Pair *pair, guint prompt, guint blend_chunks)
{
  wan_stream_blend (
      pair->taped, pair->folder.model, pair->golden, prompt, blend_chunks);
  wan_stream_blend (
      pair->fresh, pair->folder.model, pair->golden, prompt, blend_chunks);
}

static void
pair_next (Pair *pair, const VidgenChunkRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenChunk) a =
      vidgen_stream_next (pair->taped, request, NULL, &error);
  g_autoptr (VidgenChunk) b = NULL;

  g_assert_no_error (error);
  b = vidgen_stream_next (pair->fresh, request, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (a->index, ==, b->index);
  if (request->video)
    g_assert_true (fixture_same_pictures (a, b));
}

static void
pair_run (Pair *pair, guint n_chunks, gboolean video)
{
  const VidgenChunkRequest request = { .video = video,
    .picture_format = VIDGEN_PICTURE_RGB };

  for (guint i = 0; i < n_chunks; i++)
    pair_next (pair, &request);
}

static guint64
n_recorded (VidgenStream *stream)
{
  return vidgen_recorder_n_recorded (vidgen_wan_stream_recorder (stream));
}

/* What the stream on tapes records in so many chunks. */
static guint64
recorded_in (Pair *pair, guint n_chunks, gboolean video)
{
  const guint64 taped = n_recorded (pair->taped);
  const guint64 fresh = n_recorded (pair->fresh);

  pair_run (pair, n_chunks, video);
  g_assert_cmpuint (n_recorded (pair->fresh), >, fresh);
  g_test_message ("%" G_GUINT64_FORMAT " recorded in %u chunks, instead of "
                  "%" G_GUINT64_FORMAT,
      n_recorded (pair->taped) - taped, n_chunks,
      n_recorded (pair->fresh) - fresh);
  return n_recorded (pair->taped) - taped;
}

/* Tapes become stale on a device that is busy with other things: there it may
 * take a while. */
static void
check_flat (Pair *pair, guint n_chunks, gboolean video)
{
  guint n_tries = on_host (pair) ? 1 : MAX_TRIES;

  while (recorded_in (pair, n_chunks, video) > 0)
    g_assert_cmpuint (--n_tries, >, 0);
}

static void
check_case (VidgenDevice *device, const Case *one)
{
  const guint n_tapes = one->samples + one->outputs;
  Pair pair;

  g_test_message ("%s", one->name);
  pair_open (&pair, device, one->side, one->vae);
  pair_run (&pair, MAX (one->samples, one->outputs), one->video);
  g_assert_cmpuint (vidgen_wan_stream_n_tapes (pair.taped), ==, n_tapes);
  check_flat (&pair, one->places, one->video);
  g_assert_cmpuint (vidgen_wan_stream_n_tapes (pair.taped), ==, n_tapes);
  pair_run (&pair, 1, TRUE);
  pair_close (&pair);
}

static void
test_presets (VidgenDevice *device)
{
  for (guint i = 0; i < G_N_ELEMENTS (presets); i++)
    check_case (device, &presets[i]);
}

static void
test_odd (VidgenDevice *device)
{
  for (guint i = 0; i < G_N_ELEMENTS (odd); i++)
    check_case (device, &odd[i]);
}

/* However far a stream sees and whatever it is told, its tapes are so many. */
static void
test_bounded (VidgenDevice *device)
{
  static const guint steps[] = { 1, 2, 4 };
  Pair pair;

  pair_open (&pair, device,
      PRESET ("causal-forcing-1-step") "window = 64\nsink = 0\n", FALSE);
  pair_run (&pair, 128, FALSE);
  check_flat (&pair, 64, FALSE);
  for (guint i = 0; i < 12; i++) {
    vidgen_stream_set_steps (pair.taped, steps[i % 3], NULL);
    vidgen_stream_set_steps (pair.fresh, steps[i % 3], NULL);
    for (guint format = 0; format < VIDGEN_PICTURE_FORMATS; format++) {
      const VidgenChunkRequest request = { .video = i % 6 == 5,
        .picture_format = format };

      pair_next (&pair, &request);
      g_assert_cmpuint (vidgen_wan_stream_n_tapes (pair.taped), <=,
          VIDGEN_WAN_REEL_SAMPLES + VIDGEN_WAN_REEL_OUTPUTS);
    }
  }
  pair_close (&pair);
}

static void
change (Pair *pair, guint turn)
{
  switch (turn) {
  case 5:
    pair_set_prompt (pair, 1, 0);
    break;
  case 11:
    pair_set_prompt (pair, 2, 3);
    break;
  case 17:
    vidgen_stream_set_steps (pair->taped, 2, NULL);
    vidgen_stream_set_steps (pair->fresh, 2, NULL);
    break;
  case 20:
    vidgen_stream_seek (pair->taped, 2);
    vidgen_stream_seek (pair->fresh, 2);
    break;
  case 26:
    pair_set_prompt (pair, 0, 0);
    vidgen_stream_seek (pair->taped, 1);
    vidgen_stream_seek (pair->fresh, 1);
    break;
  default:
    break;
  }
}

/* What was begun ahead is forgotten where the next chunk is another one. */
static void
check_changes (VidgenDevice *device, const char *side, gboolean vae)
{
  Pair pair;

  pair_open (&pair, device, side, vae);
  for (guint turn = 0; turn < 30; turn++) {
    const VidgenChunkRequest request = { .video = turn % 7 != 4,
      .picture_format =
          turn % 9 == 8 ? VIDGEN_PICTURE_I420 : VIDGEN_PICTURE_RGB };

    change (&pair, turn);
    pair_next (&pair, &request);
  }
  pair_close (&pair);
}

#define CHANGING(change)                                                       \
  PRESET ("causal-forcing-2-step")                                             \
  "window = 4\nsink = 1\nfirst-steps = 4\nprompt-change = " change "\n"

static void
test_changes (VidgenDevice *device)
{
  check_changes (device, CHANGING ("recache"), FALSE);
  check_changes (device, CHANGING ("keep"), TRUE);
  check_changes (device, CHANGING ("cut") "positions = absolute\n", FALSE);
  check_changes (
      device, PRESET ("longlive") "chunk = 2\nwindow = 5\nsink = 1\n", FALSE);
}

/* A clip's guidance is fixed on its tape, which is another one then. */
static void
test_guidance (VidgenDevice *device)
{
  static const double guidances[] = { 6, 6, 1, 3.5, 6, 1 };
  Pair pair;

  pair_open (&pair, device, presets[G_N_ELEMENTS (presets) - 1].side, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (guidances); i++) {
    vidgen_stream_set_guidance (pair.taped, guidances[i], NULL);
    vidgen_stream_set_guidance (pair.fresh, guidances[i], NULL);
    pair_run (&pair, 1, TRUE);
  }
  pair_close (&pair);
}

/* Wherever in a chunk that is played the cancel comes, the next try makes the
 * same bytes, also when it is under another prompt. */
static void
test_cancelled (VidgenDevice *device)
{
  const VidgenChunkRequest request = { .video = TRUE,
    .picture_format = VIDGEN_PICTURE_RGB };
  guint n_tries = 0, n_cancelled = 0, prompt = 0;
  guint64 chunk_us = 0;
  Pair pair;

  pair_open (&pair, device, CHANGING ("recache"), FALSE);
  for (; n_tries < 16 || n_cancelled < 4 || n_cancelled == n_tries; n_tries++) {
    g_autoptr (VidgenChunk) a =
        cancelling_next (pair.taped, &request, n_tries, chunk_us);
    g_autoptr (VidgenChunk) b = NULL;

    g_assert_cmpuint (n_tries, <, 1000);
    if (!a) {
      if (n_cancelled++ % 3 == 2)
        pair_set_prompt (&pair, prompt = (prompt + 1) % 3, 0);
      a = wan_stream_next (pair.taped, TRUE);
    }
    b = wan_stream_next (pair.fresh, TRUE);
    g_assert_true (fixture_same_pictures (a, b));
    chunk_us = b->time_ns / 1000;
  }
  g_test_message ("%u of %u were cancelled", n_cancelled, n_tries);
  pair_close (&pair);
}

/* Stages of which work was under way when the next chunk had come back. */
static guint
stages_under_way (VidgenStream *stream)
{
  VidgenRecorder *recorder = vidgen_wan_stream_recorder (stream);
  guint n;

  vidgen_chunk_unref (wan_stream_next (stream, TRUE));
  g_assert_true (vidgen_recorder_finish (recorder, NULL, NULL));
  vidgen_recorder_times (recorder, &n);
  return n;
}

/* A chunk that has come back leaves the next one under way, where that has a
 * tape that is good. */
static void
test_under_way (VidgenDevice *device)
{
  Pair pair;
  guint n = 0;

  pair_open (&pair, device, CHANGING ("recache"), FALSE);
  g_assert_cmpuint (stages_under_way (pair.taped), ==, 0);
  for (guint i = 0; n == 0 && i < MAX_TRIES; i++)
    n = stages_under_way (pair.taped);
  if (!on_host (&pair) && vidgen_device_caps (device)->timestamp_period_ns > 0)
    g_assert_cmpuint (n, ==, 1);
  pair_close (&pair);
}

typedef void (*DeviceTest) (VidgenDevice *device);

static void
run_on_host (gconstpointer test)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();

  ((DeviceTest)test) (device);
}

static void
run_on_vulkan (gconstpointer test)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();

  if (device)
    ((DeviceTest)test) (device);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    DeviceTest test;
  } tests[] = { { "presets", test_presets }, { "odd", test_odd },
    { "bounded", test_bounded }, { "changes", test_changes },
    { "guidance", test_guidance }, { "cancelled", test_cancelled },
    { "under-way", test_under_way } };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree char *host =
        g_strconcat ("/wan-tapes/host/", tests[i].name, NULL);
    g_autofree char *vulkan =
        g_strconcat ("/wan-tapes/vulkan/", tests[i].name, NULL);

    g_test_add_data_func (host, tests[i].test, run_on_host);
    g_test_add_data_func (vulkan, tests[i].test, run_on_vulkan);
  }
  return g_test_run ();
}
