/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/transformer.h"

G_BEGIN_DECLS

/* One evaluation of the network, as the sampler needs it. */

/* Parts of a layer's modulation. */
#define VIDGEN_MINI_MODULATIONS 6

/* `time` counts the schedule's timesteps, the context's being the last. */
typedef struct {
  const VidgenMiniSample *sample;
  guint time;
  gboolean is_context;
} VidgenMiniPass;

/* Turns the keys of a context chunk, in all layers, to the age it is seen. */
void vidgen_mini_pass_turn (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, guint slot, guint age);

/* From video_x and audio_x to video_v and audio_v; keys and values go into the
 * chunk's slot. A context pass makes those alone. */
void vidgen_mini_pass_record (const VidgenMiniTransformer *transformer,
    VidgenRecorder *recorder, const VidgenMiniPass *pass);

G_END_DECLS
