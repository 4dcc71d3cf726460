/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct {
  gboolean live; /* never pauses to buffer; shows the time and underruns */
  GstClockTime length; /* NONE: endless; otherwise what the bar runs to */
  gboolean prompts;    /* each line on standard input is a new prompt */
} VidgenPlay;

/* Plays a pipeline whose source is called "s" to its end, in the default main
 * context: progress, warnings and infos on standard error, pausing while the
 * source is buffering. The first interrupt ends the stream in order, a second
 * one, or no end within thirty seconds, stops at once. Leaves the pipeline in
 * the NULL state. Errors: the first that an element posts, led by the element's
 * name where it is not the source's.
 */
gboolean vidgen_play (
    GstElement *pipeline, const VidgenPlay *play, GError **error);

G_END_DECLS
