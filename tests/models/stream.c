/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* That content depends on nothing but model, seed and the prompts' positions.
 */

#include "models/mini/stream.h"

#include <glib/gstdio.h>
#include <malloc.h>
#include <string.h>

#include "shaders/runtime/faults.h"
#include "tests/models/cancelling.h"
#include "tests/models/fixture.h"

#define OCEAN "ocean waves at sunset"
#define RAIN "a rain at night"
#define MAX_TRIES 40

typedef void (*DeviceTest) (VidgenModel *model);

static void
on_host (gconstpointer test)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenModel) model = fixture_load_tiny (device);

  ((DeviceTest)test) (model);
}

static void
on_vulkan (gconstpointer test)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();
  g_autoptr (VidgenModel) model = NULL;

  if (!device)
    return;
  model = fixture_load_tiny (device);
  ((DeviceTest)test) (model);
}

static void
assert_same (const VidgenChunk *a, const VidgenChunk *b)
{
  g_assert_cmpuint (a->index, ==, b->index);
  g_assert_cmpuint (a->first_frame, ==, b->first_frame);
  g_assert_cmpuint (a->first_sample, ==, b->first_sample);
  g_assert_true (fixture_same_pictures (a, b));
  g_assert_true (fixture_same_sound (a, b));
}

static GPtrArray *
make_chunks (VidgenStream *stream, guint n)
{
  GPtrArray *chunks =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_chunk_unref);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (chunks, fixture_next (stream));
  return chunks;
}

static void
test_repeats (VidgenModel *model)
{
  g_autoptr (VidgenStream) one = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) same = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) seed = fixture_stream (model, 2, OCEAN);
  g_autoptr (VidgenStream) high =
      fixture_stream (model, G_GUINT64_CONSTANT (1) << 32 | 1, OCEAN);
  g_autoptr (VidgenStream) prompt = fixture_stream (model, 1, RAIN);

  for (guint i = 0; i < 4; i++) {
    g_autoptr (VidgenChunk) a = fixture_next (one);
    g_autoptr (VidgenChunk) b = fixture_next (same);
    VidgenStream *const others[] = { seed, high, prompt };

    assert_same (a, b);
    for (guint j = 0; j < G_N_ELEMENTS (others); j++) {
      g_autoptr (VidgenChunk) other = fixture_next (others[j]);
      g_assert_false (fixture_same_pictures (a, other));
      g_assert_false (fixture_same_sound (a, other));
    }
  }
}

static void
test_prompt_change (VidgenModel *model)
{
  g_autoptr (VidgenStream) one = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) other = fixture_stream (model, 1, OCEAN);
  g_autoptr (GPtrArray) a = NULL;

  a = make_chunks (one, 5);
  for (guint i = 0; i < 5; i++) {
    g_autoptr (VidgenChunk) b = NULL;

    if (i == 3)
      fixture_set_prompt (other, model, RAIN, 0);
    b = fixture_next (other);
    if (i < 3) {
      assert_same (a->pdata[i], b);
    } else {
      g_assert_false (fixture_same_pictures (a->pdata[i], b));
      g_assert_false (fixture_same_sound (a->pdata[i], b));
    }
  }
}

static void
test_seek (VidgenModel *model)
{
  g_autoptr (VidgenStream) stream = fixture_stream (model, 1, OCEAN);
  g_autoptr (GPtrArray) first = make_chunks (stream, 3);
  g_autoptr (GPtrArray) second = NULL;
  g_autoptr (GPtrArray) again = NULL;

  fixture_set_prompt (stream, model, RAIN, 2);
  g_assert_true (vidgen_stream_set_steps (stream, 4, NULL));
  second = make_chunks (stream, 4);
  g_assert_cmpuint (vidgen_stream_seek (stream, 5), ==, 0);
  again = make_chunks (stream, 7);
  for (guint i = 0; i < 7; i++)
    assert_same (
        again->pdata[i], i < 3 ? first->pdata[i] : second->pdata[i - 3]);
}

