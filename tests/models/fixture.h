/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gio/gio.h>

#include "models/model.h"

G_BEGIN_DECLS

/* What the tests of models share. Failures end the test. */

/* A path below the source tree; free it. */
char *fixture_path (const char *path);
/* The contents of a file below the source tree that gzip has packed. */
GBytes *fixture_unpack (const char *path);

/* The tiny model of random weights, loaded. */
VidgenModel *fixture_load_tiny (VidgenDevice *device);
/* The same with a head for twice the size. */
VidgenModel *fixture_load_wide (VidgenDevice *device);
/* The shipped model, loaded. NULL, and the test skipped, where it is not
 * linked in. */
VidgenModel *fixture_load_mini (VidgenDevice *device);
VidgenDevice *fixture_open_host (void);
/* NULL, and the test skipped, where there is no Vulkan device. */
VidgenDevice *fixture_open_vulkan (void);

/* A stream of `seed` under `prompt`, in the model's own format. */
VidgenStream *fixture_stream (
    VidgenModel *model, guint64 seed, const char *prompt);
/* The same at `scale` times its native size. */
VidgenStream *fixture_stream_scaled (
    VidgenModel *model, guint64 seed, const char *prompt, guint scale);
void fixture_set_prompt (VidgenStream *stream, VidgenModel *model,
    const char *prompt, guint blend_chunks);
/* The next chunk with picture (RGB) and sound. */
VidgenChunk *fixture_next (VidgenStream *stream);

/* Whether pictures and sound are the same bytes. */
gboolean fixture_same_pictures (const VidgenChunk *a, const VidgenChunk *b);
gboolean fixture_same_sound (const VidgenChunk *a, const VidgenChunk *b);

/* norm (a - b) / norm (b) */
double fixture_distance (const float *a, const float *b, gsize count);

G_END_DECLS
