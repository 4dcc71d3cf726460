/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/tape.h"

G_BEGIN_DECLS

/* The tapes of one recorder by what they were recorded for: a key that tells
 * all that is fixed on a tape and differs from others. When all places are
 * taken the one used longest ago is recorded over. Of the recorder's thread;
 * freed before it. */
typedef struct _VidgenTapes VidgenTapes;

/* Bytes of `words` that so many tapes take, a multiple of
 * VIDGEN_SPAN_ALIGNMENT. */
guint64 vidgen_tapes_bytes (guint n_places, gsize words_bytes);

/* `words`: mapped memory of vidgen_tapes_bytes(), of which each tape gets
 * `words_bytes`; absent where those are 0. Keys have `key_bytes`, padding
 * included, and are compared as bytes. */
VidgenTapes *vidgen_tapes_new (VidgenRecorder *recorder, guint n_places,
    gsize key_bytes, VidgenSpan words, gsize words_bytes);
void vidgen_tapes_free (VidgenTapes *tapes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenTapes, vidgen_tapes_free)

/* Places that are taken. */
guint vidgen_tapes_count (const VidgenTapes *tapes);

/* The tape of the key, good until the next begin; NULL where there is none, or
 * one that is stale. */
VidgenTape *vidgen_tapes_find (VidgenTapes *tapes, const void *key);

/* Begins to record a tape for a key that has none, as
 * vidgen_recorder_begin_tape(); returns the tape's words. Frees a stale tape of
 * the key, or the one used longest ago. */
VidgenSpan vidgen_tapes_begin (VidgenTapes *tapes, const void *key);
/* As vidgen_recorder_end_tape(). */
VidgenTape *vidgen_tapes_end (VidgenTapes *tapes);

G_END_DECLS
