/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* Multiply-adds that need no memory, for the benchmark: what of them a device
 * does in a second is the most that a product can reach.
 *
 * Without a matrix each of groups * lanes invocations runs
 * chains x = x * scale + shift in f32, from x = 0, 1, 2, …, 11, each of
 * 8 * turns steps, and out holds the sum of an invocation's chains.
 *
 * With `matrix`, a copy of matrix or group_matrix of the device's caps, each
 * group multiplies matrices of halves that are all `scale` and all `shift` and
 * adds them up, `turns` times, into out [groups][M][N]: for subgroups M, N and
 * K are the matrix's own and four sums that begin at 0, 1, 2, 3 are added in
 * the end; for groups they are 128, 128 and 64, and there is one sum, from 0.
 */
typedef struct {
  guint groups, turns;
  float scale, shift;
  VidgenMatrixShape matrix;
  guint lanes; /* of a group, without a matrix: a multiple of the largest
                  subgroup size */
  VidgenSpan out;
} VidgenCeiling;

/* The values of out, and the multiply-adds, each two operations, of a launch.
 */
guint64 vidgen_ceiling_values (const VidgenCeiling *ceiling);
double vidgen_ceiling_operations (const VidgenCeiling *ceiling);

void vidgen_ceiling (VidgenRecorder *recorder, const VidgenCeiling *ceiling);
void vidgen_ceiling_reference (const VidgenCeiling *ceiling);

G_END_DECLS