/* What is asked for does not change what is made. */
static void
test_requests (VidgenModel *model)
{
  static const struct {
    gboolean video, audio;
  } asked[] = { { TRUE, FALSE }, { FALSE, TRUE }, { TRUE, TRUE },
    { FALSE, FALSE }, { FALSE, FALSE }, { FALSE, FALSE }, { TRUE, TRUE },
    { FALSE, TRUE }, { TRUE, FALSE }, { TRUE, TRUE } };
  g_autoptr (VidgenStream) whole = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) parts = fixture_stream (model, 1, OCEAN);

  for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
    const VidgenChunkRequest request = { asked[i].video, VIDGEN_PICTURE_RGB,
      asked[i].audio };
    g_autoptr (GError) error = NULL;
    g_autoptr (VidgenChunk) a = fixture_next (whole);
    g_autoptr (VidgenChunk) b =
        vidgen_stream_next (parts, &request, NULL, &error);

    g_assert_no_error (error);
    g_assert_cmpint (b->has_video, ==, asked[i].video);
    g_assert_cmpuint (b->frames, ==, 4);
    g_assert_cmpuint (b->samples, ==, 6000);
    if (asked[i].video)
      g_assert_true (fixture_same_pictures (a, b));
    else
      g_assert_null (b->pictures);
    if (asked[i].audio)
      g_assert_true (fixture_same_sound (a, b));
    else
      g_assert_null (b->sound);
  }
}

