/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <string.h>

#include "models/text/sentencepiece.h"
#include "models/text/tokenizer-json.h"
#include "shaders/runtime/error.h"
#include "tests/models/fixture.h"

/* Of tests/models/goldens/make_unigram.py, which tells of the files. */
static const char *const names[] = { "fallback", "plain", "odd" };

#define SAME_AS_BEFORE 0xffff
#define NOT_UTF8 0x80000000u

static GBytes *
read_golden (const char *name)
{
  g_autofree char *path =
      g_strdup_printf ("tests/models/goldens/unigram/%s.gz", name);

  return fixture_unpack (path);
}

static VidgenSentencepiece *
load_model (const char *name)
{
  g_autofree char *file = g_strdup_printf ("%s.model", name);
  g_autoptr (GBytes) bytes = read_golden (file);
  g_autoptr (GError) error = NULL;
  VidgenSentencepiece *tokenizer = vidgen_sentencepiece_new (
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), file, &error);

  g_assert_no_error (error);
  return tokenizer;
}

static VidgenTokenizerJson *
load_json (const char *name)
{
  g_autofree char *file = g_strdup_printf ("%s.json", name);
  g_autoptr (GBytes) bytes = read_golden (file);
  g_autoptr (GError) error = NULL;
  VidgenTokenizerJson *tokenizer = vidgen_tokenizer_json_new (
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), file, &error);

  g_assert_no_error (error);
  return tokenizer;
}

typedef struct {
  const guint8 *at, *end;
} Reader;

static const guint8 *
read_bytes (Reader *reader, gsize bytes)
{
  const guint8 *data = reader->at;

  g_assert_cmpuint (bytes, <=, (gsize)(reader->end - reader->at));
  reader->at += bytes;
  return data;
}

static guint
read_number (Reader *reader, guint bytes)
{
  const guint8 *data = read_bytes (reader, bytes);
  guint value = 0;

  for (guint i = 0; i < bytes; i++)
    value |= (guint)data[i] << (8 * i);
  return value;
}

/* NULL: as the ones before. */
static GArray *
read_tokens (Reader *reader)
{
  const guint count = read_number (reader, 2);
  GArray *tokens;

  if (count == SAME_AS_BEFORE)
    return NULL;
  tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  for (guint i = 0; i < count; i++) {
    const guint32 token = read_number (reader, 2);

    g_array_append_val (tokens, token);
  }
  return tokens;
}

static char *
print_tokens (const GArray *tokens)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < tokens->len; i++)
    g_string_append_printf (text, "%u ", g_array_index (tokens, guint32, i));
  return g_string_free (text, FALSE);
}

typedef struct {
  const char *text;
  guint length;
  gboolean valid;
  GArray *pieces[G_N_ELEMENTS (names)], *json[G_N_ELEMENTS (names)];
} Golden;

typedef void (*Check) (gpointer tokenizer, guint index, const Golden *golden);

static void
read_text (Reader *reader, Golden *golden)
{
  const guint head = read_number (reader, 4);

  golden->length = head & G_MAXINT32;
  golden->valid = !(head & NOT_UTF8);
  golden->text = (const char *)read_bytes (reader, golden->length);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    golden->pieces[i] = read_tokens (reader);
    golden->json[i] = golden->valid ? read_tokens (reader) : NULL;
  }
}

static void
clear_golden (Golden *golden)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_array_unref (golden->pieces[i]);
    g_clear_pointer (&golden->json[i], g_array_unref);
  }
}

static void
check_all (gpointer tokenizer, guint index, Check check)
{
  g_autoptr (GBytes) bytes = read_golden ("tokens");
  gsize size;
  const guint8 *start = g_bytes_get_data (bytes, &size);
  Reader reader = { start, start + size };
  guint n_texts = 0;

  for (; reader.at < reader.end; n_texts++) {
    Golden golden;

    read_text (&reader, &golden);
    check (tokenizer, index, &golden);
    clear_golden (&golden);
  }
  g_assert_cmpuint (n_texts, >=, 10000);
}

