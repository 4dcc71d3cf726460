/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* Prompts that leave things open. */

#include "models/mini/completion.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "models/model.h"

#define SEEDS 600

static const char rules_json[] =
    "{\"completions\":["
    "{\"draw\":2,\"when\":[],\"unless\":[],\"phrases\":[\"a red ball\"]},"
    "{\"draw\":0,\"when\":[[\"ball\",\"clock\"]],\"unless\":[\"left\","
    "\"right\"],"
    "\"phrases\":[\"on the left\",\"on the right\"]},"
    "{\"draw\":1,\"when\":[[\"ball\"],[\"left\"]],\"unless\":[\"grass\"],"
    "\"phrases\":[\"on grass\"]}]}";

static GArray *
read_rules (const char *json, GError **error)
{
  g_autoptr (JsonNode) node = json_from_string (json, NULL);
  VidgenFields fields = { .file = "a file", .error = error };
  const VidgenSection text = { json_node_get_object (node), "text." };

  return vidgen_mini_rules_read (&fields, &text);
}

static void
assert_completed (const GArray *rules, const char *prompt, guint64 seed,
    guint max_words, const char *expected)
{
  g_autofree char *whole =
      vidgen_mini_complete (rules, prompt, seed, max_words);

  g_assert_cmpstr (whole, ==, expected);
}

/* A seed that draws the first of two phrases, and one that draws the other. */
static void
find_seeds (const GArray *rules, guint64 *left, guint64 *right)
{
  guint n_left = 0;

  for (guint64 seed = 0; seed < SEEDS; seed++) {
    g_autofree char *whole = vidgen_mini_complete (rules, "clock", seed, 23);
    const gboolean is_left = g_str_equal (whole, "clock, on the left");

    if (!is_left)
      g_assert_cmpstr (whole, ==, "clock, on the right");
    *(is_left ? left : right) = seed;
    n_left += is_left;
  }
  g_assert_cmpuint (n_left, >, SEEDS * 2 / 5);
  g_assert_cmpuint (n_left, <, SEEDS * 3 / 5);
}

static void
test_rules (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) rules = read_rules (rules_json, &error);
  guint64 left = 0, right = 0;

  g_assert_no_error (error);
  g_assert_cmpuint (rules->len, ==, 3);
  find_seeds (rules, &left, &right);
  assert_completed (rules, "A Ball!", right, 23, "A Ball!, on the right");
  assert_completed (rules, "ball", left, 23, "ball, on the left, on grass");
  assert_completed (rules, "ball, left", right, 23, "ball, left, on grass");
  assert_completed (
      rules, "the left ball on grass", right, 23, "the left ball on grass");
  assert_completed (rules, "footballs", left, 23, "footballs");
  assert_completed (rules, "", right, 23, "a red ball, on the right");
  assert_completed (rules, " .,", right, 23, " .,a red ball, on the right");
}

/* By the seed's own Philox block, all of whose key counts; what is added does
 * not count for the rules before. */
static void
test_drawn (void)
{
  static const char json[] =
      "{\"completions\":["
      "{\"draw\":0,\"when\":[[\"q5\"]],\"unless\":[],\"phrases\":[\"late\"]},"
      "{\"draw\":2,\"when\":[[\"x\"]],\"unless\":[],\"phrases\":[\"p0\",\"p1\","
      "\"p2\",\"p3\",\"p4\",\"p5\",\"p6\"]},"
      "{\"draw\":0,\"when\":[[\"x\"]],\"unless\":[],\"phrases\":[\"q0\",\"q1\","
      "\"q2\",\"q3\",\"q4\",\"q5\",\"q6\"]}]}";
  static const struct {
    guint64 seed;
    const char *whole;
  } drawn[] = { { 0, "x, p1, q5" }, { 1, "x, p2, q4" }, { 2, "x, p2, q3" },
    { G_GUINT64_CONSTANT (1) << 32, "x, p0, q4" },
    { G_GUINT64_CONSTANT (3) << 32, "x, p0, q3" },
    { G_MAXUINT64, "x, p4, q3" } };
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) rules = read_rules (json, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (drawn); i++)
    assert_completed (rules, "x", drawn[i].seed, 23, drawn[i].whole);
}

