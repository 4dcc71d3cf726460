/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "gst-plugin/gstvidgenpadsrc.h"

G_BEGIN_DECLS

/* Sends the pictures of a session; lives inside vidgensrc. */
#define GST_TYPE_VIDGEN_VIDEO_SRC (gst_vidgen_video_src_get_type ())
G_DECLARE_FINAL_TYPE (GstVidgenVideoSrc, gst_vidgen_video_src, GST,
    VIDGEN_VIDEO_SRC, GstVidgenPadSrc)

/* Restricts what is negotiated; NULL: nothing. Takes effect when the source
 * negotiates next. */
void gst_vidgen_video_src_set_filter (GstVidgenVideoSrc *src, GstCaps *filter);

G_END_DECLS
