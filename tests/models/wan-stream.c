/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* The family `wan` as the element sees it, from folders of tiny checkpoints;
 * their latents are those of the goldens of tests/models/wan.c. */

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "models/checkpoint/safetensors.h"
#include "models/wan/stream.h"
#include "shaders/runtime/device-private.h"
#include "shaders/runtime/faults.h"
#include "tests/models/wanfolder.h"

#define TOLERANCE 1e-3
#define HALF_TOLERANCE 1e-2 /* where weights are halves */
#define SIZE "width = 80\nheight = 48\nweights = published\n"
#define CHUNKS_PRESET                                                          \
  "[wan]\npreset = self-forcing\nwindow = 7\nsink = 1\nsteps = 2\n"            \
  "first-steps = 2\npositions = absolute\ncache = f32\n" SIZE
#define FRAMES_PRESET                                                          \
  "[wan]\npreset = causal-forcing-1-step\nwindow = 4\nsink = 1\n"              \
  "cache = f32\n" SIZE
#define LORA_PRESET                                                            \
  "[wan]\npreset = longlive\nchunk = 1\nwindow = 4\nsink = 1\nsteps = 1\n"     \
  "first-steps = 1\n" SIZE
#define HALVES_PRESET FRAMES_PRESET "cache = f16\n"

typedef struct {
  VidgenDevice *device;
  VidgenMemory *clean;
} Taken;

static void
take (VidgenRecorder *recorder, const char *name, VidgenSpan span,
    gpointer user_data)
{
  Taken *taken = user_data;
  g_autoptr (GError) error = NULL;

  if (!g_str_equal (name, "x0"))
    return;
  vidgen_memory_unref (taken->clean);
  taken->clean = vidgen_memory_new (
      taken->device, span.size, VIDGEN_MEMORY_READBACK, &error);
  g_assert_no_error (error);
  vidgen_recorder_copy (recorder, vidgen_memory_span (taken->clean), span);
}

/* The latents of a golden's chunks, whose prompts change at two of them. */
static void
check_latents (VidgenDevice *device, const char *side, const char *name,
    guint n_chunks, guint second, guint third)
{
  g_autoptr (VidgenSafetensors) golden = wan_golden_open (name);
  WanFolder folder;
  Taken taken = { .device = device };
  const VidgenTap tap = { take, &taken };
  VidgenStream *stream;

  wan_folder_open (&folder, device, side);
  stream = wan_stream_new (&folder, golden);
  vidgen_wan_stream_set_tap (stream, &tap);
  for (guint i = 0; i < n_chunks; i++) {
    g_autofree char *x0 = g_strdup_printf ("chunk%u.x0", i);
    const VidgenTensor *should = vidgen_safetensors_find (golden, x0);
    g_autoptr (VidgenChunk) chunk = NULL;

    if (i > 0 && (i == second || i == third))
      wan_stream_set_prompt (stream, folder.model, golden, i == second ? 1 : 2);
    chunk = wan_stream_next (stream, TRUE);
    g_assert_cmpuint (chunk->frames, ==,
        vidgen_model_chunk_frames (vidgen_model_info (folder.model), i));
    g_assert_cmpuint (chunk->samples, ==, 0);
    g_assert_cmpfloat (
        fixture_distance (vidgen_span_map (vidgen_memory_span (taken.clean)),
            (const float *)should->data, vidgen_tensor_count (should)),
        <=, TOLERANCE);
  }
  vidgen_stream_free (stream);
  vidgen_memory_unref (taken.clean);
  wan_folder_close (&folder);
}

static void
check_info (WanFolder *folder)
{
  const VidgenModelInfo *info = vidgen_model_info (folder->model);

  g_assert_cmpstr (info->family, ==, "wan");
  g_assert_cmpstr (info->name, ==, "self-forcing");
  g_assert_false (info->has_audio);
  g_assert_cmpuint (info->first_chunk_frames, ==, 9);
  g_assert_cmpuint (info->chunk_frames, ==, 12);
  g_assert_cmpuint (info->native.width, ==, 80);
  g_assert_cmpuint (info->default_steps, ==, 2);
}

/* The same bytes again: from another stream, after going back, after a chunk
 * that was cancelled, and where chunks before had no pictures. */
