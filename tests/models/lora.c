/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/lora.h"

#include <math.h>

#include "models/wan/names.h"
#include "models/wan/weights.h"
#include "tests/models/checkpoints.h"

#define GOLDENS "tests/models/goldens/"

/* What a file of goldens/lora does to the weights. */
typedef struct {
  const char *path;
  float scale; /* alpha / rank */
  gboolean head, whole;
  guint count;
} Case;

static const Case cases[] = {
  { "lora/peft.pt", 1, FALSE, FALSE, 5 },
  { "lora/comfy.safetensors", 0.5f, TRUE, TRUE, 9 },
  { "lora/kohya.safetensors", 2, TRUE, FALSE, 6 },
  { "lora/diffusers", 3, TRUE, FALSE, 6 },
};

/* The transformer wan/weights.safetensors with LoRAs merged, on a device. */
typedef struct {
  VidgenCheckpoint *checkpoint, *sums;
  VidgenDevice *device;
  VidgenNames *names;
  VidgenWanConfig config;
  VidgenWanWeights weights;
  GPtrArray *memories;
} Merged;

static VidgenCheckpoint *
open_golden (const char *name)
{
  g_autofree char *below = g_strconcat (GOLDENS, name, NULL);
  g_autofree char *path = fixture_path (below);
  g_autoptr (GError) error = NULL;
  VidgenCheckpoint *checkpoint = vidgen_checkpoint_open (path, &error);

  g_assert_no_error (error);
  return checkpoint;
}

static VidgenLora *
open_lora (const char *name, double strength)
{
  g_autoptr (VidgenCheckpoint) checkpoint = open_golden (name);
  g_autoptr (GError) error = NULL;
  VidgenLora *lora;

  g_assert_true (vidgen_lora_probe (checkpoint));
  lora = vidgen_lora_new (checkpoint, strength, &error);
  g_assert_no_error (error);
  return lora;
}

