/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/checkpoint.h"

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

/* VidgenFamily's tell_files: of a folder all checkpoints; of a file that one
 * and those beside it that may belong to it. */
void vidgen_wan_tell_files (const char *location, GString *report);
/* VidgenFamily's list_published. */
void vidgen_wan_list_published (GArray *list);

G_END_DECLS
