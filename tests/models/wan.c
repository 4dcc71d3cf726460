/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* The transformer of `wan` against the published code on random weights, block
 * by block; tests/models/goldens/make_wan.py describes the tensors. */

#include <math.h>
#include <string.h>

#include "models/checkpoint/safetensors.h"
#include "models/wan/names.h"
#include "models/wan/sampler.h"
#include "shaders/noise.h"
#include "shaders/runtime/device-private.h"
#include "tests/models/fixture.h"

#define SEED 0x1234567891
#define COLUMNS 5
#define ROWS 3
#define TEXT_ROWS 12
#define SHIFT 5.0
#define TOLERANCE 1e-3
#define HALF_TOLERANCE 1e-2 /* where weights are halves */
#define PREFIX "generator_ema.model._fsdp_wrapped_module."
#define MAX_SWITCHES 2

typedef struct {
  const char *name; /* of the golden */
  guint chunk, window, sink;
  guint piece; /* 0: the chunk */
  gboolean relative;
  VidgenType cache;
  guint first_steps, steps, chunks;
  guint switches[MAX_SWITCHES]; /* chunks at which prompt 1, 2 begin; 0: none */
} Scenario;

typedef struct {
  const Scenario *scenario;
  VidgenTensorType type; /* that the weights are turned into */
  VidgenDevice *device;
  VidgenSafetensors *goldens;
  VidgenWanConfig config;
  VidgenWanWeights weights;
  GPtrArray *memories;
  VidgenWanShape shape;
  VidgenPlan *plan;
  VidgenWanTransformer transformer;
  VidgenWanLatents latents;
  VidgenSpan history; /* clean latents of all frames */
  VidgenWanContext context;
  VidgenRecorder *recorder;
  VidgenTap tap;
  GHashTable *taken; /* name to VidgenMemory */
  guint compared;
} Rig;

static void
take (VidgenRecorder *recorder, const char *name, VidgenSpan span,
    gpointer user_data)
{
  Rig *rig = user_data;
  g_autoptr (GError) error = NULL;
  VidgenMemory *copy = vidgen_memory_new (
      rig->device, span.size, VIDGEN_MEMORY_READBACK, &error);

  g_assert_no_error (error);
  vidgen_recorder_copy (recorder, vidgen_memory_span (copy), span);
  g_hash_table_insert (rig->taken, g_strdup (name), copy);
}

static guint16
to_half (float value, VidgenTensorType type)
{
  guint32 word;

  if (type == VIDGEN_TENSOR_F16)
    return vidgen_half_from_float (value);
  memcpy (&word, &value, sizeof word);
  return (guint16)((word + 0x7fff + (word >> 16 & 1)) >> 16);
}

/* The checkpoint as one of `type`, under the names that training leaves. */
static VidgenCheckpoint *
turn_into (VidgenCheckpoint *checkpoint, VidgenTensorType type)
{
  g_autoptr (GString) header = g_string_new (NULL);
  g_autoptr (GByteArray) data = g_byte_array_new ();
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  VidgenCheckpoint *turned;
  guint64 length;

  for (guint i = 0; i < vidgen_checkpoint_n_tensors (checkpoint); i++) {
    const VidgenTensor *tensor = vidgen_checkpoint_tensor (checkpoint, i);
    const guint64 count = vidgen_tensor_count (tensor);
    g_autofree float *values = g_new (float, count);

    g_string_append_printf (header, "%s\"" PREFIX "%s\":{\"dtype\":\"%s\",",
        i ? "," : "{", tensor->name, vidgen_tensor_type_name (type));
    g_string_append (header, "\"shape\":[");
    for (guint j = 0; j < tensor->n_dims; j++)
      g_string_append_printf (
          header, "%s%" G_GUINT64_FORMAT, j ? "," : "", tensor->shape[j]);
    g_string_append_printf (header, "],\"data_offsets\":[%u,", data->len);
    vidgen_tensor_read_f32 (tensor, 0, count, values);
    for (guint64 j = 0; j < count; j++) {
      const guint16 half = to_half (values[j], type);

      g_byte_array_append (data, (const guint8 *)&half, sizeof half);
    }
    g_string_append_printf (header, "%u]}", data->len);
  }
  g_string_append_c (header, '}');
  length = header->len;
  g_byte_array_append (file, (const guint8 *)&length, sizeof length);
  g_byte_array_append (file, (const guint8 *)header->str, header->len);
  g_byte_array_append (file, data->data, data->len);
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&file));
  turned = vidgen_checkpoint_new (bytes, "turned", &error);
  g_assert_no_error (error);
  return turned;
}