static void
merge (Merged *merged, VidgenDevice *device, VidgenLora *const *loras,
    gboolean halves)
{
  g_autofree char *config = fixture_path (GOLDENS "wan/config.json");
  g_autoptr (VidgenUpload) upload = vidgen_upload_new ();
  g_autoptr (GError) error = NULL;

  *merged = (Merged){ .device = device,
    .checkpoint = open_golden ("wan/weights.safetensors"),
    .sums = open_golden ("lora/sums.safetensors"),
    .memories =
        g_ptr_array_new_with_free_func ((GDestroyNotify)vidgen_memory_unref) };
  merged->names = vidgen_wan_names_new (merged->checkpoint, NULL, &error);
  g_assert_no_error (error);
  vidgen_wan_config_read (&merged->config, merged->names, config, &error);
  g_assert_no_error (error);
  merged->config.halves = halves;
  vidgen_wan_weights_list (
      &merged->weights, &merged->config, merged->names, loras, upload, &error);
  g_assert_no_error (error);
  vidgen_upload_run (
      upload, device, merged->memories, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
clear (Merged *merged)
{
  vidgen_wan_weights_clear (&merged->weights);
  vidgen_names_free (merged->names);
  g_ptr_array_unref (merged->memories);
  vidgen_checkpoint_unref (merged->checkpoint);
  vidgen_checkpoint_unref (merged->sums);
}

static float *
read_tensor (const VidgenTensor *tensor)
{
  const guint64 count = vidgen_tensor_count (tensor);
  float *values = g_new (float, count);

  vidgen_tensor_read_f32 (tensor, 0, count, values);
  return values;
}

/* span is the tensor `name` + scale * the sum `added`. The host's memory is
 * mapped. */
static void
check_span (const Merged *merged, VidgenSpan span, const char *name,
    const char *added, float scale)
{
  const VidgenTensor *tensor = vidgen_names_find (merged->names, name);
  const VidgenTensor *sum = vidgen_checkpoint_find (merged->sums, added);
  g_autofree float *base = read_tensor (tensor);
  g_autofree float *change = read_tensor (sum);
  const guint64 count = vidgen_tensor_count (tensor);
  const float *values = vidgen_span_map (span);

  g_assert_nonnull (values);
  g_assert_cmpuint (vidgen_tensor_count (sum), ==, count);
  for (guint64 i = 0; i < count; i++) {
    const float expected = base[i] + scale * change[i];

    if (!(fabsf (values[i] - expected) <= 1e-5f))
      g_error ("value %" G_GUINT64_FORMAT " of %s is %g, expected %g", i, name,
          values[i], expected);
  }
}

static void
check_weight (
    const Merged *merged, VidgenSpan span, const char *layer, float scale)
{
  g_autofree char *name = g_strconcat (layer, ".weight", NULL);

  check_span (merged, span, name, layer, scale);
}

/* The head's rows are put in another order: only their sum is compared. */
static void
check_head (const Merged *merged, float scale)
{
  g_autofree float *base =
      read_tensor (vidgen_names_find (merged->names, "head.head.weight"));
  g_autofree float *change =
      read_tensor (vidgen_checkpoint_find (merged->sums, "head.head"));
  const float *values = vidgen_span_map (merged->weights.head.weight);
  double sum = 0, expected = 0;

  for (guint i = 0; i < VIDGEN_WAN_VALUES * merged->config.size; i++) {
    const double wanted = (double)(base[i] + scale * change[i]);

    sum += (double)values[i] * (double)values[i];
    expected += wanted * wanted;
  }
  g_assert_cmpfloat_with_epsilon (sum, expected, 1e-4 * expected);
}

static void
check_case (const Merged *merged, const Case *test, float scale)
{
  const VidgenWanBlock *first = &merged->weights.blocks[0];
  const VidgenWanBlock *second = &merged->weights.blocks[1];
  const float whole = test->whole ? scale / test->scale : 0;

  check_weight (merged, first->self.q.weight, "blocks.0.self_attn.q", scale);
  check_weight (merged, first->self.out.weight, "blocks.0.self_attn.o", scale);
  check_weight (merged, second->cross.k.weight, "blocks.1.cross_attn.k", scale);
  check_weight (merged, second->fc1.weight, "blocks.1.ffn.0", scale);
  check_weight (merged, first->fc2.weight, "blocks.0.ffn.2", scale);
  check_head (merged, test->head ? scale : 0);
  check_span (merged, first->self.q.bias, "blocks.0.self_attn.q.bias",
      "blocks.0.self_attn.q.diff_b", whole);
  check_span (merged, first->cross_gain, "blocks.0.norm3.weight",
      "blocks.0.norm3.diff", whole);
  check_span (merged, first->cross_shift, "blocks.0.norm3.bias",
      "blocks.0.norm3.diff_b", whole);
  check_span (merged, second->self.q.weight, "blocks.1.self_attn.q.weight",
      "blocks.0.self_attn.q", 0);
}

static void
test_layouts (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VidgenLora) lora = open_lora (cases[i].path, 0.75);
    VidgenLora *const loras[] = { lora, NULL };
    Merged merged;

    g_assert_cmpuint (vidgen_lora_count (lora), ==, cases[i].count);
    merge (&merged, device, loras, FALSE);
    check_case (&merged, &cases[i], 0.75f * cases[i].scale);
    clear (&merged);
  }
}

/* One after the other. */
static void
test_several (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenLora) first = open_lora (cases[0].path, 1);
  g_autoptr (VidgenLora) second = open_lora (cases[2].path, -0.25);
  VidgenLora *const loras[] = { first, second, NULL };
  Merged merged;

  merge (&merged, device, loras, FALSE);
  check_weight (&merged, merged.weights.blocks[0].self.q.weight,
      "blocks.0.self_attn.q", 0.5f);
  clear (&merged);
}

static void
check_rounded (const Merged *merged, const VidgenLinear *linear,
    const char *name, const char *added)
{
  const guint count = linear->in * linear->out;
  g_autofree float *base =
      read_tensor (vidgen_names_find (merged->names, name));
  g_autofree float *change =
      read_tensor (vidgen_checkpoint_find (merged->sums, added));
  g_autofree float *values = g_new (float, count);

  vidgen_type_expand (
      VIDGEN_BF16, vidgen_span_map (linear->weight), 0, count, values);
  for (guint i = 0; i < count; i++) {
    const float expected = base[i] + change[i];

    g_assert_cmpfloat (
        fabsf (values[i] - expected), <=, fabsf (expected) / 256 + 1e-5f);
  }
}

