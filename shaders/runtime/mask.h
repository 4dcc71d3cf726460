/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/runtime/device.h"

G_BEGIN_DECLS

/* Hides capabilities of a device from kernels, which then run as on one that
 * lacks them: the environment variable VIDGEN_MASK, read when a device opens,
 * has words with commas between them:
 *
 *   gpu              a CPU device counts as a GPU
 *   no-group-matrix  no VK_NV_cooperative_matrix2
 *   no-matrix        no cooperative matrices at all
 *   no-float16       no arithmetic on halves, so no cooperative matrices
 *   no-ballot        no subgroup ballot (broadcast)
 *   no-shuffle       no subgroup shuffle
 *   no-timestamps    no timestamps in queues
 *   shared=BYTES     no more than this much shared memory
 *
 * `words` may be NULL. Errors: INVALID, for a word that is none of these.
 */
gboolean vidgen_mask_caps (
    VidgenDeviceCaps *caps, const char *words, GError **error);

G_END_DECLS
