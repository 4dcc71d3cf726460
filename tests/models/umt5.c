/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/umt5/umt5.h"

#include <glib/gstdio.h>
#include <string.h>

#include "models/checkpoint/json.h"
#include "models/upload.h"
#include "models/umt5/vocabulary.h"
#include "shaders/runtime/faults.h"
#include "tests/models/checkpoints.h"

#define GOLDENS "tests/models/goldens/umt5"

static const struct {
  const char *path;
  const char *states; /* of which weights */
  double tolerance;
} layouts[] = {
  { "diffusers/text_encoder", "", 1e-3 },
  { "wan", "", 1e-2 },
  { "comfy.safetensors", "", 1e-2 },
  { "scaled.safetensors", "scaled.", 1e-3 },
  { "umt5.gguf", "quantised.", 1e-3 },
};

static char *
golden_path (const char *name)
{
  g_autofree char *below = g_build_filename (GOLDENS, name, NULL);

  return fixture_path (below);
}

static VidgenCheckpoint *
open_states (void)
{
  g_autofree char *path = golden_path ("states.safetensors");
  g_autoptr (GError) error = NULL;
  VidgenCheckpoint *states = vidgen_checkpoint_open (path, &error);

  g_assert_no_error (error);
  return states;
}

static char **
read_prompts (const VidgenCheckpoint *states)
{
  g_autoptr (JsonNode) root =
      json_from_string (vidgen_checkpoint_metadata (states, "prompts"), NULL);
  JsonArray *list = json_node_get_array (root);
  const guint n = json_array_get_length (list);
  char **prompts = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++)
    prompts[i] = g_strdup (json_array_get_string_element (list, i));
  return prompts;
}

static VidgenUmt5 *
open_encoder (const char *name)
{
  g_autofree char *path = golden_path (name);
  g_autoptr (GError) error = NULL;
  VidgenUmt5 *umt5 = vidgen_umt5_open (path, &error);

  g_assert_no_error (error);
  return umt5;
}

static void
take (VidgenRecorder *recorder, const char *name, VidgenSpan span,
    gpointer user_data)
{
  VidgenMemory *memory = vidgen_memory_new (vidgen_recorder_device (recorder),
      span.size, VIDGEN_MEMORY_READBACK, NULL);

  g_assert_nonnull (memory);
  vidgen_recorder_copy (recorder, vidgen_memory_span (memory), span);
  g_hash_table_insert (user_data, g_strdup (name), memory);
}

/* `values` against a tensor. */
static void
check_states (const VidgenCheckpoint *states, const char *name,
    const float *values, guint rows, guint size, double tolerance)
{
  const VidgenTensor *tensor = vidgen_checkpoint_find (states, name);
  g_autofree float *expected = g_new (float, (gsize)rows *size);
  double distance;

  g_assert_nonnull (tensor);
  g_assert_cmpuint (vidgen_tensor_count (tensor), ==, rows * size);
  vidgen_tensor_read_f32 (tensor, 0, rows * size, expected);
  distance = fixture_distance (values, expected, rows * size);
  g_test_message ("%s: %.2g", name, distance);
  if (!(distance <= tolerance))
    g_error ("%s is off by %g", name, distance);
}

static void
check_prompt (VidgenUmt5 *umt5, const VidgenCheckpoint *states, guint index,
    const char *prompt, const char *which, double tolerance)
{
  const guint size = vidgen_umt5_size (umt5);
  g_autoptr (GHashTable) taken = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify)vidgen_memory_unref);
  const VidgenTap tap = { take, taken };
  g_autofree char *out = g_strdup_printf ("%s%u.out", which, index);
  g_autofree float *values = NULL;
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer name, memory;
  guint rows;

  vidgen_umt5_set_tap (umt5, &tap);
  values = vidgen_umt5_encode (
      umt5, prompt, VIDGEN_UMT5_MAX_TOKENS, &rows, NULL, NULL, NULL, &error);
  vidgen_umt5_set_tap (umt5, NULL);
  g_assert_no_error (error);
  check_states (states, out, values, rows, size, tolerance);
  if (*which)
    return;
  g_assert_cmpuint (g_hash_table_size (taken), ==, 3);
  g_hash_table_iter_init (&iter, taken);
  while (g_hash_table_iter_next (&iter, &name, &memory)) {
    g_autofree char *key = g_strdup_printf ("%u.%s", index, (char *)name);

    check_states (states, key, vidgen_span_map (vidgen_memory_span (memory)),
        rows, size, tolerance);
  }
}

