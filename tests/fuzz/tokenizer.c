/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/tokenizer.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  char *vocabulary[] = { (char *)"ocean", (char *)"rain", NULL };
  const VidgenMiniConfig config = { .text = { .tokens = 7,
                                        .buckets = 5,
                                        .vocabulary = vocabulary,
                                        .n_vocabulary = 2 } };
  g_autoptr (VidgenMiniTokenizer) tokenizer =
      vidgen_mini_tokenizer_new (&config);
  g_autofree char *prompt = g_strndup ((const char *)data, size);
  g_autoptr (GArray) tokens = vidgen_mini_tokenizer_encode (tokenizer, prompt);

  g_assert_true (tokens->len >= 1 && tokens->len <= 7);
  for (guint i = 0; i < tokens->len; i++)
    g_assert_true (g_array_index (tokens, guint32, i) < 1 + 2 + 5);
  return 0;
}
