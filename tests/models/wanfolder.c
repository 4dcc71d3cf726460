/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "tests/models/wanfolder.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "models/wan/conditioning.h"

#define SEED 0x1234567891

void
wan_folder_put (const char *folder, const char *golden, const char *name)
{
  g_autofree char *relative = g_strconcat (WAN_GOLDENS, golden, NULL);
  g_autofree char *from = fixture_path (relative);
  g_autofree char *to = g_build_filename (folder, name, NULL);

  g_assert_cmpint (symlink (from, to), ==, 0);
}

void
wan_folder_put_text (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

/* A folder of all but a text encoder; `side` is its text file. */
static char *
make_folder (const char *side, const char *decoder)
{
  g_autoptr (GError) error = NULL;
  char *path = g_dir_make_tmp ("vidgen-XXXXXX", &error);

  g_assert_no_error (error);
  wan_folder_put (path, "wan/weights.safetensors", "weights.safetensors");
  wan_folder_put (path, "wan/config.json", "config.json");
  wan_folder_put (path, decoder, "decoder.safetensors");
  wan_folder_put_text (path, "vidgen.ini", side);
  return path;
}

char *
wan_folder_make (const char *side)
{
  return make_folder (side, WAN_DECODER);
}

void
wan_folder_remove (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree char *file = g_build_filename (path, name, NULL);
    g_remove (file);
  }
  g_dir_close (dir);
  g_rmdir (path);
}

void
wan_folder_open (WanFolder *folder, VidgenDevice *device, const char *side)
{
  wan_folder_open_with (folder, device, side, WAN_DECODER);
}

void
wan_folder_open_with (WanFolder *folder, VidgenDevice *device, const char *side,
    const char *decoder)
{
  g_autoptr (GError) error = NULL;

  folder->path = make_folder (side, decoder);
  folder->device = device;
  folder->model = vidgen_model_open (folder->path, &error);
  g_assert_no_error (error);
  vidgen_model_load (folder->model, device, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
}

void
wan_folder_close (WanFolder *folder)
{
  vidgen_model_unref (folder->model);
  wan_folder_remove (folder->path);
  g_free (folder->path);
}

VidgenSafetensors *
wan_golden_open (const char *name)
{
  g_autofree char *relative =
      g_strdup_printf (WAN_GOLDENS "wan/%s.safetensors", name);
  g_autofree char *path = fixture_path (relative);
  g_autoptr (GError) error = NULL;
  VidgenSafetensors *golden = vidgen_safetensors_open (path, &error);

  g_assert_no_error (error);
  return golden;
}

GBytes *
wan_golden_prompt (const VidgenSafetensors *golden, guint prompt)
{
  g_autofree char *name = g_strdup_printf ("prompt%u", prompt);
  const VidgenTensor *tensor = vidgen_safetensors_find (golden, name);

  return vidgen_wan_conditioning_new (NULL, (guint)tensor->shape[1],
      (VidgenWanPrompt){ (const float *)tensor->data, (guint)tensor->shape[0] },
      (VidgenWanPrompt){ 0 });
}

void
wan_stream_set_bytes (
    VidgenStream *stream, VidgenModel *model, GBytes *bytes, guint blend_chunks)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenConditioning) conditioning =
      vidgen_conditioning_parse (model, bytes, &error);

  g_assert_no_error (error);
  vidgen_stream_set_conditioning (stream, conditioning, blend_chunks);
}

void
wan_stream_blend (VidgenStream *stream, VidgenModel *model,
    const VidgenSafetensors *golden, guint prompt, guint blend_chunks)
{
  g_autoptr (GBytes) bytes = wan_golden_prompt (golden, prompt);

  wan_stream_set_bytes (stream, model, bytes, blend_chunks);
}

void
wan_stream_set_prompt (VidgenStream *stream, VidgenModel *model,
    const VidgenSafetensors *golden, guint prompt)
{
  wan_stream_blend (stream, model, golden, prompt, 0);
}

VidgenStream *
wan_stream_new (WanFolder *folder, const VidgenSafetensors *golden)
{
  g_autoptr (GError) error = NULL;
  const VidgenStreamParams params = { .seed = SEED,
    .format = vidgen_model_info (folder->model)->native };
  VidgenStream *stream = vidgen_stream_new (folder->model, &params, &error);

  g_assert_no_error (error);
  wan_stream_set_prompt (stream, folder->model, golden, 0);
  return stream;
}

VidgenChunk *
wan_stream_next (VidgenStream *stream, gboolean video)
{
  g_autoptr (GError) error = NULL;
  const VidgenChunkRequest request = { .video = video,
    .picture_format = VIDGEN_PICTURE_RGB };
  VidgenChunk *chunk = vidgen_stream_next (stream, &request, NULL, &error);

  g_assert_no_error (error);
  return chunk;
}
