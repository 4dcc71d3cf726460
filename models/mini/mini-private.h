/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/family.h"
#include "models/mini/conditioning.h"
#include "models/mini/tokenizer.h"
#include "models/mini/weights.h"

G_BEGIN_DECLS

/* A model of the family `mini`. */
typedef struct {
  VidgenModel base;
  VidgenSafetensors *file;
  VidgenMiniConfig *config;
  VidgenMiniTokenizer *tokenizer;
  char *key; /* of the file, for sharing */
  guint *steps;
  guint8 identity[VIDGEN_MINI_IDENTITY_BYTES];
  /* NULL until loaded */
  VidgenMiniWeights *weights;
  VidgenMiniText *text;
  VidgenRecorder *recorder; /* for encoding, under the model's lock */
} VidgenMiniModel;

G_END_DECLS
