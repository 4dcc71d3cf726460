/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <json-glib/json-glib.h>

#include "gst-plugin/tools/scene.h"
#include "gst-plugin/tools/verbs.h"
#include "models/model.h"
#include "shaders/gemm.h"

#define DEFAULT_SECONDS 10
#define MATRIX_SECONDS 0.5
#define MATRIX_LAUNCHES 32

typedef struct {
  char *model;
  char *device;
  char *size; /* NULL: the model's native one */
  double seconds;
  gboolean json;
} Options;

typedef struct {
  guint m, n, k;
  VidgenType type;
  double gflops;
} Matrix;

typedef struct {
  VidgenFormat format;
  double load_seconds, text_seconds, chunk_seconds; /* of the first chunk */
  guint64 chunks, frames;                           /* after the first chunk */
  double seconds;                                   /* that they took */
  double content_seconds;                           /* that they last */
  VidgenStreamStats sums; /* of the stages of those chunks */
  Matrix matrices[4];
  guint64 peak_bytes;
} Results;

static double
seconds_since (gint64 start_us)
{
  return (g_get_monotonic_time () - start_us) / 1e6;
}

static gboolean
make_chunk (VidgenStream *stream, guint *frames, GError **error)
{
  const VidgenChunkRequest request = { TRUE, VIDGEN_PICTURE_I420, TRUE };
  g_autoptr (VidgenChunk) chunk =
      vidgen_stream_next (stream, &request, NULL, error);

  if (chunk)
    *frames = chunk->frames;
  return chunk != NULL;
}

/* The statistics of a stream are the newest chunk's. */
static void
add_stages (VidgenStreamStats *sums, const VidgenStream *stream)
{
  VidgenStreamStats stats;

  vidgen_stream_stats (stream, &stats);
  sums->n_stages = stats.n_stages;
  for (guint i = 0; i < stats.n_stages; i++) {
    sums->stages[i].name = stats.stages[i].name;
    sums->stages[i].time_ns += stats.stages[i].time_ns;
    sums->stages[i].operations += stats.stages[i].operations;
  }
}

static gboolean
measure_stream (VidgenModel *model, VidgenDevice *device, double seconds,
    Results *results, GError **error)
{
  const VidgenModelInfo *info = vidgen_model_info (model);
  const VidgenStreamParams params = { .format = results->format,
    .forward_only = TRUE };
  g_autoptr (VidgenConditioning) prompt = NULL;
  g_autoptr (VidgenStream) stream = NULL;
  g_autoptr (GError) no_text = NULL;
  gint64 start = g_get_monotonic_time ();
  guint frames;

  if (!vidgen_model_load (model, device, NULL, NULL, NULL, error))
    return FALSE;
  results->load_seconds = seconds_since (start);
  start = g_get_monotonic_time ();
  prompt = vidgen_model_encode (model, info->prompts[0], NULL, NULL, &no_text);
  if (g_error_matches (no_text, VIDGEN_ERROR, VIDGEN_ERROR_UNSUPPORTED)) {
    g_clear_error (&no_text);
    prompt = vidgen_model_encode (model, "", NULL, NULL, &no_text);
  }
  if (!prompt) {
    g_propagate_error (error, g_steal_pointer (&no_text));
    return FALSE;
  }
  results->text_seconds = seconds_since (start);
  start = g_get_monotonic_time ();
  stream = vidgen_stream_new (model, &params, error);
  if (!stream)
    return FALSE;
  vidgen_stream_set_conditioning (stream, prompt, 0);
  if (!make_chunk (stream, &frames, error))
    return FALSE;
  results->chunk_seconds = seconds_since (start);
  start = g_get_monotonic_time ();
  do {
    if (!make_chunk (stream, &frames, error))
      return FALSE;
    add_stages (&results->sums, stream);
    results->chunks++;
    results->frames += frames;
    results->seconds = seconds_since (start);
  } while (results->seconds < seconds);
  results->content_seconds =
      (double)results->frames * info->native.fps_d / info->native.fps_n;
  results->peak_bytes = vidgen_device_memory_peak (device);
  return TRUE;
}

static gboolean
run_matrix (VidgenRecorder *recorder, const VidgenGemm *gemm, guint launches,
    GError **error)
{
  for (guint i = 0; i < launches; i++)
    vidgen_gemm (recorder, gemm);
  return vidgen_recorder_finish (recorder, NULL, error);
}

