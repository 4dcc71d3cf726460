/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* What model.c does for every family, on a family that keeps one number as a
 * prompt and makes chunks that tell their settings. */

#include <math.h>
#include <string.h>

#include "models/family.h"
#include "models/history.h"
#include "tests/models/fixture.h"

#define LOCATION "vidgen-test-family"
#define FIRST_FRAMES 3
#define FRAMES 5

static const guint steps[] = { 1, 4, 0 };
static const char *const prompts[] = { "0", NULL };

static gboolean
fake_probe (const char *location)
{
  return g_str_equal (location, LOCATION);
}

static VidgenModel *
fake_open (const char *location G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  VidgenModel *model = g_new0 (VidgenModel, 1);

  model->info = (VidgenModelInfo){ .family = "fake",
    .name = "fake",
    .width = { 16, 64, 16 },
    .height = { 16, 64, 8 },
    .native = { 32, 32, 30000, 1001 },
    .has_audio = TRUE,
    .sample_rate = 48000,
    .steps = steps,
    .default_steps = 4,
    .guidance_min = 1,
    .guidance_max = 10,
    .default_guidance = 5,
    .first_chunk_frames = FIRST_FRAMES,
    .chunk_frames = FRAMES,
    .prompts = prompts };
  return model;
}

static void
fake_free (VidgenModel *model)
{
  g_free (model);
}

