/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/model.h"

G_BEGIN_DECLS

/* What a user chooses of the content and may change while it is made. */
typedef struct {
  char *prompt;          /* NULL: the model's own example */
  char *negative_prompt; /* or NULL */
  guint steps;           /* 0: the model's default */
  double guidance;       /* negative: the model's default */
  guint64 transition_ns; /* time over which a new prompt blends in */
} VidgenSettings;

void vidgen_settings_copy (VidgenSettings *to, const VidgenSettings *from);
void vidgen_settings_clear (VidgenSettings *settings);
/* Whether both ask for the same content; how a change blends in apart. */
gboolean vidgen_settings_equal (
    const VidgenSettings *a, const VidgenSettings *b);

/* Makes chunks of one model: holds the stream, brings it to the chunk that is
 * asked for and changes its settings there. Used by one thread.
 */
typedef struct _VidgenGenerator VidgenGenerator;

/* forward_only: it will never be asked for a frame before the last one. */
VidgenGenerator *vidgen_generator_new (VidgenModel *model, VidgenDevice *device,
    guint64 seed, gboolean forward_only);
void vidgen_generator_free (VidgenGenerator *generator);

gboolean vidgen_generator_load (VidgenGenerator *generator,
    VidgenLoadProgress progress, gpointer user_data, GCancellable *cancellable,
    GError **error);

/* Checks settings and encodes their prompt; they apply at the next chunk that
 * is asked for. On an error (INVALID, UNSUPPORTED, device errors, cancelled)
 * the settings before stay in force. */
gboolean vidgen_generator_set (VidgenGenerator *generator,
    const VidgenSettings *settings, GCancellable *cancellable, GError **error);

typedef struct {
  guint64 first_frame; /* of the chunk, in content frames */
  guint64 index;       /* of the chunk, counted over changes of format */
  gboolean settings_applied;
  gboolean prompt_applied; /* a prompt that was not in force before */
} VidgenMade;

/* The frame at which the chunk that holds `frame` begins. */
guint64 vidgen_generator_chunk_start (
    const VidgenGenerator *generator, guint64 frame);

/* The frame at which the first chunk begins that must be made on the way to
 * `frame`; more than one chunk back when an earlier one is to be made again. */
guint64 vidgen_generator_way_from (const VidgenGenerator *generator,
    guint64 frame, const VidgenFormat *format);

/* Makes the next chunk on the way to the one that holds `frame`, most often
 * that one itself. A format other than that of the chunk before begins a new
 * stream at `frame`, which must then be the end of a chunk. Errors: those of
 * vidgen_stream_new() and vidgen_stream_next(). */
VidgenChunk *vidgen_generator_next (VidgenGenerator *generator, guint64 frame,
    const VidgenFormat *format, const VidgenChunkRequest *request,
    VidgenMade *made, GCancellable *cancellable, GError **error);

/* Zero before the first chunk. */
void vidgen_generator_stats (
    const VidgenGenerator *generator, VidgenStreamStats *stats);

G_END_DECLS
