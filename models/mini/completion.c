/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/completion.h"

#include "models/mini/words.h"
#include "shaders/noise.h"

#define PATH "text.completions."
#define MAX_RULES 4096
#define MAX_STRINGS 1024
/* No noise of a stream has it. */
#define PURPOSE 5

static void
clear_rule (gpointer data)
{
  VidgenMiniRule *rule = data;

  g_ptr_array_unref (rule->when);
  g_strfreev (rule->unless);
  g_strfreev (rule->phrases);
}

static void
read_when (VidgenFields *fields, const VidgenSection *section, GPtrArray *when)
{
  JsonArray *groups =
      vidgen_fields_array (fields, section, "when", 0, MAX_STRINGS);

  for (guint i = 0; groups && i < json_array_get_length (groups); i++)
    g_ptr_array_add (when,
        vidgen_fields_check_strings (fields, json_array_get_element (groups, i),
            PATH, "when", 1, MAX_STRINGS));
}

static VidgenMiniRule
read_rule (VidgenFields *fields, JsonNode *node)
{
  const VidgenSection section = {
    JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL, PATH
  };
  VidgenMiniRule rule = { .when = g_ptr_array_new_with_free_func (
                              (GDestroyNotify)g_strfreev) };

  if (!section.object)
    vidgen_fields_fail (fields, "text.completions are not objects");
  rule.draw = vidgen_fields_count (fields, &section, "draw", 0, G_MAXUINT16);
  read_when (fields, &section, rule.when);
  rule.unless =
      vidgen_fields_strings (fields, &section, "unless", 0, MAX_STRINGS);
  rule.phrases =
      vidgen_fields_strings (fields, &section, "phrases", 1, MAX_STRINGS);
  return rule;
}

GArray *
vidgen_mini_rules_read (VidgenFields *fields, const VidgenSection *text)
{
  GArray *rules = g_array_new (FALSE, FALSE, sizeof (VidgenMiniRule));
  JsonArray *array;

  g_array_set_clear_func (rules, clear_rule);
  if (!text->object || !json_object_has_member (text->object, "completions"))
    return rules;
  array = vidgen_fields_array (fields, text, "completions", 0, MAX_RULES);
  for (guint i = 0; array && i < json_array_get_length (array); i++) {
    const VidgenMiniRule rule =
        read_rule (fields, json_array_get_element (array, i));
    g_array_append_val (rules, rule);
  }
  return rules;
}

static gboolean
any_of (char *const *words, GHashTable *present)
{
  for (; *words; words++) {
    if (g_hash_table_contains (present, *words))
      return TRUE;
  }
  return FALSE;
}

static gboolean
applies (const VidgenMiniRule *rule, GHashTable *present)
{
  if (rule->when->len == 0)
    return g_hash_table_size (present) == 0;
  for (guint i = 0; i < rule->when->len; i++) {
    if (!any_of (g_ptr_array_index (rule->when, i), present))
      return FALSE;
  }
  return !any_of (rule->unless, present);
}

static const char *
drawn (const VidgenMiniRule *rule, guint64 seed)
{
  const guint32 key[2] = { (guint32)seed, (guint32)(seed >> 32) };
  const guint32 counter[4] = { rule->draw, 0, 0, PURPOSE };
  guint32 words[4];

  vidgen_philox (counter, key, words);
  return rule->phrases[words[0] % g_strv_length (rule->phrases)];
}

/* How many words there are; `present`, unless NULL, gets them. */
static guint
take_words (const char *text, GHashTable *present)
{
  g_autoptr (GString) word = g_string_new (NULL);
  guint n = 0;

  for (; vidgen_mini_next_word (&text, word); n++) {
    if (present)
      g_hash_table_add (present, g_strdup (word->str));
  }
  return n;
}

char *
vidgen_mini_complete (
    const GArray *rules, const char *prompt, guint64 seed, guint max_words)
{
  g_autoptr (GHashTable) present =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GString *whole = g_string_new (prompt);
  guint n_words = take_words (prompt, present);

  for (guint i = 0; i < rules->len && n_words < max_words; i++) {
    const VidgenMiniRule *rule = &g_array_index (rules, VidgenMiniRule, i);
    const char *phrase;

    if (!applies (rule, present))
      continue;
    phrase = drawn (rule, seed);
    if (n_words + take_words (phrase, NULL) > max_words)
      continue;
    if (n_words > 0)
      g_string_append (whole, ", ");
    g_string_append (whole, phrase);
    n_words += take_words (phrase, present);
  }
  return g_string_free (whole, FALSE);
}