static void
check_repeats (WanFolder *folder, const VidgenSafetensors *golden)
{
  VidgenStream *stream = wan_stream_new (folder, golden);
  VidgenStream *other = wan_stream_new (folder, golden);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  const VidgenChunkRequest request = { .video = TRUE,
    .picture_format = VIDGEN_PICTURE_RGB };
  VidgenChunk *chunks[4];

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    chunks[i] = wan_stream_next (stream, TRUE);
  g_assert_false (fixture_same_pictures (chunks[1], chunks[2]));
  vidgen_stream_seek (stream, 0);
  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++) {
    g_autoptr (VidgenChunk) again = wan_stream_next (stream, TRUE);
    g_autoptr (VidgenChunk) picked = NULL;

    g_assert_true (fixture_same_pictures (again, chunks[i]));
    if (i == 2) {
      g_cancellable_cancel (cancellable);
      g_assert_null (vidgen_stream_next (other, &request, cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
    picked = wan_stream_next (other, i != 1);
    g_assert_true (i == 1 || fixture_same_pictures (picked, chunks[i]));
  }
  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    vidgen_chunk_unref (chunks[i]);
  vidgen_stream_free (stream);
  vidgen_stream_free (other);
}

/* Within a tenth of what was said before. */
static void
check_memory (WanFolder *folder, const VidgenSafetensors *golden)
{
  const VidgenFormat *format = &vidgen_model_info (folder->model)->native;
  const guint64 needed = vidgen_model_memory_needed (folder->model, format);
  VidgenStream *stream = wan_stream_new (folder, golden);
  guint64 used;

  vidgen_chunk_unref (wan_stream_next (stream, TRUE));
  used = vidgen_device_memory_used (folder->device);
  g_assert_cmpuint (used, <=, needed + needed / 10);
  g_assert_cmpuint (used, >=, needed - needed / 10);
  vidgen_stream_free (stream);
}

/* What a stream needs as was said before, and what it takes. */
typedef struct {
  guint64 said, taken;
} StreamMemory;

static StreamMemory
measure_stream (VidgenDevice *device, const char *side)
{
  g_autoptr (VidgenSafetensors) golden = wan_golden_open ("frames");
  StreamMemory memory;
  VidgenStream *stream;
  WanFolder folder;

  wan_folder_open (&folder, device, side);
  memory.said = vidgen_model_memory_needed (
      folder.model, &vidgen_model_info (folder.model)->native);
  memory.taken = vidgen_device_memory_used (device);
  stream = wan_stream_new (&folder, golden);
  memory.taken = vidgen_device_memory_used (device) - memory.taken;
  vidgen_stream_free (stream);
  wan_folder_close (&folder);
  return memory;
}

/* A cache of halves saves what was said, all but how parts are aligned. */
static void
check_cache_memory (VidgenDevice *device)
{
  const StreamMemory floats = measure_stream (device, FRAMES_PRESET);
  const StreamMemory halves = measure_stream (device, HALVES_PRESET);
  const guint64 said = floats.said - halves.said;
  const guint64 taken = floats.taken - halves.taken;

  g_test_message (
      "said %" G_GUINT64_FORMAT ", taken %" G_GUINT64_FORMAT, said, taken);
  g_assert_cmpuint (halves.said, <, floats.said);
  g_assert_cmpuint (halves.taken, <, floats.taken);
  g_assert_cmpuint (taken, <=, said + said / 10);
  g_assert_cmpuint (taken, >=, said - said / 10);
}

static void
check_no_encoder (WanFolder *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenConditioning) conditioning =
      vidgen_model_encode (folder->model, "rain", NULL, NULL, &error);

  g_assert_null (conditioning);
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED);
}

static void
check_changes (VidgenDevice *device, const char *change)
{
  g_autofree char *side =
      g_strdup_printf (FRAMES_PRESET "prompt-change = %s\n", change);
  g_autoptr (VidgenSafetensors) golden = wan_golden_open ("frames");
  WanFolder folder;
  VidgenStream *stream;
  VidgenChunk *before;
  g_autoptr (VidgenChunk) after = NULL;

  wan_folder_open (&folder, device, side);
  stream = wan_stream_new (&folder, golden);
  for (guint i = 0; i < 6; i++)
    vidgen_chunk_unref (wan_stream_next (stream, TRUE));
  before = wan_stream_next (stream, TRUE);
  vidgen_stream_seek (stream, 0);
  for (guint i = 0; i < 6; i++)
    vidgen_chunk_unref (wan_stream_next (stream, TRUE));
  wan_stream_set_prompt (stream, folder.model, golden, 1);
  after = wan_stream_next (stream, TRUE);
  g_assert_false (fixture_same_pictures (before, after));
  vidgen_chunk_unref (before);
  vidgen_stream_free (stream);
  wan_folder_close (&folder);
}

