/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/config.h"

#include <string.h>

#include "models/checkpoint/safetensors.h"
#include "models/mini/tokenizer.h"
#include "tests/models/fixture.h"

static char *
read_tiny (void)
{
  g_autofree char *path = fixture_path ("tests/data/tiny.safetensors");
  g_autoptr (VidgenSafetensors) file = vidgen_safetensors_open (path, NULL);

  return g_strdup (vidgen_safetensors_metadata (file, "config"));
}

static char *
replaced (const char *text, const char *old, const char *new)
{
  g_auto (GStrv) parts = g_strsplit (text, old, 2);

  if (!parts[1])
    g_error ("'%s' is not in the config", old);
  return g_strjoinv (new, parts);
}

static void
test_good (void)
{
  g_autofree char *json = read_tiny ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMiniConfig) config =
      vidgen_mini_config_parse (json, "tiny", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (config->name, ==, "tiny");
  g_assert_cmpuint (vidgen_mini_rows (config), ==, 2);
  g_assert_cmpuint (vidgen_mini_columns (config), ==, 3);
  g_assert_cmpuint (vidgen_mini_tokens (config), ==, 10);
  g_assert_cmpuint (vidgen_mini_video_values (config), ==, 12);
  g_assert_cmpuint (vidgen_mini_padded_video_values (config), ==, 16);
  g_assert_cmpuint (vidgen_mini_sound_frames (config), ==, 24);
  g_assert_cmpuint (vidgen_mini_slots (config), ==, 3);
  g_assert_cmpuint (config->n_schedules, ==, 3);
  g_assert_cmpuint (config->schedules[2].n_steps, ==, 4);
  g_assert_cmpfloat (vidgen_mini_schedule (config, 2)->times[1], ==, 0.6);
  g_assert_null (vidgen_mini_schedule (config, 3));
  g_assert_cmpstr (config->prompts[0], ==, "ocean waves at sunset");
}

static void
test_wide (void)
{
  g_autofree char *json = read_tiny ();
  g_autofree char *changed = replaced (
      json, "\"latent_bound\":3.0", "\"latent_bound\":3.0,\"wide\":12");
  g_autoptr (VidgenMiniConfig) without =
      vidgen_mini_config_parse (json, "tiny", NULL);
  g_autoptr (VidgenMiniConfig) with =
      vidgen_mini_config_parse (changed, "tiny", NULL);

  g_assert_cmpuint (without->decoder.wide, ==, 0);
  g_assert_cmpuint (with->decoder.wide, ==, 12);
}

static void
test_completions (void)
{
  g_autofree char *json = read_tiny ();
  g_autofree char *changed = replaced (json, "\"night\"]",
      "\"night\"],\"completions\":[{\"draw\":0,\"when\":[[\"ocean\"]],"
      "\"unless\":[],\"phrases\":[\"at night\"]}]");
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenMiniConfig) without =
      vidgen_mini_config_parse (json, "tiny", NULL);
  g_autoptr (VidgenMiniConfig) with =
      vidgen_mini_config_parse (changed, "tiny", &error);

  g_assert_no_error (error);
  g_assert_cmpuint (without->text.completions->len, ==, 0);
  g_assert_cmpuint (with->text.completions->len, ==, 1);
}

