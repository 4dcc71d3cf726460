/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/text/trie.h"

#include <string.h>

struct _VidgenTrie {
  VidgenTrieKey *keys;
  guint n;
};

static int
compare_texts (const VidgenTrieKey *a, const VidgenTrieKey *b)
{
  const int order = memcmp (a->text, b->text, MIN (a->bytes, b->bytes));

  return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* g_qsort_with_data is stable. */
static int
compare_keys (gconstpointer a, gconstpointer b, G_GNUC_UNUSED gpointer data)
{
  return compare_texts (a, b);
}

VidgenTrie *
vidgen_trie_new (const VidgenTrieKey *keys, guint n_keys)
{
  VidgenTrie *trie = g_new0 (VidgenTrie, 1);

  trie->keys = g_new (VidgenTrieKey, n_keys);
  if (n_keys)
    memcpy (trie->keys, keys, n_keys * sizeof *keys);
  g_qsort_with_data (
      trie->keys, (gint)n_keys, sizeof *keys, compare_keys, NULL);
  for (guint i = 0; i < n_keys; i++) {
    if (i + 1 < n_keys && !compare_texts (&trie->keys[i], &trie->keys[i + 1]))
      continue;
    trie->keys[trie->n++] = trie->keys[i];
  }
  return trie;
}

void
vidgen_trie_free (VidgenTrie *trie)
{
  if (!trie)
    return;
  g_free (trie->keys);
  g_free (trie);
}

guint
vidgen_trie_n_keys (const VidgenTrie *trie)
{
  return trie->n;
}

VidgenTrieWalk
vidgen_trie_walk (const VidgenTrie *trie)
{
  return (VidgenTrieWalk){ trie, 0, trie->n, 0 };
}

/* The first key whose byte at `depth` is at least `byte`. All are longer. */
static guint
seek (const VidgenTrieWalk *walk, guint byte)
{
  guint first = walk->first, end = walk->end;

  while (first < end) {
    const guint middle = first + (end - first) / 2;

    if ((guint8)walk->trie->keys[middle].text[walk->depth] < byte)
      first = middle + 1;
    else
      end = middle;
  }
  return first;
}

gboolean
vidgen_trie_walk_on (VidgenTrieWalk *walk, char byte)
{
  if (walk->first < walk->end &&
      walk->trie->keys[walk->first].bytes == walk->depth)
    walk->first++;
  walk->first = seek (walk, (guint8)byte);
  walk->end = seek (walk, (guint8)byte + 1u);
  walk->depth++;
  return walk->first < walk->end;
}

gint64
vidgen_trie_walk_value (const VidgenTrieWalk *walk)
{
  const VidgenTrieKey *key = &walk->trie->keys[walk->first];

  return key->bytes == walk->depth ? (gint64)key->value : -1;
}

gint64
vidgen_trie_find (const VidgenTrie *trie, const char *text, gsize bytes)
{
  VidgenTrieWalk walk = vidgen_trie_walk (trie);

  for (gsize i = 0; i < bytes; i++)
    if (!vidgen_trie_walk_on (&walk, text[i]))
      return -1;
  return bytes ? vidgen_trie_walk_value (&walk) : -1;
}

gsize
vidgen_trie_longest (
    const VidgenTrie *trie, const char *text, gsize length, guint32 *value)
{
  VidgenTrieWalk walk = vidgen_trie_walk (trie);
  gsize longest = 0;

  for (gsize i = 0; i < length && vidgen_trie_walk_on (&walk, text[i]); i++) {
    const gint64 found = vidgen_trie_walk_value (&walk);

    if (found < 0)
      continue;
    longest = walk.depth;
    *value = (guint32)found;
  }
  return longest;
}
