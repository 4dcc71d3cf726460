/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/umt5/encoder.h"

#include <string.h>

#include "models/linear.h"
#include "models/plan.h"
#include "models/upload.h"
#include "shaders/attention.h"
#include "shaders/multiply.h"
#include "shaders/norm.h"
#include "shaders/runtime/error.h"

/* A layer's weights on the device. */
typedef struct {
  VidgenLinear matrices[VIDGEN_UMT5_MATRICES];
  VidgenSpan attention_norm, inner_norm, bias;
  const VidgenUmt5Weights *weights; /* of which the bias is made */
  const VidgenTensor *bias_tensor;
  guint tokens;
} Layer;

/* A layer that stays, where there are memories. */
typedef struct {
  Layer layer;
  GPtrArray *memories;
  guint64 bytes;
} Kept;

struct _VidgenUmt5Encoder {
  const VidgenUmt5Weights *weights;
  VidgenDevice *device;
  guint tokens; /* at most */
  VidgenPlan *plan;
  VidgenMemory *rows, *readback;
  VidgenSpan x, normed, q, k, v, mixed, gate, up;
  Kept *kept; /* by layer */
  guint64 room_bytes, kept_bytes;
  gboolean crowded; /* no layer stays any more */
};

static guint64
states_bytes (const VidgenUmt5Weights *weights, guint tokens)
{
  return 4 * (guint64)tokens * weights->config.size;
}

static VidgenPlan *
plan_states (
    VidgenUmt5Encoder *encoder, const VidgenUmt5Config *config, guint64 tokens)
{
  VidgenPlan *plan = vidgen_plan_new ();
  const guint64 wide = (guint64)config->heads * config->head_size;

  vidgen_plan_keep (plan, &encoder->x, tokens * config->size);
  vidgen_plan_keep (plan, &encoder->normed, tokens * config->size);
  vidgen_plan_add (plan, &encoder->q, tokens * wide, 0, 0);
  vidgen_plan_add (plan, &encoder->k, tokens * wide, 0, 0);
  vidgen_plan_add (plan, &encoder->v, tokens * wide, 0, 0);
  vidgen_plan_add (plan, &encoder->mixed, tokens * wide, 0, 0);
  vidgen_plan_add (plan, &encoder->gate, tokens * config->inner, 1, 1);
  vidgen_plan_add (plan, &encoder->up, tokens * config->inner, 1, 1);
  return plan;
}

static guint
bias_stride (guint tokens)
{
  return 2 * tokens - 1;
}

/* [heads][2 tokens - 1]: what a key far - (tokens - 1) tokens after its query
 * adds to their score. */
static void
make_bias (gpointer data, void *out)
{
  const Layer *layer = data;
  const VidgenUmt5Config *config = &layer->weights->config;
  const gsize stride = bias_stride (layer->tokens);
  g_autofree float *values = g_new (float, config->buckets * config->heads);
  float *bias = out;

  vidgen_tensor_read_f32 (
      layer->bias_tensor, 0, (guint64)config->buckets * config->heads, values);
  for (gsize far = 0; far < stride; far++) {
    const gsize bucket =
        vidgen_umt5_bucket (config, (gint)far - (gint)layer->tokens + 1);

    for (gsize head = 0; head < config->heads; head++)
      bias[head * stride + far] = values[bucket * config->heads + head];
  }
}

static void
list_matrix (
    VidgenUpload *upload, const VidgenUmt5Weight *weight, VidgenLinear *linear)
{
  const VidgenUploadMatrix matrix = { .tensor = weight->weight,
    .type = weight->scale != 1 ? vidgen_upload_edited_type (weight->weight)
                               : vidgen_upload_type (weight->weight),
    .rows = weight->weight->shape[0],
    .columns = weight->weight->shape[1],
    .padded = weight->weight->shape[1],
    .scale = weight->scale };

  linear->in = (guint)matrix.columns;
  linear->out = (guint)matrix.rows;
  linear->type = matrix.type;
  vidgen_upload_matrix (upload, &linear->weight, &matrix);
}

/* Lists a layer for `upload`; the layer stays where it is until that has run.
 */
