/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/umt5/vocabulary.h"

#include <string.h>

#include "models/checkpoint/file.h"
#include "models/text/sentencepiece.h"
#include "models/text/tokenizer-json.h"
#include "shaders/runtime/error.h"

#define GGML "tokenizer.ggml."

struct _VidgenUmt5Vocabulary {
  VidgenSentencepiece *pieces; /* one of the two */
  VidgenTokenizerJson *json;
  char *name;
  char *sum; /* of what it was read from */
};

static const char *const places[] = { "", "google/umt5-xxl", "tokenizer",
  "../google/umt5-xxl", "../tokenizer" };

static gboolean
read_pieces (VidgenUmt5Vocabulary *vocabulary, gconstpointer data, gsize bytes,
    GError **error)
{
  vocabulary->pieces =
      vidgen_sentencepiece_new (data, bytes, vocabulary->name, error);
  vocabulary->sum =
      g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, bytes);
  return vocabulary->pieces != NULL;
}

static gboolean
read_json (VidgenUmt5Vocabulary *vocabulary, gconstpointer data, gsize bytes,
    GError **error)
{
  vocabulary->json =
      vidgen_tokenizer_json_new (data, bytes, vocabulary->name, error);
  vocabulary->sum =
      g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, bytes);
  return vocabulary->json != NULL;
}

/* The lists of GGUF that tell pieces; all of one length. */
typedef struct {
  const VidgenCheckpointList *texts, *scores, *types;
} Lists;

static gboolean
find_lists (const VidgenCheckpoint *checkpoint, Lists *lists, GError **error)
{
  lists->texts = vidgen_checkpoint_list (checkpoint, GGML "tokens");
  lists->scores = vidgen_checkpoint_list (checkpoint, GGML "scores");
  lists->types = vidgen_checkpoint_list (checkpoint, GGML "token_type");
  if (!lists->texts || !lists->scores || !lists->types ||
      !lists->texts->is_text || lists->scores->is_text ||
      lists->scores->type != VIDGEN_TENSOR_F32 || lists->types->is_text ||
      lists->types->type != VIDGEN_TENSOR_I32 ||
      lists->scores->count != lists->texts->count ||
      lists->types->count != lists->texts->count ||
      lists->texts->count > VIDGEN_UNIGRAM_MAX_PIECES)
    return vidgen_file_fail (error, vidgen_checkpoint_name (checkpoint),
        "the lists '" GGML "tokens', 'scores' and 'token_type' are no "
        "vocabulary.");
  return TRUE;
}

static VidgenPiece *
make_pieces (const Lists *lists, gboolean *has_bytes)
{
  VidgenPiece *pieces = g_new (VidgenPiece, lists->texts->count + 1);
  const guint8 *text = lists->texts->data;

  *has_bytes = FALSE;
  for (guint64 i = 0; i < lists->texts->count; i++) {
    guint64 bytes;
    gint32 type;
    float score;

    memcpy (&bytes, text, sizeof bytes);
    memcpy (&score, lists->scores->data + 4 * i, sizeof score);
    memcpy (&type, lists->types->data + 4 * i, sizeof type);
    pieces[i] = (VidgenPiece){ .text = (const char *)text + sizeof bytes,
      .bytes = bytes,
      .score = (double)score,
      .type = type >= VIDGEN_PIECE_NORMAL && type <= VIDGEN_PIECE_BYTE
                  ? (VidgenPieceType)type
                  : VIDGEN_PIECE_NORMAL };
    *has_bytes |= pieces[i].type == VIDGEN_PIECE_BYTE;
    text += sizeof bytes + bytes;
  }
  return pieces;
}

static gboolean
is_true (const VidgenCheckpoint *checkpoint, const char *key, gboolean missing)
{
  const char *value = vidgen_checkpoint_metadata (checkpoint, key);

  return value ? g_str_equal (value, "true") : missing;
}

static char *
sum_lists (const Lists *lists, const VidgenCheckpointList *map)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  g_checksum_update (sum, lists->texts->data, (gssize)lists->texts->bytes);
  g_checksum_update (sum, lists->scores->data, (gssize)lists->scores->bytes);
  g_checksum_update (sum, lists->types->data, (gssize)lists->types->bytes);
  if (map)
    g_checksum_update (sum, map->data, (gssize)map->bytes);
  return g_strdup (g_checksum_get_string (sum));
}

