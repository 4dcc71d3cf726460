/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/names.h"

G_BEGIN_DECLS

/* The tensors of a transformer of the family Wan by their original names
 * ("blocks.0.self_attn.q.weight"), whichever layout the file has: the original
 * one (Wan, its students, Comfy, GGUF) or that of diffusers, in which `norm3`
 * of a block, the only norm with weights, is called `norm2`. Of the tensors
 * below `part`, such as "generator_ema", or of all where it is NULL; see
 * models/checkpoint/names.h for the wrappers that are taken off. Error: FORMAT
 * (there is no such transformer). */
VidgenNames *vidgen_wan_names_new (
    VidgenCheckpoint *checkpoint, const char *part, GError **error);

/* A part of the checkpoint that holds a transformer: the first that does of
 * `preferred` (may be NULL), "generator_ema", "generator", "" for all of the
 * file, and "model". NULL: there is none. */
const char *vidgen_wan_names_part (
    VidgenCheckpoint *checkpoint, const char *preferred);

/* What diffusers call an original name, with or without its last part
 * (".weight"); free it. */
char *vidgen_wan_names_in_diffusers (const char *name);

G_END_DECLS
