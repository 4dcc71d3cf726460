/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "shaders/types.h"

G_BEGIN_DECLS

/* The raw formats that a picture is converted to; planes and the order of
 * bytes as in GStreamer's formats of the same names. */
typedef enum {
  VIDGEN_PICTURE_I420,
  VIDGEN_PICTURE_NV12,
  VIDGEN_PICTURE_RGBA,
  VIDGEN_PICTURE_BGRX,
  VIDGEN_PICTURE_RGB
} VidgenPictureFormat;

#define VIDGEN_PICTURE_FORMATS 5
#define VIDGEN_PICTURE_PLANES 3

/* Where the planes of one picture lie in a staging buffer. */
typedef struct {
  guint n_planes;
  guint offset[VIDGEN_PICTURE_PLANES]; /* bytes, multiples of 4 */
  guint stride[VIDGEN_PICTURE_PLANES]; /* bytes, multiples of 4 */
  guint rows[VIDGEN_PICTURE_PLANES];
  guint row_bytes[VIDGEN_PICTURE_PLANES]; /* of picture, without padding */
  guint size;                             /* bytes, a multiple of 4 */
} VidgenPictureLayout;

/* The planes follow one another, every row padded to a multiple of 4 bytes.
 * Any width and height from 1 up; odd sizes round the chroma up. */
void vidgen_picture_layout (VidgenPictureFormat format, guint width,
    guint height, VidgenPictureLayout *layout);

/* Converts decoded pictures to a raw format. rgb: f32 [frames][height][width]
 * [3], -1 black to 1 white, clamped, non-linear (display-referred). YUV is
 * ITU-R BT.709, limited range, chroma sited left (MPEG-2): chroma is filtered
 * 1:2:1 across and 1:1 down, edges repeated. RGB formats are full range; the
 * fourth byte is 255. out: `frames` pictures of layout.size bytes, padding
 * zero. Rounded to nearest.
 */
typedef struct {
  guint frames, width, height;
  VidgenPictureFormat format;
  VidgenSpan rgb;
  VidgenSpan out;
} VidgenPicture;

void vidgen_picture (VidgenRecorder *recorder, const VidgenPicture *picture);
void vidgen_picture_reference (const VidgenPicture *picture);

G_END_DECLS