static gboolean
read_gguf (VidgenUmt5Vocabulary *vocabulary, const VidgenCheckpoint *checkpoint,
    GError **error)
{
  const VidgenCheckpointList *map =
      vidgen_checkpoint_list (checkpoint, GGML "precompiled_charsmap");
  g_autofree VidgenPiece *pieces = NULL;
  VidgenSentencepieceParts parts = {
    .rules = { .add_dummy_prefix =
                   is_true (checkpoint, GGML "add_space_prefix", TRUE),
        .remove_extra_spaces =
            is_true (checkpoint, GGML "remove_extra_whitespaces", TRUE),
        .escape_spaces = TRUE },
  };
  Lists lists;

  if (!find_lists (checkpoint, &lists, error))
    return FALSE;
  pieces = make_pieces (&lists, &parts.byte_fallback);
  parts.pieces = pieces;
  parts.n_pieces = (guint)lists.texts->count;
  if (map && !map->is_text) {
    parts.charsmap = map->data;
    parts.charsmap_bytes = map->bytes;
  }
  vocabulary->pieces =
      vidgen_sentencepiece_new_of (&parts, vocabulary->name, error);
  vocabulary->sum = sum_lists (&lists, map);
  return vocabulary->pieces != NULL;
}

static gboolean
read_file (VidgenUmt5Vocabulary *vocabulary, GError **error)
{
  g_autoptr (GBytes) bytes = vidgen_file_map (vocabulary->name, error);
  gconstpointer data;
  gsize size;

  if (!bytes)
    return FALSE;
  data = g_bytes_get_data (bytes, &size);
  return g_str_has_suffix (vocabulary->name, ".json")
             ? read_json (vocabulary, data, size, error)
             : read_pieces (vocabulary, data, size, error);
}

static char *
find_file (const char *folder)
{
  static const char *const names[] = { "tokenizer.json", "spiece.model" };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (names); j++) {
      g_autofree char *path =
          g_build_filename (folder, places[i], names[j], NULL);

      if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&path);
    }
  }
  return NULL;
}

static gboolean
read_any (VidgenUmt5Vocabulary *vocabulary, const VidgenCheckpoint *checkpoint,
    const char *folder, GError **error)
{
  const VidgenTensor *tensor =
      vidgen_checkpoint_find (checkpoint, "spiece_model");

  vocabulary->name = g_strdup (vidgen_checkpoint_name (checkpoint));
  if (tensor && vidgen_tensor_type_bytes (tensor->type) == 1)
    return read_pieces (vocabulary, tensor->data, tensor->bytes, error);
  if (vidgen_checkpoint_list (checkpoint, GGML "tokens"))
    return read_gguf (vocabulary, checkpoint, error);
  g_free (vocabulary->name);
  vocabulary->name = find_file (folder);
  if (vocabulary->name)
    return read_file (vocabulary, error);
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_NOT_FOUND,
      "The tokenizer of '%s' is missing: there is neither a tokenizer.json nor "
      "a spiece.model in '%s', its google/umt5-xxl or its tokenizer.",
      vidgen_checkpoint_name (checkpoint), folder);
  return FALSE;
}

VidgenUmt5Vocabulary *
vidgen_umt5_vocabulary_open (
    const VidgenCheckpoint *checkpoint, const char *folder, GError **error)
{
  g_autoptr (VidgenUmt5Vocabulary) vocabulary =
      g_new0 (VidgenUmt5Vocabulary, 1);

  return read_any (vocabulary, checkpoint, folder, error)
             ? g_steal_pointer (&vocabulary)
             : NULL;
}

void
vidgen_umt5_vocabulary_free (VidgenUmt5Vocabulary *vocabulary)
{
  if (!vocabulary)
    return;
  g_clear_pointer (&vocabulary->pieces, vidgen_sentencepiece_free);
  g_clear_pointer (&vocabulary->json, vidgen_tokenizer_json_free);
  g_free (vocabulary->name);
  g_free (vocabulary->sum);
  g_free (vocabulary);
}

const char *
vidgen_umt5_vocabulary_name (const VidgenUmt5Vocabulary *vocabulary)
{
  return vocabulary->name;
}

void
vidgen_umt5_vocabulary_sum (
    const VidgenUmt5Vocabulary *vocabulary, GChecksum *sum)
{
  g_checksum_update (sum, (const guchar *)vocabulary->sum, -1);
}

GArray *
vidgen_umt5_vocabulary_encode (const VidgenUmt5Vocabulary *vocabulary,
    const char *text, guint limit, GError **error)
{
  const gsize length = strlen (text);

  return vocabulary->json ? vidgen_tokenizer_json_encode (vocabulary->json,
                                text, length, TRUE, limit, error)
                          : vidgen_sentencepiece_encode (vocabulary->pieces,
                                text, length, TRUE, limit, error);
}
