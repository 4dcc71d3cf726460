/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/files.h"

#include "models/checkpoint/file.h"
#include "models/checkpoint/folder.h"
#include "models/decoder.h"
#include "models/lora.h"
#include "models/umt5/umt5.h"
#include "models/wan/names.h"
#include "shaders/runtime/error.h"

VidgenWanRole
vidgen_wan_role (VidgenCheckpoint *checkpoint)
{
  if (vidgen_wan_names_part (checkpoint, NULL))
    return VIDGEN_WAN_TRANSFORMER;
  if (vidgen_lora_probe (checkpoint))
    return VIDGEN_WAN_LORA;
  if (vidgen_umt5_probe (checkpoint))
    return VIDGEN_WAN_TEXT_ENCODER;
  return vidgen_decoder_probe (checkpoint) ? VIDGEN_WAN_DECODER
                                           : VIDGEN_WAN_OTHER;
}

static GPtrArray *
list_role (GPtrArray *all, VidgenWanRole role)
{
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; i < all->len; i++) {
    VidgenFolderFile *file = all->pdata[i];

    if (file->checkpoint && vidgen_wan_role (file->checkpoint) == role)
      g_ptr_array_add (list, file);
  }
  return list;
}

/* The checkpoint at `path` if it has the role. */
static VidgenCheckpoint *
open_named (
    const char *path, VidgenWanRole role, const char *what, GError **error)
{
  g_autoptr (VidgenCheckpoint) checkpoint =
      vidgen_checkpoint_open (path, error);

  if (!checkpoint)
    return NULL;
  if (vidgen_wan_role (checkpoint) == role)
    return g_steal_pointer (&checkpoint);
  vidgen_file_fail (error, path, "this is no %s of the family Wan.", what);
  return NULL;
}

/* The only one of a role, or NULL; FALSE where there are several. */
static gboolean
take_only (GPtrArray *all, VidgenWanRole role, const char *what,
    const char *key, const char *location, VidgenCheckpoint **checkpoint,
    GError **error)
{
  g_autoptr (GPtrArray) list = list_role (all, role);
  const VidgenFolderFile *first = list->len ? list->pdata[0] : NULL;

  if (list->len > 1)
    return vidgen_file_fail (error, location,
        "there are %u %ss, such as '%s' and '%s'; name one as '%s' in "
        "vidgen.ini.",
        list->len, what, first->path,
        ((VidgenFolderFile *)list->pdata[1])->path, key);
  if (first)
    *checkpoint = vidgen_checkpoint_ref (first->checkpoint);
  return TRUE;
}

static gboolean
find_transformer (VidgenWanFiles *files, GPtrArray *all, const char *location,
    const VidgenWanPreset *preset, GError **error)
{
  const char *path = preset->transformer;

  if (!path && g_file_test (location, G_FILE_TEST_IS_REGULAR))
    path = location;
  if (path)
    files->transformer =
        open_named (path, VIDGEN_WAN_TRANSFORMER, "transformer", error);
  else if (!take_only (all, VIDGEN_WAN_TRANSFORMER, "transformer",
               "transformer", location, &files->transformer, error))
    return FALSE;
  else if (!files->transformer)
    g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
        "There is no transformer of the family Wan in '%s'.", location);
  return files->transformer != NULL;
}

static gboolean
find_decoder (VidgenWanFiles *files, GPtrArray *all,
    const VidgenWanPreset *preset, GError **error)
{
  g_autoptr (GPtrArray) list = list_role (all, VIDGEN_WAN_DECODER);

  if (preset->decoder) {
    files->decoder =
        open_named (preset->decoder, VIDGEN_WAN_DECODER, "decoder", error);
    return files->decoder != NULL;
  }
  for (guint i = 0; i < list->len; i++) {
    const VidgenFolderFile *file = list->pdata[i];
    g_autoptr (VidgenDecoder) decoder =
        vidgen_decoder_open (file->checkpoint, NULL);
    const gboolean fast =
        decoder && g_str_equal (vidgen_decoder_kind (decoder), "taehv");

    if (fast || !files->decoder) {
      vidgen_checkpoint_unref (files->decoder);
      files->decoder = vidgen_checkpoint_ref (file->checkpoint);
    }
    if (fast)
      break;
  }
  return TRUE;
}

static gboolean
find_lora (VidgenWanFiles *files, GPtrArray *all, const char *location,
    const VidgenWanPreset *preset, GError **error)
{
  if (!preset->lora)
    return take_only (
        all, VIDGEN_WAN_LORA, "LoRA", "lora", location, &files->lora, error);
  files->lora = open_named (preset->lora, VIDGEN_WAN_LORA, "LoRA", error);
  return files->lora != NULL;
}

static gboolean
find_text_encoder (VidgenWanFiles *files, GPtrArray *all,
    const VidgenWanPreset *preset, GError **error)
{
  g_autoptr (GPtrArray) list = list_role (all, VIDGEN_WAN_TEXT_ENCODER);

  if (!preset->text_encoder) {
    if (list->len)
      files->text_encoder =
          g_strdup (((VidgenFolderFile *)list->pdata[0])->path);
    return TRUE;
  }
  files->text_encoder = g_strdup (preset->text_encoder);
  if (g_file_test (preset->text_encoder, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
      "The text encoder '%s' is missing.", preset->text_encoder);
  return FALSE;
}

static char *
find_config (const VidgenCheckpoint *transformer)
{
  g_autofree char *folder =
      g_path_get_dirname (vidgen_checkpoint_name (transformer));
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);

  return g_file_test (path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&path)
                                                    : NULL;
}