static void
load_weights (Rig *rig, const char *path, const char *json)
{
  g_autofree char *full = fixture_path (path);
  g_autofree char *config = fixture_path (json);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenCheckpoint) checkpoint =
      vidgen_checkpoint_open (full, &error);
  g_autoptr (VidgenNames) names = NULL;
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();

  g_assert_no_error (error);
  if (rig->type != VIDGEN_TENSOR_F32) {
    VidgenCheckpoint *turned = turn_into (checkpoint, rig->type);

    vidgen_checkpoint_unref (checkpoint);
    checkpoint = turned;
    g_assert_cmpstr (
        vidgen_wan_names_part (checkpoint, NULL), ==, "generator_ema");
  }
  names = vidgen_wan_names_new (checkpoint,
      rig->type == VIDGEN_TENSOR_F32 ? NULL : "generator_ema", &error);
  g_assert_no_error (error);
  vidgen_wan_config_read (&rig->config, names, config, &error);
  g_assert_no_error (error);
  rig->config.text_rows = TEXT_ROWS;
  vidgen_wan_weights_list (
      &rig->weights, &rig->config, names, NULL, upload, &error);
  g_assert_no_error (error);
  rig->memories =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
  vidgen_upload_run (
      upload, rig->device, rig->memories, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
}

static guint64
frame_values (void)
{
  return COLUMNS * ROWS * VIDGEN_WAN_VALUES;
}

static void
init (Rig *rig, VidgenDevice *device, const Scenario *scenario,
    VidgenTensorType type, const char *weights, const char *json)
{
  g_autofree char *golden = g_strdup_printf (
      "tests/models/goldens/wan/%s.safetensors", scenario->name);
  g_autofree char *path = fixture_path (golden);
  g_autoptr (GError) error = NULL;

  *rig = (Rig){ .scenario = scenario,
    .type = type,
    .device = device,
    .shape = { .columns = COLUMNS,
        .rows = ROWS,
        .chunk = scenario->chunk,
        .piece = scenario->piece ? scenario->piece : scenario->chunk,
        .window = scenario->window,
        .prompts = 2,
        .type = scenario->cache,
        .keeps = scenario->chunks > 1,
        .max_frames = scenario->window },
    .context = { .window = scenario->window,
        .sink = scenario->sink,
        .relative = scenario->relative } };
  rig->tap = (VidgenTap){ take, rig };
  rig->goldens = vidgen_safetensors_open (path, &error);
  g_assert_no_error (error);
  rig->taken = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify)vidgen_memory_unref);
  load_weights (rig, weights, json);
  rig->plan = vidgen_plan_new ();
  vidgen_wan_transformer_plan (
      &rig->transformer, &rig->config, &rig->shape, rig->plan, 0, 0);
  vidgen_wan_latents_plan (&rig->latents, &rig->shape, TRUE, rig->plan, 0, 0);
  vidgen_plan_keep (rig->plan, &rig->history,
      scenario->chunks * scenario->chunk * frame_values ());
  vidgen_plan_allocate (rig->plan, device, &error);
  g_assert_no_error (error);
  rig->transformer.weights = &rig->weights;
  rig->transformer.tap = &rig->tap;
  vidgen_wan_transformer_allocate (&rig->transformer, device, &error);
  g_assert_no_error (error);
  rig->recorder = vidgen_recorder_new (device, VIDGEN_RECORDER_RUN, &error);
  g_assert_no_error (error);
}

static void
clear (Rig *rig)
{
  vidgen_recorder_free (rig->recorder);
  vidgen_wan_transformer_clear (&rig->transformer);
  vidgen_plan_free (rig->plan);
  vidgen_wan_weights_clear (&rig->weights);
  g_ptr_array_unref (rig->memories);
  g_hash_table_unref (rig->taken);
  vidgen_safetensors_unref (rig->goldens);
}

