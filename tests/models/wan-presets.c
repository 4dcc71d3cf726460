/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "models/wan/conditioning.h"
#include "models/wan/context.h"
#include "models/wan/preset.h"
#include "shaders/runtime/error.h"
#include "tests/models/fixture.h"

static void
test_guess (void)
{
  static const struct {
    const char *path, *name;
  } cases[] = {
    { "/m/checkpoints/self_forcing_dmd.pt", "self-forcing" },
    { "/m/SFWan2.1-T2V-1.3B-Diffusers/transformer/x.safetensors",
        "self-forcing" },
    { "/m/chunkwise/causal_forcing.pt", "causal-forcing" },
    { "/m/framewise/causal_forcing.pt", "causal-forcing-frame-wise" },
    { "/m/causal-forcing++/framewise-2step.pt", "causal-forcing-2-step" },
    { "/m/causal-forcing++/framewise-1step.pt", "causal-forcing-1-step" },
    { "/m/LongLive-1.3B/models/longlive_base.pt", "longlive" },
    { "/m/Wan2.1-T2V-1.3B/diffusion_pytorch_model.safetensors", "wan" },
    { "/m/self_forcing/a/b/c/wan.safetensors", "wan" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VidgenWanPreset) preset =
        vidgen_wan_preset_guess (cases[i].path);

    g_assert_cmpstr (preset->name, ==, cases[i].name);
  }
}

static gboolean
takes (const guint *steps, guint n)
{
  while (*steps && *steps != n)
    steps++;
  return *steps == n;
}

static void
test_all (void)
{
  const char *const *names = vidgen_wan_preset_names ();

  for (guint i = 0; names[i]; i++) {
    g_autoptr (VidgenWanPreset) preset = vidgen_wan_preset_new (names[i]);
    g_autoptr (GError) error = NULL;

    vidgen_wan_preset_check (preset, &error);
    g_assert_no_error (error);
    g_assert_true (takes (vidgen_wan_preset_steps (preset), preset->steps));
    g_assert_nonnull (vidgen_wan_preset_about (names[i])->licence);
  }
  g_assert_null (vidgen_wan_preset_new ("none"));
  g_assert_null (vidgen_wan_preset_about ("none"));
}

static char *
write_side_file (const char *text)
{
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  const int file = g_file_open_tmp ("vidgen-XXXXXX.ini", &path, &error);

  g_assert_no_error (error);
  g_close (file, NULL);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  return path;
}