static VidgenUpload *
list_layer (
    const VidgenUmt5Weights *weights, guint index, guint tokens, Layer *layer)
{
  const VidgenUmt5LayerWeights *from = &weights->layers[index];
  VidgenUpload *upload = vidgen_upload_new ();

  *layer = (Layer){
    .weights = weights, .bias_tensor = from->bias, .tokens = tokens
  };
  for (guint i = 0; i < VIDGEN_UMT5_MATRICES; i++)
    list_matrix (upload, &from->matrices[i], &layer->matrices[i]);
  vidgen_upload_vector (upload, &layer->attention_norm, from->attention_norm);
  vidgen_upload_vector (upload, &layer->inner_norm, from->inner_norm);
  vidgen_upload_made (upload, &layer->bias,
      4 * (guint64)weights->config.heads * bias_stride (tokens), make_bias,
      layer);
  return upload;
}

guint64
vidgen_umt5_encoder_bytes (const VidgenUmt5Weights *weights, guint tokens)
{
  VidgenUmt5Encoder encoder = { 0 };
  g_autoptr (VidgenPlan) plan =
      plan_states (&encoder, &weights->config, tokens);
  guint64 largest = 0;

  for (guint i = 0; i < weights->config.layers; i++) {
    Layer layer;
    g_autoptr (VidgenUpload) upload = list_layer (weights, i, tokens, &layer);

    largest = MAX (largest, vidgen_upload_bytes (upload));
  }
  return vidgen_plan_bytes (plan) + 2 * states_bytes (weights, tokens) +
         largest + VIDGEN_UPLOAD_STAGING_BYTES;
}

VidgenUmt5Encoder *
vidgen_umt5_encoder_new (const VidgenUmt5Weights *weights, VidgenDevice *device,
    guint tokens, GError **error)
{
  g_autoptr (VidgenUmt5Encoder) encoder = g_new0 (VidgenUmt5Encoder, 1);
  const guint64 bytes = states_bytes (weights, tokens);

  encoder->weights = weights;
  encoder->device = vidgen_device_ref (device);
  encoder->tokens = tokens;
  encoder->kept = g_new0 (Kept, weights->config.layers);
  encoder->plan = plan_states (encoder, &weights->config, tokens);
  if (!vidgen_plan_allocate (encoder->plan, device, error))
    return NULL;
  encoder->rows =
      vidgen_memory_new (device, bytes, VIDGEN_MEMORY_UPLOAD, error);
  if (!encoder->rows)
    return NULL;
  encoder->readback =
      vidgen_memory_new (device, bytes, VIDGEN_MEMORY_READBACK, error);
  return encoder->readback ? g_steal_pointer (&encoder) : NULL;
}

static void
drop (VidgenUmt5Encoder *encoder, Kept *kept)
{
  if (!kept->memories)
    return;
  g_clear_pointer (&kept->memories, g_ptr_array_unref);
  encoder->kept_bytes -= kept->bytes;
}

static void
drop_beyond (VidgenUmt5Encoder *encoder, guint64 bytes)
{
  for (guint i = encoder->weights->config.layers;
       i > 0 && encoder->kept_bytes > bytes; i--)
    drop (encoder, &encoder->kept[i - 1]);
}

void
vidgen_umt5_encoder_set_room (VidgenUmt5Encoder *encoder, guint64 bytes)
{
  encoder->room_bytes = encoder->crowded ? 0 : bytes;
  drop_beyond (encoder, encoder->room_bytes);
}

guint64
vidgen_umt5_encoder_kept_bytes (const VidgenUmt5Encoder *encoder)
{
  return encoder->kept_bytes;
}

void
vidgen_umt5_encoder_free (VidgenUmt5Encoder *encoder)
{
  if (!encoder)
    return;
  drop_beyond (encoder, 0);
  g_free (encoder->kept);
  vidgen_plan_free (encoder->plan);
  vidgen_memory_unref (encoder->rows);
  vidgen_memory_unref (encoder->readback);
  vidgen_device_unref (encoder->device);
  g_free (encoder);
}

static void
read_rows (
    const VidgenUmt5Encoder *encoder, const guint32 *tokens, guint n_tokens)
{
  const VidgenUmt5Weight *embedding = &encoder->weights->embedding;
  const guint64 size = encoder->weights->config.size;
  float *rows = vidgen_span_map (vidgen_memory_span (encoder->rows));

  for (guint i = 0; i < n_tokens; i++)
    vidgen_tensor_read_f32 (
        embedding->weight, tokens[i] * size, size, rows + i * size);
  for (guint64 i = 0; i < n_tokens * size; i++)
    rows[i] *= embedding->scale;
}

