/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/wan/preset.h"

#include <string.h>

#include "models/wan/context.h"
#include "models/wan/sampler.h"
#include "shaders/runtime/error.h"

#define GROUP "wan"
#define MAX_CHUNK 32
#define MAX_PICTURE 4096
#define PICTURE_STEP 16

typedef struct {
  VidgenWanPreset preset;
  VidgenWanPresetAbout about;
  const char *const *marks; /* parts of a path, one of a list: "a|b" */
} Known;

static const char *const longlive_marks[] = { "longlive", NULL };
static const char *const one_step_marks[] = { "causal|framewise",
  "1step|1-step", NULL };
static const char *const two_step_marks[] = { "causal|framewise",
  "2step|2-step", NULL };
static const char *const framewise_marks[] = { "framewise|frame-wise", NULL };
static const char *const chunkwise_marks[] = {
  "causal-forcing|causal_forcing|chunkwise", NULL
};
static const char *const self_forcing_marks[] = {
  "self_forcing|self-forcing|selfforcing|sfwan", NULL
};
static const char *const no_marks[] = { NULL };

/* What is guided away from unless the text file says otherwise. */
#define NEGATIVE                                                               \
  "blurry, low quality, compression artefacts, overexposed, washed out, "      \
  "static picture, subtitles, watermark, deformed body, extra fingers"

#define STUDENT                                                                \
  .shift = 5, .guidance = 1, .relative = TRUE, .width = 832, .height = 480,    \
  .halves = TRUE, .cache = VIDGEN_F16

/* The first whose marks are all in a path is taken. */
static const Known known[] = {
  { { .name = (char *)"longlive",
        .part = (char *)"generator",
        .chunk = 3,
        .window = 12,
        .sink = 3,
        .steps = 4,
        .first_steps = 4,
        STUDENT },
      { "LongLive-1.3B",
          "https://huggingface.co/Efficient-Large-Model/LongLive-1.3B "
          "models/longlive_base.pt with models/lora.pt",
          "CC-BY-NC-SA-4.0 by its card, Apache-2.0 by its repository" },
      longlive_marks },
  { { .name = (char *)"causal-forcing-1-step",
        .part = (char *)"generator_ema",
        .chunk = 1,
        .window = 21,
        .sink = 3,
        .steps = 1,
        .first_steps = 4,
        STUDENT },
      { "Causal-Forcing++ frame-wise, 1 step",
          "https://huggingface.co/zhuhz22/Causal-Forcing "
          "causal-forcing++/framewise-1step.pt",
          "Apache-2.0" },
      one_step_marks },
  { { .name = (char *)"causal-forcing-2-step",
        .part = (char *)"generator_ema",
        .chunk = 1,
        .window = 21,
        .sink = 3,
        .steps = 2,
        .first_steps = 4,
        STUDENT },
      { "Causal-Forcing++ frame-wise, 2 steps",
          "https://huggingface.co/zhuhz22/Causal-Forcing "
          "causal-forcing++/framewise-2step.pt",
          "Apache-2.0" },
      two_step_marks },
  { { .name = (char *)"causal-forcing-frame-wise",
        .part = (char *)"generator_ema",
        .chunk = 1,
        .window = 21,
        .sink = 3,
        .steps = 4,
        .first_steps = 4,
        STUDENT },
      { "Causal-Forcing frame-wise, 4 steps",
          "https://huggingface.co/zhuhz22/Causal-Forcing "
          "framewise/causal_forcing.pt",
          "Apache-2.0" },
      framewise_marks },
  { { .name = (char *)"causal-forcing",
        .part = (char *)"generator",
        .chunk = 3,
        .window = 21,
        .sink = 3,
        .steps = 4,
        .first_steps = 4,
        STUDENT },
      { "Causal-Forcing chunk-wise, 4 steps",
          "https://huggingface.co/zhuhz22/Causal-Forcing "
          "chunkwise/causal_forcing.pt",
          "Apache-2.0" },
      chunkwise_marks },
  { { .name = (char *)"self-forcing",
        .part = (char *)"generator_ema",
        .chunk = 3,
        .window = 21,
        .sink = 3,
        .steps = 4,
        .first_steps = 4,
        STUDENT },
      { "Self-Forcing",
          "https://huggingface.co/gdhe17/Self-Forcing "
          "checkpoints/self_forcing_dmd.pt",
          "Apache-2.0" },
      self_forcing_marks },
  { { .name = (char *)"wan",
        .halves = TRUE,
        .clip = TRUE,
        .chunk = 21,
        .window = 21,
        .steps = 50,
        .first_steps = 50,
        .shift = 8,
        .guidance = 6,
        .negative = (char *)NEGATIVE,
        .width = 832,
        .height = 480 },
      { "Wan2.1-T2V-1.3B, clips of 81 frames",
          "https://huggingface.co/Wan-AI/Wan2.1-T2V-1.3B "
          "diffusion_pytorch_model.safetensors",
          "Apache-2.0" },
      no_marks },
};