static void
test_side_file (void)
{
  g_autofree char *path = write_side_file ("[wan]\n"
                                           "preset = self-forcing\n"
                                           "window = 9\n"
                                           "sink = 3\n"
                                           "steps = 2\n"
                                           "positions = absolute\n"
                                           "prompt-change = cut\n"
                                           "cache = f32\n"
                                           "decoder = sub/vae.pth\n"
                                           "width = 256\n"
                                           "height = 144\n");
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *decoder = g_build_filename (folder, "sub", "vae.pth", NULL);
  g_autoptr (VidgenWanPreset) preset = vidgen_wan_preset_guess ("x");
  g_autoptr (GError) error = NULL;

  vidgen_wan_preset_read (&preset, path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (preset->name, ==, "self-forcing");
  g_assert_cmpuint (preset->window, ==, 9);
  g_assert_cmpuint (preset->sink, ==, 3);
  g_assert_cmpuint (preset->chunk, ==, 3);
  g_assert_cmpuint (preset->steps, ==, 2);
  g_assert_cmpuint (preset->first_steps, ==, 4);
  g_assert_cmpuint (preset->width, ==, 256);
  g_assert_false (preset->relative);
  g_assert_cmpint (preset->change, ==, VIDGEN_WAN_CUT);
  g_assert_cmpint (preset->cache, ==, VIDGEN_F32);
  g_assert_cmpstr (preset->decoder, ==, decoder);
  g_remove (path);
}

static void
test_bad_side_files (void)
{
  static const struct {
    const char *text;
    int code;
    const char *says;
  } cases[] = {
    { "[wan]\nwindow = 100\n", VIDGEN_ERROR_FORMAT,
        "'window' of [wan] is not a number from 1 to 64" },
    { "[wan]\nwindow = x\n", VIDGEN_ERROR_FORMAT, "'window'" },
    { "[wan]\ncache = q8_0\n", VIDGEN_ERROR_FORMAT, "f32 or f16" },
    { "[wan]\npositions = here\n", VIDGEN_ERROR_FORMAT,
        "absolute or relative" },
    { "[wan]\nshift = 1e9\n", VIDGEN_ERROR_FORMAT, "'shift'" },
    { "[wan]\npreset = x\n", VIDGEN_ERROR_FORMAT, "'preset'" },
    { "[wan]\nwindo = 9\n", VIDGEN_ERROR_FORMAT, "'windo'" },
    { "window = 9\n", VIDGEN_ERROR_FORMAT, "cannot be read" },
    { "[wan]\nwidth = 250\n", VIDGEN_ERROR_INVALID, "multiples of 16" },
    { "[wan]\npreset = longlive\nwindow = 5\n", VIDGEN_ERROR_INVALID,
        "no room" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = write_side_file (cases[i].text);
    g_autoptr (VidgenWanPreset) preset = vidgen_wan_preset_guess ("x");
    g_autoptr (GError) error = NULL;

    g_assert_false (vidgen_wan_preset_read (&preset, path, &error));
    g_assert_error (error, VIDGEN_ERROR, cases[i].code);
    if (!strstr (error->message, cases[i].says))
      g_error ("'%s' does not say '%s'", error->message, cases[i].says);
    g_remove (path);
  }
}

#define SIZE 4
#define MAX_ROWS 3

static GBytes *
make_conditioning (const guint8 *identity, guint rows, guint negative, float at)
{
  float states[MAX_ROWS * SIZE], away[MAX_ROWS * SIZE];

  for (guint i = 0; i < MAX_ROWS * SIZE; i++) {
    states[i] = at + (float)i;
    away[i] = -at - (float)i;
  }
  return vidgen_wan_conditioning_new (identity, SIZE,
      (VidgenWanPrompt){ states, rows }, (VidgenWanPrompt){ away, negative });
}

static void
test_conditioning (void)
{
  static const guint8 mine[VIDGEN_WAN_IDENTITY_BYTES] = { 1 };
  static const guint8 other[VIDGEN_WAN_IDENTITY_BYTES] = { 2 };
  g_autoptr (GBytes) bytes = make_conditioning (mine, 3, 2, 1);
  g_autoptr (GBytes) unknown = make_conditioning (NULL, 0, 0, 1);
  const VidgenWanPrompt prompt = vidgen_wan_conditioning_prompt (bytes, 0);
  const VidgenWanPrompt away = vidgen_wan_conditioning_prompt (bytes, 1);

  g_assert_true (vidgen_wan_conditioning_check (bytes, mine, SIZE, MAX_ROWS));
  g_assert_true (vidgen_wan_conditioning_check (bytes, NULL, SIZE, MAX_ROWS));
  g_assert_true (vidgen_wan_conditioning_check (unknown, mine, SIZE, 1));
  g_assert_false (vidgen_wan_conditioning_check (bytes, other, SIZE, MAX_ROWS));
  g_assert_false (vidgen_wan_conditioning_check (bytes, mine, SIZE, 2));
  g_assert_false (vidgen_wan_conditioning_check (bytes, mine, 2, MAX_ROWS));
  g_assert_cmpuint (prompt.rows, ==, 3);
  g_assert_cmpfloat (prompt.states[11], ==, 12);
  g_assert_cmpuint (away.rows, ==, 2);
  g_assert_cmpfloat (away.states[7], ==, -8);
}

/* No byte of it can be changed or left out. */
static void
test_damage (void)
{
  static const guint8 mine[VIDGEN_WAN_IDENTITY_BYTES] = { 1 };
  g_autoptr (GBytes) bytes = make_conditioning (mine, 2, 1, 1);
  const gsize size = g_bytes_get_size (bytes);

  for (gsize i = 0; i < size; i++) {
    g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
    g_autoptr (GBytes) cut = g_bytes_new (data, i);
    g_autoptr (GBytes) changed = NULL;

    g_assert_false (vidgen_wan_conditioning_check (cut, mine, SIZE, MAX_ROWS));
    data[i] ^= 4;
    changed = g_bytes_new (data, size);
    g_assert_false (
        vidgen_wan_conditioning_check (changed, mine, SIZE, MAX_ROWS));
  }
}

static void
test_blend (void)
{
  g_autoptr (GBytes) from = make_conditioning (NULL, 3, 0, 1);
  g_autoptr (GBytes) to = make_conditioning (NULL, 2, 1, 5);
  g_autoptr (GBytes) bytes =
      vidgen_wan_conditioning_blend (SIZE, from, to, 0.25);
  const VidgenWanPrompt prompt = vidgen_wan_conditioning_prompt (bytes, 0);
  const VidgenWanPrompt away = vidgen_wan_conditioning_prompt (bytes, 1);

  g_assert_true (vidgen_wan_conditioning_check (bytes, NULL, SIZE, MAX_ROWS));
  g_assert_cmpuint (prompt.rows, ==, 3);
  g_assert_cmpfloat_with_epsilon (prompt.states[0], 2, 1e-6);
  g_assert_cmpfloat_with_epsilon (prompt.states[11], 9, 1e-6);
  g_assert_cmpuint (away.rows, ==, 1);
  g_assert_cmpfloat_with_epsilon (away.states[3], -2, 1e-6);
}

/* What the cache holds after `made` frames, by slot. */
static void
check_view (guint window, guint sink, guint made, guint count,
    const double *absolute, const double *relative, guint n_slots)
{
  VidgenWanContext context = { .window = window, .sink = sink };
  VidgenWanView view;

  vidgen_wan_context_advance (&context, made);
  vidgen_wan_context_next (&context, count, count, &view);
  g_assert_cmpuint (view.n_slots, ==, n_slots);
  g_assert_cmpuint (view.n_frames, ==, count);
  for (guint i = 0; i < n_slots; i++)
    g_assert_cmpfloat (view.positions[i], ==, absolute[i]);
  context.relative = TRUE;
  vidgen_wan_context_next (&context, count, count, &view);
  for (guint i = 0; i < n_slots; i++)
    g_assert_cmpfloat (view.positions[i], ==, relative[i]);
}

static void
test_context (void)
{
  static const double filling[] = { 0, 1, 2, 3 };
  /* window 5, sink 1: frames 5, 6 go where 1, 2 were */
  static const double wrapped[] = { 0, 5, 6, 3, 4 };
  static const double wrapped_places[] = { 0, 3, 4, 1, 2 };
  VidgenWanContext context = { .window = 5, .sink = 1, .frames = 7 };
  VidgenWanView view;

  check_view (5, 1, 2, 2, filling, filling, 4);
  check_view (5, 1, 5, 2, wrapped, wrapped_places, 5);
  /* frame 7 in slot 3, 8 in slot 4, 9 in slot 1 */
  vidgen_wan_context_next (&context, 3, 3, &view);
  g_assert_cmpuint (view.n_runs, ==, 2);
  g_assert_cmpuint (view.runs[0].slot, ==, 3);
  g_assert_cmpuint (view.runs[0].count, ==, 2);
  g_assert_cmpuint (view.runs[1].slot, ==, 1);
  g_assert_cmpuint (view.runs[1].first, ==, 2);
  g_assert_cmpuint (vidgen_wan_context_again (&context, 3, &view), ==, 3);
  g_assert_cmpuint (view.n_frames, ==, 4);
  vidgen_wan_context_forget (&context);
  vidgen_wan_context_next (&context, 3, 1, &view);
  g_assert_cmpuint (view.n_slots, ==, 3);
  g_assert_cmpuint (view.n_runs, ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wan-presets/guess", test_guess);
  g_test_add_func ("/wan-presets/all", test_all);
  g_test_add_func ("/wan-presets/side-file", test_side_file);
  g_test_add_func ("/wan-presets/bad-side-files", test_bad_side_files);
  g_test_add_func ("/wan-presets/conditioning", test_conditioning);
  g_test_add_func ("/wan-presets/damage", test_damage);
  g_test_add_func ("/wan-presets/blend", test_blend);
  g_test_add_func ("/wan-presets/context", test_context);
  return g_test_run ();
}
