/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The statistics of models/mini/train/world/statistics.py, which says what the
 * features are and how a scene is told by them. */

#define STATISTICS_PICTURE 37
#define STATISTICS_SOUND 10
#define STATISTICS_FEATURES (STATISTICS_PICTURE + STATISTICS_SOUND)

/* rgb: `frames` pictures of height rows of 3 * width bytes, frames >= 2.
 * samples: [n_samples][2]. */
void statistics_features (const guint8 *rgb, guint frames, guint width,
    guint height, const float *samples, guint n_samples,
    double features[STATISTICS_FEATURES]);

typedef struct _Scenes Scenes;

Scenes *scenes_read (const char *path);
void scenes_free (Scenes *scenes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scenes, scenes_free)

/* The prompt of the first scene of `family`. */
const char *scenes_prompt (const Scenes *scenes, const char *family);
/* The family of the scene that picture and sound together are nearest to. */
const char *scenes_tell (
    const Scenes *scenes, const double features[STATISTICS_FEATURES]);

G_END_DECLS