static void
record_norm (const VidgenUmt5Encoder *encoder, VidgenRecorder *recorder,
    VidgenSpan gain, guint rows)
{
  const VidgenNorm norm = { .rows = rows,
    .size = encoder->weights->config.size,
    .gain = TRUE,
    .x = encoder->x,
    .scale = gain,
    .out = encoder->normed };

  vidgen_norm (recorder, &norm);
}

static void
record_attention (const VidgenUmt5Encoder *encoder, VidgenRecorder *recorder,
    const Layer *layer, guint rows)
{
  const VidgenUmt5Config *config = &encoder->weights->config;
  const guint wide = config->heads * config->head_size;
  const guint stride = bias_stride (encoder->tokens);
  const guint unused = encoder->tokens - rows;
  const VidgenAttention attention = { .rows = rows,
    .heads = config->heads,
    .head_size = config->head_size,
    .scale = 1,
    .q = encoder->q,
    .q_stride = wide,
    .segments = { { .count = rows,
        .k = encoder->k,
        .k_stride = wide,
        .v = encoder->v,
        .v_stride = wide } },
    .bias = vidgen_floats (
        layer->bias, unused, (guint64)config->heads * stride - unused),
    .bias_stride = stride,
    .out = encoder->mixed,
    .out_stride = wide };

  vidgen_attention (recorder, &attention);
}

static void
record_layer (const VidgenUmt5Encoder *encoder, VidgenRecorder *recorder,
    const Layer *layer, guint rows)
{
  const VidgenLinear *matrices = layer->matrices;
  const VidgenMultiply multiply = { .rows = rows,
    .size = encoder->weights->config.inner,
    .a = encoder->gate,
    .b = encoder->up,
    .out = encoder->up };

  record_norm (encoder, recorder, layer->attention_norm, rows);
  vidgen_project (recorder, &matrices[VIDGEN_UMT5_Q], rows,
      (VidgenProduct){ .a = encoder->normed, .out = encoder->q });
  vidgen_project (recorder, &matrices[VIDGEN_UMT5_K], rows,
      (VidgenProduct){ .a = encoder->normed, .out = encoder->k });
  vidgen_project (recorder, &matrices[VIDGEN_UMT5_V], rows,
      (VidgenProduct){ .a = encoder->normed, .out = encoder->v });
  record_attention (encoder, recorder, layer, rows);
  vidgen_project (recorder, &matrices[VIDGEN_UMT5_O], rows,
      (VidgenProduct){
          .a = encoder->mixed, .residual = encoder->x, .out = encoder->x });
  record_norm (encoder, recorder, layer->inner_norm, rows);
  vidgen_project (recorder, &matrices[VIDGEN_UMT5_GATE], rows,
      (VidgenProduct){ .a = encoder->normed,
          .out = encoder->gate,
          .activation = VIDGEN_GELU });
  vidgen_project (recorder, &matrices[VIDGEN_UMT5_UP], rows,
      (VidgenProduct){ .a = encoder->normed, .out = encoder->up });
  vidgen_multiply (recorder, &multiply);
  vidgen_project (recorder, &matrices[VIDGEN_UMT5_DOWN], rows,
      (VidgenProduct){
          .a = encoder->up, .residual = encoder->x, .out = encoder->x });
}

static GPtrArray *
new_memories (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref);
}

static gboolean
upload_layer (VidgenUmt5Encoder *encoder, guint index,
    GCancellable *cancellable, GError **error)
{
  Kept *kept = &encoder->kept[index];
  g_autoptr (VidgenUpload) upload =
      list_layer (encoder->weights, index, encoder->tokens, &kept->layer);
  g_autoptr (GPtrArray) memories = new_memories ();

  if (!vidgen_upload_run (
          upload, encoder->device, memories, NULL, NULL, cancellable, error))
    return FALSE;
  kept->memories = g_steal_pointer (&memories);
  kept->bytes = vidgen_upload_bytes (upload);
  encoder->kept_bytes += kept->bytes;
  return TRUE;
}

/* Whether what failed for want of memory may be tried again, without the layers
 * that stayed; if not, `cause` is the error. */
