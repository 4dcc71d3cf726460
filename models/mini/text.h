/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/mini/loader.h"
#include "models/tap.h"

G_BEGIN_DECLS

/* The text encoder: tokens to one row of states a token. */

typedef struct {
  VidgenLinear qkv, out, fc1, fc2;
} VidgenMiniTextLayer;

typedef struct {
  VidgenMiniTextLayer *layers;
} VidgenMiniTextWeights;

void vidgen_mini_text_list (VidgenMiniTextWeights *weights,
    const VidgenMiniConfig *config, VidgenMiniLoader *loader);
void vidgen_mini_text_clear (VidgenMiniTextWeights *weights);

/* The encoder's working memory on one device, for one thread at a time. */
typedef struct _VidgenMiniText VidgenMiniText;

guint64 vidgen_mini_text_bytes (const VidgenMiniConfig *config);
/* Config and weights outlive it. Errors as vidgen_memory_new(). */
VidgenMiniText *vidgen_mini_text_new (const VidgenMiniConfig *config,
    const VidgenMiniTextWeights *weights, VidgenDevice *device, GError **error);
void vidgen_mini_text_free (VidgenMiniText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenMiniText, vidgen_mini_text_free)

/* Writes embedding + position of the tokens where the device reads them. The
 * embedding stays in the file: a prompt needs a few of its rows only. */
void vidgen_mini_text_upload (VidgenMiniText *text,
    const VidgenSafetensors *file, const guint32 *tokens, guint n_tokens);
/* Records the work on what was uploaded; rows of states are read from
 * vidgen_mini_text_states() after the recorder has finished. */
void vidgen_mini_text_record (
    VidgenMiniText *text, VidgenRecorder *recorder, guint n_tokens);
const float *vidgen_mini_text_states (const VidgenMiniText *text);

G_END_DECLS
