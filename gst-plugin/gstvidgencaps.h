/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/audio/audio.h>
#include <gst/video/video.h>

#include "models/model.h"

G_BEGIN_DECLS

/* Whatever any model could make: the caps of the pad templates. */
#define GST_VIDGEN_VIDEO_FIELDS                                                \
  "width = (int) [ 1, max ], height = (int) [ 1, max ], "                      \
  "framerate = (fraction) [ 1/max, max ], "                                    \
  "pixel-aspect-ratio = (fraction) 1/1, "                                      \
  "interlace-mode = (string) progressive"
#define GST_VIDGEN_VIDEO_CAPS                                                  \
  "video/x-raw, format = (string) { I420, NV12 }, " GST_VIDGEN_VIDEO_FIELDS    \
  ", colorimetry = (string) bt709, chroma-site = (string) mpeg2; "             \
  "video/x-raw, format = (string) { RGBA, BGRx, RGB "                          \
  "}, " GST_VIDGEN_VIDEO_FIELDS ", colorimetry = (string) sRGB"
#define GST_VIDGEN_AUDIO_CAPS                                                  \
  "audio/x-raw, format = (string) { F32LE, S16LE }, "                          \
  "layout = (string) interleaved, rate = (int) [ 1, max ], "                   \
  "channels = (int) [ 1, 2 ]"

/* What a model can make, its native size first where width and height belong
 * together; transfer full. */
GstCaps *gst_vidgen_caps_video (const VidgenModelInfo *info);
GstCaps *gst_vidgen_caps_audio (const VidgenModelInfo *info);
/* Fixates to the model's native size where the first of the caps leaves that
 * open, and to stereo. Transfer full. */
GstCaps *gst_vidgen_caps_fixate_video (
    const VidgenModelInfo *info, GstCaps *caps);
GstCaps *gst_vidgen_caps_fixate_audio (GstCaps *caps);
/* What of `caps` (transfer full) the filter, if any, lets through, in the
 * filter's order of preference. Transfer full. */
GstCaps *gst_vidgen_caps_restrict (GstCaps *caps, GstCaps *filter);

VidgenPictureFormat gst_vidgen_picture_format (GstVideoFormat format);
GstVideoFormat gst_vidgen_video_format (VidgenPictureFormat format);

G_END_DECLS
