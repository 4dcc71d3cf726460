/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/umt5/umt5.h"

#include <string.h>

#include "models/checkpoint/file.h"
#include "models/checkpoint/folder.h"
#include "models/text/clean.h"
#include "models/umt5/vocabulary.h"
#include "shaders/runtime/error.h"

struct _VidgenUmt5 {
  char *path;
  VidgenUmt5Vocabulary *vocabulary;
  guint size;
  guint64 bytes, room_bytes;
  guint8 identity[VIDGEN_UMT5_IDENTITY_BYTES];
  const VidgenTap *tap;
  /* While it is loaded, and while it is opened. */
  VidgenNames *names;
  VidgenUmt5Weights weights;
  VidgenUmt5Encoder *encoder;
  VidgenDevice *device; /* not owned: the encoder holds it */
};

gboolean
vidgen_umt5_probe (VidgenCheckpoint *checkpoint)
{
  g_autoptr (VidgenNames) names = vidgen_names_new (checkpoint, NULL, NULL);

  return names && vidgen_umt5_weights_probe (names);
}

static GBytes *
map_config (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *config = g_build_filename (folder, "config.json", NULL);

  return vidgen_file_map (config, NULL);
}

static gboolean
find_weights (VidgenUmt5 *umt5, VidgenCheckpoint *checkpoint, GError **error)
{
  g_autoptr (GBytes) config = map_config (umt5->path);

  umt5->names = vidgen_names_new (checkpoint, NULL, error);
  return umt5->names && vidgen_umt5_weights_find (&umt5->weights, umt5->names,
                            umt5->path, config, error);
}

static void
drop_weights (VidgenUmt5 *umt5)
{
  vidgen_umt5_weights_clear (&umt5->weights);
  g_clear_pointer (&umt5->names, vidgen_names_free);
}

static void
identify (const VidgenUmt5 *umt5, guint8 *identity)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize bytes = VIDGEN_UMT5_IDENTITY_BYTES;

  vidgen_umt5_weights_sum (&umt5->weights, sum);
  vidgen_umt5_vocabulary_sum (umt5->vocabulary, sum);
  g_checksum_get_digest (sum, identity, &bytes);
}

/* The checkpoint and its path. */
static VidgenCheckpoint *
open_checkpoint (const char *path, char **found, GError **error)
{
  g_autoptr (GPtrArray) files = vidgen_folder_open (path, error);

  if (!files)
    return NULL;
  for (guint i = 0; i < files->len; i++) {
    VidgenFolderFile *file = files->pdata[i];

    if (g_str_equal (file->path, path) && file->error) {
      g_propagate_error (error, g_steal_pointer (&file->error));
      return NULL;
    }
    if (file->checkpoint && vidgen_umt5_probe (file->checkpoint)) {
      *found = g_strdup (file->path);
      return g_steal_pointer (&file->checkpoint);
    }
  }
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
      "There is no text encoder umT5 in '%s'.", path);
  return NULL;
}

static gboolean
read_all (VidgenUmt5 *umt5, VidgenCheckpoint *checkpoint, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (umt5->path);

  umt5->vocabulary = vidgen_umt5_vocabulary_open (checkpoint, folder, error);
  if (!umt5->vocabulary || !find_weights (umt5, checkpoint, error))
    return FALSE;
  umt5->size = umt5->weights.config.size;
  umt5->bytes =
      vidgen_umt5_encoder_bytes (&umt5->weights, VIDGEN_UMT5_MAX_TOKENS);
  identify (umt5, umt5->identity);
  drop_weights (umt5);
  return TRUE;
}

VidgenUmt5 *
vidgen_umt5_open (const char *path, GError **error)
{
  g_autoptr (VidgenUmt5) umt5 = g_new0 (VidgenUmt5, 1);
  g_autoptr (VidgenCheckpoint) checkpoint =
      open_checkpoint (path, &umt5->path, error);

  return checkpoint && read_all (umt5, checkpoint, error)
             ? g_steal_pointer (&umt5)
             : NULL;
}

void
vidgen_umt5_free (VidgenUmt5 *umt5)
{
  if (!umt5)
    return;
  vidgen_umt5_unload (umt5);
  drop_weights (umt5);
  vidgen_umt5_vocabulary_free (umt5->vocabulary);
  g_free (umt5->path);
  g_free (umt5);
}

