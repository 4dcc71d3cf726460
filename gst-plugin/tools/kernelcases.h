/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* A kernel at a shape that a family of models uses, for the benchmark. */
typedef struct _VidgenKernelKind VidgenKernelKind;

#define VIDGEN_CASE_SIZES 7

typedef struct {
  const char *model; /* whose shape it is */
  const char *name;  /* what it does there */
  const VidgenKernelKind *kind;
  guint sizes[VIDGEN_CASE_SIZES]; /* as the kind has them */
  VidgenType type;                /* of the weights, if there are any */
} VidgenKernelCase;

/* All cases, static. */
const VidgenKernelCase *vidgen_kernel_cases (guint *n_cases);

/* "gemm", "attention", … */
const char *vidgen_kernel_case_kernel (const VidgenKernelCase *one);
/* Such as "512x4096x14336 f16"; to be freed. */
char *vidgen_kernel_case_shape (const VidgenKernelCase *one);
/* Floating-point operations of the products; 0 where there are none. */
double vidgen_kernel_case_operations (const VidgenKernelCase *one);
/* Bytes that must be read and written at least. */
double vidgen_kernel_case_bytes (const VidgenKernelCase *one);
/* The multiply-adds that it is made of on a device: "plain", "subgroup" or
 * "group" (matrices). */
const char *vidgen_kernel_case_path (
    const VidgenKernelCase *one, const VidgenDeviceCaps *caps);

/* Halves the largest size that can be cut; FALSE where none can. */
gboolean vidgen_kernel_case_halve (VidgenKernelCase *one);

/* A case with its memory on a device, filled with values of about 1. */
typedef struct _VidgenKernelRun VidgenKernelRun;

VidgenKernelRun *vidgen_kernel_run_new (
    VidgenDevice *device, const VidgenKernelCase *one, GError **error);
void vidgen_kernel_run_free (VidgenKernelRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenKernelRun, vidgen_kernel_run_free)
void vidgen_kernel_run_launch (VidgenKernelRun *run, VidgenRecorder *recorder);

G_END_DECLS
