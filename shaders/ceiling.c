/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/ceiling.h"

#include "ceiling.spv.h"
#include "shaders/pinned/ceiling_khr.spv.h"
#include "shaders/pinned/ceiling_nv.spv.h"

/* As in the shaders. */
#define CHAINS 12
#define UNROLLED 8
#define MATRIX_CHAINS 4

typedef enum { PLAIN, SUBGROUP, GROUP } Path;

static const VidgenKernel kernels[] = {
  [PLAIN] = VIDGEN_KERNEL (ceiling),
  [SUBGROUP] = VIDGEN_KERNEL (ceiling_khr),
  [GROUP] = VIDGEN_KERNEL (ceiling_nv),
};

static Path
path_of (const VidgenCeiling *ceiling)
{
  if (!ceiling->matrix.m)
    return PLAIN;
  return ceiling->matrix.invocations ? GROUP : SUBGROUP;
}

/* What is multiplied at a time. */
static VidgenMatrixShape
shape_of (const VidgenCeiling *ceiling)
{
  if (path_of (ceiling) == GROUP)
    return (VidgenMatrixShape){ 128, 128, 64, ceiling->matrix.invocations };
  return ceiling->matrix;
}

guint64
vidgen_ceiling_values (const VidgenCeiling *ceiling)
{
  const VidgenMatrixShape shape = shape_of (ceiling);

  return (guint64)ceiling->groups *
         (shape.m ? shape.m * shape.n : ceiling->lanes);
}

double
vidgen_ceiling_operations (const VidgenCeiling *ceiling)
{
  const VidgenMatrixShape shape = shape_of (ceiling);
  const double turns = 2.0 * ceiling->groups * ceiling->turns;

  switch (path_of (ceiling)) {
  case PLAIN:
    return turns * ceiling->lanes * CHAINS * UNROLLED;
  case SUBGROUP:
    return turns * shape.m * shape.n * shape.k * MATRIX_CHAINS;
  case GROUP:
    return turns * shape.m * shape.n * shape.k;
  }
  g_return_val_if_reached (0);
}

static double
chains_sum (const VidgenCeiling *ceiling)
{
  double sum = 0;

  for (guint i = 0; i < CHAINS; i++) {
    double x = i;

    for (guint turn = 0; turn < UNROLLED * ceiling->turns; turn++)
      x = x * ceiling->scale + ceiling->shift;
    sum += x;
  }
  return sum;
}

static double
matrices_sum (const VidgenCeiling *ceiling)
{
  const gboolean group = path_of (ceiling) == GROUP;
  const double first = group ? 0 : 0 + 1 + 2 + 3;

  return first + (double)(group ? 1 : MATRIX_CHAINS) * ceiling->turns *
                     shape_of (ceiling).k * ceiling->scale * ceiling->shift;
}

void
vidgen_ceiling_reference (const VidgenCeiling *ceiling)
{
  const double value = path_of (ceiling) == PLAIN ? chains_sum (ceiling)
                                                  : matrices_sum (ceiling);
  float *out = vidgen_span_map (ceiling->out);

  for (guint64 i = 0; i < vidgen_ceiling_values (ceiling); i++)
    out[i] = (float)value;
}

static void
reference (const void *params)
{
  vidgen_ceiling_reference (params);
}

void
vidgen_ceiling (VidgenRecorder *recorder, const VidgenCeiling *ceiling)
{
  const VidgenDeviceCaps *caps =
      vidgen_device_caps (vidgen_recorder_device (recorder));
  const Path path = path_of (ceiling);
  const VidgenMatrixShape shape = shape_of (ceiling);
  const struct {
    guint64 out;
    guint32 turns;
    float scale, shift;
  } push = { vidgen_span_address (ceiling->out), ceiling->turns, ceiling->scale,
    ceiling->shift };
  VidgenDispatch dispatch = {
    .kernel = &kernels[path],
    .constants = { ceiling->lanes, 1, 1, shape.m, shape.n, shape.k },
    .n_constants = path == PLAIN ? 3 : 6,
    .push = &push,
    .push_bytes = 20,
    .accesses = { { "out", ceiling->out, TRUE,
        4 * vidgen_ceiling_values (ceiling) } },
    .n_accesses = 1,
    .groups = { ceiling->groups, 1, 1 },
    .operations = vidgen_ceiling_operations (ceiling),
    .reference = reference,
    .params = ceiling,
    .params_bytes = sizeof *ceiling,
  };

  if (path == GROUP)
    dispatch.constants[0] = shape.invocations;
  if (path == SUBGROUP)
    dispatch.constants[0] = dispatch.subgroup_size = caps->subgroup_size;
  vidgen_recorder_dispatch (recorder, &dispatch);
}