static gboolean
measure_matrix (VidgenDevice *device, Matrix *matrix, GError **error)
{
  const gsize weight_bytes =
      (gsize)matrix->n * matrix->k * vidgen_type_bytes (matrix->type);
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, error);
  g_autoptr (VidgenMemory) a = vidgen_memory_new (
      device, 4 * matrix->m * matrix->k, VIDGEN_MEMORY_DEVICE, error);
  g_autoptr (VidgenMemory) weight =
      a ? vidgen_memory_new (device, weight_bytes, VIDGEN_MEMORY_DEVICE, error)
        : NULL;
  g_autoptr (VidgenMemory) out =
      weight ? vidgen_memory_new (device, 4 * matrix->m * matrix->n,
                   VIDGEN_MEMORY_DEVICE, error)
             : NULL;
  VidgenGemm gemm = { .m = matrix->m, .n = matrix->n, .k = matrix->k };
  guint launches = 0;
  gint64 start;

  if (!recorder || !out)
    return FALSE;
  gemm.a = vidgen_memory_span (a);
  gemm.a_stride = gemm.k;
  gemm.weight = vidgen_memory_span (weight);
  gemm.weight_type = matrix->type;
  gemm.out = vidgen_memory_span (out);
  gemm.out_stride = gemm.n;
  if (!run_matrix (recorder, &gemm, 1, error))
    return FALSE;
  start = g_get_monotonic_time ();
  do {
    if (!run_matrix (recorder, &gemm, MATRIX_LAUNCHES, error))
      return FALSE;
    launches += MATRIX_LAUNCHES;
  } while (seconds_since (start) < MATRIX_SECONDS);
  matrix->gflops = 2e-9 * launches * matrix->m * matrix->n * matrix->k /
                   seconds_since (start);
  return TRUE;
}

static gboolean
measure_matrices (VidgenDevice *device, Results *results, GError **error)
{
  static const guint shapes[][3] = { { 88, 768, 192 }, { 480, 2048, 512 } };

  for (guint i = 0; i < G_N_ELEMENTS (results->matrices); i++) {
    const guint *shape = shapes[i / 2];

    results->matrices[i] = (Matrix){ shape[0], shape[1], shape[2],
      i % 2 ? VIDGEN_F16 : VIDGEN_F32, 0 };
    if (!measure_matrix (device, &results->matrices[i], error))
      return FALSE;
  }
  return TRUE;
}

static double
stage_ms (const Results *results, guint i)
{
  return results->sums.stages[i].time_ns / 1e6 / results->chunks;
}

static double
stage_gflops (const Results *results, guint i)
{
  guint64 ns = results->sums.stages[i].time_ns;

  return ns ? results->sums.stages[i].operations / ns : 0;
}

static double
first_chunk_seconds (const Results *results)
{
  return results->load_seconds + results->text_seconds + results->chunk_seconds;
}

static void
print_text (const VidgenDeviceCaps *caps, const VidgenModelInfo *info,
    const Results *results)
{
  g_print ("device       %s\ndriver       %s\n", caps->name, caps->driver);
  g_print ("model        %s, %ux%u at %u/%u frames/s, %u Hz\n", info->name,
      results->format.width, results->format.height, results->format.fps_n,
      results->format.fps_d, info->sample_rate);
  g_print ("first chunk  %.3f s (load %.3f, text %.3f, chunk %.3f)\n",
      first_chunk_seconds (results), results->load_seconds,
      results->text_seconds, results->chunk_seconds);
  g_print ("speed        %.2f x real time, %.1f frames/s (%" G_GUINT64_FORMAT
           " chunks in %.1f s)\n",
      results->content_seconds / results->seconds,
      results->frames / results->seconds, results->chunks, results->seconds);
  g_print (
      "peak memory  %.1f MiB on the device\n", results->peak_bytes / 1048576.0);
  g_print (
      "\nstage            ms/chunk  GFLOP/s\n%-16s %8.2f  (once a prompt)\n",
      "text", results->text_seconds * 1e3);
  for (guint i = 0; i < results->sums.n_stages; i++)
    g_print ("%-16s %8.2f %8.1f\n", results->sums.stages[i].name,
        stage_ms (results, i), stage_gflops (results, i));
  g_print (
      "%-16s %8.2f\n", "whole chunk", results->seconds * 1e3 / results->chunks);
  g_print ("\nmatrix           weights  GFLOP/s\n");
  for (guint i = 0; i < G_N_ELEMENTS (results->matrices); i++) {
    const Matrix *matrix = &results->matrices[i];
    g_autofree char *shape =
        g_strdup_printf ("%ux%ux%u", matrix->m, matrix->n, matrix->k);

    g_print ("%-16s %7s %8.1f\n", shape,
        matrix->type == VIDGEN_F16 ? "f16" : "f32", matrix->gflops);
  }
}

