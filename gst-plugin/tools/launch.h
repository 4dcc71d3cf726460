/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A line of gst-launch-1.0, word by word: what the tool runs and what it shows
 * are one thing. Belongs to one thread.
 */
typedef struct _VidgenLaunch VidgenLaunch;

VidgenLaunch *vidgen_launch_new (void);
void vidgen_launch_free (VidgenLaunch *launch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VidgenLaunch, vidgen_launch_free)

/* Appends the words of `format`, which are separated by single spaces. */
void vidgen_launch_add (VidgenLaunch *launch, const char *format, ...)
    G_GNUC_PRINTF (2, 3);
/* Appends NAME=VALUE, whatever characters the value has. */
void vidgen_launch_add_string (
    VidgenLaunch *launch, const char *name, const char *value);

/* The line as a shell takes it. */
char *vidgen_launch_to_shell (const VidgenLaunch *launch);
/* The pipeline, as gst-launch-1.0 would make it. A floating reference. */
GstElement *vidgen_launch_parse (const VidgenLaunch *launch, GError **error);

G_END_DECLS
