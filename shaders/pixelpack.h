/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* Keeps images in bytes, each pixel with a range of its own:
 *
 *   x[i][c] ~ low[i] + range[i] * (byte[i][c] / 255)^2
 *
 * The square is for what comes out of SiLU, most of which is near its lowest
 * value. A packed pixel is low and range as halves, then a byte a channel, so
 * that it has channels + 4 bytes. x is [pixels][channels], F32 or F16; channels
 * is a multiple of 4. A value is off by range / 255 at most, and by what low
 * and range lose as halves; what is beyond 65504, or further than that above
 * its pixel's lowest value, becomes that.
 */
typedef struct {
  guint pixels, channels;
  VidgenSpan x;
  VidgenType type;
  VidgenSpan out;
} VidgenPixelpack;

void vidgen_pixelpack (VidgenRecorder *recorder, const VidgenPixelpack *pack);
void vidgen_pixelpack_reference (const VidgenPixelpack *pack);

static inline guint64
vidgen_pixelpack_bytes (guint channels, guint64 pixels)
{
  return pixels * (channels + 4);
}

/* Channel `c` of a packed pixel, for references and tests. */
float vidgen_pixelpack_value (
    guint channels, const void *packed, gsize pixel, guint c);

G_END_DECLS