/* To the nearest bf16 of what is merged, not of its parts. */
static void
test_halves (void)
{
  g_autoptr (VidgenDevice) device = fixture_open_host ();
  g_autoptr (VidgenLora) lora = open_lora (cases[0].path, 1);
  VidgenLora *const loras[] = { lora, NULL };
  Merged merged;

  merge (&merged, device, loras, TRUE);
  g_assert_cmpint (merged.weights.blocks[0].self.q.type, ==, VIDGEN_BF16);
  g_assert_cmpint (merged.weights.head.type, ==, VIDGEN_F32);
  check_rounded (&merged, &merged.weights.blocks[0].self.q,
      "blocks.0.self_attn.q.weight", "blocks.0.self_attn.q");
  clear (&merged);
}

/* Safetensors of F32 tensors of zeros; shapes as JSON. */
static VidgenLora *
make_lora (const char *header, guint count, GError **error)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autofree float *zeros = g_new0 (float, count);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (VidgenCheckpoint) checkpoint = NULL;

  put_number (file, strlen (header), 8);
  put_bytes (file, header, strlen (header));
  put_bytes (file, zeros, count * sizeof *zeros);
  bytes = g_bytes_new (file->data, file->len);
  checkpoint = vidgen_checkpoint_new (bytes, "file", error);
  g_assert_no_error (*error);
  return vidgen_lora_new (checkpoint, 1, error);
}

#define TENSOR(name, shape, from, to)                                          \
  "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape                           \
  ",\"data_offsets\":[" #from "," #to "]}"

static void
test_refused (void)
{
  static const struct {
    const char *header;
    guint count;
    const char *says;
  } bad[] = {
    { "{" TENSOR ("a.lora_A.weight", "[1,2]", 0, 8) "}", 2,
        "half of the LoRA of 'a'" },
    { "{" TENSOR ("a.lora_A.weight", "[1,2]", 0, 8) "," TENSOR (
          "a.lora_B.weight", "[1,2]", 8, 16) "}",
        4, "of 'a' do not fit" },
    { "{" TENSOR ("a.lora_A.weight", "[1,2]", 0, 8) "," TENSOR (
          "a.lora_B.weight", "[2,1]", 8, 16) "," TENSOR ("a.alpha", "[]", 16,
          20) "}",
        5, "alpha of the LoRA of 'a' is 0" },
    { "{" TENSOR ("a.dora_scale", "[2]", 0, 8) "}", 2, "a.dora_scale" },
    { "{" TENSOR ("model.a.diff", "[2]", 0, 8) "," TENSOR (
          "a.diff", "[2]", 8, 16) "}",
        4, "a.diff|model.a.diff|same" },
    { "{}", 0, "no tensors" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (make_lora (bad[i].header, bad[i].count, &error));
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
    check_says (error, bad[i].says);
  }
  vidgen_lora_free (NULL);
}

/* A LoRA of another model, and one of other sizes. */
static void
test_other_model (void)
{
  const float values[6] = { 0 };
  const VidgenTensor tensor = { .name = "a.weight",
    .type = VIDGEN_TENSOR_F32,
    .n_dims = 2,
    .shape = { 3, 2 },
    .data = (const guint8 *)values };
  const char *const names[] = { "b.weight", "a.weight", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenLora) unused =
      make_lora ("{" TENSOR ("c.diff", "[2]", 0, 8) "}", 2, &error);
  g_autoptr (VidgenLora) small =
      make_lora ("{" TENSOR ("a.lora_A.weight", "[1,2]", 0, 8) "," TENSOR (
                     "a.lora_B.weight", "[2,1]", 8, 16) "}",
          4, &error);
  VidgenUploadEdit edit = { NULL, NULL };

  g_assert_true (vidgen_lora_edit (unused, names, &tensor, &edit, &error));
  g_assert_null (edit.apply);
  g_assert_false (vidgen_lora_check_used (unused, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  check_says (error, "'c'");
  g_clear_error (&error);
  g_assert_false (vidgen_lora_edit (small, names, &tensor, &edit, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  check_says (error, "a.lora_B.weight|a.weight");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lora/layouts", test_layouts);
  g_test_add_func ("/lora/several", test_several);
  g_test_add_func ("/lora/halves", test_halves);
  g_test_add_func ("/lora/refused", test_refused);
  g_test_add_func ("/lora/other-model", test_other_model);
  return g_test_run ();
}