static void
test_refused (void)
{
  static const struct {
    const char *old, *new, *says;
  } changes[] = {
    { "\"width\":48", "\"width\":40", "video.width" },
    { "\"width\":48", "\"width\":0", "video.width" },
    { "\"width\":48", "\"width\":1073741824", "video.width" },
    { "\"width\":48", "\"width\":-48", "video.width" },
    { "\"width\":48", "\"width\":48.5", "video.width" },
    { "\"width\":48", "\"width\":\"48\"", "video.width" },
    { "\"width\":48", "\"width\":null", "video.width" },
    { "\"width\":48,", "", "video.width" },
    { "\"width\":48,\"height\":32", "\"width\":2048,\"height\":2048",
        "tokens a chunk" },
    { "\"frame_rate\":[16,1]", "\"frame_rate\":[0,1]", "frame_rate" },
    { "\"frame_rate\":[16,1]", "\"frame_rate\":[16.5,1]", "frame_rate" },
    { "\"frame_rate\":[16,1]", "\"frame_rate\":[15,1]", "chunk.samples" },
    { "\"sample_rate\":24000", "\"sample_rate\":0", "audio.sample_rate" },
    { "\"channels\":2", "\"channels\":1", "audio.channels" },
    { "\"frames\":4", "\"frames\":5", "chunk.frames" },
    { "\"downscale\":8", "\"downscale\":16", "latent.downscale" },
    { "\"patch\":2", "\"patch\":0", "latent.patch" },
    { "\"hop\":250", "\"hop\":249", "sound.hop" },
    { "\"hop\":250", "\"hop\":200", "sound.hop" },
    { "40.0,120.0", "120.0,40.0", "sound.band_edges" },
    { "5600.0,12000.0", "5600.0,12001.0", "sound.band_edges" },
    { "\"tonal_bands\":9", "\"tonal_bands\":12", "sound.tonal_bands" },
    { "\"tonal_bands\":9", "\"tonal_bands\":9,\"layout\":\"surround\"",
        "sound.layout is 'surround'" },
    { "\"tonal_bands\":9", "\"tonal_bands\":9,\"layout\":2", "sound.layout" },
    { "\"size\":64,\"layers\":1", "\"size\":60,\"layers\":1", "text.size" },
    { "\"heads\":2", "\"heads\":3", "text.heads" },
    { "\"mlp\":48", "\"mlp\":49", "text.mlp" },
    { "\"buckets\":16", "\"buckets\":0", "text.buckets" },
    { "\"vocabulary\":[\"a\"", "\"vocabulary\":[7", "text.vocabulary" },
    { "\"layers\":2,\"heads\":2", "\"layers\":2,\"heads\":0",
        "transformer.heads" },
    { "\"layers\":2", "\"layers\":65", "transformer.layers" },
    { "\"time_scale\":200.0", "\"time_scale\":1e400", "" },
    { "\"time\":[1.5,0.5,", "\"time\":[0.5,", "transformer.rope" },
    { "[-3.0,1.5]", "[-3.0]", "sound_position" },
    { "\"channels\":[4,4]", "\"channels\":[4]", "encoder.channels" },
    { "\"channels\":[4,4]", "\"channels\":[4,6]", "encoder.channels" },
    { "\"channels\":[16,8,8]", "\"channels\":[16,8]", "decoder.channels" },
    { "\"channels\":[16,8,8]", "\"channels\":[16,8,6]", "decoder.channels" },
    { "\"latent_bound\":3.0", "\"latent_bound\":0", "latent_bound" },
    { "\"latent_bound\":3.0", "\"latent_bound\":3.0,\"wide\":0",
        "decoder.wide" },
    { "\"latent_bound\":3.0", "\"latent_bound\":3.0,\"wide\":6",
        "decoder.wide" },
    { "\"latent_bound\":3.0", "\"latent_bound\":3.0,\"wide\":1028",
        "decoder.wide" },
    { "\"latent_bound\":3.0", "\"latent_bound\":3.0,\"wide\":[8]",
        "decoder.wide" },
    { "\"night\"]", "\"night\"],\"completions\":{}", "text.completions" },
    { "\"window\":1", "\"window\":65", "context.window" },
    { "\"sink\":1", "\"sink\":2", "context.sink" },
    { "\"timestep\":0.06", "\"timestep\":1.5", "context.timestep" },
    { "\"2\":[1.0,0.6]", "\"2\":[0.6,1.0]", "schedules.2" },
    { "\"2\":[1.0,0.6]", "\"2\":[1.0,1.0]", "schedules.2" },
    { "\"2\":[1.0,0.6]", "\"2\":[1.0]", "schedules.2" },
    { "\"2\":[1.0,0.6]", "\"two\":[1.0,0.6]", "schedules.two" },
    { "\"steps\":2", "\"steps\":3", "steps is 3" },
    { "\"prompts\":[\"ocean waves at sunset\",\"a rain at night\"]",
        "\"prompts\":[]", "prompts" },
    { "\"name\":\"tiny\"", "\"name\":\"tiny\",\"name\":\"huge\"", "twice" },
    { "\"name\":\"tiny\"", "\"name\":[[[[[[[]]]]]]]", "nested" },
    { "{\"name\"", "[{\"name\"", "" },
  };
  g_autofree char *json = read_tiny ();

  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    g_autofree char *changed = replaced (json, changes[i].old, changes[i].new);
    g_autoptr (GError) error = NULL;

    if (vidgen_mini_config_parse (changed, "tiny", &error))
      g_error ("%s was accepted", changes[i].new);
    g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
    if (!strstr (error->message, changes[i].says))
      g_error ("'%s' does not say '%s'", error->message, changes[i].says);
  }
}