static void
run_parity (VidgenDevice *device)
{
  g_autoptr (VidgenCheckpoint) states = open_states ();
  g_auto (GStrv) prompts = read_prompts (states);

  for (guint i = 0; i < G_N_ELEMENTS (layouts); i++) {
    g_autoptr (VidgenUmt5) umt5 = open_encoder (layouts[i].path);
    const guint64 before = vidgen_device_memory_used (device);
    g_autoptr (GError) error = NULL;

    g_test_message ("%s", layouts[i].path);
    vidgen_umt5_load (umt5, device, &error);
    g_assert_no_error (error);
    for (guint j = 0; prompts[j]; j++)
      check_prompt (
          umt5, states, j, prompts[j], layouts[i].states, layouts[i].tolerance);
    vidgen_umt5_unload (umt5);
    g_assert_cmpuint (vidgen_device_memory_used (device), ==, before);
  }
}

static void
test_host (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();

  run_parity (device);
}

static void
test_vulkan (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();

  if (device)
    run_parity (device);
}

/* Every layout's own tokenizer, to the last token. */
static void
test_tokens (void)
{
  g_autoptr (VidgenCheckpoint) states = open_states ();

  for (guint i = 0; i < G_N_ELEMENTS (layouts); i++) {
    g_autoptr (VidgenUmt5) umt5 = open_encoder (layouts[i].path);
    g_autoptr (GError) error = NULL;
    g_autoptr (VidgenCheckpoint) checkpoint =
        vidgen_checkpoint_open (vidgen_umt5_path (umt5), &error);
    g_autofree char *folder = g_path_get_dirname (vidgen_umt5_path (umt5));
    g_autoptr (VidgenUmt5Vocabulary) vocabulary =
        vidgen_umt5_vocabulary_open (checkpoint, folder, &error);
    const VidgenTensor *expected = vidgen_checkpoint_find (states, "0.tokens");
    g_autoptr (GArray) tokens = NULL;

    g_assert_no_error (error);
    tokens = vidgen_umt5_vocabulary_encode (vocabulary,
        "A cat walks through the rain at night, cinematic lighting.",
        VIDGEN_UMT5_MAX_TOKENS, &error);
    g_assert_no_error (error);
    g_assert_cmpmem (
        tokens->data, 4 * tokens->len, expected->data, expected->bytes);
  }
}

