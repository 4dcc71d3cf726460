/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/checkpoint.h"
#include "models/wan/preset.h"

G_BEGIN_DECLS

/* The files that a model of the family is made of, told by what is in them. */
typedef enum {
  VIDGEN_WAN_OTHER,
  VIDGEN_WAN_TRANSFORMER,
  VIDGEN_WAN_TEXT_ENCODER,
  VIDGEN_WAN_DECODER,
  VIDGEN_WAN_LORA
} VidgenWanRole;

VidgenWanRole vidgen_wan_role (VidgenCheckpoint *checkpoint);

typedef struct {
  VidgenCheckpoint *transformer;
  VidgenCheckpoint *decoder; /* NULL: there is none */
  VidgenCheckpoint *lora;    /* to be merged; NULL: none */
  char *text_encoder;        /* the path; NULL: there is none */
  char *config;              /* config.json beside the transformer; or NULL */
} VidgenWanFiles;

/* Finds them for `location`, a transformer's checkpoint or a folder: where the
 * preset names a file that one is taken, otherwise what is in the folder and
 * right below it. Of several decoders the first TAEHV is taken, of several text
 * encoders the first; several transformers or LoRAs are an error. Errors:
 * NOT_FOUND (no transformer, or what the preset names is missing), FORMAT. */
VidgenWanFiles *vidgen_wan_files_find (
    const char *location, const VidgenWanPreset *preset, GError **error);
void vidgen_wan_files_free (VidgenWanFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenWanFiles, vidgen_wan_files_free)

/* Whether there may be a transformer at `location`. Cheap enough for a probe.
 */
gboolean vidgen_wan_files_probe (const char *location);

/* As VidgenFamily's tell_files. */
void vidgen_wan_files_tell (const char *location, GString *report);

G_END_DECLS
