/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/parts.h"

#include "models/checkpoint/folder.h"
#include "shaders/runtime/error.h"

#define SIDE_FILE "vidgen.ini"
#define SIDE_SUFFIX ".ini"
#define CONFIG_FILE "config.json"
#define CLIP_PRESET "wan"
#define LORA_PRESET "longlive"
#define SMALL_DECODER "taehv"

static gboolean
is_transformer (VidgenCheckpoint *checkpoint)
{
  return vidgen_wan_names_part (checkpoint, NULL) != NULL;
}

static char *
folder_of (const char *location)
{
  return g_file_test (location, G_FILE_TEST_IS_DIR)
             ? g_strdup (location)
             : g_path_get_dirname (location);
}

static void fail (GError **error, VidgenError code, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static void
fail (GError **error, VidgenError code, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, VIDGEN_ERROR, code, message);
}

/* The transformer of a folder: that of a student before the model it comes
 * from. NULL where there is none, or two that are alike, of which *other is
 * the second. */
static const VidgenFolderFile *
choose_transformer (GPtrArray *files, const VidgenFolderFile **other)
{
  const VidgenFolderFile *chosen = NULL;
  gboolean chosen_clip = FALSE;

  *other = NULL;
  for (guint i = 0; i < files->len; i++) {
    const VidgenFolderFile *file = g_ptr_array_index (files, i);
    g_autoptr (VidgenWanPreset) preset = NULL;
    gboolean clip;

    if (!file->checkpoint || !is_transformer (file->checkpoint))
      continue;
    preset = vidgen_wan_preset_guess (file->path);
    clip = g_str_equal (preset->name, CLIP_PRESET);
    if (chosen && clip == chosen_clip) {
      *other = file;
    } else if (!chosen || chosen_clip) {
      chosen = file;
      chosen_clip = clip;
      *other = NULL;
    }
  }
  return chosen;
}

gboolean
vidgen_wan_parts_probe (const char *location)
{
  g_autoptr (GPtrArray) files = NULL;
  const VidgenFolderFile *other;

  if (!g_file_test (location, G_FILE_TEST_EXISTS))
    return FALSE;
  files = vidgen_folder_open (location, NULL);
  return files && choose_transformer (files, &other);
}

static gboolean
read_side_file (VidgenWanParts *parts, const char *path, GError **error)
{
  return !g_file_test (path, G_FILE_TEST_EXISTS) ||
         vidgen_wan_preset_read (&parts->preset, path, error);
}

static gboolean
find_transformer (VidgenWanParts *parts, const char *location, GPtrArray *files,
    GError **error)
{
  const VidgenFolderFile *other, *file;

  if (parts->preset && parts->preset->transformer) {
    parts->path = g_strdup (parts->preset->transformer);
    return TRUE;
  }
  if (!g_file_test (location, G_FILE_TEST_IS_DIR)) {
    parts->path = g_strdup (location);
    return TRUE;
  }
  file = choose_transformer (files, &other);
  if (!file)
    fail (error, VIDGEN_ERROR_NOT_FOUND,
        "'%s' holds no transformer of the family Wan.", location);
  else if (other)
    fail (error, VIDGEN_ERROR_INVALID,
        "'%s' holds several transformers, such as '%s' and '%s': name one of "
        "them instead of the folder.",
        location, file->path, other->path);
  else
    parts->path = g_strdup (file->path);
  return parts->path != NULL;
}

/* The preset of the transformer's name, changed by the side files. */
static gboolean
find_preset (VidgenWanParts *parts, const char *folder, GError **error)
{
  g_autofree char *common = g_build_filename (folder, SIDE_FILE, NULL);
  g_autofree char *own = g_strconcat (parts->path, SIDE_SUFFIX, NULL);

  vidgen_wan_preset_free (parts->preset);
  parts->preset = vidgen_wan_preset_guess (parts->path);
  return read_side_file (parts, common, error) &&
         read_side_file (parts, own, error);
}

static gboolean
open_transformer (VidgenWanParts *parts, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (parts->path);
  g_autofree char *config = g_build_filename (folder, CONFIG_FILE, NULL);
  g_autoptr (VidgenCheckpoint) checkpoint =
      vidgen_checkpoint_open (parts->path, error);
  const char *part;

  if (!checkpoint)
    return FALSE;
  part = vidgen_wan_names_part (checkpoint, parts->preset->part);
  if (!part) {
    fail (error, VIDGEN_ERROR_FORMAT,
        "'%s' holds no transformer of the family Wan.", parts->path);
    return FALSE;
  }
  parts->names = vidgen_wan_names_new (checkpoint, *part ? part : NULL, error);
  if (g_file_test (config, G_FILE_TEST_IS_REGULAR))
    parts->config = g_steal_pointer (&config);
  return parts->names != NULL;
}