static VidgenChunk *
first_chunk (VidgenModel *model, VidgenPictureFormat format)
{
  const VidgenChunkRequest request = { TRUE, format, TRUE };
  g_autoptr (VidgenStream) stream = fixture_stream (model, 1, OCEAN);
  g_autoptr (GError) error = NULL;
  VidgenChunk *chunk = vidgen_stream_next (stream, &request, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (chunk->picture_format, ==, format);
  return chunk;
}

static const guint8 *
row_of (const VidgenChunk *chunk, guint row)
{
  return chunk->pictures + row * chunk->layout.stride[0];
}

/* Every picture format comes from the same pictures. */
static void
test_formats (VidgenModel *model)
{
  g_autoptr (VidgenChunk) i420 = first_chunk (model, VIDGEN_PICTURE_I420);
  g_autoptr (VidgenChunk) nv12 = first_chunk (model, VIDGEN_PICTURE_NV12);
  g_autoptr (VidgenChunk) rgba = first_chunk (model, VIDGEN_PICTURE_RGBA);
  g_autoptr (VidgenChunk) bgrx = first_chunk (model, VIDGEN_PICTURE_BGRX);
  g_autoptr (VidgenChunk) rgb = first_chunk (model, VIDGEN_PICTURE_RGB);

  g_assert_true (fixture_same_sound (i420, rgb));
  for (guint y = 0; y < rgb->height; y++) {
    g_assert_cmpmem (
        row_of (i420, y), i420->width, row_of (nv12, y), nv12->width);
    for (guint x = 0; x < rgb->width; x++) {
      const guint8 *pixel = row_of (rgb, y) + 3 * x;
      const guint8 *swapped = row_of (bgrx, y) + 4 * x;

      g_assert_cmpmem (pixel, 3, row_of (rgba, y) + 4 * x, 3);
      g_assert_cmpuint (pixel[0], ==, swapped[2]);
      g_assert_cmpuint (pixel[1], ==, swapped[1]);
      g_assert_cmpuint (pixel[2], ==, swapped[0]);
    }
  }
}

static void
cancel_at_sound (VidgenRecorder *recorder G_GNUC_UNUSED, const char *name,
    VidgenSpan span G_GNUC_UNUSED, gpointer user_data)
{
  if (g_str_equal (name, "sound"))
    g_cancellable_cancel (user_data);
}

/* A chunk that is cancelled when nearly all of it is recorded, some of it run,
 * is made again with the same bytes, and so are those after it. */
static void
test_cancelled (VidgenModel *model)
{
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_RGB, TRUE };
  g_autoptr (VidgenStream) one = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) other = fixture_stream (model, 1, OCEAN);

  for (guint i = 0; i < 6; i++) {
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    const VidgenTap tap = { cancel_at_sound, cancellable };
    g_autoptr (GError) error = NULL;
    g_autoptr (VidgenChunk) a = NULL;
    g_autoptr (VidgenChunk) b = NULL;

    if (i == 3) {
      fixture_set_prompt (one, model, RAIN, 0);
      fixture_set_prompt (other, model, RAIN, 0);
    }
    vidgen_mini_stream_set_tap (other, &tap);
    g_assert_null (vidgen_stream_next (other, &request, cancellable, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_assert_cmpuint (vidgen_stream_position (other), ==, i);
    vidgen_mini_stream_set_tap (other, NULL);
    a = fixture_next (one);
    b = fixture_next (other);
    assert_same (a, b);
  }
}

/* Grey: what a first picture says is compared elsewhere. */
static gboolean
set_picture (VidgenStream *stream, guint width, guint height, GError **error)
{
  const gsize bytes = (gsize)3 * width * height;
  g_autofree guint8 *rgb = g_malloc (bytes);

  memset (rgb, 128, bytes);
  return vidgen_stream_set_picture (
      stream, rgb, width, height, 3 * width, error);
}

static void
test_picture (VidgenModel *model)
{
  const VidgenModelInfo *info = vidgen_model_info (model);
  const guint width = info->native.width, height = info->native.height;
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_RGB, TRUE };
  g_autoptr (VidgenStream) without = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) with = fixture_stream (model, 1, OCEAN);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const VidgenTap tap = { cancel_at_sound, cancellable };
  g_autoptr (GPtrArray) first = NULL;
  g_autoptr (GPtrArray) again = NULL;
  g_autoptr (VidgenChunk) plain = fixture_next (without);
  g_autoptr (GError) error = NULL;

  g_assert_false (set_picture (with, width - 8, height, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "size"));
  g_clear_error (&error);
  set_picture (with, width, height, &error);
  g_assert_no_error (error);

  vidgen_mini_stream_set_tap (with, &tap);
  g_assert_null (vidgen_stream_next (with, &request, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  vidgen_mini_stream_set_tap (with, NULL);
  first = make_chunks (with, 4);
  g_assert_false (fixture_same_pictures (plain, first->pdata[0]));
  g_assert_false (set_picture (with, width, height, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);

  g_assert_cmpuint (vidgen_stream_seek (with, 0), ==, 0);
  again = make_chunks (with, 4);
  for (guint i = 0; i < 4; i++)
    assert_same (first->pdata[i], again->pdata[i]);
}

typedef struct {
  VidgenDevice *device;
  GCancellable *cancellable;
} Stopper;

static void
stop_at_once (VidgenRecorder *recorder G_GNUC_UNUSED,
    const char *name G_GNUC_UNUSED, VidgenSpan span G_GNUC_UNUSED,
    gpointer user_data)
{
  Stopper *stopper = user_data;

  if (g_cancellable_is_cancelled (stopper->cancellable))
    return;
  vidgen_device_inject (stopper->device, VIDGEN_FAULT_DEVICE_LOST, 0);
  g_cancellable_cancel (stopper->cancellable);
}

/* After a cancel nothing more is given to the device, which would be lost. */
static void
test_stops_at_once (VidgenModel *model)
{
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_RGB, TRUE };
  g_autoptr (VidgenStream) stream = fixture_stream (model, 1, OCEAN);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Stopper stopper = { model->device, cancellable };
  const VidgenTap tap = { stop_at_once, &stopper };
  g_autoptr (GError) error = NULL;

  vidgen_mini_stream_set_tap (stream, &tap);
  g_assert_null (vidgen_stream_next (stream, &request, cancellable, &error));
  vidgen_device_inject (model->device, VIDGEN_FAULT_NONE, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (vidgen_device_is_lost (model->device));
}

/* Two streams of one model, made in turns, do not touch each other. */
static void
test_two_streams (VidgenModel *model)
{
  g_autoptr (VidgenStream) alone = fixture_stream (model, 1, OCEAN);
  g_autoptr (GPtrArray) a = make_chunks (alone, 3);
  g_autoptr (VidgenStream) first = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) second = fixture_stream (model, 2, RAIN);

  for (guint i = 0; i < 3; i++) {
    g_autoptr (VidgenChunk) b = fixture_next (first);
    g_autoptr (VidgenChunk) c = fixture_next (second);

    assert_same (a->pdata[i], b);
    g_assert_false (fixture_same_pictures (b, c));
  }
}

static gpointer
encode_prompts (gpointer data)
{
  for (guint i = 0; i < 50; i++) {
    g_autofree char *prompt = g_strdup_printf ("rain %u", i);
    g_autoptr (GError) error = NULL;
    g_autoptr (VidgenConditioning) conditioning =
        vidgen_model_encode (data, prompt, NULL, NULL, &error);

    g_assert_no_error (error);
    g_assert_nonnull (conditioning);
  }
  return NULL;
}

/* Prompts may be encoded on one thread while chunks are made on another. */
static void
test_encode_meanwhile (VidgenModel *model)
{
  g_autoptr (VidgenStream) alone = fixture_stream (model, 1, OCEAN);
  g_autoptr (GPtrArray) a = make_chunks (alone, 4);
  g_autoptr (VidgenStream) stream = fixture_stream (model, 1, OCEAN);
  GThread *thread = g_thread_new ("encode", encode_prompts, model);

  for (guint i = 0; i < 4; i++) {
    g_autoptr (VidgenChunk) b = fixture_next (stream);
    assert_same (a->pdata[i], b);
  }
  g_thread_join (thread);
}

static void
test_endless (VidgenModel *model)
{
  VidgenDevice *device = model->device;
  g_autoptr (VidgenStream) stream = fixture_stream (model, 1, OCEAN);
  guint64 device_bytes = 0;
  gsize host_bytes = 0;

  for (guint i = 0; i < 300; i++) {
    g_autoptr (VidgenChunk) chunk = fixture_next (stream);

    g_assert_cmpuint (chunk->first_frame, ==, 4 * (guint64)i);
    g_assert_cmpuint (chunk->first_sample, ==, 6000 * (guint64)i);
    for (guint j = 0; j < 2 * chunk->samples; j++)
      g_assert_true (chunk->sound[j] >= -1 && chunk->sound[j] <= 1);
    if (i == 50) {
      device_bytes = vidgen_device_memory_used (device);
      host_bytes = mallinfo2 ().uordblks;
    }
  }
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, device_bytes);
  g_assert_cmpuint (mallinfo2 ().uordblks, <=, host_bytes + 65536);
}

