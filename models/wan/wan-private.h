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
  gboolean crowded; /* the text encoder keeps nothing on the device any more */
} VidgenWanModel;

/* NULL where there is no text encoder and any may have been used. */
const guint8 *vidgen_wan_model_identity (const VidgenWanModel *model);

/* Frees what the text encoder keeps on the device from one prompt to the next,
 * for good. Whether that was anything. */
gboolean vidgen_wan_model_make_room (VidgenWanModel *model);

G_END_DECLS
