/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/tokenizer-json.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char text[] =
      "\x81 ab<pad>  \xef\xac\x81\xcc\x81x2 \xe7\x8c\xab";
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenTokenizerJson) tokenizer =
      vidgen_tokenizer_json_new ((const char *)data, size, "input", &error);
  g_autoptr (GArray) tokens = NULL;

  g_assert_true ((tokenizer == NULL) == (error != NULL));
  if (!tokenizer)
    return 0;
  tokens = vidgen_tokenizer_json_encode (
      tokenizer, text, sizeof text, FALSE, 9, NULL);
  g_assert_true (tokens && tokens->len <= 9);
  return 0;
}