/* Nothing is allocated on the device, and no pipeline made, from the second
 * chunk on. */
static void
test_steady (VidgenModel *model)
{
  VidgenDevice *device = model->device;
  g_autoptr (VidgenStream) stream = fixture_stream (model, 1, OCEAN);
  guint64 n_allocations, n_pipelines;

  vidgen_chunk_unref (fixture_next (stream));
  n_allocations = vidgen_device_n_allocations (device);
  n_pipelines = vidgen_device_n_pipelines (device);
  g_assert_cmpuint (n_allocations, >, 0);
  for (guint i = 0; i < 10; i++) {
    vidgen_chunk_unref (fixture_next (stream));
    g_assert_cmpuint (vidgen_device_n_allocations (device), ==, n_allocations);
    g_assert_cmpuint (vidgen_device_n_pipelines (device), ==, n_pipelines);
  }
}

/* Without timestamps, not those of submits that nobody waited for. */
static gboolean
has_all_times (VidgenModel *model)
{
  const VidgenDeviceCaps *caps = vidgen_device_caps (model->device);

  return caps->type == VIDGEN_DEVICE_HOST || caps->timestamp_period_ns > 0;
}

static void
test_stats (VidgenModel *model)
{
  static const char *const stages[] = { "text", "transformer", "decode",
    "output", "sound" };
  g_autoptr (VidgenStream) stream = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenChunk) chunk = fixture_next (stream);
  VidgenStreamStats stats;

  g_assert_cmpuint (chunk->time_ns, >, 0);
  vidgen_stream_stats (stream, &stats);
  g_assert_cmpuint (stats.chunks, ==, 1);
  if (has_all_times (model)) {
    g_assert_cmpuint (stats.n_stages, ==, G_N_ELEMENTS (stages));
    for (guint i = 0; i < stats.n_stages; i++)
      g_assert_cmpstr (stats.stages[i].name, ==, stages[i]);
    g_assert_cmpfloat (stats.stages[1].operations, >, 1e6);
  }
  g_assert_cmpuint (stats.memory_bytes, >, 0);
  g_assert_cmpuint (vidgen_model_memory_needed (model, &stream->params.format),
      >=, vidgen_device_memory_used (model->device));
}