static void
count (VidgenRecorder *recorder G_GNUC_UNUSED, const char *name,
    VidgenSpan span G_GNUC_UNUSED, gpointer user_data)
{
  guint *n = user_data;

  *n += g_str_equal (name, "recache.block0");
}

/* What is remembered is made anew once a prompt, when that holds alone, and not
 * at all where it is kept. */
static void
check_blend (VidgenDevice *device, const char *change, guint times)
{
  g_autofree char *side =
      g_strdup_printf (FRAMES_PRESET "prompt-change = %s\n", change);
  g_autoptr (VidgenSafetensors) golden = wan_golden_open ("frames");
  guint n = 0;
  const VidgenTap tap = { count, &n };
  WanFolder folder;
  VidgenStream *stream;

  wan_folder_open (&folder, device, side);
  stream = wan_stream_new (&folder, golden);
  vidgen_wan_stream_set_tap (stream, &tap);
  vidgen_chunk_unref (wan_stream_next (stream, FALSE));
  wan_stream_blend (stream, folder.model, golden, 1, 2);
  for (guint i = 0; i < 2; i++) {
    vidgen_chunk_unref (wan_stream_next (stream, FALSE));
    g_assert_cmpuint (n, ==, 0);
  }
  vidgen_chunk_unref (wan_stream_next (stream, FALSE));
  g_assert_cmpuint (n, ==, times);
  vidgen_chunk_unref (wan_stream_next (stream, FALSE));
  g_assert_cmpuint (n, ==, times);
  vidgen_stream_free (stream);
  wan_folder_close (&folder);
}

/* Part of the way from one prompt to the next, at once. */
static void
set_between (VidgenStream *stream, const WanFolder *folder,
    const VidgenSafetensors *golden, double weight)
{
  g_autoptr (GBytes) from = wan_golden_prompt (golden, 0);
  g_autoptr (GBytes) to = wan_golden_prompt (golden, 1);
  g_autoptr (GBytes) bytes = vidgen_wan_conditioning_blend (
      (guint)vidgen_safetensors_find (golden, "prompt0")->shape[1], from, to,
      weight);

  wan_stream_set_bytes (stream, folder->model, bytes, 0);
}

/* What is remembered is forgotten where blending begins and not once more amid
 * it. Prompts that are the same but set at once cut at each: the first chunk is
 * the same then, the second is not. */
static void
check_blended_cut (VidgenDevice *device)
{
  g_autoptr (VidgenSafetensors) golden = wan_golden_open ("frames");
  VidgenStream *blending, *at_once;
  WanFolder folder;

  wan_folder_open (&folder, device, FRAMES_PRESET "prompt-change = cut\n");
  blending = wan_stream_new (&folder, golden);
  at_once = wan_stream_new (&folder, golden);
  for (guint i = 0; i < 5; i++) {
    g_autoptr (VidgenChunk) blended = NULL;
    g_autoptr (VidgenChunk) cut = NULL;

    if (i == 3)
      wan_stream_blend (blending, folder.model, golden, 1, 2);
    if (i >= 3)
      set_between (at_once, &folder, golden, (i - 2) / 3.0);
    blended = wan_stream_next (blending, TRUE);
    cut = wan_stream_next (at_once, TRUE);
    g_assert_true (fixture_same_pictures (blended, cut) == (i < 4));
  }
  vidgen_stream_free (blending);
  vidgen_stream_free (at_once);
  wan_folder_close (&folder);
}

/* The family works from text alone, and says so. */
static void
check_no_picture (WanFolder *folder, const VidgenSafetensors *golden)
{
  static const guint8 rgb[3] = { 0 };
  VidgenStream *stream = wan_stream_new (folder, golden);
  g_autoptr (GError) error = NULL;

  g_assert_false (vidgen_stream_set_picture (stream, rgb, 1, 1, 3, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "from text alone"));
  vidgen_stream_free (stream);
}