static gboolean
fake_load (VidgenModel *model G_GNUC_UNUSED, VidgenDevice *device G_GNUC_UNUSED,
    VidgenLoadProgress progress G_GNUC_UNUSED, gpointer user_data G_GNUC_UNUSED,
    GCancellable *cancellable, GError **error)
{
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static GBytes *
number_bytes (double number)
{
  return g_bytes_new (&number, sizeof number);
}

static double
number_of (GBytes *bytes)
{
  double number;

  memcpy (&number, g_bytes_get_data (bytes, NULL), sizeof number);
  return number;
}

static GBytes *
fake_encode (VidgenModel *model G_GNUC_UNUSED, const char *prompt,
    const char *negative G_GNUC_UNUSED, GCancellable *cancellable G_GNUC_UNUSED,
    GError **error G_GNUC_UNUSED)
{
  return number_bytes (g_ascii_strtod (prompt, NULL));
}

static gboolean
fake_check (VidgenModel *model G_GNUC_UNUSED, GBytes *data)
{
  return g_bytes_get_size (data) == sizeof (double);
}

static GBytes *
fake_blend (
    VidgenModel *model G_GNUC_UNUSED, GBytes *from, GBytes *to, double weight)
{
  g_assert_cmpfloat (weight, >, 0);
  g_assert_cmpfloat (weight, <, 1);
  return number_bytes (
      (1 - weight) * number_of (from) + weight * number_of (to));
}

static VidgenStream *
fake_stream_new (VidgenModel *model G_GNUC_UNUSED,
    const VidgenStreamParams *params G_GNUC_UNUSED,
    GError **error G_GNUC_UNUSED)
{
  return g_new0 (VidgenStream, 1);
}

static void
fake_stream_free (VidgenStream *stream)
{
  g_free (stream);
}

static void
fake_restart (VidgenStream *stream G_GNUC_UNUSED)
{
}

/* Sound of 3 samples: the prompt, whether it changed, whether it started, the
 * steps, the guidance. */
static VidgenChunk *
fake_next (VidgenStream *stream,
    const VidgenChunkRequest *request G_GNUC_UNUSED,
    GCancellable *cancellable G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  VidgenChunk *chunk = vidgen_chunk_new (0, 3);
  float *sound = vidgen_chunk_sound (chunk);

  sound[0] = (float)number_of (stream->settings.conditioning);
  sound[1] = (float)stream->settings.conditioning_changed;
  sound[2] = (float)stream->settings.prompt_started;
  sound[3] = (float)stream->settings.steps;
  sound[4] = (float)stream->settings.guidance;
  return chunk;
}

static const guint64 stage_ns[] = { 4000000000, 3000000000 };

static void
fake_stream_stats (
    const VidgenStream *stream G_GNUC_UNUSED, VidgenStreamStats *stats)
{
  for (guint i = 0; i < G_N_ELEMENTS (stage_ns); i++)
    stats->stages[stats->n_stages++].time_ns = stage_ns[i];
}

static const VidgenFamily fake_family = {
  .name = "fake",
  .probe = fake_probe,
  .open = fake_open,
  .free = fake_free,
  .load = fake_load,
  .encode = fake_encode,
  .check_conditioning = fake_check,
  .blend = fake_blend,
  .stream_new = fake_stream_new,
  .stream_free = fake_stream_free,
  .stream_restart = fake_restart,
  .stream_next = fake_next,
  .stream_stats = fake_stream_stats,
};

static VidgenModel *
load_fake (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  VidgenModel *model = vidgen_model_open (LOCATION, &error);

  g_assert_no_error (error);
  vidgen_model_load (model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return model;
}

static VidgenStream *
new_stream_with (VidgenModel *model, gboolean forward_only)
{
  g_autoptr (GError) error = NULL;
  const VidgenStreamParams params = {
    .format = vidgen_model_info (model)->native,
    .forward_only = forward_only,
  };
  VidgenStream *stream = vidgen_stream_new (model, &params, &error);

  g_assert_no_error (error);
  return stream;
}

static VidgenStream *
new_stream (VidgenModel *model)
{
  return new_stream_with (model, FALSE);
}

static void
check_next (VidgenStream *stream, double prompt, gboolean changed,
    gboolean started, guint n_steps, double guidance)
{
  g_autoptr (GError) error = NULL;
  const VidgenChunkRequest request = { FALSE, 0, TRUE };
  const guint64 position = vidgen_stream_position (stream);
  g_autoptr (VidgenChunk) chunk =
      vidgen_stream_next (stream, &request, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (chunk->index, ==, position);
  g_assert_cmpuint (vidgen_stream_position (stream), ==, position + 1);
  g_assert_cmpfloat_with_epsilon (chunk->sound[0], prompt, 1e-6);
  g_assert_cmpfloat (chunk->sound[1], ==, changed);
  g_assert_cmpfloat (chunk->sound[2], ==, started);
  g_assert_cmpfloat (chunk->sound[3], ==, n_steps);
  g_assert_cmpfloat (chunk->sound[4], ==, guidance);
}

/* What the device did for a chunk counts, also where it was done ahead. */
static void
test_time (void)
{
  g_autoptr (VidgenModel) model = load_fake ();
  g_autoptr (VidgenStream) stream = new_stream (model);
  const VidgenChunkRequest request = { FALSE, 0, TRUE };
  g_autoptr (VidgenChunk) chunk =
      vidgen_stream_next (stream, &request, NULL, NULL);

  g_assert_cmpuint (chunk->time_ns, >=, stage_ns[0] + stage_ns[1]);
}

static void
test_changes (void)
{
  g_autoptr (VidgenModel) model = load_fake ();
  g_autoptr (VidgenStream) stream = new_stream (model);
  g_autoptr (GError) error = NULL;

  check_next (stream, 0, TRUE, TRUE, 4, 5);
  check_next (stream, 0, FALSE, FALSE, 4, 5);
  fixture_set_prompt (stream, model, "7", 0);
  g_assert_true (vidgen_stream_set_steps (stream, 1, &error));
  check_next (stream, 7, TRUE, TRUE, 1, 5);
  g_assert_true (vidgen_stream_set_guidance (stream, 2.5, &error));
  check_next (stream, 7, FALSE, FALSE, 1, 2.5);
  g_assert_true (vidgen_stream_set_steps (stream, 0, &error));
  fixture_set_prompt (stream, model, "7", 0);
  check_next (stream, 7, FALSE, TRUE, 4, 2.5);

  g_assert_cmpuint (vidgen_stream_seek (stream, 9), ==, 5);
  g_assert_cmpuint (vidgen_stream_seek (stream, 5), ==, 5);
  g_assert_cmpuint (vidgen_stream_seek (stream, 4), ==, 0);
  check_next (stream, 0, TRUE, TRUE, 4, 5);
  check_next (stream, 0, FALSE, FALSE, 4, 5);
  check_next (stream, 7, TRUE, TRUE, 1, 5);
  check_next (stream, 7, FALSE, FALSE, 1, 2.5);
  check_next (stream, 7, FALSE, TRUE, 4, 2.5);
  check_next (stream, 7, FALSE, FALSE, 4, 2.5);
}

/* A change after going back forgets those that lie ahead, of its kind. */
static void
test_forgotten (void)
{
  g_autoptr (VidgenModel) model = load_fake ();
  g_autoptr (VidgenStream) stream = new_stream (model);

  check_next (stream, 0, TRUE, TRUE, 4, 5);
  fixture_set_prompt (stream, model, "1", 0);
  check_next (stream, 1, TRUE, TRUE, 4, 5);
  fixture_set_prompt (stream, model, "2", 0);
  g_assert_true (vidgen_stream_set_steps (stream, 1, NULL));
  check_next (stream, 2, TRUE, TRUE, 1, 5);
  vidgen_stream_seek (stream, 0);
  check_next (stream, 0, TRUE, TRUE, 4, 5);
  fixture_set_prompt (stream, model, "3", 0);
  check_next (stream, 3, TRUE, TRUE, 4, 5);
  check_next (stream, 3, FALSE, FALSE, 1, 5);
}

static void
test_blend (void)
{
  g_autoptr (VidgenModel) model = load_fake ();
  g_autoptr (VidgenStream) stream = new_stream (model);

  fixture_set_prompt (stream, model, "8", 3);
  check_next (stream, 8, TRUE, TRUE, 4, 5);
  fixture_set_prompt (stream, model, "16", 3);
  check_next (stream, 10, TRUE, TRUE, 4, 5);
  check_next (stream, 12, TRUE, FALSE, 4, 5);
  fixture_set_prompt (stream, model, "0", 1);
  check_next (stream, 6, TRUE, TRUE, 4, 5);
  check_next (stream, 0, TRUE, FALSE, 4, 5);
  check_next (stream, 0, FALSE, FALSE, 4, 5);
  vidgen_stream_seek (stream, 1);
  check_next (stream, 8, TRUE, TRUE, 4, 5);
  check_next (stream, 10, TRUE, TRUE, 4, 5);
  check_next (stream, 12, TRUE, FALSE, 4, 5);
  check_next (stream, 6, TRUE, TRUE, 4, 5);
  check_next (stream, 0, TRUE, FALSE, 4, 5);
}

/* A stream that never goes back holds no more after many changes than after
 * one, and makes the same. */
static void
test_forward_only (void)
{
  g_autoptr (VidgenModel) model = load_fake ();
  g_autoptr (VidgenStream) stream = new_stream_with (model, TRUE);

  check_next (stream, 0, TRUE, TRUE, 4, 5);
  for (guint i = 1; i <= 1000; i++) {
    g_autofree char *prompt = g_strdup_printf ("%u", 4 * i);

    fixture_set_prompt (stream, model, prompt, 1);
    g_assert_true (vidgen_stream_set_steps (stream, i % 2 ? 1 : 4, NULL));
    check_next (stream, 4 * i - 2, TRUE, TRUE, i % 2 ? 1 : 4, 5);
    check_next (stream, 4 * i, TRUE, FALSE, i % 2 ? 1 : 4, 5);
    g_assert_cmpuint (vidgen_history_length (stream->history), <=, 5);
  }
}

static void
check_error (gboolean good, GError **error, int code)
{
  g_assert_false (good);
  g_assert_error (*error, VIDGEN_ERROR, code);
  g_clear_error (error);
}

static void
test_arguments (void)
{
  static const VidgenFormat formats[] = { { 15, 32, 30000, 1001 },
    { 24, 32, 30000, 1001 }, { 80, 32, 30000, 1001 }, { 32, 20, 30000, 1001 },
    { 32, 32, 30, 1 }, { 32, 32, 0, 0 } };
  g_autoptr (VidgenModel) model = load_fake ();
  g_autoptr (VidgenStream) stream = new_stream (model);
  g_autofree char *longest = g_strnfill (VIDGEN_PROMPT_MAX_BYTES, '1');
  g_autofree char *longer = g_strnfill (VIDGEN_PROMPT_MAX_BYTES + 1, '1');
  g_autoptr (VidgenConditioning) fits = NULL;
  g_autoptr (GError) error = NULL;
  const guint8 pixel[3] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    const VidgenStreamParams params = { .format = formats[i] };
    check_error (vidgen_stream_new (model, &params, &error) != NULL, &error,
        VIDGEN_ERROR_INVALID);
  }
  check_error (vidgen_stream_set_steps (stream, 2, &error), &error,
      VIDGEN_ERROR_INVALID);
  check_error (vidgen_stream_set_guidance (stream, 11, &error), &error,
      VIDGEN_ERROR_INVALID);
  check_error (vidgen_stream_set_guidance (stream, NAN, &error), &error,
      VIDGEN_ERROR_INVALID);
  check_error (vidgen_stream_set_picture (stream, pixel, 1, 1, 3, &error),
      &error, VIDGEN_ERROR_UNSUPPORTED);
  check_error (vidgen_model_encode (model, "\xff", NULL, NULL, &error) != NULL,
      &error, VIDGEN_ERROR_INVALID);
  check_error (vidgen_model_encode (model, longer, NULL, NULL, &error) != NULL,
      &error, VIDGEN_ERROR_INVALID);
  check_error (vidgen_model_encode (model, "1", "2", NULL, &error) != NULL,
      &error, VIDGEN_ERROR_UNSUPPORTED);
  fits = vidgen_model_encode (model, longest, NULL, NULL, &error);
  g_assert_no_error (error);
  check_next (stream, 0, TRUE, TRUE, 4, 5);
}

static void
test_counting (void)
{
  g_autoptr (VidgenModel) model = load_fake ();
  const VidgenModelInfo *info = vidgen_model_info (model);
  const VidgenFormat *format = &info->native;
  const guint64 day = G_GUINT64_CONSTANT (1) << 40;

  for (guint64 chunk = 0; chunk < 100; chunk++) {
    const guint64 first = vidgen_model_chunk_start (info, chunk);
    const guint64 last = first + vidgen_model_chunk_frames (info, chunk) - 1;

    g_assert_cmpuint (vidgen_model_chunk_of (info, first), ==, chunk);
    g_assert_cmpuint (vidgen_model_chunk_of (info, last), ==, chunk);
    g_assert_cmpuint (vidgen_model_chunk_start (info, chunk + 1), ==, last + 1);
  }
  g_assert_cmpuint (vidgen_model_samples_before (info, format, 0), ==, 0);
  g_assert_cmpuint (vidgen_model_samples_before (info, format, 1), ==, 1601);
  g_assert_cmpuint (vidgen_model_samples_before (info, format, 5), ==, 8008);
  /* floor (2^40 * 48000 * 1001 / 30000), exactly */
  g_assert_cmpuint (vidgen_model_samples_before (info, format, day), ==,
      G_GUINT64_CONSTANT (1760977823046041));
}

static void
check_sizes (const VidgenModelInfo *info, const char *told)
{
  g_autofree char *sizes = vidgen_model_tell_sizes (info);

  g_assert_cmpstr (sizes, ==, told);
}

static void
test_sizes (void)
{
  static const guint scales[] = { 1, 2, 0 };
  g_autoptr (VidgenModel) model = load_fake ();
  VidgenModelInfo info = *vidgen_model_info (model);

  check_sizes (&info, "16 to 64 in steps of 16 x 16 to 64 in steps of 8");
  g_assert_true (vidgen_model_makes_size (&info, 64, 24));
  g_assert_false (vidgen_model_makes_size (&info, 64, 20));
  g_assert_false (vidgen_model_makes_size (&info, 80, 24));
  info.width = (VidgenRange){ 32, 32, 1 };
  info.height = (VidgenRange){ 30, 40, 1 };
  check_sizes (&info, "32 x 30 to 40");
  g_assert_true (vidgen_model_makes_size (&info, 32, 31));
  g_assert_false (vidgen_model_makes_size (&info, 31, 31));

  info.width = info.height = (VidgenRange){ 32, 64, 32 };
  info.scales = scales;
  check_sizes (&info, "32 x 32 or 64 x 64");
  g_assert_true (vidgen_model_makes_size (&info, 32, 32));
  g_assert_true (vidgen_model_makes_size (&info, 64, 64));
  g_assert_false (vidgen_model_makes_size (&info, 32, 64));
  g_assert_false (vidgen_model_makes_size (&info, 64, 32));
  g_assert_false (vidgen_model_makes_size (&info, 96, 96));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vidgen_model_register_family (&fake_family);
  g_test_add_func ("/history/changes", test_changes);
  g_test_add_func ("/history/forgotten", test_forgotten);
  g_test_add_func ("/history/blend", test_blend);
  g_test_add_func ("/history/forward-only", test_forward_only);
  g_test_add_func ("/model/time", test_time);
  g_test_add_func ("/model/arguments", test_arguments);
  g_test_add_func ("/model/counting", test_counting);
  g_test_add_func ("/model/sizes", test_sizes);
  return g_test_run ();
}
