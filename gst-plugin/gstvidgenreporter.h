/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/gst.h>

#include "gst-plugin/energy.h"
#include "gst-plugin/session.h"

G_BEGIN_DECLS

/* Turns what a session reports into messages of an element. */
typedef struct {
  GstElement *element; /* not owned */
  const char *phase;   /* PROGRESS that is under way, or NULL */
  gint percent;
  gint failed;           /* atomic: an error was posted */
  GstClockTime frame_ns; /* what an underrun is at least */
  VidgenEnergy *energy;  /* NULL: nothing tells; not owned */
  /* Settings went back to those in force. */
  void (*restored) (GstElement *element, const VidgenSettings *in_force);
} GstVidgenReporter;

/* The user data of these is a GstVidgenReporter. */
extern const VidgenSessionCallbacks gst_vidgen_reporter_callbacks;

/* Whether an error may be posted: true once, until the next reset. */
gboolean gst_vidgen_reporter_claim_error (GstVidgenReporter *reporter);
void gst_vidgen_reporter_reset (GstVidgenReporter *reporter);

G_END_DECLS
