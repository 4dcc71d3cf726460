/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/tell.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "models/model.h"
#include "tests/models/fixture.h"

#define GOLDENS "tests/models/goldens/"

typedef struct {
  char *path;
} Folder;

static void
set_up (Folder *folder, gconstpointer data G_GNUC_UNUSED)
{
  folder->path = g_dir_make_tmp ("vidgen-XXXXXX", NULL);
  g_assert_nonnull (folder->path);
}

static void
tear_down (Folder *folder, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GDir) dir = g_dir_open (folder->path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree char *file = g_build_filename (folder->path, name, NULL);
    g_unlink (file);
  }
  g_rmdir (folder->path);
  g_free (folder->path);
}

/* A golden under another name. */
static void
add (const Folder *folder, const char *name, const char *golden)
{
  g_autofree char *below = g_strconcat (GOLDENS, golden, NULL);
  g_autofree char *from = fixture_path (below);
  g_autofree char *to = g_build_filename (folder->path, name, NULL);

  g_assert_cmpint (symlink (from, to), ==, 0);
}

static void
write_file (const Folder *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder->path, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static char *
tell (const Folder *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder->path, name, NULL);
  GString *report = g_string_new (NULL);

  vidgen_wan_tell_files (path, report);
  return g_string_free (report, FALSE);
}

/* The report has a line that begins with the file's path and goes on so. */
static void
assert_line (const Folder *folder, const char *report, const char *name,
    const char *rest)
{
  g_autofree char *start =
      g_strdup_printf ("%s/%s: %s", folder->path, name, rest);

  if (!strstr (report, start))
    g_error ("no '%s' in:\n%s", start, report);
}

static void
test_all (Folder *folder, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *report = NULL;
  g_autofree char *report_of_file = NULL;

  add (folder, "self_forcing_dmd.safetensors", "wan/weights.safetensors");
  add (folder, "dit.safetensors", "wan/clip-weights.safetensors");
  add (folder, "tae.safetensors", "decoders/taehv-weights.safetensors");
  add (folder, "vae.safetensors", "decoders/vae-weights.safetensors");
  add (folder, "text.safetensors", "umt5/comfy.safetensors");
  add (folder, "bare.pth", "umt5/wan/models_t5_umt5-xxl-enc-bf16.pth");
  add (folder, "lora.pt", "lora/peft.pt");
  add (folder, "other.safetensors", "umt5/states.safetensors");
  write_file (folder, "bad.safetensors", "no weights");
  report = tell (folder, "");
  report_of_file = tell (folder, "bad.safetensors");
  /* the path of a folder may end with a slash */
  for (char *slashes; (slashes = strstr (report, "//"));)
    memmove (slashes, slashes + 1, strlen (slashes));
  assert_line (folder, report, "self_forcing_dmd.safetensors",
      "transformer, preset self-forcing\n");
  assert_line (folder, report, "dit.safetensors", "transformer, preset wan\n");
  assert_line (folder, report, "tae.safetensors", "decoder taehv\n");
  assert_line (folder, report, "vae.safetensors", "decoder wan-vae\n");
  assert_line (folder, report, "text.safetensors", "text encoder umT5, needs ");
  assert_line (
      folder, report, "bare.pth", "text encoder umT5, broken: The tokenizer");
  assert_line (folder, report, "lora.pt", "LoRA of 5 tensors\n");
  assert_line (folder, report, "other.safetensors", "not of the family wan\n");
  assert_line (folder, report, "bad.safetensors", "broken: ");
  g_assert_null (strstr (report, "\nmissing: "));
  assert_line (folder, report_of_file, "bad.safetensors", "broken: ");
  g_assert_null (strstr (report_of_file, "other.safetensors"));
}

static void
test_missing (Folder *folder, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *report = NULL;
  g_autofree char *nothing = tell (folder, "");

  g_assert_cmpstr (nothing, ==, "");
  add (folder, "dit.safetensors", "wan/clip-weights.safetensors");
  report = tell (folder, "dit.safetensors");
  g_assert_nonnull (strstr (report, "missing: a decoder"));
  g_assert_nonnull (strstr (report, "missing: a text encoder"));
}

/* More than the weights in bf16, and no more than the f16 caches of 21 latents
 * of 832 x 480 explain: it goes into 12 GB. */
static void
test_published (void)
{
  g_autoptr (GArray) list =
      g_array_new (FALSE, FALSE, sizeof (VidgenPublished));
  guint presets = 0, parts = 0;

  vidgen_wan_list_published (list);
  for (guint i = 0; i < list->len; i++) {
    const VidgenPublished *published =
        &g_array_index (list, VidgenPublished, i);

    g_assert_cmpstr (published->family, ==, "wan");
    g_assert_nonnull (published->title);
    g_assert_nonnull (published->source);
    g_assert_nonnull (published->licence);
    if (published->name) {
      presets++;
      g_assert_cmpuint (published->memory_bytes, >, 2838035776u);
      g_assert_cmpuint (published->memory_bytes, <, 11500000000u);
    } else {
      parts++;
      g_assert_cmpuint (published->file_bytes, >, 0);
    }
  }
  g_assert_cmpuint (presets, >=, 7);
  g_assert_cmpuint (parts, >=, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/wan-tell/all", Folder, NULL, set_up, test_all, tear_down);
  g_test_add (
      "/wan-tell/missing", Folder, NULL, set_up, test_missing, tear_down);
  g_test_add_func ("/wan-tell/published", test_published);
  return g_test_run ();
}