static guint64
n_recorded (VidgenStream *stream)
{
  return vidgen_recorder_n_recorded (vidgen_mini_stream_recorder (stream));
}

static VidgenStream *
fresh_stream (VidgenModel *model)
{
  VidgenStream *stream = fixture_stream (model, 1, OCEAN);

  vidgen_mini_stream_set_tapes (stream, FALSE);
  return stream;
}

/* Commands are recorded while a stream begins and not after (but where tapes
 * have become stale, as on a device that is busy with other things), and what
 * they make is what recording them each time does. */
static void
test_tapes (VidgenModel *model)
{
  const gboolean on_host =
      vidgen_device_caps (model->device)->type == VIDGEN_DEVICE_HOST;
  g_autoptr (VidgenStream) taped = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) fresh = fresh_stream (model);
  guint64 taped_steady = 0, fresh_steady = 0, allowed;

  for (guint i = 0; i < 60; i++) {
    g_autoptr (VidgenChunk) a = fixture_next (taped);
    g_autoptr (VidgenChunk) b = fixture_next (fresh);

    assert_same (a, b);
    if (i == 19) {
      taped_steady = n_recorded (taped);
      fresh_steady = n_recorded (fresh);
    }
  }
  g_assert_cmpuint (taped_steady, >, 0);
  g_assert_cmpuint (n_recorded (fresh), >, 2 * fresh_steady);
  allowed = on_host ? 0 : (n_recorded (fresh) - fresh_steady) / 8;
  g_assert_cmpuint (n_recorded (taped) - taped_steady, <=, allowed);
}

