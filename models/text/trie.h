/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Texts, found as beginnings of other text. Immutable, usable from any thread.
 * Kept as a sorted list: a text's beginnings come right before it, so a range
 * that narrows byte by byte is a trie's walk. Texts are not copied. */
typedef struct _VidgenTrie VidgenTrie;

typedef struct {
  const char *text;
  gsize bytes; /* at least 1 */
  guint32 value;
} VidgenTrieKey;

/* Of two keys of one text the last counts. */
VidgenTrie *vidgen_trie_new (const VidgenTrieKey *keys, guint n_keys);
void vidgen_trie_free (VidgenTrie *trie);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenTrie, vidgen_trie_free)

/* Of different texts. */
guint vidgen_trie_n_keys (const VidgenTrie *trie);

/* The value of a text, or -1. */
gint64 vidgen_trie_find (const VidgenTrie *trie, const char *text, gsize bytes);
/* The size of the longest key that `text` begins with, and its value; or 0. */
gsize vidgen_trie_longest (
    const VidgenTrie *trie, const char *text, gsize length, guint32 *value);

/* A walk along a text: the keys first … end begin with its first `depth`
 * bytes. */
typedef struct {
  const VidgenTrie *trie;
  guint first, end;
  gsize depth;
} VidgenTrieWalk;

VidgenTrieWalk vidgen_trie_walk (const VidgenTrie *trie);
/* Whether there are keys that go on so. */
gboolean vidgen_trie_walk_on (VidgenTrieWalk *walk, char byte);
/* After walk_on was TRUE: the value of the key that ends here, or -1. */
gint64 vidgen_trie_walk_value (const VidgenTrieWalk *walk);

G_END_DECLS
