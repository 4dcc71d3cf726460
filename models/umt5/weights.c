/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/umt5/weights.h"

#include <math.h>
#include <string.h>

#include "models/checkpoint/fields.h"
#include "models/checkpoint/file.h"
#include "models/checkpoint/json.h"
#include "shaders/runtime/error.h"

#define MAX_LAYERS 256
#define MAX_SIZE 65536
#define MAX_BUCKETS 1024
#define DEFAULT_DISTANCE 128
#define JSON_DEPTH 8
#define SAMPLE_BYTES 4096

#define BIT(type) (1u << VIDGEN_TENSOR_##type)
#define VALUES                                                                 \
  (BIT (F8_E4M3) | BIT (F8_E5M2) | BIT (F16) | BIT (BF16) | BIT (F32) |        \
      BIT (Q4_0) | BIT (Q4_1) | BIT (Q5_0) | BIT (Q5_1) | BIT (Q8_0) |         \
      BIT (Q4_K) | BIT (Q5_K) | BIT (Q6_K))

typedef struct {
  const char *embedding, *embedding_too; /* the second may be NULL */
  const char *norm;
  const char *layer; /* what a layer's names begin with, before its number */
  const char *matrices[VIDGEN_UMT5_MATRICES];
  const char *attention_norm, *inner_norm, *bias;
} Layout;

static const Layout layouts[] = {
  { .embedding = "token_embedding.weight",
      .norm = "norm.weight",
      .layer = "blocks.",
      .matrices = { "attn.q.weight", "attn.k.weight", "attn.v.weight",
          "attn.o.weight", "ffn.gate.0.weight", "ffn.fc1.weight",
          "ffn.fc2.weight" },
      .attention_norm = "norm1.weight",
      .inner_norm = "norm2.weight",
      .bias = "pos_embedding.embedding.weight" },
  { .embedding = "shared.weight",
      .embedding_too = "encoder.embed_tokens.weight",
      .norm = "encoder.final_layer_norm.weight",
      .layer = "encoder.block.",
      .matrices = { "layer.0.SelfAttention.q.weight",
          "layer.0.SelfAttention.k.weight", "layer.0.SelfAttention.v.weight",
          "layer.0.SelfAttention.o.weight",
          "layer.1.DenseReluDense.wi_0.weight",
          "layer.1.DenseReluDense.wi_1.weight",
          "layer.1.DenseReluDense.wo.weight" },
      .attention_norm = "layer.0.layer_norm.weight",
      .inner_norm = "layer.1.layer_norm.weight",
      .bias = "layer.0.SelfAttention.relative_attention_bias.weight" },
  { .embedding = "token_embd.weight",
      .norm = "enc.output_norm.weight",
      .layer = "enc.blk.",
      .matrices = { "attn_q.weight", "attn_k.weight", "attn_v.weight",
          "attn_o.weight", "ffn_gate.weight", "ffn_up.weight",
          "ffn_down.weight" },
      .attention_norm = "attn_norm.weight",
      .inner_norm = "ffn_norm.weight",
      .bias = "attn_rel_b.weight" },
};

/* What finding tensors needs; the first error is kept. */
typedef struct {
  const VidgenNames *names;
  const Layout *layout;
  const char *file;
  GError **error;
} Search;

static const Layout *
find_layout (const VidgenNames *names)
{
  for (guint i = 0; i < G_N_ELEMENTS (layouts); i++) {
    g_autofree char *first =
        g_strconcat (layouts[i].layer, "0.", layouts[i].bias, NULL);
    g_autofree char *gate = g_strconcat (
        layouts[i].layer, "0.", layouts[i].matrices[VIDGEN_UMT5_GATE], NULL);

    if (vidgen_names_find (names, first) && vidgen_names_find (names, gate))
      return &layouts[i];
  }
  return NULL;
}

gboolean
vidgen_umt5_weights_probe (const VidgenNames *names)
{
  return find_layout (names) != NULL;
}

static char *
layer_name (const Search *search, guint layer, const char *name)
{
  return g_strdup_printf ("%s%u.%s", search->layout->layer, layer, name);
}

static const VidgenTensor *
expect (
    const Search *search, const char *name, guint n_dims, const guint64 *shape)
{
  return vidgen_tensor_expect (vidgen_names_find (search->names, name),
      search->file, name, VALUES, n_dims, shape, search->error);
}

static const VidgenTensor *
expect_vector (const Search *search, const char *name, guint64 size)
{
  return expect (search, name, 1, &size);
}

static gboolean
find_matrix (const Search *search, const char *name, guint rows, guint columns,
    VidgenUmt5Weight *weight)
{
  const guint64 shape[] = { rows, columns };

  weight->weight = expect (search, name, 2, shape);
  return weight->weight && vidgen_names_find_scale (search->names, name,
                               &weight->scale, search->error);
}

