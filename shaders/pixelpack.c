/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#include "shaders/pixelpack.h"

#include "pixelpack.spv.h"

static const VidgenKernel pixelpack_kernel = VIDGEN_KERNEL (pixelpack);

static void
pack_pixel (const VidgenPixelpack *pack, gsize pixel)
{
  const guint channels = pack->channels;
  const void *x = vidgen_span_map (pack->x);
  guint8 *to = (guint8 *)vidgen_span_map (pack->out) +
               vidgen_pixelpack_bytes (channels, pixel);
  float low = G_MAXFLOAT, high = -G_MAXFLOAT, range;
  guint16 halves[2];

  for (guint c = 0; c < channels; c++) {
    const float value = vidgen_type_value (pack->type, x, pixel * channels + c);

    low = MIN (low, value);
    high = MAX (high, value);
  }
  low = (float)vidgen_half_clamp (low);
  high = (float)vidgen_half_clamp (high);
  halves[0] = vidgen_half_from_float (low);
  halves[1] = vidgen_half_store (high - low);
  memcpy (to, halves, sizeof halves);
  low = vidgen_half_to_float (halves[0]);
  range = vidgen_half_to_float (halves[1]);
  for (guint c = 0; c < channels; c++) {
    const float value =
        vidgen_type_value (pack->type, x, pixel * channels + c) - low;
    const float part = range > 0 ? value * (1 / range) : 0;

    to[4 + c] = (guint8)lrintf (sqrtf (CLAMP (part, 0.0f, 1.0f)) * 255.0f);
  }
}

void
vidgen_pixelpack_reference (const VidgenPixelpack *pack)
{
  for (gsize pixel = 0; pixel < pack->pixels; pixel++)
    pack_pixel (pack, pixel);
}

float
vidgen_pixelpack_value (
    guint channels, const void *packed, gsize pixel, guint c)
{
  const guint8 *from =
      (const guint8 *)packed + vidgen_pixelpack_bytes (channels, pixel);
  const float root = from[4 + c] / 255.0f;
  guint16 halves[2];

  memcpy (halves, from, sizeof halves);
  return vidgen_half_to_float (halves[0]) +
         vidgen_half_to_float (halves[1]) * root * root;
}

static void
reference (const void *params)
{
  vidgen_pixelpack_reference (params);
}

void
vidgen_pixelpack (VidgenRecorder *recorder, const VidgenPixelpack *pack)
{
  const VidgenDeviceCaps *caps =
      vidgen_device_caps (vidgen_recorder_device (recorder));
  const guint lanes =
      caps->type == VIDGEN_DEVICE_CPU ? caps->subgroup_size : 64;
  const guint64 values = (guint64)pack->pixels * pack->channels;
  const struct {
    guint64 x, out;
    guint32 pixels, channels;
  } push = {
    vidgen_span_address (pack->x),
    vidgen_span_address (pack->out),
    pack->pixels,
    pack->channels,
  };
  const VidgenDispatch dispatch = {
    .kernel = &pixelpack_kernel,
    .constants = { lanes, 1, 1, pack->type },
    .n_constants = 4,
    .push = &push,
    .push_bytes = sizeof push,
    .accesses = { { "x", pack->x, FALSE,
                      vidgen_type_size (pack->type, values) },
        { "out", pack->out, TRUE,
            vidgen_pixelpack_bytes (pack->channels, pack->pixels) } },
    .n_accesses = 2,
    .groups = { vidgen_groups (pack->pixels, lanes), 1, 1 },
    .operations = 4.0 * values,
    .reference = reference,
    .params = pack,
    .params_bytes = sizeof *pack,
  };

  vidgen_recorder_dispatch (recorder, &dispatch);
}