/* The encoder reads so many words; what it would not read is not added. */
static void
test_limit (void)
{
  g_autoptr (GArray) rules = read_rules (rules_json, NULL);
  guint64 left = 0, right = 0;

  find_seeds (rules, &left, &right);
  assert_completed (rules, "ball", left, 4, "ball, on the left");
  assert_completed (rules, "ball", left, 3, "ball");
  assert_completed (rules, "ball", left, 0, "ball");
  assert_completed (rules, "", left, 0, "");
}

static void
test_refused (void)
{
  static const struct {
    const char *json, *says;
  } files[] = {
    { "{\"completions\":1}", "text.completions" },
    { "{\"completions\":[1]}", "text.completions" },
    { "{\"completions\":[{}]}", "text.completions.draw" },
    { "{\"completions\":[{\"draw\":0,\"when\":[1],\"unless\":[],"
      "\"phrases\":[\"a\"]}]}",
        "text.completions.when" },
    { "{\"completions\":[{\"draw\":0,\"when\":[[]],\"unless\":[],"
      "\"phrases\":[\"a\"]}]}",
        "text.completions.when" },
    { "{\"completions\":[{\"draw\":0,\"when\":[],\"unless\":[\"\"],"
      "\"phrases\":[\"a\"]}]}",
        "text.completions.unless" },
    { "{\"completions\":[{\"draw\":0,\"when\":[],\"unless\":[],"
      "\"phrases\":[]}]}",
        "text.completions.phrases" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GArray) rules = read_rules (files[i].json, &error);

    if (!error || !strstr (error->message, files[i].says))
      g_error ("'%s' does not name %s", error ? error->message : "nothing",
          files[i].says);
  }
}

static void
assert_words (const char *prompt, guint64 seed)
{
  g_autoptr (VidgenModel) model = vidgen_model_open ("mini", NULL);
  g_autofree char *whole = vidgen_model_complete (model, prompt, seed);
  g_auto (GStrv) words = g_strsplit_set (whole, " ,", -1);
  guint n = 0;

  for (guint i = 0; words[i]; i++)
    n += *words[i] != 0;
  g_assert_cmpuint (n, >, 0);
  g_assert_cmpuint (n, <, 24);
  g_assert_true (g_str_has_prefix (whole, prompt));
}

/* Of the embedded model: every example, and no prompt at all. */
static void
test_embedded (void)
{
  g_autoptr (VidgenModel) model = vidgen_model_open ("mini", NULL);
  const VidgenModelInfo *info = vidgen_model_info (model);
  static const char *const known = "a red lava lamp on the right, in dark "
                                   "water, moving slowly";
  static const char *const unknown = "ein Zug im Tal \xf0\x9f\x9a\x82";
  g_autofree char *same = vidgen_model_complete (model, known, 5);
  g_autofree char *strange = vidgen_model_complete (model, unknown, 5);
  g_autofree char *broken = vidgen_model_complete (model, "lamp \xff", 5);
  g_autofree char *lamp = vidgen_model_complete (model, "a red lava lamp", 5);

  g_assert_cmpstr (same, ==, known);
  g_assert_cmpstr (strange, ==, unknown);
  g_assert_cmpstr (broken, ==, "lamp \xff");
  g_assert_cmpstr (lamp, !=, "a red lava lamp");
  for (guint i = 0; info->prompts[i]; i++)
    assert_words (info->prompts[i], i);
  assert_words ("", 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/completion/rules", test_rules);
  g_test_add_func ("/completion/drawn", test_drawn);
  g_test_add_func ("/completion/limit", test_limit);
  g_test_add_func ("/completion/refused", test_refused);
  g_test_add_func ("/completion/embedded", test_embedded);
  return g_test_run ();
}
