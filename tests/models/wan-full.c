/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Wan2.1-T2V-1.3B at its full size with random weights in bf16: it is written
 * to a file, loaded, and works on one frame of latents of 256 x 144 pixels.
 *
 *   meson test --suite slow wan-full --verbose
 *
 * tells seconds and bytes. Needs 3 GB of disk in the folder for temporary files
 * and 8 GB of memory. And
 *
 *   models-wan-full --write FOLDER PRESET
 *   vidgen bench --model FOLDER
 *
 * writes such a transformer and a decoder of full size into a folder, and
 * measures how fast a device makes pictures of 832 x 480 with them. */

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/wan/names.h"
#include "models/wan/sampler.h"
#include "tests/models/fixture.h"

#define SIZE 1536
#define FFN 8960
#define LAYERS 30
#define TEXT_SIZE 4096
#define TIME_SIZE 256
#define COLUMNS 16 /* 256 pixels */
#define ROWS 9     /* 144 pixels */
#define TOKENS (COLUMNS * ROWS)
#define TABLE 65521 /* values that repeat; a prime */
#define MAX_RESIDENT_BYTES (G_GUINT64_CONSTANT (16) << 30)

typedef struct {
  GString *header;
  GArray *counts; /* guint64, and whether they are gains */
  guint64 offset;
} Writer;

typedef struct {
  guint64 count;
  gboolean is_gain;
} Part;

static void
add_shaped (Writer *writer, const char *name, const char *shape, guint64 count)
{
  const Part part = { count,
    strstr (name, "norm") && g_str_has_suffix (name, "weight") };
  const guint64 end = writer->offset + 2 * count;

  g_string_append_printf (writer->header,
      "%s\"%s\":{\"dtype\":\"BF16\",\"shape\":[%s],\"data_offsets\":["
      "%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}",
      writer->offset ? "," : "{", name, shape, writer->offset, end);
  g_array_append_val (writer->counts, part);
  writer->offset = end;
}

