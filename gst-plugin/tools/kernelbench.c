/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <math.h>
#include <time.h>

#include <json-glib/json-glib.h>

#include "gst-plugin/tools/kernelcases.h"
#include "gst-plugin/tools/verbs.h"
#include "shaders/ceiling.h"

#define DEFAULT_LIMIT_SECONDS 2
#define PROBE_SECONDS 0.02
#define LEAST_SECONDS 0.3
#define MAX_RUNS 50
#define COPY_BYTES (256u << 20)
#define FIRST_OPERATIONS 2e8
#define FIRST_BYTES 1e7

typedef struct {
  char *device;
  char *compare;
  char *only;
  gboolean json, full, cpu_time;
  double limit_seconds;
} Options;

typedef struct {
  VidgenDevice *device;
  gboolean cpu_time; /* processor time over processors, not device time */
} Bench;

/* What the device does at most, a second. */
typedef struct {
  double plain, subgroup, group; /* operations; 0: the device has none */
  double copied;                 /* bytes read and written */
} Ceilings;

typedef struct {
  VidgenKernelCase one; /* as it was run */
  gboolean cut;
  double seconds;
  const char *path;
} Row;

typedef void (*Launch) (gpointer data, VidgenRecorder *recorder);

static double
cpu_seconds (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return ((double)now.tv_sec + (double)now.tv_nsec / 1e9) /
         g_get_num_processors ();
}

static double
device_seconds (VidgenRecorder *recorder)
{
  guint n_times;
  const VidgenStageTime *times = vidgen_recorder_times (recorder, &n_times);
  double seconds = 0;

  for (guint i = 0; i < n_times; i++)
    seconds += (double)times[i].time_ns / 1e9;
  return seconds;
}

static gboolean
time_once (const Bench *bench, Launch launch, gpointer data, guint launches,
    double *seconds, GError **error)
{
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (bench->device, VIDGEN_RECORDER_RUN, error);
  const double start = cpu_seconds ();

  if (!recorder)
    return FALSE;
  for (guint i = 0; i < launches; i++)
    launch (data, recorder);
  if (!vidgen_recorder_finish (recorder, NULL, error))
    return FALSE;
  *seconds =
      bench->cpu_time ? cpu_seconds () - start : device_seconds (recorder);
  *seconds = MAX (*seconds / launches, 1e-9);
  return TRUE;
}

/* The least time of a launch, of one run or as many as fill LEAST_SECONDS, each
 * of `launches`: what else the machine does only adds to it. */
static gboolean
time_least (const Bench *bench, Launch launch, gpointer data, guint launches,
    double *seconds, GError **error)
{
  double total = 0;

  *seconds = INFINITY;
  for (guint i = 0; i < MAX_RUNS && total < LEAST_SECONDS; i++) {
    double one;

    if (!time_once (bench, launch, data, launches, &one, error))
      return FALSE;
    total += one * launches;
    *seconds = MIN (*seconds, one);
  }
  return TRUE;
}

static void
launch_case (gpointer data, VidgenRecorder *recorder)
{
  vidgen_kernel_run_launch (data, recorder);
}

/* Compiles, then times one launch. */
static gboolean
probe_case (const Bench *bench, const VidgenKernelCase *one, double *seconds,
    GError **error)
{
  g_autoptr (VidgenKernelRun) run =
      vidgen_kernel_run_new (bench->device, one, error);

  return run && time_once (bench, launch_case, run, 1, seconds, error) &&
         time_once (bench, launch_case, run, 1, seconds, error);
}

static double
work_of (const VidgenKernelCase *one)
{
  return MAX (vidgen_kernel_case_operations (one) / FIRST_OPERATIONS,
      vidgen_kernel_case_bytes (one) / FIRST_BYTES);
}

static gboolean
cut_to (VidgenKernelCase *one, double work)
{
  gboolean cut = FALSE;

  while (work_of (one) > work && vidgen_kernel_case_halve (one))
    cut = TRUE;
  return cut;
}

/* Grows the work until a launch is long enough to tell how long the whole one
 * would take. */
