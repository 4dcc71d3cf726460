/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

#include "models/model.h"

G_BEGIN_DECLS

/* What players that are built on uridecodebin and decodebin must be shown of a
 * source whose pads are raw and always there. Up to GStreamer 1.26
 * uridecodebin, which playbin and GstDiscoverer use, looks at its source in
 * NULL and takes a pad as raw by its current caps alone; and GstDiscoverer
 * lists those streams that a stream-topology message names, as decodebin posts
 * it.
 */

/* Gives `pad`, a ghost pad that may be inactive, the caps with which `info`
 * begins unless downstream wants others; nothing where `info` cannot make what
 * the pad's own query allows. */
void gst_vidgen_player_show_pad (
    GstPad *pad, GstStream *stream, const VidgenModelInfo *info);

/* Posts the topology of those pads of `element` that have caps. */
void gst_vidgen_player_post_topology (GstElement *element);

G_END_DECLS