static const Known *
find_known (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    if (g_str_equal (known[i].preset.name, name))
      return &known[i];
  }
  return NULL;
}

static VidgenWanPreset *
copy (const VidgenWanPreset *from)
{
  VidgenWanPreset *preset = g_memdup2 (from, sizeof *from);

  preset->name = g_strdup (from->name);
  preset->part = g_strdup (from->part);
  preset->negative = g_strdup (from->negative);
  return preset;
}

VidgenWanPreset *
vidgen_wan_preset_new (const char *name)
{
  const Known *found = find_known (name);

  return found ? copy (&found->preset) : NULL;
}

const VidgenWanPresetAbout *
vidgen_wan_preset_about (const char *name)
{
  const Known *found = find_known (name);

  return found ? &found->about : NULL;
}

const char *const *
vidgen_wan_preset_names (void)
{
  static const char *names[G_N_ELEMENTS (known) + 1];
  static gsize done;

  if (g_once_init_enter (&done)) {
    for (guint i = 0; i < G_N_ELEMENTS (known); i++)
      names[i] = known[i].preset.name;
    g_once_init_leave (&done, 1);
  }
  return names;
}

void
vidgen_wan_preset_free (VidgenWanPreset *preset)
{
  if (!preset)
    return;
  g_free (preset->name);
  g_free (preset->part);
  g_free (preset->negative);
  g_free (preset->transformer);
  g_free (preset->text_encoder);
  g_free (preset->decoder);
  g_free (preset->lora);
  g_free (preset);
}

static gboolean
has_one_of (const char *text, const char *alternatives)
{
  g_auto (GStrv) parts = g_strsplit (alternatives, "|", -1);

  for (guint i = 0; parts[i]; i++) {
    if (strstr (text, parts[i]))
      return TRUE;
  }
  return FALSE;
}

static gboolean
has_all (const char *text, const char *const *marks)
{
  for (guint i = 0; marks[i]; i++) {
    if (!has_one_of (text, marks[i]))
      return FALSE;
  }
  return TRUE;
}

/* The names of the checkpoint and of the two folders above it. */
static char *
last_names (const char *path)
{
  g_autofree char *full = g_canonicalize_filename (path, NULL);
  g_autofree char *lower = g_ascii_strdown (full, -1);
  const char *start = lower + strlen (lower);

  for (guint slashes = 0; start > lower; start--) {
    if (start[-1] == G_DIR_SEPARATOR && ++slashes == 3)
      break;
  }
  return g_strdup (start);
}

VidgenWanPreset *
vidgen_wan_preset_guess (const char *path)
{
  g_autofree char *names = last_names (path);
  guint i = 0;

  while (i + 1 < G_N_ELEMENTS (known) && !has_all (names, known[i].marks))
    i++;
  return copy (&known[i].preset);
}