static gboolean
estimate (const Bench *bench, const VidgenKernelCase *whole, double *seconds,
    GError **error)
{
  for (double work = 1;; work *= 16) {
    VidgenKernelCase one = *whole;
    const gboolean cut = cut_to (&one, work);

    if (!probe_case (bench, &one, seconds, error))
      return FALSE;
    if (!cut || *seconds >= PROBE_SECONDS) {
      *seconds *= work_of (whole) / work_of (&one);
      return TRUE;
    }
  }
}

static gboolean
measure_case (const Bench *bench, const VidgenKernelCase *whole,
    double limit_seconds, Row *row, GError **error)
{
  g_autoptr (VidgenKernelRun) run = NULL;
  double seconds;
  guint launches;

  if (!estimate (bench, whole, &seconds, error))
    return FALSE;
  row->one = *whole;
  row->cut =
      cut_to (&row->one, work_of (whole) * MIN (1, limit_seconds / seconds));
  seconds *= work_of (&row->one) / work_of (whole);
  launches = (guint)CLAMP (PROBE_SECONDS / seconds, 1, 1000);
  run = vidgen_kernel_run_new (bench->device, &row->one, error);
  row->path =
      vidgen_kernel_case_path (&row->one, vidgen_device_caps (bench->device));
  return run && time_once (bench, launch_case, run, 1, &seconds, error) &&
         time_least (bench, launch_case, run, launches, &row->seconds, error);
}

static void
launch_ceiling (gpointer data, VidgenRecorder *recorder)
{
  vidgen_ceiling (recorder, data);
}

static gboolean
measure_ceiling (
    const Bench *bench, VidgenMatrixShape matrix, double *rate, GError **error)
{
  const VidgenDeviceCaps *caps = vidgen_device_caps (bench->device);
  const gboolean cpu = caps->type == VIDGEN_DEVICE_CPU;
  VidgenCeiling ceiling = {
    .groups = cpu ? 64 : 2048,
    .turns = 512,
    .scale = 0.5f,
    .shift = 1.0f,
    .matrix = matrix,
    .lanes = caps->max_subgroup_size * (cpu ? 1 : 4),
  };
  g_autoptr (VidgenMemory) out = vidgen_memory_new (bench->device,
      4 * vidgen_ceiling_values (&ceiling), VIDGEN_MEMORY_DEVICE, error);
  double seconds;

  if (!out)
    return FALSE;
  ceiling.out = vidgen_memory_span (out);
  if (!time_once (bench, launch_ceiling, &ceiling, 1, &seconds, error) ||
      !time_least (bench, launch_ceiling, &ceiling,
          (guint)CLAMP (PROBE_SECONDS / seconds, 1, 100), &seconds, error))
    return FALSE;
  *rate = vidgen_ceiling_operations (&ceiling) / seconds;
  return TRUE;
}

static void
launch_copy (gpointer data, VidgenRecorder *recorder)
{
  VidgenSpan whole = vidgen_memory_span (data);

  vidgen_recorder_copy (recorder,
      vidgen_span_cut (whole, COPY_BYTES / 2, COPY_BYTES / 2),
      vidgen_span_cut (whole, 0, COPY_BYTES / 2));
}

static gboolean
measure_copy (const Bench *bench, double *rate, GError **error)
{
  g_autoptr (VidgenMemory) memory = vidgen_memory_new (
      bench->device, COPY_BYTES, VIDGEN_MEMORY_DEVICE, error);
  double seconds;

  if (!memory || !time_once (bench, launch_copy, memory, 1, &seconds, error) ||
      !time_least (bench, launch_copy, memory, 1, &seconds, error))
    return FALSE;
  *rate = COPY_BYTES / seconds;
  return TRUE;
}

static gboolean
measure_ceilings (const Bench *bench, Ceilings *ceilings, GError **error)
{
  const VidgenDeviceCaps *caps = vidgen_device_caps (bench->device);

  return measure_ceiling (
             bench, (VidgenMatrixShape){ 0 }, &ceilings->plain, error) &&
         (!caps->matrix.m || measure_ceiling (bench, caps->matrix,
                                 &ceilings->subgroup, error)) &&
         (!caps->group_matrix.m || measure_ceiling (bench, caps->group_matrix,
                                       &ceilings->group, error)) &&
         measure_copy (bench, &ceilings->copied, error);
}

/* How long the device would need at its ceilings, against how long it did, and
 * which of the two it would be waiting for. */