static void
assert_tokens (
    const GArray *tokens, const GArray *expected, const Golden *golden)
{
  g_autofree char *text = NULL, *shown = NULL, *got = NULL, *wanted = NULL;

  if (tokens->len == expected->len &&
      (tokens->len == 0 ||
          memcmp (tokens->data, expected->data, 4 * tokens->len) == 0))
    return;
  text = g_strndup (golden->text, golden->length);
  shown = g_strescape (text, NULL);
  got = print_tokens (tokens);
  wanted = print_tokens (expected);
  g_test_message ("'%s':\n%s\n%s expected", shown, got, wanted);
  g_test_fail ();
}

static void
check_sentencepiece (gpointer tokenizer, guint index, const Golden *golden)
{
  g_autoptr (GArray) tokens = vidgen_sentencepiece_encode (
      tokenizer, golden->text, golden->length, FALSE, 0, NULL);

  assert_tokens (tokens, golden->pieces[index], golden);
}

static void
test_sentencepiece (gconstpointer data)
{
  const guint index = GPOINTER_TO_UINT (data);
  g_autoptr (VidgenSentencepiece) tokenizer = load_model (names[index]);

  check_all (tokenizer, index, check_sentencepiece);
}

/* sentencepiece's tokens and </s>, where the golden says so. */
static GArray *
expect_json (const VidgenUnigram *model, const Golden *golden, guint index)
{
  const guint32 end = (guint32)vidgen_unigram_find (model, "</s>", 4);
  GArray *expected;

  if (golden->json[index])
    return g_array_ref (golden->json[index]);
  expected = g_array_copy (golden->pieces[index]);
  g_array_append_val (expected, end);
  return expected;
}

static void
check_json (gpointer tokenizer, guint index, const Golden *golden)
{
  g_autoptr (GArray) tokens = vidgen_tokenizer_json_encode (
      tokenizer, golden->text, golden->length, TRUE, 0, NULL);
  g_autoptr (GArray) expected = NULL;

  if (!golden->valid)
    return;
  expected =
      expect_json (vidgen_tokenizer_json_model (tokenizer), golden, index);
  assert_tokens (tokens, expected, golden);
}

static void
test_json (gconstpointer data)
{
  const guint index = GPOINTER_TO_UINT (data);
  g_autoptr (VidgenTokenizerJson) tokenizer = load_json (names[index]);

  check_all (tokenizer, index, check_json);
}

#define LONG_TEXT "a text of more than five tokens, and more than that"

static void
assert_cut (const GArray *tokens, guint32 end)
{
  g_assert_cmpuint (tokens->len, ==, 5);
  g_assert_cmpuint (g_array_index (tokens, guint32, 3), !=, end);
  g_assert_cmpuint (g_array_index (tokens, guint32, 4), ==, end);
}