static void
test_bytes (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenUmt5) umt5 = open_encoder ("wan");
  const guint64 before = vidgen_device_memory_used (device);
  g_autoptr (GError) error = NULL;
  guint rows;

  g_assert_true (vidgen_umt5_load (umt5, device, &error));
  g_assert_true (vidgen_umt5_load (umt5, device, &error));
  g_free (vidgen_umt5_encode (
      umt5, "x", VIDGEN_UMT5_MAX_TOKENS, &rows, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (vidgen_device_memory_peak (device) - before, <=,
      vidgen_umt5_bytes (umt5));
  g_assert_cmpuint (vidgen_device_memory_peak (device) - before, >,
      vidgen_umt5_bytes (umt5) / 10 * 9);
}

static void
on_progress (double fraction, gpointer user_data)
{
  double *last = user_data;

  g_assert_cmpfloat (fraction, >, *last);
  *last = fraction;
}

static void
test_cancel (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenUmt5) umt5 = open_encoder ("wan");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autofree float *values = NULL;
  double last = 0;
  guint rows;

  g_assert_true (vidgen_umt5_load (umt5, device, &error));
  g_cancellable_cancel (cancellable);
  g_assert_null (vidgen_umt5_encode (umt5, "x", VIDGEN_UMT5_MAX_TOKENS, &rows,
      NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  values = vidgen_umt5_encode (umt5, "x", VIDGEN_UMT5_MAX_TOKENS, &rows,
      on_progress, &last, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (last, ==, 1);
}

/* The weights and the tokenizer count, not where they lie. */
static void
test_identity (void)
{
  guint8 a[VIDGEN_UMT5_IDENTITY_BYTES], b[VIDGEN_UMT5_IDENTITY_BYTES];
  g_autoptr (VidgenUmt5) wan = open_encoder ("wan");
  g_autoptr (VidgenUmt5) again =
      open_encoder ("wan/models_t5_umt5-xxl-enc-bf16.pth");
  g_autoptr (VidgenUmt5) other = open_encoder ("comfy.safetensors");

  vidgen_umt5_identify (wan, a);
  vidgen_umt5_identify (again, b);
  g_assert_cmpmem (a, sizeof a, b, sizeof b);
  vidgen_umt5_identify (other, b);
  g_assert_cmpint (memcmp (a, b, sizeof a), !=, 0);
}

static void
check_open_fails (const char *path, gint code, const char *says)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_umt5_open (path, &error));
  g_assert_error (error, VIDGEN_ERROR, code);
  check_says (error, says);
}

#define MISSING "encoder.block.1.layer.1.DenseReluDense.wo.weight"

/* A checkpoint that lacks something, and one without a tokenizer. */
static void
test_errors (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("vidgen-XXXXXX", &error);
  g_autofree char *bad = g_build_filename (folder, "bad.safetensors", NULL);
  g_autofree char *bare = g_build_filename (folder, "bare.safetensors", NULL);
  g_autofree char *path = golden_path ("comfy.safetensors");
  g_autofree char *data = NULL;
  gsize size;
  char *name;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  name = g_strstr_len (data + 8, (gssize)size - 8, "\"spiece_model\"");
  name[1] = 'X';
  g_assert_true (g_file_set_contents (bare, data, (gssize)size, NULL));
  name[1] = 's';
  name = g_strstr_len (data + 8, (gssize)size - 8, MISSING);
  name[0] = 'X';
  g_assert_true (g_file_set_contents (bad, data, (gssize)size, NULL));
  check_open_fails (bad, VIDGEN_ERROR_FORMAT, "bad.safetensors|" MISSING);
  check_open_fails (bare, VIDGEN_ERROR_NOT_FOUND, "bare.safetensors|tokenizer");
  check_open_fails ("/nonexistent", VIDGEN_ERROR_NOT_FOUND, "/nonexistent");
  g_unlink (bad);
  g_unlink (bare);
  check_open_fails (folder, VIDGEN_ERROR_NOT_FOUND, "no text encoder");
  g_rmdir (folder);
}

/* Those of 32 buckets up to 128: from the thresholds 8, 12, 16, 23, 32, 46, 64
 * and 91 on. */
static void
test_buckets (void)
{
  static const guint thresholds[] = { 8, 12, 16, 23, 32, 46, 64, 91 };
  const VidgenUmt5Config config = { .buckets = 32, .distance = 128 };

  for (gint far = 0; far < 600; far++) {
    guint bucket = MIN (far, 8);

    for (guint i = 1; i < G_N_ELEMENTS (thresholds); i++)
      bucket += far >= (gint)thresholds[i];
    g_assert_cmpuint (vidgen_umt5_bucket (&config, -far), ==, bucket);
    g_assert_cmpuint (
        vidgen_umt5_bucket (&config, far), ==, far ? 16 + bucket : 0);
  }
}

/* Layers that stay on the device are as good as those that pass through. */
static void
check_room (VidgenDevice *device)
{
  g_autoptr (VidgenCheckpoint) states = open_states ();
  g_autoptr (VidgenUmt5) umt5 = open_encoder ("diffusers/text_encoder");
  g_auto (GStrv) prompts = read_prompts (states);
  g_autoptr (GError) error = NULL;
  guint64 alone, made, used, begun;

  g_assert_true (vidgen_umt5_load (umt5, device, &error));
  g_assert_no_error (error);
  alone = vidgen_device_memory_used (device);
  begun = vidgen_device_n_allocations (device);
  check_prompt (umt5, states, 0, prompts[0], "", 1e-3);
  made = vidgen_device_n_allocations (device) - begun;
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, alone);

  vidgen_umt5_set_room (umt5, G_MAXUINT64);
  check_prompt (umt5, states, 0, prompts[0], "", 1e-3);
  used = vidgen_device_memory_used (device);
  g_assert_cmpuint (used, >, alone);
  begun = vidgen_device_n_allocations (device);
  check_prompt (umt5, states, 2, prompts[2], "", 1e-3);
  g_assert_cmpuint (vidgen_device_n_allocations (device) - begun, <, made);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, used);

  vidgen_umt5_set_room (umt5, (used - alone) * 2 / 3);
  g_assert_cmpuint (vidgen_device_memory_used (device), <, used);
  g_assert_cmpuint (vidgen_device_memory_used (device), >, alone);
  check_prompt (umt5, states, 1, prompts[1], "", 1e-3);
  g_assert_cmpuint (vidgen_device_memory_used (device), <, used);
  vidgen_umt5_set_room (umt5, 0);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, alone);
}

static void
test_room (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();

  check_room (device);
}

