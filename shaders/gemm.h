/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* Matrix multiplication with a fused epilogue, f32 accumulation:
 *
 *   out[i][j] = residual[i][j] + gate[j] * act (bias[j] + sum_k a[i][k] *
 * weight[j][k])
 *
 * a, residual and out are f32 with rows of k, n and n values, each row
 * `*_stride` values after the one before; weight is [n][k], dense, of any type
 * and less than 4 GiB, at an address that is a multiple of 16 bytes; bias and
 * gate are f32 [n]. bias, gate and residual may be absent (0, 1, 0). out may be
 * the residual itself, with the same stride; otherwise it overlaps nothing that
 * is read. m, n >= 1; k is a multiple of 4, and of vidgen_type_block() of
 * the weights; n * k < 2^32.
 *
 * On matrix cores both operands become halves: values beyond 65504 are clamped
 * to that, and `clamped`, a u32 (absent: not asked for), grows by how many of
 * a and of weights were. f32 weights are never multiplied so.
 */
typedef struct {
  guint m, n, k;
  VidgenSpan a;
  guint a_stride;
  VidgenSpan weight;
  VidgenType weight_type;
  VidgenSpan bias;
  VidgenSpan gate;
  VidgenSpan residual;
  guint residual_stride;
  VidgenSpan out;
  guint out_stride;
  VidgenActivation activation;
  VidgenSpan clamped;
} VidgenGemm;

void vidgen_gemm (VidgenRecorder *recorder, const VidgenGemm *gemm);
void vidgen_gemm_reference (const VidgenGemm *gemm);

typedef enum {
  VIDGEN_GEMM_PLAIN,    /* f32, on any device */
  VIDGEN_GEMM_SUBGROUP, /* VK_KHR_cooperative_matrix */
  VIDGEN_GEMM_GROUP     /* VK_NV_cooperative_matrix2 */
} VidgenGemmPath;

/* How the product is cut: a group of `lanes` invocations makes `rows` rows of
 * `columns` columns. */
typedef struct {
  VidgenGemmPath path;
  guint lanes;
  guint rows;
  guint columns;
  gboolean broadcast; /* PLAIN: lanes share what they load of a; needs
                         subgroups that are full and of eight lanes or more */
  guint down, across; /* SUBGROUP: into how many parts the tile is cut, each a
                         subgroup's */
  guint depth;        /* GROUP: values of the inner dimension at a time */
} VidgenGemmTile;

/* The tile for a product, of which only shape and type count; a pure function,
 * and of few values, since each is a pipeline. */
VidgenGemmTile vidgen_gemm_choose (
    const VidgenDeviceCaps *caps, const VidgenGemm *gemm);

G_END_DECLS