/* The tiny model, but that it sees 16 chunks; its file stays as long. */
static VidgenModel *
load_far_seeing (VidgenDevice *device)
{
  g_autofree char *tiny = fixture_path ("tests/data/tiny.safetensors");
  g_autofree char *folder = g_dir_make_tmp ("vidgen-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "far.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *data = NULL;
  char *name, *window;
  VidgenModel *model;
  gsize size;

  g_assert_true (g_file_get_contents (tiny, &data, &size, NULL));
  name = strstr (data + 8, "tiny\\\"");
  window = strstr (name, "window\\\":1,") + strlen ("window\\\":");
  memmove (name + 3, name + 4, (gsize)(window - name - 4));
  memcpy (window - 1, "16", 2);
  g_assert_true (g_file_set_contents (path, data, (gssize)size, NULL));
  model = vidgen_model_open (path, &error);
  g_assert_no_error (error);
  vidgen_model_load (model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_unlink (path);
  g_rmdir (folder);
  return model;
}

/* However far a model sees, its chunks are on tapes at last. */
static void
test_far_seeing (VidgenModel *tiny)
{
  const gboolean on_host =
      vidgen_device_caps (tiny->device)->type == VIDGEN_DEVICE_HOST;
  g_autoptr (VidgenModel) model = load_far_seeing (tiny->device);
  g_autoptr (VidgenStream) stream = fixture_stream (model, 1, OCEAN);
  guint64 steady = 0;

  for (guint i = 0; i < 54; i++) {
    vidgen_chunk_unref (fixture_next (stream));
    if (i == 35)
      steady = n_recorded (stream);
  }
  g_assert_cmpuint (n_recorded (stream) - steady, <=, on_host ? 0 : steady / 8);
}

static void
change (VidgenStream *stream, VidgenModel *model, guint turn)
{
  switch (turn) {
  case 17:
    fixture_set_prompt (stream, model, RAIN, 0);
    break;
  case 31:
    fixture_set_prompt (stream, model, OCEAN, 3);
    break;
  case 45:
    g_assert_true (vidgen_stream_set_steps (stream, 4, NULL));
    break;
  case 50:
    g_assert_cmpuint (vidgen_stream_seek (stream, 12), ==, 0);
    break;
  case 64:
    fixture_set_prompt (stream, model, RAIN, 0);
    g_assert_cmpuint (vidgen_stream_seek (stream, 3), ==, 0);
    break;
  default:
    break;
  }
}

/* What was begun ahead is forgotten where the next chunk is another one. */
static void
test_ahead (VidgenModel *model)
{
  g_autoptr (VidgenStream) taped = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) fresh = fresh_stream (model);

  for (guint turn = 0; turn < 90; turn++) {
    const VidgenChunkRequest request = { turn % 11 != 7, VIDGEN_PICTURE_RGB,
      turn % 13 != 9 };
    g_autoptr (GError) error = NULL;
    g_autoptr (VidgenChunk) a = NULL;
    g_autoptr (VidgenChunk) b = NULL;

    change (taped, model, turn);
    change (fresh, model, turn);
    a = vidgen_stream_next (taped, &request, NULL, &error);
    g_assert_no_error (error);
    b = vidgen_stream_next (fresh, &request, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (a->index, ==, b->index);
    if (request.video)
      g_assert_true (fixture_same_pictures (a, b));
    if (request.audio)
      g_assert_true (fixture_same_sound (a, b));
  }
}

/* Copies what is decoded. */
static void
keep_latent (VidgenRecorder *recorder, const char *name, VidgenSpan span,
    gpointer user_data)
{
  VidgenMemory **latent = user_data;
  g_autoptr (GError) error = NULL;

  if (!g_str_equal (name, "latent"))
    return;
  if (!*latent)
    *latent = vidgen_memory_new (vidgen_recorder_device (recorder), span.size,
        VIDGEN_MEMORY_READBACK, &error);
  g_assert_no_error (error);
  vidgen_recorder_copy (recorder, vidgen_memory_span (*latent), span);
}

static double
decode_operations (VidgenStream *stream)
{
  VidgenStreamStats stats;

  vidgen_stream_stats (stream, &stats);
  for (guint i = 0; i < stats.n_stages; i++)
    if (g_str_equal (stats.stages[i].name, "decode"))
      return stats.stages[i].operations;
  return 0;
}

/* Whatever its size a stream decodes the same latents beside the same sound;
 * it computes the head of its own size alone, and what loading compiled does
 * for both. */
static void
test_wide (VidgenModel *tiny)
{
  const guint in = 8, wide = 12, pixels = 4 * 24 * 16;
  g_autoptr (VidgenModel) model = fixture_load_wide (tiny->device);
  g_autoptr (VidgenMemory) small_latent = NULL;
  g_autoptr (VidgenMemory) large_latent = NULL;
  const VidgenTap small_tap = { keep_latent, &small_latent };
  const VidgenTap large_tap = { keep_latent, &large_latent };
  g_autoptr (VidgenStream) plain = fixture_stream (tiny, 1, OCEAN);
  g_autoptr (VidgenStream) small = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) large = fixture_stream_scaled (model, 1, OCEAN, 2);
  const guint64 n_pipelines = vidgen_device_n_pipelines (tiny->device);

  vidgen_mini_stream_set_tap (small, &small_tap);
  vidgen_mini_stream_set_tap (large, &large_tap);
  for (guint i = 0; i < 4; i++) {
    g_autoptr (VidgenChunk) a = fixture_next (plain);
    g_autoptr (VidgenChunk) b = fixture_next (small);
    g_autoptr (VidgenChunk) c = fixture_next (large);
    const double out = 2.0 * pixels * 12 * in * 9;
    const double widened = 2.0 * pixels * (4 * wide * in + 4 * 12 * wide) * 9;

    assert_same (a, b);
    g_assert_cmpuint (b->width, ==, 48);
    g_assert_cmpuint (c->width, ==, 96);
    g_assert_cmpuint (c->height, ==, 64);
    g_assert_true (fixture_same_sound (b, c));
    g_assert_cmpmem (vidgen_span_map (vidgen_memory_span (small_latent)),
        vidgen_memory_size (small_latent),
        vidgen_span_map (vidgen_memory_span (large_latent)),
        vidgen_memory_size (large_latent));
    if (!has_all_times (model))
      continue;
    g_assert_cmpfloat (decode_operations (small), >, out);
    g_assert_cmpfloat (decode_operations (large), ==,
        decode_operations (small) - out + widened);
  }
  g_assert_cmpuint (vidgen_device_n_pipelines (tiny->device), ==, n_pipelines);
}

/* Tapes, and what is begun ahead, are right for both sizes. */
static void
test_wide_tapes (VidgenModel *tiny)
{
  g_autoptr (VidgenModel) model = fixture_load_wide (tiny->device);
  g_autoptr (VidgenStream) small = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) taped = fixture_stream_scaled (model, 1, OCEAN, 2);
  g_autoptr (VidgenStream) fresh = fixture_stream_scaled (model, 1, OCEAN, 2);

  vidgen_mini_stream_set_tapes (fresh, FALSE);
  for (guint i = 0; i < 24; i++) {
    g_autoptr (VidgenChunk) a = NULL;
    g_autoptr (VidgenChunk) b = NULL;
    g_autoptr (VidgenChunk) c = NULL;

    if (i == 11) {
      fixture_set_prompt (small, model, RAIN, 0);
      fixture_set_prompt (taped, model, RAIN, 0);
      fixture_set_prompt (fresh, model, RAIN, 0);
    }
    a = fixture_next (small);
    b = fixture_next (taped);
    c = fixture_next (fresh);
    assert_same (b, c);
    g_assert_true (fixture_same_sound (a, b));
  }
}

