/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/checkpoint/names.h"

#include "tests/models/checkpoints.h"

/* Safetensors with an empty tensor of each name. */
static VidgenCheckpoint *
make_checkpoint (const char *const *tensors)
{
  g_autoptr (GString) header = g_string_new ("{");
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  VidgenCheckpoint *checkpoint;

  for (guint i = 0; tensors[i]; i++)
    g_string_append_printf (header,
        "%s\"%s\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}",
        i ? "," : "", tensors[i]);
  g_string_append_c (header, '}');
  put_number (file, header->len, 8);
  put_bytes (file, header->str, header->len);
  bytes = g_bytes_new (file->data, file->len);
  checkpoint = vidgen_checkpoint_new (bytes, "file", &error);
  g_assert_no_error (error);
  return checkpoint;
}

static void
check_name (const VidgenNames *names, const char *name, const char *in_file)
{
  const VidgenTensor *tensor = vidgen_names_find (names, name);

  g_assert_cmpstr (tensor ? tensor->name : NULL, ==, in_file);
}

static void
test_wrappers (void)
{
  const char *const tensors[] = { "model.diffusion_model.a",
    "diffusion_model.b", "model.c", "d",
    "_fsdp_wrapped_module.model._fsdp_wrapped_module.e",
    "blocks.0._fsdp_wrapped_module.model.f", "models.g", NULL };
  g_autoptr (VidgenCheckpoint) checkpoint = make_checkpoint (tensors);
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenNames) names = vidgen_names_new (checkpoint, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (vidgen_names_count (names), ==, 7);
  check_name (names, "a", tensors[0]);
  check_name (names, "b", tensors[1]);
  check_name (names, "c", tensors[2]);
  check_name (names, "d", tensors[3]);
  check_name (names, "e", tensors[4]);
  check_name (names, "blocks.0.model.f", tensors[5]);
  check_name (names, "models.g", tensors[6]);
  check_name (names, "model.c", NULL);
}

static void
test_parts (void)
{
  g_autoptr (VidgenCheckpoint) checkpoint = open_data ("wan.pth");
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenNames) plain =
      vidgen_names_new (checkpoint, "generator", &error);
  g_autoptr (VidgenNames) ema =
      vidgen_names_new (checkpoint, "generator_ema", &error);

  g_assert_no_error (error);
  g_assert_cmpuint (vidgen_names_count (plain), ==, 2);
  g_assert_cmpuint (vidgen_names_count (ema), ==, 8);
  check_name (plain, "weight", "generator.model.weight");
  check_name (plain, "half", NULL);
  check_name (ema, "half", "generator_ema.model._fsdp_wrapped_module.half");
  g_assert_null (vidgen_names_new (checkpoint, "gen", &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  check_says (error, "wan.pth'|below gen");
}

static void
test_clash (void)
{
  const char *const tensors[] = { "model.a", "a", NULL };
  g_autoptr (VidgenCheckpoint) checkpoint = make_checkpoint (tensors);
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_names_new (checkpoint, NULL, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
  check_says (error, "'model.a'|'a'|both");
}

static void
test_empty (void)
{
  const char *const tensors[] = { NULL };
  g_autoptr (VidgenCheckpoint) checkpoint = make_checkpoint (tensors);
  g_autoptr (GError) error = NULL;

  g_assert_null (vidgen_names_new (checkpoint, NULL, &error));
  check_says (error, "there are no tensors");
  vidgen_names_free (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/names/wrappers", test_wrappers);
  g_test_add_func ("/names/parts", test_parts);
  g_test_add_func ("/names/clash", test_clash);
  g_test_add_func ("/names/empty", test_empty);
  return g_test_run ();
}
