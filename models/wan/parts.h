/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/decoder.h"
#include "models/lora.h"
#include "models/umt5/umt5.h"
#include "models/wan/names.h"
#include "models/wan/preset.h"

G_BEGIN_DECLS

/* What a model of the family consists of, found in a folder: the transformer,
 * the decoder of latents (the small one where there are two), the text encoder,
 * which may be missing, and for LongLive the LoRA beside it. */
typedef struct {
  VidgenWanPreset *preset;
  char *folder; /* that all is looked for in */
  char *path;   /* of the transformer */
  char *config; /* config.json beside it, or NULL */
  VidgenNames *names;
  char *lora_path;
  VidgenLora *loras[2]; /* at most one, ended by NULL */
  char *decoder_path;
  VidgenDecoder *decoder;
  VidgenUmt5 *text; /* NULL: none */
} VidgenWanParts;

/* Whether `location`, a checkpoint or a folder, has such a transformer. Cheap;
 * never fails. */
gboolean vidgen_wan_parts_probe (const char *location);

/* Headers only. `location` is a folder or the transformer in it. Errors:
 * NOT_FOUND (something is missing), FORMAT, INVALID. */
VidgenWanParts *vidgen_wan_parts_open (const char *location, GError **error);
void vidgen_wan_parts_free (VidgenWanParts *parts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenWanParts, vidgen_wan_parts_free)

G_END_DECLS