static void
check_refused (VidgenModel *model, guint width, guint height)
{
  VidgenStreamParams params = { .format = vidgen_model_info (model)->native };
  g_autoptr (GError) error = NULL;

  params.format.width = width;
  params.format.height = height;
  g_assert_null (vidgen_stream_new (model, &params, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "48 x 32"));
}

/* The large stream takes the memory that it is said to; what neither size is,
 * is refused. */
static void
test_wide_limits (VidgenModel *tiny)
{
  g_autoptr (VidgenModel) model = fixture_load_wide (tiny->device);
  const VidgenFormat *native = &vidgen_model_info (model)->native;
  const guint64 idle = vidgen_device_memory_used (tiny->device);
  g_autoptr (VidgenStream) large = fixture_stream_scaled (model, 1, OCEAN, 2);
  const guint64 taken = vidgen_device_memory_used (tiny->device) - idle;
  const guint64 more =
      vidgen_model_memory_needed (model, &large->params.format) -
      vidgen_model_memory_needed (model, native);
  VidgenStreamStats stats;

  vidgen_chunk_unref (fixture_next (large));
  vidgen_stream_stats (large, &stats);
  g_assert_cmpuint (taken, <=, stats.memory_bytes);
  g_assert_cmpuint (stats.memory_bytes - taken, <=, stats.memory_bytes / 4);
  g_assert_cmpuint (more, >, 4 * 96 * 64 * 3);
  check_refused (tiny, 96, 64);
  check_refused (model, 96, 32);
  check_refused (model, 48, 64);
  check_refused (model, 144, 96);
}

/* A first picture has the native size, whatever size the stream has. */
static void
test_wide_picture (VidgenModel *tiny)
{
  g_autoptr (VidgenModel) model = fixture_load_wide (tiny->device);
  g_autoptr (VidgenStream) small = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) large = fixture_stream_scaled (model, 1, OCEAN, 2);
  g_autoptr (GError) error = NULL;

  g_assert_false (set_picture (large, 96, 64, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "48 x 32"));
  g_clear_error (&error);
  g_assert_true (set_picture (large, 48, 32, &error));
  g_assert_true (set_picture (small, 48, 32, &error));
  for (guint i = 0; i < 3; i++) {
    g_autoptr (VidgenChunk) a = fixture_next (small);
    g_autoptr (VidgenChunk) b = fixture_next (large);

    g_assert_cmpuint (b->width, ==, 96);
    g_assert_true (fixture_same_sound (a, b));
  }
}