static double
fraction (const Row *row, const Ceilings *ceilings, const char **bound)
{
  const double rate = g_str_equal (row->path, "group")      ? ceilings->group
                      : g_str_equal (row->path, "subgroup") ? ceilings->subgroup
                                                            : ceilings->plain;
  const double operations = vidgen_kernel_case_operations (&row->one) / rate;
  const double bytes = vidgen_kernel_case_bytes (&row->one) / ceilings->copied;

  *bound = operations > bytes ? "products" : "memory";
  return MAX (operations, bytes) / row->seconds;
}

static double
gflops (const Row *row)
{
  return vidgen_kernel_case_operations (&row->one) / row->seconds / 1e9;
}

static double
gbytes (const Row *row)
{
  return vidgen_kernel_case_bytes (&row->one) / row->seconds / 1e9;
}

/* What row `key` of another run took; 0: it has none. */
static double
other_seconds (JsonObject *other, const char *key)
{
  JsonArray *rows = other ? json_object_get_array_member (other, "rows") : NULL;

  for (guint i = 0; rows && i < json_array_get_length (rows); i++) {
    JsonObject *row = json_array_get_object_element (rows, i);

    if (g_str_equal (
            json_object_get_string_member_with_default (row, "key", ""), key))
      return json_object_get_double_member_with_default (row, "ms", 0) / 1e3;
  }
  return 0;
}

static char *
row_key (const Row *row)
{
  g_autofree char *shape = vidgen_kernel_case_shape (&row->one);

  return g_strdup_printf (
      "%s %s", vidgen_kernel_case_kernel (&row->one), shape);
}

static void
print_row (const Row *row, const Ceilings *ceilings, JsonObject *other)
{
  g_autofree char *shape = vidgen_kernel_case_shape (&row->one);
  g_autofree char *key = row_key (row);
  const char *bound;
  const double part = fraction (row, ceilings, &bound);
  const double before = other_seconds (other, key);

  g_print ("%-9s %-16s %-9s %-25s %-4s %-8s %9.3f %8.1f %7.1f %5.0f %% %-8s",
      row->one.model, row->one.name, vidgen_kernel_case_kernel (&row->one),
      shape, row->cut ? "cut" : "", row->path, row->seconds * 1e3, gflops (row),
      gbytes (row), part * 100, bound);
  if (before > 0)
    g_print (" %5.2f x", before / row->seconds);
  g_print ("\n");
}

static void
print_head (const VidgenDeviceCaps *caps, const Ceilings *ceilings)
{
  g_print ("device    %s\ndriver    %s\nceilings  %.1f GFLOP/s plain",
      caps->name, caps->driver, ceilings->plain / 1e9);
  if (ceilings->subgroup > 0)
    g_print (", %.1f GFLOP/s on matrices of a subgroup (%ux%ux%u)",
        ceilings->subgroup / 1e9, caps->matrix.m, caps->matrix.n,
        caps->matrix.k);
  if (ceilings->group > 0)
    g_print (", %.1f GFLOP/s on matrices of a group", ceilings->group / 1e9);
  g_print (", %.1f GB/s\n\n%-9s %-16s %-9s %-25s %-4s %-8s %9s %8s %7s %7s\n",
      ceilings->copied / 1e9, "model", "what", "kernel", "shape", "", "path",
      "ms", "GFLOP/s", "GB/s", "ceiling");
}

static void
set_double (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

static void
set_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_row (JsonBuilder *builder, const Row *row, const Ceilings *ceilings)
{
  g_autofree char *key = row_key (row);
  const char *bound;
  const double part = fraction (row, ceilings, &bound);

  json_builder_begin_object (builder);
  set_string (builder, "key", key);
  set_string (builder, "model", row->one.model);
  set_string (builder, "what", row->one.name);
  set_string (builder, "path", row->path);
  json_builder_set_member_name (builder, "cut");
  json_builder_add_boolean_value (builder, row->cut);
  set_double (builder, "ms", row->seconds * 1e3);
  set_double (builder, "gflops", gflops (row));
  set_double (builder, "gbytes", gbytes (row));
  set_double (builder, "ceiling", part);
  set_string (builder, "bound", bound);
  json_builder_end_object (builder);
}

static void
begin_json (JsonBuilder *builder, const VidgenDeviceCaps *caps,
    const Ceilings *ceilings)
{
  json_builder_begin_object (builder);
  set_string (builder, "device", caps->name);
  set_string (builder, "driver", caps->driver);
  set_double (builder, "plain_gflops", ceilings->plain / 1e9);
  set_double (builder, "subgroup_gflops", ceilings->subgroup / 1e9);
  set_double (builder, "group_gflops", ceilings->group / 1e9);
  set_double (builder, "copy_gbytes", ceilings->copied / 1e9);
  json_builder_set_member_name (builder, "rows");
  json_builder_begin_array (builder);
}

static void
end_json (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, TRUE);
  g_print ("%s\n", text);
}