/* A matrix, or a row where rows is 0. */
static void
add (Writer *writer, const char *name, guint64 rows, guint64 columns)
{
  g_autofree char *shape =
      rows ? g_strdup_printf (
                 "%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT, rows, columns)
           : g_strdup_printf ("%" G_GUINT64_FORMAT, columns);

  add_shaped (writer, name, shape, MAX (rows, 1) * columns);
}

static void
add_linear (Writer *writer, const char *name, guint64 out, guint64 in)
{
  g_autofree char *weight = g_strconcat (name, ".weight", NULL);
  g_autofree char *bias = g_strconcat (name, ".bias", NULL);

  add (writer, weight, out, in);
  add (writer, bias, 0, out);
}

static void
add_attention (Writer *writer, guint block, const char *kind)
{
  static const char *const linears[] = { "q", "k", "v", "o" };
  static const char *const norms[] = { "norm_q", "norm_k" };

  for (guint i = 0; i < G_N_ELEMENTS (linears); i++) {
    g_autofree char *name =
        g_strdup_printf ("blocks.%u.%s.%s", block, kind, linears[i]);
    add_linear (writer, name, SIZE, SIZE);
  }
  for (guint i = 0; i < G_N_ELEMENTS (norms); i++) {
    g_autofree char *name =
        g_strdup_printf ("blocks.%u.%s.%s.weight", block, kind, norms[i]);
    add (writer, name, 0, SIZE);
  }
}

static void
add_block (Writer *writer, guint block)
{
  g_autofree char *fc1 = g_strdup_printf ("blocks.%u.ffn.0", block);
  g_autofree char *fc2 = g_strdup_printf ("blocks.%u.ffn.2", block);
  g_autofree char *gain = g_strdup_printf ("blocks.%u.norm3.weight", block);
  g_autofree char *shift = g_strdup_printf ("blocks.%u.norm3.bias", block);
  g_autofree char *table = g_strdup_printf ("blocks.%u.modulation", block);

  add_attention (writer, block, "self_attn");
  add_attention (writer, block, "cross_attn");
  add (writer, gain, 0, SIZE);
  add (writer, shift, 0, SIZE);
  add_linear (writer, fc1, FFN, SIZE);
  add_linear (writer, fc2, SIZE, FFN);
  add (writer, table, 6, SIZE);
}

static void
add_all (Writer *writer)
{
  add_linear (writer, "patch_embedding", SIZE, VIDGEN_WAN_VALUES);
  add_linear (writer, "text_embedding.0", SIZE, TEXT_SIZE);
  add_linear (writer, "text_embedding.2", SIZE, SIZE);
  add_linear (writer, "time_embedding.0", SIZE, TIME_SIZE);
  add_linear (writer, "time_embedding.2", SIZE, SIZE);
  add_linear (writer, "time_projection.1", 6 * SIZE, SIZE);
  for (guint i = 0; i < LAYERS; i++)
    add_block (writer, i);
  add_linear (writer, "head.head", VIDGEN_WAN_VALUES, SIZE);
  add (writer, "head.modulation", 2, SIZE);
}

static void
write_values (FILE *file, const Part *part, GRand *random)
{
  guint16 *values = g_new (guint16, TABLE);
  guint64 done = 0;

  for (guint i = 0; i < TABLE; i++) {
    const float value =
        part->is_gain ? 1 : (float)g_rand_double_range (random, -0.05, 0.05);
    guint32 word;

    memcpy (&word, &value, sizeof word);
    values[i] = (guint16)(word >> 16);
  }
  while (done < part->count) {
    const guint64 n = MIN (TABLE, part->count - done);

    g_assert_cmpuint (fwrite (values, 2, n, file), ==, n);
    done += n;
  }
  g_free (values);
}

static void
add_conv (Writer *writer, const char *name, guint out, guint in, guint kernel,
    gboolean has_bias)
{
  g_autofree char *weight = g_strconcat (name, ".weight", NULL);
  g_autofree char *bias = g_strconcat (name, ".bias", NULL);
  g_autofree char *shape =
      g_strdup_printf ("%u,%u,%u,%u", out, in, kernel, kernel);

  add_shaped (writer, weight, shape, (guint64)out * in * kernel * kernel);
  if (has_bias)
    add (writer, bias, 0, out);
}

/* TAEHV's decoder as it is published for Wan 2.1. */
static void
add_decoder (Writer *writer)
{
  static const struct {
    guint first, channels, frames, next;
  } levels[] = { { 3, 256, 1, 128 }, { 9, 128, 2, 64 }, { 15, 64, 2, 64 } };

  add_conv (writer, "decoder.1", 256, VIDGEN_WAN_CHANNELS, 3, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (levels); i++) {
    const guint first = levels[i].first, channels = levels[i].channels;
    g_autofree char *grow = g_strdup_printf ("decoder.%u.conv", first + 4);
    g_autofree char *next = g_strdup_printf ("decoder.%u", first + 5);

    for (guint block = 0; block < 3; block++) {
      for (guint conv = 0; conv < 3; conv++) {
        g_autofree char *name =
            g_strdup_printf ("decoder.%u.conv.%u", first + block, 2 * conv);
        add_conv (writer, name, channels, channels * (conv ? 1 : 2), 3, TRUE);
      }
    }
    add_conv (writer, grow, channels * levels[i].frames, channels, 1, FALSE);
    add_conv (writer, next, levels[i].next, channels, 3, FALSE);
  }
  add_conv (writer, "decoder.22", 3, 64, 3, TRUE);
}

static void
write_file (const char *path, void (*add_tensors) (Writer *writer))
{
  FILE *file = g_fopen (path, "wb");
  Writer writer = { .header = g_string_new (NULL),
    .counts = g_array_new (FALSE, FALSE, sizeof (Part)) };
  GRand *random = g_rand_new_with_seed (1);
  guint64 length;

  g_assert_nonnull (file);
  add_tensors (&writer);
  g_string_append_c (writer.header, '}');
  while (writer.header->len % 8)
    g_string_append_c (writer.header, ' ');
  length = writer.header->len;
  g_assert_cmpuint (fwrite (&length, sizeof length, 1, file), ==, 1);
  g_assert_cmpuint (fwrite (writer.header->str, length, 1, file), ==, 1);
  for (guint i = 0; i < writer.counts->len; i++)
    write_values (file, &g_array_index (writer.counts, Part, i), random);
  g_assert_cmpint (fclose (file), ==, 0);
  g_rand_free (random);
  g_string_free (writer.header, TRUE);
  g_array_unref (writer.counts);
}

/* At most so far. */
static guint64
resident_bytes (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return 0;
  line = strstr (text, "VmHWM:");
  return line ? g_ascii_strtoull (line + strlen ("VmHWM:"), NULL, 10) * 1024
              : 0;
}

static double
lap (gint64 *since_us)
{
  const gint64 now_us = g_get_monotonic_time ();
  const double seconds = (double)(now_us - *since_us) / 1e6;

  *since_us = now_us;
  return seconds;
}

static void
run (VidgenDevice *device, const VidgenNames *names)
{
  const VidgenWanShape shape = { .columns = COLUMNS,
    .rows = ROWS,
    .chunk = 1,
    .piece = 1,
    .window = 1,
    .prompts = 1,
    .type = VIDGEN_F16,
    .keeps = TRUE,
    .max_frames = 1 };
  const VidgenWanContext context = { .window = 1 };
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();
  g_autoptr (VidgenPlan) plan = vidgen_plan_new ();
  g_autoptr (GPtrArray) memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  g_autoptr (VidgenMemory) readback = NULL;
  g_autoptr (VidgenRecorder) recorder = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree float *states = g_new (float, 8 * TEXT_SIZE);
  gint64 since_us = g_get_monotonic_time ();
  VidgenWanTransformer transformer = { 0 };
  VidgenWanLatents latents;
  VidgenWanConfig config;
  VidgenWanWeights weights;
  VidgenWanSchedule schedule;
  VidgenWanView view;
  const VidgenWanSample sample = { .schedule = &schedule, .view = &view };
  const float *clean;
  guint64 predicted, used;

  vidgen_wan_config_read (&config, names, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (config.heads, ==, 12);
  g_assert_cmpuint (config.layers, ==, LAYERS);
  vidgen_wan_weights_list (&weights, &config, names, NULL, upload, &error);
  g_assert_no_error (error);
  vidgen_wan_transformer_plan (&transformer, &config, &shape, plan, 0, 0);
  vidgen_wan_latents_plan (&latents, &shape, FALSE, plan, 0, 0);
  predicted = vidgen_upload_bytes (upload) + vidgen_plan_bytes (plan) +
              vidgen_wan_transformer_bytes (&config, &shape);
  vidgen_upload_run (upload, device, memories, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_test_message ("loaded in %.1f s", lap (&since_us));
  vidgen_plan_allocate (plan, device, &error);
  g_assert_no_error (error);
  transformer.weights = &weights;
  vidgen_wan_transformer_allocate (&transformer, device, &error);
  g_assert_no_error (error);
  used = vidgen_device_memory_used (device);
  g_test_message ("%" G_GUINT64_FORMAT " bytes of device memory, predicted "
                  "were %" G_GUINT64_FORMAT,
      used, predicted);
  g_assert_cmpuint (used, <=, predicted + predicted / 10);
  g_assert_cmpuint (used, >=, predicted - predicted / 10);

  recorder = vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 8 * TEXT_SIZE; i++)
    states[i] = sinf ((float)i);
  vidgen_wan_schedule_init (&schedule, 1, 5);
  vidgen_wan_schedule_set (&schedule, 0, &transformer, recorder);
  vidgen_wan_transformer_set_prompt (&transformer, recorder, 0, states, 8);
  vidgen_recorder_finish (recorder, NULL, &error);
  g_assert_no_error (error);
  g_test_message ("prompt in %.1f s", lap (&since_us));
  readback = vidgen_memory_new (
      device, latents.clean.size, VIDGEN_MEMORY_READBACK, &error);
  g_assert_no_error (error);
  vidgen_wan_context_next (&context, 1, 1, &view);
  vidgen_wan_sample_chunk (&transformer, recorder, &latents, &sample);
  vidgen_recorder_copy (recorder, vidgen_memory_span (readback), latents.clean);
  vidgen_recorder_finish (recorder, NULL, &error);
  g_assert_no_error (error);
  g_test_message ("one step and the context's pass in %.1f s", lap (&since_us));
  clean = vidgen_span_map (vidgen_memory_span (readback));
  for (guint i = 0; i < TOKENS * VIDGEN_WAN_VALUES; i++)
    g_assert_true (isfinite (clean[i]));
  g_test_message ("%" G_GUINT64_FORMAT " bytes resident", resident_bytes ());
  g_assert_cmpuint (resident_bytes (), <, MAX_RESIDENT_BYTES);
  vidgen_wan_transformer_clear (&transformer);
  vidgen_wan_weights_clear (&weights);
}

static void
test_full (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenCheckpoint) checkpoint = NULL;
  g_autoptr (VidgenNames) names = NULL;
  g_autofree char *path = NULL;

  if (!device)
    return;
  path = g_strdup_printf (
      "%s/vidgen-full-%u.safetensors", g_get_tmp_dir (), g_random_int ());
  write_file (path, add_all);
  checkpoint = vidgen_checkpoint_open (path, &error);
  g_assert_no_error (error);
  g_remove (path);
  names = vidgen_wan_names_new (checkpoint, NULL, &error);
  g_assert_no_error (error);
  run (device, names);
}

static int
write_folder (const char *folder, const char *preset)
{
  g_autofree char *transformer =
      g_build_filename (folder, "transformer.safetensors", NULL);
  g_autofree char *decoder =
      g_build_filename (folder, "taew2_1.safetensors", NULL);
  g_autofree char *side = g_build_filename (folder, "vidgen.ini", NULL);
  g_autofree char *text = g_strdup_printf ("[wan]\npreset = %s\n", preset);

  g_mkdir_with_parents (folder, 0777);
  write_file (transformer, add_all);
  write_file (decoder, add_decoder);
  return g_file_set_contents (side, text, -1, NULL) ? 0 : 1;
}

int
main (int argc, char **argv)
{
  if (argc == 4 && g_str_equal (argv[1], "--write"))
    return write_folder (argv[2], argv[3]);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wan-full", test_full);
  return g_test_run ();
}
