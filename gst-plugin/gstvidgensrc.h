/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_VIDGEN_SRC (gst_vidgen_src_get_type ())
G_DECLARE_FINAL_TYPE (GstVidgenSrc, gst_vidgen_src, GST, VIDGEN_SRC, GstBin)

GST_ELEMENT_REGISTER_DECLARE (vidgensrc)

G_END_DECLS