const guint *
vidgen_wan_preset_steps (const VidgenWanPreset *preset)
{
  static const guint few[] = { 1, 2, 4, 0 };
  static const guint many[] = { 4, 8, 10, 15, 20, 25, 30, 40, 50, 0 };

  return preset->clip ? many : few;
}

/* A text file that is read. */
typedef struct {
  GKeyFile *keys;
  const char *path;
  GError **error;
  gboolean failed;
} Reader;

static void
fail (Reader *reader, const char *key, const char *expected)
{
  if (!reader->failed)
    g_set_error (reader->error, VIDGEN_ERROR, VIDGEN_ERROR_FORMAT,
        "'%s': '%s' of [" GROUP "] is not %s.", reader->path, key, expected);
  reader->failed = TRUE;
}

static void
read_count (Reader *reader, const char *key, guint min, guint max, guint *value)
{
  g_autofree char *text =
      g_key_file_get_string (reader->keys, GROUP, key, NULL);
  guint64 number;

  if (!text)
    return;
  if (!g_ascii_string_to_unsigned (text, 10, min, max, &number, NULL)) {
    g_autofree char *range =
        g_strdup_printf ("a number from %u to %u", min, max);
    fail (reader, key, range);
    return;
  }
  *value = (guint)number;
}

static void
read_number (
    Reader *reader, const char *key, double min, double max, double *value)
{
  g_autofree char *text =
      g_key_file_get_string (reader->keys, GROUP, key, NULL);
  char *end;
  double number;

  if (!text)
    return;
  number = g_ascii_strtod (text, &end);
  if (end == text || *end || !(number >= min && number <= max)) {
    g_autofree char *range =
        g_strdup_printf ("a number from %g to %g", min, max);
    fail (reader, key, range);
    return;
  }
  *value = number;
}

static void
read_text (Reader *reader, const char *key, char **value)
{
  char *text = g_key_file_get_string (reader->keys, GROUP, key, NULL);

  if (!text)
    return;
  g_free (*value);
  *value = text;
}

/* The index of the value among the NULL-ended `words`. */
static void
read_word (
    Reader *reader, const char *key, const char *const *words, guint *value)
{
  g_autofree char *text =
      g_key_file_get_string (reader->keys, GROUP, key, NULL);
  g_autofree char *expected = NULL;

  if (!text)
    return;
  for (guint i = 0; words[i]; i++) {
    if (g_str_equal (words[i], text)) {
      *value = i;
      return;
    }
  }
  expected = g_strjoinv (" or ", (char **)words);
  fail (reader, key, expected);
}

static void
read_path (Reader *reader, const char *key, char **value)
{
  g_autofree char *folder = g_path_get_dirname (reader->path);
  g_autofree char *text =
      g_key_file_get_string (reader->keys, GROUP, key, NULL);

  if (!text)
    return;
  g_free (*value);
  *value = g_canonicalize_filename (text, folder);
}

static void
read_base (Reader *reader, VidgenWanPreset **preset)
{
  g_autofree char *name =
      g_key_file_get_string (reader->keys, GROUP, "preset", NULL);
  VidgenWanPreset *base;

  if (!name)
    return;
  base = vidgen_wan_preset_new (name);
  if (!base) {
    fail (reader, "preset", "the name of a preset");
    return;
  }
  vidgen_wan_preset_free (*preset);
  *preset = base;
}

static void
check_keys (Reader *reader)
{
  static const char *const all[] = { "preset", "transformer", "text-encoder",
    "decoder", "lora", "part", "weights", "cache", "chunk", "window", "sink",
    "steps", "first-steps", "positions", "prompt-change", "shift", "guidance",
    "negative-prompt", "width", "height", NULL };
  g_auto (GStrv) keys = g_key_file_get_keys (reader->keys, GROUP, NULL, NULL);

  for (guint i = 0; keys && keys[i]; i++) {
    if (!g_strv_contains (all, keys[i]))
      fail (reader, keys[i], "a key that is known");
  }
}

