/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/family.h"
#include "models/wan/conditioning.h"
#include "models/wan/parts.h"
#include "models/wan/transformer.h"

G_BEGIN_DECLS

/* The weights of a model on one device. Refcounted, immutable, shared by the
 * models that were opened from the same files. */
typedef struct {
  gatomicrefcount references;
  char *key;
  VidgenDevice *device;
  GPtrArray *memories;
  VidgenWanWeights weights;
  VidgenDecoder *decoder;
} VidgenWanLoaded;

/* A model of the family `wan`. */
typedef struct {
  VidgenModel base;
  VidgenWanParts *parts;
  VidgenWanConfig config;
  guint64 weights_bytes;
  char *key;
  guint8 identity[VIDGEN_WAN_IDENTITY_BYTES];
  char *encoder; /* what encoded prompts depend on; NULL: no encoder */
  VidgenWanLoaded *loaded; /* NULL until then */
  GMutex text_lock;        /* held while the text encoder is used */
  gboolean crowded;        /* it keeps nothing on the device any more */
  guint64 streams_bytes;   /* of models/wan/room.c */
} VidgenWanModel;

/* NULL where there is no text encoder and any may have been used. */
const guint8 *vidgen_wan_model_identity (const VidgenWanModel *model);

G_END_DECLS