static gboolean
open_lora (VidgenWanParts *parts, GPtrArray *files, GError **error)
{
  g_autoptr (VidgenCheckpoint) checkpoint = NULL;

  parts->lora_path = g_strdup (parts->preset->lora);
  for (guint i = 0; i < files->len && !parts->lora_path &&
                    g_str_equal (parts->preset->name, LORA_PRESET);
       i++) {
    const VidgenFolderFile *file = g_ptr_array_index (files, i);

    if (file->checkpoint && vidgen_lora_probe (file->checkpoint))
      parts->lora_path = g_strdup (file->path);
  }
  if (!parts->lora_path)
    return TRUE;
  checkpoint = vidgen_checkpoint_open (parts->lora_path, error);
  if (checkpoint)
    parts->loras[0] = vidgen_lora_new (checkpoint, 1, error);
  return parts->loras[0] != NULL;
}

static gboolean
open_decoder_at (VidgenWanParts *parts, const char *path, GError **error)
{
  g_autoptr (VidgenCheckpoint) checkpoint =
      vidgen_checkpoint_open (path, error);

  if (!checkpoint)
    return FALSE;
  parts->decoder_path = g_strdup (path);
  parts->decoder = vidgen_decoder_open (checkpoint, error);
  return parts->decoder != NULL;
}

static gboolean
open_decoder (
    VidgenWanParts *parts, GPtrArray *files, const char *folder, GError **error)
{
  if (parts->preset->decoder)
    return open_decoder_at (parts, parts->preset->decoder, error);
  for (guint i = 0; i < files->len; i++) {
    const VidgenFolderFile *file = g_ptr_array_index (files, i);
    g_autoptr (VidgenDecoder) decoder = NULL;

    if (!file->checkpoint || !vidgen_decoder_probe (file->checkpoint))
      continue;
    decoder = vidgen_decoder_open (file->checkpoint, error);
    if (!decoder)
      return FALSE;
    if (parts->decoder &&
        !g_str_equal (vidgen_decoder_kind (decoder), SMALL_DECODER))
      continue;
    vidgen_decoder_free (parts->decoder);
    g_free (parts->decoder_path);
    parts->decoder = g_steal_pointer (&decoder);
    parts->decoder_path = g_strdup (file->path);
  }
  if (!parts->decoder)
    fail (error, VIDGEN_ERROR_NOT_FOUND,
        "'%s' holds no decoder of latents: put 'taew2_1.safetensors' or "
        "'Wan2.1_VAE.pth' there.",
        folder);
  return parts->decoder != NULL;
}

static gboolean
open_text (VidgenWanParts *parts, GPtrArray *files, GError **error)
{
  const char *path = parts->preset->text_encoder;

  for (guint i = 0; i < files->len && !path; i++) {
    const VidgenFolderFile *file = g_ptr_array_index (files, i);

    if (file->checkpoint && vidgen_umt5_probe (file->checkpoint))
      path = file->path;
  }
  if (!path)
    return TRUE;
  parts->text = vidgen_umt5_open (path, error);
  return parts->text != NULL;
}

static gboolean
open_all (VidgenWanParts *parts, const char *location, GError **error)
{
  const char *folder = parts->folder = folder_of (location);
  g_autofree char *side = g_build_filename (folder, SIDE_FILE, NULL);
  g_autoptr (GPtrArray) files = vidgen_folder_open (folder, error);

  if (!files)
    return FALSE;
  parts->preset = vidgen_wan_preset_guess (location);
  return read_side_file (parts, side, error) &&
         find_transformer (parts, location, files, error) &&
         find_preset (parts, folder, error) &&
         open_transformer (parts, error) && open_lora (parts, files, error) &&
         open_decoder (parts, files, folder, error) &&
         open_text (parts, files, error);
}

VidgenWanParts *
vidgen_wan_parts_open (const char *location, GError **error)
{
  g_autoptr (VidgenWanParts) parts = g_new0 (VidgenWanParts, 1);

  return open_all (parts, location, error) ? g_steal_pointer (&parts) : NULL;
}

void
vidgen_wan_parts_free (VidgenWanParts *parts)
{
  if (!parts)
    return;
  vidgen_wan_preset_free (parts->preset);
  vidgen_names_free (parts->names);
  vidgen_lora_free (parts->loras[0]);
  vidgen_decoder_free (parts->decoder);
  vidgen_umt5_free (parts->text);
  g_free (parts->folder);
  g_free (parts->path);
  g_free (parts->config);
  g_free (parts->lora_path);
  g_free (parts->decoder_path);
  g_free (parts);
}
