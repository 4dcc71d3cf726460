/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/mini/context.h"

#define CHUNKS 60

/* The slots against the rule of models/mini/FORMAT.md, told chunk by chunk:
 * which chunks are seen, and at what age. */
static void
check_ages (const VidgenMiniContext *context, const VidgenMiniView *view,
    guint64 chunk, guint64 run_start)
{
  gboolean seen[CHUNKS] = { FALSE };
  guint expected = 0;

  for (guint i = 0; i < view->n_seen; i++) {
    const guint64 held = context->chunk_of[view->seen[i].slot];
    const guint64 ago = chunk - held;

    g_assert_false (seen[held]);
    seen[held] = TRUE;
    g_assert_cmpuint (view->seen[i].age, ==, MIN (ago, context->window + 1));
  }
  for (guint64 other = 0; other < chunk; other++) {
    const gboolean in_window = other + context->window >= chunk;
    const gboolean is_sink = context->sink && other == run_start;

    g_assert_cmpint (seen[other], ==, in_window || is_sink);
    expected += seen[other];
  }
  g_assert_cmpuint (view->n_seen, ==, expected);
}

/* The runs cover the slots that are seen and the chunk's own, once each. */
static void
check_runs (const VidgenMiniContext *context, const VidgenMiniView *view)
{
  guint covered[VIDGEN_MINI_MAX_WINDOW + 2] = { 0 };

  g_assert_cmpuint (view->n_runs, <=, VIDGEN_MINI_MAX_RUNS);
  for (guint i = 0; i < view->n_runs; i++)
    for (guint j = 0; j < view->runs[i].count; j++)
      covered[view->runs[i].first + j]++;
  g_assert_cmpuint (covered[view->slot], ==, 1);
  covered[view->slot]--;
  for (guint i = 0; i < view->n_seen; i++) {
    g_assert_cmpuint (covered[view->seen[i].slot], ==, 1);
    covered[view->seen[i].slot]--;
  }
  for (guint slot = 0; slot < context->slots; slot++)
    g_assert_cmpuint (covered[slot], ==, 0);
}

static void
walk (guint window, guint sink, GRand *random, double change)
{
  const VidgenMiniConfig config = { .context = { window, sink, 0 } };
  VidgenMiniContext context;
  guint64 run_start = 0;

  vidgen_mini_context_init (&context, &config);
  for (guint64 chunk = 0; chunk < CHUNKS; chunk++) {
    const gboolean starts = chunk == 0 || g_rand_double (random) < change;
    VidgenMiniView view;

    if (starts)
      run_start = chunk;
    vidgen_mini_context_view (&context, chunk, starts, &view);
    check_ages (&context, &view, chunk, run_start);
    check_runs (&context, &view);
    vidgen_mini_context_commit (&context, chunk, starts, view.slot);
  }
  vidgen_mini_context_clear (&context);
}

static void
test_walks (void)
{
  GRand *random = g_rand_new_with_seed (1);

  for (guint window = 0; window <= 8; window++) {
    for (guint sink = 0; sink <= 1; sink++) {
      walk (window, sink, random, 0);
      for (guint i = 0; i < 20; i++)
        walk (window, sink, random, g_rand_double (random));
    }
  }
  g_rand_free (random);
}

/* A view alone changes nothing, so a chunk that fails is made again alike. */
static void
test_view_is_pure (void)
{
  const VidgenMiniConfig config = { .context = { 2, 1, 0 } };
  VidgenMiniContext context;
  VidgenMiniView first, second;

  vidgen_mini_context_init (&context, &config);
  for (guint64 chunk = 0; chunk < 9; chunk++) {
    vidgen_mini_context_view (&context, chunk, chunk == 5, &first);
    vidgen_mini_context_view (&context, chunk, chunk == 5, &second);
    g_assert_cmpuint (first.slot, ==, second.slot);
    g_assert_cmpuint (first.n_seen, ==, second.n_seen);
    vidgen_mini_context_commit (&context, chunk, chunk == 5, first.slot);
  }
  vidgen_mini_context_clear (&context);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/context/walks", test_walks);
  g_test_add_func ("/context/view-is-pure", test_view_is_pure);
  return g_test_run ();
}