static void
run (VidgenDevice *device)
{
  g_autoptr (VidgenSafetensors) golden = wan_golden_open ("chunks");
  WanFolder folder;

  check_latents (device, CHUNKS_PRESET, "chunks", 4, 0, 0);
  check_latents (device, FRAMES_PRESET, "frames", 8, 2, 6);
  check_latents (device, HALVES_PRESET, "frames", 8, 2, 6);
  check_changes (device, "keep");
  check_changes (device, "cut");
  check_blend (device, "recache", 1);
  check_blend (device, "keep", 0);
  check_blended_cut (device);
  check_cache_memory (device);
  wan_folder_open (&folder, device, CHUNKS_PRESET);
  check_info (&folder);
  check_memory (&folder, golden);
  check_repeats (&folder, golden);
  check_no_encoder (&folder);
  check_no_picture (&folder, golden);
  wan_folder_close (&folder);
}

static void
test_host (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();

  run (device);
}

static void
test_vulkan (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();

  if (device)
    run (device);
}

/* Clips: each chunk is one, begun anew, from a checkpoint of diffusers. */
static void
test_clip (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenSafetensors) golden = wan_golden_open ("clip");
  g_autoptr (GError) error = NULL;
  WanFolder folder = { .path = g_dir_make_tmp ("vidgen-XXXXXX", &error),
    .device = device };
  VidgenChunk *chunks[2];
  VidgenStream *stream;

  g_assert_no_error (error);
  wan_folder_put (
      folder.path, "wan/clip-weights.safetensors", "model.safetensors");
  wan_folder_put (folder.path, "wan/clip.json", "config.json");
  wan_folder_put (folder.path, WAN_DECODER, "decoder.safetensors");
  wan_folder_put_text (folder.path, "vidgen.ini",
      "[wan]\npreset = wan\nchunk = 5\nwindow = 5\nsteps = 4\n" SIZE);
  folder.model = vidgen_model_open (folder.path, &error);
  g_assert_no_error (error);
  vidgen_model_load (folder.model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  stream = wan_stream_new (&folder, golden);
  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++) {
    chunks[i] = wan_stream_next (stream, TRUE);
    g_assert_cmpuint (chunks[i]->frames, ==, 17);
  }
  g_assert_false (fixture_same_pictures (chunks[0], chunks[1]));
  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    vidgen_chunk_unref (chunks[i]);
  vidgen_stream_free (stream);
  wan_folder_close (&folder);
}

/* The empty prompt is what the encoder makes of nothing but the end. */
static void
check_empty (VidgenModel *model)
{
  g_autofree char *path = fixture_path (WAN_GOLDENS "umt5/states.safetensors");
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenSafetensors) states = vidgen_safetensors_open (path, &error);
  const VidgenTensor *should;
  g_autoptr (VidgenConditioning) conditioning = NULL;
  g_autoptr (GBytes) bytes = NULL;
  VidgenWanPrompt prompt;

  g_assert_no_error (error);
  should = vidgen_safetensors_find (states, "1.out");
  conditioning = vidgen_model_encode (model, "", NULL, NULL, &error);
  g_assert_no_error (error);
  bytes = vidgen_conditioning_serialise (conditioning);
  prompt = vidgen_wan_conditioning_prompt (bytes, 0);
  g_assert_cmpuint (prompt.rows, ==, 1);
  g_assert_cmpfloat (
      fixture_distance (prompt.states, (const float *)should->data,
          vidgen_tensor_count (should)),
      <=, HALF_TOLERANCE);
}

typedef struct {
  guint encodes, warm_ups; /* that have ended */
  double last;
} Told;

static void
on_progress (const char *phase, double fraction, gpointer user_data)
{
  Told *told = user_data;

  g_assert_cmpfloat (fraction, >=, told->last);
  g_assert_cmpfloat (fraction, <=, 1);
  told->last = fraction < 1 ? fraction : 0;
  told->encodes += g_str_equal (phase, "encode") && fraction == 1;
  told->warm_ups += g_str_equal (phase, "warmup") && fraction == 1;
}

