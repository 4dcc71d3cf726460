/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/weights.h"

#include <string.h>

#include "models/wan/names.h"
#include "shaders/runtime/error.h"

/* What lists a transformer's tensors. */
typedef struct {
  const VidgenWanConfig *config;
  const VidgenNames *names;
  VidgenLora *const *loras; /* may be NULL */
  VidgenUpload *upload;
  GError **error;
  gboolean failed;
} Lister;

#define ANY_FLOAT                                                              \
  (1u << VIDGEN_TENSOR_F32 | 1u << VIDGEN_TENSOR_F16 |                         \
      1u << VIDGEN_TENSOR_BF16 | 1u << VIDGEN_TENSOR_F64)
#define ANY_WEIGHT                                                             \
  (ANY_FLOAT | 1u << VIDGEN_TENSOR_F8_E4M3 | 1u << VIDGEN_TENSOR_F8_E5M2 |     \
      1u << VIDGEN_TENSOR_Q4_0 | 1u << VIDGEN_TENSOR_Q4_1 |                    \
      1u << VIDGEN_TENSOR_Q5_0 | 1u << VIDGEN_TENSOR_Q5_1 |                    \
      1u << VIDGEN_TENSOR_Q8_0 | 1u << VIDGEN_TENSOR_Q4_K |                    \
      1u << VIDGEN_TENSOR_Q5_K | 1u << VIDGEN_TENSOR_Q6_K)

/* The tensor whose values lie as those of `rows` rows of `columns`, however
 * its own dimensions are cut or folded. */
static const VidgenTensor *
find (Lister *lister, const char *name, guint types, guint64 rows,
    guint64 columns)
{
  const VidgenTensor *tensor;

  if (lister->failed)
    return NULL;
  tensor = vidgen_names_find (lister->names, name);
  if (tensor && 1u << tensor->type & types &&
      vidgen_tensor_count (tensor) == rows * columns &&
      (rows == 1 || columns == 1 || tensor->shape[0] % rows == 0 ||
          rows % tensor->shape[0] == 0))
    return tensor;
  lister->failed = TRUE;
  if (!tensor)
    g_set_error (lister->error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "The tensor '%s' is missing.", name);
  else
    g_set_error (lister->error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "The tensor '%s' has %" G_GUINT64_FORMAT
        " values of the type %s, expected %" G_GUINT64_FORMAT
        " rows of %" G_GUINT64_FORMAT " weights.",
        name, vidgen_tensor_count (tensor),
        vidgen_tensor_type_name (tensor->type), rows, columns);
  return NULL;
}

/* What the LoRAs change of a tensor. */
static VidgenUploadEdit
find_edit (Lister *lister, const VidgenTensor *tensor, const char *name)
{
  g_autofree char *translated = vidgen_wan_names_in_diffusers (name);
  const char *const names[] = { name, translated, NULL };
  VidgenUploadEdit edit = { NULL, NULL };

  for (guint i = 0; lister->loras && lister->loras[i]; i++) {
    if (!lister->failed && !vidgen_lora_edit (lister->loras[i], names, tensor,
                               &edit, lister->error))
      lister->failed = TRUE;
  }
  return edit;
}

static void list_table (Lister *lister, VidgenSpan *span, guint rows,
    guint columns, const char *format, ...) G_GNUC_PRINTF (5, 6);

static void
list_table (Lister *lister, VidgenSpan *span, guint rows, guint columns,
    const char *format, ...)
{
  g_autofree char *name = NULL;
  const VidgenTensor *tensor;
  va_list arguments;

  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  tensor = find (lister, name, ANY_FLOAT, rows, columns);
  if (!tensor)
    return;
  vidgen_upload_matrix (lister->upload, span,
      &(VidgenUploadMatrix){ .tensor = tensor,
          .type = VIDGEN_F32,
          .rows = rows,
          .columns = columns,
          .padded = columns,
          .edit = find_edit (lister, tensor, name) });
}

static void
list_linear (
    Lister *lister, VidgenLinear *linear, guint out, guint in, const char *name)
{
  g_autofree char *weight = g_strconcat (name, ".weight", NULL);
  VidgenUploadMatrix matrix = { .tensor =
                                    find (lister, weight, ANY_WEIGHT, out, in),
    .rows = out,
    .columns = in,
    .padded = in };

  if (!matrix.tensor)
    return;
  if (!vidgen_names_find_scale (
          lister->names, weight, &matrix.scale, lister->error)) {
    lister->failed = TRUE;
    return;
  }
  matrix.edit = find_edit (lister, matrix.tensor, weight);
  matrix.type = matrix.edit.apply || matrix.scale != 1
                    ? vidgen_upload_edited_type (matrix.tensor)
                    : vidgen_upload_type (matrix.tensor);
  if (lister->config->halves && matrix.type == VIDGEN_F32)
    matrix.type = VIDGEN_BF16;
  linear->in = in;
  linear->out = out;
  linear->type = matrix.type;
  vidgen_upload_matrix (lister->upload, &linear->weight, &matrix);
  list_table (lister, &linear->bias, 1, out, "%s.bias", name);
}

/* The head's output has the channel fastest, the input slowest: its rows are
 * put in the input's order. */
static guint
head_row (guint row)
{
  const guint pixels = VIDGEN_WAN_PATCH * VIDGEN_WAN_PATCH;

  return row % pixels * VIDGEN_WAN_CHANNELS + row / pixels;
}

