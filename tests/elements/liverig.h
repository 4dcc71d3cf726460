/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: The vidgensrc authors */

#pragma once

#include <gst/check/gsttestclock.h>

#include "tests/elements/rig.h"

G_BEGIN_DECLS

#define LIVE_BUFFER_TIME ((guint64)500 * GST_MSECOND)
#define LIVE_EPOCH (7 * GST_SECOND)

/* A rig that is live, with a buffer of LIVE_BUFFER_TIME, on a clock that the
 * test turns and that begins at LIVE_EPOCH. */
typedef struct {
  Rig *rig;
  GstTestClock *clock;
} LiveRig;

void live_rig_init (LiveRig *live);
void live_rig_clear (LiveRig *live);
/* Lets both pads have their next slot, `slots` times: where nothing is made
 * meanwhile, or where it does not matter whether fillers come, as they do when
 * the clock outruns the worker. */
void live_rig_turn (LiveRig *live, guint slots);
/* The same, each time as soon as there is content for it. */
void live_rig_play (LiveRig *live, guint slots);
guint64 live_rig_stat (const LiveRig *live, const char *field);
double live_rig_attainment (const LiveRig *live);
/* Until so much content lies ahead. */
void live_rig_await_level (const LiveRig *live, guint64 ns);
void live_rig_await_chunks (gint chunks);
/* Initialises the rig, plays 11 frames, 7 fillers while nothing comes or too
 * little does, then content again; returns at slot `slots`. */
void live_rig_run_dry (LiveRig *live, guint slots);

G_END_DECLS