/* A folder of all, with the decoder that the model came with. */
static char *
make_whole_folder (void)
{
  char *path = wan_folder_make (FRAMES_PRESET);
  g_autofree char *decoder =
      g_build_filename (path, "decoder.safetensors", NULL);

  g_remove (decoder);
  wan_folder_put (
      path, "decoders/vae-weights.safetensors", "decoder.safetensors");
  wan_folder_put (path, "umt5/wan/models_t5_umt5-xxl-enc-bf16.pth", "t5.pth");
  wan_folder_put (
      path, "umt5/wan/google/umt5-xxl/spiece.model", "spiece.model");
  return path;
}

static guint64
used_after (VidgenDevice *device, VidgenModel *model, const char *prompt)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenConditioning) conditioning =
      vidgen_model_encode (model, prompt, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (conditioning);
  return vidgen_device_memory_used (device);
}

/* On a GPU with room layers of the text encoder stay. */
static void
test_room (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autofree char *path = make_whole_folder ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenModel) model = vidgen_model_open (path, &error);
  guint64 used;

  g_assert_no_error (error);
  vidgen_model_load (model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  used = used_after (device, model, "rain");
  device->caps.type = VIDGEN_DEVICE_DISCRETE;
  device->caps.memory_bytes =
      vidgen_model_memory_needed (model, &vidgen_model_info (model)->native);
  g_assert_cmpuint (used_after (device, model, "snow"), ==, used);
  device->caps.memory_bytes *= 4;
  g_assert_cmpuint (used_after (device, model, "hail"), >, used);

  wan_folder_remove (path);
}

/* A model on a GPU with much room, layers of whose text encoder stay. */
typedef struct {
  char *path;
  VidgenModel *model;
  VidgenDevice *device;
  guint64 before, used; /* without layers, and with them */
} Keeper;

static void
keeper_init (Keeper *keeper, VidgenDevice *device)
{
  g_autoptr (GError) error = NULL;

  *keeper = (Keeper){ .path = make_whole_folder (), .device = device };
  keeper->model = vidgen_model_open (keeper->path, &error);
  g_assert_no_error (error);
  vidgen_model_load (keeper->model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  keeper->before = used_after (device, keeper->model, "rain");
  device->caps.type = VIDGEN_DEVICE_DISCRETE;
  device->caps.memory_bytes =
      4 * vidgen_model_memory_needed (
              keeper->model, &vidgen_model_info (keeper->model)->native);
  keeper->used = used_after (device, keeper->model, "hail");
  g_assert_cmpuint (keeper->used, >, keeper->before);
}

static void
keeper_clear (Keeper *keeper)
{
  vidgen_device_inject (keeper->device, VIDGEN_FAULT_NONE, 0);
  g_clear_pointer (&keeper->model, vidgen_model_unref);
  wan_folder_remove (keeper->path);
  g_free (keeper->path);
}

static VidgenStream *
try_stream (VidgenModel *model, GError **error)
{
  return vidgen_stream_new (model,
      &(VidgenStreamParams){ .format = vidgen_model_info (model)->native },
      error);
}

static guint64
stream_bytes (Keeper *keeper)
{
  const guint64 used = vidgen_device_memory_used (keeper->device);
  g_autoptr (VidgenStream) stream = try_stream (keeper->model, NULL);

  g_assert_nonnull (stream);
  return vidgen_device_memory_used (keeper->device) - used;
}

/* They make room for a stream that has none, and do not come back. */
static void
test_room_for_stream (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (GError) error = NULL;
  VidgenStream *stream;
  Keeper keeper;
  guint64 bytes;

  keeper_init (&keeper, device);
  bytes = stream_bytes (&keeper);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, keeper.used);
  vidgen_device_inject (
      device, VIDGEN_FAULT_FULL, (guint)(keeper.used + bytes - 1));
  stream = try_stream (keeper.model, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (
      vidgen_device_memory_used (device), ==, keeper.before + bytes);
  vidgen_stream_free (stream);
  vidgen_device_inject (
      device, VIDGEN_FAULT_FULL, (guint)(keeper.before + bytes - 1));
  g_assert_null (try_stream (keeper.model, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY);
  vidgen_device_inject (device, VIDGEN_FAULT_NONE, 0);
  g_assert_cmpuint (
      used_after (device, keeper.model, "fog"), ==, keeper.before);
  keeper_clear (&keeper);
}

/* What others have taken is no room, what the model has taken is not missing
 * any more. */
static void
test_room_beside (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenStream) stream = NULL;
  g_autoptr (VidgenMemory) other = NULL;
  const VidgenWanModel *model;
  Keeper keeper;
  guint64 kept;

  keeper_init (&keeper, device);
  model = (const VidgenWanModel *)keeper.model;
  kept = keeper.used - keeper.before;
  stream = try_stream (keeper.model, NULL);
  g_assert_nonnull (stream);
  device->caps.memory_bytes = vidgen_device_memory_used (device) - kept +
                              vidgen_umt5_bytes (model->parts->text) + 2 * kept;
  used_after (device, keeper.model, "fog");
  g_assert_cmpuint (
      vidgen_umt5_kept_bytes (model->parts->text, device), ==, kept);
  other = vidgen_memory_new (device, 2 * kept, VIDGEN_MEMORY_DEVICE, NULL);
  g_assert_nonnull (other);
  used_after (device, keeper.model, "sun");
  g_assert_cmpuint (vidgen_umt5_kept_bytes (model->parts->text, device), ==, 0);
  g_clear_pointer (&stream, vidgen_stream_free);
  keeper_clear (&keeper);
}

/* The same weights, but loaded for themselves. */
static char *
make_other_folder (void)
{
  char *path = make_whole_folder ();
  g_autofree char *file = g_build_filename (path, "weights.safetensors", NULL);
  g_autofree char *data = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (file, &data, &size, NULL));
  g_remove (file);
  g_assert_true (g_file_set_contents (file, data, (gssize)size, NULL));
  return path;
}

