/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include "gst-plugin/gstvidgenpadsrc.h"

G_BEGIN_DECLS

/* Sends the sound of a session, a frame's length in each buffer; silence
 * where the model has none. Lives inside vidgensrc. */
#define GST_TYPE_VIDGEN_AUDIO_SRC (gst_vidgen_audio_src_get_type ())
G_DECLARE_FINAL_TYPE (GstVidgenAudioSrc, gst_vidgen_audio_src, GST,
    VIDGEN_AUDIO_SRC, GstVidgenPadSrc)

G_END_DECLS