static void
finish (Rig *rig)
{
  g_autoptr (GError) error = NULL;

  vidgen_recorder_finish (rig->recorder, NULL, &error);
  g_assert_no_error (error);
}

static void
set_prompt (Rig *rig, guint golden, guint prompt)
{
  g_autofree char *name = g_strdup_printf ("prompt%u", golden);
  const VidgenTensor *tensor = vidgen_safetensors_find (rig->goldens, name);

  vidgen_wan_transformer_set_prompt (&rig->transformer, rig->recorder, prompt,
      (const float *)tensor->data, (guint)tensor->shape[0]);
  finish (rig);
}

/* Compares what was taken with the golden's tensors of a chunk. Of a context
 * that is made anew the published code works on frames that the sink replaces:
 * those are the first, and are not made here. */
static void
check (Rig *rig, const char *prefix)
{
  const double tolerance =
      rig->type == VIDGEN_TENSOR_F32 ? TOLERANCE : HALF_TOLERANCE;

  for (guint i = 0; i < vidgen_safetensors_n_tensors (rig->goldens); i++) {
    const VidgenTensor *tensor = vidgen_safetensors_tensor (rig->goldens, i);
    const char *name = tensor->name + strlen (prefix);
    const float *should = (const float *)tensor->data;
    gsize count = vidgen_tensor_count (tensor);
    VidgenMemory *is;
    double distance;

    if (!g_str_has_prefix (tensor->name, prefix))
      continue;
    is = g_hash_table_lookup (rig->taken, name);
    if (!is) {
      /* What follows the last keys and values feeds nothing. */
      g_assert_true (g_str_has_suffix (name, "context.v") ||
                     g_str_has_suffix (name, "context.block1") ||
                     g_str_has_suffix (name, "recache.v") ||
                     g_str_has_suffix (name, "recache.block1"));
      continue;
    }
    g_assert_cmpuint (vidgen_memory_size (is), <=, 4 * count);
    should += count - vidgen_memory_size (is) / 4;
    count = vidgen_memory_size (is) / 4;
    distance = fixture_distance (
        vidgen_span_map (vidgen_memory_span (is)), should, count);
    g_test_message ("%s: %g", tensor->name, distance);
    if (!(distance <= tolerance))
      g_error (
          "%s: %s is off by %g", rig->scenario->name, tensor->name, distance);
    rig->compared++;
  }
  g_hash_table_remove_all (rig->taken);
}

static void
check_schedule (Rig *rig, const VidgenWanSchedule *schedule)
{
  g_autofree char *name = g_strdup_printf ("schedule%u", schedule->n_steps);
  const VidgenTensor *tensor = vidgen_safetensors_find (rig->goldens, name);

  g_assert_cmpuint (vidgen_tensor_count (tensor), ==, schedule->n_steps);
  for (guint i = 0; i < schedule->n_steps; i++)
    g_assert_cmpfloat_with_epsilon (
        ((const float *)tensor->data)[i], 1000 * schedule->sigmas[i], 1e-3);
}

static void
recache (Rig *rig)
{
  VidgenWanView view;
  const guint64 first =
      vidgen_wan_context_again (&rig->context, rig->shape.chunk, &view);
  VidgenWanSchedule none = { 0 };
  const VidgenWanPass pass = { .view = &view,
    .x = vidgen_floats (
        rig->history, first * frame_values (), view.n_frames * frame_values ()),
    .name = "recache" };

  vidgen_wan_schedule_set (&none, 0, &rig->transformer, rig->recorder);
  vidgen_wan_transformer_record (&rig->transformer, rig->recorder, &pass);
  finish (rig);
}

