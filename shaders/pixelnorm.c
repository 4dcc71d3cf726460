/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/pixelnorm.h"

#include "pixelnorm.spv.h"

#define SHORTEST 1e-12

static const VidgenKernel pixelnorm_kernel = VIDGEN_KERNEL (pixelnorm);

static void
store (const VidgenPixelnorm *norm, gsize index, double value)
{
  void *out = vidgen_span_map (norm->out);

  if (norm->activation == VIDGEN_SILU)
    value /= 1 + exp (-value);
  if (norm->out_type == VIDGEN_F32)
    ((float *)out)[index] = (float)value;
  else
    ((guint16 *)out)[index] = vidgen_half_store (value);
}

void
vidgen_pixelnorm_reference (const VidgenPixelnorm *norm)
{
  const gsize channels = norm->channels;
  const void *x = vidgen_span_map (norm->x);
  const float *gain = vidgen_span_map (norm->gain);

  for (gsize pixel = 0; pixel < norm->pixels; pixel++) {
    double squares = 0, factor;

    for (gsize c = 0; c < channels; c++) {
      const double value =
          vidgen_type_value (norm->type, x, pixel * channels + c);

      squares += value * value;
    }
    factor = sqrt (channels) / MAX (sqrt (squares), SHORTEST);
    for (gsize c = 0; c < channels; c++) {
      const gsize index = pixel * channels + c;

      store (norm, index,
          factor * gain[c] * vidgen_type_value (norm->type, x, index));
    }
  }
}

static void
reference (const void *params)
{
  vidgen_pixelnorm_reference (params);
}

void
vidgen_pixelnorm (VidgenRecorder *recorder, const VidgenPixelnorm *norm)
{
  const VidgenDeviceCaps *caps =
      vidgen_device_caps (vidgen_recorder_device (recorder));
  const guint lanes =
      caps->type == VIDGEN_DEVICE_CPU ? caps->subgroup_size : 64;
  const guint64 values = (guint64)norm->pixels * norm->channels;
  const struct {
    guint64 x, gain, out;
    guint32 pixels, channels;
  } push = {
    vidgen_span_address (norm->x),
    vidgen_span_address (norm->gain),
    vidgen_span_address (norm->out),
    norm->pixels,
    norm->channels,
  };
  const VidgenDispatch dispatch = {
    .kernel = &pixelnorm_kernel,
    .constants = { lanes, 1, 1, norm->type, norm->out_type, norm->activation },
    .n_constants = 6,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "x", norm->x, FALSE,
                      vidgen_type_size (norm->type, values) },
        { "gain", norm->gain, FALSE, 4 * (guint64)norm->channels },
        { "out", norm->out, TRUE, vidgen_type_size (norm->out_type, values) } },
    .n_accesses = 3,
    .groups = { vidgen_groups (norm->pixels, lanes), 1, 1 },
    .operations = 8.0 * values,
    .reference = reference,
    .params = norm,
    .params_bytes = sizeof *norm,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
