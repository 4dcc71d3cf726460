/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "models/tapes.h"

#include <string.h>

typedef struct {
  VidgenTape *tape; /* NULL: free */
  gpointer key;
  VidgenSpan words;
  guint64 used;
} Place;

struct _VidgenTapes {
  VidgenRecorder *recorder;
  Place *places;
  guint n_places;
  gsize key_bytes;
  Place *recording;
  guint64 n_uses;
};

guint64
vidgen_tapes_bytes (guint n_places, gsize words_bytes)
{
  const guint64 aligned = (words_bytes + VIDGEN_SPAN_ALIGNMENT - 1) /
                          VIDGEN_SPAN_ALIGNMENT * VIDGEN_SPAN_ALIGNMENT;

  return n_places * aligned;
}

VidgenTapes *
vidgen_tapes_new (VidgenRecorder *recorder, guint n_places, gsize key_bytes,
    VidgenSpan words, gsize words_bytes)
{
  VidgenTapes *tapes = g_new0 (VidgenTapes, 1);

  tapes->recorder = recorder;
  tapes->places = g_new0 (Place, n_places);
  tapes->n_places = n_places;
  tapes->key_bytes = key_bytes;
  for (guint i = 0; i < n_places; i++) {
    tapes->places[i].key = g_malloc0 (key_bytes);
    if (words_bytes > 0)
      tapes->places[i].words = vidgen_span_cut (
          words, vidgen_tapes_bytes (i, words_bytes), words_bytes);
  }
  return tapes;
}

void
vidgen_tapes_free (VidgenTapes *tapes)
{
  if (!tapes)
    return;
  for (guint i = 0; i < tapes->n_places; i++) {
    vidgen_tape_free (tapes->places[i].tape);
    g_free (tapes->places[i].key);
  }
  g_free (tapes->places);
  g_free (tapes);
}

guint
vidgen_tapes_count (const VidgenTapes *tapes)
{
  guint n = 0;

  for (guint i = 0; i < tapes->n_places; i++)
    n += tapes->places[i].tape != NULL;
  return n;
}

static Place *
find_place (VidgenTapes *tapes, const void *key)
{
  for (guint i = 0; i < tapes->n_places; i++) {
    Place *place = &tapes->places[i];

    if (place->tape && !memcmp (place->key, key, tapes->key_bytes))
      return place;
  }
  return NULL;
}

VidgenTape *
vidgen_tapes_find (VidgenTapes *tapes, const void *key)
{
  Place *place = find_place (tapes, key);

  if (!place || vidgen_tape_is_stale (place->tape))
    return NULL;
  place->used = ++tapes->n_uses;
  return place->tape;
}

static Place *
oldest_place (VidgenTapes *tapes)
{
  Place *oldest = tapes->places;

  for (guint i = 1; i < tapes->n_places; i++)
    if (tapes->places[i].used < oldest->used)
      oldest = &tapes->places[i];
  return oldest;
}

VidgenSpan
vidgen_tapes_begin (VidgenTapes *tapes, const void *key)
{
  Place *place = find_place (tapes, key);

  if (!place)
    place = oldest_place (tapes);
  g_clear_pointer (&place->tape, vidgen_tape_free);
  memcpy (place->key, key, tapes->key_bytes);
  place->used = ++tapes->n_uses;
  tapes->recording = place;
  vidgen_recorder_begin_tape (tapes->recorder, place->words);
  return place->words;
}

VidgenTape *
vidgen_tapes_end (VidgenTapes *tapes)
{
  Place *place = tapes->recording;

  tapes->recording = NULL;
  place->tape = vidgen_recorder_end_tape (tapes->recorder);
  if (!place->tape)
    place->used = 0;
  return place->tape;
}
