/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/checkpoint.h"

G_BEGIN_DECLS

/* The tensors of a checkpoint by the names that a model gives them, without
 * what training and publishing wrapped around those: a leading
 * "model.diffusion_model.", "diffusion_model." or "model.", and
 * "_fsdp_wrapped_module." anywhere. Immutable. */
typedef struct _VidgenNames VidgenNames;

/* Of the tensors below `part`, such as "generator_ema", or of all where it is
 * NULL. Holds a reference of the checkpoint. Error: FORMAT (there are none, two
 * have one name). */
VidgenNames *vidgen_names_new (
    VidgenCheckpoint *checkpoint, const char *part, GError **error);
void vidgen_names_free (VidgenNames *names);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenNames, vidgen_names_free)

/* What a name in the file's layout is, given the one that it is asked for by;
 * to be freed. */
typedef char *(*VidgenTranslate) (const char *name);
/* From now on tensors are asked for by the names of another layout. */
void vidgen_names_set_translate (VidgenNames *names, VidgenTranslate translate);

/* NULL where there is none; its own name is that in the file. */
const VidgenTensor *vidgen_names_find (
    const VidgenNames *names, const char *name);
/* The scale of weight `name` ("X.weight"), the one value of "X.scale_weight" or
 * "X.weight_scale", as 8-bit floats are published with; 1 where there is none.
 * Error: FORMAT (it has several values, or is not finite). */
gboolean vidgen_names_find_scale (
    const VidgenNames *names, const char *name, float *scale, GError **error);
guint vidgen_names_count (const VidgenNames *names);

G_END_DECLS
