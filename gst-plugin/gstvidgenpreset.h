/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Of GST_TYPE_PRESET: a preset is a scene, what is shown and by which model,
 * not how and where it is played. */
void gst_vidgen_preset_init (gpointer iface, gpointer iface_data);

G_END_DECLS