static void
set_double (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

static void
set_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
set_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_stage (JsonBuilder *builder, const char *name, double ms, double gflops)
{
  json_builder_begin_object (builder);
  set_string (builder, "name", name);
  set_double (builder, "ms_per_chunk", ms);
  set_double (builder, "gflops", gflops);
  json_builder_end_object (builder);
}

static void
add_lists (JsonBuilder *builder, const Results *results)
{
  json_builder_set_member_name (builder, "stages");
  json_builder_begin_array (builder);
  for (guint i = 0; i < results->sums.n_stages; i++)
    add_stage (builder, results->sums.stages[i].name, stage_ms (results, i),
        stage_gflops (results, i));
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "matrices");
  json_builder_begin_array (builder);
  for (guint i = 0; i < G_N_ELEMENTS (results->matrices); i++) {
    const Matrix *matrix = &results->matrices[i];

    json_builder_begin_object (builder);
    set_int (builder, "m", matrix->m);
    set_int (builder, "n", matrix->n);
    set_int (builder, "k", matrix->k);
    set_string (builder, "weights", matrix->type == VIDGEN_F16 ? "f16" : "f32");
    set_double (builder, "gflops", matrix->gflops);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
print_json (const VidgenDeviceCaps *caps, const VidgenModelInfo *info,
    const Results *results)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  json_builder_begin_object (builder);
  set_string (builder, "device", caps->name);
  set_string (builder, "driver", caps->driver);
  set_string (builder, "model", info->name);
  set_int (builder, "width", results->format.width);
  set_int (builder, "height", results->format.height);
  set_double (builder, "time_to_first_chunk_s", first_chunk_seconds (results));
  set_double (builder, "load_s", results->load_seconds);
  set_double (builder, "text_s", results->text_seconds);
  set_double (builder, "first_chunk_s", results->chunk_seconds);
  set_int (builder, "chunks", results->chunks);
  set_double (builder, "chunk_ms", results->seconds * 1e3 / results->chunks);
  set_double (
      builder, "real_time_factor", results->content_seconds / results->seconds);
  set_double (builder, "frames_per_second", results->frames / results->seconds);
  set_int (builder, "peak_device_bytes", results->peak_bytes);
  add_lists (builder, results);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, TRUE);
  g_print ("%s\n", text);
}

static gboolean
choose_format (const Options *options, const VidgenModelInfo *info,
    VidgenFormat *format, GError **error)
{
  g_autofree char *sizes = NULL;

  *format = info->native;
  if (!options->size)
    return TRUE;
  if (!vidgen_scene_read_size (
          "--size", options->size, &format->width, &format->height, error))
    return FALSE;
  if (vidgen_model_makes_size (info, format->width, format->height))
    return TRUE;
  sizes = vidgen_model_tell_sizes (info);
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "--size takes what '%s' makes, %s, not '%s'", info->name, sizes,
      options->size);
  return FALSE;
}

static gboolean
measure (const Options *options, VidgenModel *model, Results *results,
    GError **error)
{
  g_autoptr (VidgenDevice) device = vidgen_device_open (options->device, error);

  if (!device)
    return FALSE;
  if (!options->json)
    g_printerr ("measuring for about %.0f s…\n", options->seconds + 4);
  if (!measure_stream (model, device, options->seconds, results, error) ||
      !measure_matrices (device, results, error))
    return FALSE;
  (options->json ? print_json : print_text) (
      vidgen_device_caps (device), vidgen_model_info (model), results);
  return TRUE;
}

static gboolean
run (const Options *options, GError **error)
{
  g_autoptr (VidgenModel) model =
      vidgen_model_open (options->model ? options->model : "mini", error);
  Results results = { 0 };

  return model &&
         choose_format (
             options, vidgen_model_info (model), &results.format, error) &&
         measure (options, model, &results, error);
}

gboolean
vidgen_bench (GStrv arguments, GError **error)
{
  Options options = { .seconds = DEFAULT_SECONDS };
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &options.json, "For machines", NULL },
    { "seconds", 's', 0, G_OPTION_ARG_DOUBLE, &options.seconds,
        "How long to generate (default: 10)", "N" },
    { "size", 0, 0, G_OPTION_ARG_STRING, &options.size,
        "One of the model's sizes (default: its native one)", "WxH" },
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &options.model,
        "Name of an embedded model, or a checkpoint (default: mini)", "MODEL" },
    { "device", 'd', 0, G_OPTION_ARG_STRING, &options.device,
        "GPU by index, UUID or part of its name", "DEVICE" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_auto (GStrv) words = g_strdupv (arguments);
  gboolean done;

  if (arguments[1] && g_str_equal (arguments[1], "kernels"))
    return vidgen_bench_kernels (arguments + 1, error);
  g_option_context_set_summary (context,
      "Measures how fast this machine generates. vidgen bench kernels measures "
      "the kernels.");
  g_option_context_add_main_entries (context, entries, NULL);
  done = g_option_context_parse_strv (context, &words, error) &&
         run (&options, error);
  g_free (options.model);
  g_free (options.device);
  g_free (options.size);
  return done;
}