static gboolean
find_layer (const Search *search, const VidgenUmt5Config *config, guint index,
    VidgenUmt5LayerWeights *layer)
{
  const guint size = config->size, inner = config->inner;
  const guint wide = config->heads * config->head_size;
  const guint shapes[VIDGEN_UMT5_MATRICES][2] = {
    [VIDGEN_UMT5_Q] = { wide, size },
    [VIDGEN_UMT5_K] = { wide, size },
    [VIDGEN_UMT5_V] = { wide, size },
    [VIDGEN_UMT5_O] = { size, wide },
    [VIDGEN_UMT5_GATE] = { inner, size },
    [VIDGEN_UMT5_UP] = { inner, size },
    [VIDGEN_UMT5_DOWN] = { size, inner },
  };
  const guint64 bias_shape[] = { config->buckets, config->heads };
  const Layout *layout = search->layout;
  g_autofree char *attention_norm =
      layer_name (search, index, layout->attention_norm);
  g_autofree char *inner_norm = layer_name (search, index, layout->inner_norm);
  g_autofree char *bias = layer_name (search, index, layout->bias);

  for (guint i = 0; i < VIDGEN_UMT5_MATRICES; i++) {
    g_autofree char *name = layer_name (search, index, layout->matrices[i]);

    if (!find_matrix (
            search, name, shapes[i][0], shapes[i][1], &layer->matrices[i]))
      return FALSE;
  }
  layer->attention_norm = expect_vector (search, attention_norm, size);
  if (!layer->attention_norm)
    return FALSE;
  layer->inner_norm = expect_vector (search, inner_norm, size);
  if (!layer->inner_norm)
    return FALSE;
  layer->bias = expect (search, bias, 2, bias_shape);
  return layer->bias != NULL;
}

/* A tensor of two dimensions within bounds. */
static const VidgenTensor *
find_shape (const Search *search, const char *name, guint *rows, guint *columns)
{
  const VidgenTensor *tensor = vidgen_names_find (search->names, name);

  if (!tensor || tensor->n_dims != 2 || tensor->shape[0] == 0 ||
      tensor->shape[0] > 64 * MAX_SIZE || tensor->shape[1] == 0 ||
      tensor->shape[1] > MAX_SIZE) {
    vidgen_file_fail (search->error, search->file,
        "tensor '%s' of a text encoder is missing or no matrix of a size that "
        "is supported.",
        name);
    return NULL;
  }
  *rows = (guint)tensor->shape[0];
  *columns = (guint)tensor->shape[1];
  return tensor;
}

static guint
count_layers (const Search *search)
{
  guint n = 0;

  while (n < MAX_LAYERS) {
    g_autofree char *name = layer_name (search, n, search->layout->bias);

    if (!vidgen_names_find (search->names, name))
      break;
    n++;
  }
  return n;
}

static gboolean
check_config (const Search *search, const VidgenUmt5Config *config, guint wide)
{
  if (config->heads && wide % config->heads == 0 && config->size % 4 == 0 &&
      config->inner % 4 == 0 && config->buckets >= 4 &&
      config->buckets % 4 == 0 && config->buckets <= MAX_BUCKETS &&
      config->distance > config->buckets / 4 &&
      (config->head_size == 16 || config->head_size == 32 ||
          config->head_size == 64 || config->head_size == 128))
    return TRUE;
  return vidgen_file_fail (search->error, search->file,
      "a text encoder of %u values a token, %u heads of %u values, %u inner "
      "values and %u buckets of distances up to %u is not supported.",
      config->size, config->heads, config->head_size, config->inner,
      config->buckets, config->distance);
}

/* What the tensors do not tell. */
static gboolean
read_config (const Search *search, GBytes *bytes, VidgenUmt5Config *config)
{
  g_autoptr (JsonNode) root = NULL;
  VidgenFields fields = { .file = search->file, .error = search->error };
  VidgenSection section = { .path = "config.json: " };
  gsize size;
  const char *text;

  config->distance = DEFAULT_DISTANCE;
  if (!bytes)
    return TRUE;
  text = g_bytes_get_data (bytes, &size);
  root =
      vidgen_json_parse (text, size, JSON_DEPTH, "config.json", search->error);
  if (!root)
    return FALSE;
  section.object = json_node_get_object (root);
  if (json_object_has_member (
          section.object, "relative_attention_max_distance"))
    config->distance = vidgen_fields_count (
        &fields, &section, "relative_attention_max_distance", 1, MAX_SIZE);
  if (json_object_has_member (section.object, "layer_norm_epsilon"))
    vidgen_fields_number (
        &fields, &section, "layer_norm_epsilon", 0.999e-6, 1.001e-6);
  return !fields.failed;
}

