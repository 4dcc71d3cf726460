/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/lora.h"
#include "models/umt5/vocabulary.h"
#include "models/umt5/weights.h"
#include "models/wan/names.h"

#include "tests/fuzz/fuzz.h"

static void
check_lora (VidgenCheckpoint *checkpoint)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenLora) lora = vidgen_lora_new (checkpoint, 1, &error);

  g_assert_true ((lora == NULL) == (error != NULL));
  if (!lora)
    return;
  g_assert_true (
      vidgen_lora_probe (checkpoint) ||
      vidgen_lora_count (lora) <= vidgen_checkpoint_n_tensors (checkpoint));
}

static void
check_encoder (VidgenCheckpoint *checkpoint)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenNames) names = vidgen_names_new (checkpoint, NULL, NULL);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  VidgenUmt5Weights weights;

  if (!names)
    return;
  if (vidgen_umt5_weights_find (&weights, names, "file", NULL, &error)) {
    vidgen_umt5_weights_sum (&weights, sum);
    vidgen_umt5_weights_clear (&weights);
  } else {
    g_assert_nonnull (error);
  }
}

static void
check_vocabulary (VidgenCheckpoint *checkpoint)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenUmt5Vocabulary) vocabulary =
      vidgen_umt5_vocabulary_open (checkpoint, "/nonexistent", &error);
  g_autoptr (GArray) tokens = NULL;

  g_assert_true ((vocabulary == NULL) == (error != NULL));
  if (!vocabulary)
    return;
  tokens = vidgen_umt5_vocabulary_encode (
      vocabulary, "a cat, \xe7\x8c\xab", 4, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (tokens->len, <=, 4);
}

/* What a model may be made of: a LoRA, a text encoder, its tokenizer. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (VidgenCheckpoint) checkpoint =
      vidgen_checkpoint_new (bytes, "/nonexistent/file", NULL);

  if (!checkpoint)
    return 0;
  vidgen_wan_names_part (checkpoint, NULL);
  check_lora (checkpoint);
  check_encoder (checkpoint);
  check_vocabulary (checkpoint);
  return 0;
}