static void
make_head (const VidgenWanPart *part, float *out)
{
  const guint64 count = vidgen_tensor_count (part->tensor);
  const guint64 columns = count / VIDGEN_WAN_VALUES;
  g_autofree float *values = g_new (float, count);

  vidgen_tensor_read_f32 (part->tensor, 0, count, values);
  for (guint64 i = 0; i < count; i++)
    values[i] *= part->scale;
  if (part->edit.apply)
    part->edit.apply (part->edit.data, 0, count, values);
  for (guint row = 0; row < VIDGEN_WAN_VALUES; row++)
    memcpy (out + row * columns, values + head_row (row) * columns,
        columns * sizeof *out);
}

static void
make_head_weight (gpointer data, void *out)
{
  make_head (&((VidgenWanWeights *)data)->head_weight, out);
}

static void
make_head_bias (gpointer data, void *out)
{
  make_head (&((VidgenWanWeights *)data)->head_bias, out);
}

static void
find_head (Lister *lister, VidgenWanPart *part, const char *name, guint rows,
    guint columns)
{
  part->scale = 1;
  part->tensor = find (lister, name, ANY_WEIGHT, rows, columns);
  if (!part->tensor)
    return;
  part->edit = find_edit (lister, part->tensor, name);
  if (!lister->failed && !vidgen_names_find_scale (
                             lister->names, name, &part->scale, lister->error))
    lister->failed = TRUE;
}

static void
list_head (Lister *lister, VidgenWanWeights *weights)
{
  const guint size = lister->config->size;

  weights->head = (VidgenLinear){
    .in = size, .out = VIDGEN_WAN_VALUES, .type = VIDGEN_F32
  };
  find_head (lister, &weights->head_weight, "head.head.weight",
      VIDGEN_WAN_VALUES, size);
  find_head (
      lister, &weights->head_bias, "head.head.bias", 1, VIDGEN_WAN_VALUES);
  if (lister->failed)
    return;
  vidgen_upload_made (lister->upload, &weights->head.weight,
      4 * (guint64)size * VIDGEN_WAN_VALUES, make_head_weight, weights);
  vidgen_upload_made (lister->upload, &weights->head.bias,
      4 * VIDGEN_WAN_VALUES, make_head_bias, weights);
  list_table (lister, &weights->head_modulation, 2, size, "head.modulation");
}

static void
list_attention (
    Lister *lister, VidgenWanAttention *attention, const char *prefix)
{
  const guint size = lister->config->size;
  const struct {
    const char *name;
    VidgenLinear *linear;
  } linears[] = { { "q", &attention->q }, { "k", &attention->k },
    { "v", &attention->v }, { "o", &attention->out } };

  for (guint i = 0; i < G_N_ELEMENTS (linears); i++) {
    g_autofree char *name = g_strconcat (prefix, ".", linears[i].name, NULL);
    list_linear (lister, linears[i].linear, size, size, name);
  }
  list_table (lister, &attention->q_gain, 1, size, "%s.norm_q.weight", prefix);
  list_table (lister, &attention->k_gain, 1, size, "%s.norm_k.weight", prefix);
}

static void
list_block (Lister *lister, VidgenWanBlock *block, guint index)
{
  const guint size = lister->config->size, ffn = lister->config->ffn;
  g_autofree char *self = g_strdup_printf ("blocks.%u.self_attn", index);
  g_autofree char *cross = g_strdup_printf ("blocks.%u.cross_attn", index);
  g_autofree char *fc1 = g_strdup_printf ("blocks.%u.ffn.0", index);
  g_autofree char *fc2 = g_strdup_printf ("blocks.%u.ffn.2", index);

  list_attention (lister, &block->self, self);
  list_attention (lister, &block->cross, cross);
  list_table (
      lister, &block->cross_gain, 1, size, "blocks.%u.norm3.weight", index);
  list_table (
      lister, &block->cross_shift, 1, size, "blocks.%u.norm3.bias", index);
  list_linear (lister, &block->fc1, ffn, size, fc1);
  list_linear (lister, &block->fc2, size, ffn, fc2);
  list_table (
      lister, &block->modulation, 6, size, "blocks.%u.modulation", index);
}

gboolean
vidgen_wan_weights_list (VidgenWanWeights *weights,
    const VidgenWanConfig *config, const VidgenNames *names,
    VidgenLora *const *loras, VidgenUpload *upload, GError **error)
{
  Lister lister = { .config = config,
    .names = names,
    .loras = loras,
    .upload = upload,
    .error = error };
  const guint size = config->size;

  *weights =
      (VidgenWanWeights){ .blocks = g_new0 (VidgenWanBlock, config->layers),
        .n_blocks = config->layers };
  list_linear (
      &lister, &weights->patch, size, VIDGEN_WAN_VALUES, "patch_embedding");
  list_linear (
      &lister, &weights->text1, size, config->text_size, "text_embedding.0");
  list_linear (&lister, &weights->text2, size, size, "text_embedding.2");
  list_linear (
      &lister, &weights->time1, size, config->time_size, "time_embedding.0");
  list_linear (&lister, &weights->time2, size, size, "time_embedding.2");
  list_linear (
      &lister, &weights->time_projection, 6 * size, size, "time_projection.1");
  list_head (&lister, weights);
  for (guint i = 0; i < config->layers; i++)
    list_block (&lister, &weights->blocks[i], i);
  for (guint i = 0; loras && loras[i] && !lister.failed; i++)
    lister.failed = !vidgen_lora_check_used (loras[i], error);
  return !lister.failed;
}

void
vidgen_wan_weights_clear (VidgenWanWeights *weights)
{
  g_clear_pointer (&weights->blocks, g_free);
}