static void
test_limit (void)
{
  const char *text = LONG_TEXT;
  const gsize length = strlen (text), too_long = 65537;
  g_autoptr (VidgenSentencepiece) model = load_model ("plain");
  g_autoptr (VidgenTokenizerJson) json = load_json ("plain");
  g_autoptr (GArray) tokens =
      vidgen_sentencepiece_encode (model, text, length, TRUE, 5, NULL);
  g_autoptr (GArray) others =
      vidgen_tokenizer_json_encode (json, text, length, TRUE, 5, NULL);
  g_autoptr (GArray) bare =
      vidgen_tokenizer_json_encode (json, text, length, FALSE, 5, NULL);
  g_autofree char *long_text = g_strnfill (too_long, 'a');
  g_autoptr (GError) error = NULL;

  assert_cut (tokens, 1);
  assert_cut (others, 1);
  g_assert_cmpuint (bare->len, ==, 5);
  g_assert_cmpuint (g_array_index (bare, guint32, 4), !=, 1);

  g_assert_null (vidgen_sentencepiece_encode (
      model, long_text, too_long, TRUE, 5, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (vidgen_tokenizer_json_encode (
      json, long_text, too_long, TRUE, 5, &error));
  g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID);
}

/* sentencepiece_model.proto: a message of pieces. */
#define PIECE(text, length, type) "\x0a" length "\x0a" text "\x18" type
#define UNKNOWN PIECE ("\5<unk>", "\x09", "\2")
#define LETTER PIECE ("\1a", "\5", "\1")

static const struct {
  const char *bytes, *message;
} bad_models[] = {
  { "\x0a\x7fx", "'m': the outermost message is broken (no SentencePiece "
                 "model?)." },
  { UNKNOWN "\x0a\2\x0a\5",
      "'m': a piece is broken (no SentencePiece model?)." },
  { LETTER, "'m': 0 pieces are the unknown one, one must be." },
  { UNKNOWN UNKNOWN, "'m': 2 pieces are the unknown one, one must be." },
  { UNKNOWN LETTER LETTER, "'m': 1 pieces have the text of another." },
  { UNKNOWN "\x0a\2\x18\1",
      "'m': piece 1 is empty, or its score or type is none there is." },
  { UNKNOWN "\x12\2\x18\2", "'m' is no unigram model, but of type 2." },
  { UNKNOWN "\x12\3\x98\2\1",
      "'m': byte fallback needs 256 pieces for bytes, there are 0." },
  { UNKNOWN PIECE ("\6<0x41>", "\x0a", "\6"),
      "'m': piece 1 is of the type of bytes, but there is no byte fallback or "
      "its text names no byte." },
  { UNKNOWN "\x1a\3\x12\1x",
      "'m': the character map of 1 bytes has no index of "
      "0 bytes and replacements." },
};

static void
test_bad_models (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_models); i++) {
    const char *bytes = bad_models[i].bytes;
    g_autoptr (GError) error = NULL;

    g_assert_null (
        vidgen_sentencepiece_new (bytes, strlen (bytes), "m", &error));
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
    g_assert_cmpstr (error->message, ==, bad_models[i].message);
  }
}

#define MODEL                                                                  \
  "\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],"     \
  "[\"a\",-1.5]]}"

static const struct {
  const char *text, *message;
} bad_json[] = {
  { "{", NULL },
  { "{\"model\":{\"type\":\"BPE\",\"unk_id\":0,\"vocab\":[[\"a\",0]]}}",
      "'j': the model is no Unigram of a vocab with an unk_id in it." },
  { "{\"model\":{\"unk_id\":0,\"vocab\":[[\"a\"]]}}",
      "'j': entry 0 of the vocab is not a text and a score." },
  { "{" MODEL ",\"normalizer\":{\"type\":\"Lowercase\"}}",
      "'j': the normalizer 'Lowercase' is not supported." },
  { "{" MODEL ",\"normalizer\":{\"type\":\"Replace\",\"pattern\":"
    "{\"Regex\":\"x+\"},\"content\":\"\"}}",
      "'j': Replace of 'x+' is not supported." },
  { "{" MODEL ",\"pre_tokenizer\":{\"type\":\"Digits\"}}",
      "'j': the pre_tokenizer 'Digits' is not supported." },
  { "{" MODEL ",\"post_processor\":{\"type\":\"ByteLevel\"}}",
      "'j': the post_processor 'ByteLevel' is not supported." },
  { "{" MODEL ",\"added_tokens\":[{\"id\":7,\"content\":\"x\","
    "\"single_word\":true}]}",
      "'j': the added token 'x' is a single_word, which is not supported." },
};

static void
test_bad_json (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_json); i++) {
    const char *text = bad_json[i].text;
    g_autoptr (GError) error = NULL;

    g_assert_null (
        vidgen_tokenizer_json_new (text, strlen (text), "j", &error));
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
    if (bad_json[i].message)
      g_assert_cmpstr (error->message, ==, bad_json[i].message);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *pieces =
        g_strdup_printf ("/unigram/sentencepiece/%s", names[i]);
    g_autofree char *json = g_strdup_printf ("/unigram/json/%s", names[i]);

    g_test_add_data_func (pieces, GUINT_TO_POINTER (i), test_sentencepiece);
    g_test_add_data_func (json, GUINT_TO_POINTER (i), test_json);
  }
  g_test_add_func ("/unigram/limit", test_limit);
  g_test_add_func ("/unigram/bad-models", test_bad_models);
  g_test_add_func ("/unigram/bad-json", test_bad_json);
  return g_test_run ();
}