static gboolean
make_room (VidgenUmt5Encoder *encoder, GError *cause, GError **error)
{
  if (encoder->kept_bytes == 0 ||
      !g_error_matches (cause, VIDGEN_ERROR, VIDGEN_ERROR_NO_MEMORY)) {
    g_propagate_error (error, cause);
    return FALSE;
  }
  g_error_free (cause);
  encoder->crowded = TRUE;
  vidgen_umt5_encoder_set_room (encoder, 0);
  return TRUE;
}

/* Puts the layer on the device unless it is there. */
static gboolean
have_layer (VidgenUmt5Encoder *encoder, guint index, GCancellable *cancellable,
    GError **error)
{
  GError *cause = NULL;

  return encoder->kept[index].memories ||
         upload_layer (encoder, index, cancellable, &cause) ||
         (make_room (encoder, cause, error) &&
             upload_layer (encoder, index, cancellable, error));
}

static gboolean
run_layer (VidgenUmt5Encoder *encoder, VidgenRecorder *recorder, guint index,
    guint rows, const VidgenTap *tap, GCancellable *cancellable, GError **error)
{
  Kept *kept = &encoder->kept[index];
  gboolean good;

  if (!have_layer (encoder, index, cancellable, error))
    return FALSE;
  record_layer (encoder, recorder, &kept->layer, rows);
  vidgen_tap (tap, recorder,
      vidgen_floats (
          encoder->x, 0, (guint64)rows * encoder->weights->config.size),
      "block%u", index);
  good = vidgen_recorder_finish (recorder, cancellable, error);
  if (encoder->kept_bytes > encoder->room_bytes)
    drop (encoder, kept);
  return good;
}

static gboolean
upload_gain (const VidgenUmt5Encoder *encoder, VidgenSpan *gain,
    GPtrArray *memories, GCancellable *cancellable, GError **error)
{
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();

  vidgen_upload_vector (upload, gain, encoder->weights->norm);
  return vidgen_upload_run (
      upload, encoder->device, memories, NULL, NULL, cancellable, error);
}

static gboolean
run_end (VidgenUmt5Encoder *encoder, VidgenRecorder *recorder, guint rows,
    const VidgenTap *tap, GCancellable *cancellable, GError **error)
{
  const guint64 count = (guint64)rows * encoder->weights->config.size;
  g_autoptr (GPtrArray) memories = new_memories ();
  GError *cause = NULL;
  VidgenSpan gain;

  if (!upload_gain (encoder, &gain, memories, cancellable, &cause) &&
      !(make_room (encoder, cause, error) &&
          upload_gain (encoder, &gain, memories, cancellable, error)))
    return FALSE;
  record_norm (encoder, recorder, gain, rows);
  vidgen_tap (tap, recorder, vidgen_floats (encoder->normed, 0, count), "out");
  vidgen_recorder_copy (recorder,
      vidgen_floats (vidgen_memory_span (encoder->readback), 0, count),
      vidgen_floats (encoder->normed, 0, count));
  return vidgen_recorder_finish (recorder, cancellable, error);
}

float *
vidgen_umt5_encoder_run (VidgenUmt5Encoder *encoder, const guint32 *tokens,
    guint n_tokens, const VidgenTap *tap, VidgenUmt5Progress progress,
    gpointer user_data, GCancellable *cancellable, GError **error)
{
  const VidgenUmt5Config *config = &encoder->weights->config;
  const guint64 count = (guint64)n_tokens * config->size;
  g_autoptr (VidgenRecorder) recorder =
      vidgen_recorder_new (encoder->device, VIDGEN_RECORDER_RUN, error);

  if (!recorder)
    return NULL;
  vidgen_recorder_set_cancellable (recorder, cancellable);
  read_rows (encoder, tokens, n_tokens);
  vidgen_recorder_copy (recorder, encoder->x,
      vidgen_floats (vidgen_memory_span (encoder->rows), 0, count));
  for (guint i = 0; i < config->layers; i++) {
    if (!run_layer (encoder, recorder, i, n_tokens, tap, cancellable, error))
      return NULL;
    if (progress)
      progress ((double)(i + 1) / config->layers, user_data);
  }
  if (!run_end (encoder, recorder, n_tokens, tap, cancellable, error))
    return NULL;
  return g_memdup2 (
      vidgen_span_map (vidgen_memory_span (encoder->readback)), 4 * count);
}
