/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Steps of a chunk, in the order of recording, for a VidgenPlan. */
typedef enum {
  VIDGEN_MINI_STEP_TEXT,
  VIDGEN_MINI_STEP_TRANSFORMER,
  VIDGEN_MINI_STEP_DECODE_IN,
  VIDGEN_MINI_STEP_DECODE_1,
  VIDGEN_MINI_STEP_DECODE_2,
  VIDGEN_MINI_STEP_DECODE_3,
  VIDGEN_MINI_STEP_DECODE_4,
  VIDGEN_MINI_STEP_DECODE_WIDE,
  VIDGEN_MINI_STEP_PICTURE,
  VIDGEN_MINI_STEP_SOUND
} VidgenMiniStep;

G_END_DECLS
