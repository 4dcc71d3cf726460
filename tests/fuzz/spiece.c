/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/sentencepiece.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char text[] = "\x81 ab\xe3\x80\x80  \xef\xac\x81x2 \xe7\x8c\xab";
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenSentencepiece) tokenizer =
      vidgen_sentencepiece_new (data, size, "input", &error);
  g_autoptr (GArray) tokens = NULL;

  g_assert_true ((tokenizer == NULL) == (error != NULL));
  if (!tokenizer)
    return 0;
  tokens =
      vidgen_sentencepiece_encode (tokenizer, text, sizeof text, TRUE, 9, NULL);
  g_assert_cmpuint (tokens->len, <=, 9);
  for (guint i = 0; i < tokens->len; i++)
    g_assert_cmpuint (g_array_index (tokens, guint32, i), <,
        vidgen_unigram_n_pieces (vidgen_sentencepiece_model (tokenizer)));
  return 0;
}
