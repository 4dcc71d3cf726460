/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

/* What a chunk costs the machine and the thread that asks for it: with its
 * commands recorded each time, and played from tapes with the next chunk begun
 * ahead. Both take turns, so that what else the machine does hits both. */

#include <time.h>

#include "models/mini/stream.h"
#include "tests/models/fixture.h"

#define FIRST 24 /* chunks that are not counted: tapes are recorded */
#define CHUNKS 5 /* of a turn */
#define TURNS 10

typedef struct {
  VidgenStream *stream;
  double wall_ms, cpu_ms, host_ms; /* a chunk, the least of the turns */
  double first_ms;                 /* of a stream's first chunk, the least */
  guint64 n_recorded;              /* in all turns */
} Way;

static double
clock_ms (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void
keep_least (double *least, double ms)
{
  if (*least <= 0 || ms < *least)
    *least = ms;
}

/* From nothing in flight to nothing in flight. */
static void
take_turn (Way *way)
{
  VidgenRecorder *recorder = vidgen_mini_stream_recorder (way->stream);
  const guint64 n_before = vidgen_recorder_n_recorded (recorder);
  const double wall_ms = clock_ms (CLOCK_MONOTONIC);
  const double cpu_ms = clock_ms (CLOCK_PROCESS_CPUTIME_ID);
  const double host_ms = clock_ms (CLOCK_THREAD_CPUTIME_ID);

  for (guint i = 0; i < CHUNKS; i++)
    vidgen_chunk_unref (fixture_next (way->stream));
  keep_least (
      &way->host_ms, (clock_ms (CLOCK_THREAD_CPUTIME_ID) - host_ms) / CHUNKS);
  g_assert_true (vidgen_recorder_finish (recorder, NULL, NULL));
  keep_least (&way->wall_ms, (clock_ms (CLOCK_MONOTONIC) - wall_ms) / CHUNKS);
  keep_least (
      &way->cpu_ms, (clock_ms (CLOCK_PROCESS_CPUTIME_ID) - cpu_ms) / CHUNKS);
  way->n_recorded += vidgen_recorder_n_recorded (recorder) - n_before;
}

/* What the first chunk of a stream takes, the least of some. */
static double
first_ms (VidgenModel *model, guint scale, gboolean tapes, double least)
{
  g_autoptr (VidgenStream) stream =
      fixture_stream_scaled (model, 1, "ocean waves", scale);
  const double start_ms = clock_ms (CLOCK_MONOTONIC);

  vidgen_mini_stream_set_tapes (stream, tapes);
  vidgen_chunk_unref (fixture_next (stream));
  keep_least (&least, clock_ms (CLOCK_MONOTONIC) - start_ms);
  return least;
}

static void
measure_scaled (VidgenModel *model, const char *name, guint scale)
{
  g_autoptr (VidgenStream) fresh =
      fixture_stream_scaled (model, 1, "ocean waves", scale);
  g_autoptr (VidgenStream) taped =
      fixture_stream_scaled (model, 1, "ocean waves", scale);
  Way ways[] = { { .stream = fresh }, { .stream = taped } };

  vidgen_mini_stream_set_tapes (fresh, FALSE);
  for (guint i = 0; i < FIRST; i++) {
    vidgen_chunk_unref (fixture_next (fresh));
    vidgen_chunk_unref (fixture_next (taped));
  }
  for (guint i = 0; i < TURNS; i++)
    for (guint j = 0; j < G_N_ELEMENTS (ways); j++) {
      take_turn (&ways[j]);
      ways[j].first_ms = first_ms (model, scale, j, ways[j].first_ms);
    }
  for (guint j = 0; j < G_N_ELEMENTS (ways); j++)
    g_print ("%-10s %-14s %9.2f %9.2f %9.3f %9.2f %9.1f\n", name,
        j ? "from tapes" : "recorded anew", ways[j].wall_ms, ways[j].cpu_ms,
        ways[j].host_ms, ways[j].first_ms,
        (double)ways[j].n_recorded / (CHUNKS * TURNS));
  g_print ("%-10s %-14s %9.2f %9.2f %9.2f %9.2f\n", name, "times as fast",
      ways[0].wall_ms / ways[1].wall_ms, ways[0].cpu_ms / ways[1].cpu_ms,
      ways[0].host_ms / ways[1].host_ms, ways[0].first_ms / ways[1].first_ms);
}

/* At each size that it makes. */
static void
measure (VidgenModel *model, const char *name)
{
  const guint *scale = vidgen_model_info (model)->scales;

  for (; *scale; scale++) {
    g_autofree char *label = *scale > 1
                                 ? g_strdup_printf ("%s x %u", name, *scale)
                                 : g_strdup (name);

    measure_scaled (model, label, *scale);
  }
}

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VidgenDevice) device = vidgen_device_open (NULL, &error);
  g_autoptr (VidgenModel) tiny = NULL;
  g_autoptr (VidgenModel) mini = NULL;

  if (!device) {
    g_print ("%s\n", error->message);
    return 77;
  }
  tiny = fixture_load_tiny (device);
  mini = vidgen_model_open ("mini", NULL);
  g_print ("%s, %s\n", vidgen_device_caps (device)->name,
      vidgen_device_caps (device)->driver);
  g_print ("%-10s %-14s %9s %9s %9s %9s %9s\n", "model", "commands", "ms/chunk",
      "cpu ms", "host ms", "first ms", "recorded");
  measure (tiny, "tiny");
  if (mini && vidgen_model_load (mini, device, NULL, NULL, NULL, NULL))
    measure (mini, "mini");
  return 0;
}
