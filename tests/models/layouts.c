/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/names.h"

#include "models/checkpoint/json.h"
#include "tests/models/checkpoints.h"

#define NAMES "tests/models/goldens/wan/names.json"

/* The original names to those of diffusers, as their converter has them. */
static JsonNode *
read_pairs (void)
{
  g_autofree char *path = fixture_path (NAMES);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  JsonNode *root;
  gsize size;

  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  root = vidgen_json_parse (text, size, 2, NAMES, &error);
  g_assert_no_error (error);
  return root;
}

typedef char *(*Rename) (const char *original, const char *diffusers);

/* A checkpoint of one-value tensors whose names `rename` makes; the value is
 * the number of the original name. */
static VidgenCheckpoint *
make_checkpoint (JsonObject *pairs, Rename rename)
{
  g_autoptr (GString) header = g_string_new ("{");
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GList) names = json_object_get_members (pairs);
  g_autoptr (GError) error = NULL;
  VidgenCheckpoint *checkpoint;
  guint i = 0;

  for (GList *link = names; link; link = link->next, i++) {
    g_autofree char *name =
        rename (link->data, json_object_get_string_member (pairs, link->data));

    g_string_append_printf (header,
        "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%u,%u]}",
        i ? "," : "", name, 4 * i, 4 * i + 4);
  }
  g_string_append_c (header, '}');
  put_number (file, header->len, 8);
  put_bytes (file, header->str, header->len);
  for (guint j = 0; j < i; j++) {
    const float value = (float)j;

    put_bytes (file, &value, sizeof value);
  }
  bytes = g_bytes_new (file->data, file->len);
  checkpoint = vidgen_checkpoint_new (bytes, "file", &error);
  g_assert_no_error (error);
  return checkpoint;
}

static char *
name_original (const char *original, const char *diffusers G_GNUC_UNUSED)
{
  return g_strdup (original);
}

static char *
name_comfy (const char *original, const char *diffusers G_GNUC_UNUSED)
{
  return g_strconcat ("model.diffusion_model.", original, NULL);
}

static char *
name_student (const char *original, const char *diffusers G_GNUC_UNUSED)
{
  return g_strconcat ("generator.model.", original, NULL);
}

/* As written by FSDP, which wraps every block too. */
static char *
name_wrapped (const char *original, const char *diffusers G_GNUC_UNUSED)
{
  g_auto (GStrv) parts = g_strsplit (original, "blocks.0.", 2);
  g_autofree char *wrapped =
      g_strjoinv ("blocks.0._fsdp_wrapped_module.", parts);

  return g_strconcat (
      "generator_ema.model._fsdp_wrapped_module.", wrapped, NULL);
}

static char *
name_diffusers (const char *original G_GNUC_UNUSED, const char *diffusers)
{
  return g_strdup (diffusers);
}

static void
check_names (Rename rename, const char *preferred, const char *part)
{
  g_autoptr (JsonNode) root = read_pairs ();
  JsonObject *pairs = json_node_get_object (root);
  g_autoptr (VidgenCheckpoint) checkpoint = make_checkpoint (pairs, rename);
  g_autoptr (GList) originals = json_object_get_members (pairs);
  const char *found = vidgen_wan_names_part (checkpoint, preferred);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenNames) names = NULL;
  float number = 0;

  g_assert_cmpstr (found, ==, part);
  names = vidgen_wan_names_new (checkpoint, *found ? found : NULL, &error);
  g_assert_no_error (error);
  for (GList *link = originals; link; link = link->next, number++) {
    const VidgenTensor *tensor = vidgen_names_find (names, link->data);
    float value;

    if (!tensor)
      g_error ("'%s' is missing", (char *)link->data);
    vidgen_tensor_read_f32 (tensor, 0, 1, &value);
    g_assert_cmpfloat (value, ==, number);
  }
  g_assert_null (vidgen_names_find (names, "blocks.99.modulation"));
}

static void
test_layouts (void)
{
  check_names (name_original, NULL, "");
  check_names (name_comfy, NULL, "");
  check_names (name_student, NULL, "generator");
  check_names (name_student, "generator_ema", "generator");
  check_names (name_wrapped, NULL, "generator_ema");
  check_names (name_wrapped, "generator", "generator_ema");
  check_names (name_diffusers, NULL, "");
}

static void
test_translate (void)
{
  g_autoptr (JsonNode) root = read_pairs ();
  JsonObject *pairs = json_node_get_object (root);
  g_autoptr (GList) originals = json_object_get_members (pairs);
  g_autofree char *layer =
      vidgen_wan_names_in_diffusers ("blocks.12.self_attn.o");

  for (GList *link = originals; link; link = link->next) {
    g_autofree char *name = vidgen_wan_names_in_diffusers (link->data);

    g_assert_cmpstr (
        name, ==, json_object_get_string_member (pairs, link->data));
  }
  g_assert_cmpstr (layer, ==, "blocks.12.attn1.to_out.0");
}

static void
test_other (void)
{
  g_autoptr (VidgenCheckpoint) checkpoint = open_data ("wan.pth");
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_wan_names_part (checkpoint, NULL));
  g_assert_null (vidgen_wan_names_new (checkpoint, "generator", &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  check_says (error, "wan.pth|generator");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/layouts/wan", test_layouts);
  g_test_add_func ("/layouts/translate", test_translate);
  g_test_add_func ("/layouts/other", test_other);
  return g_test_run ();
}
