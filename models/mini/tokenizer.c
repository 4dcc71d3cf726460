/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/tokenizer.h"

#include "models/mini/words.h"

struct _VidgenMiniTokenizer {
  GHashTable *words; /* char * to token */
  guint limit, buckets, first_hashed;
};

VidgenMiniTokenizer *
vidgen_mini_tokenizer_new (const VidgenMiniConfig *config)
{
  VidgenMiniTokenizer *tokenizer = g_new0 (VidgenMiniTokenizer, 1);

  tokenizer->limit = config->text.tokens;
  tokenizer->buckets = config->text.buckets;
  tokenizer->first_hashed = 1 + config->text.n_vocabulary;
  tokenizer->words =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < config->text.n_vocabulary; i++)
    g_hash_table_insert (tokenizer->words,
        g_strdup (config->text.vocabulary[i]), GUINT_TO_POINTER (1 + i));
  return tokenizer;
}

void
vidgen_mini_tokenizer_free (VidgenMiniTokenizer *tokenizer)
{
  if (!tokenizer)
    return;
  g_hash_table_unref (tokenizer->words);
  g_free (tokenizer);
}

guint32
vidgen_mini_fnv1a (const char *bytes, gsize length)
{
  guint32 value = 0x811c9dc5;

  for (gsize i = 0; i < length; i++)
    value = (value ^ (guint8)bytes[i]) * 0x01000193;
  return value;
}

static guint32
token_of (const VidgenMiniTokenizer *tokenizer, const GString *word)
{
  const guint known =
      GPOINTER_TO_UINT (g_hash_table_lookup (tokenizer->words, word->str));

  if (known)
    return known;
  return tokenizer->first_hashed +
         vidgen_mini_fnv1a (word->str, word->len) % tokenizer->buckets;
}

GArray *
vidgen_mini_tokenizer_encode (
    const VidgenMiniTokenizer *tokenizer, const char *prompt)
{
  GArray *tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GString) word = g_string_new (NULL);
  guint32 token = 0;

  g_array_append_val (tokens, token);
  while (
      tokens->len < tokenizer->limit && vidgen_mini_next_word (&prompt, word)) {
    token = token_of (tokenizer, word);
    g_array_append_val (tokens, token);
  }
  return tokens;
}