/* Layers of one model make room for another one, to load and to encode. */
static void
check_two (gboolean loaded)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autofree char *path = make_other_folder ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenModel) model = NULL;
  g_autoptr (VidgenModel) first = vidgen_model_open (path, &error);
  guint64 bytes, limit;
  Keeper keeper;

  g_assert_no_error (error);
  vidgen_model_load (first, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  bytes = vidgen_device_memory_used (device);
  g_clear_pointer (&first, vidgen_model_unref);
  bytes -= vidgen_device_memory_used (device);
  model = vidgen_model_open (path, &error);
  keeper_init (&keeper, device);
  limit = keeper.used + bytes + VIDGEN_UPLOAD_STAGING_BYTES - 1;
  if (loaded) {
    vidgen_model_load (model, device, NULL, NULL, NULL, &error);
    g_assert_no_error (error);
    limit = keeper.before + bytes +
            vidgen_umt5_bytes (((VidgenWanModel *)model)->parts->text);
  }
  g_assert_cmpuint (vidgen_umt5_kept_bytes (
                        ((VidgenWanModel *)keeper.model)->parts->text, device),
      >, 0);
  vidgen_device_inject (device, VIDGEN_FAULT_FULL, (guint)limit);
  if (loaded)
    used_after (device, model, "rain");
  else
    vidgen_model_load (model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (vidgen_umt5_kept_bytes (
                        ((VidgenWanModel *)keeper.model)->parts->text, device),
      ==, 0);
  keeper_clear (&keeper);
  wan_folder_remove (path);
}

static void
test_room_for_load (void)
{
  check_two (FALSE);
}

static void
test_room_for_prompt (void)
{
  check_two (TRUE);
}

/* From a prompt to pictures. */
static void
test_prompt (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autofree char *path = make_whole_folder ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenModel) model = NULL;
  g_autoptr (VidgenConditioning) conditioning = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (VidgenStream) stream = NULL;
  g_autoptr (VidgenChunk) first = NULL;
  g_autoptr (VidgenChunk) second = NULL;
  Told told = { 0 };

  model = vidgen_model_open (path, &error);
  g_assert_no_error (error);
  vidgen_model_load (model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  check_empty (model);
  vidgen_model_set_progress (model, on_progress, &told);
  conditioning = vidgen_model_encode (model, "rain", NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (told.encodes, ==, 1);
  bytes = vidgen_conditioning_serialise (conditioning);
  g_assert_cmpuint (vidgen_wan_conditioning_prompt (bytes, 0).rows, >, 1);
  g_assert_cmpuint (vidgen_wan_conditioning_prompt (bytes, 1).rows, ==, 0);
  stream = vidgen_stream_new (model,
      &(VidgenStreamParams){ .format = vidgen_model_info (model)->native },
      &error);
  g_assert_no_error (error);
  g_assert_cmpuint (told.encodes, ==, 1);
  vidgen_stream_set_conditioning (stream, conditioning, 0);
  first = wan_stream_next (stream, TRUE);
  second = wan_stream_next (stream, TRUE);
  g_assert_cmpuint (first->frames, ==, 1);
  g_assert_cmpuint (second->frames, ==, 4);
  wan_folder_remove (path);
}

static VidgenChunk *
first_chunk (const WanFolder *folder, const VidgenSafetensors *golden)
{
  WanFolder again = { .device = folder->device };
  g_autoptr (GError) error = NULL;
  VidgenStream *stream;
  VidgenChunk *chunk;

  again.model = vidgen_model_open (folder->path, &error);
  g_assert_no_error (error);
  vidgen_model_load (again.model, again.device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  stream = wan_stream_new (&again, golden);
  chunk = wan_stream_next (stream, TRUE);
  vidgen_stream_free (stream);
  vidgen_model_unref (again.model);
  return chunk;
}

/* LongLive is a transformer and the LoRA beside it. */
static void
test_lora (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenSafetensors) golden = wan_golden_open ("frames");
  WanFolder folder = { .path = wan_folder_make (LORA_PRESET),
    .device = device };
  g_autoptr (VidgenChunk) base = first_chunk (&folder, golden);
  g_autoptr (VidgenChunk) merged = NULL;

  wan_folder_put (folder.path, "lora/peft.pt", "lora.pt");
  merged = first_chunk (&folder, golden);
  g_assert_cmpuint (merged->frames, ==, 1);
  g_assert_false (fixture_same_pictures (base, merged));
  wan_folder_close (&folder);
}

/* What compiling has to tell; nothing has been compiled on the device yet. */
static void
test_warm_up (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();
  g_autoptr (VidgenSafetensors) golden = wan_golden_open ("frames");
  WanFolder folder;
  Told told = { 0 };

  if (!device)
    return;
  wan_folder_open (&folder, device, FRAMES_PRESET);
  vidgen_model_set_progress (folder.model, on_progress, &told);
  vidgen_stream_free (wan_stream_new (&folder, golden));
  g_assert_cmpuint (told.warm_ups, ==, 1);
  wan_folder_close (&folder);
}

static void
check_refused (const char *location, int code, const char *says)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_model_open (location, &error));
  g_assert_error (error, VIDGEN_ERROR, code);
  if (!strstr (error->message, says))
    g_error ("'%s' does not say '%s'", error->message, says);
}