static gboolean
is_wanted (const Options *options, const VidgenKernelCase *one)
{
  return !options->only || g_str_equal (options->only, one->model) ||
         g_str_equal (options->only, vidgen_kernel_case_kernel (one));
}

static gboolean
run_cases (const Bench *bench, const Options *options, JsonObject *other,
    GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  Ceilings ceilings = { 0 };
  guint n_cases;
  const VidgenKernelCase *cases = vidgen_kernel_cases (&n_cases);

  if (!measure_ceilings (bench, &ceilings, error))
    return FALSE;
  if (options->json)
    begin_json (builder, vidgen_device_caps (bench->device), &ceilings);
  else
    print_head (vidgen_device_caps (bench->device), &ceilings);
  for (guint i = 0; i < n_cases; i++) {
    Row row = { 0 };

    if (!is_wanted (options, &cases[i]))
      continue;
    if (!measure_case (bench, &cases[i],
            options->full ? INFINITY : options->limit_seconds, &row, error))
      return FALSE;
    if (options->json)
      add_row (builder, &row, &ceilings);
    else
      print_row (&row, &ceilings, other);
  }
  if (options->json)
    end_json (builder);
  return TRUE;
}

static JsonParser *
read_other (const char *path, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *root;

  if (!json_parser_load_from_file (parser, path, error))
    return NULL;
  root = json_parser_get_root (parser);
  if (!root || !JSON_NODE_HOLDS_OBJECT (root) ||
      !json_object_has_member (json_node_get_object (root), "rows")) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "%s was not written by bench kernels --json", path);
    return NULL;
  }
  return g_steal_pointer (&parser);
}

static gboolean
run (const Options *options, GError **error)
{
  g_autoptr (JsonParser) other = NULL;
  g_autoptr (VidgenDevice) device = NULL;
  Bench bench = { .cpu_time = options->cpu_time };

  if (options->compare) {
    other = read_other (options->compare, error);
    if (!other)
      return FALSE;
  }
  device = vidgen_device_open (options->device, error);
  bench.device = device;
  return device &&
         run_cases (&bench, options,
             other ? json_node_get_object (json_parser_get_root (other)) : NULL,
             error);
}

gboolean
vidgen_bench_kernels (GStrv arguments, GError **error)
{
  Options options = { .limit_seconds = DEFAULT_LIMIT_SECONDS };
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &options.json, "For machines", NULL },
    { "full", 0, 0, G_OPTION_ARG_NONE, &options.full,
        "Run whole what takes longer than the limit", NULL },
    { "limit", 0, 0, G_OPTION_ARG_DOUBLE, &options.limit_seconds,
        "Cut what takes longer (default: 2)", "SECONDS" },
    { "compare", 0, 0, G_OPTION_ARG_FILENAME, &options.compare,
        "Say how many times faster than in a run kept by --json", "FILE" },
    { "only", 0, 0, G_OPTION_ARG_STRING, &options.only,
        "Only the shapes of a model, or a kernel", "WORD" },
    { "cpu-time", 0, 0, G_OPTION_ARG_NONE, &options.cpu_time,
        "For CPU devices of busy machines: processor time, over processors",
        NULL },
    { "device", 'd', 0, G_OPTION_ARG_STRING, &options.device,
        "GPU by index, UUID or part of its name", "DEVICE" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_auto (GStrv) words = g_strdupv (arguments);
  gboolean done;

  g_option_context_set_summary (context,
      "Measures every kernel at the shapes of the models, against what the "
      "device does at most.");
  g_option_context_add_main_entries (context, entries, NULL);
  done = g_option_context_parse_strv (context, &words, error) &&
         run (&options, error);
  g_free (options.device);
  g_free (options.compare);
  g_free (options.only);
  return done;
}