/* Without a tap, which takes memory of its own. */
static void
check_out (VidgenUmt5 *umt5, const VidgenCheckpoint *states, guint index,
    const char *prompt)
{
  g_autofree char *name = g_strdup_printf ("%u.out", index);
  g_autoptr (GError) error = NULL;
  g_autofree float *values = NULL;
  guint rows;

  values = vidgen_umt5_encode (
      umt5, prompt, VIDGEN_UMT5_MAX_TOKENS, &rows, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  check_states (states, name, values, rows, vidgen_umt5_size (umt5), 1e-3);
}

typedef struct {
  guint64 alone, kept; /* without layers, and with all */
  guint64 peak;        /* of a prompt whose layers stay */
} Footprint;

static Footprint
measure (VidgenDevice *device, const VidgenCheckpoint *states, char **prompts)
{
  g_autoptr (VidgenUmt5) umt5 = open_encoder ("diffusers/text_encoder");
  Footprint footprint;

  g_assert_true (vidgen_umt5_load (umt5, device, NULL));
  footprint.alone = vidgen_device_memory_used (device);
  vidgen_umt5_set_room (umt5, G_MAXUINT64);
  check_out (umt5, states, 0, prompts[0]);
  footprint.kept = vidgen_device_memory_used (device);
  footprint.peak = vidgen_device_memory_peak (device);
  g_assert_cmpuint (footprint.kept, >, footprint.alone);
  return footprint;
}

/* A prompt amid which the device is full has the same states, and no layer
 * stays after it, or ever again. */
static void
check_full (VidgenDevice *device, const VidgenCheckpoint *states,
    char **prompts, guint64 limit, guint64 used)
{
  g_autoptr (VidgenUmt5) umt5 = open_encoder ("diffusers/text_encoder");

  g_assert_true (vidgen_umt5_load (umt5, device, NULL));
  vidgen_umt5_set_room (umt5, G_MAXUINT64);
  vidgen_device_inject (device, VIDGEN_FAULT_FULL, (guint)limit);
  check_out (umt5, states, 0, prompts[0]);
  vidgen_device_inject (device, VIDGEN_FAULT_NONE, 0);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, used);
  vidgen_umt5_set_room (umt5, G_MAXUINT64);
  check_out (umt5, states, 1, prompts[1]);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, used);
}

static void
test_full (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenCheckpoint) states = open_states ();
  g_auto (GStrv) prompts = read_prompts (states);
  const Footprint footprint = measure (device, states, prompts);
  const guint64 last_layer = footprint.kept + VIDGEN_UPLOAD_STAGING_BYTES;

  g_assert_cmpuint (footprint.peak, >, last_layer);
  check_full (device, states, prompts, footprint.peak, footprint.kept);
  check_full (device, states, prompts, footprint.peak - 1, footprint.alone);
  check_full (device, states, prompts, last_layer - 1, footprint.alone);
}

/* Layers that stay from an earlier prompt are no less in the way. */
static void
test_full_later (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenCheckpoint) states = open_states ();
  g_auto (GStrv) prompts = read_prompts (states);
  const Footprint footprint = measure (device, states, prompts);
  g_autoptr (VidgenUmt5) umt5 = open_encoder ("diffusers/text_encoder");

  g_assert_true (vidgen_umt5_load (umt5, device, NULL));
  vidgen_umt5_set_room (umt5, G_MAXUINT64);
  check_out (umt5, states, 0, prompts[0]);
  vidgen_device_inject (device, VIDGEN_FAULT_FULL, (guint)(footprint.peak - 1));
  check_out (umt5, states, 2, prompts[2]);
  vidgen_device_inject (device, VIDGEN_FAULT_NONE, 0);
  g_assert_cmpuint (vidgen_device_memory_used (device), ==, footprint.alone);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/umt5/buckets", test_buckets);
  g_test_add_func ("/umt5/tokens", test_tokens);
  g_test_add_func ("/umt5/parity/host", test_host);
  g_test_add_func ("/umt5/parity/vulkan", test_vulkan);
  g_test_add_func ("/umt5/room", test_room);
  g_test_add_func ("/umt5/full", test_full);
  g_test_add_func ("/umt5/full-later", test_full_later);
  g_test_add_func ("/umt5/bytes", test_bytes);
  g_test_add_func ("/umt5/cancel", test_cancel);
  g_test_add_func ("/umt5/identity", test_identity);
  g_test_add_func ("/umt5/errors", test_errors);
  return g_test_run ();
}