static void
read_keys (Reader *reader, VidgenWanPreset *preset)
{
  static const char *const weights[] = { "published", "bf16", NULL };
  static const char *const caches[] = { "f32", "f16", NULL };
  static const char *const positions[] = { "absolute", "relative", NULL };
  static const char *const changes[] = { "recache", "keep", "cut", NULL };
  guint relative = preset->relative ? 1 : 0, change = preset->change;
  guint halves = preset->halves ? 1 : 0;
  guint cache = preset->cache == VIDGEN_F16 ? 1 : 0;

  read_text (reader, "part", &preset->part);
  read_text (reader, "negative-prompt", &preset->negative);
  read_path (reader, "transformer", &preset->transformer);
  read_path (reader, "text-encoder", &preset->text_encoder);
  read_path (reader, "decoder", &preset->decoder);
  read_path (reader, "lora", &preset->lora);
  read_count (reader, "chunk", 1, MAX_CHUNK, &preset->chunk);
  read_count (reader, "window", 1, VIDGEN_WAN_MAX_WINDOW, &preset->window);
  read_count (reader, "sink", 0, VIDGEN_WAN_MAX_WINDOW, &preset->sink);
  read_count (reader, "steps", 1, VIDGEN_WAN_MAX_STEPS - 1, &preset->steps);
  preset->first_steps = preset->steps > preset->first_steps || preset->clip
                            ? preset->steps
                            : preset->first_steps;
  read_count (
      reader, "first-steps", 1, VIDGEN_WAN_MAX_STEPS - 1, &preset->first_steps);
  read_count (reader, "width", PICTURE_STEP, MAX_PICTURE, &preset->width);
  read_count (reader, "height", PICTURE_STEP, MAX_PICTURE, &preset->height);
  read_number (reader, "shift", 0.1, 100, &preset->shift);
  read_number (reader, "guidance", 1, 100, &preset->guidance);
  read_word (reader, "weights", weights, &halves);
  read_word (reader, "cache", caches, &cache);
  read_word (reader, "positions", positions, &relative);
  read_word (reader, "prompt-change", changes, &change);
  preset->halves = halves == 1;
  preset->cache = cache == 1 ? VIDGEN_F16 : VIDGEN_F32;
  preset->relative = relative == 1;
  preset->change = (VidgenWanChange)change;
}

gboolean
vidgen_wan_preset_read (
    VidgenWanPreset **preset, const char *path, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) cause = NULL;
  Reader reader = { .keys = keys, .path = path, .error = error };

  if (!g_key_file_load_from_file (keys, path, G_KEY_FILE_NONE, &cause)) {
    g_set_error (error, VIDGEN_ERROR,
        cause->domain == G_FILE_ERROR ? VIDGEN_ERROR_NOT_FOUND
                                      : VIDGEN_ERROR_FORMAT,
        "'%s' cannot be read: %s.", path, cause->message);
    return FALSE;
  }
  check_keys (&reader);
  if (!reader.failed)
    read_base (&reader, preset);
  if (!reader.failed)
    read_keys (&reader, *preset);
  return !reader.failed && vidgen_wan_preset_check (*preset, error);
}

gboolean
vidgen_wan_preset_check (const VidgenWanPreset *preset, GError **error)
{
  const char *problem = NULL;

  if (preset->width % PICTURE_STEP || preset->height % PICTURE_STEP)
    problem = "Width and height are no multiples of 16";
  else if (preset->clip && preset->window != preset->chunk)
    problem = "A clip's window is its chunk";
  else if (preset->chunk + preset->sink > preset->window)
    problem = "The window has no room for the sink and a chunk";
  if (!problem)
    return TRUE;
  g_set_error (error, VIDGEN_ERROR, VIDGEN_ERROR_INVALID,
      "%s (preset '%s': chunk %u, window %u, sink %u, %ux%u).", problem,
      preset->name, preset->chunk, preset->window, preset->sink, preset->width,
      preset->height);
  return FALSE;
}