static void
make_chunk (Rig *rig, guint chunk)
{
  const Scenario *scenario = rig->scenario;
  const guint64 values = scenario->chunk * frame_values ();
  VidgenWanSchedule schedule;
  VidgenWanView view;
  const VidgenWanSample sample = { .seed = SEED,
    .chunk = chunk,
    .schedule = &schedule,
    .view = &view,
    .tap = &rig->tap };

  vidgen_wan_schedule_init (
      &schedule, chunk ? scenario->steps : scenario->first_steps, SHIFT);
  check_schedule (rig, &schedule);
  vidgen_wan_context_next (
      &rig->context, scenario->chunk, scenario->chunk, &view);
  vidgen_wan_schedule_set (&schedule, 0, &rig->transformer, rig->recorder);
  vidgen_wan_sample_chunk (
      &rig->transformer, rig->recorder, &rig->latents, &sample);
  vidgen_recorder_copy (rig->recorder,
      vidgen_floats (rig->history, chunk * values, values), rig->latents.clean);
  finish (rig);
  vidgen_wan_context_advance (&rig->context, scenario->chunk);
}

static const Scenario chunks = {
  .name = "chunks",
  .chunk = 3,
  .window = 7,
  .sink = 1,
  .first_steps = 2,
  .steps = 2,
  .chunks = 4,
};

static const Scenario frames = {
  .name = "frames",
  .chunk = 1,
  .window = 4,
  .sink = 1,
  .relative = TRUE,
  .first_steps = 4,
  .steps = 1,
  .chunks = 8,
  .switches = { 2, 6 },
};

static const Scenario switched = {
  .name = "switch",
  .chunk = 3,
  .window = 6,
  .sink = 3,
  .first_steps = 1,
  .steps = 1,
  .chunks = 5,
  .switches = { 3 },
};

/* With the cache in halves. */
static Scenario
halved (Scenario scenario)
{
  scenario.cache = VIDGEN_F16;
  return scenario;
}

static void
run_scenario (VidgenDevice *device, const Scenario *scenario,
    VidgenTensorType type, guint compared)
{
  Rig rig;

  init (&rig, device, scenario, type,
      "tests/models/goldens/wan/weights.safetensors",
      "tests/models/goldens/wan/config.json");
  set_prompt (&rig, 0, 0);
  for (guint chunk = 0; chunk < scenario->chunks; chunk++) {
    g_autofree char *prefix = g_strdup_printf ("chunk%u.", chunk);

    for (guint i = 0; i < MAX_SWITCHES; i++) {
      if (chunk && scenario->switches[i] == chunk) {
        set_prompt (&rig, i + 1, 0);
        recache (&rig);
      }
    }
    make_chunk (&rig, chunk);
    check (&rig, prefix);
  }
  g_assert_cmpuint (rig.compared, ==, compared);
  clear (&rig);
}

/* Chunk after chunk over the cache is one pass under a block-causal mask. */
static void
run_causal (VidgenDevice *device)
{
  static const Scenario causal = {
    .name = "causal", .chunk = 3, .window = 12, .chunks = 4
  };
  const guint64 values = causal.chunk * frame_values ();
  const double time = 500;
  const VidgenTensor *should;
  g_autofree float *noise = g_new (float, causal.chunks *values);
  g_autofree float *is = g_new (float, causal.chunks *values);
  g_autoptr (VidgenMemory) memory = NULL;
  g_autoptr (GError) error = NULL;
  Rig rig;

  init (&rig, device, &causal, VIDGEN_TENSOR_F32,
      "tests/models/goldens/wan/weights.safetensors",
      "tests/models/goldens/wan/config.json");
  should = vidgen_safetensors_find (rig.goldens, "all.v");
  set_prompt (&rig, 0, 0);
  vidgen_wan_transformer_set_times (&rig.transformer, rig.recorder, &time, 1);
  finish (&rig);
  memory = vidgen_memory_new (
      device, 4 * causal.chunks * values, VIDGEN_MEMORY_UPLOAD, &error);
  g_assert_no_error (error);
  vidgen_noise_fill (SEED, 0, 0, 0, (guint)(causal.chunks * values), noise);
  memcpy (vidgen_span_map (vidgen_memory_span (memory)), noise,
      4 * causal.chunks * values);
  for (guint chunk = 0; chunk < causal.chunks; chunk++) {
    VidgenWanView view;
    const VidgenWanPass pass = {
      .view = &view, .x = rig.latents.x, .v = rig.latents.v, .name = "all"
    };

    vidgen_wan_context_next (&rig.context, causal.chunk, causal.chunk, &view);
    vidgen_recorder_copy (rig.recorder, rig.latents.x,
        vidgen_floats (vidgen_memory_span (memory), chunk * values, values));
    vidgen_wan_transformer_record (&rig.transformer, rig.recorder, &pass);
    finish (&rig);
    vidgen_wan_context_advance (&rig.context, causal.chunk);
    memcpy (is + chunk * values,
        vidgen_span_map (
            vidgen_memory_span (g_hash_table_lookup (rig.taken, "all.v"))),
        4 * values);
  }
  g_assert_cmpfloat (fixture_distance (is, (const float *)should->data,
                         causal.chunks * values),
      <=, TOLERANCE);
  clear (&rig);
}