/* Wherever in a chunk that is played the cancel comes, the next try makes the
 * same bytes, also when it is under another prompt. There are enough tries for
 * some to be cancelled, some of those to change prompts, and some to pass. */
static void
test_cancelled_anywhere (VidgenModel *model)
{
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_RGB, TRUE };
  g_autoptr (VidgenStream) taped = fixture_stream (model, 1, OCEAN);
  g_autoptr (VidgenStream) fresh = fresh_stream (model);
  guint n_tries = 0, n_cancelled = 0;
  guint64 chunk_us = 0;

  for (; n_tries < 40 || n_cancelled < 6 || n_cancelled == n_tries; n_tries++) {
    g_autoptr (VidgenChunk) a =
        cancelling_next (taped, &request, n_tries, chunk_us);
    g_autoptr (VidgenChunk) b = NULL;

    g_assert_cmpuint (n_tries, <, 1000);
    if (!a) {
      if (n_cancelled++ % 3 == 2) {
        const char *prompt = n_cancelled % 2 ? RAIN : OCEAN;

        fixture_set_prompt (taped, model, prompt, 0);
        fixture_set_prompt (fresh, model, prompt, 0);
      }
      a = fixture_next (taped);
    }
    b = fixture_next (fresh);
    assert_same (a, b);
    chunk_us = b->time_ns / 1000;
  }
  g_test_message ("%u of %u were cancelled", n_cancelled, n_tries);
}

/* Stages of which work was under way when the next chunk had come back. */
static const VidgenStageTime *
stages_under_way (VidgenStream *stream, guint *n)
{
  VidgenRecorder *recorder = vidgen_mini_stream_recorder (stream);

  vidgen_chunk_unref (fixture_next (stream));
  g_assert_true (vidgen_recorder_finish (recorder, NULL, NULL));
  return vidgen_recorder_times (recorder, n);
}

/* A chunk that has come back leaves the next one under way, but not the first,
 * which waits for nothing but itself. */
static void
test_under_way (VidgenModel *model)
{
  g_autoptr (VidgenStream) stream = fixture_stream (model, 1, OCEAN);
  const VidgenStageTime *times;
  guint n;

  times = stages_under_way (stream, &n);
  g_assert_cmpuint (n, ==, 0);
  for (guint i = 0; n == 0 && i < MAX_TRIES; i++)
    times = stages_under_way (stream, &n);
  if (vidgen_device_caps (model->device)->type == VIDGEN_DEVICE_HOST ||
      !has_all_times (model))
    return;
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpstr (times->stage, ==, "transformer");
  g_assert_cmpfloat (times->operations, >, 1e5);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    DeviceTest test;
  } tests[] = { { "repeats", test_repeats },
    { "prompt-change", test_prompt_change }, { "seek", test_seek },
    { "requests", test_requests }, { "formats", test_formats },
    { "cancelled", test_cancelled }, { "picture", test_picture },
    { "stops-at-once", test_stops_at_once },
    { "two-streams", test_two_streams },
    { "encode-meanwhile", test_encode_meanwhile }, { "endless", test_endless },
    { "steady", test_steady }, { "stats", test_stats }, { "tapes", test_tapes },
    { "far-seeing", test_far_seeing }, { "ahead", test_ahead },
    { "cancelled-anywhere", test_cancelled_anywhere }, { "wide", test_wide },
    { "wide-tapes", test_wide_tapes }, { "wide-limits", test_wide_limits },
    { "wide-picture", test_wide_picture }, { "under-way", test_under_way } };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree char *host = g_strconcat ("/stream/host/", tests[i].name, NULL);
    g_autofree char *vulkan =
        g_strconcat ("/stream/vulkan/", tests[i].name, NULL);

    g_test_add_data_func (host, tests[i].test, on_host);
    g_test_add_data_func (vulkan, tests[i].test, on_vulkan);
  }
  return g_test_run ();
}