/* The folder that a location stands for. */
static char *
folder_of (const char *location)
{
  return g_file_test (location, G_FILE_TEST_IS_REGULAR)
             ? g_path_get_dirname (location)
             : g_strdup (location);
}

VidgenWanFiles *
vidgen_wan_files_find (
    const char *location, const VidgenWanPreset *preset, GError **error)
{
  g_autoptr (VidgenWanFiles) files = g_new0 (VidgenWanFiles, 1);
  g_autofree char *folder = folder_of (location);
  g_autoptr (GPtrArray) all = vidgen_folder_open (folder, error);

  if (!all || !find_transformer (files, all, location, preset, error) ||
      !find_decoder (files, all, preset, error) ||
      !find_lora (files, all, location, preset, error) ||
      !find_text_encoder (files, all, preset, error))
    return NULL;
  files->config = find_config (files->transformer);
  return g_steal_pointer (&files);
}

void
vidgen_wan_files_free (VidgenWanFiles *files)
{
  if (!files)
    return;
  vidgen_checkpoint_unref (files->transformer);
  vidgen_checkpoint_unref (files->decoder);
  vidgen_checkpoint_unref (files->lora);
  g_free (files->text_encoder);
  g_free (files->config);
  g_free (files);
}

gboolean
vidgen_wan_files_probe (const char *location)
{
  g_autofree char *ini = g_build_filename (location, "vidgen.ini", NULL);
  g_autoptr (GPtrArray) all = NULL;
  g_autoptr (GPtrArray) transformers = NULL;

  if (g_file_test (ini, G_FILE_TEST_IS_REGULAR))
    return TRUE;
  all = vidgen_folder_open (location, NULL);
  if (!all)
    return FALSE;
  transformers = list_role (all, VIDGEN_WAN_TRANSFORMER);
  return transformers->len > 0;
}

static void
tell_transformer (
    const char *path, VidgenCheckpoint *checkpoint, GString *report)
{
  g_autoptr (VidgenWanPreset) preset = vidgen_wan_preset_guess (path);
  const char *part = vidgen_wan_names_part (checkpoint, preset->part);

  g_string_append_printf (report, "transformer, preset %s", preset->name);
  if (part && *part)
    g_string_append_printf (report, ", part %s", part);
}

static void
tell_text_encoder (const char *path, GString *report)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenUmt5) umt5 = vidgen_umt5_open (path, &error);
  g_autofree char *memory =
      umt5 ? g_format_size (vidgen_umt5_bytes (umt5)) : NULL;

  if (umt5)
    g_string_append_printf (report,
        "text encoder umT5, needs %s of device memory while it encodes",
        memory);
  else
    g_string_append_printf (
        report, "text encoder umT5, broken: %s", error->message);
}

static void
tell_decoder (VidgenCheckpoint *checkpoint, GString *report)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDecoder) decoder = vidgen_decoder_open (checkpoint, &error);

  if (decoder)
    g_string_append_printf (
        report, "decoder %s", vidgen_decoder_kind (decoder));
  else
    g_string_append_printf (report, "decoder, broken: %s", error->message);
}

static void
tell_lora (VidgenCheckpoint *checkpoint, GString *report)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenLora) lora = vidgen_lora_new (checkpoint, 1, &error);

  if (lora)
    g_string_append_printf (
        report, "LoRA of %u tensors", vidgen_lora_count (lora));
  else
    g_string_append_printf (report, "LoRA, broken: %s", error->message);
}

static void
tell_file (const VidgenFolderFile *file, GString *report)
{
  g_string_append_printf (report, "%s: ", file->path);
  if (file->error) {
    g_string_append_printf (report, "broken: %s\n", file->error->message);
    return;
  }
  switch (vidgen_wan_role (file->checkpoint)) {
  case VIDGEN_WAN_TRANSFORMER:
    tell_transformer (file->path, file->checkpoint, report);
    break;
  case VIDGEN_WAN_TEXT_ENCODER:
    tell_text_encoder (file->path, report);
    break;
  case VIDGEN_WAN_DECODER:
    tell_decoder (file->checkpoint, report);
    break;
  case VIDGEN_WAN_LORA:
    tell_lora (file->checkpoint, report);
    break;
  case VIDGEN_WAN_OTHER:
    g_string_append (report, "not of the family wan");
    break;
  }
  g_string_append_c (report, '\n');
}

void
vidgen_wan_files_tell (const char *location, GString *report)
{
  g_autofree char *folder = folder_of (location);
  g_autoptr (GPtrArray) all = vidgen_folder_open (folder, NULL);

  for (guint i = 0; all && i < all->len; i++) {
    const VidgenFolderFile *file = all->pdata[i];

    if (g_str_equal (folder, location) || g_str_equal (file->path, location) ||
        (file->checkpoint &&
            vidgen_wan_role (file->checkpoint) != VIDGEN_WAN_OTHER))
      tell_file (file, report);
  }
}