/* All frames at once, guided, from a checkpoint of diffusers; in pieces whose
 * number of frames is no divisor. */
static void
run_clip (VidgenDevice *device)
{
  static const Scenario clip = {
    .name = "clip", .chunk = 5, .piece = 2, .window = 5, .chunks = 1
  };
  VidgenWanSchedule schedule;
  VidgenWanView view;
  const VidgenTensor *times;
  Rig rig;
  const VidgenWanSample sample = { .seed = SEED,
    .schedule = &schedule,
    .view = &view,
    .guidance = 4,
    .tap = &rig.tap };

  init (&rig, device, &clip, VIDGEN_TENSOR_F32,
      "tests/models/goldens/wan/clip-weights.safetensors",
      "tests/models/goldens/wan/clip.json");
  set_prompt (&rig, 0, 0);
  set_prompt (&rig, 1, 1);
  vidgen_wan_schedule_init_clip (&schedule, 4, 3);
  times = vidgen_safetensors_find (rig.goldens, "schedule4");
  for (guint i = 0; i < schedule.n_steps; i++)
    g_assert_cmpfloat (
        ((const float *)times->data)[i], ==, floor (1000 * schedule.sigmas[i]));
  vidgen_wan_context_next (&rig.context, clip.chunk, clip.piece, &view);
  g_assert_cmpuint (view.n_runs, ==, 3);
  vidgen_wan_schedule_set (&schedule, 0, &rig.transformer, rig.recorder);
  vidgen_wan_sample_clip (
      &rig.transformer, rig.recorder, &rig.latents, &sample);
  finish (&rig);
  check (&rig, "chunk0.");
  g_assert_cmpuint (rig.compared, ==, 28);
  clear (&rig);
}

static void
run (VidgenDevice *device)
{
  const Scenario half_chunks = halved (chunks), half_frames = halved (frames);

  run_clip (device);
  run_causal (device);
  run_scenario (device, &chunks, VIDGEN_TENSOR_F32, 32);
  run_scenario (device, &chunks, VIDGEN_TENSOR_F16, 32);
  run_scenario (device, &chunks, VIDGEN_TENSOR_BF16, 32);
  run_scenario (device, &half_chunks, VIDGEN_TENSOR_F32, 32);
  run_scenario (device, &half_chunks, VIDGEN_TENSOR_BF16, 32);
  run_scenario (device, &frames, VIDGEN_TENSOR_F32, 51);
  run_scenario (device, &half_frames, VIDGEN_TENSOR_F32, 51);
  run_scenario (device, &switched, VIDGEN_TENSOR_F32, 16);
}

/* What is stored as halves is within what they hold. */
static void
test_host (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  const guint n_clamped = vidgen_half_n_clamped ();

  run (device);
  g_assert_cmpuint (vidgen_half_n_clamped (), ==, n_clamped);
}

static void
test_vulkan (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();

  if (device)
    run (device);
}

/* In the shapes that kernels choose for GPUs. */
static void
test_as_gpu (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_vulkan ();

  if (!device)
    return;
  device->caps.type = VIDGEN_DEVICE_DISCRETE;
  run (device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wan/host", test_host);
  g_test_add_func ("/wan/vulkan", test_vulkan);
  g_test_add_func ("/wan/as-gpu", test_as_gpu);
  return g_test_run ();
}