const char *
vidgen_umt5_path (const VidgenUmt5 *umt5)
{
  return umt5->path;
}

guint
vidgen_umt5_size (const VidgenUmt5 *umt5)
{
  return umt5->size;
}

void
vidgen_umt5_identify (
    const VidgenUmt5 *umt5, guint8 identity[VIDGEN_UMT5_IDENTITY_BYTES])
{
  memcpy (identity, umt5->identity, VIDGEN_UMT5_IDENTITY_BYTES);
}

guint64
vidgen_umt5_bytes (const VidgenUmt5 *umt5)
{
  return umt5->bytes;
}

static gboolean
check_same (const VidgenUmt5 *umt5, GError **error)
{
  guint8 identity[VIDGEN_UMT5_IDENTITY_BYTES];

  identify (umt5, identity);
  return memcmp (identity, umt5->identity, sizeof identity) == 0 ||
         vidgen_file_fail (
             error, umt5->path, "the file has changed since it was opened.");
}

gboolean
vidgen_umt5_load (VidgenUmt5 *umt5, VidgenDevice *device, GError **error)
{
  g_autoptr (VidgenCheckpoint) checkpoint = NULL;

  if (umt5->encoder && umt5->device == device)
    return TRUE;
  vidgen_umt5_unload (umt5);
  checkpoint = vidgen_checkpoint_open (umt5->path, error);
  if (checkpoint && find_weights (umt5, checkpoint, error) &&
      check_same (umt5, error))
    umt5->encoder = vidgen_umt5_encoder_new (
        &umt5->weights, device, VIDGEN_UMT5_MAX_TOKENS, error);
  if (umt5->encoder)
    vidgen_umt5_encoder_set_room (umt5->encoder, umt5->room_bytes);
  else
    drop_weights (umt5);
  umt5->device = device;
  return umt5->encoder != NULL;
}

void
vidgen_umt5_set_room (VidgenUmt5 *umt5, guint64 bytes)
{
  umt5->room_bytes = bytes;
  if (umt5->encoder)
    vidgen_umt5_encoder_set_room (umt5->encoder, bytes);
}

guint64
vidgen_umt5_kept_bytes (const VidgenUmt5 *umt5, VidgenDevice *device)
{
  return umt5->encoder && umt5->device == device
             ? vidgen_umt5_encoder_kept_bytes (umt5->encoder)
             : 0;
}

void
vidgen_umt5_unload (VidgenUmt5 *umt5)
{
  g_clear_pointer (&umt5->encoder, vidgen_umt5_encoder_free);
  drop_weights (umt5);
}

static gboolean
check_tokens (const VidgenUmt5 *umt5, const GArray *tokens, GError **error)
{
  const guint n_rows = umt5->weights.config.vocabulary;

  if (tokens->len == 0)
    return vidgen_file_fail (error,
        vidgen_umt5_vocabulary_name (umt5->vocabulary),
        "the tokenizer puts no token at a text's end.");
  for (guint i = 0; i < tokens->len; i++) {
    const guint32 token = g_array_index (tokens, guint32, i);

    if (token >= n_rows)
      return vidgen_file_fail (error, umt5->path,
          "the tokenizer '%s' has token %u, the embedding only %u rows.",
          vidgen_umt5_vocabulary_name (umt5->vocabulary), token, n_rows);
  }
  return TRUE;
}

float *
vidgen_umt5_encode (VidgenUmt5 *umt5, const char *prompt, guint max_rows,
    guint *rows, VidgenUmt5Progress progress, gpointer user_data,
    GCancellable *cancellable, GError **error)
{
  g_autofree char *clean = vidgen_clean_text (prompt);
  g_autoptr (GArray) tokens = vidgen_umt5_vocabulary_encode (
      umt5->vocabulary, clean, MIN (max_rows, VIDGEN_UMT5_MAX_TOKENS), error);

  g_return_val_if_fail (umt5->encoder != NULL, NULL);
  if (!tokens || !check_tokens (umt5, tokens, error))
    return NULL;
  *rows = tokens->len;
  return vidgen_umt5_encoder_run (umt5->encoder,
      (const guint32 *)(gpointer)tokens->data, tokens->len, umt5->tap, progress,
      user_data, cancellable, error);
}

void
vidgen_umt5_set_tap (VidgenUmt5 *umt5, const VidgenTap *tap)
{
  umt5->tap = tap;
}