static gboolean
find_shapes (const Search *search, GBytes *json, VidgenUmt5Weights *weights)
{
  const Layout *layout = search->layout;
  VidgenUmt5Config *config = &weights->config;
  const gboolean aliased =
      layout->embedding_too &&
      !vidgen_names_find (search->names, layout->embedding);
  const char *embedding = aliased ? layout->embedding_too : layout->embedding;
  g_autofree char *bias = layer_name (search, 0, layout->bias);
  g_autofree char *q = layer_name (search, 0, layout->matrices[VIDGEN_UMT5_Q]);
  g_autofree char *gate =
      layer_name (search, 0, layout->matrices[VIDGEN_UMT5_GATE]);
  guint wide, size;

  if (!find_shape (search, embedding, &config->vocabulary, &config->size) ||
      !find_shape (search, bias, &config->buckets, &config->heads) ||
      !find_shape (search, q, &wide, &size) ||
      !find_shape (search, gate, &config->inner, &size) ||
      !read_config (search, json, config))
    return FALSE;
  config->head_size = wide / config->heads;
  config->layers = count_layers (search);
  return check_config (search, config, wide) &&
         find_matrix (search, embedding, config->vocabulary, config->size,
             &weights->embedding);
}

gboolean
vidgen_umt5_weights_find (VidgenUmt5Weights *weights, const VidgenNames *names,
    const char *file, GBytes *config, GError **error)
{
  const Search search = { names, find_layout (names), file, error };

  *weights = (VidgenUmt5Weights){ 0 };
  if (!search.layout)
    return vidgen_file_fail (
        error, file, "these are not the tensors of a text encoder umT5.");
  if (!find_shapes (&search, config, weights))
    return FALSE;
  weights->norm =
      expect_vector (&search, search.layout->norm, weights->config.size);
  weights->layers = g_new0 (VidgenUmt5LayerWeights, weights->config.layers);
  for (guint i = 0; weights->norm && i < weights->config.layers; i++) {
    if (!find_layer (&search, &weights->config, i, &weights->layers[i])) {
      vidgen_umt5_weights_clear (weights);
      return FALSE;
    }
  }
  if (!weights->norm)
    vidgen_umt5_weights_clear (weights);
  return weights->norm != NULL;
}

void
vidgen_umt5_weights_clear (VidgenUmt5Weights *weights)
{
  g_free (weights->layers);
  *weights = (VidgenUmt5Weights){ 0 };
}

static void
sum_tensor (GChecksum *sum, const VidgenTensor *tensor)
{
  const guint64 sample = MIN (tensor->bytes, SAMPLE_BYTES);
  const guint64 middle = (tensor->bytes - sample) / 2;

  g_checksum_update (sum, (const guchar *)tensor->name, -1);
  g_checksum_update (sum, (const guchar *)&tensor->type, sizeof tensor->type);
  g_checksum_update (sum, (const guchar *)tensor->shape,
      (gssize)(tensor->n_dims * sizeof *tensor->shape));
  g_checksum_update (sum, tensor->data, (gssize)sample);
  g_checksum_update (sum, tensor->data + middle, (gssize)sample);
  g_checksum_update (
      sum, tensor->data + tensor->bytes - sample, (gssize)sample);
}

void
vidgen_umt5_weights_sum (const VidgenUmt5Weights *weights, GChecksum *sum)
{
  g_checksum_update (sum, (const guchar *)&weights->config.distance,
      sizeof weights->config.distance);
  sum_tensor (sum, weights->embedding.weight);
  sum_tensor (sum, weights->norm);
  for (guint i = 0; i < weights->config.layers; i++) {
    const VidgenUmt5LayerWeights *layer = &weights->layers[i];

    for (guint j = 0; j < VIDGEN_UMT5_MATRICES; j++)
      sum_tensor (sum, layer->matrices[j].weight);
    sum_tensor (sum, layer->attention_norm);
    sum_tensor (sum, layer->inner_norm);
    sum_tensor (sum, layer->bias);
  }
}

guint
vidgen_umt5_bucket (const VidgenUmt5Config *config, gint distance)
{
  const guint half = config->buckets / 2, exact = half / 2;
  const guint direction = distance > 0 ? half : 0;
  const guint far = (guint)ABS (distance);
  double place;

  if (far < exact)
    return direction + far;
  /* What comes out whole must not be rounded down. */
  place = log ((double)far / exact) / log ((double)config->distance / exact) *
              (half - exact) +
          1e-9;
  return direction + exact + MIN ((guint)place, half - exact - 1);
}