static void
test_refused (void)
{
  g_autofree char *path = wan_folder_make (CHUNKS_PRESET);
  g_autofree char *decoder =
      g_build_filename (path, "decoder.safetensors", NULL);

  wan_folder_put (path, "wan/weights.safetensors", "other.safetensors");
  check_refused (path, VIDGEN_ERROR_INVALID, "several transformers");
  wan_folder_put_text (path, "vidgen.ini", "[wan]\nsteps = x\n");
  check_refused (path, VIDGEN_ERROR_FORMAT, "'steps'");
  wan_folder_put_text (
      path, "vidgen.ini", "[wan]\ntransformer = other.safetensors\n");
  g_remove (decoder);
  check_refused (path, VIDGEN_ERROR_NOT_FOUND, "no decoder");
  wan_folder_put_text (path, "vidgen.ini",
      "[wan]\ntransformer = other.safetensors\ndecoder = config.json\n");
  check_refused (path, VIDGEN_ERROR_FORMAT, "config.json");
  wan_folder_remove (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wan-stream/host", test_host);
  g_test_add_func ("/wan-stream/vulkan", test_vulkan);
  g_test_add_func ("/wan-stream/clip", test_clip);
  g_test_add_func ("/wan-stream/prompt", test_prompt);
  g_test_add_func ("/wan-stream/room", test_room);
  g_test_add_func ("/wan-stream/room/stream", test_room_for_stream);
  g_test_add_func ("/wan-stream/room/beside", test_room_beside);
  g_test_add_func ("/wan-stream/room/load", test_room_for_load);
  g_test_add_func ("/wan-stream/room/prompt", test_room_for_prompt);
  g_test_add_func ("/wan-stream/lora", test_lora);
  g_test_add_func ("/wan-stream/warm-up", test_warm_up);
  g_test_add_func ("/wan-stream/refused", test_refused);
  return g_test_run ();
}
