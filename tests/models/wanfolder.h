/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/safetensors.h"
#include "tests/models/fixture.h"

G_BEGIN_DECLS

/* Folders of tiny checkpoints of the family `wan`, and streams of them under
 * the prompts of its goldens. Failures end the test. */

#define WAN_GOLDENS "tests/models/goldens/"
#define WAN_DECODER "decoders/taehv-weights.safetensors"

typedef struct {
  char *path;
  VidgenModel *model;
  VidgenDevice *device;
} WanFolder;

/* A golden's file, by its path below WAN_GOLDENS, and a text, into a folder. */
void wan_folder_put (const char *folder, const char *golden, const char *name);
void wan_folder_put_text (
    const char *folder, const char *name, const char *text);
/* A folder of all but a text encoder; `side` is its text file. */
char *wan_folder_make (const char *side);
void wan_folder_remove (const char *path);
/* The same, and its model, loaded. */
void wan_folder_open (
    WanFolder *folder, VidgenDevice *device, const char *side);
/* With another golden in the decoder's place. */
void wan_folder_open_with (WanFolder *folder, VidgenDevice *device,
    const char *side, const char *decoder);
void wan_folder_close (WanFolder *folder);

VidgenSafetensors *wan_golden_open (const char *name);
GBytes *wan_golden_prompt (const VidgenSafetensors *golden, guint prompt);

void wan_stream_set_bytes (VidgenStream *stream, VidgenModel *model,
    GBytes *bytes, guint blend_chunks);
void wan_stream_blend (VidgenStream *stream, VidgenModel *model,
    const VidgenSafetensors *golden, guint prompt, guint blend_chunks);
void wan_stream_set_prompt (VidgenStream *stream, VidgenModel *model,
    const VidgenSafetensors *golden, guint prompt);
/* At the model's own size, under the golden's first prompt. */
VidgenStream *wan_stream_new (
    WanFolder *folder, const VidgenSafetensors *golden);
VidgenChunk *wan_stream_next (VidgenStream *stream, gboolean video);

G_END_DECLS