/* Every section may be absent, an array or a number. */
static void
test_sections (void)
{
  static const char *const names[] = { "video", "audio", "chunk", "latent",
    "sound", "text", "transformer", "rope", "decoder", "context", "schedules" };
  g_autofree char *json = read_tiny ();

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *key = g_strdup_printf ("\"%s\":{", names[i]);
    g_autofree char *array = g_strdup_printf ("\"%s\":[],\"x\":{", names[i]);
    g_autofree char *number = g_strdup_printf ("\"%s\":7,\"x\":{", names[i]);
    const char *const news[] = { "\"x\":{", array, number };

    for (guint j = 0; j < G_N_ELEMENTS (news); j++) {
      g_autofree char *changed = replaced (json, key, news[j]);
      g_autoptr (GError) error = NULL;

      g_assert_null (vidgen_mini_config_parse (changed, "tiny", &error));
      g_assert_error (error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT);
      g_assert_nonnull (strstr (error->message, names[i]));
    }
  }
}

static void
check_tokens (const char *prompt, guint n, const guint32 *tokens)
{
  g_autofree char *json = read_tiny ();
  g_autoptr (VidgenMiniConfig) config =
      vidgen_mini_config_parse (json, "tiny", NULL);
  g_autoptr (VidgenMiniTokenizer) tokenizer =
      vidgen_mini_tokenizer_new (config);
  g_autoptr (GArray) is = vidgen_mini_tokenizer_encode (tokenizer, prompt);

  g_assert_cmpmem (
      is->data, is->len * sizeof (guint32), tokens, n * sizeof (guint32));
}

/* Test values of the authors of FNV. */
static void
test_fnv (void)
{
  g_assert_cmphex (vidgen_mini_fnv1a ("", 0), ==, 0x811c9dc5);
  g_assert_cmphex (vidgen_mini_fnv1a ("a", 1), ==, 0xe40c292c);
  g_assert_cmphex (vidgen_mini_fnv1a ("foobar", 6), ==, 0xbf9cf968);
}

/* The tiny vocabulary: a ocean waves at sunset rain night; 7 tokens. */
static void
test_tokens (void)
{
  const guint32 dawn = 8 + vidgen_mini_fnv1a ("dawn", 4) % 16;
  const guint32 cafe = 8 + vidgen_mini_fnv1a ("caf\xc3\xa9", 5) % 16;
  /* "É" has no lower case in ASCII and stays. */
  const guint32 upper = 8 + vidgen_mini_fnv1a ("caf\xc3\x89", 5) % 16;

  check_tokens ("", 1, (guint32[]){ 0 });
  check_tokens (" ,.\n\t-", 1, (guint32[]){ 0 });
  check_tokens ("OCEAN, waves!", 3, (guint32[]){ 0, 2, 3 });
  check_tokens ("ocean-waves", 3, (guint32[]){ 0, 2, 3 });
  check_tokens ("dawn", 2, (guint32[]){ 0, dawn });
  check_tokens ("Caf\xc3\xa9 CAF\xc3\x89", 3, (guint32[]){ 0, cafe, upper });
  check_tokens ("a a a a a a a a a a", 7, (guint32[]){ 0, 1, 1, 1, 1, 1, 1 });
}

static void
test_long_word (void)
{
  g_autofree char *word = g_strnfill (VIDGEN_PROMPT_MAX_BYTES, 'x');
  const guint32 hashed =
      8 + vidgen_mini_fnv1a (word, VIDGEN_PROMPT_MAX_BYTES) % 16;

  check_tokens (word, 2, (guint32[]){ 0, hashed });
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/good", test_good);
  g_test_add_func ("/config/wide", test_wide);
  g_test_add_func ("/config/completions", test_completions);
  g_test_add_func ("/config/refused", test_refused);
  g_test_add_func ("/config/sections", test_sections);
  g_test_add_func ("/tokenizer/fnv", test_fnv);
  g_test_add_func ("/tokenizer/tokens", test_tokens);
  g_test_add_func ("/tokenizer/long-word", test_long_word);
  return g_test_run ();
}
