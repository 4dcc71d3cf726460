/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "models/checkpoint/checkpoint.h"
#include "models/upload.h"

G_BEGIN_DECLS

/* Changes of weights that are published beside a model (Hu et al., "LoRA:
 * Low-Rank Adaptation of Large Language Models", 2021), merged while the
 * weights are uploaded:
 *
 *   weight += strength * alpha / rank * up * down
 *
 * Read are the names of PEFT ("X.lora_A.weight", "X.lora_B.weight", with or
 * without an adapter's name) and those of Comfy and kohya
 * ("X.lora_down.weight", "X.lora_up.weight", "X.alpha"; X perhaps with
 * underscores for dots), and whole differences of weights and biases ("X.diff",
 * "X.diff_b"). alpha is the file's, else lora_alpha of the file
 * adapter_config.json beside it, else the rank. What training and publishing
 * put before X is taken off. One thread at a time.
 */
typedef struct _VidgenLora VidgenLora;

/* Whether the checkpoint is one. Cheap. */
gboolean vidgen_lora_probe (VidgenCheckpoint *checkpoint);

/* Holds a reference of the checkpoint; a strength of 1 is what it was trained
 * for. Errors: FORMAT (something else is in it, a half of a pair is missing,
 * shapes that do not fit). */
VidgenLora *vidgen_lora_new (
    VidgenCheckpoint *checkpoint, double strength, GError **error);
void vidgen_lora_free (VidgenLora *lora);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenLora, vidgen_lora_free)

/* The number of tensors that it changes. */
guint vidgen_lora_count (const VidgenLora *lora);

/* Sets *edit to the change of `tensor` that is known by one of the NULL-ended
 * `names` ("X.weight" or "X.bias"), after what *edit did before; leaves it as
 * it is where there is none. *edit is good as long as `lora`. Errors: FORMAT
 * (shapes that do not fit). */
gboolean vidgen_lora_edit (VidgenLora *lora, const char *const *names,
    const VidgenTensor *tensor, VidgenUploadEdit *edit, GError **error);

/* FORMAT, naming it, where no tensor was asked for that it changes: it belongs
 * to another model. */
gboolean vidgen_lora_check_used (const VidgenLora *lora, GError **error);

G_END_DECLS
